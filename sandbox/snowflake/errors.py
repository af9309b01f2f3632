"""Errors as Snowflake numbers them. Source: Snowflake documentation and the messages its drivers show."""

import re


class SnowflakeError(Exception):
    def __init__(self, message: str, code: int = 2043, state: str = "42000"):
        super().__init__(message)
        self.message, self.code, self.state = message, code, state


def syntax_error(text: str) -> SnowflakeError:
    return SnowflakeError(f"SQL compilation error:\n{text}", 1003, "42000")


def unsupported(what: str) -> SnowflakeError:
    """The local Snowflake never pretends: what it does not know fails with this."""
    return SnowflakeError(f"SQL compilation error:\nUnsupported feature in the local Snowflake: {' '.join(what.split())[:300]}", 2, "0A000")


def not_found(kind: str, name: str) -> SnowflakeError:
    return SnowflakeError(f"SQL compilation error:\n{kind} '{name}' does not exist or not authorized.", 2003, "02000")


def already_exists(name: str) -> SnowflakeError:
    return SnowflakeError(f"SQL compilation error:\nObject '{name}' already exists.", 2002, "42710")


def from_duckdb(error: Exception) -> SnowflakeError:
    """A DuckDB error as the nearest Snowflake error; the text stays DuckDB's unless Snowflake's is known."""
    kind = type(error).__name__
    text = str(error).split("\n\nLINE")[0]
    inner = re.search(r"SnowflakeError: (.*)", text, re.S)  # from a function of ours that DuckDB called
    if inner:
        return SnowflakeError(inner[1].strip(), 100333, "22000")
    if kind == "CatalogException":
        missing = re.search(r"(?:Table|View|Schema|Catalog)(?: with name)? \"?([^ ]+?)\"? does not exist", text)
        if missing:
            return SnowflakeError(f"SQL compilation error:\nObject '{missing[1]}' does not exist or not authorized.", 2003, "42S02")
        function = re.search(r"Function with name (\S+) does not exist", text)
        if function:
            return SnowflakeError(f"SQL compilation error:\nUnknown function {function[1].upper()}", 2140, "42601")
        if "already exists" in text:
            return SnowflakeError(f"SQL compilation error:\n{text}", 2002, "42710")
        return SnowflakeError(f"SQL compilation error:\n{text}", 2003, "42S02")
    if kind == "BinderException":
        column = re.search(r"Referenced column \"(.+?)\" not found", text)
        if column:
            return SnowflakeError(f"SQL compilation error: error line 1 at position 0\ninvalid identifier '{column[1]}'", 904, "42000")
        return SnowflakeError(f"SQL compilation error:\n{text}", 2043, "42000")
    if kind == "ParserException":
        return syntax_error(text)
    if kind in ("ConversionException", "OutOfRangeException"):
        return SnowflakeError(text, 100038, "22018")
    if kind == "ConstraintException":
        column = re.search(r"NOT NULL constraint failed: \S*?\.?([^.]+)$", text)
        return SnowflakeError(f"NULL result in a non-nullable column: {column[1]}" if column else text, 100072, "22000")
    if kind == "InvalidInputException" and "Malformed JSON" in text:
        return SnowflakeError(f"Error parsing JSON: {text}", 100069, "22P02")
    if "same target row more than once" in text:
        return SnowflakeError("Duplicate row detected during DML action", 100090, "42P18")
    return SnowflakeError(f"{kind}: {text}", 603, "XX000")
