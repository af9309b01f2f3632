"""One session: its context (database, schema, user, role, parameters), its transaction, and how statements reach DuckDB.

Snowflake is READ COMMITTED with table locks, DuckDB has snapshots and conflicts. So BEGIN only takes note; the DuckDB transaction
starts at the first change, once the table's lock is held. Until then, and for tables that the transaction has not changed, reads see
the latest commit. A lock that comes late, after another session has changed the table, starts the transaction again and repeats
its changes on the new snapshot.
"""

import os
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import duckdb

import errors
from engine import Engine
from errors import SnowflakeError
from lexer import inline, quoted
from locks import Mode, Table
from reader import Name
from result import Result

CONFLICT_SECONDS = 60
ACCOUNT_TIMEZONE = os.environ.get("FIRN_SNOWFLAKE_TIMEZONE", "UTC")
PIPE_TIMEZONE = "America/Los_Angeles"


def lock_key(table: Table) -> Table:
    """DuckDB's names are the same in any case."""
    return (table[0].upper(), table[1].upper(), table[2].upper())


@dataclass
class Transaction:
    owner: object = field(default_factory=object)
    begun: bool = False
    broken: bool = False
    snapshot: int = 0
    changed: set[Table] = field(default_factory=set)
    done: list[tuple[Callable[[], Result], int | None]] = field(default_factory=list)


