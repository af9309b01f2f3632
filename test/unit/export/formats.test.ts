import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createEveryType, everyTypeBack, fillEveryType } from './every-type.js';
import { type Exporting, startExporting } from './exporting.js';
import { readBack } from './readers.js';

let exporting: Exporting;
const files: Record<string, string> = {};

beforeAll(async () => {
  vi.spyOn(process.stdout, 'write').mockImplementation(() => true);
  exporting = await startExporting();
  await exporting.warehouse.query(createEveryType);
  await exporting.warehouse.query(fillEveryType);
  for (const [name, config] of Object.entries({
    parquet: {},
    csv: { file_type: 'csv' },
    marked: { file_type: 'csv', null_value: '\\N' },
    json: { file_type: 'json' },
    // Readers of JSON that make numbers of 64 bits of it.
    small: {
      file_type: 'json',
      query: 'SELECT N % 1000000000000000 AS N, D, IFF(ABS(F) < 9, F, NULL) AS F, S, B, DT, TI, TS, TZ, LT, BI FROM GOLD.EVERY_TYPE',
    },
  } as const)) {
    const s3_path = `exports/${name}`;
    expect(await exporting.run({ s3_path, ...config })).toMatchObject({ status: 'SUCCEEDED', rows: everyTypeBack.length });
    files[name] = await exporting.download(s3_path);
  }
}, 60_000);
afterAll(() => exporting?.stop());

describe('a table comes back equal, value by value', () => {
  it.each(['pyarrow', 'pandas', 'duckdb'])('from Parquet by %s, types included', async (reader) => {
    expect(await readBack('parquet', reader, files.parquet!)).toEqual(everyTypeBack);
  });

  it.each(['pyarrow', 'duckdb'])('from CSV by %s, NULL and empty text apart', async (reader) => {
    expect(await readBack('csv', reader, files.csv!)).toEqual(everyTypeBack);
  });

  it.each(['pandas', 'csv'])('from CSV by %s, which needs a null_value to tell NULL from empty text', async (reader) => {
    expect(await readBack('csv', reader, files.marked!, '\\N')).toEqual(everyTypeBack);
  });

  it.each(['json', 'duckdb'])('from JSON Lines by %s, one object a line, with keys for NULLs too', async (reader) => {
    expect(await readBack('json', reader, files.json!)).toEqual(everyTypeBack);
  });

  it.each(['pandas', 'pyarrow'])('from JSON Lines by %s, as far as it reads numbers', async (reader) => {
    const smaller = everyTypeBack.map(([n, d, f, ...others]) => [
      n && String(BigInt(n) % 10n ** 15n),
      d,
      f === '-inf' ? null : f,
      ...others.slice(0, 8),
    ]);
    expect(await readBack('small', reader, files.small!)).toEqual(smaller);
  });
});
