import type { Connection } from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { piecesOf, restAfter } from '../../../../core/plan/chunks.js';
import { connect } from '../../../../core/source/mysql/connection.js';
import { mysqlSession } from '../../../../core/source/mysql/source.js';
import { openLocalFile } from '../../../../core/source/sink.js';
import type { SourceSession, TableRead } from '../../../../core/source/source.js';
import { duckdb, newFolder, removeFolders } from '../extracting.js';
import { extractTable } from './extracting-mysql.js';
import { type RunningMysql, startMysql } from './running-mysql.js';

let server: RunningMysql;
let admin: Connection;
let session: SourceSession;

beforeAll(async () => {
  server = await startMysql();
  admin = await server.connect();
  session = mysqlSession(await connect(server.secret));
});
afterEach(removeFolders);
afterAll(async () => {
  await session.end();
  await server.stop();
});

const where = (more: Partial<TableRead['where']>): Pick<TableRead, 'where'> => ({
  where: { rowFilter: null, cursor: null, chunk: null, ...more },
});

describe('chunks, and the parts in which they are read, hold each row once', () => {
  const keys: Record<string, { columns: string; values: string; chunks: number }> = {
    'an integer': { columns: 'k int PRIMARY KEY', values: 'seq * 3', chunks: 5 },
    'an unsigned integer beyond 2^63': { columns: 'k bigint unsigned PRIMARY KEY', values: '18446744073709551615 - seq * 1000', chunks: 5 },
    'two columns': { columns: 'k int, l varchar(20), PRIMARY KEY (k, l)', values: "seq % 3, CONCAT('x', seq)", chunks: 5 },
    'three columns of other types': {
      columns: 'k date, l decimal(10,3), m smallint unsigned, PRIMARY KEY (k, l, m)',
      values: "'2024-01-01' + INTERVAL seq % 4 DAY, seq / 7, seq % 50",
      chunks: 5,
    },
    'text in any script': {
      columns: 'k varchar(60) COLLATE utf8mb4_unicode_ci PRIMARY KEY',
      values: `CONCAT(ELT(1 + seq % 6, 'ä', 'Z', '漢', 'o''Brien \\\\', '🎉', ' '), MD5(seq))`,
      chunks: 5,
    },
    'text of one byte': {
      columns: 'k varchar(40) CHARACTER SET latin1 PRIMARY KEY',
      values: "CONCAT(ELT(1 + seq % 3, 'ß', '€', 'a'), seq)",
      chunks: 5,
    },
    bytes: { columns: 'k binary(16) PRIMARY KEY', values: 'UNHEX(MD5(seq))', chunks: 5 },
    'a time with fractions': {
      columns: 'k timestamp(6) PRIMARY KEY',
      values: "'2024-01-01' + INTERVAL seq * 12345678 MICROSECOND",
      chunks: 5,
    },
    'an integer of which there are few': { columns: 'k tinyint, l int, PRIMARY KEY (k, l)', values: '1, seq', chunks: 5 },
    'an enum, by which nothing is cut': { columns: "k enum('b','a'), l int, PRIMARY KEY (k, l)", values: '1 + seq % 2, seq', chunks: 0 },
    'no key': { columns: 'k int', values: 'seq', chunks: 0 },
  };

  it.each(Object.entries(keys))('%s', async (_, { columns, values, chunks }) => {
    await admin.query(`CREATE OR REPLACE TABLE keyed (${columns}, n int) CHARACTER SET utf8mb4; INSERT INTO keyed SELECT ${values}, seq FROM seq_1_to_500;
      ANALYZE TABLE keyed`);
    const relation = { schema: 'shop', table: 'keyed' };
    const described = await session.describeTable(relation, {});
    const estimate = await session.estimateRead({ relation, columns: described.columns, rowFilter: null, cursor: null });
    const split = await session.split({ relation, partitionColumn: undefined, primaryKey: described.primaryKey, estimate, wanted: 5 });
    if (chunks === 0) return expect(split).toMatchObject({ refused: expect.any(String) });
    if (!('chunks' in split)) throw new Error(split.refused);
    expect(split.chunks).toHaveLength(chunks);
    const seen: number[] = [];
    for (const chunk of split.chunks) {
      // What can be handed back: the first pieces, and what is then left in one piece after another.
      const pieces = piecesOf(chunk);
      expect(pieces.length).toBeGreaterThan(2);
      for (const part of [pieces.slice(0, 2), piecesOf(restAfter(chunk, 2))]) {
        const { folder, rows } = await extractTable(server.secret, 'keyed', {}, { ...where({ chunk }), pieces: part });
        expect(rows).toBeGreaterThan(0);
        seen.push(...(await duckdb(folder, 'SELECT n FROM t')).map(([n]) => Number(n)));
      }
    }
    expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 500 }, (_, i) => i + 1));
  });

  it('a row with a key outside of what there was when it was planned', async () => {
    await admin.query(
      'CREATE OR REPLACE TABLE keyed (k varchar(9) PRIMARY KEY) SELECT CONCAT("m", seq) AS k FROM seq_1_to_100; ANALYZE TABLE keyed',
    );
    const relation = { schema: 'shop', table: 'keyed' };
    const estimate = { rows: 100, bytes: 100 };
    const split = await session.split({ relation, partitionColumn: undefined, primaryKey: ['k'], estimate, wanted: 4 });
    await admin.query("INSERT INTO keyed VALUES ('a'), ('z')");
    let rows = 0;
    for (const chunk of 'chunks' in split ? split.chunks : [])
      rows += (await extractTable(server.secret, 'keyed', {}, where({ chunk }))).rows;
    expect(rows).toBe(102);
  });
});

