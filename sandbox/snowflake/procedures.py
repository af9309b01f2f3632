"""JavaScript procedures, run by QuickJS in the thread of the session. Source: Snowflake documentation, "JavaScript stored procedures API"."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import errors
import result
from dispatch import statement
from external_functions import arguments
from lexer import literal
from reader import Reader
from result import Result, status
from rowset import _double
from session import Session

KIND = "procedure"
API = (Path(__file__).parent / "procedure_api.js").read_text()
# JavaScript has no integers: Snowflake refuses NUMBER here.
ARGUMENT_TYPES = {
    "VARCHAR",
    "STRING",
    "TEXT",
    "CHAR",
    "FLOAT",
    "DOUBLE",
    "BOOLEAN",
    "VARIANT",
    "OBJECT",
    "ARRAY",
    "DATE",
    "TIMESTAMP_NTZ",
    "TIMESTAMP_LTZ",
    "TIMESTAMP_TZ",
}
RETURN_TYPES = {"VARCHAR", "STRING", "TEXT", "FLOAT", "DOUBLE", "BOOLEAN", "VARIANT", "OBJECT", "ARRAY"}
SEMI_STRUCTURED = {"VARIANT", "OBJECT", "ARRAY"}


@statement("CREATE PROCEDURE")
def create(session: Session, reader: Reader) -> Result:
    reader.if_not_exists()
    key = session.resolve(reader.name(), "CREATE PROCEDURE")
    args = arguments(reader.parenthesised())
    reader.accept("COPY GRANTS")
    reader.expect("RETURNS")
    returns = reader.identifier()
    if reader.word() == "(":
        reader.parenthesised()
    reader.accept("NOT NULL")
    reader.expect("LANGUAGE")
    if reader.identifier() != "JAVASCRIPT":
        raise errors.unsupported("a procedure that is not in JavaScript")
    owner, strict = True, False
    while not reader.accept("AS"):
        if reader.accept("EXECUTE AS OWNER"):
            owner = True
        elif reader.accept("EXECUTE AS CALLER"):
            owner = False
        elif reader.accept("STRICT") or reader.accept("RETURNS NULL ON NULL INPUT"):
            strict = True
        elif reader.accept("COMMENT"):
            reader.accept("=")
            reader.string()
        elif not (reader.accept("CALLED ON NULL INPUT") or reader.accept("VOLATILE") or reader.accept("IMMUTABLE")):
            raise reader.unexpected()
    body = reader.string()
    reader.end()
    for name, kind in args:
        if kind.partition("(")[0] not in ARGUMENT_TYPES:
            raise errors.SnowflakeError(
                f"SQL compilation error:\nUnsupported data type '{kind}' of argument {name} for JavaScript", 2040, "0A000"
            )
    if returns not in RETURN_TYPES:
        raise errors.unsupported(f"RETURNS {returns} of a JavaScript procedure")
    value = {"arguments": args, "returns": returns, "body": body, "owner": owner, "strict": strict}
    session.engine.catalog.create(KIND, (*key, str(len(args))), value, replace=reader.replace)
    return status(f"Function {key[2]} successfully created.")


@statement("DROP PROCEDURE")
def drop(session: Session, reader: Reader) -> Result:
    if_exists = reader.if_exists()
    key = session.resolve(reader.name(), "DROP PROCEDURE")
    count = len([part for part in reader.parenthesised().split(",") if part.strip()])
    session.engine.catalog.drop(KIND, (*key, str(count)), if_exists=if_exists)
    return status(f"{key[2]} successfully dropped.")


@statement("CALL")
def call(session: Session, reader: Reader) -> Result:
    reader.expect("CALL")
    key = session.resolve(reader.name(), "CALL")
    text = reader.parenthesised()
    reader.end()
    values, kinds = [], []
    if text.strip():
        row = session.execute("SELECT " + text)
        values, kinds = [column[0].as_py() for column in row.table.columns], row.kinds
    procedure = session.engine.catalog.find(KIND, (*key, str(len(values))))
    if procedure is None:
        raise errors.SnowflakeError(
            f"SQL compilation error:\nUnknown user-defined function {'.'.join(key)} with {len(values)} arguments", 2140, "42601"
        )
    if procedure["strict"] and any(value is None for value in values):
        return result.variant(key[2], None)
    scripts = [argument(value, kind, wanted) for value, kind, (_, wanted) in zip(values, kinds, procedure["arguments"], strict=True)]

    before, outer = (session.database, session.schema), session.transaction
    if procedure["owner"]:
        session.use(key[0], key[1])
    session.procedures.append({"name": key[2], "owner": procedure["owner"]})
    try:
        answer = _run(session, key[2], procedure, scripts)
    finally:
        session.procedures.pop()
        if procedure["owner"]:
            session.use(*before)
        unfinished = session.transaction is not None and session.transaction is not outer
        if unfinished:
            session.rollback()
    if unfinished:
        raise errors.SnowflakeError(
            "Stored procedure execution error: Scoped transaction started in stored procedure is incomplete and it was rolled back.",
            90232,
            "25000",
        )
    return _answer(key[2], procedure["returns"], answer)


def argument(value: Any, kind: str, wanted: str) -> str:
    """A value as a JavaScript expression."""
    if value is None:
        return "undefined"
    if wanted in SEMI_STRUCTURED:
        return f"JSON.parse({json.dumps(value)})" if kind == "JSON" else json.dumps(plain(value))
    if wanted in ("FLOAT", "DOUBLE"):
        number = float(value)
        return {"NaN": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(_double(number), repr(number))
    if wanted == "BOOLEAN":
        return "true" if value in (True, "true", 1) else "false"
    if isinstance(value, (datetime, date)):
        return f"new Date({json.dumps(value.isoformat())})"
    if kind == "JSON":
        loaded = json.loads(value)
        return json.dumps(loaded if isinstance(loaded, str) else value)
    return json.dumps(str(value))


def plain(value: Any) -> Any:
    return (int(value) if value == value.to_integral_value() else float(value)) if isinstance(value, Decimal) else value


def _run(session: Session, name: str, procedure: dict[str, Any], scripts: list[str]) -> str | None:
    import quickjs

    def execute(request: str) -> str:
        wanted = json.loads(request)
        try:
            found = session.execute(wanted["sqlText"], [bind(value) for value in wanted.get("binds") or []])
        except errors.SnowflakeError as error:
            return json.dumps({"error": {"message": error.message, "code": error.code, "state": error.state}})
        session.last_query_id = session.query_id
        cells = [[cell(value) for value in column.to_pylist()] for column in found.table.columns]
        rows = [list(row) for row in zip(*cells, strict=True)]
        return json.dumps(
            {
                "columns": found.table.column_names,
                "kinds": found.kinds,
                "rows": rows,
                "affected": found.affected,
                "counts": found.counts,
                "queryId": session.query_id,
            }
        )

    context = quickjs.Context()
    context.add_callable("__execute", execute)
    context.eval(API)
    names = ", ".join(argument_name for argument_name, _ in procedure["arguments"])
    try:
        context.eval(f"globalThis.__procedure = function({names}) {{{procedure['body']}\n}}")
        return context.eval(f"JSON.stringify(__plain(__procedure({', '.join(scripts)})))")
    except quickjs.JSException as error:
        first, _, stack = str(error).strip().partition("\n    at ")
        place = stack.split("\n")[0].strip()
        raise errors.SnowflakeError(
            f"JavaScript execution error: Uncaught {first} in {name} at '{place}' position 0\nstackstrace: \n{stack}", 100183, "P0000"
        ) from None


def bind(value: Any) -> str:
    """A bind of a procedure as a literal. Dates come as {"date": milliseconds}."""
    if isinstance(value, dict):
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=value["date"])
        return f"CAST({literal(moment.strftime('%Y-%m-%d %H:%M:%S.%f'))} AS TIMESTAMP_NTZ)"
    return literal(value)


def cell(value: Any) -> Any:
    """A value of a result for procedure_api.js, which knows the column's type."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, float):
        return _double(value)
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return value if value is None or isinstance(value, (str, int, bool, list, dict)) else str(value)


def _answer(name: str, returns: str, answer: str | None) -> Result:
    if returns in SEMI_STRUCTURED:
        return result.variant(name, answer if answer not in (None, "null") else None)
    value = None if answer is None else json.loads(answer)
    if value is not None and returns in ("VARCHAR", "STRING", "TEXT") and not isinstance(value, str):
        value = json.dumps(value)
    if value is not None and returns in ("FLOAT", "DOUBLE"):
        value = float(value)
    return result.rows([{name: value}], [name])
