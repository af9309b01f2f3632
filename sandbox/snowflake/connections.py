"""Sessions and statements of all clients: login, submission, results, state."""

import secrets
import sys
import threading
import time
import traceback
import uuid
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, field
from typing import Any

import binds
import result
import transactions
from engine import Engine
from errors import SnowflakeError
from lexer import statements
from result import Result
from rowset import rowset, rowtype
from session import Session

ANSWER_SECONDS = 20
"""After that a request is answered with 'in progress', and the driver asks again."""
IN_PROGRESS, IN_PROGRESS_ASYNC = "333333", "333334"
MULTI_STATEMENT = 0xA000
REMEMBERED_QUERIES = 5000

DISPLAY = {
    "BINARY_OUTPUT_FORMAT": "HEX", "DATE_OUTPUT_FORMAT": "YYYY-MM-DD", "TIME_OUTPUT_FORMAT": "HH24:MI:SS", "TIMESTAMP_OUTPUT_FORMAT": "YYYY-MM-DD HH24:MI:SS.FF3 TZHTZM",
    "TIMESTAMP_NTZ_OUTPUT_FORMAT": "YYYY-MM-DD HH24:MI:SS.FF3", "TIMESTAMP_LTZ_OUTPUT_FORMAT": "", "TIMESTAMP_TZ_OUTPUT_FORMAT": "", "CLIENT_SESSION_KEEP_ALIVE": False,
    "CLIENT_STAGE_ARRAY_BINDING_THRESHOLD": 0, "CLIENT_SESSION_KEEP_ALIVE_HEARTBEAT_FREQUENCY": 3600,
}  # fmt: skip


@dataclass
class Query:
    id: str
    sql: str
    session: Session
    started: float = field(default_factory=time.time)
    ended: float | None = None
    future: Future | None = None
    error: SnowflakeError | None = None

    @property
    def status(self) -> str:
        return "RUNNING" if self.ended is None else "FAILED_WITH_ERROR" if self.error else "SUCCESS"


