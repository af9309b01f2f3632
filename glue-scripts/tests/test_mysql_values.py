"""Values of MySQL on their way from the query into the file: core/source/mysql/spark-query.ts says how they travel."""

import datetime

import extract_table as job
import pyarrow as pa
import pytest

DATE, TIME, LOCAL = {"kind": "date"}, {"kind": "time"}, {"kind": "timestamp", "utc": False}
TEXT, JSON, BLOB, FLAG = {"kind": "string"}, {"kind": "json"}, {"kind": "binary"}, {"kind": "boolean"}
HOUR, DAY = 3_600_000_000, 86_400_000_000


def day(year: int, month: int, day_of_month: int) -> int:
    """A date that no calendar has."""
    return -1_000_000_000 - ((year * 13 + month) * 32 + day_of_month)


def moment(year: int, month: int, day_of_month: int, micros: int) -> int:
    return -2_000_000_000_000_000_000 - (((year * 13 + month) * 32 + day_of_month) * DAY + micros)


travel_types = {"decimal": pa.string(), "string": pa.binary(), "json": pa.binary(), "binary": pa.binary(), "float": pa.float64()}


def column(parquet: dict, policy: str | None, source_type: str) -> dict:
    made = {"name": "v", "target": "V", "sourceType": source_type, "staging": "THIS", "parquet": parquet}
    return {**made, "unrepresentable": policy} if policy else made


def batch(parquet: dict, *values: object) -> pa.RecordBatch:
    keys = pa.array(range(7, 7 + len(values)), pa.int64())
    return pa.RecordBatch.from_arrays([pa.array(values, travel_types.get(parquet["kind"], pa.int64())), keys], names=["0", "1"])


def policies(parquet: dict, policy: str | None = None, source_type: str = "the type") -> job.Policies:
    key = {"name": "id", "target": "ID", "sourceType": "int", "staging": "NUMBER(38,0)", "parquet": {"kind": "int32"}}
    return job.Policies("mysql", "shop.t", [column(parquet, policy, source_type), key], ["ID"])


@pytest.mark.parametrize(
    ("parquet", "policy", "travels", "arrives"),
    [
        (DATE, "error", 0, datetime.date(2000, 1, 1)),
        (DATE, "error", -730_119, datetime.date(1, 1, 1)),
        (DATE, "error", 2_921_939, datetime.date(9999, 12, 31)),
        (DATE, "null", day(0, 0, 0), None),
        (DATE, "clamp", day(0, 0, 0), datetime.date(1, 1, 1)),
        (DATE, "clamp", day(0, 5, 5), datetime.date(1, 1, 1)),
        (DATE, "clamp", day(2000, 0, 1), datetime.date(2000, 1, 1)),
        (DATE, "clamp", day(2000, 5, 0), datetime.date(2000, 5, 1)),
        (DATE, "clamp", day(1900, 2, 29), datetime.date(1900, 2, 28)),
        (DATE, "clamp", day(9999, 11, 31), datetime.date(9999, 11, 30)),
        (LOCAL, "error", -1, datetime.datetime(1999, 12, 31, 23, 59, 59, 999_999)),
        (LOCAL, "null", moment(2000, 2, 31, 5), None),
        (LOCAL, "clamp", moment(0, 0, 0, 0), datetime.datetime(1, 1, 1)),
        (LOCAL, "clamp", moment(9999, 2, 31, DAY - 1), datetime.datetime(9999, 2, 28, 23, 59, 59, 999_999)),
        (TIME, "error", DAY - 1, datetime.time(23, 59, 59, 999_999)),
        (TIME, "clamp", DAY, datetime.time(23, 59, 59, 999_999)),
        (TIME, "clamp", -1, datetime.time(0)),
        (TIME, "null", -839 * HOUR, None),
        (FLAG, None, 1, True),
        (FLAG, None, 0, False),
        ({"kind": "int32"}, None, -2_147_483_648, -2_147_483_648),
        ({"kind": "float"}, None, 0.10000000149011612, 0.10000000149011612),
        ({"kind": "decimal", "precision": 20, "scale": 0}, None, "18446744073709551615", 18_446_744_073_709_551_615),
        ({"kind": "decimal", "precision": 20, "scale": 0}, None, "00000000000000000007", 7),
        (TEXT, None, "漢字🎉\0".encode(), "漢字🎉\0"),
        (TEXT, None, "ÿ".encode(), "ÿ"),
        (JSON, None, b'{"a": 1}', '{"a": 1}'),
        (BLOB, None, b"\xff\0", b"\xff\0"),
    ],
)
def test_a_value_arrives(parquet: dict, policy: str | None, travels: object, arrives: object) -> None:
    deciding = policies(parquet, policy)
    converted = job.convert(0, batch(parquet, None, travels), deciding)
    assert converted.type == job.arrow_type(parquet)
    assert converted.to_pylist() == [None, arrives]
    assert sum(deciding.counts.values()) == (1 if policy in ("null", "clamp") else 0)


