import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultPolicies } from '../../../core/source/postgres/types.js';
import type { TypeCase } from '../../types/case.js';
import { unparsableJson } from '../../types/json.js';
import { families } from '../../types/postgres.js';
import { typeSetup } from '../../types/setup.js';
import { removeFolders } from './extracting.js';
import { type RunningPostgres, startPostgres } from './running-postgres.js';
import { comparable, stage, startStaging } from './staged-types.js';

let server: RunningPostgres;
let client: Client;
let staging: Awaited<ReturnType<typeof startStaging>>;
const shown = new Map<TypeCase, string | null>();

/** Cases of one family, and those with one policy, share a table. */
const keyOf = (family: string, { policies }: TypeCase): string => (policies ? JSON.stringify(policies) : family);
const cases = Object.entries(families).flatMap(([family, all]) => all.map((one) => ({ family, one })));

beforeAll(async () => {
  [server, staging] = await Promise.all([startPostgres(), startStaging()]);
  client = await server.connect();
  await client.query(typeSetup);
  const groups = Map.groupBy(cases, ({ family, one }) => keyOf(family, one));
  for (const [index, group] of [...groups.values()].entries())
    await stageGroup(
      `staged_${index}`,
      group.map(({ one }) => one),
    );
}, 300_000);
afterAll(async () => {
  removeFolders();
  await Promise.all([server?.stop(), staging?.stop()]);
});

async function stageGroup(table: string, group: TypeCase[]): Promise<void> {
  await client.query(`CREATE TABLE ${table} (id int PRIMARY KEY, ${group.map(({ type }, i) => `c${i} ${type}`).join(', ')})`);
  await client.query(`INSERT INTO ${table} VALUES (1, ${group.map(({ type, sql }) => `(${sql})::${type}`).join(', ')})`);
  const { rows } = await stage(client, staging.warehouse, table, { ...defaultPolicies, ...group[0]!.policies });
  for (const [i, one] of group.entries()) shown.set(one, rows[0]![i]!);
}

describe('a value arrives in staging exactly (Snowflake local)', () => {
  it.each(cases.map(({ one }) => [one.type, one.sql.slice(0, 60), JSON.stringify(one.policies ?? ''), one] as const))(
    '%s %s %s',
    (_, __, ___, one) => {
      expect(comparable(shown.get(one)!, one.staging)).toEqual(comparable(one.shown ?? one.value, one.staging));
    },
  );
});

describe('JSON that PARSE_JSON refuses is told with its column and key (Snowflake local)', () => {
  it.each(unparsableJson.map((one, index) => [one.what, one.sql, index] as const))('%s', async (_, sql, index) => {
    const table = `refused_json_${index}`;
    await client.query(`CREATE TABLE ${table} (id int PRIMARY KEY, v json); INSERT INTO ${table} VALUES (1, '{}'), (7, ${sql})`);
    const error: unknown = await stage(client, staging.warehouse, table, defaultPolicies).catch((e) => e);
    expect(error).toMatchObject({ code: 'ValueOutOfRange', message: expect.stringMatching(/V\b.*\b7\b/) });
  });
});
