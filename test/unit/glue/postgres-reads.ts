import getPort from 'get-port';
import type { Client } from 'pg';
import { postgresSession } from '../../../core/source/postgres/source.js';
import { typeCases } from '../../types/postgres.js';
import { refusedCases } from '../../types/refused.js';
import { typeSetup } from '../../types/setup.js';
import type { RunningPostgres } from '../source/running-postgres.js';
import { type ReadSource, type ToRead, toRead } from './read-by-both.js';

const typeGroups = [...Map.groupBy(typeCases, ({ policies }) => JSON.stringify(policies ?? {}))];

/** One of each way in which a value can be refused; glue-scripts/tests has the others, without Spark. */
const refused = refusedCases.filter(({ type, policies }, index, all) => {
  const kind = (one: (typeof all)[number]) =>
    `${one.type.replace(/\W.*/, '')} ${JSON.stringify(one.policies ?? {}).replace(/\(.*?\)/g, '')}`;
  const first = all.findIndex((one) => kind(one) === kind({ type, policies, sql: '', message: /x/ })) === index;
  return first && ['numeric', 'date', 'timestamptz', 'time', 'json'].includes(type);
});

export const postgresTables = {
  equal: [
    ...typeGroups.map(([policies], index) => ({ what: policies, table: `types_${index}` })),
    { what: 'ranges of a key', table: 'ranged' },
    { what: 'a table of which the user may read some columns only', table: 'partly' },
  ],
  refused: refused.map(({ type, sql, policies }, index) => ({
    what: `${type} ${sql} ${JSON.stringify(policies ?? '')}`,
    table: `refused_${index}`,
  })),
  failing: [
    {
      what: 'a source that is down',
      table: 'down',
      code: 'SourceUnreachable',
      message: /^PostgreSQL at 127\.0\.0\.1:\d+, database postgres: .*refused/,
    },
  ],
};

/** Makes the tables, and plans to read them. */
export async function postgresReads(server: RunningPostgres): Promise<ToRead[]> {
  const client: Client = await server.connect();
  const source: ReadSource = {
    type: 'postgres',
    session: postgresSession(client),
    connection: { host: '127.0.0.1', port: server.port, user: 'postgres', password: 'x', database: 'postgres', sslmode: 'disable' },
    schema: 'public',
  };
  const reads: ToRead[] = [];
  await client.query(typeSetup);
  for (const [index, [policies, cases]] of typeGroups.entries()) {
    const name = `types_${index}`;
    await client.query(`CREATE TABLE ${name} (id int PRIMARY KEY, ${cases.map(({ type }, i) => `c${i} ${type}`).join(', ')})`);
    const values = cases.map(({ type, sql }) => `(${sql})::${type}`).join(', ');
    await client.query(`INSERT INTO ${name} VALUES (1, ${values}); INSERT INTO ${name} (id) VALUES (2)`);
    reads.push(await toRead(source, name, { config: { policies: JSON.parse(policies) } }));
  }
  for (const [index, { type, sql, policies }] of refused.entries()) {
    const name = `refused_${index}`;
    await client.query(`CREATE TABLE ${name} (v ${type}, id int PRIMARY KEY)`);
    await client.query(`INSERT INTO ${name} VALUES (NULL, 6), ((${sql})::${type}, 7)`);
    reads.push(await toRead(source, name, { config: policies && { policies }, arrives: false }));
  }
  await client.query(
    "CREATE TABLE ranged (id bigint PRIMARY KEY, label text); INSERT INTO ranged SELECT n * 7, 'row ' || n FROM generate_series(-500, 500) n; ANALYZE ranged",
  );
  reads.push(await toRead(source, 'ranged', { chunkBytes: 10_000 }));
  await client.query(`CREATE TABLE partly (id int PRIMARY KEY, open text, hidden text); INSERT INTO partly VALUES (1, 'o', 'h');
    CREATE ROLE reader LOGIN; GRANT SELECT (id, open) ON partly TO reader`);
  const asReader = {
    ...source,
    session: postgresSession(await server.connect({ user: 'reader' })),
    connection: { ...source.connection, user: 'reader' },
  };
  reads.push(await toRead(asReader, 'partly', { config: { columns: { exclude: ['hidden'] } } }));
  await client.query('CREATE TABLE down (id int)');
  reads.push(await toRead(source, 'down', { connection: { port: await getPort({ host: '127.0.0.1' }) }, arrives: false }));
  return reads;
}
