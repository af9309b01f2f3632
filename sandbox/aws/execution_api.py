"""Step Functions: StartExecution that can be repeated, StopExecution, RedriveExecution, and what DescribeExecution shows.

ministack refuses a name that runs already even for the same input, and knows no redrive.
"""

import contextvars
import json
import re
import threading
from datetime import UTC, datetime, timedelta

import execution_walk
from execution_events import REDRIVABLE, redrive_status
from ministack.services import stepfunctions as sfn

REDRIVE_PERIOD = timedelta(days=14)
REDRIVE_EVENTS = 24_999
NAME = re.compile(r"[^\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]{1,80}")

Answer = tuple[int, dict, bytes]

starting = threading.Lock()


def refuse(code: str, message: str) -> Answer:
    return sfn.error_response_json(code, message, 400)


def start_execution(data: dict) -> Answer:
    name, value = data.get("name"), data.get("input", "{}")
    if name is not None and not NAME.fullmatch(name):
        return refuse("InvalidName", f"Invalid Name: '{name}'")
    try:
        json.loads(value)
    except ValueError:
        return refuse("InvalidExecutionInput", f"Invalid State Machine Execution Input: '{value[:100]}'")
    with starting:
        machine = sfn._resolve_state_machine_arn(data.get("stateMachineArn", ""))
        if name is not None and machine is not None:
            execution = sfn._executions.get(f"{machine.replace(':stateMachine:', ':execution:')}:{name}")
            if execution and execution["status"] == "RUNNING" and execution["input"] == value:
                return sfn.json_response({"executionArn": execution["executionArn"], "startDate": execution["startDate"]})
        return start(data)


def stop_execution(data: dict) -> Answer:
    execution = sfn._executions.get(data.get("executionArn"))
    if execution is None:
        return refuse("ExecutionDoesNotExist", f"Execution Does Not Exist: '{data.get('executionArn')}'")
    execution_walk.end(execution, "ABORTED", error=data.get("error"), cause=data.get("cause"))
    return sfn.json_response({"stopDate": execution["stopDate"]})


def redrive_execution(data: dict) -> Answer:
    arn = data.get("executionArn")
    with starting:
        execution = sfn._executions.get(arn)
        if execution is None:
            return refuse("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")
        token = data.get("clientToken")
        if token is not None and execution.get("redriveToken") == token:
            return sfn.json_response({"redriveDate": execution["redriveDate"]})
        reason = not_redrivable(execution)
        if reason:
            return refuse("ExecutionNotRedrivable", f"Execution is not redrivable: '{arn}'. {reason}")
        count = execution.get("redriveCount", 0) + 1
        execution.update(
            status="RUNNING",
            stopDate=None,
            error=None,
            cause=None,
            output=None,
            redriveCount=count,
            redriveDate=sfn.now_iso(),
            redriveToken=token,
        )
        sfn._add_event(execution, "ExecutionRedriven", {"executionRedrivenEventDetails": {"redriveCount": count}})
    sfn._emit_execution_status_event(execution)
    begin(arn)
    return sfn.json_response({"redriveDate": execution["redriveDate"]})


def not_redrivable(execution: dict) -> str | None:
    if execution["status"] not in REDRIVABLE:
        return f"It is {execution['status']}."
    if sfn._state_machines.get(execution["stateMachineArn"], {}).get("type") == "EXPRESS":
        return "Only executions of a Standard workflow can be redriven."
    if datetime.now(UTC) - datetime.fromisoformat(execution["stopDate"].replace("Z", "+00:00")) > REDRIVE_PERIOD:
        return "It ended more than 14 days ago."
    if len(execution["events"]) >= REDRIVE_EVENTS:
        return f"Its history has {len(execution['events'])} events."
    return None


def begin(arn: str) -> None:
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(sfn._run_execution, arn), daemon=True).start()


def describe_execution(data: dict) -> Answer:
    answer = describe(data)
    execution = sfn._executions.get(data.get("executionArn"))
    if answer[0] != 200 or execution is None:
        return answer
    shown = {
        **json.loads(answer[2]),
        "redriveCount": execution.get("redriveCount", 0),
        "redriveDate": execution.get("redriveDate"),
        **redrive_status(execution),
    }
    if not shown.get("output"):
        shown.pop("outputDetails", None)
    return sfn.json_response({key: value for key, value in shown.items() if value is not None})


def close() -> None:
    global start, describe
    start, describe = sfn._start_execution, sfn._describe_execution
    sfn._start_execution = start_execution
    sfn._stop_execution = stop_execution
    sfn._describe_execution = describe_execution
    handle = sfn.handle_request

    async def handle_request(method: str, path: str, headers: dict, body: bytes, query: dict) -> Answer:
        if headers.get("x-amz-target", "").endswith(".RedriveExecution"):
            return sfn._finalize_response(redrive_execution(json.loads(body or b"{}")))
        return await handle(method, path, headers, body, query)

    sfn.handle_request = handle_request
