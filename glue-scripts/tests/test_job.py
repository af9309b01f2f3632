"""Files, arguments, connections and errors of the job."""

import io
import json
from pathlib import Path

import extract_table as job
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError

READ = {
    "sourceType": "postgres",
    "address": "PostgreSQL at db:5432, database shop",
    "sqlStates": {"42501": "SourcePermissionDenied", "08": "SourceConnectionLost", "08001": "SourceUnreachable", "1142": "SourcePermissionDenied", "tls": "SourceTlsFailed"},
    "columns": [{"name": "v", "target": "V", "sourceType": "int", "staging": "NUMBER", "parquet": {"kind": "int64"}}],
    "constants": {"_FIRN_RUN": "run", "_FIRN_OP": "R", "_FIRN_ORDER": "7/0"},
    "key": [],
    "table": "public.t",
}


def series(folder: Path, stored: list[str], file_bytes: int = 1 << 30) -> job.FileSeries:
    def store(part: int, path: str) -> str:
        kept = folder / f"kept{part:03d}.parquet"
        kept.write_bytes(Path(path).read_bytes())
        stored.append(str(kept))
        return kept.name

    return job.FileSeries(job.file_schema(READ), store, str(folder), file_bytes)


def rows(count: int) -> pa.RecordBatch:
    sent = pa.RecordBatch.from_arrays([pa.array(range(count), pa.int64())], names=["_firn_0"])
    return job.file_rows(READ, sent, job.Policies("postgres", "public.t", READ["columns"], []))


def test_no_rows_make_no_file(tmp_path: Path) -> None:
    stored: list[str] = []
    files = series(tmp_path, stored)
    files.push(rows(0))
    assert files.close() == []
    assert stored == []


def test_files_are_closed_at_their_size_and_hold_each_row_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "ROW_GROUP_BYTES", 1)
    stored: list[str] = []
    files = series(tmp_path, stored, file_bytes=1)
    for _ in range(3):
        files.push(rows(5))
    closed = files.close()
    assert [file["rows"] for file in closed] == [5, 5, 5]
    assert [file["bytes"] for file in closed] == [Path(path).stat().st_size for path in stored]
    table = pa.concat_tables([pq.read_table(path) for path in stored])
    assert table.column("V").to_pylist() == [*range(5)] * 3
    assert table.column_names == ["V", "_FIRN_RUN", "_FIRN_OP", "_FIRN_ORDER"]
    assert set(table.column("_FIRN_ORDER").to_pylist()) == {"7/0"}
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith("kept")] == []


