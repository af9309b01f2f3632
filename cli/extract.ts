import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { relationOf } from '../core/plan/make-plan.js';
import { fileMetadata } from '../core/source/file-metadata.js';
import type { SourceSecret } from '../core/source/secret.js';
import { AdvisedError, CliError } from './cli-error.js';
import { counted } from './config.js';
import type { GlobalOptions } from './global-options.js';
import { number, print, printAside, printable, printJson } from './output.js';

interface ExtractOptions extends GlobalOptions {
  source: string;
  table: string;
  out: string;
  columns?: string[];
  where?: string;
  codec: 'zstd' | 'snappy' | 'none';
  connections: number;
}

export const extractCommand = new Command('extract')
  .description(
    'Read a PostgreSQL table into Parquet files in a folder: the same reader and files as in the functions, without AWS and Snowflake.',
  )
  .requiredOption('--source <url>', 'postgresql://user:password@host:port/database?sslmode=…&sslrootcert=<file>')
  .requiredOption('--table <name>', 'table in the schema public, or schema.table')
  .requiredOption('--out <folder>', 'where the files go; existing files are never overwritten')
  .option('--columns <names>', 'only these columns, separated by commas', (text) => text.split(',').map((name) => name.trim()))
  .option('--where <condition>', 'only rows for which this SQL expression is true')
  .addOption(new Option('--codec <codec>', 'compression').choices(['zstd', 'snappy', 'none']).default('zstd'))
  .option('--connections <n>', 'connections that read at once, from one snapshot', positive, 1)
  .addHelpText('after', '\nExample:\n  $ firn extract --source postgresql://postgres@localhost/shop --table orders --out orders/ --json')
  .action(async (_options, command: Command) => {
    const options = command.optsWithGlobals<ExtractOptions>();
    const summary = await run(options).catch((error: unknown) => {
      throw new AdvisedError(error, actions);
    });
    if (options.json) return printJson(summary);
    print(
      `${number(summary.rows)} ${summary.rows === 1 ? 'row' : 'rows'}, ${number(summary.bytes)} bytes in ${counted(summary.files.length, 'file')}, ${summary.seconds.toFixed(2)} s, ${counted(summary.connections, 'connection')}, ${summary.codec}`,
    );
  });

/** There is no configuration, secret or run to correct here. */
const actions = {
  ConfigInvalid: 'Correct --columns.',
  SourceUnreachable: 'Check host and port in --source, and that the database is up.',
  SourceCredentialsRejected: 'Correct user, password or database in --source.',
  SourceTableMissing: 'Correct --table; outside the schema public it is schema.table.',
  SourceTlsFailed: 'Correct sslmode or sslrootcert in --source.',
  SourcePermissionDenied: 'Grant SELECT on the table to the user of --source.',
  SourceQueryFailed: 'Correct --where.',
} as const;

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 64) throw new InvalidArgumentError('expected a whole number from 1 to 64.');
  return value;
}

/** A connection string of libpq as the source's secret would hold it. `sslrootcert` names a file. */
export function secretOf(text: string): SourceSecret {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol) || url.hostname === '') {
    throw new CliError('Usage', '--source is not a connection string', 'Write it as postgresql://user:password@host:port/database.');
  }
  const rootCertificate = url.searchParams.get('sslrootcert');
  const user = decodeURIComponent(url.username) || 'postgres';
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(url.port || 5432),
    user,
    password: decodeURIComponent(url.password) || (process.env.PGPASSWORD ?? ''),
    database: decodeURIComponent(url.pathname.slice(1)) || user,
    sslmode: (url.searchParams.get('sslmode') ?? 'prefer') as SourceSecret['sslmode'],
    ...(rootCertificate === null ? {} : { sslrootcert: readFileSync(rootCertificate, 'utf8') }),
  };
}

async function run(options: ExtractOptions) {
  const [{ connect, postgresSecretSchema }, { describeTable }, { extract }, { openLocalFile }] = await Promise.all([
    import('../core/source/postgres/connection.js'),
    import('../core/source/postgres/catalog.js'),
    import('../core/source/postgres/extract.js'),
    import('../core/source/sink.js'),
  ]);
  const { data: connection, error: mistake } = postgresSecretSchema.safeParse(secretOf(options.source));
  if (mistake) {
    const { path, message } = mistake.issues[0]!;
    throw new CliError(
      'Usage',
      `--source, ${path.join('.')}: ${message}`,
      'Write it as postgresql://user:password@host:port/database?sslmode=….',
    );
  }
  const relation = relationOf(options);
  const started = performance.now();
  const opened: string[] = [];
  const session = await connect(connection);
  const { columns, primaryKey } = await describeTable(session, relation, {
    columns: options.columns && { include: options.columns },
  }).catch(async (error: unknown) => {
    await session.end();
    throw error;
  });
  const { rows, files, connections, refused } = await extract({
    connection,
    session,
    relation,
    columns,
    primaryKey: columns.filter(({ name }) => primaryKey.includes(name)).map(({ target }) => target),
    where: { rowFilter: options.where ?? null, cursor: null, chunk: null },
    constants: {},
    codec: options.codec,
    connections: options.connections,
    metadata: fileMetadata({ source: 'PostgreSQL', database: connection.database, table: options.table }, columns),
    openFile: async (part) => {
      const file = await openLocalFile(options.out, `${relation.table.replaceAll('/', '_')}-${String(part).padStart(3, '0')}.parquet`);
      opened.push(path.join(options.out, file.name));
      return file;
    },
  }).catch(async (error: unknown) => {
    // Half a table is of no use, and would be in the way of the next attempt.
    await Promise.all(opened.map((file) => rm(file, { force: true })));
    throw error;
  });
  for (const { message } of refused) printAside(printable(`Read by fewer connections: ${message}`));
  return {
    rows,
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    files: files.map(({ name }) => name),
    seconds: (performance.now() - started) / 1000,
    connections,
    codec: options.codec,
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
  };
}
