"""Snowflake's column types and how DuckDB stores them.

DuckDB has no TIMESTAMP_LTZ beside TIMESTAMP_TZ, no length of VARCHAR, no OBJECT or ARRAY beside VARIANT: the declared type of each
column is kept in its DuckDB comment, which follows the column through every ALTER.
"""

import json
import re

from sqlglot import exp

T = exp.DataType.Type

TEXT_LENGTH, BINARY_LENGTH = 16_777_216, 8_388_608
WHOLE = {T.INT, T.BIGINT, T.SMALLINT, T.TINYINT, T.INT128, T.UINT, T.UBIGINT, T.MEDIUMINT}
TEXT = {T.VARCHAR, T.TEXT, T.CHAR, T.NVARCHAR, T.NCHAR}


def declared(kind: exp.DataType) -> str:
    """`NUMBER(38,0)`, `VARCHAR(16777216)`, `TIMESTAMP_NTZ(9)`, … of a parsed type."""
    params = [int(p.this.this) for p in kind.expressions if isinstance(p, exp.DataTypeParam)]
    name = kind.this
    if name in WHOLE:
        return "NUMBER(38,0)"
    if name in (T.DECIMAL, T.BIGDECIMAL):
        precision, scale = (params + [38, 0][len(params) :])[:2] if params else (38, 0)
        return f"NUMBER({precision},{scale})"
    if name in TEXT:
        return f"VARCHAR({params[0] if params else 1 if name in (T.CHAR, T.NCHAR) else TEXT_LENGTH})"
    if name in (T.FLOAT, T.DOUBLE):
        return "FLOAT"
    if name in (T.BINARY, T.VARBINARY):
        return f"BINARY({params[0] if params else BINARY_LENGTH})"
    simple = {T.BOOLEAN: "BOOLEAN", T.DATE: "DATE", T.VARIANT: "VARIANT", T.OBJECT: "OBJECT", T.ARRAY: "ARRAY", T.LIST: "ARRAY"}
    if name in simple:
        return simple[name]
    timed = {
        T.TIME: "TIME",
        T.TIMESTAMP: "TIMESTAMP_NTZ",
        T.TIMESTAMPNTZ: "TIMESTAMP_NTZ",
        T.DATETIME: "TIMESTAMP_NTZ",
        T.TIMESTAMPTZ: "TIMESTAMP_TZ",
        T.TIMESTAMPLTZ: "TIMESTAMP_LTZ",
    }
    if name in timed:
        return f"{timed[name]}({params[0] if params else 9})"
    raise NotImplementedError(f"type {kind.sql('snowflake')}")


def duckdb_type(declared_type: str) -> str:
    name = declared_type.partition("(")[0]
    if name == "NUMBER":
        return declared_type.replace("NUMBER", "DECIMAL")
    if name in ("TIME", "DATE", "BOOLEAN"):
        return name
    return {
        "VARCHAR": "VARCHAR",
        "FLOAT": "DOUBLE",
        "BINARY": "BLOB",
        "TIMESTAMP_NTZ": "TIMESTAMP",
        "TIMESTAMP_TZ": "TIMESTAMPTZ",
        "TIMESTAMP_LTZ": "TIMESTAMPTZ",
    }.get(name, "JSON")


def from_duckdb(kind: str) -> str:
    """The declared type of a column that nobody declared: of a view or of CREATE TABLE … AS."""
    if kind.startswith("DECIMAL"):
        return kind.replace("DECIMAL", "NUMBER").replace(" ", "")
    if re.fullmatch(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?", kind):
        return "NUMBER(38,0)"
    if kind.endswith("]"):
        return "ARRAY"
    return {
        "VARCHAR": f"VARCHAR({TEXT_LENGTH})", "DOUBLE": "FLOAT", "FLOAT": "FLOAT", "BLOB": f"BINARY({BINARY_LENGTH})", "BOOLEAN": "BOOLEAN",
        "DATE": "DATE", "TIME": "TIME(9)", "TIMESTAMP": "TIMESTAMP_NTZ(9)", "TIMESTAMP_NS": "TIMESTAMP_NTZ(9)", "TIMESTAMP WITH TIME ZONE": "TIMESTAMP_TZ(9)",
        '"NULL"': f"VARCHAR({TEXT_LENGTH})", "UUID": "VARCHAR(36)",
    }.get(kind, "VARIANT")  # fmt: skip


def note(declared_type: str, comment: str | None = None) -> str:
    """What stands in the DuckDB comment of a column."""
    return json.dumps({"type": declared_type, **({"comment": comment} if comment is not None else {})})


def read_note(text: str | None, duckdb_kind: str) -> tuple[str, str | None]:
    """(declared type, comment). A note that no longer fits what DuckDB holds is ignored."""
    found = json.loads(text) if text else {}
    kind = found.get("type")
    return (kind if kind else from_duckdb(duckdb_kind)), found.get("comment")
