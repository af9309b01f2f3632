import fc, { type Arbitrary } from 'fast-check';

/** Any value of a type, as a SQL expression. */
export interface AnyValue {
  type: string;
  value: Arbitrary<string>;
}

const quote = (text: string): string => `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
const bits = (n: bigint): Arbitrary<string> => signed(-(1n << n), (1n << n) - 1n);
const signed = (min: bigint, max: bigint): Arbitrary<string> =>
  fc
    .oneof(fc.bigInt({ min, max }), fc.constantFrom(min, max, 0n), fc.bigInt({ min: -1000n < min ? min : -1000n, max: 1000n }))
    .map((n) => `'${n}'`);
const float = (value: Arbitrary<number>): Arbitrary<string> => value.map((n) => `'${Object.is(n, -0) ? '-0' : n}'`);
/** Without U+0000, which PostgreSQL refuses. */
const anyText = (maxLength: number): Arbitrary<string> =>
  fc.string({ unit: 'binary', maxLength }).map((text) => quote(text.replaceAll('\0', '')));

function scaled(precision: number, scale: number): AnyValue {
  const limit = 10n ** BigInt(precision) - 1n;
  const value = fc
    .oneof(fc.bigInt({ min: -limit, max: limit }), fc.constantFrom(limit, -limit, 0n, 1n, -1n), fc.bigInt({ min: -99_999n, max: 99_999n }))
    .filter((n) => n <= limit && n >= -limit);
  return { type: `numeric(${precision},${scale})`, value: value.map((n) => `'${n}e-${scale}'`) };
}

const micros = (first: string, last: string): Arbitrary<bigint> =>
  fc.oneof(
    fc.bigInt({ min: BigInt(Date.parse(first)) * 1000n, max: BigInt(Date.parse(last)) * 1000n }),
    fc.bigInt({ min: -2_000_000n, max: 2_000_000n }),
  );
const moment = micros('0001-01-01T00:00Z', '9999-12-31T23:59:59Z').map((n) => {
  const milli = new Date(Number((n - (((n % 1000n) + 1000n) % 1000n)) / 1000n)).toISOString().replace('Z', '');
  return `${milli}${String(((n % 1000n) + 1000n) % 1000n).padStart(3, '0')}`;
});
const dayMicros = fc.bigInt({ min: 0n, max: 86_399_999_999n });
/** Numbers of which a VARIANT holds all digits. */
const shortNumber = (_: string, value: unknown) =>
  typeof value === 'number' && value !== 0 && (Math.abs(value) < 1e-15 || Math.abs(value) >= 1e15)
    ? Number(value.toExponential().split('e')[0])
    : value;
const json = fc
  .jsonValue({ maxDepth: 3 })
  .map((value) => JSON.stringify(value, shortNumber))
  .filter((text) => !/\\u(0000|d[89a-f]..)/i.test(text));
const arrayOf = (type: string, value: Arbitrary<string>): AnyValue => ({
  type: `${type}[]`,
  value: fc.array(fc.option(value, { nil: 'NULL' }), { maxLength: 4 }).map((all) => `ARRAY[${all.join(', ')}]::${type}[]`),
});
const octet = fc.nat(255);
const hex = (length: number): Arbitrary<string> =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((b) => Buffer.from(b).toString('hex'));

/** One per type: the values that the defaults let through. */
export const anyValues: AnyValue[] = [
  { type: 'bool', value: fc.boolean().map(String) },
  { type: 'int2', value: bits(15n) },
  { type: 'int4', value: bits(31n) },
  { type: 'int8', value: bits(63n) },
  { type: 'oid', value: signed(0n, (1n << 32n) - 1n) },
  { type: 'xid', value: signed(0n, (1n << 32n) - 1n) },
  { type: 'xid8', value: signed(0n, (1n << 64n) - 1n) },
  { type: 'float4', value: float(fc.float()) },
  { type: 'float8', value: float(fc.double()) },
  scaled(1, 0),
  scaled(3, 5),
  scaled(4, 4),
  scaled(9, 2),
  scaled(10, 7),
  scaled(15, 4),
  scaled(16, 6),
  scaled(18, 9),
  scaled(19, 1),
  scaled(25, 5),
  scaled(38, 0),
  scaled(38, 19),
  scaled(38, 37),
  { type: 'numeric(4,-2)', value: fc.integer({ min: -999_949, max: 999_949 }).map((n) => `'${n}'`) },
  { type: 'numeric', value: fc.tuple(fc.bigInt(), fc.integer({ min: -60, max: 60 })).map(([n, e]) => `'${n}e${e}'`) },
  {
    type: 'money',
    value: bits(63n)
      .map((cents) => `'${cents.slice(1, -1)}'::numeric / 100`)
      .map((sql) => `(${sql})::money`),
  },
  { type: 'date', value: fc.integer({ min: -730_119, max: 2_921_939 }).map((days) => `date '2000-01-01' + ${days}`) },
  { type: 'time', value: dayMicros.map((n) => `time '00:00' + '${n} microseconds'::interval`) },
  {
    type: 'timetz',
    value: fc
      .tuple(dayMicros, fc.integer({ min: -15, max: 15 }))
      .map(([n, zone]) => `((time '00:00' + '${n} microseconds'::interval)::text || '${zone < 0 ? '' : '+'}${zone}')::timetz`),
  },
  { type: 'timestamp', value: moment.map((text) => `'${text}'`) },
  { type: 'timestamptz', value: moment.map((text) => `'${text}+00'`) },
  {
    type: 'interval',
    value: fc
      .tuple(fc.integer(), fc.integer(), fc.bigInt({ min: -(1n << 62n), max: 1n << 62n }))
      .map(([months, days, n]) => `'${months} months ${days} days ${n} microseconds'`),
  },
  { type: 'text', value: anyText(200) },
  { type: 'varchar(9)', value: anyText(9).filter((sql) => sql.length < 12) },
  { type: 'citext', value: anyText(20) },
  { type: 'name', value: fc.string({ minLength: 1, maxLength: 63 }).map(quote) },
  { type: 'mood', value: fc.constantFrom("'sad'", "'so so'", "'happy'") },
  { type: 'uuid', value: fc.uuid().map((text) => `'${text}'`) },
  { type: 'bytea', value: fc.uint8Array({ maxLength: 200 }).map((b) => `'\\x${Buffer.from(b).toString('hex')}'`) },
  { type: 'bit varying', value: fc.array(fc.boolean(), { maxLength: 40 }).map((all) => `B'${all.map(Number).join('')}'`) },
  { type: 'inet', value: fc.tuple(octet, octet, octet, octet, fc.nat(32)).map(([a, b, c, d, mask]) => `'${a}.${b}.${c}.${d}/${mask}'`) },
  { type: 'macaddr', value: hex(6).map((text) => `'${text}'`) },
  { type: 'pg_lsn', value: hex(8).map((text) => `'${text.slice(0, 8)}/${text.slice(8)}'`) },
  { type: 'point', value: fc.tuple(fc.double(), fc.double()).map(([x, y]) => `point('${x}'::float8, '${y}'::float8)`) },
  { type: 'int4range', value: fc.tuple(fc.nat(), fc.nat()).map(([a, b]) => `int4range(${Math.min(a, b)}, ${Math.max(a, b)})`) },
  { type: 'numrange', value: fc.tuple(fc.nat(), fc.nat(9)).map(([a, b]) => `numrange(${a}.${b}0, ${a + 1}, '(]')`) },
  { type: 'json', value: json.map(quote) },
  { type: 'jsonb', value: json.map(quote) },
  { type: 'hstore', value: fc.tuple(anyText(10), anyText(10)).map(([key, value]) => `hstore(${key}, ${value})`) },
  arrayOf('int8', bits(63n)),
  arrayOf('text', anyText(20)),
  arrayOf(
    'numeric(12,3)',
    fc.bigInt({ min: -(10n ** 12n) + 1n, max: 10n ** 12n - 1n }).map((n) => `'${n}e-3'`),
  ),
  arrayOf(
    'timestamptz',
    moment.map((text) => `'${text}+00'`),
  ),
  { type: 'pair', value: fc.tuple(fc.integer(), anyText(10)).map(([a, b]) => `ROW(${a}, ${b})`) },
];

/** Rows with a value or NULL in each column. */
export const anyRows = (maxLength: number): Arbitrary<string[][]> =>
  fc.array(fc.tuple(...anyValues.map(({ value }) => fc.option(value, { nil: 'NULL', freq: 8 }))), { minLength: 1, maxLength });
