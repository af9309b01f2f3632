import type { World } from '../world.js';

/** The tables of the torture: each way in which a table is read and merged, and a row of their own for what writes them. */
export interface TortureTable {
  table: string;
  config: Record<string, unknown>;
  /** Columns beside `id`, `step`, `payload` and `updated_at`, and the key. */
  columns: string;
  /** Key at the source for the comparison. Default: the primary key. */
  key?: string[];
  /** Rows are only ever inserted, each with the next number. */
  insertsOnly?: true;
  /** A run sees what is gone. */
  seesDeletes: boolean;
}

export const database = 'torture';

// Nothing beside the fence protects late commits.
const byTime = { mode: 'incremental', cursor_column: 'updated_at', lookback_seconds: 0 };
// The walks delete as they please.
const whole = { mode: 'full', loader: 'copy', max_delete_fraction: 1 };

export const tables: TortureTable[] = [
  { table: 'moments', config: { ...byTime, loader: 'copy' }, columns: 'PRIMARY KEY (id)', seesDeletes: false },
  { table: 'piped', config: byTime, columns: 'PRIMARY KEY (id)', seesDeletes: false },
  {
    table: 'pairs',
    config: byTime,
    columns: "half text NOT NULL GENERATED ALWAYS AS (CASE id % 2 WHEN 0 THEN 'left' ELSE 'right' END) STORED, PRIMARY KEY (id, half)",
    seesDeletes: false,
  },
  {
    table: 'numbers',
    config: { mode: 'incremental', cursor_column: 'id', loader: 'copy' },
    columns: 'PRIMARY KEY (id)',
    insertsOnly: true,
    seesDeletes: false,
  },
  { table: 'wholes', config: whole, columns: 'PRIMARY KEY (id)', seesDeletes: true },
  { table: 'loose', config: whole, columns: 'CHECK (id > 0)', key: ['id', 'step', 'payload'], seesDeletes: true },
];

export const idsOf = 60;

/**
 * Beside each table stand `walks`, the step at which each id is, also while it is deleted, and `history`, every committed version of a
 * row: both are written by the transaction that writes the row.
 */
export async function makeTables(world: World): Promise<void> {
  await world.source.query('CREATE TABLE walks (tab text, id bigint, step integer NOT NULL, PRIMARY KEY (tab, id))');
  await world.source.query('CREATE TABLE history (tab text, id bigint, step integer, payload text NOT NULL)');
  for (const { table, columns, insertsOnly } of tables) {
    const id = insertsOnly ? 'bigint GENERATED ALWAYS AS IDENTITY' : 'bigint NOT NULL';
    await world.source.query(
      `CREATE TABLE ${table} (id ${id}, step integer NOT NULL, payload text, updated_at timestamptz NOT NULL DEFAULT now(), ${columns})`,
    );
    if (!insertsOnly) await world.source.query(`INSERT INTO walks SELECT $1, n, 0 FROM generate_series(1, ${idsOf}) n`, [table]);
  }
  await world.push(
    database,
    tables.map(({ table, config }) => ({ table, engine: 'lambda', ...config })),
  );
}
