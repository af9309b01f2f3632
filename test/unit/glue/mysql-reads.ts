import { readFileSync } from 'node:fs';
import getPort from 'get-port';
import { connect } from '../../../core/source/mysql/connection.js';
import { mysqlSession } from '../../../core/source/mysql/source.js';
import { mysqlCases, mysqlSetup, mysqlTable } from '../../types/mysql.js';
import type { MysqlCase } from '../../types/mysql-case.js';
import { mysqlRefused } from '../../types/mysql-refused.js';
import type { RunningMysql } from '../source/mysql/running-mysql.js';
import { type ReadSource, type ToRead, toRead } from './read-by-both.js';

interface TypeGroup {
  policies: Record<string, string>;
  cases: MysqlCase[];
}

/** What a policy concerns: two of them have a say about TIME. */
const concerned = (policies: object): string[] => Object.keys(policies).map((name) => (name === 'time' ? 'date_out_of_range' : name));

/** The values of all types, together where their policies concern different types: each job takes its time. */
const typeGroups: TypeGroup[] = [];
for (const [text, cases] of Map.groupBy(mysqlCases, ({ policies }) => JSON.stringify(policies ?? {}))) {
  const policies = JSON.parse(text) as Record<string, string>;
  const beside = typeGroups.slice(1).find((one) => concerned(one.policies).every((name) => !concerned(policies).includes(name)));
  if (!beside) typeGroups.push({ policies, cases });
  Object.assign(beside?.policies ?? {}, policies);
  beside?.cases.push(...cases);
}

/** One of each type; glue-scripts/tests has the others, without Spark. */
const refused = mysqlRefused.filter(
  ({ type }, index, all) =>
    /^(date|datetime|time|tinyint|decimal|varchar)\b/.test(type) &&
    all.findIndex((one) => one.type.replace(/\(.*/, '') === type.replace(/\(.*/, '')) === index,
);

const keyed = {
  'ranges of a key, over TLS': {
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

const odd = 'größe `?x';

const address = 'MySQL at 127\\.0\\.0\\.1:\\d+, database shop';

export const mysqlTables = {
  equal: [
    ...typeGroups.map(({ policies }, index) => ({ what: JSON.stringify(policies), table: `types_${index}` })),
    ...Object.entries(keyed).map(([what, { table }]) => ({ what, table })),
    { what: 'some rows of a table with odd names', table: odd },
  ],
  refused: refused.map(({ type, sql, policies }, index) => ({
    what: `${type} ${sql} ${JSON.stringify(policies ?? '')}`,
    table: `refused_${index}`,
  })),
  failing: [
    { what: 'a source that is down', table: 'down', code: 'SourceUnreachable', message: new RegExp(`^${address}: .*refused`) },
    { what: 'a wrong password', table: 'password', code: 'SourceCredentialsRejected', message: /Access denied for user 'root'/ },
    {
      what: 'a database without access',
      table: 'access',
      code: 'SourceCredentialsRejected',
      message: /Access denied for user 'nobody'.* to database 'shop'/,
    },
    { what: 'a right that lacks', table: 'rights', code: 'SourcePermissionDenied', message: /SELECT command denied to user 'other'/ },
    { what: 'a certificate of somebody else', table: 'certificate', code: 'SourceTlsFailed', message: /link failure: .*(path|trust)/i },
  ],
};

/** Makes the tables, and plans to read them. `tls`: folder of the server's certificate. */
export async function mysqlReads(server: RunningMysql, tls: string): Promise<ToRead[]> {
  const client = await server.connect();
  const source: ReadSource = {
    type: 'mysql',
    session: mysqlSession(await connect(server.secret)),
    connection: server.secret,
    schema: 'shop',
  };
  const reads: ToRead[] = [];
  // A row of InnoDB has no place for all types.
  await client.query(`${mysqlSetup} SET default_storage_engine = Aria`);
  for (const [index, { policies, cases }] of typeGroups.entries()) {
    await client.query(mysqlTable(`types_${index}`, cases));
    reads.push(await toRead(source, `types_${index}`, { config: { policies } }));
  }
  await client.query('SET default_storage_engine = InnoDB');
  for (const [index, { type, sql, policies }] of refused.entries()) {
    const name = `refused_${index}`;
    await client.query(
      `CREATE TABLE ${name} (v ${type}, id int PRIMARY KEY) CHARACTER SET utf8mb4; INSERT INTO ${name} VALUES (NULL, 6), (${sql}, 7)`,
    );
    reads.push(await toRead(source, name, { config: policies && { policies }, arrives: false }));
  }
  const connections = { ranged: { sslmode: 'verify-ca', sslrootcert: readFileSync(`${tls}/ca.crt`, 'utf8') }, keyed: {} } as const;
  for (const { table, sql, values } of Object.values(keyed)) {
    await client.query(
      `CREATE TABLE ${table} (${sql}) CHARACTER SET utf8mb4; INSERT INTO ${table} SELECT ${values} FROM seq_1_to_1000; ANALYZE TABLE ${table}`,
    );
    reads.push(await toRead(source, table, { chunkBytes: 20_000, connection: connections[table as keyof typeof connections] }));
  }
  await client.query(`CREATE TABLE \`größe \`\`?x\` (\`ключ?\` int PRIMARY KEY, \`a {b}\` varchar(20) CHARACTER SET latin1 INVISIBLE DEFAULT 'ü', at timestamp(6) NULL);
    INSERT INTO \`größe \`\`?x\` (\`ключ?\`, at) SELECT seq, '2024-03-31 02:30:00.000001' + INTERVAL seq HOUR FROM seq_1_to_100`);
  const filter = `\`ключ?\` <> 7 AND \`a {b}\` = "ü" AND '\\'?' <> '{d}' -- isn't it?`;
  reads.push(await toRead(source, odd, { config: { row_filter: filter } }));

  await client.query("CREATE USER nobody@'%', other@'%'; GRANT SELECT ON shop.ranged TO other@'%'");
  const failing = {
    down: { port: await getPort({ host: '127.0.0.1' }) },
    password: { password: 'wrong' },
    access: { user: 'nobody' },
    rights: { user: 'other' },
    certificate: { sslmode: 'verify-ca', sslrootcert: readFileSync(`${tls}/other.crt`, 'utf8') },
  } as const;
  for (const [table, connection] of Object.entries(failing)) {
    await client.query(`CREATE TABLE ${table} (id int)`);
    reads.push(await toRead(source, table, { connection, arrives: false }));
  }
  return reads;
}
