"""Statements as tokens: binds, literals, several statements in one text."""

from typing import Any

import sqlglot
from sqlglot.dialects.snowflake import Snowflake
from sqlglot.tokens import Token, TokenType

from errors import syntax_error


class Tokenizer(Snowflake.Tokenizer):
    COMMANDS = set()  # else the rest of a CALL or SHOW is one token


def tokenize(sql: str) -> list[Token]:
    try:
        return Tokenizer().tokenize(sql)
    except sqlglot.errors.TokenError as error:
        raise syntax_error(str(error)) from None


def literal(value: Any) -> str:
    """A value as a Snowflake literal."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, float)):
        return repr(value)
    return "'" + str(value).replace("\\", "\\\\").replace("'", "''") + "'"


def text_of(value: str) -> str:
    """A text as DuckDB writes it."""
    return "'" + value.replace("'", "''") + "'"


def quoted(*parts: str) -> str:
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def statements(sql: str) -> list[str]:
    """Splits a text at its semicolons; empty statements fall out."""
    out, start = [], 0
    tokens = tokenize(sql)
    for token in tokens:
        if token.token_type == TokenType.SEMICOLON:
            out.append(sql[start : token.start])
            start = token.end + 1
    if any(token.start >= start for token in tokens):
        out.append(sql[start:])
    return [text for text in out if tokenize(text)]


def placeholders(tokens: list[Token]) -> list[tuple[int, int, int | None]]:
    """(start, end, number) of every `?` (number None) and `:1` outside of strings and paths."""
    found = []
    for i, token in enumerate(tokens):
        if token.token_type in (TokenType.PLACEHOLDER, TokenType.QDCOLON):  # the latter is `?::`
            found.append((token.start, token.start + 1, None))
        elif token.token_type == TokenType.COLON and i + 1 < len(tokens):
            following, before = tokens[i + 1], tokens[i - 1] if i else None
            touches = (
                before is not None
                and before.end + 1 == token.start
                and before.token_type not in (TokenType.L_PAREN, TokenType.COMMA, TokenType.EQ)
            )
            if following.token_type == TokenType.NUMBER and following.start == token.end + 1 and not touches:
                found.append((token.start, following.end + 1, int(following.text)))
    return found


def inline(sql: str, literals: list[str], variables: dict[str, str] | None = None) -> str:
    """Puts the literals in the place of the binds, and session variables in the place of `$name`."""
    tokens = tokenize(sql)
    spots: list[tuple[int, int, str]] = []
    position = 0
    for start, end, number in placeholders(tokens):
        index = position if number is None else number - 1
        position += number is None
        if index >= len(literals):
            raise syntax_error(f"Bind variable ? not set ({len(literals)} given)")
        spots.append((start, end, literals[index]))
    for i, token in enumerate(tokens[:-1]):
        name = tokens[i + 1]
        is_variable = token.token_type == TokenType.PARAMETER and token.text == "$" and name.start == token.end + 1
        if is_variable and name.token_type != TokenType.NUMBER:
            if variables is None or name.text.upper() not in variables:
                raise syntax_error(f"Session variable '${name.text.upper()}' does not exist")
            spots.append((token.start, name.end + 1, variables[name.text.upper()]))
    for start, end, text in sorted(spots, reverse=True):
        sql = sql[:start] + text + sql[end:]
    return sql
