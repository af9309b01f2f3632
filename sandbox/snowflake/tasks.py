"""Tasks: defined, resumed, suspended, shown, and run by hand. Nothing here runs them by their schedule.

EXECUTE TASK runs the statement before it answers, where Snowflake only schedules it.
"""

import re
from typing import Any

import errors
from dispatch import statement
from reader import Reader
from result import Result, status
from session import Session

KIND = "task"
KNOWN = {
    "WAREHOUSE", "SCHEDULE", "ALLOW_OVERLAPPING_EXECUTION", "COMMENT", "USER_TASK_TIMEOUT_MS", "SUSPEND_TASK_AFTER_NUM_FAILURES",
    "USER_TASK_MANAGED_INITIAL_WAREHOUSE_SIZE", "TASK_AUTO_RETRY_ATTEMPTS",
}  # fmt: skip
SCHEDULE = re.compile(r"USING CRON( \S+){5} \S+|\d+ (M|MINUTES?|HOURS?|SECONDS?)", re.I)


def _check(options: dict[str, Any]) -> None:
    unknown = set(options) - KNOWN
    if unknown:
        raise errors.SnowflakeError(f"SQL compilation error:\ninvalid property '{sorted(unknown)[0]}' for 'TASK'", 1420, "42601")
    if "SCHEDULE" in options and not SCHEDULE.fullmatch(str(options["SCHEDULE"])):
        raise errors.syntax_error(f"Invalid schedule: {options['SCHEDULE']}")


@statement("CREATE TASK")
def create(session: Session, reader: Reader) -> Result:
    if_not_exists = reader.if_not_exists()
    key = session.resolve(reader.name(), "CREATE TASK")
    options = reader.options()
    _check(options)
    reader.expect("AS")
    value = {**options, "definition": reader.rest().strip().rstrip(";"), "state": "suspended"}
    made = session.engine.catalog.create(KIND, key, value, replace=reader.replace, if_not_exists=if_not_exists)
    return status(f"Task {key[2]} successfully created." if made else f"{key[2]} already exists, statement succeeded.")


@statement("ALTER TASK")
def alter(session: Session, reader: Reader) -> Result:
    reader.if_exists()
    key = session.resolve(reader.name(), "ALTER TASK")
    task = session.engine.catalog.get(KIND, key)
    if reader.accept("RESUME"):
        changes: dict[str, Any] = {"state": "started"}
    elif reader.accept("SUSPEND"):
        changes = {"state": "suspended"}
    else:
        if task["state"] == "started":
            raise errors.SnowflakeError(f"Unable to update graph with root task {'.'.join(key)} since that root task is not suspended.", 91089, "0A000")
        if reader.accept("MODIFY AS"):
            changes = {"definition": reader.rest().strip().rstrip(";")}
            reader.at = len(reader.tokens)
        else:
            reader.expect("SET")
            changes = reader.options()
            _check(changes)
    reader.end()
    session.engine.catalog.change(KIND, key, **changes)
    return status()


@statement("EXECUTE TASK")
def execute(session: Session, reader: Reader) -> Result:
    key = session.resolve(reader.name(), "EXECUTE TASK")
    reader.end()
    task = session.engine.catalog.get(KIND, key)
    # In the task's own schema, and nobody sees its rows.
    runner = session.clone()
    try:
        runner.query_id = session.query_id
        runner.use(key[0], key[1])
        runner.execute(task["definition"])
    finally:
        runner.close()
    return status(f"Task {key[2]} is scheduled to run immediately.")


@statement("DROP TASK")
def drop(session: Session, reader: Reader) -> Result:
    if_exists = reader.if_exists()
    key = session.resolve(reader.name(), "DROP TASK")
    reader.end()
    session.engine.catalog.drop(KIND, key, if_exists=if_exists)
    return status(f"{key[2]} successfully dropped.")


@statement("SHOW TASKS")
def show(session: Session, reader: Reader) -> Result:
    import show as shown

    def row(_: tuple[str, ...], task: dict[str, Any]) -> dict[str, Any]:
        return {
            "state": task["state"],
            "schedule": task.get("SCHEDULE"),
            "warehouse": task.get("WAREHOUSE"),
            "definition": task["definition"],
            "allow_overlapping_execution": str(task.get("ALLOW_OVERLAPPING_EXECUTION", False)).lower(),
        }

    columns = ["state", "schedule", "warehouse", "definition", "allow_overlapping_execution"]
    return shown._objects(session, reader, KIND, row, columns)


