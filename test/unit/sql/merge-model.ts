import fc from 'fast-check';
import type { Column } from '../../../core/column.js';
import { column, type PlanChanges, type Value } from './table.js';

/**
 * What staging must hold after a history of runs, told without SQL: a source that changes, runs that read it, and what each of them knows.
 */

/** Shapes of tables: quoted and reserved names, composite keys, declared keys that may be NULL. */
export interface Shape {
  columns: Column[];
  key: string[];
}

const number = (name: string, nullable = true) => column(name, 'NUMBER(38,0)', { nullable });
const text = (name: string, nullable = true) => column(name, 'VARCHAR', { nullable });

export const shapes: Record<string, Shape> = {
  'one number is the key': { columns: [number('ID', false), text('NOTE'), number('AMOUNT')], key: ['ID'] },
  'reserved and quoted names, two columns are the key': {
    columns: [text('SELECT', false), number('a"b', false), text("o'ne; --"), number('größe')],
    key: ['SELECT', 'a"b'],
  },
  'a declared key that may be NULL': { columns: [text('MERGE'), number('T'), text('S')], key: ['MERGE', 'T'] },
};

/** Keys are few, so that rows meet; the values of other columns may be NULL. */
export const keyValues: Record<string, Value[]> = {
  NUMBER: [0, 1, -7],
  VARCHAR: ['', 'a', "o'x\\"],
};

export interface Event {
  kind: 'write' | 'delete' | 'run' | 'held' | 'merge-held' | 'again' | 'reload';
  /** Which key, of all that the shape can have. */
  key: number;
  /** Which value each column gets. */
  values: number[];
  mode: 'full' | 'incremental' | 'keys';
}

export const history = fc.array(
  fc.record<Event>({
    kind: fc.constantFrom(
      'write',
      'write',
      'write',
      'write',
      'delete',
      'delete',
      'run',
      'run',
      'run',
      'held',
      'merge-held',
      'again',
      'reload',
    ),
    key: fc.nat(50),
    values: fc.array(fc.nat(3), { minLength: 4, maxLength: 4 }),
    mode: fc.constantFrom('full', 'incremental', 'incremental', 'keys'),
  }),
  { minLength: 12, maxLength: 18 },
);

export interface Read {
  fence: number;
  mode: Event['mode'];
  rows: Value[][];
  keys: Value[][];
}

interface Staged {
  row: Value[];
  order: number;
  deleted: boolean;
}

const keyText = (shape: Shape, row: Value[]): string =>
  JSON.stringify(shape.columns.flatMap(({ target }, i) => (shape.key.includes(target) ? [row[i]] : [])));

/** The table at the source, and which rows were written since a run has read. */
export class Source {
  readonly #rows = new Map<string, Value[]>();
  readonly #written = new Set<string>();

  constructor(private readonly shape: Shape) {}

  write({ key, values }: Event): void {
    let rest = key;
    const row = this.shape.columns.map(({ target, nullable, staging }, i): Value => {
      const family = staging.startsWith('NUMBER') ? 'NUMBER' : 'VARCHAR';
      if (this.shape.key.includes(target)) {
        const choices = [...keyValues[family]!, ...(nullable ? [null] : [])];
        const value = choices[rest % choices.length]!;
        rest = Math.floor(rest / choices.length);
        return value;
      }
      return family === 'NUMBER' ? [null, 0, 1, -1][values[i]!]! : [null, '', 'x', 'NULL'][values[i]!]!;
    });
    this.#rows.set(keyText(this.shape, row), row);
    this.#written.add(keyText(this.shape, row));
  }

  delete({ key }: Event): void {
    const keys = [...this.#rows.keys()];
    if (keys.length > 0) this.#rows.delete(keys[key % keys.length]!);
  }

  /** An incremental run reads what was written since the last one, and some rows again. */
  read(mode: Event['mode'], again: number, fence: number): Read {
    const all = [...this.#rows];
    const rows = all.filter(([key], i) => mode === 'full' || this.#written.has(key) || i % 3 === again % 3).map(([, row]) => row);
    const isKey = this.shape.columns.map(({ target }) => this.shape.key.includes(target));
    return { fence, mode, rows, keys: mode === 'keys' ? all.map(([, row]) => row.filter((_, i) => isKey[i])) : [] };
  }

  get rows(): Value[][] {
    return [...this.#rows.values()];
  }

  /** What was read is merged: the next run need not read it again. */
  settled(): void {
    this.#written.clear();
  }
}

/** Staging by the rules: the greater order wins, and who has seen all rows or keys deletes the lesser orders that it has not seen. */
export class Staging {
  readonly #rows = new Map<string, Staged>();
  #merged = 0;

  constructor(
    private readonly shape: Shape,
    private readonly how: 'hard' | 'soft',
  ) {}

  /** False: rows that were read later are merged already. */
  merge({ fence, mode, rows, keys }: Read): boolean {
    if (fence < this.#merged) return false;
    this.#merged = fence;
    for (const row of rows) {
      const held = this.#rows.get(keyText(this.shape, row));
      const same = held && !held.deleted && JSON.stringify(held.row) === JSON.stringify(row);
      if (!same) this.#rows.set(keyText(this.shape, row), { row, order: fence, deleted: false });
    }
    if (mode === 'incremental') return true;
    const seen = new Set([...rows.map((row) => keyText(this.shape, row)), ...keys.map((key) => JSON.stringify(key))]);
    for (const [key, held] of this.#rows) {
      if (seen.has(key) || held.deleted) continue;
      if (this.how === 'hard') this.#rows.delete(key);
      else this.#rows.set(key, { ...held, order: fence, deleted: true });
    }
    return true;
  }

  /** With the marks of deleted rows, sorted as `staged` sorts. */
  get rows(): unknown[][] {
    return [...this.#rows.values()]
      .map(({ row, order, deleted }) => [...row, deleted, order])
      .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }
}

/** What the planner would make of such a read. */
export const planChanges = (shape: Shape, mode: Event['mode'], how: 'hard' | 'soft'): PlanChanges => ({
  columns: shape.columns,
  primaryKey: shape.key,
  mode: mode === 'full' ? 'full' : 'incremental',
  cursor: mode === 'full' ? null : { column: shape.columns.at(-1)!.name, from: '1', onNull: 'include' },
  deletes: { detect: mode !== 'incremental', how, maxFraction: 1, ...(mode === 'keys' && { keys: true }) },
});
