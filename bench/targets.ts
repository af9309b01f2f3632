import { figuresOf, type Measured, median } from './figures.js';
import { alone, compared, rival } from './runners.js';
import { type Table, tables } from './tables.js';

interface Target {
  what: string;
  table: Table;
  atLeast?: number;
  atMost?: number;
  measured: number | null;
}

const ofFloor: Record<Table, number> = { lineitem: 0.9, firenibble: 0.65, orders_wide: 0.8 };
const ofRival: Record<Table, number> = { lineitem: 1.2, firenibble: 1.2, orders_wide: 1 };

/** How many times as fast the best of ours is, by the median of pairs. */
function faster({ runs }: Measured, than: string, table: Table): number | null {
  const pairs = runs.flat().filter((run) => run.runner === than && run.table === table && run.beside !== undefined);
  return pairs.length === 0 ? null : median(pairs.map(({ seconds, beside }) => seconds / beside!));
}

function all(measured: Measured): Target[] {
  const share = (runs: Measured['runs'], table: Table): number | null => figuresOf(runs, alone.name, table)?.ofFloor ?? null;
  return tables.flatMap((table): Target[] => {
    const peaks = [
      ...measured.runs.flat().flatMap((run) => (run.runner === alone.name && run.table === table ? [run.rss] : [])),
      ...measured.memory.filter((each) => each.table === table).map(({ rss }) => rss),
    ];
    return [
      { what: 'one connection, of the floor', table, atLeast: ofFloor[table], measured: share(measured.runs, table) },
      { what: 'one connection on a processor of its own, of the floor', table, atLeast: 0.7, measured: share(measured.oneCore, table) },
      {
        what: 'peak MiB of one connection, at any size',
        table,
        atMost: 256,
        measured: peaks.length === 0 ? null : Math.max(...peaks) / 2 ** 20,
      },
      ...compared.map((runner) => ({
        what: `two connections, times as fast as ${runner.name}`,
        table,
        atLeast: runner === rival ? ofRival[table] : 2,
        measured: faster(measured, runner.name, table),
      })),
    ];
  });
}

const digits = ({ atMost }: Target): number => (atMost === undefined ? 2 : 0);

/** Each target that was measured, beside what was. */
export function targets(measured: Measured): string {
  const found = all(measured).filter((target) => target.measured !== null);
  if (found.length === 0) return '';
  const isMet = ({ measured: value, atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY }: Target): boolean =>
    value! >= atLeast && value! <= atMost;
  const missed = found.filter((target) => !isMet(target));
  const rows = found.map((target) => {
    const bound = target.atMost === undefined ? `≥ ${target.atLeast}` : `≤ ${target.atMost}`;
    return `| ${target.table} | ${target.what} | ${bound} | ${target.measured!.toFixed(digits(target))} | ${isMet(target) ? 'yes' : '**no**'} |`;
  });
  return `## Targets

${found.length - missed.length} of ${found.length} targets that were measured are met${missed.length === 0 ? '.' : `; not met: ${missed.map(({ table, what }) => `${table}, ${what}`).join('; ')}.`}

| table | | target | measured | met |
|---|---|---:|---:|---|
${rows.join('\n')}
`;
}
