"""Values on their way from the query into the file. `travels` is what the query sends, counted from 2000-01-01 where it counts."""

import datetime
import decimal
from math import isnan

import extract_table as job
import pyarrow as pa
import pytest

DATE, TIME, DOUBLE = {"kind": "date"}, {"kind": "time"}, {"kind": "double"}
LOCAL, INSTANT = {"kind": "timestamp", "utc": False}, {"kind": "timestamp", "utc": True}
INT_MAX, INT_MIN, LONG_MAX, LONG_MIN = 0x7FFFFFFF, -0x80000000, 0x7FFFFFFFFFFFFFFF, -0x8000000000000000
UTC = datetime.UTC
travel_types = {"date": pa.int32(), "time": pa.int64(), "timestamp": pa.int64(), "decimal": pa.string(), "binary": pa.binary()}


def number(precision: int, scale: int) -> dict:
    return {"kind": "decimal", "precision": precision, "scale": scale}


def column(parquet: dict, policy: str | None) -> dict:
    made = {"name": "v", "target": "V", "sourceType": "the type", "staging": "THIS", "parquet": parquet}
    return {**made, "unrepresentable": policy} if policy else made


def batch(parquet: dict, *values: object) -> pa.RecordBatch:
    keys = pa.array(range(7, 7 + len(values)), pa.int32())
    return pa.RecordBatch.from_arrays([pa.array(values, travel_types.get(parquet["kind"], pa.string())), keys], names=["0", "1"])


def policies(parquet: dict, policy: str | None = None) -> job.Policies:
    key = {"name": "id", "target": "ID", "sourceType": "integer", "staging": "NUMBER(38,0)", "parquet": {"kind": "int32"}}
    return job.Policies("postgres", "public.t", [column(parquet, policy), key], ["ID"])


