import type { Client } from 'pg';
import type { TableConfig } from '../../../core/config/schema.js';
import { tableConfigSchema } from '../../../core/config/schema.js';
import type { Plan, Watermark } from '../../../core/plan/plan.js';
import { type CursorPlan, planCursor } from '../../../core/plan/plan-cursor.js';
import { beginSnapshot } from '../../../core/source/postgres/extract-snapshot.js';
import { cursorCondition } from '../../../core/source/postgres/query.js';
import { postgresSession } from '../../../core/source/postgres/source.js';
import { usableCheckpoints } from '../../../core/source/watermark.js';

const relation = { schema: 'public', table: 'orders' };

/** A row as read: its key and its version, a number that rises with each write at the source. */
export interface Row {
  id: string;
  version: number;
}

/**
 * Incremental runs of the table `orders (id, version, …)` by one cursor, as the product makes them: its plan, its snapshot, its condition,
 * its checkpoints. Staging is a map. Beside it, what runs with a watermark of MAX(cursor) would have read.
 */
export class IncrementalRuns {
  readonly staging = new Map<string, number>();
  readonly naive = new Map<string, number>();
  readonly config: TableConfig;
  /** Of the last read: the rows that staging had already. */
  reread: Row[] = [];
  /** The last committed plan. */
  committed: CursorPlan | null = null;
  private history: Watermark[] = [];
  private planned: CursorPlan | null = null;
  private max: string | null = null;

  constructor(settings: Partial<TableConfig> & { cursor_column: string }) {
    this.config = tableConfigSchema.parse({ table: 'orders', mode: 'incremental', lookback_seconds: 0, ...settings });
  }

  /** Observes the source, unless a run that failed has left its plan: then that run is repeated. `client` is in autocommit. */
  async plan(client: Client): Promise<CursorPlan> {
    this.planned ??= await planCursor(postgresSession(client), relation, this.config, 'incremental', this.history);
    return this.planned;
  }

  /** Reads within the snapshot that `client` has begun, and merges. */
  async read(client: Client): Promise<void> {
    const cursor = this.planned!.cursor!;
    const rows = await select(client, cursorCondition(cursor));
    this.reread = rows.filter(({ id, version }) => this.staging.get(id) === version);
    for (const { id, version } of rows) this.staging.set(id, version);

    const { column } = cursor;
    const text = column === 'xmin' ? 'xmin::text::bigint' : `"${column}"${cursor.comparison === 'bytes' ? ' COLLATE "C"' : ''}`;
    for (const { id, version } of await select(client, this.max && `${text} >= '${this.max}'`)) this.naive.set(id, version);
    const latest = await client.query<{ max: string | null }>(`SELECT ${text}::text AS max FROM orders ORDER BY ${text} DESC LIMIT 1`);
    this.max = latest.rows[0]?.max ?? null;
  }

  commit(): void {
    const { watermarkAfter } = this.planned!;
    this.history = [...usableCheckpoints(this.history, watermarkAfter), watermarkAfter];
    this.committed = this.planned;
    this.planned = null;
  }

  /** The run is given up: the next one plans anew. What it merged stays. */
  abandon(): void {
    this.planned = null;
  }
}

async function select(client: Client, condition: string | null): Promise<Row[]> {
  const { rows } = await client.query<Row>(`SELECT id::text, version FROM orders WHERE ${condition ?? 'true'}`);
  return rows;
}

/** One transaction in which all of them read: what a run of each would see at this moment. */
export async function readAll(client: Client, runs: readonly IncrementalRuns[]): Promise<void> {
  await beginSnapshot(client, relation satisfies Plan['relation']);
  for (const each of runs) await each.read(client);
  await client.query('COMMIT');
}

/** A run by itself, from its plan to its commit. */
export async function runOnce(client: Client, runs: readonly IncrementalRuns[]): Promise<void> {
  for (const each of runs) await each.plan(client);
  await readAll(client, runs);
  for (const each of runs) each.commit();
}
