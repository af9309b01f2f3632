import { expect, it } from 'vitest';
import { errorRecord } from '../../../core/errors.js';
import { receiptOf } from '../../../core/receipt/from-run.js';
import type { RunRecord } from '../../../core/state/runs.js';

const record: RunRecord = {
  run: { runId: '01JBXXXXXXXXXXXXXXXXXXXXXX', source: 'PostgreSQL', database: 'clr', table: 'orders' },
  mode: 'incremental',
  status: 'SUCCEEDED',
  startedAt: '2026-01-01T00:00:00.000Z',
  finishedAt: '2026-01-01T00:01:30.500Z',
  executionArn: 'arn',
  receipt: { mode: 'full', rows_read: 7 },
  result: null,
  queryIds: {},
  error: null,
  lastError: null,
  redrivenBy: null,
  checkedAt: null,
};

it('shows what is known, and null for what is not', () => {
  expect(receiptOf(record, { joined: true, bucket: 'raw' })).toEqual({
    run_id: '01JBXXXXXXXXXXXXXXXXXXXXXX',
    status: 'SUCCEEDED',
    source: 'PostgreSQL',
    database: 'clr',
    table: 'orders',
    mode: 'full',
    joined: true,
    read_as_of: null,
    rows_read: 7,
    rows_loaded: null,
    rows_merged: null,
    rows_inserted: null,
    rows_updated: null,
    rows_unchanged: null,
    rows_superseded: null,
    rows_deleted: null,
    engine: null,
    engine_reason: null,
    files: null,
    bytes: null,
    watermark_before: null,
    watermark_after: null,
    held_back_by: null,
    started_at: '2026-01-01T00:00:00.000Z',
    finished_at: '2026-01-01T00:01:30.500Z',
    seconds: 90.5,
    warnings: [],
    error: null,
    execution_arn: 'arn',
    log: 's3://raw/_logs/01JBXXXXXXXXXXXXXXXXXXXXXX/',
  });
});

it('fits into 16 KB, and says what it leaves out', () => {
  const warnings = Array.from({ length: 1000 }, (_, i) => `warning ${i} ü`.repeat(5));
  const long = { ...record, receipt: { warnings }, error: errorRecord('LoadRejected', 'x'.repeat(50_000)) };
  const receipt = receiptOf(long, { joined: false, bucket: 'raw' });
  expect(Buffer.byteLength(JSON.stringify(receipt))).toBeLessThanOrEqual(16 * 1024);
  expect(receipt.warnings.slice(0, 2)).toEqual(warnings.slice(0, 2));
  expect(receipt.warnings.at(-1)).toMatch(/^\d+ more warnings are in the log$/);
  expect(receipt.error!.message).toMatch(/^x{2000}… \(the rest is in the log\)$/);
});
