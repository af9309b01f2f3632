"""CREATE, ALTER, DROP of tables and views. Keys are read and forgotten: Snowflake does not enforce them."""

from sqlglot import exp

import column_types
import dialect
import errors
import queries
from dispatch import statement
from held_tables import copy_notes, is_view, need_table, note_type, table_exists, text_of
from lexer import quoted
from locks import Table
from reader import Reader
from result import Result, status
from session import Session

NOT_ENFORCED = (exp.PrimaryKey, exp.ForeignKey, exp.UniqueColumnConstraint, exp.Constraint)
NOT_ENFORCED_COLUMN = (exp.PrimaryKeyColumnConstraint, exp.UniqueColumnConstraint, exp.Reference, exp.CollateColumnConstraint)
# Options of CREATE TABLE that change nothing that can be seen here.
IGNORED_OPTIONS = {"DATA_RETENTION_TIME_IN_DAYS", "MAX_DATA_EXTENSION_TIME_IN_DAYS", "CHANGE_TRACKING"}


def _name(session: Session, table: exp.Table, what: str) -> Table:
    table = dialect.identifier_function(table)
    return session.resolve(tuple(part.name if part.args.get("quoted") else part.name.upper() for part in table.parts), what)


def column_name(definition: exp.ColumnDef) -> str:
    identifier = definition.this
    return identifier.name if identifier.args.get("quoted") else identifier.name.upper()


def column_sql(definition: exp.ColumnDef) -> str:
    """A column definition as DuckDB takes it, without what Snowflake does not enforce."""
    parts = [quoted(column_name(definition)), column_types.duckdb_type(column_types.declared(definition.kind))]
    for constraint in definition.args.get("constraints") or []:
        kind = constraint.kind
        if isinstance(kind, exp.NotNullColumnConstraint):
            parts.append("NULL" if kind.args.get("allow_null") else "NOT NULL")
        elif isinstance(kind, exp.DefaultColumnConstraint):
            parts.append(f"DEFAULT {dialect.to_duckdb(kind.this.copy())}")
        elif not isinstance(kind, (*NOT_ENFORCED_COLUMN, exp.CommentColumnConstraint)):
            raise errors.unsupported("column " + definition.sql("snowflake"))
    return " ".join(parts)


def comment_of(definition: exp.ColumnDef) -> str | None:
    found = definition.find(exp.CommentColumnConstraint)
    return found.this.name if found else None


@statement("CREATE TABLE")
def create_table(session: Session, reader: Reader) -> Result:
    create = dialect.parse(reader.sql)
    target = create.this
    table = _name(session, target.this if isinstance(target, exp.Schema) else target, "CREATE TABLE")
    definitions = [e for e in target.expressions if isinstance(e, exp.ColumnDef)] if isinstance(target, exp.Schema) else []
    others = [e for e in target.expressions if not isinstance(e, (exp.ColumnDef, *NOT_ENFORCED))] if isinstance(target, exp.Schema) else []
    if others:
        raise errors.unsupported(reader.sql)
    comment, temporary = _table_properties(create, reader.sql)
    query, clone = create.args.get("expression"), create.args.get("clone")
    like = create.find(exp.LikeProperty) if query is None else None

    verb = "CREATE OR REPLACE TABLE" if create.args.get("replace") else "CREATE TABLE"
    name = quoted(*table)
    source = _name(session, (clone or like).this, "CREATE TABLE") if clone or like else None
    if query is not None:
        query, _ = queries.prepare(session, query)
        query_sql = dialect.to_duckdb(query)

    def action() -> Result:
        if table_exists(session, table) or is_view(session, table):
            if create.args.get("exists"):
                return status(f"{table[2]} already exists, statement succeeded.")
            if not create.args.get("replace"):
                raise errors.already_exists(".".join(table))
        if source:
            need_table(session, source)
            session.duck.execute(f"{verb} {name} AS SELECT * FROM {quoted(*source)}{' LIMIT 0' if like else ''}")
            copy_notes(session, source, table)
        elif query is not None and definitions:
            session.duck.execute(f"{verb} {name} ({', '.join(column_sql(d) for d in definitions)})")
            session.duck.execute(f"INSERT INTO {name} {query_sql}")
        elif query is not None:
            session.duck.execute(f"{verb} {name} AS {query_sql}")
        else:
            session.duck.execute(f"{verb} {name} ({', '.join(column_sql(d) for d in definitions)})")
        for definition in definitions:
            note_type(session, table, column_name(definition), definition.kind, comment_of(definition))
        if comment is not None:
            session.duck.execute(f"COMMENT ON TABLE {name} IS {text_of(comment)}")
        session.duck.execute(
            f"DELETE FROM {quoted(table[0])}._SF.load_history WHERE schema_name = ? AND table_name = ? AND pipe IS NULL",
            list(table[1:]),
        )
        # A table like any other, dropped with its session: DuckDB's own temporary tables have no database and schema.
        if temporary:
            session.temporaries.add(table)
        return status(f"Table {table[2]} successfully created.")

    return session.define([table], action)


