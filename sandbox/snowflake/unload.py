"""COPY INTO a stage: the export of a query as Parquet, CSV or JSON. Source: Snowflake documentation, "COPY INTO <location>"."""

from pathlib import PurePosixPath
from typing import Any

from sqlglot import exp

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
LARGEST = 5 * 1024**3
ZONED = "TIMESTAMP WITH TIME ZONE"


def run(session: Session, reader: Reader) -> Result:
    """@raises for TIMESTAMP_TZ and TIMESTAMP_LTZ in Parquet, as Snowflake does. A query without rows makes no file."""
    url, stage_format = stages.locate(session, reader.path())
    reader.expect("FROM")
    source = reader.parenthesised() if reader.word() == "(" else f"SELECT * FROM {quoted(*session.resolve(reader.name()))}"
    partition = reader.parenthesised() if reader.accept("PARTITION BY") else None
    options = reader.options()
    reader.end()
    _check(options, partition)
    format_ = stages.file_format(session, stage_format, options.get("FILE_FORMAT"))
    query = dialect.parse(source)
    dialect.name_columns(query)
    query, _ = queries.prepare(session, query)
    sql = dialect.to_duckdb(query)
    kinds = {name: kind for name, kind, *_ in session.duck.execute(f"DESCRIBE {sql}").fetchall()}
    session.engine.filesystem()
    kind = format_["TYPE"]
    sql, ending, how = {"PARQUET": _parquet, "CSV": _csv, "JSON": _json}[kind](sql, kinds, format_, options)
    base = url + ("data" if url.endswith("/") else "")
    if options.get("SINGLE") is True:
        files = [_write(session, sql, url, how, options)]
    elif partition is None:
        files = [_write(session, part, f"{base}_0_{n}_0{ending}", how, options) for n, part in enumerate(_pieces(session, sql, options))]
    else:
        files = _partitioned(session, sql, partition, url, ending, how, options)
    files = [file for file in files if file is not None]
    count, size = sum(file["ROW_COUNT"] for file in files), sum(file["FILE_SIZE"] for file in files)
    if options.get("DETAILED_OUTPUT") is True:
        return result.rows(files, ["FILE_NAME", "FILE_SIZE", "ROW_COUNT"], result.COPY, count)
    record = {"rows_unloaded": count, "input_bytes": size, "output_bytes": size}
    return result.rows([record], list(record), result.COPY, count)


def _check(options: dict[str, Any], partition: str | None) -> None:
    if set(options) - OPTIONS:
        raise errors.unsupported(f"COPY INTO a location with {', '.join(sorted(set(options) - OPTIONS))}")
    if int(options.get("MAX_FILE_SIZE", 1)) > LARGEST:
        raise errors.syntax_error(f"invalid value [{options['MAX_FILE_SIZE']}] for parameter 'MAX_FILE_SIZE'")
    if partition is not None and (options.get("SINGLE") is True or options.get("OVERWRITE") is True):
        raise errors.syntax_error("PARTITION BY cannot be combined with SINGLE or OVERWRITE")


Prepared = tuple[str, str, str]


def _parquet(sql: str, kinds: dict[str, str], format_: dict[str, Any], options: dict[str, Any]) -> Prepared:
    zoned = [name for name, kind in kinds.items() if kind == ZONED]
    if zoned:
        raise errors.SnowflakeError(
            f"Error encountered when unloading to PARQUET: TIMESTAMP_TZ and LTZ types are not supported for unloading to Parquet. Column: {zoned[0]}",
            100119,
            "22000",
        )
    named = options.get("HEADER") is True
    columns = [
        (f"CAST({quoted(name)} AS VARCHAR)" if kind == "JSON" else quoted(name)) + f" AS {quoted(name if named else f'_COL_{n}')}"
        for n, (name, kind) in enumerate(kinds.items())
    ]
    plain = str(format_.get("COMPRESSION", "AUTO")).upper() == "NONE"
    how = f"FORMAT parquet, COMPRESSION {'uncompressed' if plain else 'snappy'}"
    return f"SELECT {', '.join(columns)} FROM ({sql})", ".parquet" if plain else ".snappy.parquet", how


def _compression(format_: dict[str, Any]) -> tuple[str, str]:
    return ("", "") if str(format_.get("COMPRESSION", "AUTO")).upper() == "NONE" else (".gz", ", COMPRESSION gzip")


