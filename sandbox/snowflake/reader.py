"""Reading a statement from left to right: its words, names, options."""

from typing import Any

from sqlglot.tokens import Token, TokenType

from errors import syntax_error
from lexer import tokenize

Name = tuple[str, ...]
TEXT = {TokenType.STRING, TokenType.RAW_STRING, TokenType.HEREDOC_STRING, TokenType.NATIONAL_STRING}


class Reader:
    """A cursor over the tokens of one statement."""

    def __init__(self, sql: str):
        self.sql, self.tokens, self.at = sql, tokenize(sql), 0
        self.replace, self.head = False, ""

    @property
    def here(self) -> Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    @property
    def ended(self) -> bool:
        return self.here is None or self.here.token_type == TokenType.SEMICOLON

    def word(self, ahead: int = 0) -> str:
        """The unquoted word here in upper case, else ''."""
        token = self.tokens[self.at + ahead] if self.at + ahead < len(self.tokens) else None
        if token is None or token.token_type in TEXT or token.token_type == TokenType.IDENTIFIER:
            return ""
        return " ".join(token.text.upper().split())

    def accept(self, *words: str) -> bool:
        """Steps over these words when they stand here."""
        flat = [part for word in words for part in word.split()]
        position, ahead = 0, 0
        while position < len(flat):
            found = self.word(ahead).split()  # one token may hold two words (sqlglot: GROUP BY)
            if not found or [w.upper() for w in flat[position : position + len(found)]] != found:
                return False
            position, ahead = position + len(found), ahead + 1
        self.at += ahead
        return True

    def expect(self, *words: str) -> None:
        if not self.accept(*words):
            raise self.unexpected(f"expected {' '.join(words)}")

    def unexpected(self, hint: str = "") -> Exception:
        token = self.here
        what = f"unexpected '{token.text}'" if token else "unexpected end"
        return syntax_error(f"syntax error at position {token.start if token else len(self.sql)} {what}{'; ' + hint if hint else ''}.")

    def end(self) -> None:
        if not self.ended:
            raise self.unexpected()

    def identifier(self) -> str:
        token = self.here
        if (
            token is None
            or token.token_type in TEXT
            or token.token_type == TokenType.NUMBER
            or not (token.text[:1].isalpha() or token.text[:1] == "_" or token.token_type == TokenType.IDENTIFIER)
        ):
            raise self.unexpected("expected a name")
        self.at += 1
        return token.text if token.token_type == TokenType.IDENTIFIER else token.text.upper()

    def name(self) -> Name:
        """`a."b".c` as parts; IDENTIFIER('a.b') too."""
        if self.word() == "IDENTIFIER" and self.word(1) == "(":
            self.at += 2
            parts = Reader(self.string()).name()
            self.expect(")")
            return parts
        parts = [self.identifier()]
        while self.accept("."):
            parts.append(self.identifier())
        return tuple(parts)

    def string(self) -> str:
        token = self.here
        if token is None or token.token_type not in TEXT:
            raise self.unexpected("expected a string")
        self.at += 1
        return token.text

    @property
    def is_string(self) -> bool:
        return self.here is not None and self.here.token_type in TEXT

    def parenthesised(self) -> str:
        """The text between the parentheses that open here."""
        self.expect("(")
        start, depth = self.at, 1
        while depth:
            if self.here is None:
                raise self.unexpected("expected )")
            depth += {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1}.get(self.here.token_type, 0)
            self.at += 1
        close = self.tokens[self.at - 1]
        return self.sql[self.tokens[start].start : close.start] if self.tokens[start] is not close else ""

    def rest(self) -> str:
        return self.sql[self.here.start :] if self.here else ""

    def path(self) -> str:
        """A stage reference or URL: `@db.schema.stage/dir/`, or quoted."""
        if self.is_string:
            return self.string()
        if self.here is None or self.here.text != "@":
            raise self.unexpected("expected a stage")
        start = self.here.start
        while True:
            token = self.here
            self.at += 1
            following = self.here
            if following is None or following.start != token.end + 1 or following.text in (")", ",", ";", "("):
                return self.sql[start : token.end + 1]

    def options(self) -> dict[str, Any]:
        """`KEY = value …` while it lasts. Values: text, TRUE/FALSE, numbers, words, lists, nested options."""
        found: dict[str, Any] = {}
        while True:
            self.accept(",")
            if self.ended or not (self.word(1) == "=" or self.word(1) == "=>"):
                return found
            key = self.identifier()
            self.at += 1
            found[key] = self.value()

    def value(self) -> Any:
        if self.is_string:
            return self.string()
        if self.accept("("):
            if self.word(1) in ("=", "=>"):
                nested = self.options()
                self.expect(")")
                return nested
            items = []
            while not self.accept(")"):
                items.append(self.value())
                self.accept(",")
            return items
        negative = self.accept("-")
        token = self.here
        if token is None:
            raise self.unexpected("expected a value")
        self.at += 1
        if token.token_type == TokenType.NUMBER:
            number = float(token.text) if "." in token.text else int(token.text)
            return -number if negative else number
        word = token.text if token.token_type == TokenType.IDENTIFIER else token.text.upper()
        if token.token_type != TokenType.IDENTIFIER and word in ("TRUE", "FALSE"):
            return word == "TRUE"
        while self.accept("."):
            word += "." + self.identifier()
        return word

    def if_not_exists(self) -> bool:
        return self.accept("IF NOT EXISTS")

    def if_exists(self) -> bool:
        return self.accept("IF EXISTS")
