"""INFORMATION_SCHEMA: what Snowflake's views show, from DuckDB's catalog and ours.

The views stand once in the in-memory database; a reference to DB.INFORMATION_SCHEMA.X reads the rows of DB from them.
"""

from sqlglot import exp

import errors

HIDDEN_SCHEMA = "_SF"
EPOCH = "TIMESTAMPTZ '1970-01-01 00:00:00+00'"
# The note in the comment of a column is {"type": "NUMBER(38,0)", "comment"?}: see column_types.py
DECLARED = "json_extract_string(c.comment, '$.type')"
INFERRED = """CASE WHEN c.data_type LIKE 'DECIMAL%' THEN replace(c.data_type, 'DECIMAL', 'NUMBER')
  WHEN c.data_type IN ('TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'HUGEINT', 'UTINYINT', 'USMALLINT', 'UINTEGER', 'UBIGINT', 'UHUGEINT') THEN 'NUMBER(38,0)'
  WHEN c.data_type = 'VARCHAR' THEN 'VARCHAR(16777216)' WHEN c.data_type IN ('DOUBLE', 'FLOAT') THEN 'FLOAT'
  WHEN c.data_type = 'BLOB' THEN 'BINARY(8388608)' WHEN c.data_type = 'TIMESTAMP' THEN 'TIMESTAMP_NTZ(9)'
  WHEN c.data_type = 'TIMESTAMP WITH TIME ZONE' THEN 'TIMESTAMP_TZ(9)' WHEN c.data_type = 'TIME' THEN 'TIME(9)'
  WHEN c.data_type IN ('BOOLEAN', 'DATE') THEN c.data_type WHEN c.data_type LIKE '%[]' THEN 'ARRAY' ELSE 'VARIANT' END"""

COLUMNS = f"""
SELECT TABLE_CATALOG, TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, ORDINAL_POSITION, COLUMN_DEFAULT, IS_NULLABLE,
  CASE family WHEN 'VARCHAR' THEN 'TEXT' ELSE family END AS DATA_TYPE,
  CASE WHEN family IN ('VARCHAR', 'BINARY') THEN p1 END AS CHARACTER_MAXIMUM_LENGTH,
  CASE family WHEN 'VARCHAR' THEN least(p1 * 4, 16777216) WHEN 'BINARY' THEN p1 END AS CHARACTER_OCTET_LENGTH,
  CASE WHEN family = 'NUMBER' THEN p1 END AS NUMERIC_PRECISION,
  CASE WHEN family = 'NUMBER' THEN 10 END AS NUMERIC_PRECISION_RADIX,
  CASE WHEN family = 'NUMBER' THEN p2 END AS NUMERIC_SCALE,
  CASE WHEN family LIKE 'TIME%' THEN p1 END AS DATETIME_PRECISION,
  'NO' AS IS_IDENTITY, comment AS COMMENT, declared AS DECLARED_TYPE
FROM (
  SELECT *, regexp_extract(declared, '^[A-Z_]+') AS family, TRY_CAST(regexp_extract(declared, '[(](\\d+)', 1) AS BIGINT) AS p1,
    TRY_CAST(regexp_extract(declared, ',(\\d+)', 1) AS BIGINT) AS p2
  FROM (
    SELECT c.database_name AS TABLE_CATALOG, c.schema_name AS TABLE_SCHEMA, c.table_name AS TABLE_NAME, c.column_name AS COLUMN_NAME,
      c.column_index AS ORDINAL_POSITION, c.column_default AS COLUMN_DEFAULT, CASE WHEN c.is_nullable THEN 'YES' ELSE 'NO' END AS IS_NULLABLE,
      COALESCE({DECLARED}, {INFERRED}) AS declared, json_extract_string(c.comment, '$.comment') AS comment
    FROM duckdb_columns() AS c WHERE NOT c.internal AND c.schema_name NOT IN ('main', '{HIDDEN_SCHEMA}')))"""

