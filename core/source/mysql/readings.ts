import type { Column, ParquetType } from '../../column.js';
import { FirnError } from '../../errors.js';
import type { Relation, Where } from '../source.js';
import { readColumns, readTable } from './catalog.js';
import { query, type Session } from './connection.js';
import { nullCursorStatement } from './query.js';
import { type Decoder, mapType, policiesOf, type Selection } from './types.js';

/** How a planned column is read from the table as it is now. */
export interface Reading {
  column: Column;
  nullable: boolean;
  selection: Selection;
  decoder: Decoder;
}

/** @throws FirnError SchemaChangedDuringRun: a column has gone, or has another type than when the run was planned */
export async function readingsOf(session: Session, asked: Relation, columns: readonly Column[]): Promise<Reading[]> {
  const { relation } = await readTable(session, asked);
  const live = new Map((await readColumns(session, relation)).map((column) => [column.name, column]));
  return columns.map((column) => {
    const now = live.get(column.name);
    const name = `${relation.schema}.${relation.table}`;
    if (now === undefined)
      throw new FirnError('SchemaChangedDuringRun', `${name}: column ${column.name} was dropped after the run was planned.`);
    const mapped = mapType(now.type, policiesOf(column));
    if (!sameType(mapped.parquet, column.parquet)) {
      throw new FirnError(
        'SchemaChangedDuringRun',
        `${name}: column ${column.name} was ${column.sourceType} and is now ${now.sourceType}.`,
      );
    }
    return { column, nullable: now.nullable, selection: mapped.selection, decoder: mapped.decoder };
  });
}

function sameType(a: ParquetType, b: ParquetType): boolean {
  if (a.kind === 'decimal' && b.kind === 'decimal') return a.precision === b.precision && a.scale === b.scale;
  if (a.kind === 'timestamp' && b.kind === 'timestamp') return a.utc === b.utc;
  return a.kind === b.kind;
}

/** The plan leaves such rows out, so one that came since would be missed. @throws FirnError CursorIsNull */
export async function refuseNullCursor(session: Session, relation: Relation, where: Where, readings: readonly Reading[]): Promise<void> {
  const { cursor } = where;
  if (cursor === null || cursor.onNull !== 'error') return;
  if (readings.some(({ column, nullable }) => column.name === cursor.column && !nullable)) return;
  const [found] = await query(session, nullCursorStatement(relation, cursor.column, where));
  if (found !== undefined)
    throw new FirnError('CursorIsNull', `${relation.schema}.${relation.table}: column ${cursor.column} is NULL in some rows.`);
}
