"""Glue: a Spark job fails. ministack reports SUCCEEDED for a `glueetl` job that it never ran, and passes arguments of a
Python job as environment variables; until the sandbox runs PySpark itself, every job run fails and says why.
"""

from ministack.services import glue, stepfunctions

REASON = "The sandbox has no runner for Glue jobs: nothing was run. Use engine: lambda for this table."


def close() -> None:

    def resolve_nothing(*_args: object, **_kwargs: object) -> str:
        return "firn-sandbox-has-no-runner.py"

    def fail(run: dict, *_args: object, **_kwargs: object) -> None:
        run.update(JobRunState="FAILED", ErrorMessage=REASON)

    glue._is_spark_job = lambda _job: False
    glue._resolve_script = resolve_nothing
    glue._execute_subprocess = fail

    def refuse(resource: str, _input: dict) -> dict:
        raise stepfunctions._ExecutionError("Glue.JobRunFailed", f"{resource}: {REASON}")

    stepfunctions._SERVICE_DISPATCH["arn:aws:states:::glue:startJobRun"] = refuse