TABLES = f"""
SELECT database_name AS TABLE_CATALOG, schema_name AS TABLE_SCHEMA, table_name AS TABLE_NAME, 'SYSADMIN' AS TABLE_OWNER, 'BASE TABLE' AS TABLE_TYPE,
  'NO' AS IS_TRANSIENT, estimated_size AS ROW_COUNT, 0 AS BYTES, 1 AS RETENTION_TIME, {{created}} AS CREATED, {{created}} AS LAST_ALTERED, comment AS COMMENT,
  'NO' AS IS_DYNAMIC, 'NO' AS IS_ICEBERG, NULL::VARCHAR AS CLUSTERING_KEY
FROM duckdb_tables() WHERE NOT internal AND schema_name NOT IN ('main', '{HIDDEN_SCHEMA}')
UNION ALL
SELECT database_name, schema_name, view_name, 'SYSADMIN', 'VIEW', 'NO', NULL, NULL, 1, {{created}}, {{created}}, comment, 'NO', 'NO', NULL
FROM duckdb_views() WHERE NOT internal AND schema_name NOT IN ('main', '{HIDDEN_SCHEMA}')""".format(created="now()")

VIEWS = f"""
SELECT database_name AS TABLE_CATALOG, schema_name AS TABLE_SCHEMA, view_name AS TABLE_NAME, 'SYSADMIN' AS TABLE_OWNER, sql AS VIEW_DEFINITION,
  {EPOCH} AS CREATED, {EPOCH} AS LAST_ALTERED, comment AS COMMENT
FROM duckdb_views() WHERE NOT internal AND schema_name NOT IN ('main', '{HIDDEN_SCHEMA}')"""

SCHEMATA = f"""
SELECT database_name AS CATALOG_NAME, schema_name AS SCHEMA_NAME, 'SYSADMIN' AS SCHEMA_OWNER, 'NO' AS IS_TRANSIENT, {EPOCH} AS CREATED, {EPOCH} AS LAST_ALTERED, comment AS COMMENT
FROM duckdb_schemas() WHERE NOT internal AND schema_name NOT IN ('main', '{HIDDEN_SCHEMA}')"""

DATABASES = f"""
SELECT database_name AS DATABASE_NAME, 'SYSADMIN' AS DATABASE_OWNER, 'NO' AS IS_TRANSIENT, NULL::VARCHAR AS COMMENT, {EPOCH} AS CREATED, {EPOCH} AS LAST_ALTERED
FROM duckdb_databases() WHERE NOT internal AND database_name <> 'memory'"""

# view → (SQL, the column that names the database)
VIEWS_BY_NAME = {
    "COLUMNS": (COLUMNS, "TABLE_CATALOG"),
    "TABLES": (TABLES, "TABLE_CATALOG"),
    "VIEWS": (VIEWS, "TABLE_CATALOG"),
    "SCHEMATA": (SCHEMATA, "CATALOG_NAME"),
    "DATABASES": (DATABASES, None),
}


def creation_sql() -> str:
    return ";".join(f"CREATE OR REPLACE VIEW memory.main._SF_{name} AS {body}" for name, (body, _) in VIEWS_BY_NAME.items())


def replace(session, query: exp.Expression) -> exp.Expression:
    """Reads our view in the place of each table of INFORMATION_SCHEMA."""
    for table in list(query.find_all(exp.Table)):
        in_schema = table.db == "INFORMATION_SCHEMA" if table.db else session.schema == "INFORMATION_SCHEMA"
        if not in_schema or not isinstance(table.this, exp.Identifier):
            continue
        database, _, name = session.resolve(tuple(part.name for part in table.parts))
        if name not in VIEWS_BY_NAME:
            raise errors.unsupported(f"INFORMATION_SCHEMA.{name}")
        column = VIEWS_BY_NAME[name][1]
        view = exp.Table(
            this=exp.to_identifier(f"_SF_{name}", quoted=True),
            db=exp.to_identifier("main", quoted=True),
            catalog=exp.to_identifier("memory", quoted=True),
        )
        select = exp.Select(expressions=[exp.Star()]).from_(view)
        if column:
            select = select.where(exp.column(column, quoted=True).eq(exp.Literal.string(database)))
        alias = table.args.get("alias") or exp.TableAlias(this=exp.to_identifier(name, quoted=True))
        table.replace(exp.Subquery(this=select, alias=alias.copy()))
    return query
