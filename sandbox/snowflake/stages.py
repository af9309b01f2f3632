"""External stages, file formats, LIST and REMOVE."""

import re
from typing import Any

from sqlglot import exp

import errors
import result
from dispatch import statement
from reader import Reader
from result import Result, status
from session import Session

FILE_FORMAT_DEFAULTS: dict[str, dict[str, Any]] = {
    "PARQUET": {"USE_LOGICAL_TYPE": False, "BINARY_AS_TEXT": True, "NULL_IF": ["\\N"], "TRIM_SPACE": False},
    "CSV": {"FIELD_DELIMITER": ",", "SKIP_HEADER": 0, "NULL_IF": ["\\N"], "COMPRESSION": "AUTO"},
    "JSON": {"COMPRESSION": "AUTO"},
}
KNOWN_OPTIONS = {
    "PARQUET": {"USE_LOGICAL_TYPE", "BINARY_AS_TEXT", "NULL_IF", "TRIM_SPACE", "USE_VECTORIZED_SCANNER", "COMPRESSION", "SNAPPY_COMPRESSION", "REPLACE_INVALID_CHARACTERS"},
    "CSV": {"FIELD_DELIMITER", "RECORD_DELIMITER", "SKIP_HEADER", "PARSE_HEADER", "NULL_IF", "COMPRESSION", "FIELD_OPTIONALLY_ENCLOSED_BY", "EMPTY_FIELD_AS_NULL", "ESCAPE_UNENCLOSED_FIELD", "TIMESTAMP_FORMAT", "DATE_FORMAT", "TIME_FORMAT", "BINARY_FORMAT", "ENCODING"},
    "JSON": {"COMPRESSION", "STRIP_OUTER_ARRAY", "TIMESTAMP_FORMAT"},
}  # fmt: skip


def check_format(options: dict[str, Any]) -> dict[str, Any]:
    kind = str(options.get("TYPE", "CSV")).upper()
    if kind not in KNOWN_OPTIONS:
        raise errors.unsupported(f"FILE_FORMAT TYPE = {kind}")
    unknown = set(options) - KNOWN_OPTIONS[kind] - {"TYPE", "COMMENT"}
    if unknown:
        raise errors.SnowflakeError(f"SQL compilation error:\ninvalid parameter '{sorted(unknown)[0]}'", 1420, "42601")
    return {**options, "TYPE": kind}


def file_format(session: Session, *layers: dict[str, Any] | str | None) -> dict[str, Any]:
    """The file format that counts: the statement's over the stage's over the defaults."""
    chosen: dict[str, Any] = {}
    for layer in layers:
        if isinstance(layer, str):
            layer = {"FORMAT_NAME": layer}
        if not layer:
            continue
        if "FORMAT_NAME" in layer:
            key = session.resolve(Reader(layer["FORMAT_NAME"]).name(), "COPY")
            layer = session.engine.catalog.get("file format", key)
        chosen = check_format(layer)
    kind = chosen.get("TYPE", "CSV")
    return {**FILE_FORMAT_DEFAULTS[kind], **chosen, "TYPE": kind}


@statement("CREATE FILE FORMAT")
def create_file_format(session: Session, reader: Reader) -> Result:
    if_not_exists = reader.if_not_exists()
    key = session.resolve(reader.name(), "CREATE FILE FORMAT")
    options = check_format(reader.options())
    reader.end()
    made = session.engine.catalog.create("file format", key, options, replace=reader.replace, if_not_exists=if_not_exists)
    return status(f"File format {key[2]} successfully created." if made else f"{key[2]} already exists, statement succeeded.")


@statement("ALTER FILE FORMAT")
def alter_file_format(session: Session, reader: Reader) -> Result:
    reader.if_exists()
    key = session.resolve(reader.name(), "ALTER FILE FORMAT")
    reader.expect("SET")
    options = reader.options()
    reader.end()
    check_format({**session.engine.catalog.get("file format", key), **options})
    session.engine.catalog.change("file format", key, **options)
    return status()


@statement("CREATE STAGE")
def create_stage(session: Session, reader: Reader) -> Result:
    if_not_exists = reader.if_not_exists()
    key = session.resolve(reader.name(), "CREATE STAGE")
    options = reader.options()
    reader.end()
    _check_stage(session, options, reader.sql)
    made = session.engine.catalog.create("stage", key, options, replace=reader.replace, if_not_exists=if_not_exists)
    return status(f"Stage area {key[2]} successfully created." if made else f"{key[2]} already exists, statement succeeded.")


