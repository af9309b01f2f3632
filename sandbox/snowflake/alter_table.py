"""ALTER TABLE: columns added, dropped, renamed, widened; tables renamed and swapped."""

import re

import sqlglot
from sqlglot import exp

import column_types
import errors
from dispatch import statement
from held_tables import columns_of, need_table, note_type, table_exists
from lexer import quoted
from locks import Table
from reader import Reader
from result import Result, status
from session import Session
from tables import column_name, column_sql, comment_of


@statement("ALTER TABLE")
def alter_table(session: Session, reader: Reader) -> Result:
    if_exists = reader.if_exists()
    table = session.resolve(reader.name(), "ALTER TABLE")
    if if_exists and not table_exists(session, table):
        return status()
    need_table(session, table)
    if reader.accept("ADD COLUMN") or reader.accept("ADD"):
        return _add_columns(session, reader, table)
    if reader.accept("RENAME TO"):
        return _rename(session, table, session.resolve(reader.name()))
    if reader.accept("RENAME COLUMN"):
        old = reader.identifier()
        reader.expect("TO")
        return _define(session, table, [f"RENAME COLUMN {quoted(old)} TO {quoted(reader.identifier())}"])
    if reader.accept("SWAP WITH"):
        return _swap(session, table, session.resolve(reader.name()))
    if reader.accept("DROP COLUMN") or (
        reader.word() == "DROP" and reader.word(1) not in ("PRIMARY", "CLUSTERING", "CONSTRAINT", "UNIQUE") and reader.accept("DROP")
    ):
        columns_if_exist, names = reader.if_exists(), [reader.identifier()]
        while reader.accept(","):
            names.append(reader.identifier())
        return _define(session, table, [f"DROP COLUMN {'IF EXISTS ' if columns_if_exist else ''}{quoted(name)}" for name in names])
    if reader.accept("ALTER") or reader.accept("MODIFY"):
        return _alter_columns(session, reader, table)
    if reader.accept("DROP PRIMARY KEY") or reader.accept("DROP CLUSTERING KEY") or reader.accept("CLUSTER BY"):
        return status()  # neither is enforced
    if reader.accept("SET"):
        options = reader.options()
        reader.end()
        if set(options) - {"COMMENT", "DATA_RETENTION_TIME_IN_DAYS", "CHANGE_TRACKING", "MAX_DATA_EXTENSION_TIME_IN_DAYS"}:
            raise errors.unsupported(reader.sql)
        return status()
    raise errors.unsupported(reader.sql)


def _define(session: Session, table: Table, changes: list[str]) -> Result:
    def action() -> Result:
        for change in changes:
            session.duck.execute(f"ALTER TABLE {quoted(*table)} {change}")
        return status()

    return session.define([table], action)


def _definitions(text: str) -> list[exp.ColumnDef]:
    """`[IF NOT EXISTS] "A" NUMBER(3,1) NOT NULL, …` as sqlglot reads it in a CREATE TABLE."""
    parsed = sqlglot.parse_one(f"CREATE TABLE x ({text})", read="snowflake")
    if isinstance(parsed, exp.Command) or not all(isinstance(e, exp.ColumnDef) for e in parsed.this.expressions):
        raise errors.syntax_error(f"column definitions: {text[:200]}")
    return parsed.this.expressions


def _add_columns(session: Session, reader: Reader, table: Table) -> Result:
    if_not_exists = reader.if_not_exists()
    text = reader.rest().rstrip().rstrip(";")
    text = re.sub(r",\s*(?:ADD\s+)?(?:COLUMN\s+)?IF\s+NOT\s+EXISTS\s+", ", ", text, flags=re.I)
    definitions = _definitions(text)

    def action() -> Result:
        held = {name.upper() for name in columns_of(session, table)}
        for definition in definitions:
            name = column_name(definition)
            if name.upper() in held:
                if if_not_exists:
                    continue
                raise errors.SnowflakeError(f"SQL compilation error:\ncolumn '{name}' already exists", 1430, "42601")
            column = column_sql(definition)
            mandatory = column.endswith(" NOT NULL")  # DuckDB adds no column with a constraint
            session.duck.execute(f"ALTER TABLE {quoted(*table)} ADD COLUMN {column.removesuffix(' NOT NULL')}")
            if mandatory:
                session.duck.execute(f"ALTER TABLE {quoted(*table)} ALTER COLUMN {quoted(name)} SET NOT NULL")
            note_type(session, table, name, definition.kind, comment_of(definition))
        return status()

    return session.define([table], action)


