"""The one DuckDB instance of the server. Each database is a file that is attached to it; each session is a connection to it."""

import json
import threading
from pathlib import Path
from urllib.parse import quote, unquote

import duckdb
import pyarrow as pa

import information_schema
import macros
from catalog import Catalog
from information_schema import HIDDEN_SCHEMA
from lexer import quoted, text_of
from locks import Locks

LOAD_HISTORY = f"""
CREATE SCHEMA IF NOT EXISTS {{database}}.{HIDDEN_SCHEMA};
CREATE TABLE IF NOT EXISTS {{database}}.{HIDDEN_SCHEMA}.load_history (
  schema_name VARCHAR, table_name VARCHAR, file VARCHAR, stage VARCHAR, pipe VARCHAR, loaded_at TIMESTAMPTZ, status VARCHAR,
  row_count BIGINT, row_parsed BIGINT, file_size BIGINT, error VARCHAR, error_column VARCHAR, error_line BIGINT, error_count BIGINT);
CREATE OR REPLACE VIEW {{database}}.{HIDDEN_SCHEMA}.copy_history AS
SELECT substr(file, length(regexp_replace(stage, '^s3://[^/]*/', '')) + 1) AS "FILE_NAME", stage AS "STAGE_LOCATION", loaded_at AS "LAST_LOAD_TIME",
  row_count AS "ROW_COUNT", row_parsed AS "ROW_PARSED", file_size AS "FILE_SIZE", error AS "FIRST_ERROR_MESSAGE", error_line AS "FIRST_ERROR_LINE_NUMBER",
  NULL::BIGINT AS "FIRST_ERROR_CHARACTER_POS", error_column AS "FIRST_ERROR_COLUMN_NAME", error_count AS "ERROR_COUNT", 1 AS "ERROR_LIMIT",
  CASE status WHEN 'LOADED' THEN 'Loaded' ELSE 'Load failed' END AS "STATUS", current_database() AS "TABLE_CATALOG_NAME", schema_name AS "TABLE_SCHEMA_NAME",
  table_name AS "TABLE_NAME", split_part(pipe, '|', 1) AS "PIPE_CATALOG_NAME", split_part(pipe, '|', 2) AS "PIPE_SCHEMA_NAME", split_part(pipe, '|', 3) AS "PIPE_NAME",
  CASE WHEN pipe IS NOT NULL THEN loaded_at END AS "PIPE_RECEIVED_TIME"
FROM {{database}}.{HIDDEN_SCHEMA}.load_history"""


class Engine:
    def __init__(self, data: Path):
        self.data = data
        data.mkdir(parents=True, exist_ok=True)
        self.catalog, self.locks = Catalog(data / "catalog.json"), Locks()
        # sqlglot writes lambdas with an arrow
        self.duck = duckdb.connect(":memory:", config={"lambda_syntax": "ENABLE_SINGLE_ARROW"})
        self.duck.execute(f"SET GLOBAL TimeZone = 'UTC'; SET temp_directory = {text_of(str(data / 'spill'))}; SET memory_limit = '2GB'")
        self.duck.create_function("_sf_repeats_key", _repeats_key, ["VARCHAR"], "BOOLEAN", type="arrow", null_handling="special")
        self.duck.create_function(
            "_sf_external", _external, ["VARCHAR", "VARCHAR"], "VARCHAR", type="arrow", null_handling="special", side_effects=True
        )
        self.duck.execute(information_schema.creation_sql())
        self.s3_lock, self.s3 = threading.Lock(), None
        for file in sorted(data.glob("*.db")):
            self._attach(unquote(file.stem))

    def _attach(self, database: str) -> None:
        file = self.data / f"{quote(database, safe='')}.db"
        self.duck.cursor().execute(f"ATTACH {text_of(str(file))} AS {quoted(database)}; {LOAD_HISTORY.format(database=quoted(database))}")

    def databases(self) -> list[str]:
        return [unquote(file.stem) for file in sorted(self.data.glob("*.db"))]

    def create_database(self, database: str) -> None:
        self._attach(database)
        self.duck.cursor().execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(database, 'PUBLIC')}")

    def drop_database(self, database: str) -> None:
        self.duck.cursor().execute(f"DETACH {quoted(database)}")
        for file in self.data.glob(f"{quote(database, safe='')}.db*"):
            file.unlink()
        self.catalog.drop_within((database,))

    def schemas(self, database: str) -> list[str]:
        rows = self.duck.cursor().execute(
            "SELECT schema_name FROM duckdb_schemas() WHERE database_name = ? AND schema_name NOT IN ('main', ?) ORDER BY 1",
            [database, HIDDEN_SCHEMA],
        )
        return [name for (name,) in rows.fetchall()]

    def connect(self) -> duckdb.DuckDBPyConnection:
        connection = self.duck.cursor()
        connection.execute(macros.creation_sql())
        return connection

    def filesystem(self):
        """S3 by s3fs, registered with DuckDB at first use: DuckDB's own extension has to be downloaded, and importing s3fs takes a while."""
        with self.s3_lock:
            if self.s3 is None:
                import os

                import fsspec

                self.s3 = fsspec.filesystem("s3", endpoint_url=os.environ.get("AWS_ENDPOINT_URL"), use_listings_cache=False)
                self.duck.register_filesystem(self.s3)
            return self.s3

    def close(self) -> None:
        for database in self.databases():
            try:
                self.duck.execute(f"CHECKPOINT {quoted(database)}")
            except duckdb.TransactionException:
                pass  # a statement still runs; what was committed stands in the write-ahead log
        self.duck.close()


def _external(tokens: pa.ChunkedArray, values: pa.ChunkedArray) -> pa.Array:
    import external_functions  # which knows the sessions, which know the engine

    return external_functions.udf(tokens, values)


class _RepeatedKey(Exception):
    pass


def _unique(pairs: list[tuple[str, object]]) -> None:
    if len({key for key, _ in pairs}) != len(pairs):
        raise _RepeatedKey


def _repeats_key(column: pa.ChunkedArray) -> pa.Array:
    """Whether an object has a key twice, which Snowflake's PARSE_JSON refuses and DuckDB's does not."""

    def repeats(text: str | None) -> bool:
        if not text or "{" not in text:
            return False
        try:
            json.loads(text, object_pairs_hook=_unique)
        except _RepeatedKey:
            return True
        except ValueError:
            pass  # not JSON at all: DuckDB says so
        return False

    return pa.array([repeats(text) for text in column.to_pylist()], pa.bool_())
