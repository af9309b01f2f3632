import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readEnvironments } from '../../../lib/environments.js';

const read = (yaml: string) => {
  const path = join(mkdtempSync(join(tmpdir(), 'firn-')), 'environments.yaml');
  writeFileSync(path, yaml);
  return readEnvironments(path);
};

describe('config/environments.yaml', () => {
  it('keeps data and outlasts a failover unless told otherwise', () => {
    expect(read('environments: [{name: qa, snowflake: {database: QA_FIRN}}]')).toEqual([
      { name: 'qa', snowflake: { database: 'QA_FIRN' }, removal: 'retain', retries: 4 },
    ]);
  });

  it.each([
    [
      'a name that would not fit into a role',
      '{name: a-very-long-name-of-an-environment, snowflake: {database: X}}',
      'environments.0.name',
    ],
    ['a database that would need quotes', '{name: dev, snowflake: {database: dev firn}}', 'environments.0.snowflake.database'],
    ['a key that nobody knows', '{name: dev, snowflake: {database: X}, remval: destroy}', 'remval'],
    ['a removal that is neither', '{name: dev, snowflake: {database: X}, removal: snapshot}', 'environments.0.removal'],
    ['a network without subnets', '{name: dev, snowflake: {database: X}, vpc: {id: vpc-0a}}', 'environments.0.vpc.subnets'],
    [
      'an environment twice',
      '{name: dev, snowflake: {database: X}}, {name: dev, snowflake: {database: Y}}',
      'environment dev stands there twice',
    ],
  ])('refuses %s and says where', (_, environments, place) => {
    expect(() => read(`environments: [${environments}]`)).toThrow(
      expect.objectContaining({ code: 'ConfigInvalid', message: expect.stringContaining(place) }),
    );
  });

  it('of this repository is as it has to be', () => {
    expect(readEnvironments('config/environments.yaml').map(({ name }) => name)).toContain('dev');
  });
});