class Bucket:
    """Conditional writes of S3, in memory."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put_object(self, Key: str, Body: object, **_: object) -> None:
        if Key in self.objects:
            raise ClientError({"Error": {"Code": "PreconditionFailed"}}, "PutObject")
        self.objects[Key] = Body if isinstance(Body, bytes) else Body.read()

    def get_object(self, Key: str, **_: object) -> dict:
        return {"Body": io.BytesIO(self.objects[Key])}


CHUNK = {"condition": "TRUE", "file": "data/run-0003-", "part": "parts/0003.json", "manifest": {"runId": "run", "chunk": 3, "engine": "glue"}}


def extract_beside(part: dict | None, monkeypatch: pytest.MonkeyPatch) -> dict:
    """Extracts a chunk of five rows whose part somebody else has written meanwhile."""
    bucket = Bucket()
    if part is not None:
        bucket.objects[CHUNK["part"]] = json.dumps(part).encode()
    monkeypatch.setattr(job, "s3_client", lambda region: bucket)
    sent = pa.RecordBatch.from_arrays([pa.array(range(5), pa.int64())], names=["_firn_0"])
    return job.extract_chunk(READ, "raw", "eu-west-1", CHUNK, [sent])


def test_the_first_part_of_a_chunk_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert extract_beside(None, monkeypatch)["part"]["rows"] == 5
    whole = {"runId": "run", "chunk": 3, "files": [], "rows": 0}
    assert extract_beside(whole, monkeypatch)["part"] == whole


def test_a_chunk_that_a_function_handed_back_meanwhile_is_not_done(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = {"runId": "run", "chunk": 3, "files": [], "rows": 0, "rest": {"number": 3, "column": "id", "from": "7", "to": None}}
    with pytest.raises(job.FirnError, match=r"\[firn:ServiceUnavailable\] Chunk 3 of public.t was handed back"):
        extract_beside(begun, monkeypatch)


def test_arguments_of_glue_itself_are_passed_over() -> None:
    argv = ["--JOB_NAME", "j", "--run_id", "r", "--bucket", "b", "--region", "eu", "--read", "k", "--TempDir", "s3://t", "--JOB_RUN_ID", "jr_1"]
    arguments = job.parse_arguments(argv)
    assert (arguments.run_id, arguments.bucket, arguments.region, arguments.read, arguments.JOB_RUN_ID) == ("r", "b", "eu", "k", "jr_1")


@pytest.mark.parametrize(
    ("sslmode", "certificate", "mode"),
    [("disable", None, "disable"), ("require", None, "require"), ("require", "ca.pem", "verify-ca"), ("verify-full", "ca.pem", "verify-full")],
)
def test_the_connection_is_encrypted_as_the_secret_says(sslmode: str, certificate: str | None, mode: str) -> None:
    secret = {"host": "db", "port": 5432, "database": "shop/1", "sslmode": sslmode, "user": "u", "password": "p"}
    url = job.postgres_url(secret, certificate)
    assert url.startswith("jdbc:postgresql://db:5432/shop%2F1?")
    assert f"sslmode={mode}&" in url
    assert ("sslrootcert=ca.pem" in url) == (certificate is not None)
    assert "p@" not in url and "password" not in url


@pytest.mark.parametrize(
    ("sslmode", "certificate", "mode"),
    [
        ("disable", None, "DISABLED"),
        ("prefer", None, "PREFERRED"),
        ("require", None, "REQUIRED"),
        ("require", "ca.p12", "VERIFY_CA"),
        ("verify-full", "ca.p12", "VERIFY_IDENTITY"),
    ],
)
def test_the_connection_to_mysql_is_encrypted_as_the_secret_says(sslmode: str, certificate: str | None, mode: str) -> None:
    secret = {"host": "::1", "port": 3306, "database": "shop/1", "sslmode": sslmode, "user": "u", "password": "secret!"}
    url = job.mysql_url(secret, certificate)
    assert url.startswith("jdbc:mysql://[::1]:3306/shop%2F1?")
    assert f"sslMode={mode}&" in url
    assert ("trustCertificateKeyStoreUrl=file%3Aca.p12" in url) == (certificate is not None)
    assert ("allowPublicKeyRetrieval" in url) == (sslmode == "disable")
    assert "secret" not in url


LINK = "Communications link failure\n\nThe last packet sent successfully to the server was 0 milliseconds ago."
SILENT = f"{LINK} The driver has not received any packets from the server."


@pytest.mark.parametrize(
    ("message", "causes", "code", "says"),
    [
        (SILENT, [("com.mysql.cj.exceptions.CJCommunicationsException", "x"), ("java.net.ConnectException", "Connection refused")], "SourceUnreachable", "Connection refused"),
        (SILENT, [("java.net.UnknownHostException", "db")], "SourceUnreachable", "Communications link failure: db"),
        (LINK, [("java.io.EOFException", "Can not read response from server.")], "SourceConnectionLost", "Can not read"),
        (LINK, [("javax.net.ssl.SSLHandshakeException", "PKIX"), ("sun.security.validator.ValidatorException", "PKIX path")], "SourceTlsFailed", "PKIX path"),
        ("Unknown column 'x'", [], "SourceQueryFailed", "Unknown column 'x'"),
    ],
)
def test_what_befell_a_connection_to_mysql_is_told_apart(message: str, causes: list, code: str, says: str) -> None:
    error = job.sql_failure(READ, *job.network_keys(["0", "42S22"], message, causes))
    assert error.code == code
    assert says in error.message


@pytest.mark.parametrize(
    ("number", "state", "code"),
    [
        ("0", "42501", "SourcePermissionDenied"),
        ("0", "08001", "SourceUnreachable"),
        ("0", "08006", "SourceConnectionLost"),
        ("0", "22012", "SourceQueryFailed"),
        ("1142", "42000", "SourcePermissionDenied"),
        ("1064", "42000", "SourceQueryFailed"),
        ("0", "", "SourceQueryFailed"),
    ],
)
def test_an_error_of_the_server_has_the_code_of_its_number_or_sqlstate(number: str, state: str, code: str) -> None:
    error = job.sql_failure(READ, [number, state], "no\n  luck")
    assert str(error) == f"[firn:{code}] PostgreSQL at db:5432, database shop: no luck"


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("Job aborted … FirnError: [firn:ValueOutOfRange] public.t, row id=1: no\n\tat org.apache", "ValueOutOfRange", "public.t, row id=1: no"),
        ("An exception\nTraceback (most recent call last):\n  File \"x\"\nbotocore.exceptions.ClientError: denied\n", "ExtractJobFailed", "botocore.exceptions.ClientError: denied"),
        ("Job aborted: ExecutorLostFailure (executor 1 exited: OOM)\n\tat org.apache.spark", "ExtractJobFailed", "Exception: Job aborted: ExecutorLostFailure (executor 1 exited: OOM)"),
    ],
)
def test_what_spark_throws_becomes_one_line_with_a_code(text: str, code: str, message: str) -> None:
    error = job.as_firn_error(READ, Exception(text))
    assert (error.code, error.message) == (code, message)
