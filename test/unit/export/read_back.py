"""Reads an exported file with one of the readers that people use, and prints its rows as JSON, each value as an exact text.

usage: read_back.py <parquet|csv|json|small> <pandas|pyarrow|duckdb|csv|json> <file> [what stands for NULL in a CSV]
"""

import csv
import json
import sys
from datetime import date, datetime, time
from decimal import Decimal

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

# The columns of the table, in order, by their kind.
COLUMNS = {
    "N": "whole", "D": "decimal", "F": "float", "S": "text", "B": "boolean", "DT": "date", "TI": "time", "TS": "timestamp", "TZ": "instant",
    "LT": "instant", "BI": "bytes", "V": "json", "A": "json", "O": "json",
}  # fmt: skip
ARROW = {
    "whole": pa.decimal128(38, 0), "decimal": pa.decimal128(12, 4), "float": pa.float64(), "text": pa.string(), "boolean": pa.bool_(),
    "date": pa.date32(), "time": pa.time64("ns"), "timestamp": pa.timestamp("ns"), "instant": pa.timestamp("ns", "UTC"), "bytes": pa.string(),
    "json": pa.string(),
}  # fmt: skip
DUCKDB = {
    "whole": "DECIMAL(38,0)", "decimal": "DECIMAL(12,4)", "float": "DOUBLE", "text": "VARCHAR", "boolean": "BOOLEAN", "date": "DATE",
    "time": "TIME", "timestamp": "TIMESTAMP", "instant": "TIMESTAMP", "bytes": "VARCHAR", "json": "VARCHAR",
}  # fmt: skip


def exact(value: object, kind: str, loose: bool, parsed: bool) -> str | None:
    """Fails for a value whose type is not what the column's kind wants."""
    if value is None or value is pandas_na():
        return None
    if isinstance(value, str) and kind == "text":
        return value
    if kind == "json":
        return json.dumps(value if parsed else json.loads(value), sort_keys=True)
    if isinstance(value, str):  # of CSV and JSON read without types
        parse = {
            "whole": Decimal, "decimal": Decimal, "float": float, "boolean": lambda v: {"true": True, "false": False}[v.lower()], "bytes": bytes.fromhex,
            "date": date.fromisoformat, "time": time.fromisoformat, "timestamp": datetime.fromisoformat, "instant": datetime.fromisoformat,
        }  # fmt: skip
        value = parse[kind](value)
    if loose and isinstance(value, (int, float)) and not isinstance(value, bool):  # JSON has one kind of number
        value = {"whole": Decimal, "decimal": lambda v: Decimal(str(v)).quantize(Decimal("0.0001")), "float": float}[kind](value)
    if kind in ("timestamp", "instant"):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%f")
    wanted = {"whole": (Decimal, int), "decimal": Decimal, "float": float, "boolean": bool, "date": date, "time": time, "bytes": bytes}[kind]
    if not isinstance(value, wanted):
        raise TypeError(f"{value!r} is {type(value)}, not {kind}")
    if kind == "bytes":
        return value.hex().upper()
    if kind == "time":
        return value.isoformat(timespec="microseconds")
    return value.isoformat() if isinstance(value, date) else format(value, "f") if isinstance(value, Decimal) else str(value)


def pandas_na() -> object:
    return sys.modules["pandas"].NA if "pandas" in sys.modules else None


def read(kind: str, reader: str, path: str, null: str) -> list[list[object]]:
    names = list(COLUMNS)[:11] if kind == "small" else list(COLUMNS)
    if kind == "parquet":
        if reader == "pyarrow":
            return [list(row.values()) for row in pq.read_table(path).to_pylist()]
        if reader == "duckdb":
            return [list(row) for row in duckdb.sql(f"SELECT * FROM read_parquet('{path}')").fetchall()]
        import pandas

        frame = pandas.read_parquet(path, dtype_backend="pyarrow")
        return [[plain(value) for value in row] for row in frame.itertuples(index=False)]
    if kind == "csv":
        if reader == "csv":  # Python's dialect `excel`: RFC 4180
            with open(path, newline="", encoding="utf-8") as file:
                head, *rows = list(csv.reader(file, dialect="excel", strict=True))
            assert head == names, head
            return [[None if value == null else value for value in row] for row in rows]
        if reader == "pyarrow":
            table = pa.csv.read_csv(
                path,
                parse_options=pa.csv.ParseOptions(newlines_in_values=True),
                convert_options=pa.csv.ConvertOptions(
                    column_types={name: ARROW[of] for name, of in COLUMNS.items()},
                    null_values=[null], strings_can_be_null=True, quoted_strings_can_be_null=False,
                ),
            )  # fmt: skip
            return [[plain(value) for value in row.values()] for row in table.to_pylist()]
        if reader == "duckdb":
            types = ", ".join(f"'{name}': '{DUCKDB[of]}'" for name, of in COLUMNS.items())
            sql = f"SELECT * FROM read_csv('{path}', header = true, columns = {{{types}}}, nullstr = '{null}', allow_quoted_nulls = false)"
            return [list(row) for row in duckdb.sql(sql).fetchall()]
        import pandas

        frame = pandas.read_csv(path, dtype=str, keep_default_na=False, na_values=[null])
        return [[None if pandas.isna(value) else value for value in row] for row in frame.itertuples(index=False)]
    if reader == "json":
        with open(path, encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        return [[row[name] for name in names] for row in rows]
    if reader == "duckdb":
        types = ", ".join(f"'{name}': '{'JSON' if of == 'json' else DUCKDB[of]}'" for name, of in COLUMNS.items())
        return [list(row) for row in duckdb.sql(f"SELECT {', '.join(names)} FROM read_json('{path}', format = 'newline_delimited', columns = {{{types}}})").fetchall()]
    if reader == "pyarrow":
        import pyarrow.json as pj

        texts = pa.schema({name: pa.string() for name in names if COLUMNS[name] not in ("whole", "decimal", "float", "boolean")})
        table = pj.read_json(path, parse_options=pj.ParseOptions(explicit_schema=texts))
        return [[row[name] for name in names] for row in table.to_pylist()]
    import pandas

    frame = pandas.read_json(path, lines=True, dtype=False, precise_float=True)
    return [[None if not isinstance(value, (list, dict)) and pandas.isna(value) else value for value in row] for row in frame[names].itertuples(index=False)]


def plain(value: object) -> object:
    return value.to_pydatetime() if hasattr(value, "to_pydatetime") else value


def main(kind: str, reader: str, path: str, null: str = "") -> None:
    rows = read(kind, reader, path, null)
    loose, parsed = kind in ("json", "small"), kind == "json" and reader == "json"
    print(json.dumps([[exact(value, of, loose, parsed) for value, of in zip(row, COLUMNS.values())] for row in rows]))


main(*sys.argv[1:])