@statement("ALTER STAGE")
def alter_stage(session: Session, reader: Reader) -> Result:
    reader.if_exists()
    key = session.resolve(reader.name(), "ALTER STAGE")
    reader.expect("SET")
    options = reader.options()
    reader.end()
    _check_stage(session, {**session.engine.catalog.get("stage", key), **options}, reader.sql)
    session.engine.catalog.change("stage", key, **options)
    return status()


def _check_stage(session: Session, options: dict[str, Any], sql: str) -> None:
    if set(options) - {"URL", "STORAGE_INTEGRATION", "FILE_FORMAT", "COMMENT", "DIRECTORY"} or not str(options.get("URL", "")).startswith(
        "s3://"
    ):
        raise errors.unsupported(sql)
    if "STORAGE_INTEGRATION" in options:
        integration = session.engine.catalog.get("integration", (str(options["STORAGE_INTEGRATION"]),))
        allowed = integration.get("STORAGE_ALLOWED_LOCATIONS", [])
        if not any(location == "*" or options["URL"].startswith(location) for location in allowed):
            raise errors.SnowflakeError(
                f"SQL compilation error:\nLocation '{options['URL']}' is not allowed by integration {options['STORAGE_INTEGRATION']}.",
                3167,
                "42601",
            )


def locate(session: Session, path: str) -> tuple[str, dict[str, Any]]:
    """`@db.schema.stage/dir/` → (`s3://bucket/…/dir/`, the stage's file format)."""
    if path.startswith("s3://"):
        return path, {}
    if not path.startswith("@"):
        raise errors.syntax_error(f"not a stage: {path}")
    name, slash, rest = re.fullmatch(r'@((?:"[^"]*"|[^/"])+)(/?)(.*)', path, re.S).groups()
    key = session.resolve(Reader(name).name(), "this statement")
    stage = session.engine.catalog.get("stage", key)
    return (stage["URL"] if not slash else stage["URL"].rstrip("/") + "/" + rest), stage.get("FILE_FORMAT", {})


def list_files(session: Session, url: str, pattern: str | None = None) -> list[dict[str, Any]]:
    """Objects whose key begins with the URL, in order."""
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    fs = session.engine.filesystem()
    directory = f"{bucket}/{prefix.rpartition('/')[0]}"
    try:
        found = fs.find(directory, detail=True)
    except FileNotFoundError:
        found = {}
    files = [
        {"url": f"s3://{key}", "key": key.partition("/")[2], **info} for key, info in sorted(found.items()) if f"s3://{key}".startswith(url)
    ]
    return [file for file in files if not pattern or re.fullmatch(pattern, file["key"])]


@statement("LIST")
def list_stage(session: Session, reader: Reader) -> Result:
    reader.at += 1
    url, _ = locate(session, reader.path())
    files = list_files(session, url, reader.options().get("PATTERN"))
    found = [
        {
            "name": file["url"],
            "size": file["size"],
            "md5": file["ETag"].strip('"'),
            "last_modified": file["LastModified"].strftime("%a, %d %b %Y %H:%M:%S GMT"),
        }
        for file in files
    ]
    return result.rows(found, ["name", "size", "md5", "last_modified"])


@statement("REMOVE")
def remove(session: Session, reader: Reader) -> Result:
    reader.at += 1
    url, _ = locate(session, reader.path())
    files = list_files(session, url, reader.options().get("PATTERN"))
    for file in files:
        session.engine.filesystem().rm_file(file["url"])
    return result.rows([{"name": file["url"], "result": "removed"} for file in files], ["name", "result"])


@statement("DROP STAGE", "DROP FILE FORMAT", "DROP PIPE")
def drop(session: Session, reader: Reader) -> Result:
    kind = reader.head.removeprefix("DROP ").lower()
    if_exists = reader.if_exists()
    key = session.resolve(reader.name(), f"DROP {kind}")
    reader.end()
    session.engine.catalog.drop(kind, key, if_exists=if_exists)
    return status(f"{key[2]} successfully dropped.")


def refuse_stages(query: exp.Expression) -> None:
    """SELECT … FROM @stage has no counterpart here."""
    for table in query.find_all(exp.Table):
        if table.this.sql("snowflake").startswith("@"):
            raise errors.unsupported("SELECT … FROM @stage")
