"""The versions this server is written against: it patches nothing, but leans on how they behave."""

from importlib.metadata import version

PINNED = {"fakesnow": "0.12.1", "duckdb": "2.0.0", "sqlglot": "30.22.0", "s3fs": "2026.9.0", "quickjs": "1.19.4"}


def check() -> None:
    wrong = [f"{name} {version(name)} (needs {wanted})" for name, wanted in PINNED.items() if version(name) != wanted]
    if wrong:
        raise SystemExit("local Snowflake: wrong versions: " + ", ".join(wrong))
