import { of } from './mysql-case.js';

/** A point's WKB, little endian: 01, its type, x, y. */
const point = (x: string, y: string): string => `0101000000${x}${y}`;
const one = '000000000000F03F';
const two = '0000000000000040';

export const mysqlOther = [
  ...of('json', 'VARIANT', [
    [
      `'{"a": [1, 2.50, null, "x"], "b": {"c": true}}'`,
      '{"a": [1, 2.50, null, "x"], "b": {"c": true}}',
      '{"a":[1,2.5,null,"x"],"b":{"c":true}}',
    ],
    ["'[]'", '[]'],
    ["'12345678901234567890123456789012345678'", '12345678901234567890123456789012345678'],
    [`'"ü"'`, '"ü"'],
    ["'null'", 'null'],
  ]),
  ...of('json', 'VARCHAR', [[`'{"b": 1, "b": 2.50}'`, '{"b": 1, "b": 2.50}']], { json: 'text' }),
  ...of('geometry', 'BINARY', [
    ['POINT(1, 2)', point(one, two)],
    ["ST_GeomFromText('POINT(1 2)', 4326)", point(one, two)],
    ["ST_GeomFromText('LINESTRING(1 1, 2 2)')", `010200000002000000${one}${one}${two}${two}`],
  ]),
  ...of('point', 'BINARY', [['POINT(2, 1)', point(two, one)]]),
  ...of('polygon', 'BINARY', [
    ["ST_GeomFromText('POLYGON((1 1, 2 1, 2 2, 1 1))')", `01030000000100000004000000${one}${one}${two}${one}${two}${two}${one}${one}`],
  ]),
  ...of('geometrycollection', 'BINARY', [["ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 2))')", `010700000001000000${point(one, two)}`]]),
];

/** Types that MariaDB alone has. */
export const mariadbOnly = [
  ...of('uuid', 'VARCHAR', [["'123E4567-e89b-12d3-a456-426614174000'", '123e4567-e89b-12d3-a456-426614174000']]),
  ...of('inet4', 'VARCHAR', [["'192.168.0.1'", '192.168.0.1']]),
  ...of('inet6', 'VARCHAR', [
    ["'2001:db8::ff00:42:8329'", '2001:db8::ff00:42:8329'],
    ["'::ffff:1.2.3.4'", '::ffff:1.2.3.4'],
  ]),
];