@pytest.mark.parametrize(
    ("parquet", "policy", "travels", "arrives"),
    [
        (DATE, "error", 0, datetime.date(2000, 1, 1)),
        (DATE, "error", -730_119, datetime.date(1, 1, 1)),
        (DATE, "error", 2_921_939, datetime.date(9999, 12, 31)),
        (DATE, "error", None, None),
        (DATE, "null", INT_MAX, None),
        (DATE, "null", 2_921_940, None),
        (DATE, "clamp", INT_MAX, datetime.date(9999, 12, 31)),
        (DATE, "clamp", INT_MIN, datetime.date(1, 1, 1)),
        (DATE, "clamp", None, None),
        (TIME, "error", 86_399_999_999, datetime.time(23, 59, 59, 999_999)),
        (TIME, "clamp", 86_400_000_000, datetime.time(23, 59, 59, 999_999)),
        (TIME, "null", 86_400_000_000, None),
        (LOCAL, "error", -1, datetime.datetime(1999, 12, 31, 23, 59, 59, 999_999)),
        (INSTANT, "error", 1, datetime.datetime(2000, 1, 1, 0, 0, 0, 1, tzinfo=UTC)),
        (INSTANT, "clamp", LONG_MAX, datetime.datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
        (INSTANT, "clamp", LONG_MIN, datetime.datetime(1, 1, 1, tzinfo=UTC)),
        (LOCAL, "null", LONG_MIN, None),
        (number(10, 2), "error", "-1.50", decimal.Decimal("-1.50")),
        (number(38, 9), None, "12345678901234567890123456789.123456789", decimal.Decimal("12345678901234567890123456789.123456789")),
        (number(38, 37), None, "0.1", decimal.Decimal("0.1")),
        (number(5, 0), None, "12345.000", decimal.Decimal(12345)),
        (number(20, 0), None, "18446744073709551615", decimal.Decimal("18446744073709551615")),
        (number(10, 2), "null", "NaN", None),
        (number(10, 2), "null", "-Infinity", None),
        (number(10, 2), "error", None, None),
    ],
)
def test_a_value_arrives(parquet: dict, policy: str | None, travels: object, arrives: object) -> None:
    deciding = policies(parquet, policy)
    converted = job.convert(0, batch(parquet, travels, None), deciding)
    assert converted.type == job.arrow_type(parquet)
    assert converted.to_pylist() == [arrives, None]
    assert sum(deciding.counts.values()) == (1 if policy in ("null", "clamp") and travels is not None else 0)


@pytest.mark.parametrize(
    ("parquet", "policy", "travels", "says"),
    [
        (DATE, "error", INT_MAX, "holds infinity, which THIS cannot hold (policy date_out_of_range)."),
        (DATE, "error", INT_MIN, "holds -infinity"),
        (DATE, "error", -730_120, "holds 0000-12-31"),
        (DATE, "error", 2_921_940, "holds +010000-01-01"),
        (DATE, "error", -2_451_545, "holds -004713-11-24"),
        (DATE, "error", 2_145_031_948, "holds 2000-01-01 + 2145031948 days"),
        (TIME, "error", 86_400_000_000, "holds 86400000000 microseconds after midnight"),
        (INSTANT, "error", LONG_MAX, "holds infinity"),
        (INSTANT, "error", 252_455_616_000_000_000 + 3_599_999_999, "holds +010000-01-01T00:59:59.999Z"),
        (INSTANT, "error", -63_082_281_600_000_000 - 3_600_000_000, "holds 0000-12-31T23:00:00.000Z"),
        (LOCAL, "error", 9_223_371_331_199_999_999, "holds 2000-01-01 + 9223371331199999999 microseconds"),
        (number(10, 2), "error", "NaN", "holds NaN, which THIS cannot hold (policy numeric_nan)."),
        (number(10, 2), None, "Infinity", "holds Infinity, which THIS cannot hold."),
        (number(10, 2), "null", "100000000", "holds 100000000, which THIS cannot hold."),
        (number(10, 2), "null", "1.001", "holds 1.001, which THIS cannot hold."),
        (number(38, 37), None, "10", "holds 10, "),
        (number(38, 0), None, f"1{'0' * 38}", "holds 1000"),
        (DOUBLE, None, f"1{'0' * 309}", "holds 1000"),
        (DOUBLE, None, f"-0.{'0' * 400}1", "holds -0.000"),
        ({"kind": "string"}, None, "é" * (8 << 20) + "x", "holds 16777217 bytes, which THIS cannot hold."),
        ({"kind": "binary"}, None, b"\0" * ((8 << 20) + 1), "holds 8388609 bytes, "),
    ],
)
def test_a_value_that_does_not_fit_is_refused(parquet: dict, policy: str | None, travels: object, says: str) -> None:
    with pytest.raises(job.FirnError) as refused:
        job.convert(0, batch(parquet, None, travels), policies(parquet, policy))
    assert refused.value.code == "ValueOutOfRange"
    assert refused.value.message.startswith("public.t, row id=8: column v (the type) ")
    assert says in refused.value.message


def test_replaced_values_are_counted_and_the_first_are_told() -> None:
    deciding = policies(DATE, "null")
    for _ in range(2):
        job.convert(0, batch(DATE, *[INT_MAX] * 15), deciding)
    assert deciding.counts == {"V: date_out_of_range": 30}
    assert len(deciding.replaced) == 20
    assert deciding.replaced[0] == {"column": "V", "policy": "date_out_of_range=null", "value": "infinity", "key": "id=7"}


@pytest.mark.parametrize(
    ("travels", "arrives", "counted"),
    [
        ("0.1", 0.1, False),
        ("-0.000000000000000000000000000001", -1e-30, False),
        (f"1{'0' * 300}", 1e300, False),
        ("0.1234567890123456789", 0.12345678901234568, True),
        ("9007199254740993", 9007199254740992.0, True),
        ("Infinity", float("inf"), False),
        ("-Infinity", float("-inf"), False),
    ],
)
def test_a_number_becomes_the_nearest_double_and_is_counted_when_that_is_another(travels: str, arrives: float, counted: bool) -> None:
    deciding = policies(DOUBLE)
    assert job.convert(0, batch(DOUBLE, travels, None, "2.5"), deciding).to_pylist() == [arrives, None, 2.5]
    assert deciding.counts == ({"V: unbounded_numeric": 1} if counted else {})
    told = {"column": "V", "policy": "unbounded_numeric=float", "value": travels, "key": "id=7"}
    assert deciding.replaced == ([told] if counted else [])


def test_nan_becomes_nan() -> None:
    assert isnan(job.convert(0, batch(DOUBLE, "NaN"), policies(DOUBLE)).to_pylist()[0])


def test_the_longest_values_that_snowflake_holds_arrive() -> None:
    text, blob = "x" * (16 << 20), b"\0" * (8 << 20)
    assert job.convert(0, batch({"kind": "string"}, text), policies({"kind": "string"})).to_pylist() == [text]
    assert job.convert(0, batch({"kind": "binary"}, blob), policies({"kind": "binary"})).to_pylist() == [blob]
