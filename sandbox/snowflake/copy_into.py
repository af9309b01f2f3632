"""COPY INTO a table, with its load history: no file is loaded twice by COPY into a table, nor twice by one pipe."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb

import errors
import parquet_load
import result
import stages
import unload
from dispatch import statement
from held_tables import need_table
from lexer import quoted
from locks import Mode, Table
from parquet_load import LoadError
from reader import Reader
from result import Result
from session import Session, lock_key

OPTIONS = {"FILES", "PATTERN", "FILE_FORMAT", "MATCH_BY_COLUMN_NAME", "INCLUDE_METADATA", "ON_ERROR", "FORCE"}
COLUMNS = [
    "file", "status", "rows_parsed", "rows_loaded", "error_limit", "errors_seen", "first_error", "first_error_line", "first_error_character",
    "first_error_column_name",
]  # fmt: skip


@dataclass
class Load:
    table: Table
    url: str
    options: dict[str, Any]
    format: dict[str, Any]
    pipe: str | None = None


def parse(session: Session, sql: str) -> Load:
    reader = Reader(sql)
    reader.expect("COPY INTO")
    table = session.resolve(reader.name(), "COPY")
    if reader.word() == "(":
        raise errors.unsupported("COPY INTO a list of columns: " + sql)
    reader.expect("FROM")
    if reader.word() == "(":
        raise errors.unsupported("COPY with a transformation: " + sql)
    url, stage_format = stages.locate(session, reader.path())
    options = reader.options()
    reader.end()
    unknown = set(options) - OPTIONS
    if unknown:
        raise errors.unsupported(f"COPY option {', '.join(sorted(unknown))}")
    format_ = stages.file_format(session, stage_format, options.get("FILE_FORMAT"))
    if format_["TYPE"] != "PARQUET" or str(options.get("MATCH_BY_COLUMN_NAME", "NONE")).upper() == "NONE":
        raise errors.unsupported("COPY other than Parquet by MATCH_BY_COLUMN_NAME: " + sql)
    if str(options.get("ON_ERROR", "ABORT_STATEMENT")).upper() not in ("ABORT_STATEMENT", "SKIP_FILE"):
        raise errors.unsupported(f"ON_ERROR = {options['ON_ERROR']}")
    return Load(table, url, options, format_)


@statement("COPY")
def copy(session: Session, reader: Reader) -> Result:
    reader.expect("COPY INTO")
    if reader.is_string or reader.word() == "@":
        return unload.run(session, reader)
    load = parse(session, reader.sql)
    need_table(session, load.table)
    return run(session, load, _files(session, load))


def _files(session: Session, load: Load) -> list[dict[str, Any]]:
    if "FILES" not in load.options:
        return stages.list_files(session, load.url, load.options.get("PATTERN"))
    if len(load.options["FILES"]) > 1000:
        raise errors.SnowflakeError("SQL compilation error:\nFILES takes at most 1000 names", 1003, "42601")
    base = load.url if load.url.endswith("/") else load.url + "/"
    found = []
    for name in load.options["FILES"]:
        match = [file for file in stages.list_files(session, base + name) if file["url"] == base + name]
        if not match:
            raise errors.SnowflakeError(
                f"Remote file '{base + name}' was not found. There are several potential causes. The file might not exist.", 100078, "22000"
            )
        found += match
    return found


def run(session: Session, load: Load, files: list[dict[str, Any]]) -> Result:
    session.engine.filesystem()
    fresh = [file for file in files if load.options.get("FORCE") is True or not already_loaded(session, load, file["key"])]
    if not fresh:
        return result.rows([{"status": "Copy executed with 0 files processed."}], ["status"], result.COPY, 0)
    # The second lock is that of the load history: two COPYs of one file at once load it once.
    database, schema, name = lock_key(load.table)
    lock = {(database, schema, name): Mode.APPEND, (database, schema, f"{name} loads {load.pipe}"): Mode.CHANGE}
    if str(load.options.get("ON_ERROR", "ABORT_STATEMENT")).upper() == "SKIP_FILE":
        records = []
        for file in fresh:
            try:
                session.change(lock, lambda file=file: _load(session, load, file))
                records.append(_record(file, session.last_load))
            except LoadError as error:
                _remember_failure(session, load, file, error)
                records.append(_record(file, 0, error))
    else:
        counts: list[int] = []

        def all_files() -> Result:
            counts.clear()
            for file in fresh:
                _load(session, load, file)
                counts.append(session.last_load)
            return result.counted(result.COPY, inserted=sum(counts))

        try:
            session.change(lock, all_files)
        except LoadError as error:
            _remember_failure(session, load, fresh[len(counts)], error)
            raise _aborted(load, fresh[len(counts)], error) from error
        records = [_record(file, count) for file, count in zip(fresh, counts, strict=True)]
    return result.rows(records, COLUMNS, result.COPY, sum(record["rows_loaded"] for record in records))


def _aborted(load: Load, file: dict[str, Any], error: LoadError) -> LoadError:
    """As Snowflake tells where a COPY has stopped."""
    line = error.line or 1
    place = f"\n  Row {line}, column \"{load.table[2]}\"[\"{error.column}\":1]" if error.column else ""
    hint = (
        "If you would like to continue loading when an error is encountered, use other values such as 'SKIP_FILE' or 'CONTINUE' for the ON_ERROR option."
        " For more information on loading options, please run 'info loading_data' in a SQL client."
    )
    return LoadError(f"{error.message}\n  File '{file['key']}', line {line}, character 1{place}\n  {hint}", error.column, error.line)


def _record(file: dict[str, Any], count: int, error: LoadError | None = None) -> dict[str, Any]:
    state = "LOAD_FAILED" if error else "LOADED"
    return {
        "file": file["url"], "status": state, "rows_parsed": count, "rows_loaded": count, "error_limit": 1, "errors_seen": int(error is not None),
        "first_error": error.message if error else None, "first_error_column_name": error.column if error else None,
    }  # fmt: skip


def already_loaded(session: Session, load: Load, key: str) -> bool:
    sql = f"SELECT 1 FROM {quoted(load.table[0])}._SF.load_history WHERE schema_name = ? AND table_name = ? AND file = ? AND status = 'LOADED' AND pipe IS NOT DISTINCT FROM ?"
    return session.duck.execute(sql, [load.table[1], load.table[2], key, load.pipe]).fetchone() is not None


def _load(session: Session, load: Load, file: dict[str, Any]) -> Result:
    if load.options.get("FORCE") is not True and already_loaded(session, load, file["key"]):
        session.last_load = 0  # by another session, since we looked
        return result.counted(result.COPY, inserted=0)
    sql, values = parquet_load.insert_sql(session, load.table, file, load.options, load.format)
    try:
        (session.last_load,) = session.duck.execute(sql).fetchone()
    except (duckdb.ConversionException, duckdb.InvalidInputException, duckdb.ConstraintException, duckdb.OutOfRangeException) as error:
        raise parquet_load.explain(session, file["url"], values, error) from error
    _remember(session, load, file, "LOADED", session.last_load)
    return result.counted(result.COPY, inserted=session.last_load)


def _remember(session: Session, load: Load, file: dict[str, Any], state: str, count: int, error: LoadError | None = None) -> None:
    session.duck.execute(
        f"INSERT INTO {quoted(load.table[0])}._SF.load_history VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        [
            load.table[1], load.table[2], file["key"], load.url, load.pipe, datetime.now(UTC), state, count, count, file.get("size"),
            error.message if error else None, error.column if error else None, error.line if error else None, int(error is not None),
        ],
    )  # fmt: skip


def _remember_failure(session: Session, load: Load, file: dict[str, Any], error: LoadError) -> None:
    def action() -> Result:
        _remember(session, load, file, "LOAD_FAILED", 0, error)
        return result.status()

    if session.transaction is None:
        session.change({}, action)
