import { FirnError } from '../../errors.js';
import { connect, query } from './connection.js';
import type { Extraction } from './extract.js';
import { quoteIdentifier, selectStatement } from './query.js';

/** `character_not_in_repertoire`: what a database of SQL_ASCII says of bytes that are not UTF-8, without saying where. */
const sqlState = '22021';

/** UTF-8 in hexadecimal. Source: RFC 3629, section 4. */
const tail = '[89ab].';
const utf8 = [
  '[0-7].',
  `(c[2-9a-f]|d.)${tail}`,
  `e0[ab].${tail}`,
  `(e[1-9a-cef])(${tail}){2}`,
  `ed[89].${tail}`,
  `f0[9ab].(${tail}){2}`,
  `f[1-3](${tail}){3}`,
  `f48.(${tail}){2}`,
].join('|');

const bytesOf = (name: string): string => `pg_catalog.convert_to(${quoteIdentifier(name)}::pg_catalog.text, 'SQL_ASCII')`;
const isInvalid = (name: string): string => `pg_catalog.encode(${bytesOf(name)}, 'hex') !~ '^(${utf8})*$'`;
const shown = (name: string): string => `pg_catalog.encode(${bytesOf(name)}, 'escape')`;

/** The search reads the table once more. */
const searchTimeout = '60s';

/** An error of the extraction: when it is about text that is not UTF-8, told with the column and key of the first such row. */
export async function tellInvalidText(error: unknown, extraction: Extraction): Promise<unknown> {
  if (!(error instanceof FirnError) || (error.cause as { code?: unknown } | undefined)?.code !== sqlState) return error;
  const found = await findInvalidText(extraction).catch(() => null);
  return found === null ? error : new FirnError('ValueOutOfRange', found, { cause: error });
}

async function findInvalidText({ connection, relation, columns, where, primaryKey = [] }: Extraction): Promise<string | null> {
  const texts = columns.filter(({ parquet, mask }) => mask !== 'null' && (parquet.kind === 'string' || parquet.kind === 'json'));
  const keys = columns.filter(({ target }) => primaryKey.includes(target));
  const client = await connect(connection);
  try {
    await query(client, `SET statement_timeout = '${searchTimeout}'`);
    const place = texts.map(({ name }, i) => `WHEN ${isInvalid(name)} THEN ${i}`).join(' ');
    const value = texts.map(({ name }) => `WHEN ${isInvalid(name)} THEN ${shown(name)}`).join(' ');
    const fields = [`CASE ${place} END AS place`, `CASE ${value} END AS value`, ...keys.map(({ name }, i) => `${shown(name)} AS key_${i}`)];
    const any = `(${texts.map(({ name }) => isInvalid(name)).join(' OR ')})`;
    const [row] = await query<Record<string, string | null> & { place: number }>(
      client,
      `${selectStatement(relation, fields, where, any)} LIMIT 1`,
    );
    if (!row) return null;
    const { name, sourceType, mask } = texts[row.place]!;
    const key = keys.map((column, i) => `${column.name}=${row[`key_${i}`]}`).join(', ');
    const holds = mask ? 'bytes' : row.value!.slice(0, 100);
    return `${relation.schema}.${relation.table}${key && `, row ${key}`}: column ${name} (${sourceType}) holds ${holds}, which is not UTF-8.`;
  } finally {
    await client.end().catch(() => {});
  }
}
