import { describeTable } from '../../../../core/source/mysql/catalog.js';
import { connect } from '../../../../core/source/mysql/connection.js';
import { extract } from '../../../../core/source/mysql/extract.js';
import { openLocalFile } from '../../../../core/source/sink.js';
import type { DescribedTable, Extracted, SourceSecret, TableRead } from '../../../../core/source/source.js';
import { newFolder } from '../extracting.js';

export interface ExtractedTable extends Extracted {
  folder: string;
  table: DescribedTable;
}

/** Describes and extracts one table of `shop` into a folder that `removeFolders` removes. */
export async function extractTable(
  secret: SourceSecret,
  table: string,
  settings: Parameters<typeof describeTable>[2] = {},
  more: Partial<TableRead> = {},
): Promise<ExtractedTable> {
  const relation = { schema: 'shop', table };
  const session = await connect(secret);
  const described = await describeTable(session, relation, settings).finally(() => session.connection.end());
  const folder = newFolder();
  const extracted = await extract({
    connection: secret,
    relation,
    columns: described.columns,
    primaryKey: described.columns.filter(({ name }) => described.primaryKey.includes(name)).map(({ target }) => target),
    where: { rowFilter: null, cursor: null, chunk: null },
    constants: {},
    openFile: (part) => openLocalFile(folder, `${String(part).padStart(3, '0')}.parquet`),
    ...more,
  });
  return { ...extracted, folder, table: described };
}
