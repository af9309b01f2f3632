"""COPY INTO a stage: the export of a query as Parquet or CSV."""

from pathlib import PurePosixPath

import dialect
import errors
import queries
import result
import stages
from held_tables import text_of
from lexer import quoted
from reader import Reader
from result import Result
from session import Session

OPTIONS = {"FILE_FORMAT", "HEADER", "OVERWRITE", "SINGLE", "MAX_FILE_SIZE", "STORAGE_INTEGRATION", "INCLUDE_QUERY_ID", "DETAILED_OUTPUT"}


def run(session: Session, reader: Reader) -> Result:
    """One file per statement. @raises for TIMESTAMP_TZ and TIMESTAMP_LTZ in Parquet, as Snowflake does."""
    url, stage_format = stages.locate(session, reader.path())
    reader.expect("FROM")
    source = reader.parenthesised() if reader.word() == "(" else f"SELECT * FROM {quoted(*session.resolve(reader.name()))}"
    options = reader.options()
    reader.end()
    if set(options) - OPTIONS:
        raise errors.unsupported(f"COPY INTO a location with {', '.join(sorted(set(options) - OPTIONS))}")
    format_ = stages.file_format(session, stage_format, options.get("FILE_FORMAT"))
    query = dialect.parse(source)
    dialect.name_columns(query)
    query, _ = queries.prepare(session, query)
    sql = dialect.to_duckdb(query)
    session.engine.filesystem()

    compression = str(format_.get("COMPRESSION", "AUTO")).upper()
    if format_["TYPE"] == "PARQUET":
        kinds = session.duck.execute(f"DESCRIBE {sql}").fetchall()
        zoned = [name for name, kind, *_ in kinds if kind == "TIMESTAMP WITH TIME ZONE"]
        if zoned:
            raise errors.SnowflakeError(
                f"Error encountered when unloading to PARQUET: TIMESTAMP_TZ and LTZ types are not supported for unloading to Parquet. Column: {zoned[0]}",
                100119,
                "22000",
            )
        ending = ".parquet" if compression == "NONE" else ".snappy.parquet"
        how = f"FORMAT parquet, COMPRESSION {'uncompressed' if compression == 'NONE' else 'snappy'}"
    elif format_["TYPE"] == "CSV":
        ending = ".csv" if compression == "NONE" else ".csv.gz"
        how = f"FORMAT csv, HEADER {bool(options.get('HEADER'))}, DELIMITER {text_of(format_['FIELD_DELIMITER'])}, NULLSTR '\\N'" + (
            "" if compression == "NONE" else ", COMPRESSION gzip"
        )
    else:
        raise errors.unsupported("unloading to " + format_["TYPE"])
    if options.get("SINGLE") is not True:
        url = url + ("data" if url.endswith("/") else "") + "_0_0_0" + ending
    if options.get("OVERWRITE") is not True and session.engine.filesystem().exists(url):
        raise errors.SnowflakeError(
            "Files already existing at the unload destination. Use overwrite option to force unloading.", 100130, "22000"
        )
    (count,) = session.duck.execute(f"COPY ({sql}) TO {text_of(url)} ({how})").fetchone()
    size = session.engine.filesystem().info(url)["size"]
    record = {"rows_unloaded": count, "input_bytes": size, "output_bytes": size}
    if options.get("DETAILED_OUTPUT") is True:
        record = {"FILE_NAME": PurePosixPath(url).name, "FILE_SIZE": size, "ROW_COUNT": count}
    return result.rows([record], list(record), result.COPY, count)