class Session:
    def __init__(
        self, engine: Engine, user: str, role: str = "PUBLIC", warehouse: str | None = None, parameters: dict[str, Any] | None = None
    ):
        self.engine, self.user, self.role, self.warehouse = engine, user, role, warehouse
        self.database: str | None = None
        self.schema: str | None = None
        self.parameters: dict[str, Any] = {"TIMEZONE": ACCOUNT_TIMEZONE, **(parameters or {})}
        self.variables: dict[str, str] = {}
        self.id = str(uuid.uuid4().int % 10**16)
        self.duck = engine.connect()
        self.side: duckdb.DuckDBPyConnection | None = None
        self.transaction: Transaction | None = None
        self.lock = threading.RLock()
        self.query_id = ""
        self.last_query_id: str | None = None
        self.results: dict[str, Result] = {}
        self.last_load = 0
        self.procedures: list[dict[str, Any]] = []
        self.temporaries: set[Table] = set()
        self.set_timezone(self.parameters["TIMEZONE"])

    def clone(self) -> "Session":
        """The same context on a connection of its own: for asynchronous statements."""
        twin = Session(self.engine, self.user, self.role, self.warehouse, dict(self.parameters))
        twin.variables = dict(self.variables)
        twin.use(self.database, self.schema)
        return twin

    def close(self) -> None:
        self.rollback()
        for table in self.temporaries:
            self.define([table], lambda: self.fetch(f"DROP TABLE IF EXISTS {quoted(*table)}"))  # noqa: B023  it runs at once
        self.duck.close()

    # context

    def use(self, database: str | None, schema: str | None) -> None:
        self.database, self.schema = database, schema
        for connection in filter(None, (self.duck, self.side)):
            path = quoted(database, schema or "main") if database else "memory.main"
            connection.execute("SET schema = '" + path.replace("'", "''") + "'")

    def set_timezone(self, zone: str) -> None:
        try:
            self.duck.execute("SET TimeZone = ?", [zone])
        except duckdb.Error as error:
            raise errors.from_duckdb(error) from None
        self.parameters["TIMEZONE"] = zone

    def resolve(self, name: Name, what: str = "this statement") -> Table:
        """A name of one to three parts as (database, schema, name)."""
        if len(name) > 3:
            raise errors.syntax_error(f"name of too many parts: {'.'.join(name)}")
        database = name[-3] if len(name) == 3 else self.database
        schema = name[-2] if len(name) > 1 else self.schema
        if database is None:
            raise SnowflakeError(
                f"Cannot perform {what}. This session does not have a current database. Call 'USE DATABASE', or use a qualified name.",
                90105,
                "22000",
            )
        if schema is None:
            raise SnowflakeError(
                f"Cannot perform {what}. This session does not have a current schema. Call 'USE SCHEMA', or use a qualified name.",
                90106,
                "22000",
            )
        return (database, schema, name[-1])

    # running

    def execute(self, sql: str, literals: list[str] | None = None) -> Result:
        """One statement. @raises SnowflakeError"""
        import dispatch  # the handlers know the session

        with self.lock:
            try:
                answer = dispatch.run(self, inline(sql, literals or [], self.variables))
            except duckdb.Error as error:
                raise errors.from_duckdb(error) from error
            except NotImplementedError as error:
                raise errors.unsupported(str(error)) from error
            return answer

    def fetch(self, sql: str, parameters: list[Any] | None = None, connection: duckdb.DuckDBPyConnection | None = None) -> Result:
        """DuckDB SQL, its rows as a result."""
        connection = connection or self.duck
        connection.execute(sql, parameters) if parameters else connection.execute(sql)
        kinds = [str(column[1]) for column in connection.description]
        return Result(connection.to_arrow_table(), kinds)

    def read(self, sql: str, tables: set[Table] | None) -> Result:
        """A query of these tables (None: unknown)."""
        transaction = self.transaction
        if transaction is None or not transaction.begun:
            return self.fetch(sql)
        if tables is not None and not tables & transaction.changed:
            if self.side is None:
                self.side = self.engine.connect()
                self.side.execute("SET TimeZone = ?", [self.parameters["TIMEZONE"]])
                self.use(self.database, self.schema)
            return self.fetch(sql, connection=self.side)
        return self._guarded(lambda: self.fetch(sql))

    def change(self, locks: dict[Table, Mode], action: Callable[[], Result]) -> Result:
        """A change of rows: atomic, under the tables' locks, in the open transaction or in one of its own."""
        transaction = self.transaction
        if transaction is None:
            return self._alone(locks, action)
        self.engine.locks.acquire(transaction.owner, locks)
        stale = any(
            self.engine.locks.changed_since(table, transaction.snapshot) for table, mode in locks.items() if mode is not Mode.APPEND
        )
        if not transaction.begun:
            transaction.snapshot = self.engine.locks.clock
            self.duck.execute("BEGIN")
            transaction.begun = True
        elif stale or transaction.broken:
            self._repeat()
        answer = self._guarded(action)
        transaction.done.append((action, answer.affected))
        transaction.changed |= set(locks)
        return answer

    def define(self, tables: list[Table], action: Callable[[], Result]) -> Result:
        """DDL: commits the open transaction first, as Snowflake does."""
        self.commit()
        return self._alone({lock_key(table): Mode.DEFINE for table in tables}, action)

    def _alone(self, locks: dict[Table, Mode], action: Callable[[], Result]) -> Result:
        deadline = time.monotonic() + CONFLICT_SECONDS
        while True:
            owner, committed = object(), False
            self.engine.locks.acquire(owner, locks)
            try:
                self.duck.execute("BEGIN")
                try:
                    answer = action()
                    self.duck.execute("COMMIT")
                except BaseException:
                    _quietly(self.duck, "ROLLBACK")
                    raise
                committed = True
                return answer
            except duckdb.TransactionException as error:
                if "onflict" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            finally:
                self.engine.locks.release(owner, committed=committed)

    def _guarded(self, action: Callable[[], Result]) -> Result:
        """A failed statement leaves a Snowflake transaction open, but makes DuckDB's useless."""
        transaction = self.transaction
        if transaction.broken:
            self._repeat()
        try:
            return action()
        except Exception:
            transaction.broken = True
            raise

    def _repeat(self) -> None:
        transaction = self.transaction
        _quietly(self.duck, "ROLLBACK")
        transaction.broken, transaction.snapshot = False, self.engine.locks.clock
        self.duck.execute("BEGIN")
        for action, affected in transaction.done:
            again = action().affected
            if again != affected:
                transaction.broken = True
                raise SnowflakeError(
                    f"local Snowflake: a change of this transaction touched {affected} rows, and {again} when repeated on the latest data",
                    603,
                    "40001",
                )

    # transactions

    def begin(self) -> None:
        if self.transaction is None:
            self.transaction = Transaction()

    def commit(self) -> None:
        transaction = self.transaction
        if transaction is None:
            return
        try:
            if transaction.broken:
                self._repeat()
            if transaction.begun:
                self.duck.execute("COMMIT")
        except BaseException:
            self.rollback()
            raise
        self.transaction = None
        self.engine.locks.release(transaction.owner, committed=True)

    def rollback(self) -> None:
        transaction, self.transaction = self.transaction, None
        if transaction is None:
            return
        if transaction.begun:
            _quietly(self.duck, "ROLLBACK")
        self.engine.locks.release(transaction.owner, committed=False)


def _quietly(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    try:
        connection.execute(sql)
    except duckdb.Error:
        pass
