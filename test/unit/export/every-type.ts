/** A table with a column of every type that can be exported, and values that are easily lost. */
export const createEveryType = `CREATE OR REPLACE TABLE GOLD.EVERY_TYPE (
  N NUMBER(38,0), D NUMBER(12,4), F FLOAT, S VARCHAR, B BOOLEAN, DT DATE, TI TIME, TS TIMESTAMP_NTZ(6), TZ TIMESTAMP_TZ(6),
  LT TIMESTAMP_LTZ(6), BI BINARY, V VARIANT, A ARRAY, O OBJECT
)`;

const text = (value: string): string => `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
export const oddText = 'quotes "\', comma, back\\slash, tab\t, line\nbreaks\r\n, grüße, 日本, 😀, NULL, \\N.  ';

/** Each row in SQL, and as it has to come back: each value as an exact text. */
const rows: { sql: string; back: (string | null)[] }[] = [
  {
    sql: `12345678901234567890123456789012345678, 12345678.9000, 0.1, 'plain', TRUE, '2024-02-29'::DATE, '23:59:59.123456'::TIME,
'2024-01-01 01:02:03.456789'::TIMESTAMP_NTZ, '2024-01-01 01:02:03.456789 +02:00'::TIMESTAMP_TZ, '2024-06-01 12:00:00 +00:00'::TIMESTAMP_LTZ,
X'00FF0A22', PARSE_JSON('{"a": [1, null, "x", 1.5], "b": {"c": true}}'), ARRAY_CONSTRUCT(1, 'two'), OBJECT_CONSTRUCT('k', 'v')`,
    back: [
      '12345678901234567890123456789012345678', '12345678.9000', '0.1', 'plain', 'True', '2024-02-29', '23:59:59.123456',
      '2024-01-01T01:02:03.456789', '2023-12-31T23:02:03.456789', '2024-06-01T12:00:00.000000', '00FF0A22',
      '{"a": [1, null, "x", 1.5], "b": {"c": true}}', '[1, "two"]', '{"k": "v"}',
    ],
  },
  { sql: Array(14).fill('NULL').join(', '), back: Array(14).fill(null) },
  {
    sql: `0, 0, 0, '', FALSE, '0001-01-01'::DATE, '00:00:00'::TIME, '1969-12-31 23:59:59.999999'::TIMESTAMP_NTZ,
'1900-01-01 00:00:00 +00:00'::TIMESTAMP_TZ, '2262-01-01 00:00:00 +00:00'::TIMESTAMP_LTZ, X'22', PARSE_JSON('""'), ARRAY_CONSTRUCT(), OBJECT_CONSTRUCT()`,
    back: [
      '0', '0.0000', '0.0', '', 'False', '0001-01-01', '00:00:00.000000', '1969-12-31T23:59:59.999999', '1900-01-01T00:00:00.000000',
      '2262-01-01T00:00:00.000000', '22', '""', '[]', '{}',
    ],
  },
  {
    sql: `-99999999999999999999999999999999999999, -99999999.9999, '-inf'::FLOAT, ${text(oddText)}, TRUE, '2200-12-31'::DATE, '12:00:00.000001'::TIME,
'2200-12-31 23:59:59.999999'::TIMESTAMP_NTZ, '2024-07-01 00:00:00 -05:30'::TIMESTAMP_TZ, '2024-01-01 00:00:00 +00:00'::TIMESTAMP_LTZ,
X'FFFFFFFF', PARSE_JSON('{"text": "a \\\\"quoted\\\\", word"}'), ARRAY_CONSTRUCT(ARRAY_CONSTRUCT(1)), OBJECT_CONSTRUCT('a,b', 1)`,
    back: [
      '-99999999999999999999999999999999999999', '-99999999.9999', '-inf', oddText, 'True', '2200-12-31', '12:00:00.000001',
      '2200-12-31T23:59:59.999999', '2024-07-01T05:30:00.000000', '2024-01-01T00:00:00.000000', 'FFFFFFFF',
      '{"text": "a \\"quoted\\", word"}', '[[1]]', '{"a,b": 1}',
    ],
  },
]; // biome-ignore format: rows

export const fillEveryType = `INSERT INTO GOLD.EVERY_TYPE\n${rows.map(({ sql }) => `SELECT ${sql}`).join('\nUNION ALL\n')}`;
export const everyTypeBack = rows.map(({ back }) => back);
