import { ulid } from 'ulid';
import { FirnError } from '../errors.js';
import type { Warehouse } from '../warehouse/snowflake.js';
import { asideKey } from './aside.js';
import type { ExportContext, ExportRef } from './context.js';
import { type ExportItem, readItem, rememberUnload, setItem, type Unload } from './record.js';
import { type ExportConfig, isFolder } from './schema.js';
import { copyStatement, describeStatement, findTable, selectOf, tableParts } from './statements.js';

/** The item, which Pick has found. */
export async function itemOf({ state }: ExportContext, { exportId, index }: ExportRef): Promise<ExportItem> {
  const item = await readItem(state, exportId, index);
  if (!item) throw new FirnError('Internal', `Export ${exportId} has no table ${index}.`);
  return item;
}

/** Unload: submits the statement that writes aside, or answers the one that was submitted before. */
export async function unload(context: ExportContext, ref: ExportRef): Promise<{ queryId: string }> {
  const { state, log } = context;
  const { config, unload: known } = await itemOf(context, ref);
  if (known) return { queryId: known.queryId };
  await setItem(state, ref.exportId, ref.index, { startedAt: new Date().toISOString() });
  const remembered = await context.snowflake(async (session) => {
    const { statement, columns, aside } = await planUnload(session, config, ref);
    // Else the types of a Parquet file would follow from the values that happen to be in it.
    await session.query('ALTER SESSION SET ENABLE_UNLOAD_PHYSICAL_TYPE_OPTIMIZATION = FALSE');
    const submittedAt = new Date().toISOString();
    // Submitted twice at once, each statement writes to a place of its own, and one of them counts.
    const queryId = await session.submit(statement);
    return rememberUnload(state, ref.exportId, ref.index, { queryId, aside, submittedAt, columns });
  });
  log.info({ query_id: remembered.queryId, table: config.table, s3_path: config.s3_path }, 'submitted');
  return { queryId: remembered.queryId };
}

/** The statement for an export, with what Snowflake says of its columns. @throws FirnError ExportQueryFailed, Warehouse… */
export async function planUnload(
  session: Warehouse,
  config: ExportConfig,
  ref: ExportRef,
): Promise<{ statement: string } & Pick<Unload, 'columns' | 'aside'>> {
  const select = selectOf(config, config.query === null ? await fullName(session, config.table) : []);
  const columns = await session.queryExact(describeStatement(select)).then(({ columns: found }) => found, queryFailed);
  const aside = asideKey(ref, ulid(), config);
  return { statement: copyStatement(config, select, columns, aside), columns, aside };
}

/** The name in full; one without a schema is looked for where Firn keeps tables. */
async function fullName(session: Warehouse, table: string): Promise<string[]> {
  const parts = tableParts(table);
  if (parts.length > 1) return parts;
  const found = await session.query(findTable, [parts[0]!]);
  const names = found.map(({ SCHEMA }) => String(SCHEMA));
  if (names.length === 1) return [names[0]!, parts[0]!];
  throw new FirnError(
    'ExportQueryFailed',
    names.length === 0
      ? `There is no table ${table} in staging or gold: name its schema, as SCHEMA.${table}.`
      : `Table ${table} is in ${names.join(' and ')}: name the schema, as ${names[0]}.${table}.`,
  );
}

/** What Snowflake says of a query is for whoever wrote it. */
export function queryFailed(error: unknown): never {
  if (!(error instanceof FirnError) || !['WarehouseStatementFailed', 'WarehousePermissionDenied'].includes(error.code)) throw error;
  throw new FirnError('ExportQueryFailed', error.message, { cause: error });
}

/**
 * AwaitUnload: whether the statement has ended. One that failed is forgotten by Note.
 * @throws FirnError ExportQueryFailed, Warehouse…
 */
export async function awaitUnload(context: ExportContext, ref: ExportRef): Promise<{ done: boolean }> {
  const { state, log } = context;
  const { unload: known, config } = await itemOf(context, ref);
  if (!known) throw new FirnError('Internal', `Export ${ref.exportId} waits for table ${ref.index}, which was not submitted.`);
  return context.snowflake(async (session) => {
    const status = await session.status(known.queryId);
    if (status === 'RUNNING') return { done: false };
    if (status !== 'SUCCEEDED') return queryFailed(hint(status.failed, config));
    const written = await session.result(known.queryId);
    const sum = (name: string) => written.reduce((total, row) => total + Number(row[name] ?? 0), 0);
    const counts = { rows: sum('ROW_COUNT'), bytes: sum('FILE_SIZE'), files: written.length };
    await setItem(state, ref.exportId, ref.index, counts);
    log.info({ query_id: known.queryId, ...counts }, 'unloaded');
    return { done: true };
  });
}

/** Snowflake does not know our keys. */
function hint(error: FirnError, config: ExportConfig): FirnError {
  if (isFolder(config) || !/MAX_FILE_SIZE|max file size/i.test(error.message)) return error;
  return new FirnError('ExportQueryFailed', `${config.table} needs more than the 5 GB of one object: set max_file_size. ${error.message}`, {
    cause: error,
  });
}
