"""Results as JSON rowsets. Source: snowflake-connector-nodejs, connection/result/column.js, read backwards."""

import math
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

import column_types
from result import Result

UTC_OFFSET = 1440  # minutes, biased by a day


def wire_type(kind: str) -> dict[str, Any]:
    declared = column_types.from_duckdb(kind)
    name, _, params = declared.rstrip(")").partition("(")
    info: dict[str, Any] = {"precision": None, "scale": None, "length": None, "byteLength": None}
    if name == "NUMBER":
        precision, scale = map(int, params.split(","))
        return {"type": "fixed", **info, "precision": precision, "scale": scale}
    if name == "VARCHAR":
        return {"type": "text", **info, "length": int(params), "byteLength": int(params)}
    if name == "BINARY":
        return {"type": "binary", **info, "length": int(params), "byteLength": int(params)}
    if name.startswith("TIME"):
        return {"type": name.lower(), **info, "precision": 0, "scale": 9}
    return {"type": {"FLOAT": "real"}.get(name, name.lower()), **info}


def rowtype(result: Result) -> list[dict[str, Any]]:
    place = {"database": "", "schema": "", "table": "", "nullable": True, "collation": None}
    return [{"name": name, **place, **wire_type(kind)} for name, kind in zip(result.table.column_names, result.kinds, strict=True)]


def _micros(value: int) -> str:
    whole, fraction = divmod(abs(value), 1_000_000)
    return f"{'-' if value < 0 else ''}{whole}.{fraction:06d}000"


def _double(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return ("inf" if value > 0 else "-inf") if math.isinf(value) else repr(value)


def texts(column: pa.ChunkedArray, kind: str) -> list[str | None]:
    arrow = column.type
    if pa.types.is_timestamp(arrow):
        instants = column.cast(pa.timestamp("us", arrow.tz)).cast(pa.int64()).to_pylist()
        suffix = f" {UTC_OFFSET}" if arrow.tz else ""
        return [None if v is None else _micros(v) + suffix for v in instants]
    if pa.types.is_time(arrow):
        return [None if v is None else _micros(v) for v in column.cast(pa.time64("us")).cast(pa.int64()).to_pylist()]
    if pa.types.is_date(arrow):
        return [None if v is None else str(v) for v in column.cast(pa.int32()).to_pylist()]
    if pa.types.is_boolean(arrow):
        # The Python connector takes nothing else for true.
        return [None if v is None else str(int(v)) for v in column.to_pylist()]
    if pa.types.is_floating(arrow):
        return [None if v is None else _double(v) for v in column.to_pylist()]
    if pa.types.is_binary(arrow) or pa.types.is_large_binary(arrow):
        return [None if v is None else v.hex().upper() for v in column.to_pylist()]
    if pa.types.is_decimal(arrow) or pa.types.is_integer(arrow):
        return [None if v is None else format(v, "f") if pa.types.is_decimal(arrow) else str(v) for v in column.to_pylist()]
    if pa.types.is_nested(arrow):
        import json

        return [None if v is None else json.dumps(v, default=str) for v in column.to_pylist()]
    if pa.types.is_null(arrow):
        return [None] * len(column)
    if isinstance(arrow, pa.ExtensionType) or not pa.types.is_string(arrow):
        column = pc.cast(column.combine_chunks().storage if isinstance(arrow, pa.ExtensionType) else column, pa.string())
    return column.to_pylist()


def rowset(result: Result) -> list[list[str | None]]:
    columns = [texts(column, kind) for column, kind in zip(result.table.columns, result.kinds, strict=True)]
    return [list(row) for row in zip(*columns, strict=True)]