def _table_properties(create: exp.Create, sql: str) -> tuple[str | None, bool]:
    """(comment, temporary); fails on what it does not know."""
    comment, temporary = None, False
    properties = create.args.get("properties")
    for prop in properties.expressions if properties else []:
        if isinstance(prop, exp.SchemaCommentProperty):
            comment = prop.this.name
        elif isinstance(prop, exp.TemporaryProperty):
            temporary = True
        elif isinstance(prop, exp.Property) and type(prop) is exp.Property and prop.name.upper() in IGNORED_OPTIONS:
            pass
        elif not isinstance(
            prop, (exp.TransientProperty, exp.ClusterProperty, exp.Cluster, exp.CopyGrantsProperty, exp.LikeProperty, exp.SecureProperty)
        ):
            raise errors.unsupported(sql)
    return comment, temporary


@statement("CREATE VIEW")
def create_view(session: Session, reader: Reader) -> Result:
    create = dialect.parse(reader.sql)
    target = create.this
    view = _name(session, target.this if isinstance(target, exp.Schema) else target, "CREATE VIEW")
    _table_properties(create, reader.sql)
    query = create.expression
    dialect.name_columns(query)
    query, _ = queries.prepare(session, query)
    sql = dialect.to_duckdb(queries.qualify(session, query))
    columns = ""
    if isinstance(target, exp.Schema):
        names = [(e.this if isinstance(e, exp.ColumnDef) else e) for e in target.expressions]
        columns = " (" + ", ".join(quoted(n.name if n.args.get("quoted") else n.name.upper()) for n in names) + ")"

    def action() -> Result:
        if create.args.get("exists") and is_view(session, view):
            return status(f"{view[2]} already exists, statement succeeded.")
        if table_exists(session, view):
            raise errors.already_exists(".".join(view))
        session.duck.execute(f"CREATE {'OR REPLACE ' if create.args.get('replace') else ''}VIEW {quoted(*view)}{columns} AS {sql}")
        return status(f"View {view[2]} successfully created.")

    return session.define([view], action)


@statement("DROP TABLE", "DROP VIEW")
def drop(session: Session, reader: Reader) -> Result:
    if_exists, kind = reader.if_exists(), reader.head.removeprefix("DROP ")
    table = session.resolve(reader.name(), f"DROP {kind}")
    reader.accept("CASCADE") or reader.accept("RESTRICT")
    reader.end()
    there = is_view(session, table) if kind == "VIEW" else table_exists(session, table)
    if not there:
        if not if_exists:
            raise errors.not_found(kind.capitalize(), ".".join(table))
        session.commit()
        return status("Drop statement executed successfully (object does not exist).")

    def action() -> Result:
        session.duck.execute(f"DROP {kind} IF EXISTS {quoted(*table)}")
        return status(f"{table[2]} successfully dropped.")

    return session.define([table], action)


@statement("COMMENT")
def comment(session: Session, reader: Reader) -> Result:
    reader.expect("COMMENT")
    if_exists = reader.if_exists()
    reader.expect("ON TABLE")
    table = session.resolve(reader.name(), "COMMENT")
    reader.expect("IS")
    text = reader.string()
    if not table_exists(session, table) and if_exists:
        return status()
    need_table(session, table)

    def action() -> Result:
        session.duck.execute(f"COMMENT ON TABLE {quoted(*table)} IS {text_of(text)}")
        return status()

    return session.define([table], action)
