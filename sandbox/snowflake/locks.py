"""Table locks as Snowflake has them, on top of DuckDB, which has none and fails with a conflict instead.

INSERT and COPY go side by side; MERGE, UPDATE, DELETE and TRUNCATE of one table queue; DDL waits for all and all wait for it.
"""

import threading
import time
from collections import defaultdict
from enum import Enum

from errors import SnowflakeError

Table = tuple[str, str, str]


class Mode(Enum):
    APPEND = 1
    CHANGE = 2
    DEFINE = 3


COMPATIBLE = {(Mode.APPEND, Mode.APPEND), (Mode.APPEND, Mode.CHANGE), (Mode.CHANGE, Mode.APPEND)}
LOCK_TIMEOUT_SECONDS = 600


class Locks:
    def __init__(self) -> None:
        self.held: dict[Table, dict[object, Mode]] = defaultdict(dict)
        self.free = threading.Condition()
        self.clock = 0
        self.changed: dict[Table, int] = {}

    def acquire(self, owner: object, wanted: dict[Table, Mode]) -> None:
        """Waits for all of them; held until `release`."""
        deadline = time.monotonic() + LOCK_TIMEOUT_SECONDS
        with self.free:
            for table, mode in sorted(wanted.items(), key=lambda item: item[0]):
                while any(other is not owner and (mode, held) not in COMPATIBLE for other, held in self.held[table].items()):
                    if not self.free.wait(deadline - time.monotonic()):
                        raise SnowflakeError(
                            f"Statement was aborted: the lock on '{'.'.join(table)}' was not released within {LOCK_TIMEOUT_SECONDS} s.",
                            625,
                            "57014",
                        )
                mine = self.held[table].get(owner)
                self.held[table][owner] = mode if mine is None or mine.value < mode.value else mine

    def release(self, owner: object, *, committed: bool) -> None:
        with self.free:
            self.clock += committed
            for table, owners in list(self.held.items()):
                if owners.pop(owner, None) is not None and committed:
                    self.changed[table] = self.clock
                if not owners:
                    del self.held[table]
            self.free.notify_all()

    def changed_since(self, table: Table, moment: int) -> bool:
        return self.changed.get(table, 0) > moment
