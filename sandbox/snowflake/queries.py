"""SELECT."""

import pipes
import uuid
from collections.abc import Callable

from sqlglot import exp

import dialect
import errors
import external_functions
import information_schema
import stages
from dispatch import statement
from held_tables import base_tables
from reader import Reader
from result import Result
from session import Session

CONTEXT: dict[type[exp.Expression], Callable[[Session], str | None]] = {
    exp.CurrentUser: lambda s: s.user,
    exp.CurrentRole: lambda s: s.role,
    exp.CurrentWarehouse: lambda s: s.warehouse,
    exp.CurrentDatabase: lambda s: s.database,
    exp.CurrentSchema: lambda s: s.schema,
    exp.CurrentAccount: lambda s: "LOCAL",
    exp.CurrentRegion: lambda s: "AWS_LOCAL",
    exp.CurrentSession: lambda s: s.id,
    exp.CurrentVersion: lambda s: "10.0.0",
}
NAMED_CONTEXT: dict[str, Callable[[Session], str | None]] = {
    "LAST_QUERY_ID": lambda s: s.last_query_id,
    "CURRENT_ACCOUNT_NAME": lambda s: "LOCAL",
    "CURRENT_ORGANIZATION_NAME": lambda s: "FIRN",
    "CURRENT_STATEMENT": lambda s: None,
    "CURRENT_QUERY_TAG": lambda s: str(s.parameters.get("QUERY_TAG", "")),
}


@statement("SELECT")
def select(session: Session, reader: Reader) -> Result:
    return run_query(session, dialect.parse(reader.sql))


def run_query(session: Session, query: exp.Expression) -> Result:
    dialect.name_columns(query)
    query, tables = prepare(session, query)
    return session.read(dialect.to_duckdb(query), tables)


def prepare(session: Session, query: exp.Expression) -> tuple[exp.Expression, set | None]:
    """Replaces what only this session knows, wherever a query may stand; also the tables it reads (None: unknown)."""
    query = query.transform(lambda node: _context(session, node), copy=False)
    stages.refuse_stages(query)
    query = pipes.replace_copy_history(session, query)
    query = _result_scan(session, query)
    query = external_functions.replace_calls(session, query)
    query = query.transform(dialect.identifier_function, copy=False)
    query = query.transform(dialect.f.upper_case_unquoted_identifiers, copy=False)
    tables = base_tables(session, query)
    return information_schema.replace(session, query), tables


def _context(session: Session, node: exp.Expression) -> exp.Expression:
    value = CONTEXT.get(type(node))
    if value is None and isinstance(node, exp.Anonymous):
        value = NAMED_CONTEXT.get(str(node.this).upper())
        if str(node.this).upper() == "SYSTEM$PIPE_STATUS":
            name = node.expressions[0].name
            return exp.Literal.string(pipes.status_of(session, Reader(name).name()))
        if str(node.this).upper().startswith("SYSTEM$") and str(node.this).upper() != "SYSTEM$TYPEOF":
            raise errors.unsupported(str(node.this))
    if value is None:
        return node
    found = value(session)
    return exp.null() if found is None else exp.Literal.string(found)


def _result_scan(session: Session, query: exp.Expression) -> exp.Expression:
    """TABLE(RESULT_SCAN('id')) reads the result of an earlier statement of the session."""
    for source in list(query.find_all(exp.TableFromRows)):
        call = source.this
        if isinstance(call, exp.Anonymous) and str(call.this).upper() == "RESULT_SCAN":
            found = session.results.get(call.expressions[0].name)
            if found is None:
                raise errors.SnowflakeError(f"Statement {call.expressions[0].name} not found", 709, "02000")
            view = "_scan_" + uuid.uuid4().hex
            session.duck.register(view, found.table)
            source.replace(
                exp.Table(
                    this=exp.to_identifier(view, quoted=True),
                    db=exp.to_identifier("main"),
                    catalog=exp.to_identifier("temp"),
                    alias=source.args.get("alias"),
                )
            )
    return query


def qualify(session: Session, query: exp.Expression) -> exp.Expression:
    """Names the database and schema of every table: a view is read from sessions that are elsewhere."""
    names = {cte.alias_or_name for cte in query.find_all(exp.CTE)}
    for table in query.find_all(exp.Table):
        if (
            isinstance(table.this, exp.Identifier)
            and not (not table.db and table.name in names)
            and table.db.upper() != "INFORMATION_SCHEMA"
        ):
            database, schema, name = session.resolve(tuple(part.name for part in table.parts))
            for key, value in (("catalog", database), ("db", schema), ("this", name)):
                table.set(key, exp.to_identifier(value, quoted=True))
    return query
