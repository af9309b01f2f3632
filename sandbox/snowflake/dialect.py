"""Snowflake SQL → DuckDB SQL: sqlglot's transpiler, fakesnow's transforms, and what both get wrong.

Not used of fakesnow, because it loses something: NUMBER(38,0) as BIGINT, SUM through DOUBLE, MERGE split into several statements.
"""

import re

import sqlglot
from fakesnow import transforms as f
from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import ParseError

import column_types
from errors import syntax_error, unsupported
from reader import Reader

T = exp.DataType.Type

# A name in Snowflake, a word of time travel in DuckDB: sqlglot quotes what is listed here.
DuckDB.Generator.RESERVED_KEYWORDS = {*DuckDB.Generator.RESERVED_KEYWORDS, "at"}


def parse(sql: str) -> exp.Expression:
    try:
        parsed = sqlglot.parse_one(sql, read="snowflake")
    except ParseError as error:
        text = re.sub(r"\x1b\[\d+m", "", str(error))
        raise syntax_error(text) from None
    if isinstance(parsed, exp.Command):
        raise unsupported(sql)
    for struct in parsed.find_all(exp.Struct):  # {'key': …}: sqlglot makes a name of the key
        for entry in struct.expressions:
            if isinstance(entry, exp.PropertyEQ) and isinstance(entry.this, exp.Identifier):
                entry.set("this", exp.Literal.string(entry.this.name))
    return parsed


def _data_type(node: exp.Expression) -> exp.Expression:
    if isinstance(node, exp.DataType) and node.this not in (T.NULL, T.UNKNOWN, T.INTERVAL, T.JSON, T.STRUCT, T.MAP):
        return exp.DataType.build(column_types.duckdb_type(column_types.declared(node)), dialect="duckdb")
    return node


def identifier_function(node: exp.Expression) -> exp.Expression:
    """IDENTIFIER('a."b"') as a table."""
    if not isinstance(node, exp.Table):
        return node
    inner = node.this
    if isinstance(inner, exp.Anonymous) and str(inner.this).upper() == "IDENTIFIER":
        text = inner.expressions[0].name
    elif isinstance(inner, exp.DynamicIdentifier):
        text = inner.this.name if isinstance(inner.this, exp.Expression) else str(inner.this)
    else:
        return node
    parts = [exp.to_identifier(part, quoted=True) for part in Reader(text).name()]
    table = exp.Table(this=parts[-1], db=parts[-2] if len(parts) > 1 else None, catalog=parts[-3] if len(parts) > 2 else None)
    table.set("alias", node.args.get("alias"))
    return table


def _convert_timezone(node: exp.Expression) -> exp.Expression:
    """With two arguments an instant in another zone: DuckDB holds instants without a zone, so it stays as it is."""
    if not isinstance(node, exp.ConvertTimezone) or node.args.get("source_tz"):
        return node
    instant = exp.cast(node.args["timestamp"].copy(), T.TIMESTAMPTZ)
    parent = node.parent
    if isinstance(parent, exp.Cast) and parent.to.this in (T.TIMESTAMPNTZ, T.TIMESTAMP, T.DATETIME):
        return exp.AtTimeZone(this=instant, zone=node.args["target_tz"].copy())
    return instant


def _json(node: exp.Expression) -> exp.Expression:
    if isinstance(node, exp.ParseJSON):
        return exp.Anonymous(this="_sf_try_parse_json" if node.args.get("safe") else "_sf_parse_json", expressions=[node.this])
    if isinstance(node, exp.CheckJson):
        return exp.If(
            this=exp.Anonymous(this="json_valid", expressions=[node.this]), true=exp.null(), false=exp.Literal.string("invalid JSON")
        )
    if isinstance(node, exp.Cast) and node.to.this in (T.VARIANT, T.OBJECT, T.ARRAY, T.LIST) and not node.to.expressions:
        return exp.Anonymous(this="to_json", expressions=[node.this])
    if isinstance(node, exp.Typeof):
        return exp.Anonymous(this="_sf_typeof", expressions=[node.this])
    if isinstance(node, exp.GetExtract) and isinstance(node.expression, exp.Literal):
        return exp.Bracket(this=node.this, expressions=[node.expression])
    return node


def _array(node: exp.Expression) -> exp.Expression:
    """ARRAY_CONSTRUCT and [ … ]: their elements may be of any types."""
    if isinstance(node, exp.Array):
        return exp.Anonymous(this="json_array", expressions=node.expressions)
    return node


