import type { TableConfig } from '../config/schema.js';
import { FirnError } from '../errors.js';
import type { Estimate } from '../source/source.js';
import { maxChunks } from './chunks.js';
import type { Engine } from './plan.js';

export interface EngineChoice {
  table: string;
  engine: TableConfig['engine'];
  estimate: Estimate;
  chunks: number;
  chunkBytes: number;
  /** What a Lambda read of this table in its last long run; null: not measured. */
  rowsPerSecond: number | null;
  /** Why there is no Glue for this table; null: there is. */
  withoutGlue: string | null;
}

/** What of its 15 minutes a Lambda may plan to read for: the estimate of the rows may be wrong by as much again. */
const plannedSeconds = 400;
/** Assumed of a table that was never measured, in the source's bytes: a tenth of what one processor does. */
const assumedBytesPerSecond = 8_000_000;

/**
 * Lambda reads what it can read: it starts at once and costs less. Glue reads what is too large for a Lambda's time in one piece, and
 * what would be more chunks than a run has.
 * @throws FirnError ConfigInvalid: `engine: glue` where there is no Glue
 */
export function chooseEngine(choice: EngineChoice): Engine {
  const { table, engine, withoutGlue } = choice;
  if (engine === 'lambda') return { name: 'lambda', reason: 'engine: lambda', movable: false };
  if (engine === 'glue') {
    if (withoutGlue !== null) throw new FirnError('ConfigInvalid', `${table} has engine: glue, but ${withoutGlue}.`);
    return { name: 'glue', reason: 'engine: glue', movable: false };
  }
  const movable = withoutGlue === null;
  const tooLarge = whyTooLarge(choice);
  if (tooLarge === null) return { name: 'lambda', reason: `auto: ${expected(choice)}`, movable };
  return movable
    ? { name: 'glue', reason: `auto: ${tooLarge}`, movable }
    : { name: 'lambda', reason: `auto: ${tooLarge}, but ${withoutGlue}`, movable };
}

function whyTooLarge(choice: EngineChoice): string | null {
  const { estimate, chunkBytes } = choice;
  if (estimate.bytes > maxChunks * chunkBytes) {
    return `${bytesText(estimate.bytes)} would be more than ${maxChunks} chunks of ${bytesText(chunkBytes)}`;
  }
  return secondsOf(choice) > plannedSeconds ? `${expected(choice)}, more than the ${plannedSeconds} s that a Lambda may plan for` : null;
}

/** How long a Lambda reads the largest chunk. */
function secondsOf({ estimate, chunks, rowsPerSecond }: EngineChoice): number {
  return (rowsPerSecond === null ? estimate.bytes / assumedBytesPerSecond : estimate.rows / rowsPerSecond) / chunks;
}

function expected(choice: EngineChoice): string {
  const { chunks, estimate, rowsPerSecond } = choice;
  const what = chunks === 1 ? bytesText(estimate.bytes) : `a chunk of ${bytesText(estimate.bytes / chunks)}`;
  const how = rowsPerSecond === null ? 'as assumed' : `at ${Math.round(rowsPerSecond)} rows/s as measured`;
  return `a Lambda reads ${what} in about ${Math.ceil(secondsOf(choice))} s ${how}`;
}

function bytesText(bytes: number): string {
  const [unit, size] = (
    [
      ['TB', 1e12],
      ['GB', 1e9],
      ['MB', 1e6],
    ] as const
  ).find(([, least]) => bytes >= least) ?? ['kB', 1e3];
  return `${Number((bytes / size).toPrecision(3))} ${unit}`;
}

/** A measured rate counts from here on: in a short run the start outweighs the reading. Seconds. */
const measurable = 10;

/** Rows per second and Lambda, or null when too little was read to tell. */
export const measuredRate = (rows: number, seconds: number): number | null => (seconds < measurable || rows === 0 ? null : rows / seconds);
