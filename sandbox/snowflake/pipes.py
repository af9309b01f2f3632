"""Pipes: CREATE, ALTER … REFRESH and SET, status, and the loading of one file by a pipe. bucket_events.py brings the files."""

import json
import queue
import sys
import threading
from typing import Any

from sqlglot import exp

import bucket_events
import copy_into
import errors
import result
import stages
from catalog import Key
from dispatch import statement
from engine import Engine
from parquet_load import LoadError
from reader import Reader
from result import Result, status
from session import PIPE_TIMEZONE, Session

KIND = "pipe"


@statement("CREATE PIPE")
def create(session: Session, reader: Reader) -> Result:
    if_not_exists = reader.if_not_exists()
    key = session.resolve(reader.name(), "CREATE PIPE")
    options = reader.options()
    reader.expect("AS")
    sql = reader.rest().rstrip().rstrip(";")
    if set(options) - {"AUTO_INGEST", "COMMENT", "ERROR_INTEGRATION"}:
        raise errors.unsupported(reader.sql)
    load = copy_into.parse(session, sql)
    if str(load.options.get("ON_ERROR", "SKIP_FILE")).upper() == "ABORT_STATEMENT":
        raise errors.SnowflakeError(
            "SQL compilation error:\nInvalid value [ABORT_STATEMENT] for parameter 'ON_ERROR' of a pipe", 1008, "42601"
        )
    if "FILES" in load.options or "FORCE" in load.options:
        raise errors.SnowflakeError("SQL compilation error:\nFILES and FORCE are not supported in a pipe", 1008, "42601")
    value = {
        "copy": sql,
        "database": session.database,
        "schema": session.schema,
        "auto_ingest": options.get("AUTO_INGEST") is True,
        "paused": False,
        "waiting": [],
        "comment": options.get("COMMENT"),
    }
    made = session.engine.catalog.create(KIND, key, value, replace=reader.replace, if_not_exists=if_not_exists)
    if made and reader.replace:
        _forget(session, key, load.table[0])
    return status(f"Pipe {key[2]} successfully created." if made else f"{key[2]} already exists, statement succeeded.")


def _forget(session: Session, key: Key, database: str) -> None:
    """A recreated pipe has no history."""
    from lexer import quoted

    session.engine.duck.cursor().execute(f"DELETE FROM {quoted(database)}._SF.load_history WHERE pipe = ?", ["|".join(key)])


@statement("ALTER PIPE")
def alter(session: Session, reader: Reader) -> Result:
    if_exists = reader.if_exists()
    key = session.resolve(reader.name(), "ALTER PIPE")
    if session.engine.catalog.find(KIND, key) is None and if_exists:
        return status()
    pipe = session.engine.catalog.get(KIND, key)
    if reader.accept("REFRESH"):
        return _refresh(session.engine, key, pipe, reader.options())
    reader.expect("SET")
    options = reader.options()
    reader.end()
    if set(options) - {"PIPE_EXECUTION_PAUSED", "COMMENT"}:
        raise errors.unsupported(reader.sql)
    if "PIPE_EXECUTION_PAUSED" in options:
        session.engine.catalog.change(KIND, key, paused=options["PIPE_EXECUTION_PAUSED"] is True)
        if not options["PIPE_EXECUTION_PAUSED"]:
            waiting, pipe["waiting"] = pipe["waiting"], []
            for file in waiting:
                enqueue(session.engine, key, file)
    return status()


def _refresh(engine: Engine, key: Key, pipe: dict[str, Any], options: dict[str, Any]) -> Result:
    if set(options) - {"PREFIX", "MODIFIED_AFTER"}:
        raise errors.unsupported(f"ALTER PIPE … REFRESH {', '.join(options)}")
    loader = _loader(engine, pipe)
    load = copy_into.parse(loader, pipe["copy"])
    load.pipe = "|".join(key)
    base = load.url if load.url.endswith("/") or "PREFIX" not in options else load.url + "/"
    files = stages.list_files(loader, base + options.get("PREFIX", ""), load.options.get("PATTERN"))
    sent = [file for file in files if not copy_into.already_loaded(loader, load, file["key"])]
    loader.close()
    for file in sent:
        enqueue(engine, key, file["url"])
    return result.rows([{"File": file["url"], "Status": "SENT"} for file in sent], ["File", "Status"])


def _loader(engine: Engine, pipe: dict[str, Any]) -> Session:
    """A pipe has no session of its user's: it loads in the account's time zone, which is not UTC."""
    session = Session(engine, "SNOWPIPE", "PUBLIC", None, {"TIMEZONE": PIPE_TIMEZONE})
    session.use(pipe["database"], pipe["schema"])
    return session


