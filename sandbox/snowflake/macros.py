"""Snowflake functions as DuckDB macros. TEMP: every session defines them for itself, whatever database it is in."""

from fakesnow import macros as fakesnow_macros

OWN = r"""
CREATE OR REPLACE TEMP MACRO _sf_repeats(x) AS  -- only nested objects need the slow look
  CASE WHEN NOT json_valid(x) THEN FALSE WHEN length(x) - length(replace(x, '{', '')) > 1 THEN _sf_repeats_key(x)
       WHEN json_type(x) = 'OBJECT' THEN len(list_distinct(json_keys(x))) < len(json_keys(x)) ELSE FALSE END;
CREATE OR REPLACE TEMP MACRO _sf_parse_json(x) AS
  CASE WHEN x IS NULL OR trim(x) = '' THEN NULL
       WHEN _sf_repeats(x) THEN error('Error parsing JSON: duplicate object attribute')::JSON
       ELSE json(x) END;
CREATE OR REPLACE TEMP MACRO _sf_try_parse_json(x) AS
  CASE WHEN x IS NULL OR trim(x) = '' OR NOT json_valid(x) THEN NULL WHEN _sf_repeats(x) THEN NULL ELSE json(x) END;
CREATE OR REPLACE TEMP MACRO _sf_hashed(x) AS  -- DuckDB's hash is the same for the HUGEINTs 0 and -1
  CASE WHEN typeof(x) = 'HUGEINT' THEN hash(CAST(x AS VARCHAR))
       WHEN starts_with(typeof(x), 'DECIMAL') THEN hash(CASE WHEN contains(CAST(x AS VARCHAR), '.') THEN rtrim(rtrim(CAST(x AS VARCHAR), '0'), '.') ELSE CAST(x AS VARCHAR) END)
       ELSE hash(x) END;
CREATE OR REPLACE TEMP MACRO _sf_signed(h) AS (h::HUGEINT - 9223372036854775808)::BIGINT;
CREATE OR REPLACE TEMP MACRO _sf_divide_down(n, d) AS (n - ((n % d) + d) % d) // d;
CREATE OR REPLACE TEMP MACRO _sf_text(x) AS
  CASE typeof(x)
    WHEN 'JSON' THEN CAST(CAST(x AS VARCHAR) AS JSON) ->> '$'
    WHEN 'DOUBLE' THEN CASE WHEN TRY_CAST(CAST(x AS VARCHAR) AS DOUBLE) = trunc(TRY_CAST(CAST(x AS VARCHAR) AS DOUBLE)) AND abs(TRY_CAST(CAST(x AS VARCHAR) AS DOUBLE)) < 1e15
      THEN CAST(TRY_CAST(TRY_CAST(CAST(x AS VARCHAR) AS DOUBLE) AS BIGINT) AS VARCHAR)
      WHEN CAST(x AS VARCHAR) = 'nan' THEN 'NaN' ELSE CAST(x AS VARCHAR) END
    WHEN 'BLOB' THEN hex(TRY_CAST(CAST(x AS VARCHAR) AS BLOB))
    WHEN 'TIMESTAMP' THEN strftime(TRY_CAST(CAST(x AS VARCHAR) AS TIMESTAMP), '%Y-%m-%d %H:%M:%S.%g')
    WHEN 'TIMESTAMP WITH TIME ZONE' THEN strftime(TRY_CAST(CAST(x AS VARCHAR) AS TIMESTAMPTZ), '%Y-%m-%d %H:%M:%S.%g %z') || '00'
    ELSE CAST(x AS VARCHAR) END;
CREATE OR REPLACE TEMP MACRO _sf_typeof(x) AS CASE WHEN x IS NULL THEN NULL ELSE CASE json_type(to_json(x))
  WHEN 'OBJECT' THEN 'OBJECT' WHEN 'ARRAY' THEN 'ARRAY' WHEN 'VARCHAR' THEN 'VARCHAR' WHEN 'BOOLEAN' THEN 'BOOLEAN' WHEN 'NULL' THEN 'NULL_VALUE'
  WHEN 'DOUBLE' THEN CASE WHEN regexp_full_match(to_json(x)::VARCHAR, '-?[0-9]*[.]?[0-9]*') THEN 'DECIMAL' ELSE 'DOUBLE' END ELSE 'INTEGER' END END;
CREATE OR REPLACE TEMP MACRO _sf_flatten(input) AS TABLE
  SELECT 1 AS "SEQ", e.k AS "KEY",
    CASE WHEN e.k IS NULL THEN '[' || e.i || ']' WHEN regexp_full_match(e.k, '[A-Za-z_][A-Za-z0-9_]*') THEN e.k ELSE '[''' || e.k || ''']' END AS "PATH",
    e.i AS "INDEX", e.v AS "VALUE", input::JSON AS "THIS"
  FROM (SELECT unnest(CASE json_type(input::JSON)
    WHEN 'OBJECT' THEN list_transform(json_keys(input::JSON), lambda k: {'k': k, 'i': NULL::BIGINT, 'v': json_extract(input::JSON, '/' || replace(replace(k, '~', '~0'), '/', '~1'))})
    WHEN 'ARRAY' THEN list_transform(json_extract(input::JSON, '$[*]'), lambda v, i: {'k': NULL::VARCHAR, 'i': i - 1, 'v': v})
    ELSE [] END) AS e);
CREATE OR REPLACE TEMP MACRO _sf_format(f) AS
  replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(upper(f), 'YYYY', '%Y'), 'HH24', '%H'), 'MI', '%M'), 'SS', '%S'), 'DD', '%d'), 'MM', '%m'), 'FF9', '%n'), 'FF6', '%f'), 'FF3', '%g'), '"T"', 'T');
CREATE OR REPLACE TEMP MACRO _sf_moment(x) AS  -- what the clock shows, of times too, for strftime
  CAST(CASE WHEN typeof(x) = 'TIME' THEN '1970-01-01 ' ELSE '' END || regexp_replace(CAST(x AS VARCHAR), '(:\d\d(?:\.\d+)?)[+-]\d\d(:\d\d)?$', '\1') AS TIMESTAMP);
CREATE OR REPLACE TEMP MACRO to_timestamp_ntz(x) AS CAST(x AS TIMESTAMP);
CREATE OR REPLACE TEMP MACRO to_timestamp_tz(x) AS CAST(x AS TIMESTAMPTZ);
CREATE OR REPLACE TEMP MACRO to_timestamp_ltz(x) AS CAST(x AS TIMESTAMPTZ);
CREATE OR REPLACE TEMP MACRO try_to_timestamp_ntz(x) AS TRY_CAST(x AS TIMESTAMP);
CREATE OR REPLACE TEMP MACRO as_varchar(x) AS x::JSON ->> '$';
CREATE OR REPLACE TEMP MACRO to_object(x) AS x::JSON;
"""


def creation_sql() -> str:
    theirs = fakesnow_macros.creation_sql("temp").replace("MACRO temp.", "TEMP MACRO ")
    return theirs + OWN