def _csv(sql: str, kinds: dict[str, str], format_: dict[str, Any], options: dict[str, Any]) -> Prepared:
    suffix, compression = _compression(format_)
    enclosed = format_.get("FIELD_OPTIONALLY_ENCLOSED_BY", "NONE")
    null = (format_["NULL_IF"] or [""])[0]
    how = f"FORMAT csv, HEADER {options.get('HEADER') is True}, DELIMITER {text_of(format_['FIELD_DELIMITER'])}, NULLSTR {text_of(null)}{compression}"
    if enclosed != "NONE":  # texts are enclosed, whatever is in them; nothing else is
        texts = [name for name, kind in kinds.items() if kind in ("VARCHAR", "JSON")]
        how += f", QUOTE {text_of(enclosed)}, ESCAPE {text_of(enclosed)}"
        how += f", FORCE_QUOTE ({', '.join(map(quoted, texts))})" if texts else ""
    else:
        how += ", QUOTE '', ESCAPE ''"
    return sql, ".csv" + suffix, how


def _json(sql: str, kinds: dict[str, str], format_: dict[str, Any], options: dict[str, Any]) -> Prepared:
    if list(kinds.values()) != ["JSON"] or options.get("HEADER") is True:
        raise errors.SnowflakeError("JSON file format can produce one and only one column of type variant, object, or array.", 2222, "22000")
    suffix, compression = _compression(format_)
    # As lines of text that nothing is done to: no text of JSON holds these characters.
    how = f"FORMAT csv, HEADER FALSE, DELIMITER '\x01', QUOTE '', ESCAPE '', NULLSTR 'null'{compression}"
    return f"SELECT CAST(COLUMNS(*) AS VARCHAR) FROM ({sql})", ".json" + suffix, how


def _write(session: Session, sql: str, url: str, how: str, options: dict[str, Any]) -> dict[str, Any] | None:
    filesystem = session.engine.filesystem()
    if options.get("OVERWRITE") is not True and filesystem.exists(url):
        raise errors.SnowflakeError(
            "Files already existing at the unload destination. Use overwrite option to force unloading.", 100130, "22000"
        )
    if session.duck.execute(f"SELECT 1 FROM ({sql}) LIMIT 1").fetchone() is None:
        return None
    (count,) = session.duck.execute(f"COPY ({sql}) TO {text_of(url)} ({how})").fetchone()
    filesystem.invalidate_cache()
    size = filesystem.info(url)["size"]
    if options.get("SINGLE") is True and size > int(options.get("MAX_FILE_SIZE", 16_777_216)):
        filesystem.rm_file(url)
        raise errors.SnowflakeError(
            f"Max file size ({options.get('MAX_FILE_SIZE', 16_777_216)}) exceeded for unload single file mode. Please increase MAX_FILE_SIZE copy option value.",
            100121,
            "22000",
        )
    return {"FILE_NAME": PurePosixPath(url).name, "FILE_SIZE": size, "ROW_COUNT": count}


def _pieces(session: Session, sql: str, options: dict[str, Any]) -> list[str]:
    """The query cut by rows; how large a file gets is guessed from the text of its first rows."""
    (count,) = session.duck.execute(f"SELECT COUNT(*) FROM ({sql})").fetchone()
    sample = session.duck.execute(f"SELECT SUM(strlen(CAST(sample AS VARCHAR))) / COUNT(*) FROM (SELECT * FROM ({sql}) LIMIT 1000) AS sample").fetchone()
    rows = max(1, int(int(options.get("MAX_FILE_SIZE", 16_777_216)) / (sample[0] or 1)))
    return [f"SELECT * FROM ({sql}) LIMIT {rows} OFFSET {start}" for start in range(0, count, rows)]


def _partitioned(session: Session, sql: str, partition: str, url: str, ending: str, how: str, options: dict[str, Any]) -> list[dict[str, Any] | None]:
    """One file for each text of the expression, in a folder of that name."""
    expression = dialect.parse(f"SELECT {partition}").expressions[0]
    folder = f"COALESCE(CAST({dialect.to_duckdb(exp.select(expression)).removeprefix('SELECT ')} AS VARCHAR), '__NULL__')"
    names = [name for (name,) in session.duck.execute(f"SELECT DISTINCT {folder} FROM ({sql}) ORDER BY 1").fetchall()]
    slash = "" if url.endswith("/") else "/"
    return [
        _write(session, f"SELECT * FROM ({sql}) WHERE {folder} = {text_of(name)}", f"{url}{slash}{name}/data_{session.query_id}_0_0{ending}", how, options)
        for name in names
    ]
