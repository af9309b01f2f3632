import { connect } from '../../../core/source/mysql/connection.js';
import { mysqlSession } from '../../../core/source/mysql/source.js';
import { mysqlGroups, mysqlSetup, mysqlTable } from '../../types/mysql.js';
import { mysqlRefused } from '../../types/mysql-refused.js';
import type { RunningMysql } from '../source/mysql/running-mysql.js';
import { type ReadSource, type ToRead, toRead } from './read-by-both.js';

const typeGroups = mysqlGroups();

/** One of each type and policy; glue-scripts/tests has the others, without Spark. */
const refused = mysqlRefused.filter(({ type, policies }, index, all) => {
  const kind = (one: (typeof all)[number]) => `${one.type.replace(/\(.*/, '')} ${Object.keys(one.policies ?? {})}`;
  return all.findIndex((one) => kind(one) === kind({ type, policies, sql: '', message: /x/ })) === index && !type.startsWith('medium');
});

const keyed = {
  'ranges of a key': {
    table: 'ranged',
    sql: 'id bigint PRIMARY KEY, label text',
    values: "CAST(seq AS SIGNED) * 7 - 3500, CONCAT('row ', seq)",
  },
  'ranges of a key of texts and numbers': {
    table: 'keyed',
    sql: 'k varchar(60) CHARACTER SET latin1, n int, label text, PRIMARY KEY (k, n)',
    values: String.raw`CONCAT(ELT(1 + seq % 6, 'ä', 'Z', 'É', 'o''Brien \\', '?', ' '), seq % 40), seq, CONCAT('row ', seq)`,
  },
};

export const mysqlTables = {
  equal: [
    ...typeGroups.map((cases, index) => ({ what: `${index}: ${JSON.stringify(cases[0]!.policies ?? {})}`, table: `types_${index}` })),
    ...Object.entries(keyed).map(([what, { table }]) => ({ what, table })),
    { what: 'some rows of a table with an odd name', table: 'größe `?x' },
  ],
  refused: refused.map(({ type, sql, policies }, index) => ({
    what: `${type} ${sql} ${JSON.stringify(policies ?? '')}`,
    table: `refused_${index}`,
  })),
};

/** Makes the tables, and plans to read them. */
export async function mysqlReads(server: RunningMysql): Promise<ToRead[]> {
  const client = await server.connect();
  const source: ReadSource = {
    type: 'mysql',
    session: mysqlSession(await connect(server.secret)),
    connection: server.secret,
    schema: 'shop',
  };
  const reads: ToRead[] = [];
  await client.query(mysqlSetup);
  for (const [index, cases] of typeGroups.entries()) {
    const name = `types_${index}`;
    await client.query(mysqlTable(name, cases));
    reads.push(await toRead(source, name, { config: { policies: cases[0]!.policies ?? {} } }));
  }
  for (const [index, { type, sql, policies }] of refused.entries()) {
    const name = `refused_${index}`;
    await client.query(
      `CREATE TABLE ${name} (v ${type}, id int PRIMARY KEY) CHARACTER SET utf8mb4; INSERT INTO ${name} VALUES (NULL, 6), (${sql}, 7)`,
    );
    reads.push(await toRead(source, name, { config: policies && { policies }, arrives: false }));
  }
  for (const { table, sql, values } of Object.values(keyed)) {
    await client.query(
      `CREATE TABLE ${table} (${sql}) CHARACTER SET utf8mb4; INSERT INTO ${table} SELECT ${values} FROM seq_1_to_1000; ANALYZE TABLE ${table}`,
    );
    reads.push(await toRead(source, table, { chunkBytes: 20_000 }));
  }
  await client.query(`CREATE TABLE \`größe \`\`?x\` (\`ключ?\` int PRIMARY KEY, \`a {b}\` varchar(20) CHARACTER SET latin1 INVISIBLE DEFAULT 'ü', at timestamp(6) NULL);
    INSERT INTO \`größe \`\`?x\` (\`ключ?\`, at) SELECT seq, '2024-03-31 02:30:00.000001' + INTERVAL seq HOUR FROM seq_1_to_100`);
  reads.push(
    await toRead(source, 'größe `?x', { config: { row_filter: `\`ключ?\` <> 7 AND \`a {b}\` = "ü" AND '\\'?' <> '{d}' -- isn't it?` } }),
  );
  await client.query('CREATE TABLE down (id int)');
  reads.push(await toRead(source, 'down', { secret: 'mysql-down', arrives: false }));
  return reads;
}
