"""CREATE and DROP of databases and schemas."""

import errors
from dispatch import statement
from lexer import quoted
from reader import Reader
from result import Result, status
from session import Session


@statement("CREATE DATABASE")
def create_database(session: Session, reader: Reader) -> Result:
    if_not_exists = reader.if_not_exists()
    name = reader.identifier()
    _ignore(reader, {"COMMENT", "DATA_RETENTION_TIME_IN_DAYS", "MAX_DATA_EXTENSION_TIME_IN_DAYS"})
    session.commit()
    if name in session.engine.databases():
        if if_not_exists:
            return status(f"{name} already exists, statement succeeded.")
        if not reader.replace:
            raise errors.already_exists(name)
        session.engine.drop_database(name)
    session.engine.create_database(name)
    if not session.procedures:
        session.use(name, "PUBLIC")
    return status(f"Database {name} successfully created.")


@statement("CREATE SCHEMA")
def create_schema(session: Session, reader: Reader) -> Result:
    if_not_exists = reader.if_not_exists()
    database, schema, _ = session.resolve((*reader.name(), ""), "CREATE SCHEMA")
    reader.accept("WITH MANAGED ACCESS")
    _ignore(reader, {"COMMENT", "DATA_RETENTION_TIME_IN_DAYS", "MAX_DATA_EXTENSION_TIME_IN_DAYS"})
    if database not in session.engine.databases():
        raise errors.not_found("Database", database)
    exists = schema in session.engine.schemas(database)
    if exists and not if_not_exists and not reader.replace:
        raise errors.already_exists(schema)

    def create() -> Result:
        if reader.replace:
            session.duck.execute(f"DROP SCHEMA IF EXISTS {quoted(database, schema)} CASCADE")
        session.duck.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(database, schema)}")
        return status(
            f"{schema} already exists, statement succeeded." if exists and if_not_exists else f"Schema {schema} successfully created."
        )

    answer = session.define([(database, schema, "")], create)
    if reader.replace:
        session.engine.catalog.drop_within((database, schema))
    if not session.procedures:
        session.use(database, schema)
    return answer


@statement("DROP DATABASE")
def drop_database(session: Session, reader: Reader) -> Result:
    if_exists = reader.if_exists()
    name = reader.identifier()
    session.commit()
    if name not in session.engine.databases():
        if if_exists:
            return status("Drop statement executed successfully (object does not exist).")
        raise errors.not_found("Database", name)
    if session.database == name:
        session.use(None, None)
    session.engine.drop_database(name)
    return status(f"{name} successfully dropped.")


@statement("DROP SCHEMA")
def drop_schema(session: Session, reader: Reader) -> Result:
    if_exists = reader.if_exists()
    database, schema, _ = session.resolve((*reader.name(), ""), "DROP SCHEMA")
    if schema not in session.engine.schemas(database):
        if if_exists:
            return status("Drop statement executed successfully (object does not exist).")
        raise errors.not_found("Schema", f"{database}.{schema}")
    if (session.database, session.schema) == (database, schema):
        session.use(database, None)

    def drop() -> Result:
        session.duck.execute(f"DROP SCHEMA {quoted(database, schema)} CASCADE")
        return status(f"{schema} successfully dropped.")

    answer = session.define([(database, schema, "")], drop)
    session.engine.catalog.drop_within((database, schema))
    return answer


def _ignore(reader: Reader, allowed: set[str]) -> None:
    """Options that change nothing that can be seen here."""
    given = reader.options()
    if set(given) - allowed or not reader.ended:
        raise errors.unsupported(reader.sql)
