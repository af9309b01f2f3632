"""Reads chunks of one table by JDBC, each in a Spark task, and writes what the Lambda function `extract` would have written.

    extract_table.py --run_id RUN --bucket BUCKET --region REGION --read KEY

KEY is a document of the raw bucket, made by `core/workflow/glue-read.ts` for this job run: the query with the source's own expressions,
the chunks that are left, and how each column is to be typed. Each task writes files with names of its own and then the part manifest of
its chunk, once: of two attempts the first counts. Nothing here decides what is read, and nothing secret is an argument.

Runs on Glue 5 (Spark 3.5, Python 3.11) and needs pyarrow, pandas and boto3, which Glue brings.
"""

import argparse
import hashlib
import json
import os
import re
import secrets
import sys
import tempfile
import urllib.parse
from calendar import monthrange
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from math import isfinite

import boto3
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from botocore.exceptions import ClientError

FILE_BYTES = 128 << 20
ROW_GROUP_BYTES = 32 << 20
TOLD_PER_COLUMN = 20

# Dates and times are counted from 2000-01-01, as PostgreSQL does.
EPOCH_DAYS = 10_957
EPOCH_MICROS = EPOCH_DAYS * 86_400_000_000
FIRST_DAY, LAST_DAY = -719_162 - EPOCH_DAYS, 2_932_896 - EPOCH_DAYS
FIRST_MICRO, LAST_MICRO = -62_135_596_800_000_000 - EPOCH_MICROS, 253_402_300_799_999_999 - EPOCH_MICROS
LAST_TIME = 86_399_999_999
# What JavaScript's Date holds: values beyond are told as a distance, as the Lambda function tells them.
JS_DAYS = 100_000_000

VARCHAR_BYTES, BINARY_BYTES = 16 << 20, 8 << 20


def byte_limit(column: dict) -> int:
    """Eight times as much where the column is declared so (`columns.large`): then its type has a length."""
    usual = BINARY_BYTES if column["parquet"]["kind"] == "binary" else VARCHAR_BYTES
    return usual * (8 if "(" in column.get("raw", "") else 1)


class FirnError(Exception):
    """An error with a code of the catalogue. Its text is what the state machine reads back: `[firn:Code] message`, one line."""

    def __init__(self, code: str, message: str) -> None:
        self.code, self.message = code, re.sub(r"\s+", " ", message).strip()
        super().__init__(f"[firn:{code}] {self.message}")

    def __reduce__(self) -> tuple:
        return FirnError, (self.code, self.message)


# Values ------------------------------------------------------------------------------------------------------------------


def arrow_type(parquet: dict) -> pa.DataType:
    """Type in the file. `parquet` as in core/column.ts."""
    simple = {
        "boolean": pa.bool_(),
        "int32": pa.int32(),
        "int64": pa.int64(),
        "float": pa.float32(),
        "double": pa.float64(),
        "date": pa.date32(),
        "time": pa.time64("us"),
        "string": pa.string(),
        "json": pa.string(),
        "binary": pa.binary(),
    }
    kind = parquet["kind"]
    if kind == "decimal":
        return pa.decimal128(parquet["precision"], parquet["scale"])
    if kind == "timestamp":
        return pa.timestamp("us", tz="UTC" if parquet["utc"] else None)
    return simple[kind]


