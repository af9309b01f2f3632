"""Snowflake's HTTP protocol, as far as its drivers speak it: login, statements, their results, monitoring.

Source: snowflake-connector-nodejs (services/sf.js, connection/statement.js). Errors are answered with 200 and success: false, for
everything else makes drivers repeat the request.
"""

import gzip
import json
import sys
import traceback
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import errors
from connections import Server, failure
from errors import SnowflakeError

OK = {"data": None, "code": None, "message": None, "success": True}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "snowflake-local"
    disable_nagle_algorithm = True
    app: Server

    def log_message(self, *_: Any) -> None:
        pass

    def _token(self) -> str:
        return self.headers.get("Authorization", "").removeprefix('Snowflake Token="').rstrip('"')

    def _body(self) -> dict[str, Any]:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Content-Encoding") == "gzip":
            raw = gzip.decompress(raw)
        return json.loads(raw) if raw.strip() else {}

    def _route(self, method: str) -> dict[str, Any]:
        url = urlsplit(self.path)
        params = {key: values[0] for key, values in parse_qs(url.query).items()}
        parts = [unquote(part) for part in url.path.split("/") if part]
        body = self._body() if method == "POST" else {}
        match parts:
            case ["session", "v1", "login-request"]:
                return {**OK, "data": self.app.login(params, body)}
            case ["session", "token-request"]:
                token = self._token().removeprefix("master-")
                self.app.session(token)
                return {
                    **OK,
                    "data": {
                        "sessionToken": token,
                        "masterToken": "master-" + token,
                        "validityInSecondsST": 86400,
                        "validityInSecondsMT": 86400,
                        "sessionId": 1,
                    },
                }
            case ["session"]:
                if params.get("delete") == "true":
                    self.app.logout(self._token())
                return OK
            case ["session", "heartbeat"]:
                self.app.session(self._token())
                return OK
            case ["queries", "v1", "query-request"]:
                return self.app.submit(self._token(), body)
            case ["queries", query_id, "result"]:
                self.app.session(self._token())
                return self.app.wait(self.app.find(query_id))
            case ["monitoring", "queries", query_id]:
                self.app.session(self._token())
                return self.app.monitoring(query_id)
            case ["queries", "v1", "abort-request"]:
                raise errors.unsupported("cancelling a statement")
            case ["telemetry", "send"] | ["telemetry", "send", "sessionless"]:
                return OK
            case _:
                raise errors.unsupported(f"{method} {url.path}")

    def _answer(self, method: str) -> None:
        try:
            answer = self._route(method)
        except SnowflakeError as error:
            answer = failure(error)
        except Exception as error:  # noqa: BLE001  a driver repeats on anything but 200
            traceback.print_exc(file=sys.stderr)
            answer = failure(SnowflakeError(f"local Snowflake: {type(error).__name__}: {error}", 603, "XX000"))
        data = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        if len(data) > 4096 and "gzip" in self.headers.get("Accept-Encoding", ""):
            data = gzip.compress(data, 1)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self) -> None:
        self._answer("POST")

    def do_GET(self) -> None:
        self._answer("GET")