def _text(node: exp.Expression) -> exp.Expression:
    """Casts to text give Snowflake's text, which for VARIANT, FLOAT, BINARY and timestamps is not DuckDB's."""
    if isinstance(node, exp.ToChar):
        if node.args.get("format"):
            moment = exp.Anonymous(this="_sf_moment", expressions=[node.this])
            return exp.Anonymous(this="strftime", expressions=[moment, exp.Anonymous(this="_sf_format", expressions=[node.args["format"]])])
        return exp.Anonymous(this="_sf_text", expressions=[node.this])
    if isinstance(node, exp.Cast) and type(node) is exp.Cast and node.to.this in column_types.TEXT:
        if (
            isinstance(node.this, (exp.Literal, exp.JSONExtractScalar))
            or isinstance(node.this, exp.Paren)
            and isinstance(node.this.this, exp.JSONExtractScalar)
        ):
            return node
        text = exp.Anonymous(this="_sf_text", expressions=[node.this])
        size = node.to.expressions
        return exp.Left(this=text, expression=exp.Literal.number(size[0].name)) if size else text
    return node


def _hash(node: exp.Expression) -> exp.Expression:
    if isinstance(node, exp.Anonymous) and str(node.this).upper() == "HASH":
        if any(isinstance(e, exp.Star) for e in node.expressions):
            raise unsupported("HASH(*)")
        hashed = [exp.Anonymous(this="_sf_hashed", expressions=[e]) for e in node.expressions]
        return exp.Anonymous(this="_sf_signed", expressions=[exp.Anonymous(this="duckdb_hash_", expressions=hashed)])
    return node


EPOCHS = {"EPOCH_SECOND": 1_000_000, "EPOCH_MILLISECOND": 1000, "EPOCH_MICROSECOND": 1}


def _epoch(node: exp.Expression) -> exp.Expression:
    """DATE_PART(EPOCH_…): the fraction is cut off, not rounded."""
    if isinstance(node, exp.Extract) and node.name.upper() in EPOCHS:
        micros = exp.Anonymous(this="epoch_us", expressions=[node.expression])
        return exp.Anonymous(this="_sf_divide_down", expressions=[micros, exp.Literal.number(EPOCHS[node.name.upper()])])
    return node


def _flatten(node: exp.Expression) -> exp.Expression:
    if isinstance(node, (exp.Lateral, exp.TableFromRows)) and isinstance(node.this, exp.Explode):
        arguments = [node.this.this, *node.this.expressions]
        named = {a.this.name.upper(): a.expression for a in arguments if isinstance(a, exp.Kwarg)}
        if set(named) - {"INPUT"}:
            raise unsupported("FLATTEN with " + ", ".join(sorted(set(named) - {"INPUT"})))
        source = named.get("INPUT", node.this.this)
        alias = node.args.get("alias")
        if alias:
            alias.set("columns", None)
        return exp.Table(this=exp.Anonymous(this="_sf_flatten", expressions=[source]), alias=alias)
    return node


def _sha2_binary(node: exp.Expression) -> exp.Expression:
    if isinstance(node, exp.Anonymous) and str(node.this).upper() in ("MD5_HEX", "SHA1_HEX", "SHA2_HEX"):
        return exp.Anonymous(
            this={"MD5_HEX": "md5", "SHA1_HEX": "sha1", "SHA2_HEX": "sha256"}[str(node.this).upper()], expressions=node.expressions[:1]
        )
    return node


TRANSFORMS = [
    identifier_function, f.upper_case_unquoted_identifiers, _convert_timezone, _json, f.split, f.trim_cast_varchar, f.indices_to_json_extract,
    f.json_extract_cast_as_varchar, f.json_extract_cased_as_varchar, f.json_extract_precedence, f.flatten_value_cast_as_varchar, _flatten,
    f.regex_replace, f.regex_substr, f.values_columns, f.to_date, f.timestamp_offsets, f.to_decimal, f.to_variant, _array, f.object_construct, _text, _epoch, _hash, _sha2_binary, _data_type,
    f.sample, f.array_size, f.random, f.array_agg_within_group, f.array_agg, f.object_agg, f.array_construct_etc, f.dateadd_date_cast,
    f.dateadd_string_literal_timestamp_cast, f.datediff_string_literal_timestamp_cast, f.hex_string, f.sha256, f.alias_in_join, f.alias_in_where,
]  # fmt: skip


def name_columns(query: exp.Expression) -> None:
    """Gives each unnamed column of the result the name that Snowflake gives it: its own text in upper case."""
    select = query
    while isinstance(select, exp.SetOperation):
        select = select.this
    if isinstance(select, (exp.Subquery, exp.Paren)):
        return name_columns(select.this)
    if not isinstance(select, exp.Select):
        return
    for expression in list(select.expressions):
        if not isinstance(expression, (exp.Alias, exp.Column, exp.Star)) and not expression.is_star:
            text = expression.sql("snowflake")
            expression.replace(
                exp.alias_(expression.copy(), text if isinstance(expression, exp.Literal) else _upper_outside_quotes(text), quoted=True)
            )


def _upper_outside_quotes(text: str) -> str:
    return "'".join(part if i % 2 else part.upper() for i, part in enumerate(text.split("'")))


def to_duckdb(statement: exp.Expression) -> str:
    for transform in TRANSFORMS:
        statement = statement.transform(transform, copy=False)
    return statement.sql("duckdb").replace("DUCKDB_HASH_(", "hash(")
