"""BEGIN, COMMIT, ROLLBACK; ALTER SESSION, SET, USE."""

import errors
from dispatch import statement
from lexer import literal
from reader import Reader
from result import Result, status
from session import Session

# Session parameters that may be set: those with an effect here, and those that change nothing that can be seen.
EFFECTIVE = {"TIMEZONE", "QUERY_TAG"}
WITHOUT_EFFECT = {
    "STATEMENT_TIMEOUT_IN_SECONDS", "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS", "LOCK_TIMEOUT", "ABORT_DETACHED_QUERY", "CLIENT_SESSION_KEEP_ALIVE",
    "USE_CACHED_RESULT", "MULTI_STATEMENT_COUNT", "ROWS_PER_RESULTSET", "JS_TREAT_INTEGER_AS_BIGINT", "CLIENT_PREFETCH_THREADS", "AUTOCOMMIT", "ENABLE_UNLOAD_PHYSICAL_TYPE_OPTIMIZATION",
}  # fmt: skip


@statement("BEGIN", "START")
def begin(session: Session, reader: Reader) -> Result:
    reader.at += 1
    if not (reader.accept("TRANSACTION") or reader.accept("WORK") or reader.ended or reader.word() == "NAME"):
        raise errors.unsupported("Snowflake Scripting: " + reader.sql)
    session.begin()
    return status()


@statement("COMMIT")
def commit(session: Session, reader: Reader) -> Result:
    session.commit()
    return status()


@statement("ROLLBACK")
def rollback(session: Session, reader: Reader) -> Result:
    session.rollback()
    return status()


def forbid_in_procedure(session: Session, what: str) -> None:
    if any(procedure["owner"] for procedure in session.procedures):
        raise errors.SnowflakeError(f"Stored procedure execution error: Unsupported statement type '{what}'.", 90244, "0A000")


def set_parameters(session: Session, parameters: dict) -> None:
    for name, value in parameters.items():
        if name == "TIMEZONE":
            session.set_timezone(str(value))
        elif name == "AUTOCOMMIT" and value is not True:
            raise errors.unsupported("AUTOCOMMIT = FALSE")
        elif name in EFFECTIVE or name in WITHOUT_EFFECT:
            session.parameters[name] = value
        else:
            raise errors.unsupported(f"session parameter {name}")


@statement("ALTER SESSION")
def alter_session(session: Session, reader: Reader) -> Result:
    forbid_in_procedure(session, "ALTER_SESSION")
    if reader.accept("UNSET"):
        while not reader.ended:
            name = reader.identifier()
            session.parameters.pop(name, None)
            reader.accept(",")
            if name == "TIMEZONE":
                session.set_timezone("UTC")
        return status()
    reader.expect("SET")
    set_parameters(session, reader.options())
    reader.end()
    return status()


@statement("SET")
def set_variable(session: Session, reader: Reader) -> Result:
    reader.expect("SET")
    name = reader.identifier()
    reader.expect("=")
    value = session.execute("SELECT " + reader.rest()).table.column(0)[0].as_py()
    session.variables[name] = literal(value)
    return status()


@statement("UNSET")
def unset_variable(session: Session, reader: Reader) -> Result:
    reader.expect("UNSET")
    session.variables.pop(reader.identifier(), None)
    return status()


@statement("USE")
def use(session: Session, reader: Reader) -> Result:
    forbid_in_procedure(session, "USE")
    reader.expect("USE")
    if reader.accept("ROLE"):
        session.role = reader.identifier()
    elif reader.accept("WAREHOUSE"):
        session.warehouse = reader.identifier()
    elif reader.accept("SECONDARY ROLES"):
        reader.at += 1
    elif reader.accept("SCHEMA"):
        use_schema(session, reader.name())
    elif reader.accept("DATABASE"):
        use_database(session, reader.identifier())
    else:
        name = reader.name()
        use_schema(session, name) if len(name) == 2 else use_database(session, name[0])
    reader.end()
    return status()


def use_schema(session: Session, name: tuple[str, ...]) -> None:
    database, schema = name if len(name) == 2 else (session.database, name[0])
    if database is None:
        raise errors.SnowflakeError("Cannot perform USE SCHEMA. This session does not have a current database.", 90105, "22000")
    if database not in session.engine.databases() or schema not in session.engine.schemas(database):
        raise errors.SnowflakeError(
            f"SQL compilation error:\nObject does not exist, or operation cannot be performed: {database}.{schema}", 2043, "02000"
        )
    session.use(database, schema)


def use_database(session: Session, database: str) -> None:
    if database not in session.engine.databases():
        raise errors.SnowflakeError(
            f"SQL compilation error:\nObject does not exist, or operation cannot be performed: {database}", 2043, "02000"
        )
    session.use(database, "PUBLIC" if "PUBLIC" in session.engine.schemas(database) else None)
