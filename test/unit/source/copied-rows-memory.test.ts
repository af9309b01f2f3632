import { expect, it } from 'vitest';
import { releasePage } from '../../../core/parquet/page-memory.js';
import { CopiedRows } from '../../../core/source/postgres/copied-rows.js';
import { TableDecoder } from '../../../core/source/postgres/decoder.js';
import type { Decoder } from '../../../core/source/postgres/types.js';

const rowGroupBytes = 16 << 20;
/** Of a connection's 256 MiB, for the kernels: node itself, what was read, and pages need the rest. */
const most = 128 << 20;

type Field = (row: number) => Uint8Array;

/** So many texts of so many characters, each for some rows; then they come again. */
const text =
  (distinct: number, length: number, times = 1): Field =>
  (row) => {
    const bytes = Buffer.alloc(length, 48);
    for (let i = 0, rest = Math.floor(row / times) % distinct; rest > 0; i++, rest = Math.floor(rest / 64)) bytes[i] = 48 + (rest % 64);
    return bytes;
  };

const unique = 2 ** 32;

/** A row as the server sends it: a column for each field, and these again and again. */
function message(columns: number, fields: Uint8Array[]): Uint8Array {
  const all = Array.from({ length: columns }, (_, column) => fields[column % fields.length]!);
  const row = Buffer.alloc(all.reduce((sum, { length }) => sum + 4 + length, 7));
  row[0] = 0x64;
  row.writeInt32BE(row.length - 1, 1);
  row.writeInt16BE(columns, 5);
  let at = 7;
  for (const field of all) {
    row.writeInt32BE(field.length, at);
    row.set(field, at + 4);
    at += 4 + field.length;
  }
  return row;
}

function fill(group: CopiedRows, columns: number, fields: Field[]): void {
  let row = 0;
  while (!group.full) {
    const rows: Uint8Array[] = [];
    for (let bytes = 0; bytes < 1 << 16; bytes += rows.at(-1)!.length) {
      rows.push(
        message(
          columns,
          fields.map((field) => field(row)),
        ),
      );
      row++;
    }
    for (let rest: Uint8Array = Buffer.concat(rows); rest.length > 0 && !group.full; ) {
      rest = rest.subarray(group.append(rest));
      group.scan();
    }
  }
}

/** Writes the group; answers how many columns have a dictionary. */
function write(group: CopiedRows): number {
  let dictionaries = 0;
  for (const { pages } of group.chunks()) {
    if (pages[0]!.kind === 'dictionary') dictionaries++;
    for (const { body } of pages) releasePage(body);
  }
  group.clear();
  return dictionaries;
}

interface Table {
  columns: number;
  kind?: Decoder['kind'];
  /** Of one row group after another. */
  groups: Field[][];
  /** Columns of the last one that have a dictionary. */
  dictionaries: number;
}

const tables: Record<string, Table> = {
  'few columns of unique texts': { columns: 10, groups: [[text(unique, 6)]], dictionaries: 0 },
  'a thousand columns of unique texts': { columns: 1000, groups: [[text(unique, 6)]], dictionaries: 0 },
  'as many columns as a table may have, of unique texts': { columns: 1600, groups: [[text(unique, 6)]], dictionaries: 0 },
  'columns of unique texts of a character or three': { columns: 1600, groups: [[text(unique, 3), text(64, 1)]], dictionaries: 800 },
  'columns of few distinct texts': { columns: 1600, groups: [[text(50, 6)]], dictionaries: 1600 },
  'columns of nearly as many texts as pay': { columns: 1600, groups: [[text(500, 6)]], dictionaries: 1600 },
  'columns of texts half of which pay': { columns: 1600, groups: [[text(400, 8), text(unique, 4)]], dictionaries: 800 },
  'hundreds of columns of thousands of texts': { columns: 400, groups: [[text(2000, 4)]], dictionaries: 400 },
  'columns of as many texts as a dictionary holds': { columns: 25, groups: [[text(32768, 4, 2)]], dictionaries: 25 },
  'texts that fill most of a block': { columns: 3, groups: [[text(unique, 140_000)]], dictionaries: 0 },
  'unique uuids': { columns: 1600, kind: 'uuid', groups: [[text(unique, 16)]], dictionaries: 0 },
  'texts that are ever others': {
    columns: 24,
    groups: [[text(1000, 4)], [text(32768, 8, 2)], [text(32768, 9, 2)], [text(unique, 300)], [text(unique, 1)]],
    dictionaries: 0,
  },
};

it.each(Object.entries(tables))('of %s the kernels need little memory', (_, { columns, kind = 'bytes', groups, dictionaries }) => {
  const decoder = new TableDecoder(
    Array.from({ length: columns }, () => ({ decoder: { kind } as Decoder, type: { kind: 'string' } })),
    () => 'null',
  );
  const fresh = (): CopiedRows => new CopiedRows(decoder.kernels, decoder, rowGroupBytes, 'public.t');
  let [next, full] = [fresh(), fresh()];
  // While one is written, the other one is filled.
  for (const fields of [...groups, groups.at(-1)!, groups.at(-1)!]) {
    fill(next, columns, fields);
    [next, full] = [full, next];
    if (next.rows > 0) write(next);
  }
  expect(decoder.kernels.run.memory.buffer.byteLength).toBeLessThanOrEqual(most);
  expect(write(full)).toBe(dictionaries);
});

it.each([
  [2 ** 30 - 68, null],
  [2 ** 30 - 67, 'ValueOutOfRange'],
  [2 ** 30 + 3, 'ValueOutOfRange'],
])('a row of %d bytes, the longest that PostgreSQL sends or nearly so: %s', (bytes, code) => {
  const decoder = new TableDecoder([{ decoder: { kind: 'bytes' }, type: { kind: 'string' } }], () => 'null');
  const group = new CopiedRows(decoder.kernels, decoder, rowGroupBytes, 'public.t');
  const header = Buffer.alloc(5, 0x64);
  header.writeInt32BE(bytes - 1, 1);
  group.append(header);
  if (code === null) expect(group.append(new Uint8Array(9))).toBe(9);
  else
    expect(() => group.append(new Uint8Array(9))).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(`public.t: a row has ${bytes} bytes`) }),
    );
});
