"""Step Functions: how an execution walks through its states.

ministack walks with local variables only: a stopped execution goes on and may still end as FAILED, nothing can be
redriven, the execution's own TimeoutSeconds is ignored, and a changed state machine changes running executions.
Here each walk keeps a frame, `{state, input, children}`, in the execution. A redrive walks the same frame again, so that
it starts at the failed state with that state's input, and finished iterations of a Map or branches of a Parallel,
which are child frames without a state, are not run again.
"""

import contextvars
import copy
import json
import logging
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from ministack.services import stepfunctions as sfn

logger = logging.getLogger("firn.states")

# ARN and redrive count that the current thread walks for.
walking: contextvars.ContextVar[tuple[str, int] | None] = contextvars.ContextVar("walking", default=None)


class Stopped(BaseException):
    """The execution has ended, or another walk has it: this one changes nothing any more."""


def is_stopped(execution: dict) -> bool:
    walk = walking.get()
    if walk is None or walk[0] != execution["executionArn"]:
        return False
    return execution["status"] != "RUNNING" or execution.get("redriveCount", 0) != walk[1]


def stop_if_stopped(execution: dict) -> None:
    if is_stopped(execution):
        raise Stopped


def to_json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def new_frame(definition: dict, value: object) -> dict:
    return {"state": definition.get("StartAt"), "input": copy.deepcopy(value), "children": {}}


def walk(frame: dict, states: dict, execution: dict, context: dict, top: bool = False) -> object:
    """Runs the states from where the frame stands; answers the output. Raises `_ExecutionError` or Stopped."""
    while frame["state"]:
        stop_if_stopped(execution)
        name = frame["state"]
        state = states.get(name)
        if state is None:
            raise sfn._ExecutionError("States.Runtime", f"State '{name}' not found in definition")
        kind = state.get("Type")
        context["State"] = {"Name": name, "EnteredTime": sfn.now_iso(), "RetryCount": 0}
        if top:
            details = {"name": name, "input": to_json(frame["input"])}
            sfn._add_event(execution, f"{kind}StateEntered", {"stateEnteredEventDetails": details})
        output, following = run_state(state, kind, frame, execution, context)
        stop_if_stopped(execution)
        if top:
            details = {"name": name, "output": to_json(output)}
            sfn._add_event(execution, f"{kind}StateExited", {"stateExitedEventDetails": details})
        frame.update(state=following, input=output, children={})
    return frame["input"]


def run_state(state: dict, kind: str | None, frame: dict, execution: dict, context: dict) -> tuple[object, str | None]:
    value = frame["input"]
    if kind == "Succeed":
        return sfn._apply_output_path(state, sfn._apply_input_path(state, value, context), context), None
    if kind == "Fail":
        raise sfn._ExecutionError(*sfn._fail_state_error(state, value, context))
    if kind == "Task":
        return sfn._execute_task(state, value, execution, context)
    if kind in ("Map", "Parallel"):
        return run_fan_out(state, kind, frame, execution, context)
    single = {"Pass": sfn._execute_pass, "Choice": sfn._execute_choice, "Wait": sfn._execute_wait}.get(kind or "")
    if single is None:
        raise sfn._ExecutionError("States.Runtime", f"Unknown state type: {kind}")
    return single(state, value, context)


def run_fan_out(state: dict, kind: str, frame: dict, execution: dict, context: dict) -> tuple[object, str | None]:
    value = frame["input"]
    attempts = 0

    def attempt() -> tuple[object, str | None]:
        nonlocal attempts
        if attempts:  # a Retry of the whole state starts all of it anew; a redrive does not
            frame["children"] = {}
        attempts += 1
        branches, limit = (map_branches if kind == "Map" else parallel_branches)(state, value, context)
        results = run_branches(branches, limit, frame, execution)
        if sfn._state_query_language(state, context) == "JSONata":
            output = sfn._apply_jsonata_output(state, value, context, result=results, default=results)
            sfn._apply_state_assign(state, value, context, result=results)
        else:
            output = sfn._apply_result_path(state, value, sfn._apply_result_selector(state, results))
            output = sfn._apply_output_path(state, output, context)
        return output, sfn._next_or_end(state)

    return sfn._with_retry_and_catch(state, value, context, attempt)


Branch = tuple[dict, object, dict]


def parallel_branches(state: dict, value: object, context: dict) -> tuple[list[Branch], int]:
    effective = sfn._apply_parameters(state, sfn._apply_input_path(state, value, context), context)
    branches = [(branch, effective, branch_context(context)) for branch in state.get("Branches", [])]
    return branches, len(branches)


def map_branches(state: dict, value: object, context: dict) -> tuple[list[Branch], int]:
    processor = state.get("Iterator") or state.get("ItemProcessor", {})
    if (processor.get("ProcessorConfig") or {}).get("Mode") == "DISTRIBUTED":
        raise sfn._ExecutionError("States.Runtime", "The sandbox does not run a distributed Map")
    jsonata = sfn._state_query_language(state, context) == "JSONata"
    effective = sfn._apply_input_path(state, value, context)
    if jsonata and "Items" in state:
        items = sfn._jsonata_state_field(state, "Items", "array", value, context)
    else:
        items = sfn._resolve_path_or_ctx(state.get("ItemsPath", "$"), effective, context)
    if not isinstance(items, list):
        raise sfn._ExecutionError("States.Runtime", f"The items of Map state '{context['State']['Name']}' are no array")
    limit = state.get("MaxConcurrency", 0)
    if jsonata and "MaxConcurrency" in state:
        limit = sfn._jsonata_state_field(state, "MaxConcurrency", "number", value, context)
    selector = state.get("ItemSelector") or state.get("Parameters")
    branches = []
    for index, item in enumerate(items):
        own = branch_context(context)
        own["Map"] = {"Item": {"Index": index, "Value": item}}
        if not selector:
            value_of_item = item
        elif jsonata:
            value_of_item = sfn._apply_jsonata_template(selector, value, own)
        else:
            value_of_item = sfn._resolve_params_obj(selector, effective, own)
        branches.append((processor, value_of_item, own))
    return branches, int(limit) or len(items)


