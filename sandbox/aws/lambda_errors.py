"""Lambda: a thrown error's name is its `errorType`, with message and stack, as the Node runtime reports it.

ministack answers `Runtime.HandlerError` for every error, so no Retry or Catch by name would ever match, and it ends the
worker that threw, where AWS keeps it warm. A worker that died is `Runtime.ExitError`; one that did not start says why.
"""

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

MARK = "\u0001firn.handlerError"

REPORT = (
    'status: "ok", result: {"\\u0001firn.handlerError": {errorType: (err && err.name) || "Error",'
    ' errorMessage: String((err && err.message) ?? err), trace: String((err && err.stack) || "").split("\\n")}}'
)
ORIGINALS = (
    'status: "error", error: String(err.message || err), trace: err.stack || ""',
    'status: "error", error: e.message, trace: e.stack',
)


def close() -> None:
    script = lambda_runtime._NODEJS_WORKER_SCRIPT
    for original, name in zip(ORIGINALS, ("err", "e"), strict=True):
        assert script.count(original) == 1, original
        script = script.replace(original, REPORT.replace("err &&", f"{name} &&").replace("err.", f"{name}.").replace("?? err)", f"?? {name})"))
    lambda_runtime._NODEJS_WORKER_SCRIPT = script

    spawn = lambda_runtime.Worker._spawn

    def spawn_and_tell(worker: lambda_runtime.Worker) -> None:
        try:
            spawn(worker)
        except RuntimeError as error:
            raise RuntimeError(f"{error}\n{worker._drain_stderr_bounded()}") from error

    lambda_runtime.Worker._spawn = spawn_and_tell

    execute = lambda_svc._execute_function_warm

    def execute_function_warm(func: dict, event: object, request_id: str) -> dict:
        answer = execute(func, event, request_id)
        body = answer.get("body")
        if isinstance(body, dict) and MARK in body:
            error = body[MARK]
            trace = "\n".join(error["trace"])
            return {"body": error, "error": True, "log": "\n".join(filter(None, [answer.get("log", ""), trace]))}
        if answer.get("error") and isinstance(body, dict) and body.get("errorMessage") == "Worker process died":
            body.update(errorType="Runtime.ExitError", errorMessage="Runtime exited without providing a reason")
        return answer

    lambda_svc._execute_function_warm = execute_function_warm
