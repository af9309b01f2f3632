"""What a statement answers, before it is put on the wire."""

from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

# Statement types as the drivers know them. Source: snowflake-connector-nodejs, connection/result/statement_type.js
SELECT, INSERT, UPDATE, DELETE, MERGE, COPY, OTHER = 0x1000, 0x3100, 0x3200, 0x3300, 0x3400, 0x3600, 0x6000
DONE = "Statement executed successfully."


@dataclass
class Result:
    table: pa.Table
    kinds: list[str]
    """DuckDB types of the columns."""
    statement: int = SELECT
    affected: int | None = None
    counts: dict[str, int] = field(default_factory=dict)
    """inserted, updated, deleted"""


def rows(records: list[dict[str, Any]], columns: list[str], statement: int = SELECT, affected: int | None = None) -> Result:
    """A result from Python values; `columns` also when there are no rows."""
    arrays, kinds = [], []
    for name in columns:
        values = [record.get(name) for record in records]
        array = pa.array(values) if any(v is not None for v in values) else pa.array(values, pa.string())
        arrays.append(array)
        kinds.append(_kind(array.type))
    return Result(pa.Table.from_arrays(arrays, names=columns), kinds, statement, affected)


def _kind(kind: pa.DataType) -> str:
    if pa.types.is_boolean(kind):
        return "BOOLEAN"
    if pa.types.is_integer(kind):
        return "BIGINT"
    if pa.types.is_floating(kind):
        return "DOUBLE"
    if pa.types.is_timestamp(kind):
        return "TIMESTAMP WITH TIME ZONE" if kind.tz else "TIMESTAMP"
    return "VARCHAR"


def status(text: str = DONE) -> Result:
    return rows([{"status": text}], ["status"], OTHER)


def variant(name: str, json_text: str | None) -> Result:
    return Result(pa.Table.from_arrays([pa.array([json_text], pa.string())], names=[name]), ["JSON"], SELECT)


COUNT_NAMES = {
    INSERT: ["number of rows inserted"],
    UPDATE: ["number of rows updated", "number of multi-joined rows updated"],
    DELETE: ["number of rows deleted"],
}


def counted(statement: int, **counts: int) -> Result:
    """What DML answers."""
    record = {f"number of rows {kind}": n for kind, n in counts.items()}
    if statement == UPDATE:
        record["number of multi-joined rows updated"] = 0
    result = rows([record], list(record), statement, sum(counts.values()))
    result.counts = counts
    return result
