"""Glue: a Spark job runs its real script with its real arguments in a local Spark (sandbox/glue/spark.py), which is installed by the first.

ministack reports SUCCEEDED for a `glueetl` job that it never ran, and StopJobRun only changes a word. Here a job run succeeds when its
process has ended with 0, and only then; stopping it, its time-out, and the end of the local AWS kill its processes. A few run at once,
others wait. What they print is in `logs/glue/<job run>.log` of the sandbox.
"""

import contextlib
import ctypes
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import execution_walk
from ministack.services import glue, stepfunctions

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "glue"))

import spark

ALIVE = ("STARTING", "RUNNING", "STOPPING", "WAITING")
AT_ONCE = threading.BoundedSemaphore(2)
SECONDS_PER_MINUTE = float(os.environ.get("FIRN_GLUE_MINUTE", "60"))
PR_SET_PDEATHSIG = 1

# Process groups of job runs, by the job run's id.
processes: dict[str, int] = {}


def die_with_parent() -> None:
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def log_of(run: dict) -> Path:
    folder = Path(os.environ["STATE_DIR"]).parents[1] / "logs/glue"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{run['Id']}.log"


def argv(run: dict, job: dict) -> list[str]:
    """As Glue passes them: the job's arguments, those of the run over them, and Glue's own."""
    named = {"--JOB_NAME": run["JobName"], "--JOB_RUN_ID": run["Id"], **job.get("DefaultArguments", {}), **run["Arguments"]}
    return [part for pair in named.items() for part in pair]


def execute(run: dict, job: dict, _args: dict, script: str) -> None:
    """From a thread of its own: runs the script to its end and sets the state of the job run."""
    run["JobRunState"] = "WAITING"
    with AT_ONCE:
        if run["JobRunState"] == "STOPPING":
            run["JobRunState"] = "STOPPED"
            return
        run["JobRunState"] = "STARTING"
        try:
            if not os.path.exists(script):
                raise spark.Missing(f"The script {job.get('Command', {}).get('ScriptLocation')} is not there.")
            with log_of(run).open("a") as log:

                def say(text: str) -> None:
                    log.write(f"{text}\n")
                    log.flush()

                spark.install(say)
                run_script(run, job, script, log)
        except Exception as error:
            run.update(JobRunState="FAILED", ErrorMessage=str(error))


def run_script(run: dict, job: dict, script: str, log: object) -> None:
    process = subprocess.Popen(
        [str(spark.HOME / "bin/python"), script, *argv(run, job)],
        env={**os.environ, **spark.environment(), "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=log_of(run).parent,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=die_with_parent,
    )
    processes[run["Id"]] = process.pid
    if run["JobRunState"] == "STOPPING":
        kill(run)
    else:
        run["JobRunState"] = "RUNNING"
    try:
        code = wait(process, run)
        if code is None:
            kill(run)
            process.wait()
            run.update(JobRunState="TIMEOUT", ErrorMessage="Job run timed out")
            return
    finally:
        # What it leaves behind: a driver that was killed leaves its JVM.
        kill(run)
        processes.pop(run["Id"], None)
    if run["JobRunState"] == "STOPPING":
        run["JobRunState"] = "STOPPED"
    elif code == 0:
        run["JobRunState"] = "SUCCEEDED"
    else:
        run.update(JobRunState="FAILED", ErrorMessage=last_error(log_of(run), code))


def wait(process: subprocess.Popen, run: dict) -> int | None:
    """Its exit code; None when its time is over, or is said to be by a file `<job run>.is-over` beside its log: tests do not wait for hours."""
    over = log_of(run).with_suffix(".is-over")
    end = time.monotonic() + float(run["Timeout"]) * SECONDS_PER_MINUTE
    while time.monotonic() < end and not over.exists():
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(min(0.5, max(0, end - time.monotonic())))
    return None


def kill(run: dict) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError, KeyError):
        os.killpg(processes[run["Id"]], signal.SIGKILL)


def last_error(log: Path, code: int) -> str:
    """The exception of the last traceback, as Glue shows it; a process that was killed leaves none."""
    if code < 0:
        return f"Command failed with exit code {128 - code}: killed by {signal.Signals(-code).name}"
    _, found, after = log.read_text(errors="replace").rpartition("Traceback (most recent call last):")
    lines = [line for line in after.splitlines() if line and not line.startswith((" ", "\t"))] if found else []
    return lines[0][:2000] if lines else f"Command failed with exit code {code}"


def all_runs() -> list[dict]:
    return [run for runs in list(glue._job_runs.values()) for run in runs]


def stop(run: dict) -> bool:
    if run["JobRunState"] not in ALIVE:
        return False
    run["JobRunState"] = "STOPPING"
    kill(run)
    return True


def batch_stop_job_run(data: dict) -> tuple:
    runs = {run["Id"]: run for run in glue._job_runs.get(data.get("JobName"), [])}
    stopped = [{"JobName": data.get("JobName"), "JobRunId": one} for one in data.get("JobRunIds", []) if one in runs and stop(runs[one])]
    known = {one["JobRunId"] for one in stopped}
    detail = {"ErrorCode": "InvalidInputException", "ErrorMessage": "It is not there, or has ended"}
    errors = [{"JobName": data.get("JobName"), "JobRunId": one, "ErrorDetail": detail} for one in data.get("JobRunIds", []) if one not in known]
    return glue.json_response({"SuccessfulSubmissions": stopped, "Errors": errors})


def start_job_run(resource: str, value: dict) -> dict:
    """arn:aws:states:::glue:startJobRun[.sync]. Step Functions stops the job run when the execution is stopped."""
    status, _, body = glue._start_job_run(value)
    answer = json.loads(body)
    if status != 200:
        raise stepfunctions._ExecutionError(f"Glue.{answer.get('__type', 'AWSGlueException')}", answer.get("message", ""))
    name, run_id = value["JobName"], answer["JobRunId"]
    if ".sync" not in resource:
        return {"JobName": name, "JobRunId": run_id}
    run = next(run for run in glue._job_runs[name] if run["Id"] == run_id)
    execution = stepfunctions._executions.get((execution_walk.walking.get() or ("",))[0])
    while run["JobRunState"] in ALIVE or run["CompletedOn"] is None:
        if execution is not None and execution_walk.is_stopped(execution):
            stop(run)
        time.sleep(0.1)
    if run["JobRunState"] == "SUCCEEDED":
        return run
    raise stepfunctions._ExecutionError("States.TaskFailed", json.dumps(run))


def close() -> None:
    resolve = glue._resolve_script
    restore = glue._restore_state

    def restore_state(data: dict) -> None:
        restore(data)
        for run in all_runs():
            if run["JobRunState"] in ALIVE:
                run.update(JobRunState="FAILED", ErrorMessage="The local AWS was stopped", CompletedOn=int(time.time()))

    glue.new_uuid = lambda: f"jr_{secrets.token_hex(32)}"
    glue._is_spark_job = lambda _job: False
    # A script that is not there must not end as SUCCEEDED either.
    glue._resolve_script = lambda location: resolve(location) or f"{location}.is-missing.py"
    glue._execute_subprocess = execute
    glue._batch_stop_job_run = batch_stop_job_run
    glue._restore_state = restore_state
    stepfunctions._SERVICE_DISPATCH["arn:aws:states:::glue:startJobRun"] = start_job_run