it('a chunk in pieces, one after another, into one series of files', async () => {
  await admin.query('CREATE OR REPLACE TABLE pieces (id int PRIMARY KEY) SELECT seq AS id FROM seq_1_to_1000');
  const bounds = [null, '300', '600', null];
  const pieces = [0, 1, 2].map((number) => ({ number, column: 'id', from: bounds[number]!, to: bounds[number + 1]! }));
  const { folder, rows, files } = await extractTable(server.secret, 'pieces', {}, { pieces });
  expect({ rows, files: files.length }).toEqual({ rows: 1000, files: 1 });
  expect(await duckdb(folder, 'SELECT count(DISTINCT id)::INT, sum(id)::INT FROM t')).toEqual([[1000, 500_500]]);
});

it('the keys of all rows beside the rows that have changed, from the same snapshot', async () => {
  await admin.query(`CREATE OR REPLACE TABLE both_of (a int, b varchar(9), c int, t int, PRIMARY KEY (a, b));
    INSERT INTO both_of SELECT seq, CONCAT('b', seq), seq, seq % 2 FROM seq_1_to_100`);
  const keyFolder = newFolder();
  const keys = {
    constants: { OP: 'K' },
    openFile: (part: number) => openLocalFile(keyFolder, `${part}.parquet`),
  };
  // Between the rows and the keys.
  const openFile = async (part: number) => {
    await admin.query("REPLACE INTO both_of VALUES (0, 'later', 0, 1)");
    return openLocalFile(newFolder(), `${part}.parquet`);
  };
  const cursor = { column: 'c', from: '91', onNull: 'exclude' } as const;
  const extracted = await extractTable(server.secret, 'both_of', {}, { ...where({ cursor, rowFilter: 't = 1' }), keys, openFile });
  expect(extracted).toMatchObject({ rows: 5, keys: { rows: 50, files: [{ rows: 50 }] } });
  expect(await duckdb(keyFolder, 'SELECT min(a), max(b), min(OP), count(*)::INT FROM t')).toEqual([[1, 'b99', 'K', 50]]);
});

describe('which rows are read', () => {
  beforeAll(() =>
    admin.query(`CREATE TABLE cursors (id int PRIMARY KEY, c datetime(3));
      INSERT INTO cursors VALUES (1, '2024-01-01'), (2, '2024-01-02 00:00:00.5'), (3, NULL), (4, '2024-01-03')`),
  );

  it.each([
    ['all', {}, [1, 2, 3, 4]],
    ['of the row filter, with a comment at its end', { rowFilter: "id <> 2 AND 'a' = 'a' -- and no more" }, [1, 3, 4]],
    ['from the bound on', { cursor: { column: 'c', from: '2024-01-02 00:00:00.5', onNull: 'exclude' } }, [2, 4]],
    ['from the bound on, and without a cursor', { cursor: { column: 'c', from: '2024-01-02', onNull: 'include' } }, [2, 3, 4]],
    ['with a cursor', { cursor: { column: 'c', from: null, onNull: 'exclude' } }, [1, 2, 4]],
  ] as const)('%s', async (_, more, ids) => {
    const { folder } = await extractTable(server.secret, 'cursors', {}, where(more));
    expect((await duckdb(folder, 'SELECT id FROM t ORDER BY id')).map(([id]) => id)).toEqual(ids);
  });

  it('a row without a cursor is CursorIsNull, where it is to be an error', async () => {
    const cursor = { column: 'c', from: '2024-01-02', onNull: 'error' } as const;
    await expect(extractTable(server.secret, 'cursors', {}, where({ cursor }))).rejects.toMatchObject({ code: 'CursorIsNull' });
  });

  it('an empty table makes no file', async () => {
    await admin.query('CREATE OR REPLACE TABLE nothing (id int PRIMARY KEY)');
    expect(await extractTable(server.secret, 'nothing')).toMatchObject({ rows: 0, files: [] });
  });
});

