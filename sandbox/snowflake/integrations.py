"""Storage and API integrations. Their trust is not enforced locally, but its two halves look as on Snowflake."""

import uuid
from typing import Any

import errors
import result
from dispatch import statement
from reader import Reader
from result import Result, status
from session import Session

IAM_USER = "arn:aws:iam::000000000000:user/snowflake-local"
KNOWN = {
    "STORAGE": {"TYPE", "ENABLED", "STORAGE_PROVIDER", "STORAGE_AWS_ROLE_ARN", "STORAGE_ALLOWED_LOCATIONS", "STORAGE_BLOCKED_LOCATIONS", "STORAGE_AWS_OBJECT_ACL", "STORAGE_AWS_EXTERNAL_ID", "COMMENT"},
    "API": {"API_PROVIDER", "ENABLED", "API_AWS_ROLE_ARN", "API_ALLOWED_PREFIXES", "API_BLOCKED_PREFIXES", "API_KEY", "COMMENT"},
}  # fmt: skip


def _check(kind: str, options: dict[str, Any]) -> None:
    unknown = set(options) - KNOWN[kind]
    if unknown:
        raise errors.SnowflakeError(f"SQL compilation error:\ninvalid property '{sorted(unknown)[0]}' for 'INTEGRATION'", 1420, "42601")


@statement("CREATE STORAGE INTEGRATION", "CREATE API INTEGRATION")
def create(session: Session, reader: Reader) -> Result:
    kind = reader.head.split()[1]
    if_not_exists = reader.if_not_exists()
    name = reader.identifier()
    options = reader.options()
    reader.end()
    _check(kind, options)
    # Recreated, it gets another external id, and the trust policy of the role no longer fits.
    external_id = options.get("STORAGE_AWS_EXTERNAL_ID") or f"LOCAL_SFCRole=2_{uuid.uuid4().hex}"
    value = {**options, "KIND": kind, "EXTERNAL_ID": external_id}
    made = session.engine.catalog.create("integration", (name,), value, replace=reader.replace, if_not_exists=if_not_exists)
    return status(f"Integration {name} successfully created." if made else f"{name} already exists, statement succeeded.")


@statement("ALTER STORAGE INTEGRATION", "ALTER API INTEGRATION", "ALTER INTEGRATION")
def alter(session: Session, reader: Reader) -> Result:
    if_exists = reader.if_exists()
    name = reader.identifier()
    found = session.engine.catalog.find("integration", (name,))
    if found is None:
        if if_exists:
            return status()
        raise errors.not_found("Integration", name)
    reader.expect("SET")
    options = reader.options()
    reader.end()
    _check(found["KIND"], options)
    session.engine.catalog.change("integration", (name,), **options)
    return status()


@statement("DROP STORAGE INTEGRATION", "DROP API INTEGRATION", "DROP INTEGRATION")
def drop(session: Session, reader: Reader) -> Result:
    if_exists = reader.if_exists()
    name = reader.identifier()
    session.engine.catalog.drop("integration", (name,), if_exists=if_exists)
    return status(f"{name} successfully dropped.")


def _text(value: Any) -> str:
    return ",".join(value) if isinstance(value, list) else str(value).lower() if isinstance(value, bool) else str(value)


@statement("DESCRIBE INTEGRATION", "DESCRIBE STORAGE INTEGRATION", "DESCRIBE API INTEGRATION")
def describe(session: Session, reader: Reader) -> Result:
    name = reader.identifier()
    reader.end()
    found = session.engine.catalog.get("integration", (name,))
    shown = {key: value for key, value in found.items() if key not in ("KIND", "EXTERNAL_ID", "STORAGE_AWS_EXTERNAL_ID")}
    shown |= {f"{found['KIND']}_AWS_IAM_USER_ARN": IAM_USER, f"{found['KIND']}_AWS_EXTERNAL_ID": found["EXTERNAL_ID"]}
    columns = ["property", "property_type", "property_value", "property_default"]
    kinds = {bool: "Boolean", list: "List"}
    return result.rows(
        [dict(zip(columns, (key, kinds.get(type(value), "String"), _text(value), ""), strict=True)) for key, value in shown.items()],
        columns,
    )
