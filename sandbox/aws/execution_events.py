"""Step Functions: the "Execution Status Change" events of EventBridge, with the error of every ended execution and the
redrive count; ministack has `redriveCount: 0` always and the error on FAILED only.
"""

import json
import logging

from ministack.services import eventbridge
from ministack.services import stepfunctions as sfn

logger = logging.getLogger("firn.states")

REDRIVABLE = ("FAILED", "TIMED_OUT", "ABORTED")


def redrive_status(execution: dict) -> dict:
    status = execution["status"]
    if status in REDRIVABLE:
        return {"redriveStatus": "REDRIVABLE"}
    return {"redriveStatus": "NOT_REDRIVABLE", "redriveStatusReason": f"Execution is {status} and cannot be redriven"}


def detail(execution: dict) -> dict:
    milliseconds = sfn._iso_to_epoch_ms
    return {
        "executionArn": execution["executionArn"],
        "stateMachineArn": execution["stateMachineArn"],
        "name": execution["name"],
        "status": execution["status"],
        "startDate": milliseconds(execution.get("startDate")),
        "stopDate": milliseconds(execution.get("stopDate")),
        "input": execution.get("input"),
        "inputDetails": {"included": True},
        "output": execution.get("output"),
        "outputDetails": {"included": True} if execution.get("output") else None,
        "error": execution.get("error"),
        "cause": execution.get("cause"),
        "redriveCount": execution.get("redriveCount", 0),
        "redriveDate": milliseconds(execution.get("redriveDate")),
        "redriveStatusReason": None,
        "stateMachineVersionArn": None,
        "stateMachineAliasArn": None,
        **redrive_status(execution),
    }


def emit(execution: dict) -> None:
    if execution.get("sync"):
        return
    entry = {
        "Source": "aws.states",
        "DetailType": "Step Functions Execution Status Change",
        "Detail": json.dumps(detail(execution)),
        "Resources": [execution["executionArn"]],
    }
    try:
        eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)
    except Exception:
        logger.exception("no status event for %s", execution["executionArn"])


def close() -> None:
    assert callable(sfn._emit_execution_status_event)
    sfn._emit_execution_status_event = emit
