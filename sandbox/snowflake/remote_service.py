"""The batch protocol of external functions, over the local API Gateway.

Source: Snowflake documentation, "Remote service input and output data formats" and "Creating external functions on AWS".
"""

import base64
import json
import os
import re
import time
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import errors

URL = re.compile(r"https://([a-z0-9]+)\.execute-api\.([a-z0-9-]+)\.amazonaws\.com/([^/]+)/(.*)")
PARALLEL_REQUESTS = 16
POLL_SECONDS, LONGEST_POLL_SECONDS, GIVE_UP_SECONDS = 0.05, 1.0, 600
RETRIED = {429, 500, 502, 503, 504}
RETRIES = 3


@dataclass
class Call:
    name: str
    function: dict[str, Any]
    query_id: str
    context: dict[str, str]


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
    SigV4Auth(
        Credentials(os.environ.get("AWS_ACCESS_KEY_ID", "test"), os.environ.get("AWS_SECRET_ACCESS_KEY", "test")), "execute-api", region
    ).add_auth(signed)
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
        raise errors.SnowflakeError(
            f"Error parsing JSON response for external function {call.name}: {error!r}; requests batch-id: {batch_id}", 100333, "22000"
        ) from None


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
