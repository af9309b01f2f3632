"""Everything that DuckDB's own catalog cannot hold: stages, file formats, integrations, pipes, procedures, external functions.

One JSON file, rewritten whole at each change: there are tens of objects, not thousands.
"""

import json
import os
import threading
from pathlib import Path
from typing import Any

from errors import already_exists, not_found

Key = tuple[str, ...]


class Catalog:
    def __init__(self, file: Path):
        self.file, self.lock = file, threading.RLock()
        self.objects: dict[str, dict[Key, dict[str, Any]]] = {}
        if file.exists():
            for kind, key, value in json.loads(file.read_text()):
                self.objects.setdefault(kind, {})[tuple(key)] = value

    def save(self) -> None:
        rows = [[kind, list(key), value] for kind, members in self.objects.items() for key, value in members.items()]
        new = self.file.with_suffix(".new")
        new.write_text(json.dumps(rows, indent=1))
        os.replace(new, self.file)

    def find(self, kind: str, key: Key) -> dict[str, Any] | None:
        return self.objects.get(kind, {}).get(key)

    def get(self, kind: str, key: Key) -> dict[str, Any]:
        found = self.find(kind, key)
        if found is None:
            raise not_found(kind.capitalize(), ".".join(key))
        return found

    def all(self, kind: str) -> list[tuple[Key, dict[str, Any]]]:
        return sorted(self.objects.get(kind, {}).items())

    def create(self, kind: str, key: Key, value: dict[str, Any], *, replace: bool = False, if_not_exists: bool = False) -> bool:
        """False when it was there already and IF NOT EXISTS was said."""
        with self.lock:
            if self.find(kind, key) is not None and not replace:
                if if_not_exists:
                    return False
                raise already_exists(".".join(key))
            self.objects.setdefault(kind, {})[key] = value
            self.save()
            return True

    def change(self, kind: str, key: Key, **values: Any) -> None:
        with self.lock:
            self.get(kind, key).update(values)
            self.save()

    def drop(self, kind: str, key: Key, *, if_exists: bool = False) -> None:
        with self.lock:
            if self.objects.get(kind, {}).pop(key, None) is None and not if_exists:
                raise not_found(kind.capitalize(), ".".join(key))
            self.save()

    def drop_within(self, prefix: Key) -> None:
        """All objects of a dropped database or schema."""
        with self.lock:
            for members in self.objects.values():
                for key in [key for key in members if len(key) > len(prefix) and key[: len(prefix)] == prefix]:
                    del members[key]
            self.save()