describe('which tables and columns are read', () => {
  it('generated and invisible columns, and names in any script', async () => {
    await admin.query(`CREATE OR REPLACE TABLE \`größe \`\`x\` (\`ключ\` int PRIMARY KEY, \`a b\` int INVISIBLE DEFAULT 7, \`sum\` int AS (\`ключ\` * 2) VIRTUAL,
      \`stored\` int AS (\`ключ\` + 1) STORED, \`'"\`\`;--\` int, \`列\` varchar(9)); INSERT INTO \`größe \`\`x\` (\`ключ\`, \`'"\`\`;--\`, \`列\`) VALUES (1, 2, '漢')`);
    const { folder, table } = await extractTable(server.secret, 'größe `x');
    expect(table.primaryKey).toEqual(['ключ']);
    expect(table.columns.map(({ target }) => target)).toEqual(['КЛЮЧ', 'A B', 'SUM', 'STORED', '\'"`;--', '列']);
    expect(await duckdb(folder, 'FROM t')).toEqual([[1, 7, 2, 2, 2, '漢']]);
  });

  it('a view, which has no key', async () => {
    await admin.query(
      'CREATE OR REPLACE TABLE below (id int PRIMARY KEY); INSERT INTO below VALUES (1), (2); CREATE OR REPLACE VIEW above AS SELECT id + 1 AS next FROM below',
    );
    const { folder, table } = await extractTable(server.secret, 'above');
    expect(table.primaryKey).toEqual([]);
    expect(await duckdb(folder, 'FROM t ORDER BY 1')).toEqual([['2'], ['3']]);
  });

  it('a partitioned table, whole', async () => {
    await admin.query(
      'CREATE OR REPLACE TABLE parts (id int PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 4; INSERT INTO parts SELECT seq FROM seq_1_to_100',
    );
    expect((await extractTable(server.secret, 'parts')).rows).toBe(100);
  });

  it('of tables whose names differ only by case, the one that is meant', async () => {
    await admin.query('CREATE OR REPLACE TABLE cased (low int); CREATE OR REPLACE TABLE Cased (high int)');
    expect((await extractTable(server.secret, 'Cased')).table.columns[0]!.name).toBe('high');
    await expect(extractTable(server.secret, 'CASED')).rejects.toMatchObject({ code: 'SourceTableMissing' });
  });

  it('more columns than one function may decode', async () => {
    const names = Array.from({ length: 150 }, (_, i) => `c${i}`);
    await admin.query(`CREATE OR REPLACE TABLE wide (id int PRIMARY KEY, ${names.map((name) => `${name} smallint`).join(', ')});
      INSERT INTO wide SELECT seq, ${names.map((_, i) => (i % 7 === 3 ? 'NULL' : `seq % ${i + 2}`)).join(', ')} FROM seq_1_to_50`);
    const { folder } = await extractTable(server.secret, 'wide');
    const sums = names.map((_, i) =>
      i % 7 === 3 ? null : Array.from({ length: 50 }, (__, n) => (n + 1) % (i + 2)).reduce((a, b) => a + b),
    );
    expect((await duckdb(folder, `SELECT ${names.map((name) => `sum(${name})::INT`).join(', ')} FROM t`))[0]).toEqual(sums);
  });

  it.each([
    ['CREATE TABLE wrong (id int)', { columns: { include: ['gone'] } }, 'ConfigInvalid'],
    ['CREATE TABLE wrong (id int, a int)', { columns: { rename: { a: 'ID' } } }, 'ColumnNameCollision'],
    ['CREATE TABLE wrong (_firn_run int)', {}, 'ColumnNameCollision'],
    ['CREATE SEQUENCE wrong', {}, 'SourceTableMissing'],
  ] as const)('%s %j is %s', async (sql, settings, code) => {
    await admin.query(`DROP TABLE IF EXISTS wrong; ${sql}`);
    await expect(extractTable(server.secret, 'wrong', settings as never)).rejects.toMatchObject({ code });
    await admin.query(`DROP ${sql.split(' ')[1]} wrong`);
  });
});

it.each(['ANSI_QUOTES,PAD_CHAR_TO_FULL_LENGTH,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT', 'ORACLE', 'TRADITIONAL', ''])(
  'the sql_mode of the server (%s) changes nothing',
  async (mode) => {
    await admin.query(`CREATE OR REPLACE TABLE modes (id varchar(20) PRIMARY KEY, c char(5), n int) CHARACTER SET utf8mb4;
      INSERT INTO modes VALUES (CONCAT('a', CHAR(92), '''b'), 'x', 1), ('z', 'y  ', 2); SET GLOBAL sql_mode = '${mode}'`);
    const cursor = { column: 'id', from: "a\\'b", onNull: 'exclude' } as const;
    const { folder } = await extractTable(server.secret, 'modes', {}, where({ cursor, rowFilter: 'c = "x" OR n || 0' })).finally(() =>
      admin.query('SET GLOBAL sql_mode = DEFAULT'),
    );
    expect(await duckdb(folder, 'SELECT id, c, n FROM t ORDER BY n')).toEqual([
      ["a\\'b", 'x', 1],
      ['z', 'y', 2],
    ]);
  },
);
