"""A Parquet file into the columns of a table: each value exactly, or a load error as Snowflake gives it."""

import re
from typing import Any

import column_types
import errors
from held_tables import columns_of, text_of
from lexer import quoted
from session import Session

# What INCLUDE_METADATA may name.
METADATA = {
    "METADATA$FILENAME": lambda file: text_of(file["key"]),
    "METADATA$FILE_ROW_NUMBER": lambda file: "file_row_number + 1",
    "METADATA$START_SCAN_TIME": lambda file: "now()",
    "METADATA$FILE_LAST_MODIFIED": lambda file: f"TIMESTAMPTZ {text_of(str(file['LastModified']))}",
    "METADATA$FILE_CONTENT_KEY": lambda file: text_of(file["ETag"].strip('"')),
}


class LoadError(errors.SnowflakeError):
    def __init__(self, message: str, column: str | None, line: int | None = None):
        super().__init__(message, 100038, "22018")
        self.column, self.line = column, line


def source(url: str) -> str:
    return f"read_parquet({text_of(url)}, file_row_number = true)"


def insert_sql(
    session: Session, table: tuple[str, str, str], file: dict[str, Any], options: dict[str, Any], format_: dict[str, Any]
) -> tuple[str, dict[str, str]]:
    """(the INSERT, the expression of each column)."""
    held = {name: column_types.read_note(note, kind)[0] for name, (kind, note) in columns_of(session, table).items()}
    match = str(options["MATCH_BY_COLUMN_NAME"]).upper()
    fold = str.upper if match == "CASE_INSENSITIVE" else str
    in_file = {
        fold(name): (name, kind)
        for name, kind, *_ in session.duck.execute(f"DESCRIBE SELECT * FROM {source(file['url'])}").fetchall()
        if name != "file_row_number"
    }
    values: dict[str, str] = {}
    for column, declared in held.items():
        if fold(column) in in_file:
            name, kind = in_file[fold(column)]
            values[column] = expression(name, kind, declared, format_)
    for column, what in (options.get("INCLUDE_METADATA") or {}).items():
        if str(what).upper() not in METADATA:
            raise errors.unsupported(f"INCLUDE_METADATA {what}")
        if column not in held:
            raise errors.SnowflakeError(f"SQL compilation error:\ninvalid identifier '{column}'", 904, "42000")
        values[column] = f"CAST({METADATA[str(what).upper()](file)} AS {column_types.duckdb_type(held[column])})"
    if not values:
        raise LoadError("No column of the file has the name of a column of the table", None)
    names = ", ".join(quoted(name) for name in values)
    return f"INSERT INTO {quoted(*table)} ({names}) SELECT {', '.join(values.values())} FROM {source(file['url'])}", values


def expression(name: str, kind: str, declared: str, format_: dict[str, Any]) -> str:
    value, family = quoted(name), declared.partition("(")[0]
    size = next(iter(re.findall(r"\d+", declared.partition("(")[2])), None)
    if kind.startswith(("TIMESTAMP", "DATE", "TIME")) and format_.get("USE_LOGICAL_TYPE") is not True:
        raise errors.unsupported(f"dates and times in Parquet without USE_LOGICAL_TYPE = TRUE (column {name}): Snowflake misreads them")
    if kind == "BLOB" and format_.get("BINARY_AS_TEXT") is not False:
        raise errors.unsupported(f"binary values in Parquet without BINARY_AS_TEXT = FALSE (column {name}): Snowflake takes them for text")
    if kind == "VARCHAR":
        for null in format_.get("NULL_IF") or []:
            value = f"nullif({value}, {text_of(null)})"
    if kind == "UBIGINT":
        value = f"CASE WHEN {value} > 9223372036854775807 THEN error('Invalid unsigned 64 bit integer in column {name}')::UBIGINT ELSE {value} END"
    if family in ("VARIANT", "OBJECT", "ARRAY"):
        return f"to_json({value})"
    if family == "VARCHAR":
        text = value if kind == "VARCHAR" else f"_sf_text({value})"
        limit = int(size)
        return f"CASE WHEN length({text}) > {limit} THEN error('User character length limit ({limit}) exceeded by string ''' || left({text}, 20) || '''') ELSE {text} END"
    if family == "BINARY" and kind != "BLOB":
        raise LoadError(
            f"Expression type does not match column data type, expecting {declared} but got {column_types.from_duckdb(kind)} for column {name}",
            name,
        )
    if family == "BINARY":
        return (
            f"CASE WHEN octet_length({value}) > {size} THEN error('Binary value is too long and would be truncated')::BLOB ELSE {value} END"
        )
    if family.startswith(("TIMESTAMP", "DATE", "TIME")) and not kind.startswith(("TIMESTAMP", "DATE", "TIME", "VARCHAR")):
        raise LoadError(
            f"Expression type does not match column data type, expecting {declared} but got {column_types.from_duckdb(kind)} for column {name}",
            name,
        )
    return f"CAST({value} AS {column_types.duckdb_type(declared)})"


def explain(session: Session, url: str, values: dict[str, str], error: Exception) -> LoadError:
    """The first column that does not load, and in Snowflake's words why."""
    connection = session.engine.connect()
    for column, value in values.items():
        try:
            connection.execute(f"SELECT count({value}) FROM {source(url)}").fetchall()
        except Exception as found:  # noqa: BLE001  any failure names the column
            return LoadError(in_snowflakes_words(str(found)), column, _first_bad_row(connection, url, value))
    return LoadError(in_snowflakes_words(str(error)), None)


def _first_bad_row(connection: Any, url: str, value: str) -> int:
    """Its number in the file, from 1: halves the rows before which nothing fails."""
    good, bad = 0, connection.execute(f"SELECT count(*) FROM {source(url)}").fetchone()[0]
    while bad - good > 1:
        middle = (good + bad) // 2
        try:
            connection.execute(f"SELECT count({value}) FROM {source(url)} WHERE file_row_number < {middle}").fetchall()
            good = middle
        except Exception:  # noqa: BLE001  as above
            bad = middle
    return bad


def in_snowflakes_words(text: str) -> str:
    text = text.split("\n\nLINE")[0]
    not_a = re.search(r"Could not convert string \"?'?(.*?)'?\"? to ('?[A-Z]+)", text, re.S)
    if not_a:
        kind = not_a[2].strip("'")
        word = {"DATE": "Date", "TIME": "Time", "BOOL": "Boolean value", "BOOLEAN": "Boolean value"}.get(
            kind, "Timestamp" if kind.startswith("TIMESTAMP") else "Numeric value"
        )
        return f"{word} '{not_a[1][:100]}' is not recognized"
    moment = re.search(r"invalid (timestamp|date|time) field format: \"(.*?)\",", text, re.S)
    if moment:
        return f"{moment[1].capitalize()} '{moment[2][:100]}' is not recognized"
    too_big = re.search(r"(?:Could not cast value|Casting value) \"?([^\" ]+)\"? to(?: type)? (DECIMAL\(\d+,\s*\d+\))", text)
    if too_big:
        return f"Number out of representable range: type FIXED[{too_big[2]}], value {too_big[1]}"
    missing = re.search(r"NOT NULL constraint failed: \S*?\.?([^.\s]+)$", text)
    if missing:
        return f"NULL result in a non-nullable column: {missing[1]}"
    return re.sub(r"^(?:Invalid Input|Conversion|Constraint) Error: ", "", text)
