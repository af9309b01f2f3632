import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { projectRoot } from './paths.js';

/** Libraries that every Debian has, so that only the rest is fetched. */
const present = /^(libc6|libgcc-s1|libstdc\+\+6|libcrypt1)$/;

/** A MariaDB that was unpacked, not installed. */
export interface MariaDb {
  command: string;
  /** Where its files are; no configuration of the machine's is read. */
  args: string[];
  env: NodeJS.ProcessEnv;
  /** Folder of the system tables of a new server: copied, not made each time. */
  template: string;
}

/**
 * The MariaDB of the machine's Debian or Ubuntu, fetched the first time (8 MB) and unpacked into `.firn/mariadb`. Works for every user.
 * @throws Error in one line when it cannot be had
 */
export async function findMariaDb(): Promise<MariaDb> {
  const folder = join(projectRoot, '.firn/mariadb');
  if (!existsSync(join(folder, 'template'))) await unpackOnce(folder);
  return describe(folder);
}

function describe(folder: string): MariaDb {
  const usr = join(folder, 'root/usr');
  const libraries = readdirSync(join(usr, 'lib'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const paths = [usr, join(folder, 'root')].flatMap((root) => libraries.map(({ name }) => join(root, 'lib', name)));
  return {
    command: join(usr, 'sbin/mariadbd'),
    args: [
      '--no-defaults',
      // The server refuses to run as root unless it is told to.
      ...(process.getuid?.() === 0 ? ['--user=root'] : []),
      `--basedir=${usr}`,
      `--lc-messages-dir=${join(usr, 'share/mysql')}`,
      `--plugin-dir=${join(usr, 'lib/mysql/plugin')}`,
      '--innodb-log-file-size=8M',
      '--innodb-use-native-aio=0',
    ],
    env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC', LD_LIBRARY_PATH: paths.join(':') },
    template: join(folder, 'template'),
  };
}

/** Whole or not at all, also when several processes need it at once. */
async function unpackOnce(folder: string): Promise<void> {
  mkdirSync(dirname(folder), { recursive: true });
  const made = mkdtempSync(`${folder}.`);
  try {
    await unpack(made);
    await makeTemplate(describe(made));
    try {
      renameSync(made, folder);
    } catch (error) {
      if (!existsSync(join(folder, 'template'))) throw error;
    }
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

async function unpack(folder: string): Promise<void> {
  const apt = await aptOf(folder);
  const { stdout } = await run('apt-cache', [...apt, 'depends', '--important', 'mariadb-server-core']);
  const libraries = [...stdout.matchAll(/^ *\|?Depends: (lib\S+)$/gm)].map((match) => match[1]!).filter((name) => !present.test(name));
  const packages = join(folder, 'packages');
  mkdirSync(packages);
  await run('apt-get', [...apt, 'download', 'mariadb-server-core', ...(await missingOf(libraries))], packages);
  for (const file of readdirSync(packages)) await run('dpkg', ['-x', join(packages, file), join(folder, 'root')]);
  for (const part of ['packages', 'apt']) rmSync(join(folder, part), { recursive: true, force: true });
}

/** Options of apt: the machine's package lists, or lists of our own where it has none that know MariaDB. */
async function aptOf(folder: string): Promise<string[]> {
  const known = await execa('apt-cache', ['show', 'mariadb-server-core'], { reject: false });
  if (known.exitCode === 0) return [];
  const lists = join(folder, 'apt');
  mkdirSync(join(lists, 'lists/partial'), { recursive: true });
  mkdirSync(join(lists, 'archives/partial'), { recursive: true });
  const own = [
    '-o',
    `Dir::State::lists=${lists}/lists`,
    '-o',
    `Dir::Cache=${lists}`,
    '-o',
    'Debug::NoLocking=1',
    '-o',
    'APT::Sandbox::User=',
  ];
  await run('apt-get', [...own, 'update']);
  return own;
}

async function missingOf(libraries: string[]): Promise<string[]> {
  const { stdout } = await execa('dpkg', ['--get-selections', ...libraries], { reject: false });
  const installed = new Set([...stdout.matchAll(/^([^\s:]+)(?::\w+)?\s+(?:install|hold)$/gm)].map((match) => match[1]));
  return libraries.filter((name) => !installed.has(name));
}

async function run(command: string, args: string[], cwd?: string) {
  try {
    return await execa(command, args, { cwd, env: { LC_ALL: 'C' } });
  } catch (error) {
    const { stderr, shortMessage } = error as { stderr?: string; shortMessage: string };
    const why = stderr?.trim().split('\n').at(-1) || shortMessage;
    throw new Error(`MariaDB cannot be had: it is fetched by ${command} from Debian's or Ubuntu's packages, and that failed (${why}).`, {
      cause: error,
    });
  }
}

/** What mariadb-install-db does, without the help tables. */
async function makeTemplate({ command, args, env, template }: MariaDb): Promise<void> {
  mkdirSync(template);
  const share = join(dirname(dirname(command)), 'share/mysql');
  const files = ['mysql_system_tables', 'mysql_performance_tables', 'mysql_system_tables_data', 'maria_add_gis_sp_bootstrap'];
  const sql = [
    'create database mysql;',
    'use mysql;',
    'SET @auth_root_socket=NULL;',
    ...files.map((name) => readFileSync(join(share, `${name}.sql`), 'utf8')),
  ];
  try {
    await execa(command, [...args, '--bootstrap', `--datadir=${template}`, '--log-warnings=0', '--enforce-storage-engine='], {
      env,
      extendEnv: false,
      input: `${sql.join('\n')}\n`,
    });
  } catch (error) {
    throw new Error(
      `MariaDB cannot make its system tables: ${String((error as { stderr?: string }).stderr)
        .trim()
        .split('\n')
        .at(-1)}`,
      {
        cause: error,
      },
    );
  }
}

/** A new server's data. */
export function copyTemplate({ template }: MariaDb, data: string): void {
  const copy = `${data}.new`;
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(dirname(data), { recursive: true });
  cpSync(template, copy, { recursive: true });
  renameSync(copy, data);
}
