"""Reads chunks of one table by JDBC, each in a Spark task, and writes what the Lambda function `extract` would have written.

    extract_table.py --run_id RUN --bucket BUCKET --region REGION --read KEY

KEY is a document of the raw bucket, made by `core/workflow/glue-read.ts` for this job run: the query with the source's own expressions,
the chunks that are left, and how each column is to be typed. Each task writes files with names of its own and then the part manifest of
its chunk, once: of two attempts the first counts. Nothing here decides what is read, and nothing secret is an argument.

Runs on Glue 5 (Spark 3.5, Python 3.11) and needs pyarrow, pandas and boto3, which Glue brings.
"""

import argparse
import json
import os
import re
import secrets
import sys
import tempfile
import urllib.parse
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

import boto3
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from botocore.exceptions import ClientError

FILE_BYTES = 128 << 20
ROW_GROUP_BYTES = 32 << 20
TOLD_PER_COLUMN = 20

# PostgreSQL counts from 2000-01-01, and so does the query.
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


def value_text(kind: str, value: object) -> str:
    """A value as it travels, as text for a message: what core/source/postgres/decoder-field.ts prints."""
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


class Policies:
    """Decides over values that a column's type cannot hold, counts what is replaced and refuses the rest, naming row and value."""

    def __init__(self, table: str, columns: list[dict], key: list[str]) -> None:
        self.table, self.columns, self.key = table, columns, key
        self.counts: dict[str, int] = {}
        self.replaced: list[dict] = []

    def row_key(self, batch: pa.RecordBatch, row: int) -> str:
        by_target = {column["target"]: (index, column) for index, column in enumerate(self.columns)}
        found = [by_target[target] for target in self.key if target in by_target]
        return ", ".join(f"{c['name']}={value_text(c['parquet']['kind'], batch.column(i)[row].as_py())}" for i, c in found)

    def refuse(self, index: int, batch: pa.RecordBatch, row: int, policy: str | None) -> None:
        column = self.columns[index]
        key, value = self.row_key(batch, row), value_text(column["parquet"]["kind"], batch.column(index)[row].as_py())
        raise FirnError(
            "ValueOutOfRange",
            f"{self.table}{f', row {key}' if key else ''}: column {column['name']} ({column['sourceType']}) holds {value}, "
            f"which {column['staging']} cannot hold{f' (policy {policy})' if policy else ''}.",
        )

    def apply(self, index: int, batch: pa.RecordBatch, bad: pa.Array, policy: str) -> str:
        """What becomes of the values that `bad` marks: `null` or `clamp`."""
        rows = [row.as_py() for row in pc.indices_nonzero(bad)]
        column = self.columns[index]
        chosen = column.get("unrepresentable")
        if chosen is None or chosen == "error":
            self.refuse(index, batch, rows[0], policy if chosen else None)
        counted = f"{column['target']}: {policy}"
        told = self.counts.get(counted, 0)
        self.counts[counted] = told + len(rows)
        for row in rows[: max(0, TOLD_PER_COLUMN - told)]:
            value = value_text(column["parquet"]["kind"], batch.column(index)[row].as_py())
            self.replaced.append(
                {"column": column["target"], "policy": f"{policy}={chosen}", "value": value, "key": self.row_key(batch, row)}
            )
        return chosen


def any_of(mask: pa.Array) -> bool:
    return bool(pc.any(mask).as_py())


def within(index: int, batch: pa.RecordBatch, policies: Policies, low: int, high: int) -> pa.Array:
    """Numbers between `low` and `high`, the others by policy."""
    values = batch.column(index)
    bad = pc.fill_null(pc.or_(pc.less(values, low), pc.greater(values, high)), False)
    if not any_of(bad):
        return values
    if policies.apply(index, batch, bad, "date_out_of_range") == "null":
        return pc.if_else(bad, pa.scalar(None, values.type), values)
    capped = pc.if_else(pc.greater(values, high), pa.scalar(high, values.type), values)
    return pc.if_else(pc.less(capped, low), pa.scalar(low, values.type), capped)


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
    wide = pc.fill_null(pc.or_(pc.greater(whole, precision - scale), pc.greater(part, scale)), False)
    if any_of(wide):
        policies.refuse(index, batch, pc.indices_nonzero(wide)[0].as_py(), None)
    return pc.cast(pc.replace_substring_regex(trimmed, r"\.$", ""), pa.decimal128(precision, scale))


