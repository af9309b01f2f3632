"""INSERT, UPDATE, DELETE, MERGE, TRUNCATE."""

import re

from sqlglot import exp

import dialect
import errors
import queries
import result
from dispatch import statement
from lexer import quoted
from locks import Mode, Table
from reader import Reader
from result import Result
from session import Session, lock_key


def _target(session: Session, table: exp.Expression) -> Table:
    table = dialect.identifier_function(table)
    return session.resolve(tuple(part.name if part.quoted else part.name.upper() for part in table.parts), "a change of rows")


def _run(session: Session, reader: Reader, kind: int, mode: Mode, word: str) -> Result:
    change = dialect.parse(reader.sql)
    target = change.this.this if isinstance(change.this, exp.Schema) else change.this
    table = _target(session, target)
    change, _ = queries.prepare(session, change)
    sql = dialect.to_duckdb(change)

    def action() -> Result:
        (affected,) = session.duck.execute(sql).fetchone()
        return result.counted(kind, **{word: affected})

    return session.change({lock_key(table): mode}, action)


@statement("INSERT")
def insert(session: Session, reader: Reader) -> Result:
    if reader.accept("INSERT OVERWRITE"):
        raise errors.unsupported("INSERT OVERWRITE")
    if reader.accept("INSERT ALL") or reader.accept("INSERT FIRST"):
        raise errors.unsupported("INSERT into several tables")
    return _run(session, reader, result.INSERT, Mode.APPEND, "inserted")


@statement("UPDATE")
def update(session: Session, reader: Reader) -> Result:
    return _run(session, reader, result.UPDATE, Mode.CHANGE, "updated")


@statement("DELETE")
def delete(session: Session, reader: Reader) -> Result:
    return _run(session, reader, result.DELETE, Mode.CHANGE, "deleted")


@statement("TRUNCATE")
def truncate(session: Session, reader: Reader) -> Result:
    reader.expect("TRUNCATE")
    reader.accept("TABLE")
    if_exists = reader.if_exists()
    table = session.resolve(reader.name(), "TRUNCATE TABLE")
    reader.end()
    exists = session.duck.execute(
        "SELECT 1 FROM duckdb_tables() WHERE database_name = ? AND schema_name = ? AND table_name = ?", list(table)
    ).fetchone()
    if if_exists and not exists:
        return result.status()

    def action() -> Result:
        session.duck.execute(f"DELETE FROM {quoted(*table)}")
        session.duck.execute(
            f"DELETE FROM {quoted(table[0])}._SF.load_history WHERE schema_name = ? AND table_name = ? AND pipe IS NULL", list(table[1:])
        )
        return result.status()

    return session.change({lock_key(table): Mode.CHANGE}, action)


@statement("MERGE")
def merge(session: Session, reader: Reader) -> Result:
    """DuckDB's own MERGE. It names no table in SET, and knows no error for a row that two source rows match."""
    change = dialect.parse(reader.sql)
    table = _target(session, change.this)
    whens = change.args["whens"].expressions
    words = {_word(when) for when in whens}
    for when in whens:
        then = when.args["then"]
        if isinstance(then, exp.Update):
            for assignment in then.expressions:
                assignment.this.set("table", None)
    change, _ = queries.prepare(session, change)
    sql = re.sub(r"\s+RETURNING\s.*$", "", dialect.to_duckdb(change)) + " RETURNING merge_action"

    def action() -> Result:
        done = _count(session, sql)
        counts = {
            word: done.get({"inserted": "INSERT", "updated": "UPDATE", "deleted": "DELETE"}[word], 0)
            for word in ("inserted", "updated", "deleted")
            if word in words
        }
        return result.counted(result.MERGE, **counts)

    return session.change({lock_key(table): Mode.CHANGE}, action)


def _count(session: Session, sql: str) -> dict[str, int]:
    actions = session.duck.execute(sql).to_arrow_table().column(0)
    return {found["values"]: found["counts"] for found in actions.value_counts().to_pylist()}


def _word(when: exp.When) -> str:
    then = when.args["then"]
    if isinstance(then, exp.Update):
        return "updated"
    return "inserted" if isinstance(then, exp.Insert) else "deleted"
