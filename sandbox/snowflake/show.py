"""SHOW and DESCRIBE. Only the columns that tools read; names in lower case, as Snowflake gives them."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import bucket_events
import errors
import result
from dispatch import statement
from reader import Reader
from result import Result
from session import Session

CREATED = datetime(1970, 1, 1, tzinfo=UTC)


def _like(pattern: str) -> re.Pattern[str]:
    return re.compile(
        "".join(".*" if c == "%" else "." if c == "_" else re.escape(c) for c in pattern.replace("\\_", "\x00")).replace("\x00", "_"),
        re.I | re.S,
    )


def _scope(session: Session, reader: Reader) -> tuple[str | None, str | None, Callable[[str], bool]]:
    """`[LIKE '…'] [IN ACCOUNT | DATABASE d | SCHEMA d.s | TABLE t] [STARTS WITH '…']` → database, schema, filter of names."""
    pattern = _like(reader.string()) if reader.accept("LIKE") else None
    database, schema = session.database, session.schema
    if reader.accept("IN"):
        if reader.accept("ACCOUNT"):
            database = schema = None
        elif reader.accept("DATABASE"):
            database, schema = (session.database if reader.ended else reader.identifier()), None
        else:
            reader.accept("SCHEMA")
            name = reader.name() if not reader.ended else (session.schema,)
            database, schema = name if len(name) == 2 else (session.database, name[0])
    starts = reader.string() if reader.accept("STARTS WITH") else ""
    if reader.accept("LIMIT"):
        reader.at += 1
    reader.end()
    return database, schema, lambda name: (pattern is None or pattern.fullmatch(name) is not None) and name.startswith(starts)


def _within(database: str | None, schema: str | None, key: tuple[str, ...]) -> bool:
    return (database is None or key[0] == database) and (schema is None or key[1] == schema)


def _objects(
    session: Session, reader: Reader, kind: str, row: Callable[[tuple[str, ...], dict[str, Any]], dict[str, Any]], columns: list[str]
) -> Result:
    database, schema, matches = _scope(session, reader)
    found = session.engine.catalog.all(kind)
    place = ["created_on", "name", "database_name", "schema_name"]
    records = [
        {"created_on": CREATED, "name": key[2], "database_name": key[0], "schema_name": key[1], **row(key, value)}
        for key, value in found
        if _within(database, schema, key) and matches(key[2])
    ]
    return result.rows(records, place + columns)


def _pipe(key: tuple[str, ...], pipe: dict[str, Any]) -> dict[str, Any]:
    return {
        "definition": pipe["copy"],
        "owner": "SYSADMIN",
        "notification_channel": bucket_events.QUEUE_ARN if pipe["auto_ingest"] else None,
        "comment": pipe.get("comment"),
    }


PIPE_COLUMNS = ["definition", "owner", "notification_channel", "comment"]


@statement("SHOW PIPES")
def show_pipes(session: Session, reader: Reader) -> Result:
    return _objects(session, reader, "pipe", _pipe, PIPE_COLUMNS)


@statement("DESCRIBE PIPE")
def describe_pipe(session: Session, reader: Reader) -> Result:
    key = session.resolve(reader.name(), "DESCRIBE PIPE")
    pipe = session.engine.catalog.get("pipe", key)
    record = {"created_on": CREATED, "name": key[2], "database_name": key[0], "schema_name": key[1], **_pipe(key, pipe)}
    return result.rows([record], list(record))


@statement("SHOW STAGES")
def show_stages(session: Session, reader: Reader) -> Result:
    def row(_: tuple[str, ...], stage: dict[str, Any]) -> dict[str, Any]:
        return {"url": stage["URL"], "type": "EXTERNAL", "cloud": "AWS", "storage_integration": stage.get("STORAGE_INTEGRATION")}

    return _objects(session, reader, "stage", row, ["url", "type", "cloud", "storage_integration"])


@statement("DESCRIBE STAGE")
def describe_stage(session: Session, reader: Reader) -> Result:
    stage = session.engine.catalog.get("stage", session.resolve(reader.name(), "DESCRIBE STAGE"))
    rows = [
        ("STAGE_LOCATION", "URL", f'["{stage["URL"]}"]'),
        ("STAGE_INTEGRATION", "STORAGE_INTEGRATION", str(stage.get("STORAGE_INTEGRATION", ""))),
    ]
    columns = ["parent_property", "property", "property_value"]
    return result.rows([dict(zip(columns, row, strict=True)) for row in rows], columns)


@statement("SHOW FILE FORMATS")
def show_file_formats(session: Session, reader: Reader) -> Result:
    return _objects(session, reader, "file format", lambda _, value: {"type": value["TYPE"]}, ["type"])


@statement("SHOW PROCEDURES")
def show_procedures(session: Session, reader: Reader) -> Result:
    return _callables(session, reader, "procedure")


@statement("SHOW EXTERNAL FUNCTIONS", "SHOW USER FUNCTIONS")
def show_external_functions(session: Session, reader: Reader) -> Result:
    return _callables(session, reader, "external function")


def _callables(session: Session, reader: Reader, kind: str) -> Result:
    database, schema, matches = _scope(session, reader)
    records = [
        {
            "created_on": CREATED, "name": key[2], "catalog_name": key[0], "schema_name": key[1], "min_num_arguments": int(key[3]), "max_num_arguments": int(key[3]),
            "arguments": f"{key[2]}({', '.join(t for _, t in value['arguments'])}) RETURN {value['returns']}", "language": "EXTERNAL" if "url" in value else "JAVASCRIPT",
            "is_builtin": "N", "description": value.get("comment") or f"user-defined {'procedure' if kind == 'procedure' else 'function'}",
        }
        for key, value in session.engine.catalog.all(kind)
        if _within(database, schema, key) and matches(key[2])
    ]  # fmt: skip
    return result.rows(
        records, ["created_on", "name", "catalog_name", "schema_name", "min_num_arguments", "max_num_arguments", "arguments", "language", "is_builtin", "description"]
    )


@statement("SHOW INTEGRATIONS", "SHOW STORAGE INTEGRATIONS", "SHOW API INTEGRATIONS")
def show_integrations(session: Session, reader: Reader) -> Result:
    kind = reader.head.split()[1]
    _, _, matches = _scope(session, reader)
    records = [
        {
            "name": key[0],
            "type": "EXTERNAL_STAGE" if value["KIND"] == "STORAGE" else "EXTERNAL_API",
            "category": value["KIND"],
            "enabled": str(value.get("ENABLED", "")).lower(),
            "created_on": CREATED,
        }
        for key, value in session.engine.catalog.all("integration")
        if matches(key[0]) and kind in ("INTEGRATIONS", value["KIND"])
    ]
    return result.rows(records, ["name", "type", "category", "enabled", "created_on"])


@statement("SHOW DATABASES")
def show_databases(session: Session, reader: Reader) -> Result:
    _, _, matches = _scope(session, reader)
    records = [
        {"created_on": CREATED, "name": name, "is_current": "Y" if name == session.database else "N", "owner": "SYSADMIN"}
        for name in session.engine.databases()
        if matches(name)
    ]
    return result.rows(records, ["created_on", "name", "is_current", "owner"])


@statement("SHOW SCHEMAS")
def show_schemas(session: Session, reader: Reader) -> Result:
    pattern = _like(reader.string()) if reader.accept("LIKE") else None
    database = session.database
    if reader.accept("IN"):
        database = (
            None
            if reader.accept("ACCOUNT")
            else (reader.accept("DATABASE") or True) and (session.database if reader.ended else reader.identifier())
        )
    if reader.accept("LIMIT"):
        reader.at += 1
    reader.end()
    records = [
        {
            "created_on": CREATED,
            "name": schema,
            "is_current": "Y" if (name, schema) == (session.database, session.schema) else "N",
            "database_name": name,
            "owner": "SYSADMIN",
        }
        for name in session.engine.databases()
        if database in (None, name)
        for schema in [*session.engine.schemas(name), "INFORMATION_SCHEMA"]
        if pattern is None or pattern.fullmatch(schema)
    ]
    return result.rows(records, ["created_on", "name", "is_current", "database_name", "owner"])


def _relations(session: Session, reader: Reader, where: str) -> Result:
    database, schema, matches = _scope(session, reader)
    rows = session.duck.execute(
        f"SELECT TABLE_NAME, TABLE_CATALOG, TABLE_SCHEMA, TABLE_TYPE, COMMENT, ROW_COUNT FROM memory.main._SF_TABLES WHERE {where} ORDER BY 2, 3, 1"
    ).fetchall()
    records = [
        {
            "created_on": CREATED,
            "name": name,
            "database_name": db,
            "schema_name": sc,
            "kind": "VIEW" if kind == "VIEW" else "TABLE",
            "comment": comment or "",
            "rows": count,
            "is_dynamic": "N",
            "is_iceberg": "N",
        }
        for name, db, sc, kind, comment, count in rows
        if _within(database, schema, (db, sc)) and matches(name)
    ]
    return result.rows(records, ["created_on", "name", "database_name", "schema_name", "kind", "comment", "rows", "is_dynamic", "is_iceberg"])


@statement("SHOW TABLES")
def show_tables(session: Session, reader: Reader) -> Result:
    return _relations(session, reader, "TABLE_TYPE <> 'VIEW'")


@statement("SHOW VIEWS")
def show_views(session: Session, reader: Reader) -> Result:
    return _relations(session, reader, "TABLE_TYPE = 'VIEW'")


@statement("SHOW OBJECTS")
def show_objects(session: Session, reader: Reader) -> Result:
    return _relations(session, reader, "TRUE")


def _columns(session: Session, table: tuple[str, str, str]) -> list[dict[str, Any]]:
    sql = """SELECT COLUMN_NAME, DECLARED_TYPE, IS_NULLABLE, COLUMN_DEFAULT, COMMENT FROM memory.main._SF_COLUMNS
