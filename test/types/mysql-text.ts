import { of } from './mysql-case.js';

const long = 'äöü€漢字🎉'.repeat(50);

/** Texts and bytes. Every charset arrives as UTF-8. */
export const mysqlText = [
  ...of('varchar(40)', 'VARCHAR', [
    ["''", ''],
    ["'abc'", 'abc'],
    ["'  spaces  '", '  spaces  '],
    [String.raw`'back\\slash ''quote'''`, "back\\slash 'quote'"],
    ["'NULL'", 'NULL'],
    ["'a\\tb\\nc'", 'a\tb\nc'],
    ["'🎉 e\u0301'", '🎉 e\u0301'],
  ]),
  // DuckDB casts to VARCHAR with the NUL kept.
  ...of('varchar(10)', 'VARCHAR', [["CONCAT('a', CHAR(0), 'b')", 'a\0b']]),
  ...of('char(5)', 'VARCHAR', [
    ["'ab'", 'ab'],
    ["'ab   '", 'ab'],
    ["'  ab'", '  ab'],
    ["''", ''],
  ]),
  ...of('varchar(20) CHARACTER SET latin1', 'VARCHAR', [
    ["'Grüße'", 'Grüße'],
    ["'€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”'", '€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”'],
    ["x'818d8f909d'", '\u0081\u008d\u008f\u0090\u009d'],
    ["x'ff'", 'ÿ'],
  ]),
  ...of('varchar(20) CHARACTER SET utf8mb3', 'VARCHAR', [["'漢字 €'", '漢字 €']]),
  ...of('varchar(20) CHARACTER SET ucs2', 'VARCHAR', [["'漢字'", '漢字']]),
  ...of('varchar(20) CHARACTER SET utf16', 'VARCHAR', [["'🎉漢'", '🎉漢']]),
  ...of('varchar(20) CHARACTER SET utf32', 'VARCHAR', [["'🎉漢'", '🎉漢']]),
  ...of('varchar(20) CHARACTER SET utf16le', 'VARCHAR', [["'🎉'", '🎉']]),
  ...of('varchar(20) CHARACTER SET ascii', 'VARCHAR', [["'plain'", 'plain']]),
  ...of('varchar(20) CHARACTER SET cp1251', 'VARCHAR', [["'Привет'", 'Привет']]),
  ...of('varchar(20) CHARACTER SET cp1251', 'VARCHAR', [
    ["'Что? ??'", 'Что? ??'],
    ["''", ''],
  ]),
  // Two codes of one character.
  ...of('varchar(20) CHARACTER SET cp932', 'VARCHAR', [
    ["x'8790'", '≒'],
    ["x'81e0'", '≒'],
  ]),
  ...of('varchar(20) CHARACTER SET koi8r', 'VARCHAR', [["'Привет'", 'Привет']]),
  ...of('varchar(20) CHARACTER SET latin2', 'VARCHAR', [["'Łódź'", 'Łódź']]),
  ...of('varchar(20) CHARACTER SET latin5', 'VARCHAR', [["'İstanbul'", 'İstanbul']]),
  ...of('varchar(20) CHARACTER SET greek', 'VARCHAR', [["'Ελλάς'", 'Ελλάς']]),
  ...of('varchar(20) CHARACTER SET hebrew', 'VARCHAR', [["'שלום'", 'שלום']]),
  ...of('varchar(20) CHARACTER SET tis620', 'VARCHAR', [["'สวัสดี'", 'สวัสดี']]),
  ...of('varchar(20) CHARACTER SET sjis', 'VARCHAR', [["'日本語'", '日本語']]),
  ...of('varchar(20) CHARACTER SET cp932', 'VARCHAR', [["'日本語①'", '日本語①']]),
  ...of('varchar(20) CHARACTER SET eucjpms', 'VARCHAR', [["'日本語'", '日本語']]),
  ...of('varchar(20) CHARACTER SET gbk', 'VARCHAR', [["'中文'", '中文']]),
  ...of('varchar(20) CHARACTER SET big5', 'VARCHAR', [["'中文'", '中文']]),
  ...of('varchar(20) CHARACTER SET euckr', 'VARCHAR', [["'한국어'", '한국어']]),
  ...of('varchar(20) COLLATE utf8mb4_bin', 'VARCHAR', [["'Straße'", 'Straße']]),
  ...of('varchar(20) COLLATE utf8mb4_turkish_ci', 'VARCHAR', [["'ıI'", 'ıI']]),
  ...of('tinytext', 'VARCHAR', [["'tiny'", 'tiny']]),
  ...of('text', 'VARCHAR', [
    [`'${long}'`, long],
    ["REPEAT('x', 65535)", 'x'.repeat(65535)],
  ]),
  ...of('mediumtext', 'VARCHAR', [["REPEAT('ü', 70000)", 'ü'.repeat(70000)]]),
  ...of('longtext', 'VARCHAR', [
    ["REPEAT('l', 251)", 'l'.repeat(251)],
    ["REPEAT('l', 250)", 'l'.repeat(250)],
  ]),
  ...of("enum('x','y,z','','ß')", 'VARCHAR', [
    ["'y,z'", 'y,z'],
    ["'ß'", 'ß'],
    ["''", ''],
    ['1', 'x'],
  ]),
  // A value that is none of them is the index 0: an empty string, too.
  ...of("enum('a','b')", 'VARCHAR', [
    ["'nothing'", ''],
    ['NULL', null],
  ]),
  ...of("set('a','b','c d')", 'VARCHAR', [
    ["'a,c d'", 'a,c d'],
    ["''", ''],
    ["'c d,a'", 'a,c d'],
    ['7', 'a,b,c d'],
  ]),
  ...of('binary(4)', 'BINARY', [
    ["x'00ff'", '00FF0000'],
    ["''", '00000000'],
    ["x'61000000'", '61000000'],
  ]),
  ...of('varbinary(8)', 'BINARY', [
    ["x'00ff00'", '00FF00'],
    ["''", ''],
    ["x'ff00ff'", 'FF00FF'],
  ]),
  ...of('blob', 'BINARY', [["x'deadbeef00'", 'DEADBEEF00']]),
  ...of('tinyblob', 'BINARY', [["x'00'", '00']]),
  ...of('mediumblob', 'BINARY', [["REPEAT(x'ab', 70000)", 'AB'.repeat(70000)]]),
  ...of('longblob', 'BINARY', [["x'ff'", 'FF']]),
  ...of('varchar(20) CHARACTER SET binary', 'BINARY', [["x'80'", '80']]),
];
