"""Binds of the wire protocol as literals, and statements with many rows of binds."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import result
from lexer import literal, placeholders, tokenize
from reader import Reader
from result import Result
from session import Session

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def as_literal(kind: str, value: str | None) -> str:
    """Source: snowflake-connector-nodejs, connection/statement.js; dates are milliseconds, timestamps nanoseconds since 1970."""
    if value is None:
        return "NULL"
    if kind == "FIXED":
        return value
    if kind == "REAL":
        number = float(value)
        return repr(number) if math.isfinite(number) else f"CAST('{value}' AS FLOAT)"
    if kind == "BOOLEAN":
        return "TRUE" if value.lower() in ("true", "1") else "FALSE"
    if kind == "DATE":
        return f"CAST('{EPOCH + timedelta(milliseconds=int(value)):%Y-%m-%d}' AS DATE)"
    if kind == "TIME":
        return f"CAST('{EPOCH + timedelta(microseconds=int(value) // 1000):%H:%M:%S.%f}' AS TIME)"
    if kind.startswith("TIMESTAMP"):
        moment = EPOCH + timedelta(microseconds=int(value.split(" ")[0]) // 1000)
        zone = "" if kind == "TIMESTAMP_NTZ" else "+00:00"
        return f"CAST('{moment:%Y-%m-%d %H:%M:%S.%f}{zone}' AS {kind})"
    if kind == "BINARY":
        return f"TO_BINARY('{value}', 'HEX')"
    if kind in ("VARIANT", "OBJECT", "ARRAY"):
        return f"PARSE_JSON({literal(value)})"
    return literal(value)


def rows(bindings: dict[str, dict[str, Any]] | None) -> list[list[str]]:
    """One list of literals, or one for each row of an array binding."""
    if not bindings:
        return [[]]
    columns = [bindings[str(position)] for position in range(1, len(bindings) + 1)]
    if not isinstance(columns[0]["value"], list):
        return [[as_literal(column["type"], column["value"]) for column in columns]]
    return [
        list(row) for row in zip(*[[as_literal(column["type"], value) for value in column["value"]] for column in columns], strict=True)
    ]


def execute(session: Session, sql: str, literals: list[list[str]], describe_only: bool) -> Result:
    if describe_only:
        word = Reader(sql).word()
        if word not in ("SELECT", "WITH"):
            return result.status()
        return session.execute(f"SELECT * FROM ({sql.rstrip().rstrip(';')}) LIMIT 0", ["NULL"] * len(placeholders(tokenize(sql))))
    if len(literals) == 1:
        return session.execute(sql, literals[0])
    return session.execute(many_rows(sql, literals))


def many_rows(sql: str, literals: list[list[str]]) -> str:
    """`INSERT … VALUES (?, ?)` or `INSERT … SELECT ?, ?` with one row for each list of literals."""
    spots = placeholders(tokenize(sql))
    reader, start = Reader(sql), None
    while not reader.ended:
        if reader.word() in ("VALUES", "SELECT"):
            start, joint = (reader.here.end + 1, ", ") if reader.word() == "VALUES" else (reader.here.start, " UNION ALL ")
            break
        reader.at += 1
    if start is None or any(begin < start for begin, _, _ in spots):
        raise result_error(sql)
    template, pieces = sql[start:].rstrip().rstrip(";"), []
    for row in literals:
        text, shift = template, 0
        for (begin, end, number), index in zip(spots, range(len(spots)), strict=True):
            value = row[index if number is None else number - 1]
            text = text[: begin - start + shift] + value + text[end - start + shift :]
            shift += len(value) - (end - begin)
        pieces.append(text)
    return sql[:start] + joint.join(pieces)


def result_error(sql: str) -> Exception:
    import errors

    return errors.unsupported("many rows of binds in: " + sql)
