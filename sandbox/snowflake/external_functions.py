"""External functions: their definitions, and their calls in SQL. remote_service.py speaks with what they call.

A call in SQL becomes a call of one DuckDB function, with a token that says whose call of what it is.
"""

import json
import uuid
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow as pa
from sqlglot import exp

import errors
from dispatch import statement
from reader import Reader
from remote_service import PARALLEL_REQUESTS, Call, request
from result import Result, status
from session import Session

KIND = "external function"
CONTEXT = {
    "CURRENT_USER": "user",
    "CURRENT_ROLE": "role",
    "CURRENT_WAREHOUSE": "warehouse",
    "CURRENT_DATABASE": "database",
    "CURRENT_SCHEMA": "schema",
}


def arguments(text: str) -> list[tuple[str, str]]:
    """`A VARCHAR, "b" NUMBER(3,1)` → names and types."""
    reader, found = Reader(text), []
    while not reader.ended:
        name = reader.identifier()
        kind = reader.identifier()
        if reader.word() == "(":
            kind += f"({reader.parenthesised()})"
        if reader.accept("DEFAULT"):
            raise errors.unsupported("DEFAULT of an argument")
        found.append((name, kind))
        reader.accept(",")
    return found


@statement("CREATE EXTERNAL FUNCTION")
def create(session: Session, reader: Reader) -> Result:
    reader.if_not_exists()
    key = session.resolve(reader.name(), "CREATE FUNCTION")
    args = arguments(reader.parenthesised())
    reader.expect("RETURNS")
    returns = reader.identifier()
    reader.accept("NOT NULL") or reader.accept("NULL")
    for word in ("VOLATILE", "IMMUTABLE", "CALLED ON NULL INPUT", "STRICT", "RETURNS NULL ON NULL INPUT", "VOLATILE", "IMMUTABLE"):
        reader.accept(word)
    if returns != "VARIANT" or "STRICT" in reader.sql[: reader.here.start].upper().split():
        raise errors.unsupported("an external function that is not RETURNS VARIANT, CALLED ON NULL INPUT")
    options = _options(reader)
    reader.expect("AS")
    url = reader.string()
    reader.end()
    integration = session.engine.catalog.get("integration", (str(options.get("API_INTEGRATION", "")),))
    if not any(url.startswith(prefix) for prefix in integration.get("API_ALLOWED_PREFIXES", [])):
        raise errors.SnowflakeError(
            f"SQL compilation error:\nURL '{url}' is not allowed by API integration {options['API_INTEGRATION']}.", 3167, "42601"
        )
    value = {
        "arguments": args,
        "returns": returns,
        "url": url,
        "rows": options.get("MAX_BATCH_ROWS"),
        "context": options.get("CONTEXT_HEADERS", []),
        "integration": options["API_INTEGRATION"],
        "comment": options.get("COMMENT"),
    }
    session.engine.catalog.create(KIND, (*key, str(len(args))), value, replace=reader.replace)
    return status(f"Function {key[2]} successfully created.")


def _options(reader: Reader) -> dict[str, Any]:
    known = {"API_INTEGRATION", "MAX_BATCH_ROWS", "CONTEXT_HEADERS", "HEADERS", "COMPRESSION", "COMMENT"}
    options = reader.options()
    if set(options) - known or "HEADERS" in options:
        raise errors.unsupported(reader.sql)
    unknown = set(options.get("CONTEXT_HEADERS", [])) - set(CONTEXT)
    if unknown:
        raise errors.unsupported(f"CONTEXT_HEADERS {sorted(unknown)}")
    return options


@statement("DROP FUNCTION", "DROP EXTERNAL FUNCTION")
def drop(session: Session, reader: Reader) -> Result:
    if_exists = reader.if_exists()
    key = session.resolve(reader.name(), "DROP FUNCTION")
    count = len([part for part in reader.parenthesised().split(",") if part.strip()])
    session.engine.catalog.drop(KIND, (*key, str(count)), if_exists=if_exists)
    return status(f"{key[2]} successfully dropped.")


# calls


CALLS: OrderedDict[str, Call] = OrderedDict()


def replace_calls(session: Session, query: exp.Expression) -> exp.Expression:
    """Each call of an external function as a call of `_sf_external(token, arguments)`."""
    functions = session.engine.catalog.objects.get(KIND)
    if not functions:
        return query
    for node in list(query.find_all(exp.Anonymous)):
        name = str(node.this) if node.args.get("quoted") else str(node.this).upper()
        if not any(key[2] == name for key in functions):
            continue
        path, whole = [], node
        if isinstance(node.parent, exp.Dot) and node.parent.expression is node:
            whole = node.parent
            path = [part.name if part.args.get("quoted") else part.name.upper() for part in list(whole.flatten())[:-1]]
        try:
            key = session.resolve((*path, name), "this call")
        except errors.SnowflakeError:
            continue
        function = functions.get((*key, str(len(node.expressions))))
        if function is None:
            continue
        token = _register(session, key[2], function)
        values = [
            exp.cast(value.copy(), "varchar") if kind.startswith(("VARCHAR", "STRING", "TEXT")) else value.copy()
            for value, (_, kind) in zip(node.expressions, function["arguments"], strict=True)
        ]
        call = exp.Anonymous(
            this="_sf_external",
            expressions=[exp.Literal.string(token), exp.cast(exp.Anonymous(this="json_array", expressions=values), exp.DataType.Type.JSON)],
        )
        new = exp.cast(call, exp.DataType.Type.JSON)
        if whole is query:
            return new
        whole.replace(new)
    return query


def _register(session: Session, name: str, function: dict[str, Any]) -> str:
    token = uuid.uuid4().hex
    CALLS[token] = Call(
        name, function, session.query_id, {header: str(getattr(session, CONTEXT[header]) or "") for header in function["context"]}
    )
    while len(CALLS) > 10_000:
        CALLS.popitem(last=False)
    return token


def udf(tokens: pa.ChunkedArray, values: pa.ChunkedArray) -> pa.Array:
    """The DuckDB function: one chunk of rows, all of one call; batches go out in parallel."""
    rows = [json.loads(text) for text in values.to_pylist()]
    call = CALLS[tokens[0].as_py()]
    size = call.function["rows"] or max(1, len(rows))
    batches = [rows[at : at + size] for at in range(0, len(rows), size)]
    if len(batches) == 1:
        answers = [request(call, batches[0])]
    else:
        with ThreadPoolExecutor(PARALLEL_REQUESTS) as pool:
            answers = list(pool.map(lambda batch: request(call, batch), batches))
    return pa.array([json.dumps(value) for answer in answers for value in answer], pa.string())