def civil(days: int) -> str:
    """`YYYY-MM-DD` of days since 1970-01-01 with astronomical years, as JavaScript prints it: `-000043-03-15`."""
    # Source: Howard Hinnant, "chrono-compatible low-level date algorithms", civil_from_days.
    z = days + 719_468
    era, doe = divmod(z, 146_097)
    yoe = (doe - doe // 1460 + doe // 36_524 - doe // 146_096) // 365
    doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
    month = (5 * doy + 2) // 153
    day, month = doy - (153 * month + 2) // 5 + 1, month + 3 if month < 10 else month - 9
    year = yoe + era * 400 + (month <= 2)
    text = f"{year:04d}" if 0 <= year <= 9999 else f"{'-' if year < 0 else '+'}{abs(year):06d}"
    return f"{text}-{month:02d}-{day:02d}"


def postgres_text(column: dict, value: object) -> str:
    """A value as it travels, as text for a message: what core/source/postgres/decoder-field.ts prints."""
    kind = column["parquet"]["kind"]
    if value is None:
        return "NULL"
    if kind == "boolean":
        return str(value).lower()
    if kind == "date":
        if value in (0x7FFFFFFF, -0x80000000):
            return "infinity" if value > 0 else "-infinity"
        beyond = abs(value + EPOCH_DAYS) > JS_DAYS
        return f"2000-01-01 {'-' if value < 0 else '+'} {abs(value)} days" if beyond else civil(value + EPOCH_DAYS)
    if kind == "time":
        return f"{value} microseconds after midnight"
    if kind == "timestamp":
        if value in (0x7FFFFFFFFFFFFFFF, -0x8000000000000000):
            return "infinity" if value > 0 else "-infinity"
        days, micros = divmod(value, 86_400_000_000)
        if abs(days + EPOCH_DAYS) > JS_DAYS:
            return f"2000-01-01 {'-' if value < 0 else '+'} {abs(value)} microseconds"
        seconds, milliseconds = divmod(micros // 1000, 1000)
        return f"{civil(days + EPOCH_DAYS)}T{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{milliseconds:03d}Z"
    if isinstance(value, bytes):
        return f"{len(value)} bytes" if len(value) > BINARY_BYTES else value[:100].decode("utf8", "replace")
    if isinstance(value, str):
        size = len(value.encode())
        return f"{size} bytes" if kind in ("string", "json") and size > VARCHAR_BYTES else value.encode()[:100].decode("utf8", "ignore")
    return str(value)


# MySQL tells a date that no calendar has by its parts, in a number this far below. core/source/mysql/spark-query.ts
APART = {"date": 1_000_000_000, "timestamp": 2_000_000_000_000_000_000}
DAY_MICROS = 86_400_000_000


def mysql_parts(kind: str, value: int) -> tuple[int, int, int, int]:
    """Year, month, day and the microseconds of the day of a date as it travels, whether it is one or not."""
    each = 1 if kind == "date" else DAY_MICROS
    if value <= -APART[kind]:
        parts, rest = divmod(-APART[kind] - value, each)
        return parts // 32 // 13, parts // 32 % 13, parts % 32, rest
    days, rest = divmod(value, each)
    day = date.fromordinal(days + date(2000, 1, 1).toordinal())
    return day.year, day.month, day.day, rest


def mysql_nearest(kind: str, value: int, low: int, high: int) -> int:
    """The real date nearest to one that no calendar has, at the same time of day; else the nearer end."""
    if kind == "time" or value > -APART[kind]:
        return max(low, min(high, value))
    year, month, day, rest = mysql_parts(kind, value)
    if year < 1:
        year, month, day = 1, 1, 1
    elif month < 1:
        month, day = 1, 1
    else:
        day = min(max(day, 1), monthrange(year, month)[1])
    days = date(year, month, day).toordinal() - date(2000, 1, 1).toordinal()
    return days if kind == "date" else days * DAY_MICROS + rest


def clock_text(micros: int) -> str:
    seconds, fraction = divmod(micros, 1_000_000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{f'.{fraction:06d}' if fraction else ''}"


def mysql_text(column: dict, value: object) -> str:
    """The same for MySQL: what core/source/mysql/field-text.ts prints."""
    kind = column["parquet"]["kind"]
    if value is None:
        return "NULL"
    if kind in APART:
        year, month, day, rest = mysql_parts(kind, value)
        return f"{year:04d}-{month:02d}-{day:02d}{'' if kind == 'date' else f' {clock_text(rest)}'}"
    if kind == "time":
        return f"{'-' if value < 0 else ''}{clock_text(abs(value))}"
    if bits := re.match(r"bit\((\d+)\)", column["sourceType"]):
        return f"0x{int(value):0{(int(bits[1]) + 7) // 8 * 2}x}"
    if not isinstance(value, bytes):
        return str(value)
    if len(value) > (BINARY_BYTES if kind == "binary" else VARCHAR_BYTES):
        return f"{len(value)} bytes"
    shown = value[:100]
    if kind != "binary" and shown[:1] == b"\xff":
        return f"0x{shown[1:].hex()}, not all of it characters"
    return f"0x{shown.hex()}" if kind == "binary" else shown.decode("utf8", "replace")


def mysql_policies(column: dict, _policy: str | None) -> str:
    """Which policies have a say about a value, as core/source/mysql/policies.ts tells it."""
    dates = "policy date_out_of_range"
    names = {"boolean": "policy tinyint1", "decimal": "policy unbounded_numeric", "time": "policies date_out_of_range, time", "date": dates, "timestamp": dates}
    return names.get(column["parquet"]["kind"], "")


class Policies:
    """Decides over values that a column's type cannot hold, counts what is replaced and refuses the rest, naming row and value."""

    def __init__(self, source_type: str, table: str, columns: list[dict], key: list[str]) -> None:
        self.source, self.table, self.columns, self.key = SOURCES[source_type], table, columns, key
        self.counts: dict[str, int] = {}
        self.replaced: list[dict] = []

    def row_key(self, batch: pa.RecordBatch, row: int) -> str:
        by_target = {column["target"]: (index, column) for index, column in enumerate(self.columns)}
        found = [by_target[target] for target in self.key if target in by_target]
        return ", ".join(f"{c['name']}={self.source.text(c, batch.column(i)[row].as_py())}" for i, c in found)

    def refuse(self, index: int, batch: pa.RecordBatch, row: int, policy: str | None) -> None:
        column = self.columns[index]
        key, value = self.row_key(batch, row), self.source.text(column, batch.column(index)[row].as_py())
        said = self.source.policies(column, policy)
        raise FirnError(
            "ValueOutOfRange",
            f"{self.table}{f', row {key}' if key else ''}: column {column['name']} ({column['sourceType']}) holds {value}, "
            f"which {column['staging']} cannot hold{f' ({said})' if said else ''}.",
        )

    def apply(self, index: int, batch: pa.RecordBatch, bad: pa.Array, policy: str) -> str:
        """What becomes of the values that `bad` marks: `null` or `clamp`."""
        rows = [row.as_py() for row in pc.indices_nonzero(bad)]
        chosen = self.columns[index].get("unrepresentable")
        if chosen is None or chosen == "error":
            self.refuse(index, batch, rows[0], policy if chosen else None)
        self.count(index, batch, rows, policy, chosen)
        return chosen

    def count(self, index: int, batch: pa.RecordBatch, rows: list[int], policy: str, chosen: str) -> None:
        column = self.columns[index]
        counted = f"{column['target']}: {policy}"
        told = self.counts.get(counted, 0)
        self.counts[counted] = told + len(rows)
        for row in rows[: max(0, TOLD_PER_COLUMN - told)]:
            value = self.source.text(column, batch.column(index)[row].as_py())
            self.replaced.append(
                {"column": column["target"], "policy": f"{policy}={chosen}", "value": value, "key": self.row_key(batch, row)}
            )


def any_of(mask: pa.Array) -> bool:
    return bool(pc.any(mask).as_py())


def refuse_any(index: int, batch: pa.RecordBatch, policies: Policies, bad: pa.Array) -> None:
    rows = pc.indices_nonzero(pc.fill_null(bad, False))
    if len(rows) > 0:
        policies.refuse(index, batch, rows[0].as_py(), None)


def within(index: int, batch: pa.RecordBatch, policies: Policies, low: int, high: int) -> pa.Array:
    """Numbers between `low` and `high`, the others by policy."""
    values = batch.column(index)
    bad = pc.fill_null(pc.or_(pc.less(values, low), pc.greater(values, high)), False)
    if not any_of(bad):
        return values
    if policies.apply(index, batch, bad, "date_out_of_range") == "null":
        return pc.if_else(bad, pa.scalar(None, values.type), values)
    kind = policies.columns[index]["parquet"]["kind"]
    nearest = [policies.source.nearest(kind, value.as_py(), low, high) for value in values.filter(bad)]
    return pc.replace_with_mask(values, bad, pa.array(nearest, values.type))


def decimals(index: int, batch: pa.RecordBatch, policies: Policies, precision: int, scale: int) -> pa.Array:
    """Text to DECIMAL. Nothing is rounded: what does not fit is refused."""
    texts = batch.column(index)
    bad = pc.fill_null(pc.match_substring_regex(texts, "[a-zA-Z]"), False)  # NaN, Infinity
    if any_of(bad):
        policies.apply(index, batch, bad, "numeric_nan")
        texts = pc.if_else(bad, pa.scalar(None, texts.type), texts)
    # Zeros that say nothing would count as digits.
    trimmed = pc.replace_substring_regex(texts, r"(\.\d*?)0+$", r"\1")
    whole = pc.utf8_length(pc.utf8_ltrim(pc.replace_substring_regex(trimmed, r"\..*$", ""), "-0"))
    part = pc.utf8_length(pc.replace_substring_regex(pc.if_else(pc.match_substring(trimmed, "."), trimmed, ""), r"^[^.]*\.", ""))
    refuse_any(index, batch, policies, pc.or_(pc.greater(whole, precision - scale), pc.greater(part, scale)))
    return pc.cast(pc.replace_substring_regex(trimmed, r"\.$", ""), pa.decimal128(precision, scale))


def doubles(index: int, batch: pa.RecordBatch, policies: Policies) -> pa.Array:
    """Text to the nearest doubles, as core/source/nearest-double.ts finds them: counted where they do not tell the number."""
    texts = batch.column(index)
    # A number of 15 digits is told by the double nearest to it.
    long = pc.fill_null(pc.greater(pc.utf8_length(texts), 15), False)
    values = pc.cast(pc.if_else(long, pa.scalar(None, texts.type), texts), pa.float64())
    if not any_of(long):
        return values
    nearest = {row.as_py(): float(texts[row.as_py()].as_py()) for row in pc.indices_nonzero(long)}
    changed = [row for row, value in nearest.items() if not isfinite(value) or Decimal(repr(value)) != Decimal(texts[row].as_py())]
    for row in changed:
        if not isfinite(nearest[row]) or nearest[row] == 0:
            policies.refuse(index, batch, row, None)
    if changed:
        policies.count(index, batch, changed, "unbounded_numeric", "float")
    return pc.replace_with_mask(values, long, pa.array(nearest.values(), pa.float64()))


def convert(index: int, batch: pa.RecordBatch, policies: Policies) -> pa.Array:
    """One column from the form in which it travels into the type of the file."""
    parquet, values = policies.columns[index]["parquet"], batch.column(index)
    kind = parquet["kind"]
    if kind == "date":
        days = pc.cast(within(index, batch, policies, FIRST_DAY, LAST_DAY), pa.int32())
        return pc.cast(pc.add(days, pa.scalar(EPOCH_DAYS, pa.int32())), pa.date32())
    if kind == "time":
        return pc.cast(within(index, batch, policies, 0, LAST_TIME), pa.time64("us"))
    if kind == "timestamp":
        micros = pc.add(within(index, batch, policies, FIRST_MICRO, LAST_MICRO), pa.scalar(EPOCH_MICROS, pa.int64()))
        return pc.cast(micros, arrow_type(parquet))
    if kind == "double" and not pa.types.is_floating(values.type):
        return doubles(index, batch, policies)
    if kind == "decimal":
        return decimals(index, batch, policies, parquet["precision"], parquet["scale"])
    if kind in ("string", "json", "binary"):
        refuse_any(index, batch, policies, pc.greater(pc.binary_length(values), byte_limit(policies.columns[index])))
        if kind != "binary" and pa.types.is_binary(values.type):
            # Not UTF-8: the query tells by it that the source could not convert the text.
            refuse_any(index, batch, policies, pc.starts_with(values, b"\xff"))
    if kind == "boolean" and pa.types.is_integer(values.type):
        refuse_any(index, batch, policies, pc.or_(pc.less(values, 0), pc.greater(values, 1)))
    return pc.cast(values, arrow_type(parquet))


def file_schema(read: dict) -> pa.Schema:
    fields = [pa.field(column["target"], arrow_type(column["parquet"])) for column in read["columns"]]
    return pa.schema(fields + [pa.field(name, pa.string()) for name in read["constants"]])


def file_rows(read: dict, batch: pa.RecordBatch, policies: Policies) -> pa.RecordBatch:
    """A batch as the source's query sends it, with the types of the file and Firn's own columns."""
    columns = [convert(index, batch, policies) for index in range(len(read["columns"]))]
    constants = [pa.array([value] * batch.num_rows, pa.string()) for value in read["constants"].values()]
    return pa.RecordBatch.from_arrays(columns + constants, schema=file_schema(read))


# Files -------------------------------------------------------------------------------------------------------------------


class FileSeries:
    """Row groups as files of about `file_bytes`, each handed to `store(part, path)` when it is closed. Without a row there is no file."""

    def __init__(self, schema: pa.Schema, store: Callable[[int, str], str], folder: str, file_bytes: int = FILE_BYTES) -> None:
        self.schema, self.store, self.folder, self.file_bytes = schema, store, folder, file_bytes
        self.files: list[dict] = []
        self.waiting: list[pa.RecordBatch] = []
        self.writer: pq.ParquetWriter | None = None
        self.rows = 0

    @property
    def path(self) -> str:
        return os.path.join(self.folder, f"{len(self.files)}.parquet")

    def push(self, batch: pa.RecordBatch) -> None:
        self.waiting.append(batch)
        if sum(one.nbytes for one in self.waiting) >= ROW_GROUP_BYTES:
            self.write_group()

    def write_group(self) -> None:
        table = pa.Table.from_batches(self.waiting, self.schema)
        self.waiting = []
        if table.num_rows == 0:
            return
        if self.writer is None:
            self.writer = pq.ParquetWriter(
                self.path, self.schema, compression="zstd", compression_level=1, store_schema=False, write_statistics=True, **decimal_options()
            )
        self.writer.write_table(table, row_group_size=table.num_rows)
        self.rows += table.num_rows
        if os.path.getsize(self.path) >= self.file_bytes:
            self.close_file()

    def close_file(self) -> None:
        if self.writer is None:
            return
        self.writer.close()
        path, self.writer = self.path, None
        size = os.path.getsize(path)
        self.files.append({"key": self.store(len(self.files), path), "rows": self.rows, "bytes": size})
        self.rows = 0
        os.unlink(path)

    def close(self) -> list[dict]:
        self.write_group()
        self.close_file()
        return self.files


def decimal_options() -> dict:
    """DECIMAL up to 18 digits as INT32 and INT64, where pyarrow can: older ones write bytes, which readers take as well."""
    return {"store_decimal_as_integer": True} if "store_decimal_as_integer" in (pq.ParquetWriter.__init__.__doc__ or "") or int(pa.__version__.split(".")[0]) >= 17 else {}


# S3 ----------------------------------------------------------------------------------------------------------------------


def s3_client(region: str) -> object:
    """A client whose every PUT of an object is conditional: nothing is ever overwritten. By header, as Glue's boto3 may not know the parameter."""
    client = boto3.client("s3", region_name=region)
    client.meta.events.register("before-sign.s3.PutObject", lambda request, **_: request.headers.add_header("If-None-Match", "*"))
    return client


def write_once(client: object, bucket: str, key: str, document: dict) -> dict:
    """Writes the document unless something is there; answers what is there in the end."""
    while True:
        try:
            client.put_object(Bucket=bucket, Key=key, Body=json.dumps(document).encode(), ContentType="application/json")
            return document
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in ("PreconditionFailed", "412"):
                return read_json(client, bucket, key)
            if code not in ("ConditionalRequestConflict", "409"):
                raise


def read_json(client: object, bucket: str, key: str) -> dict:
    return json.loads(client.get_object(Bucket=bucket, Key=key)["Body"].read())


class RunLog:
    """Lines under `_logs/<run>/`, as the functions write them, and on stdout for CloudWatch."""

    def __init__(self, client: object, bucket: str, run_id: str, job_run: str) -> None:
        self.client, self.bucket, self.run_id = client, bucket, run_id
        self.bound = {"function": "extract_table", "action": "extract", "job_run": job_run, "run_id": run_id}
        self.lines: list[str] = []

    def write(self, level: str, message: str, **fields: object) -> None:
        line = {"level": level, "time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"), **self.bound, **fields}
        self.lines.append(json.dumps({**line, "msg": message}))
        print(self.lines[-1], flush=True)

    def keep(self) -> None:
        at = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")[:-3]
        key = f"_logs/{self.run_id}/extract-{at}Z-{secrets.token_hex(4)}.jsonl"
        self.client.put_object(Bucket=self.bucket, Key=key, Body="\n".join([*self.lines, ""]).encode(), ContentType="application/x-ndjson")


# One chunk ---------------------------------------------------------------------------------------------------------------


def extract_chunk(read: dict, bucket: str, region: str, chunk: dict, batches: Iterable[pa.RecordBatch]) -> dict:
    """In a Spark task: the rows of one chunk into files, then its part manifest. Answers it, with the values that were replaced."""
    client = s3_client(region)
    attempt = secrets.token_hex(6)

    def store(part: int, path: str) -> str:
        key = f"{chunk['file']}{attempt}{part:03d}.parquet"
        with open(path, "rb") as body:
            client.put_object(Bucket=bucket, Key=key, Body=body)
        return key

    policies = Policies(read["sourceType"], read["table"], read["columns"], read["key"])
    with tempfile.TemporaryDirectory(prefix="firn-") as folder:
        series = FileSeries(file_schema(read), store, folder)
        for batch in batches:
            series.push(file_rows(read, batch, policies))
        files = series.close()
    part = {**chunk["manifest"], "files": files, "rows": sum(file["rows"] for file in files), "policyCounts": policies.counts}
    kept = write_once(client, bucket, chunk["part"], part)
    if "rest" in kept:
        # A function that still ran was first. An error that is tried again: the next job run reads what it has left.
        raise FirnError("ServiceUnavailable", f"Chunk {kept['chunk']} of {read['table']} was handed back while the job read it: the rest is to be read.")
    return {"part": kept, "replaced": policies.replaced}


def extractor(read: dict, bucket: str, region: str) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """What each Spark task does: the number of its partition is the place of its chunk in the document."""

    def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        from pyspark import TaskContext

        try:
            done = extract_chunk(read, bucket, region, read["chunks"][TaskContext.get().partitionId()], batches)
        except FirnError as error:
            # An answer: Spark would try again what cannot succeed. The other chunks are read to their ends, and need not be read again.
            done = {"code": error.code, "message": error.message}
        yield pa.RecordBatch.from_arrays([pa.array([json.dumps(done)])], names=["done"])

    return run


# The source --------------------------------------------------------------------------------------------------------------


def address(secret: dict, port: int) -> str:
    host = f"[{secret['host']}]" if ":" in secret["host"] else secret["host"]
    return f"{host}:{secret.get('port', port)}/{urllib.parse.quote(secret['database'], safe='')}"


def postgres_url(secret: dict, certificate: str | None) -> str:
    """`certificate`: path of the CA's PEM file. What libpq's documentation says of sslmode: `require` verifies when a CA is given."""
    mode = secret.get("sslmode", "require")
    verify = "verify-ca" if mode == "require" and certificate else mode
    options = {"sslmode": verify, "ApplicationName": "firn", "connectTimeout": 15, "tcpKeepAlive": "true"}
    if certificate:
        options["sslrootcert"] = certificate
    return f"jdbc:postgresql://{address(secret, 5432)}?{urllib.parse.urlencode(options)}"


SSL_MODES = {"disable": "DISABLED", "allow": "PREFERRED", "prefer": "PREFERRED", "require": "REQUIRED", "verify-ca": "VERIFY_CA", "verify-full": "VERIFY_IDENTITY"}


def mysql_url(secret: dict, certificate: str | None) -> str:
    """`certificate`: path of a key store with the CA's certificates. Source: Connector/J 8.0, "Configuration Properties"."""
    mode = secret.get("sslmode", "require")
    options = {
        "sslMode": SSL_MODES["verify-ca" if mode == "require" and certificate else mode],
        "connectTimeout": 15_000,
        "tcpKeepAlive": "true",
        "connectionAttributes": "program_name:firn",
        "characterEncoding": "UTF-8",
        # Before the driver reads a statement, and in the session that asks for the types: the server's own may change what quotes mean.
        "sessionVariables": "sql_mode=''",
        # The session says how long the server waits while nobody reads.
        "netTimeoutForStreamingResults": 0,
    }
    if mode == "disable":
        # As the functions' driver does: else caching_sha2_password admits nobody without TLS.
        options["allowPublicKeyRetrieval"] = "true"
    if certificate:
        options |= {"trustCertificateKeyStoreUrl": f"file:{certificate}", "trustCertificateKeyStoreType": "PKCS12", "trustCertificateKeyStorePassword": "firn"}
    return f"jdbc:mysql://{address(secret, 3306)}?{urllib.parse.urlencode(options)}"


def write_pem(_spark: object, pem: str, path: str) -> None:
    with open(path, "w") as file:
        file.write(pem)


def write_key_store(spark: object, pem: str, path: str) -> None:
    """Connector/J takes certificates from a key store alone. The password protects nothing: they are public."""
    gateway = spark.sparkContext._gateway
    java = gateway.jvm.java
    password = gateway.new_array(gateway.jvm.char, len("firn"))
    for index, letter in enumerate("firn"):
        password[index] = letter
    store = java.security.KeyStore.getInstance("PKCS12")
    store.load(None, None)
    certificates = java.security.cert.CertificateFactory.getInstance("X.509").generateCertificates(java.io.ByteArrayInputStream(pem.encode()))
    for index, certificate in enumerate(certificates):
        store.setCertificateEntry(f"ca{index}", certificate)
    file = java.io.FileOutputStream(path)
    store.store(file, password)
    file.close()


@dataclass(frozen=True)
class Source:
    """What differs between the kinds of source."""

    driver: str
    url: Callable[[dict, str | None], str]
    write_certificate: Callable[[object, str, str], None]
    certificate_suffix: str
    # Rows that the driver asks for at once; None: as many as are converted at once.
    fetch: str | None
    # A value as it travels, for messages.
    text: Callable[[dict, object], str]
    # Which policies have a say about a column's value, for messages.
    policies: Callable[[dict, str | None], str]
    # What `clamp` makes of a value that its type cannot hold, by its kind and the ends.
    nearest: Callable[[str, int, int, int], int]


SOURCES = {
    "postgres": Source(
        driver="org.postgresql.Driver",
        url=postgres_url,
        write_certificate=write_pem,
        certificate_suffix=".pem",
        fetch=None,
        text=postgres_text,
        policies=lambda _column, policy: f"policy {policy}" if policy else "",
        nearest=lambda _kind, value, low, high: max(low, min(high, value)),
    ),
    "mysql": Source(
        driver="com.mysql.cj.jdbc.Driver",
        url=mysql_url,
        write_certificate=write_key_store,
        certificate_suffix=".p12",
        # Connector/J: row by row as they come. Otherwise it would take all into memory, or have the server write them into a table first.
        fetch=str(-0x80000000),
        text=mysql_text,
        policies=mysql_policies,
        nearest=mysql_nearest,
    ),
}


def place_certificate(spark: object, source: Source, pem: str | None) -> str | None:
    """The CA's file where each JVM finds it by one name: Spark brings it into the executors' folder; the driver's is its own."""
    if pem is None:
        return None
    name = f"firn-source-{hashlib.sha256(pem.encode()).hexdigest()[:16]}{source.certificate_suffix}"
    path = os.path.join(spark._jvm.System.getProperty("user.dir"), name)
    source.write_certificate(spark, pem, path)
    spark.sparkContext.addFile(path)
    return name


def sql_failure(read: dict, keys: list[str], message: str) -> FirnError:
    """An error of the source's server. `keys`, the most exact first: its number, its SQLSTATE; in the table of the functions."""
    states = read["sqlStates"]
    classes = [key[:2] for key in keys if len(key) == 5]
    code = next((states[key] for key in [*keys, *classes] if key in states), "SourceQueryFailed")
    return FirnError(code, f"{read['address']}: {message}")


SQL_EXCEPTIONS = ("java.sql.", "org.postgresql.", "com.mysql.cj.jdbc.exceptions.")


def causes_of(error: object) -> Iterator[object]:
    """What Java threw, and what is below it."""
    cause = getattr(error, "java_exception", None)
    while cause is not None:
        yield cause
        cause = cause.getCause()


def sql_exception(error: object) -> tuple[list[str], str] | None:
    """What the java.sql.SQLException behind what Spark threw can be told by, and its message."""
    causes = [(cause.getClass().getName(), cause) for cause in causes_of(error)]
    found = next((place for place, (name, _) in enumerate(causes) if name.startswith(SQL_EXCEPTIONS)), None)
    if found is None:
        return None
    exception = causes[found][1]
    keys, message = [str(exception.getErrorCode()), exception.getSQLState() or ""], re.sub(r"^(ERROR|Data truncation): ", "", exception.getMessage() or "")
    return network_keys(keys, message, [(name, cause.getMessage() or name) for name, cause in causes[found + 1 :]])


def network_keys(keys: list[str], message: str, causes: list[tuple[str, str]]) -> tuple[list[str], str]:
    """Connector/J has one state for all that befalls a connection: the exceptions below (class, message) tell them apart."""
    if not message.startswith("Communications link failure"):
        return keys, message
    told = f"Communications link failure: {causes[-1][1]}" if causes else message
    if any(name.startswith("javax.net.ssl.") or "Certificate" in name for name, _ in causes):
        return ["tls"], told
    # So it says when nothing was heard of the server.
    return (["08001"] if "has not received any packets" in message else ["08006"]), told


def as_firn_error(read: dict | None, error: BaseException) -> FirnError:
    """Whatever ended the job, with a code: one of ours from a task, one of the source, or one of Spark."""
    if isinstance(error, FirnError):
        return error
    text = str(error)
    ours = re.search(r"\[firn:(\w+)\] ([^\n]*)", text)
    if ours:
        return FirnError(ours[1], ours[2])
    sql = sql_exception(error) if read else None
    if sql:
        return sql_failure(read, *sql)
    python = re.findall(r"^(\w+(?:\.\w+)*(?:Error|Exception): .*)$", text.partition("Traceback")[2], re.MULTILINE)
    if python:
        return FirnError("ExtractJobFailed", python[-1][:1500])
    # Spark says what happened in its first lines; the rest are stacks.
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith(("at ", "..."))]
    return FirnError("ExtractJobFailed", f"{type(error).__name__}: {' '.join(lines[:4])[:1500]}")


def connection_options(read: dict, secret: dict, certificate: str | None) -> dict:
    source = SOURCES[read["sourceType"]]
    return {
        "driver": source.driver,
        "user": secret["user"],
        "password": secret["password"],
        "url": source.url(secret, certificate),
        "fetchsize": source.fetch or str(read["batchRows"]),
        "sessionInitStatement": read["session"],
        # The query's own conditions stay in it; there is nothing else to push down.
        "pushDownPredicate": "false",
    }


def extract_all(spark: object, read: dict, bucket: str, region: str, log: RunLog) -> None:
    secret = json.loads(boto3.client("secretsmanager", region_name=region).get_secret_value(SecretId=read["secret"])["SecretString"])
    options = connection_options(read, secret, place_certificate(spark, SOURCES[read["sourceType"]], secret.get("sslrootcert")))
    url = options.pop("url")
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", str(read["batchRows"]))
    clock = spark.read.format("jdbc").options(**options, url=url, query=read["clock"]).load().first()[0]
    for chunk in read["chunks"]:
        chunk["manifest"]["readAsOf"] = clock
    rows = spark.read.jdbc(url, f"({read['query']}) AS source_rows", predicates=[chunk["condition"] for chunk in read["chunks"]], properties=options)
    rows = rows.select([f"_firn_{index}" for index in range(len(read["columns"]))])
    results = [json.loads(text) for (text,) in rows.mapInArrow(extractor(read, bucket, region), "done string").collect()]
    for done in [done for done in results if "part" in done]:
        for replaced in done["replaced"]:
            log.write("warn", "a value followed a lossy policy", **replaced)
        log.write("info", "extracted", chunk=done["part"]["chunk"], rows=done["part"]["rows"], files=len(done["part"]["files"]))
    for done in [done for done in results if "code" in done]:
        raise FirnError(done["code"], done["message"])


def parse_arguments(argv: list[str]) -> argparse.Namespace:
    """Glue adds arguments of its own, which are none of ours."""
    parser = argparse.ArgumentParser()
    for name in ("run_id", "bucket", "region", "read"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--JOB_RUN_ID", default="")
    return parser.parse_known_args(argv)[0]


def main(argv: list[str]) -> None:
    from pyspark.sql import SparkSession

    arguments = parse_arguments(argv)
    client = s3_client(arguments.region)
    log = RunLog(client, arguments.bucket, arguments.run_id, arguments.JOB_RUN_ID)
    read = None
    try:
        read = read_json(client, arguments.bucket, arguments.read)
        log.write("info", "started", chunks=len(read["chunks"]))
        spark = SparkSession.builder.appName(f"firn {arguments.run_id}").getOrCreate()
        extract_all(spark, read, arguments.bucket, arguments.region, log)
        log.write("info", "finished")
    except Exception as error:
        failure = as_firn_error(read, error)
        log.write("error", failure.message, error={"code": failure.code, "message": failure.message}, stack=str(error)[:8000])
        raise failure from None
    finally:
        log.keep()


if __name__ == "__main__":
    main(sys.argv[1:])
