import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../core/config/load.js';
import { environmentSchema, readEnvironments } from '../../../lib/environments.js';
import { snowflakeSecretName, sourceSecretName } from '../../../lib/secret-names.js';
import { blocks, textOf } from './pages.js';

const linesOf = (start: string): string[] =>
  blocks.filter(({ language }) => language === 'console').flatMap(({ lines }) => lines.filter((line) => line.startsWith(start)));

const environments = readEnvironments('config/environments.yaml');
const { sources } = await loadConfig(['config/tables.yaml']);

/** What needs a real account is not run here: it must name what the checkout's own configuration makes. */
describe('commands for real accounts', () => {
  it.each(linesOf('$ npx cdk ').filter((line) => /firn-/.test(line)))('%s names a stack of config/environments.yaml', (line) => {
    const stacks = environments.flatMap(({ name }) => [`firn-${name}`, `firn-${name}-secrets`]);
    expect(stacks).toContain(line.split(' ').at(-1));
  });

  it.each(linesOf('$ aws secretsmanager '))('%s names a secret of the stack', (line) => {
    const secrets = environments.flatMap(({ name }) => [
      snowflakeSecretName(name),
      ...sources.map((source) => sourceSecretName(name, source)),
    ]);
    expect(secrets).toContain(/--secret-id (\S+)/.exec(line)![1]);
  });
});

it('the quick start lists every key of an environment', () => {
  const [, section = ''] = textOf('docs/quick-start.md').split('| key of an environment |');
  const rows = section
    .split('\n\n')[0]!
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  const keys = rows.flatMap((row) => [...row.split('|')[1]!.matchAll(/`(\w+)/g)].map(([, key]) => key));
  expect(keys).toEqual(Object.keys(environmentSchema.shape));
});

describe('every block is run, or is marked as one that cannot be', () => {
  it('sh and sql are run by the integration tests, yaml is parsed; console and text are for reading', () => {
    const known = ['sh', 'sql', 'yaml', 'console', 'text', ''];
    expect(blocks.filter(({ language }) => !known.includes(language))).toEqual([]);
  });

  it('sh holds calls of firn only, and they stand nowhere else', () => {
    const calls = (line: string) => /^(\$ )?npx firn /.test(line);
    const [shell, others] = [blocks.filter(({ language }) => language === 'sh'), blocks.filter(({ language }) => language !== 'sh')];
    expect(shell.flatMap(({ lines }) => lines).filter((line) => !calls(line))).toEqual([]);
    expect(others.flatMap(({ lines }) => lines).filter(calls)).toEqual([]);
  });
});