def _rename(session: Session, table: Table, new: Table) -> Result:
    if table_exists(session, new):
        raise errors.already_exists(".".join(new))
    if new[:2] != table[:2]:
        raise errors.unsupported("ALTER TABLE … RENAME TO another schema")

    def action() -> Result:
        session.duck.execute(f"ALTER TABLE {quoted(*table)} RENAME TO {quoted(new[2])}")
        session.duck.execute(
            f"UPDATE {quoted(table[0])}._SF.load_history SET table_name = ? WHERE schema_name = ? AND table_name = ?",
            [new[2], table[1], table[2]],
        )
        return status()

    return session.define([table, new], action)


def _swap(session: Session, one: Table, other: Table) -> Result:
    need_table(session, other)
    if one[:2] != other[:2]:
        raise errors.unsupported("ALTER TABLE … SWAP WITH a table of another schema")
    middle = (*one[:2], "_SF_SWAP")
    history = f"UPDATE {quoted(one[0])}._SF.load_history SET table_name = CASE table_name WHEN ? THEN ? ELSE ? END WHERE schema_name = ? AND table_name IN (?, ?)"

    def action() -> Result:
        for before, after in ((one, middle), (other, one), (middle, other)):
            session.duck.execute(f"ALTER TABLE {quoted(*before)} RENAME TO {quoted(after[2])}")
        session.duck.execute(history, [one[2], other[2], one[2], one[1], one[2], other[2]])
        return status()

    return session.define([one, other], action)


def _alter_columns(session: Session, reader: Reader, table: Table) -> Result:
    """`[COLUMN] a SET DATA TYPE t | t | DROP NOT NULL | SET NOT NULL | COMMENT '…' , …`"""
    changes: list[tuple[str, str, exp.DataType | str | None]] = []
    bracketed = reader.accept("(")
    while True:
        reader.accept("COLUMN")
        name = reader.identifier()
        if reader.accept("DROP NOT NULL") or reader.accept("SET NOT NULL"):
            changes.append((name, reader.tokens[reader.at - 3].text.upper() + " NOT NULL", None))
        elif reader.accept("COMMENT"):
            changes.append((name, "COMMENT", reader.string()))
        else:
            reader.accept("SET DATA TYPE") or reader.accept("TYPE")
            kind = reader.here.text
            reader.at += 1
            if reader.word() == "(":
                kind += f"({reader.parenthesised()})"
            changes.append((name, "TYPE", exp.DataType.build(kind, dialect="snowflake")))
        if not reader.accept(","):
            break
    if bracketed:
        reader.expect(")")
    reader.end()

    def action() -> Result:
        held = columns_of(session, table)
        for name, what, value in changes:
            if name not in held:
                raise errors.SnowflakeError(f"SQL compilation error:\ncolumn '{name}' does not exist or not authorized.", 2043, "42000")
            before, comment = column_types.read_note(held[name][1], held[name][0])
            alter = f"ALTER TABLE {quoted(*table)} ALTER COLUMN {quoted(name)}"
            if what == "TYPE":
                after = column_types.declared(value)
                _check_change(name, before, after)
                session.duck.execute(f"{alter} SET DATA TYPE {column_types.duckdb_type(after)}")
                note_type(session, table, name, value, comment)
            elif what == "COMMENT":
                note_type(session, table, name, exp.DataType.build(before, dialect="snowflake"), value)
            else:
                session.duck.execute(f"{alter} {what}")
        return status()

    return session.define([table], action)


def _check_change(name: str, before: str, after: str) -> None:
    """Snowflake widens the precision of NUMBER and the length of VARCHAR and BINARY, and nothing else."""
    sizes = [[int(n) for n in re.findall(r"\d+", kind.partition("(")[2])] for kind in (before, after)]
    family = [kind.partition("(")[0] for kind in (before, after)]
    refused = None
    if family[0] != family[1]:
        refused = f"cannot change column {name} from type {before} to {after}"
    elif family[0] == "NUMBER" and sizes[0][1] != sizes[1][1]:
        refused = f"cannot change column {name} from type {before} to {after} because changing the scale of a number is not supported"
    elif sizes[0] and sizes[1][0] < sizes[0][0] and not family[0].startswith(("NUMBER", "VARCHAR")):
        refused = f"cannot change column {name} from type {before} to {after} because reducing the byte-length is not supported"
    if refused:
        raise errors.SnowflakeError(f"SQL compilation error: {refused}", 2108, "42601")
