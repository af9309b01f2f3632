"""What DuckDB holds: whether a table is there, its columns, the notes on their types."""

from sqlglot import exp

import column_types
import errors
from lexer import quoted, text_of
from locks import Table
from session import Session, lock_key


def table_exists(session: Session, table: Table) -> bool:
    sql = "SELECT 1 FROM duckdb_tables() WHERE upper(database_name) = upper(?) AND upper(schema_name) = upper(?) AND upper(table_name) = upper(?)"
    return session.duck.execute(sql, list(table)).fetchone() is not None


def need_table(session: Session, table: Table) -> None:
    if not table_exists(session, table):
        raise errors.not_found("Table", ".".join(table))


def note_type(session: Session, table: Table, column: str, kind: exp.DataType, comment: str | None = None) -> None:
    note = column_types.note(column_types.declared(kind), comment)
    session.duck.execute(f"COMMENT ON COLUMN {quoted(*table, column)} IS {text_of(note)}")


def copy_notes(session: Session, source: Table, target: Table) -> None:
    rows = session.duck.execute(
        "SELECT column_name, comment FROM duckdb_columns() WHERE database_name = ? AND schema_name = ? AND table_name = ? AND comment IS NOT NULL",
        list(source),
    ).fetchall()
    for column, note in rows:
        session.duck.execute(f"COMMENT ON COLUMN {quoted(*target, column)} IS {text_of(note)}")


def columns_of(session: Session, table: Table) -> dict[str, tuple[str, str | None]]:
    """DuckDB type and note (column_types.py) of each column, in order."""
    rows = session.duck.execute(
        "SELECT column_name, data_type, comment FROM duckdb_columns() WHERE database_name = ? AND schema_name = ? AND table_name = ? ORDER BY column_index",
        list(table),
    )
    return {name: (kind, note) for name, kind, note in rows.fetchall()}


def base_tables(session: Session, statement: exp.Expression) -> set[Table] | None:
    """The tables that a query reads; None when a view or a table function is among them."""
    names = {cte.alias_or_name.upper() for cte in statement.find_all(exp.CTE)}
    found: set[Table] = set()
    for table in statement.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier):
            return None
        if not table.db and table.name.upper() in names:
            continue
        try:
            database, schema, name = session.resolve(tuple(part.name for part in table.parts))
        except errors.SnowflakeError:
            return None
        if is_view(session, (database, schema, name)):
            return None
        found.add(lock_key((database, schema, name)))
    return found


def is_view(session: Session, table: Table) -> bool:
    sql = "SELECT 1 FROM duckdb_views() WHERE upper(database_name) = upper(?) AND upper(schema_name) = upper(?) AND upper(view_name) = upper(?)"
    return session.engine.duck.cursor().execute(sql, list(table)).fetchone() is not None