# Loading, by one thread: (engine, pipe, url of the file)
FILES: queue.Queue[tuple[Engine, Key, str]] = queue.Queue()
PENDING: dict[Key, list[str]] = {}
PENDING_LOCK = threading.Lock()


def enqueue(engine: Engine, key: Key, url: str) -> None:
    with PENDING_LOCK:
        PENDING.setdefault(key, []).append(url)
    FILES.put((engine, key, url))


def object_created(engine: Engine, url: str) -> None:
    """An object has come into a bucket: every auto-ingest pipe whose location covers it takes it."""
    for key, pipe in engine.catalog.all(KIND):
        if not pipe["auto_ingest"]:
            continue
        loader = _loader(engine, pipe)
        covered = url.startswith(copy_into.parse(loader, pipe["copy"]).url)
        loader.close()
        if covered:
            enqueue(engine, key, url)


def load_forever() -> None:
    while True:
        engine, key, url = FILES.get()
        try:
            _load(engine, key, url)
        except LoadError:
            pass  # stands in the load history
        except Exception as error:  # noqa: BLE001  the thread must go on; the message must be seen
            print(f"pipe {'.'.join(key)}: {url}: {error}", file=sys.stderr, flush=True)
        finally:
            with PENDING_LOCK:
                PENDING[key].remove(url)


def _load(engine: Engine, key: Key, url: str) -> None:
    pipe = engine.catalog.find(KIND, key)
    if pipe is None:
        return
    if pipe["paused"]:
        engine.catalog.change(KIND, key, waiting=[*pipe["waiting"], url])
        return
    loader = _loader(engine, pipe)
    try:
        load = copy_into.parse(loader, pipe["copy"])
        load.pipe = "|".join(key)
        load.options.setdefault("ON_ERROR", "SKIP_FILE")
        files = [file for file in stages.list_files(loader, url, load.options.get("PATTERN")) if file["url"] == url]
        copy_into.run(loader, load, files)
    finally:
        loader.close()


def status_of(session: Session, name: tuple[str, ...]) -> str:
    """SYSTEM$PIPE_STATUS."""
    key = session.resolve(name, "SYSTEM$PIPE_STATUS")
    pipe = session.engine.catalog.get(KIND, key)
    with PENDING_LOCK:
        pending = len(PENDING.get(key, [])) + len(pipe["waiting"])
    answer = {"executionState": "PAUSED" if pipe["paused"] else "RUNNING", "pendingFileCount": pending}
    return json.dumps({**answer, **({"notificationChannelName": bucket_events.QUEUE_ARN} if pipe["auto_ingest"] else {})})


def replace_copy_history(session: Session, query: exp.Expression) -> exp.Expression:
    """TABLE(INFORMATION_SCHEMA.COPY_HISTORY(TABLE_NAME => …, START_TIME => …)) from the load history of the database."""
    for source in list(query.find_all(exp.TableFromRows)):
        call = source.this
        path = [part.name for part in call.flatten()] if isinstance(call, exp.Dot) else []
        call = call.expression if isinstance(call, exp.Dot) else call
        if not isinstance(call, exp.Anonymous) or str(call.this).upper() != "COPY_HISTORY":
            continue
        arguments = {kwarg.this.name.upper(): kwarg.expression for kwarg in call.expressions}
        if set(arguments) - {"TABLE_NAME", "START_TIME", "END_TIME"} or "TABLE_NAME" not in arguments or "START_TIME" not in arguments:
            raise errors.unsupported("COPY_HISTORY other than by TABLE_NAME, START_TIME, END_TIME")
        table = session.resolve(Reader(arguments["TABLE_NAME"].name).name(), "COPY_HISTORY")
        database = path[0].upper() if len(path) == 3 else table[0]
        history = exp.Table(
            this=exp.to_identifier("copy_history", quoted=True),
            db=exp.to_identifier("_SF", quoted=True),
            catalog=exp.to_identifier(database, quoted=True),
        )
        select = exp.Select(expressions=[exp.Star()]).from_(history)
        select = select.where(
            exp.column("TABLE_SCHEMA_NAME", quoted=True).eq(exp.Literal.string(table[1])),
            exp.column("TABLE_NAME", quoted=True).eq(exp.Literal.string(table[2])),
        )
        loaded = exp.column("LAST_LOAD_TIME", quoted=True)
        select = select.where(exp.GTE(this=loaded, expression=exp.cast(arguments["START_TIME"].copy(), "timestamptz")))
        if "END_TIME" in arguments:
            select = select.where(exp.LTE(this=loaded.copy(), expression=exp.cast(arguments["END_TIME"].copy(), "timestamptz")))
        source.replace(exp.Subquery(this=select, alias=source.args.get("alias") or exp.TableAlias(this=exp.to_identifier("copy_history_"))))
    return query