def convert(index: int, batch: pa.RecordBatch, policies: Policies) -> pa.Array:
    """One column from the form in which it travels into the type of the file."""
    parquet, values = policies.columns[index]["parquet"], batch.column(index)
    kind = parquet["kind"]
    if kind == "date":
        return pc.cast(pc.add(within(index, batch, policies, FIRST_DAY, LAST_DAY), pa.scalar(EPOCH_DAYS, pa.int32())), pa.date32())
    if kind == "time":
        return pc.cast(within(index, batch, policies, 0, LAST_TIME), pa.time64("us"))
    if kind == "timestamp":
        micros = pc.add(within(index, batch, policies, FIRST_MICRO, LAST_MICRO), pa.scalar(EPOCH_MICROS, pa.int64()))
        return pc.cast(micros, arrow_type(parquet))
    if kind == "decimal":
        return decimals(index, batch, policies, parquet["precision"], parquet["scale"])
    if kind in ("string", "json", "binary"):
        long = pc.fill_null(pc.greater(pc.binary_length(values), byte_limit(policies.columns[index])), False)
        if any_of(long):
            policies.refuse(index, batch, pc.indices_nonzero(long)[0].as_py(), None)
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

    policies = Policies(read["table"], read["columns"], read["key"])
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


def jdbc_url(source_type: str, secret: dict, certificate: str | None) -> str:
    """`certificate`: path of the CA's PEM file. What libpq's documentation says of sslmode: `require` verifies when a CA is given."""
    mode = secret.get("sslmode", "require")
    host = f"[{secret['host']}]" if ":" in secret["host"] else secret["host"]
    database = urllib.parse.quote(secret["database"], safe="")
    if source_type == "postgres":
        verify = "verify-ca" if mode == "require" and certificate else mode
        options = {"sslmode": verify, "ApplicationName": "firn", "connectTimeout": 15, "tcpKeepAlive": "true"}
        if certificate:
            options["sslrootcert"] = certificate
        return f"jdbc:postgresql://{host}:{secret.get('port', 5432)}/{database}?{urllib.parse.urlencode(options)}"
    modes = {"disable": "DISABLED", "allow": "PREFERRED", "prefer": "PREFERRED", "require": "REQUIRED", "verify-ca": "VERIFY_CA", "verify-full": "VERIFY_IDENTITY"}
    options = {"sslMode": modes[mode], "connectTimeout": 15_000, "tcpKeepAlive": "true", "useCursorFetch": "true", "connectionTimeZone": "UTC"}
    return f"jdbc:mysql://{host}:{secret.get('port', 3306)}/{database}?{urllib.parse.urlencode(options)}"


DRIVERS = {"postgres": "org.postgresql.Driver", "mysql": "com.mysql.cj.jdbc.Driver"}


def place_certificate(spark: object, pem: str | None) -> str | None:
    """The CA's file where each JVM finds it by one name: Spark brings it into the executors' folder; the driver's is its own."""
    if pem is None:
        return None
    name = "firn-source-ca.pem"
    path = os.path.join(spark._jvm.System.getProperty("user.dir"), name)
    with open(path, "w") as file:
        file.write(pem)
    spark.sparkContext.addFile(path)
    return name


def sql_failure(read: dict, state: str, message: str) -> FirnError:
    """An error of the source's server, by the same table of SQLSTATEs as the functions use."""
    states = read["sqlStates"]
    return FirnError(states.get(state) or states.get(state[:2]) or "SourceQueryFailed", f"{read['address']}: {message}")


def sql_exception(error: object) -> tuple[str, str] | None:
    """SQLSTATE and message of the java.sql.SQLException behind what Spark threw."""
    cause = getattr(error, "java_exception", None)
    while cause is not None:
        if hasattr(cause, "getSQLState") and "SQL" in cause.getClass().getName():
            return cause.getSQLState() or "", re.sub(r"^ERROR: ", "", cause.getMessage() or "")
        cause = cause.getCause()
    return None


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
    return {
        "driver": DRIVERS[read["sourceType"]],
        "user": secret["user"],
        "password": secret["password"],
        "url": jdbc_url(read["sourceType"], secret, certificate),
        "fetchsize": str(read["batchRows"]),
        "sessionInitStatement": read["session"],
        # The query's own conditions stay in it; there is nothing else to push down.
        "pushDownPredicate": "false",
    }


def extract_all(spark: object, read: dict, bucket: str, region: str, log: RunLog) -> None:
    secret = json.loads(boto3.client("secretsmanager", region_name=region).get_secret_value(SecretId=read["secret"])["SecretString"])
    options = connection_options(read, secret, place_certificate(spark, secret.get("sslrootcert")))
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
