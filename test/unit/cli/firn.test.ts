import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { exitCodes } from '../../../cli/exit-codes.js';
import { firn } from './run-firn.js';

const esc = String.fromCharCode(27);
const folder = mkdtempSync(join(tmpdir(), 'firn-cli-'));
const badFile = join(folder, 'bad.yaml');
writeFileSync(
  badFile,
  'sources:\n  - source: PostgreSQL\n    database: clr\n    type: postgres\n    tables: [{ table: orders, mode: al }]\n',
);
const badPlace = `${badFile}:5:37 sources[0].tables[0].mode`;

/** Without an AWS account, an environment or a sandbox. */
const nowhere = {
  AWS_REGION: undefined,
  AWS_PROFILE: undefined,
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  AWS_EC2_METADATA_DISABLED: 'true',
};
const closedPort = {
  ...nowhere,
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'x',
  AWS_SECRET_ACCESS_KEY: 'x',
  AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
};

describe('firn', () => {
  it('explains itself, with examples and exit codes', async () => {
    const { exit, stdout } = await firn(['--help']);
    expect(exit).toBe(exitCodes.ok);
    for (const said of ['Usage: firn', 'ingest', 'config push', 'Examples:', 'Exit codes:', '--env <name>', '--json'])
      expect(stdout).toContain(said);
  });

  it('says its version', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(await firn(['--version'])).toMatchObject({ exit: exitCodes.ok, stdout: version });
  });

  it.each(['ingest', 'status', 'retry', 'plan', 'logs', 'sql', 'config', 'config validate', 'config push', 'extract', 'sandbox'])(
    '%s --help explains the command',
    async (command) => {
      const { exit, stdout } = await firn([...command.split(' '), '--help']);
      expect(exit).toBe(exitCodes.ok);
      expect(stdout).toContain(`Usage: firn ${command} `);
    },
  );

  it.each([
    { args: ['ingst'], said: "unknown command 'ingst' (Did you mean ingest?)" },
    { args: ['ingest', 'PostgreSQL'], said: "missing required argument 'database'" },
    { args: ['status', '--last', 'many'], said: 'expected a whole number from 1 to 1000' },
    { args: ['config', 'push', '--dryrun'], said: "unknown option '--dryrun' (Did you mean --dry-run?)" },
    { args: ['config'], said: 'a command is missing' },
    { args: [], said: 'a command is missing' },
  ])('$args is a mistake of usage', async ({ args, said }) => {
    const { exit, stderr } = await firn(args);
    expect(exit).toBe(exitCodes.usage);
    expect(stderr).toContain('Usage');
    expect(stderr).toContain(said);
    expect(stderr).toMatch(/→ `firn (\w+ )?--help`/);
  });

  it('ends quietly when who reads has read enough', async () => {
    const { stderr, exitCode } = await execa('bash', ['-o', 'pipefail', '-c', 'bin/firn.ts --help | true'], { preferLocal: true });
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
  });

  it('takes global options before and after the command', async () => {
    for (const args of [
      ['--json', 'config', 'validate'],
      ['config', 'validate', '--json'],
      ['--env', 'config', 'config', 'validate', '--json'],
    ]) {
      expect(JSON.parse((await firn(args)).stdout)).toEqual({ valid: true, sources: 1, tables: 13, exports: 3 });
    }
  });
});

describe('firn config validate', () => {
  it('accepts the demo', async () => {
    expect(await firn(['config', 'validate'])).toEqual({
      exit: exitCodes.ok,
      stdout: 'valid: 13 tables of 1 source, 3 exports',
      stderr: '',
    });
  });

  it('names code, place and remedy of what is wrong', async () => {
    const { exit, stdout, stderr } = await firn(['config', 'validate', badFile]);
    expect({ exit, stdout }).toEqual({ exit: exitCodes.usage, stdout: '' });
    const [code, ...rest] = stderr.split(/\s+/);
    expect(code).toBe('ConfigInvalid');
    expect(rest.join(' ')).toBe(
      `${badPlace}: expected one of full, incremental; got "al" → Correct the configuration file at the place named and push it again with \`firn config push\`.`,
    );
  });

  it('--json lists the problems', async () => {
    const { exit, stdout, stderr } = await firn(['config', 'validate', badFile, '--json']);
    expect({ exit, stderr }).toEqual({ exit: exitCodes.usage, stderr: '' });
    expect(JSON.parse(stdout).error).toMatchObject({
      code: 'ConfigInvalid',
      problems: [{ file: badFile, line: 5, column: 37, key: 'sources[0].tables[0].mode' }],
    });
  });
});

describe('a command that cannot reach its environment', () => {
  it.each([
    { name: 'none is named and no sandbox is up', args: ['status'], env: nowhere, code: 'EnvironmentMissing', exit: exitCodes.usage },
    { name: 'no region', args: ['status', '--env', 'dev'], env: nowhere, code: 'CredentialsMissing', exit: exitCodes.unreachable },
    {
      name: 'no credentials',
      args: ['status', '--env', 'dev'],
      env: { ...nowhere, AWS_REGION: 'us-east-1' },
      code: 'CredentialsMissing',
      exit: exitCodes.unreachable,
    },
    { name: 'nobody listens', args: ['status', '--env', 'dev'], env: closedPort, code: 'NotReachable', exit: exitCodes.unreachable },
  ])('$name: $code', async ({ args, env, code, exit }) => {
    const plain = await firn(args, env);
    expect(plain).toMatchObject({ exit, stdout: '' });
    expect(plain.stderr.split(' ')[0]).toBe(code);
    expect(plain.stderr).toMatch(/\n→ .+\.$/);
    expect(plain.stderr).not.toMatch(/^ +at /m);
    const json = await firn([...args, '--json'], env);
    expect(JSON.parse(json.stdout)).toEqual({ error: { code, message: expect.any(String), action: expect.any(String) } });
  });

  it('shows where it happened with FIRN_DEBUG=1', async () => {
    expect((await firn(['status'], { ...nowhere, FIRN_DEBUG: '1' })).stderr).toMatch(/^ +at .+environment\.ts/m);
  });
});

it.each([{ CI: 'true' }, { COLORTERM: 'truecolor' }])('without a terminal there is no colour (%o)', async (env) => {
  for (const args of [['--help'], ['config', 'validate'], ['config', 'validate', badFile]]) {
    const { stdout, stderr } = await firn(args, env);
    expect(stdout + stderr).not.toContain(esc);
  }
});
