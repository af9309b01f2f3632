import { expect, it } from 'vitest';
import { receiptsTable } from '../../../cli/receipts.js';
import type { Receipt } from '../../../core/receipt/receipt.js';

const receipt = {
  source: 'PostgreSQL',
  database: 'clr',
  table: 'availed_coupon_snapshots',
  status: 'SUCCEEDED',
  mode: 'incremental',
  rows_read: 30000,
  rows_loaded: 30000,
  rows_inserted: 0,
  rows_updated: 0,
  rows_unchanged: 30000,
  rows_deleted: 0,
  files: 1,
  seconds: 4.06,
  started_at: '2025-11-05T12:00:00.123Z',
  run_id: '01JBX7Q3M9C5V2KD8R4T6W0YZA',
} as Receipt;

const headOf = (width?: number): string => receiptsTable([receipt], { started: true, width }).split('\n')[0]!;

it('has every column where there is no terminal', () => {
  expect(headOf(Infinity).split(/ +/)).toEqual([
    'table',
    'status',
    'mode',
    'read',
    'loaded',
    'inserted',
    'updated',
    'unchanged',
    'deleted',
    'files',
    'seconds',
    'started',
    'run',
  ]);
});

it.each([160, 130, 110, 80])('fits a terminal of %i columns, and keeps table, status and run', (width) => {
  const lines = receiptsTable([receipt], { started: true, width }).split('\n');
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
  for (const kept of ['table', 'status', 'run']) expect(headOf(width)).toContain(kept);
  expect(lines[1]).toContain('01JBX7Q3M9C5V2KD8R4T6W0YZA');
});
