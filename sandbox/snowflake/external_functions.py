"""External functions: the batch protocol of Snowflake over the local API Gateway.

Source: Snowflake documentation, "Remote service input and output data formats" and "Creating external functions on AWS".
A call in SQL becomes a call of one DuckDB function, with a token that says whose call of what it is.
"""

import base64
import json
import os
import re
import time
import uuid
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
from sqlglot import exp

import errors
from dispatch import statement
from lexer import Reader
from result import Result, status
from session import Session

KIND = "external function"
URL = re.compile(r"https://([a-z0-9]+)\.execute-api\.([a-z0-9-]+)\.amazonaws\.com/([^/]+)/(.*)")
CONTEXT = {"CURRENT_USER": "user", "CURRENT_ROLE": "role", "CURRENT_WAREHOUSE": "warehouse", "CURRENT_DATABASE": "database", "CURRENT_SCHEMA": "schema"}
PARALLEL_REQUESTS = 16
POLL_SECONDS, LONGEST_POLL_SECONDS, GIVE_UP_SECONDS = 0.05, 1.0, 600
RETRIED = {429, 500, 502, 503, 504}
RETRIES = 3


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
        raise errors.SnowflakeError(f"SQL compilation error:\nURL '{url}' is not allowed by API integration {options['API_INTEGRATION']}.", 3167, "42601")
    value = {"arguments": args, "returns": returns, "url": url, "rows": options.get("MAX_BATCH_ROWS"), "context": options.get("CONTEXT_HEADERS", []), "integration": options["API_INTEGRATION"]}
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


@dataclass
class Call:
    name: str
    function: dict[str, Any]
    query_id: str
    context: dict[str, str]


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
        values = [exp.cast(value.copy(), "varchar") if kind.startswith(("VARCHAR", "STRING", "TEXT")) else value.copy() for value, (_, kind) in zip(node.expressions, function["arguments"], strict=True)]
        call = exp.Anonymous(this="_sf_external", expressions=[exp.Literal.string(token), exp.cast(exp.Anonymous(this="json_array", expressions=values), exp.DataType.Type.JSON)])
        new = exp.cast(call, exp.DataType.Type.JSON)
        if whole is query:
            return new
        whole.replace(new)
    return query


def _register(session: Session, name: str, function: dict[str, Any]) -> str:
    token = uuid.uuid4().hex
    CALLS[token] = Call(name, function, session.query_id, {header: str(getattr(session, CONTEXT[header]) or "") for header in function["context"]})
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


def local_url(url: str) -> tuple[str, str]:
    """(where it is in the local AWS, region)."""
    match = URL.fullmatch(url)
    if match is None:
        return url, os.environ.get("AWS_REGION", "us-east-1")
    api, region, stage, path = match.groups()
    return f"{os.environ['AWS_ENDPOINT_URL'].rstrip('/')}/restapis/{api}/{stage}/_user_request_/{path}", region


def _headers(call: Call, batch_id: str) -> dict[str, str]:
    def both(name: str, value: str) -> dict[str, str]:
        plain = value.encode("ascii", "replace").decode()
        return {name: plain, f"{name}-base64": base64.b64encode(value.encode()).decode()}

    signature = "(" + ", ".join(f"{name} {kind}" for name, kind in call.function["arguments"]) + ")"
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "snowflake/1.0",
        "sf-external-function-format": "json",
        "sf-external-function-format-version": "1.0",
        "sf-external-function-current-query-id": call.query_id,
        "sf-external-function-query-batch-id": batch_id,
        **both("sf-external-function-name", call.name),
        **both("sf-external-function-signature", signature),
        **both("sf-external-function-return-type", call.function["returns"]),
    }
    for name, value in call.context.items():
        headers |= both("sf-context-" + name.lower().replace("_", "-"), value)
    return headers


def _send(method: str, url: str, headers: dict[str, str], body: bytes | None):
    import urllib3
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    target, region = local_url(url)
    signed = AWSRequest(method, target, headers={**headers, "Host": urlsplit(url).netloc}, data=body)
    SigV4Auth(Credentials(os.environ.get("AWS_ACCESS_KEY_ID", "test"), os.environ.get("AWS_SECRET_ACCESS_KEY", "test")), "execute-api", region).add_auth(signed)
    sent = {key: value for key, value in signed.headers.items() if key.lower() != "host"}
    return HTTP.request(method, target, body=body, headers=sent, timeout=urllib3.Timeout(connect=5, read=60), retries=False)


class _Pool:
    """urllib3 takes a moment to import: not at start."""

    manager = None

    def request(self, *args: Any, **kwargs: Any):
        import urllib3

        if self.manager is None:
            self.manager = urllib3.PoolManager(maxsize=PARALLEL_REQUESTS * 2)
        return self.manager.request(*args, **kwargs)


HTTP = _Pool()


def request(call: Call, rows: list[list[Any]]) -> list[Any]:
    """Sends a batch and waits for its answer. @raises SnowflakeError 'Request failed for external function …'"""
    batch_id = f"{call.query_id}:{uuid.uuid4()}"
    headers, url = _headers(call, batch_id), call.function["url"]
    body = json.dumps({"data": [[number, *row] for number, row in enumerate(rows)]}).encode()
    answer = _retried("POST", call, url, headers, body, batch_id, len(rows))
    if os.environ.get("FIRN_SNOWFLAKE_REPEAT_POST") == "1":
        answer = _retried("POST", call, url, headers, body, batch_id, len(rows))
    pause, deadline = POLL_SECONDS, time.monotonic() + GIVE_UP_SECONDS
    while answer.status == 202:
        if time.monotonic() > deadline:
            raise _failed(call, f"timed out after {GIVE_UP_SECONDS} s of polling", batch_id, len(rows))
        time.sleep(pause)
        pause = min(pause * 1.5, LONGEST_POLL_SECONDS)
        answer = _retried("GET", call, url, headers, None, batch_id, len(rows))
    try:
        found = {int(row[0]): row[1] for row in json.loads(answer.data)["data"]}
        return [found[number] for number in range(len(rows))]
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise errors.SnowflakeError(f"Error parsing JSON response for external function {call.name}: {error!r}; requests batch-id: {batch_id}", 100333, "22000") from None


def _retried(method: str, call: Call, url: str, headers: dict[str, str], body: bytes | None, batch_id: str, count: int):
    import urllib3

    for attempt in range(RETRIES + 1):
        problem = None
        try:
            answer = _send(method, url, headers, body)
        except urllib3.exceptions.HTTPError as error:
            problem = str(error)
        else:
            if answer.status in (200, 202):
                return answer
            problem = f"{answer.status} '{answer.data.decode(errors='replace')[:500]}'"
            if answer.status not in RETRIED:
                break
        time.sleep(0.1 * 2**attempt)
    raise _failed(call, problem, batch_id, count)


def _failed(call: Call, problem: str, batch_id: str, count: int) -> errors.SnowflakeError:
    text = f"Request failed for external function {call.name} with remote service error: {problem}; requests batch-id: {batch_id}; request batch size: {count} rows"
    return errors.SnowflakeError(text, 100333, "22000")
