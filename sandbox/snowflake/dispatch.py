"""Which handler runs a statement: by its first words. What has no handler fails."""

from collections.abc import Callable

import errors
from reader import Reader
from result import Result
from session import Session

Handler = Callable[[Session, Reader], Result]
HANDLERS: dict[str, Handler] = {}

# Words between CREATE (or SHOW) and the kind of object, which the handlers of tables and views read again from the whole text.
MODIFIERS = {"TRANSIENT", "TEMPORARY", "TEMP", "VOLATILE", "LOCAL", "GLOBAL", "SECURE", "RECURSIVE", "TERSE"}


def statement(*heads: str) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        for head in heads:
            HANDLERS[head] = handler
        return handler

    return register


def run(session: Session, sql: str) -> Result:
    reader = Reader(sql)
    if reader.ended:
        raise errors.SnowflakeError("Empty SQL statement.", 900, "42601")
    verb = {"DESC": "DESCRIBE", "LS": "LIST", "RM": "REMOVE", "WITH": "SELECT", "(": "SELECT", "VALUES": "SELECT"}.get(
        reader.word(), reader.word()
    )
    if verb in HANDLERS:
        return HANDLERS[verb](session, reader)
    reader.at += 1
    reader.replace = reader.accept("OR REPLACE")
    while reader.word() in MODIFIERS:
        reader.at += 1
    for length in (2, 1):
        kind = " ".join(reader.word(i) for i in range(length))
        if f"{verb} {kind}" in HANDLERS:
            reader.at += length
            reader.head = f"{verb} {kind}"
            return HANDLERS[f"{verb} {kind}"](session, reader)
    raise errors.unsupported(sql)


import pipes  # noqa: E402

import account_objects  # noqa: E402  each registers its statements
import alter_table  # noqa: E402
import copy_into  # noqa: E402
import databases  # noqa: E402
import external_functions  # noqa: E402
import integrations  # noqa: E402
import procedures  # noqa: E402
import queries  # noqa: E402
import row_changes  # noqa: E402
import show  # noqa: E402
import stages  # noqa: E402
import tables  # noqa: E402
import tasks  # noqa: E402
import transactions  # noqa: E402

__all__ = [
    "account_objects", "alter_table", "copy_into", "databases", "external_functions", "integrations", "pipes", "procedures", "queries", "row_changes", "show", "stages",
    "tables", "tasks", "transactions",
]  # fmt: skip
