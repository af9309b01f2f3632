import type { Column } from '../../../core/column.js';
import type { SourceSession } from '../../../core/source/source.js';

const id: Column = {
  name: 'id',
  target: 'ID',
  sourceType: 'bigint',
  nullable: false,
  parquet: { kind: 'int64' },
  raw: 'NUMBER(38,0)',
  staging: 'NUMBER(38,0)',
  convert: 'none',
};

/** A source in memory: each write to a table is its next number. `access`: one step of the schedule. */
export class SourceModel {
  private readonly numbers = new Map<string, number>();
  private clock = 0;

  constructor(private readonly access: <T>(work: () => T) => Promise<T>) {}

  write(table: string): number {
    const number = this.written(table) + 1;
    this.numbers.set(table, number);
    return number;
  }

  written(table: string): number {
    return this.numbers.get(table) ?? 0;
  }

  read(table: string): Promise<number> {
    return this.access(() => this.written(table));
  }

  readonly withSource = <T>(_settings: unknown, work: (session: SourceSession) => Promise<T>): Promise<T> =>
    work({
      defaultSchema: 'public',
      describeTable: async () => ({ columns: [id], primaryKey: ['id'] }),
      readCursorColumn: async (_relation, name) => ({ name, kind: 'integer', type: 'int8', nullable: false }),
      countNullCursors: async () => 0,
      observe: ({ table }) =>
        this.access(() => {
          const at = new Date(++this.clock).toISOString().replace('Z', '000Z');
          return { upper: String(this.written(table)), readAt: at, fence: at, prepared: [], oldest: null, warnings: [] };
        }),
      timeBound: async (_type, safe) => safe,
      estimateRead: async () => ({ rows: 1, bytes: 1 }),
      split: async () => ({ refused: 'it is small' }),
      end: async () => {},
    });
}
