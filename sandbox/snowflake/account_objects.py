"""Account objects that have no meaning locally. This list is the only place where a statement succeeds and does nothing."""

from dispatch import HANDLERS
from reader import Reader
from result import Result, status
from session import Session

NO_MEANING_HERE = [
    "GRANT", "REVOKE",
    "CREATE ROLE", "ALTER ROLE", "DROP ROLE",
    "CREATE USER", "ALTER USER", "DROP USER",
    "CREATE WAREHOUSE", "ALTER WAREHOUSE", "DROP WAREHOUSE",
    "CREATE RESOURCE", "ALTER RESOURCE", "DROP RESOURCE",  # MONITOR
    "CREATE NETWORK", "ALTER NETWORK", "DROP NETWORK",  # POLICY, RULE
]  # fmt: skip


def succeed(session: Session, reader: Reader) -> Result:
    session.commit()
    return status()


for head in NO_MEANING_HERE:
    HANDLERS[head] = succeed
