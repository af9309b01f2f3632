"""Step Functions: executions that ran when the local AWS was stopped go on when it is started again, from their frame.

ministack fails them. The task that was under way runs again, as after an outage of the function.
"""

import contextvars
import os
import socket
import threading
import time

from ministack.core import responses
from ministack.services import stepfunctions as sfn


def resume(arn: str) -> None:
    _, _, _, region, account, *_ = arn.split(":")
    responses.set_request_account_id(account)
    responses.set_request_region(region)
    sfn._run_execution(arn)


def resume_when_serving(arns: list[str]) -> None:
    address = ("127.0.0.1", int(os.environ["GATEWAY_PORT"]))
    while True:
        try:
            socket.create_connection(address, timeout=1).close()
            break
        except OSError:
            time.sleep(0.05)
    for arn in arns:
        threading.Thread(target=contextvars.Context().run, args=(resume, arn), daemon=True).start()


def close() -> None:
    restore = sfn._restore_state

    def restore_state(data: dict) -> None:
        running = {
            execution["executionArn"]
            for execution in (data or {}).get("executions", responses.AccountRegionScopedDict()).all_values()
            if execution.get("status") == "RUNNING" and "frame" in execution
        }
        restore(data)
        for execution in sfn._executions.all_values():
            if execution["executionArn"] in running:
                execution.update(status="RUNNING", stopDate=None, error=None, cause=None)
        if running:
            threading.Thread(target=resume_when_serving, args=(sorted(running),), daemon=True).start()

    sfn._restore_state = restore_state