class Server:
    def __init__(self, engine: Engine):
        self.engine = engine
        self.sessions: dict[str, Session] = {}
        self.queries: OrderedDict[str, Query] = OrderedDict()
        self.lock = threading.Lock()
        # A statement may wait long for an external function, whose endpoint opens further sessions: never too few threads.
        self.pool = ThreadPoolExecutor(500, thread_name_prefix="statement")

    # sessions

    def login(self, params: dict[str, str], body: dict[str, Any]) -> dict[str, Any]:
        data = body["data"]
        user = str(data.get("LOGIN_NAME") or "").upper()
        if not user:
            raise SnowflakeError("Incorrect username or password was specified.", 390100, "08001")
        session = Session(self.engine, user, (params.get("roleName") or "PUBLIC").upper(), (params.get("warehouse") or "").upper() or None)
        known = {
            k: v
            for k, v in (data.get("SESSION_PARAMETERS") or {}).items()
            if k in transactions.EFFECTIVE | transactions.WITHOUT_EFFECT and not (k == "AUTOCOMMIT" and v is True)
        }
        transactions.set_parameters(session, known)
        database = (params.get("databaseName") or "").strip('"')
        for name in (database, database.upper()):
            if name in self.engine.databases():
                schema = (params.get("schemaName") or "PUBLIC").strip('"')
                there = self.engine.schemas(name)
                session.use(name, next((s for s in (schema, schema.upper()) if s in there), None))
                break
        token = secrets.token_urlsafe(24)
        self.sessions[token] = session
        return {
            "token": token, "masterToken": "master-" + token, "validityInSeconds": 86400, "masterValidityInSeconds": 86400, "sessionId": int(session.id),
            "displayUserName": user, "serverVersion": "10.0.0", "firstLogin": False, "parameters": self.parameters(session), "healthCheckInterval": 45,
            "sessionInfo": {"databaseName": session.database, "schemaName": session.schema, "warehouseName": session.warehouse, "roleName": session.role},
        }  # fmt: skip

    def parameters(self, session: Session) -> list[dict[str, Any]]:
        return [{"name": name, "value": value} for name, value in {**DISPLAY, "AUTOCOMMIT": True, **session.parameters}.items()]

    def session(self, token: str) -> Session:
        found = self.sessions.get(token)
        if found is None:
            raise SnowflakeError("User must login again to access the service.", 390104, "08001")
        return found

    def logout(self, token: str) -> None:
        session = self.sessions.pop(token, None)
        if session:
            with session.lock:
                session.close()

    # statements

    def submit(self, token: str, body: dict[str, Any]) -> dict[str, Any]:
        session = self.session(token)
        asynchronous = bool(body.get("asyncExec"))
        parameters = body.get("parameters") or {}
        count = int(parameters.get("MULTI_STATEMENT_COUNT", 1))
        texts = statements(body["sqlText"]) if count != 1 else [body["sqlText"]]
        if count > 1 and len(texts) != count:
            raise SnowflakeError(f"Actual statement count {len(texts)} did not match the desired statement count {count}.", 8, "0A000")
        if count == 1 and len(statements(body["sqlText"])) > 1:
            raise SnowflakeError("Actual statement count 2 did not match the desired statement count 1.", 8, "0A000")
        runs_in = session.clone() if asynchronous else session
        if "QUERY_TAG" in parameters:
            runs_in.parameters["QUERY_TAG"] = parameters["QUERY_TAG"]
        literals = binds.rows(body.get("bindings"))
        queries = [self._remember(text, runs_in) for text in texts]
        whole = queries[0] if len(texts) == 1 and count == 1 else self._remember(body["sqlText"], runs_in)

        def work() -> Any:
            try:
                answers = []
                for query, text in zip(queries, texts, strict=True):
                    answers.append(self._run(query, runs_in, text, literals, bool(body.get("describeOnly"))))
                return answers
            finally:
                if whole is not queries[0]:
                    whole.ended, whole.error = time.time(), next((q.error for q in queries if q.error), None)
                if asynchronous:
                    runs_in.close()

        future = self.pool.submit(work)
        if whole is not queries[0]:
            whole.future = _then(future, lambda _: self._several(queries, whole.id))
        for index, query in enumerate(queries):
            query.future = _then(future, lambda answers, i=index: answers[i])
        if asynchronous:
            return self._in_progress(whole, IN_PROGRESS_ASYNC)
        return self.wait(whole)

    def _remember(self, sql: str, session: Session) -> Query:
        query = Query(str(uuid.uuid4()), sql, session)
        with self.lock:
            self.queries[query.id] = query
            while len(self.queries) > REMEMBERED_QUERIES:
                self.queries.popitem(last=False)
        return query

    def _run(self, query: Query, session: Session, sql: str, literals: list[list[str]], describe_only: bool) -> dict[str, Any]:
        with session.lock:
            session.query_id = query.id
            try:
                found = binds.execute(session, sql, literals, describe_only)
            except SnowflakeError as error:
                query.error = error
                raise
            except Exception as error:
                traceback.print_exc(file=sys.stderr)
                query.error = SnowflakeError(
                    f"SQL execution internal error in the local Snowflake: {type(error).__name__}: {error}", 603, "XX000"
                )
                raise query.error from error
            finally:
                session.last_query_id, query.ended = query.id, time.time()
            session.results[query.id] = found
            while len(session.results) > 20:
                session.results.pop(next(iter(session.results)))
            return self._answer(session, found, query.id)

    def _answer(self, session: Session, found: Result, query_id: str) -> dict[str, Any]:
        rows = rowset(found)
        return {
            "parameters": self.parameters(session), "rowtype": rowtype(found), "rowset": rows, "total": len(rows), "returned": len(rows), "queryId": query_id,
            "databaseProvider": None, "finalDatabaseName": session.database, "finalSchemaName": session.schema, "finalWarehouseName": session.warehouse,
            "finalRoleName": session.role, "numberOfBinds": 0, "arrayBindSupported": False, "statementTypeId": found.statement, "version": 1,
            "sendResultTime": int(time.time() * 1000), "queryResultFormat": "json",
        }  # fmt: skip

    def _several(self, queries: list[Query], query_id: str) -> dict[str, Any]:
        return {
            "queryId": query_id, "resultIds": ",".join(q.id for q in queries), "resultTypes": ",".join([str(result.SELECT)] * len(queries)), "rowtype": [], "rowset": [],
            "total": 0, "returned": 0, "statementTypeId": MULTI_STATEMENT, "parameters": self.parameters(queries[0].session), "version": 1, "queryResultFormat": "json",
        }  # fmt: skip

    def wait(self, query: Query) -> dict[str, Any]:
        try:
            return {"data": query.future.result(ANSWER_SECONDS), "success": True, "code": None, "message": None}
        except NotYet:
            return self._in_progress(query, IN_PROGRESS)
        except SnowflakeError as error:
            return failure(error, query.id)

    def _in_progress(self, query: Query, code: str) -> dict[str, Any]:
        data = {"queryId": query.id, "getResultUrl": f"/queries/{query.id}/result", "queryAbortsAfterSecs": 300, "progressDesc": None}
        return {"data": data, "code": code, "message": "Query execution in progress.", "success": True}

    def find(self, query_id: str) -> Query:
        query = self.queries.get(query_id)
        if query is None:
            raise SnowflakeError(f"Statement {query_id} not found", 709, "02000")
        return query

    def monitoring(self, query_id: str) -> dict[str, Any]:
        query = self.queries.get(query_id)
        if query is None:
            return {"data": {"queries": []}, "success": True, "code": None, "message": None}
        record = {
            "id": query.id, "status": query.status, "sqlText": query.sql, "state": query.status, "startTime": int(query.started * 1000), "endTime": int((query.ended or 0) * 1000),
            "errorCode": f"{query.error.code:06d}" if query.error else None, "errorMessage": query.error.message if query.error else None,
            "totalDuration": int(((query.ended or time.time()) - query.started) * 1000),
        }  # fmt: skip
        return {"data": {"queries": [record]}, "success": True, "code": None, "message": None}


def _then(future: Future, convert) -> Future:
    """A future of the converted result."""
    following: Future = Future()

    def done(finished: Future) -> None:
        error = finished.exception()
        following.set_exception(error) if error else following.set_result(convert(finished.result()))

    future.add_done_callback(done)
    return following


def failure(error: SnowflakeError, query_id: str | None = None) -> dict[str, Any]:
    code = f"{error.code:06d}"
    data = {
        "internalError": False,
        "errorCode": code,
        "age": 0,
        "sqlState": error.state,
        "queryId": query_id,
        "line": -1,
        "pos": -1,
        "type": "COMPILATION",
    }
    return {"data": data, "code": code, "message": error.message, "success": False, "headers": None}
