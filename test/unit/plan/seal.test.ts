import { describe, expect, it } from 'vitest';
import { wholeTable } from '../../../core/plan/chunks.js';
import type { PartManifest } from '../../../core/plan/manifest.js';
import { sealParts } from '../../../core/plan/seal.js';

const run = { runId: '01JCAVZQ3T8M5N0P2R4S6V8X0Z', source: 'PostgreSQL', database: 'clr', table: 'orders' };
const part = (chunk: number, changes: Partial<PartManifest>): PartManifest => ({
  runId: run.runId,
  chunk,
  files: [],
  rows: 0,
  readAsOf: '2025-11-05T12:00:00.000000Z',
  policyCounts: {},
  ...changes,
});

describe('the manifest of a run', () => {
  it('adds up its parts, as of the earliest snapshot', () => {
    const chunks = [{ ...wholeTable[0]! }, { ...wholeTable[0]!, number: 1 }];
    const first = part(0, {
      files: [
        { key: 'a', rows: 2, bytes: 10 },
        { key: 'b', rows: 1, bytes: 5 },
      ],
      policyCounts: { 'amount numeric_nan null': 2 },
    });
    const second = part(1, {
      files: [{ key: 'c', rows: 4, bytes: 7 }],
      readAsOf: '2025-11-05T11:59:00.000000Z',
      policyCounts: { 'amount numeric_nan null': 1, 'day date_out_of_range clamp': 1 },
    });
    expect(sealParts({ run, chunks }, [[first], [second]])).toEqual({
      runId: run.runId,
      files: [
        { key: 'a', rows: 2, bytes: 10 },
        { key: 'b', rows: 1, bytes: 5 },
        { key: 'c', rows: 4, bytes: 7 },
      ],
      rows: 7,
      bytes: 22,
      readAsOf: '2025-11-05T11:59:00.000000Z',
      policyCounts: { 'amount numeric_nan null': 3, 'day date_out_of_range clamp': 1 },
    });
  });

  it('of no rows has no files', () => {
    expect(sealParts({ run, chunks: wholeTable }, [[part(0, {})]])).toMatchObject({ files: [], rows: 0 });
  });

  it('is refused while a part is missing', () => {
    expect(() => sealParts({ run, chunks: wholeTable }, [null])).toThrow('chunk 0');
  });
});