WHERE TABLE_CATALOG = ? AND TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION"""
    rows = session.duck.execute(sql, list(table)).fetchall()
    if not rows:
        raise errors.not_found("Table", ".".join(table))
    return [dict(zip(("name", "type", "nullable", "default", "comment"), row, strict=True)) for row in rows]


@statement("DESCRIBE TABLE", "DESCRIBE VIEW")
def describe_table(session: Session, reader: Reader) -> Result:
    columns = _columns(session, session.resolve(reader.name(), "DESCRIBE"))
    names = ["name", "type", "kind", "null?", "default", "primary key", "unique key", "comment"]
    records = [
        {
            "name": c["name"],
            "type": c["type"],
            "kind": "COLUMN",
            "null?": "Y" if c["nullable"] == "YES" else "N",
            "default": c["default"],
            "primary key": "N",
            "unique key": "N",
            "comment": c["comment"],
        }
        for c in columns
    ]
    return result.rows(records, names)


@statement("SHOW COLUMNS")
def show_columns(session: Session, reader: Reader) -> Result:
    reader.expect("IN")
    reader.accept("TABLE") or reader.accept("VIEW")
    table = session.resolve(reader.name(), "SHOW COLUMNS")
    reader.end()
    records = [
        {
            "table_name": table[2],
            "schema_name": table[1],
            "column_name": c["name"],
            "data_type": c["type"],
            "null?": str(c["nullable"] == "YES").lower(),
            "default": c["default"] or "",
            "kind": "COLUMN",
            "comment": c["comment"] or "",
            "database_name": table[0],
        }
        for c in _columns(session, table)
    ]
    return result.rows(
        records, ["table_name", "schema_name", "column_name", "data_type", "null?", "default", "kind", "comment", "database_name"]
    )