@pytest.mark.parametrize(
    ("parquet", "travels", "says"),
    [
        (DATE, day(0, 0, 0), "holds 0000-00-00, which THIS cannot hold (policy date_out_of_range)."),
        (DATE, day(2000, 2, 31), "holds 2000-02-31, "),
        (LOCAL, moment(0, 0, 0, 0), "holds 0000-00-00 00:00:00, which THIS cannot hold (policy date_out_of_range)."),
        (LOCAL, moment(2000, 1, 0, 12 * HOUR + 500_000), "holds 2000-01-00 12:00:00.500000, "),
        (TIME, 24 * HOUR, "holds 24:00:00, which THIS cannot hold (policies date_out_of_range, time)."),
        (TIME, -500_000, "holds -00:00:00.500000, "),
        (TIME, 839 * HOUR - 1, "holds 838:59:59.999999, "),
        (FLAG, 2, "holds 2, which THIS cannot hold (policy tinyint1)."),
        (FLAG, -1, "holds -1, "),
        ({"kind": "decimal", "precision": 10, "scale": 2}, "1.001", "holds 1.001, which THIS cannot hold (policy unbounded_numeric)."),
        (TEXT, b"\xff\xc4\x98", "holds 0xc498, not all of it characters, which THIS cannot hold."),
        (TEXT, b"x" * ((16 << 20) + 1), "holds 16777217 bytes, which THIS cannot hold."),
        (BLOB, b"\0" * ((8 << 20) + 1), "holds 8388609 bytes, which THIS cannot hold."),
    ],
)
def test_a_value_that_does_not_fit_is_refused(parquet: dict, travels: object, says: str) -> None:
    with pytest.raises(job.FirnError) as refused:
        job.convert(0, batch(parquet, None, travels), policies(parquet, "error"))
    assert refused.value.code == "ValueOutOfRange"
    assert refused.value.message.startswith("shop.t, row id=8: column v (the type) ")
    assert says in refused.value.message


@pytest.mark.parametrize(
    ("parquet", "source_type", "travels", "text"),
    [
        (DATE, "date", 59, "2000-02-29"),
        (LOCAL, "datetime(6)", -1, "1999-12-31 23:59:59.999999"),
        (LOCAL, "datetime", 0, "2000-01-01 00:00:00"),
        (FLAG, "bit(1)", 1, "0x01"),
        ({"kind": "int64"}, "bit(33)", 4_294_967_297, "0x0100000001"),
        (FLAG, "tinyint(1)", 1, "1"),
        (BLOB, "binary(4)", b"\0\xff", "0x00ff"),
        (TEXT, "varchar(9)", "ß".encode(), "ß"),
        (TEXT, "varchar(200)", b"x" * 99 + "ß".encode(), "x" * 99 + "\ufffd"),
        (TEXT, "varchar(9)", None, "NULL"),
    ],
)
def test_a_value_of_a_key_is_told_as_the_function_tells_it(parquet: dict, source_type: str, travels: object, text: str) -> None:
    assert job.mysql_text(column(parquet, None, source_type), travels) == text