def branch_context(context: dict) -> dict:
    return copy.deepcopy(context)


def run_branches(branches: list[Branch], limit: int, frame: dict, execution: dict) -> list:
    """Outputs in order. The first failure ends it under its own name: what has not begun by then does not begin."""
    failures: list[BaseException] = []

    def run(index: int, branch: Branch) -> object:
        if failures:
            return None
        definition, value, context = branch
        child = frame["children"].setdefault(str(index), new_frame(definition, value))
        try:
            return walk(child, definition.get("States", {}), execution, context)
        except BaseException as failure:
            failures.append(failure)
            return None

    with ThreadPoolExecutor(max_workers=max(1, min(limit, len(branches)))) as pool:
        outputs = [pool.submit(contextvars.copy_context().run, run, *pair) for pair in enumerate(branches)]
        results = [output.result() for output in outputs]
    if failures:
        failure = failures[0]
        raise failure if isinstance(failure, sfn._ExecutionError | Stopped) else sfn._ExecutionError("States.Runtime", str(failure))
    return results


def run_execution(arn: str) -> None:
    """Thread of an execution, from its start or from where its frame stands, to its end."""
    execution = sfn._executions.get(arn)
    if execution is None:
        return
    walking.set((arn, execution.get("redriveCount", 0)))
    try:
        machine = sfn._state_machines[execution["stateMachineArn"]]
        definition = json.loads(execution.setdefault("definition", machine["definition"]))
        started = json.loads(execution["input"])
        frame = execution.setdefault("frame", new_frame(definition, started))
        context = {
            "QueryLanguage": definition.get("QueryLanguage", "JSONPath"),
            "Execution": {"Id": arn, "Input": started, "Name": execution["name"], "StartTime": execution["startDate"]},
            "StateMachine": {"Id": execution["stateMachineArn"], "Name": machine["name"]},
            "variables": execution.setdefault("variables", {}),
        }
        if execution.get("redriveCount"):
            context["Execution"] |= {"RedriveCount": execution["redriveCount"], "RedriveTime": execution["redriveDate"]}
        timer = start_timer(definition.get("TimeoutSeconds"), execution)
        try:
            output = walk(frame, definition.get("States", {}), execution, context, top=True)
        finally:
            timer()
        end(execution, "SUCCEEDED", output=to_json(output))
    except Stopped:
        pass
    except sfn._ExecutionError as error:
        end(execution, "FAILED", error=error.error, cause=error.cause)
    except Exception as error:
        logger.exception("unexpected error in %s", arn)
        end(execution, "FAILED", error="States.Runtime", cause=str(error))


def start_timer(seconds: int | None, execution: dict) -> Callable[[], None]:
    if not seconds:
        return lambda: None

    def time_out() -> None:
        end(execution, "TIMED_OUT", error="States.Timeout", cause=f"The execution ran longer than {seconds} seconds")

    timer = threading.Timer(seconds, contextvars.copy_context().run, args=(time_out,))
    timer.daemon = True
    timer.start()
    return timer.cancel


ending = threading.Lock()


def end(execution: dict, status: str, output: str | None = None, error: str | None = None, cause: str | None = None) -> None:
    """Ends the execution once, with its event in history and on the bus; a walk that lost it ends nothing."""
    with ending:
        if is_stopped(execution) or execution["status"] != "RUNNING":
            return
        kind = {"SUCCEEDED": "Succeeded", "FAILED": "Failed", "TIMED_OUT": "TimedOut", "ABORTED": "Aborted"}[status]
        details = {"output": output} if status == "SUCCEEDED" else {"error": error or "", "cause": cause or ""}
        sfn._add_event(execution, f"Execution{kind}", {f"execution{kind}EventDetails": details})
        execution.update(status=status, output=output, error=error, cause=cause, stopDate=sfn.now_iso())
    sfn._emit_execution_status_event(execution)


def retrier_with_delay(find: Callable) -> Callable:
    """MaxDelaySeconds and JitterStrategy, which ministack ignores, as the plain interval that it waits."""

    def find_retrier(retriers: list, error: str, counts: dict) -> tuple[dict | None, int]:
        retrier, index = find(retriers, error, counts)
        if retrier is None:
            return retrier, index
        delay = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** counts.get(index, 0)
        delay = min(delay, retrier.get("MaxDelaySeconds", delay))
        if retrier.get("JitterStrategy") == "FULL":
            delay *= random.random()
        return {**retrier, "IntervalSeconds": delay, "BackoffRate": 1}, index

    return find_retrier


def close() -> None:
    add_event = sfn._add_event

    def add_event_unless_stopped(execution: dict, kind: str, details: dict | None = None) -> dict:
        stop_if_stopped(execution)
        event = add_event(execution, kind, details)
        event["previousEventId"] = event["id"] - 1
        return event

    sfn._add_event = add_event_unless_stopped
    sfn._find_matching_retrier = retrier_with_delay(sfn._find_matching_retrier)
    sfn._run_execution = run_execution
