import type { ParquetType } from '../../column.js';
import { Kernels } from '../../kernels/kernels.js';
import { ColumnEncoder, type ColumnValues } from '../../parquet/column-chunk.js';
import { type Physical, physicalOf, storageWidth } from '../../parquet/physical.js';
import { nearestDouble } from '../nearest-double.js';
import { elementNumbers } from './decoder-array.js';
import { byteLimit } from './decoder-limits.js';
import { numericText } from './decoder-numeric.js';
import type { Decoder } from './types.js';

/**
 * Answers what to do with a value that its column's type cannot hold, or throws. `at` is where the field's bytes begin, behind their
 * length; `startOfRow` finds where its row's message does.
 * @throws FirnError ValueOutOfRange
 */
export type Unrepresentable = (column: number, bytes: Uint8Array, view: DataView, at: number, startOfRow: () => number) => 'null' | 'clamp';

export interface DecodedColumn {
  decoder: Decoder;
  type: ParquetType;
}

/** Fields of one column. */
export interface Fields {
  /** Address of their addresses, 0 for NULL. */
  offsets: number;
  rows: number;
  /** Rows that the column has already. */
  first: number;
  /** Where text is made, and how many bytes may be there before it takes no further row. `madeRows` of the kernels tells whether it took all. */
  arena: number;
  budget: number;
  /** Finds the message of a row. */
  startOf(row: number): number;
}

/**
 * For the dictionaries of a row group's text, their texts not counted: enough for 25 of the largest. A column of a wide table that has no
 * text twice gives its dictionary up after a quarter of its rows, or sooner.
 */
const dictionaryBytes = 10 << 20;

/** No field is so long: the scan takes each length as it comes. */
const anyWidth = 0xfffffffe;

const widths: Partial<Record<Decoder['kind'], number>> = {
  bool: 1,
  int2: 2,
  int4: 4,
  int8: 8,
  uint4: 4,
  uint8: 8,
  float4: 4,
  float8: 8,
  date: 4,
  time: 8,
  timestamp: 8,
  uuid: 16,
};

/** Decodes and encodes the columns of one table; its kernels hold the rows. */
export class TableDecoder {
  readonly kernels: Kernels;
  /** Address of the width of each column's fields, as `scanRows` wants it. */
  readonly widths: number;
  readonly #encoders: ColumnEncoder[];
  /** Bytes of a value of each column, as the pages want it. */
  readonly #valueWidths: number[];
  #column = 0;
  #startOf: (row: number) => number = () => 0;

  constructor(
    private readonly table: readonly DecodedColumn[],
    unrepresentable: Unrepresentable,
  ) {
    this.kernels = new Kernels({
      clamp: (row, field) => {
        const { bytes, view } = this.kernels;
        const decision = unrepresentable(this.#column, bytes, view, (field >>> 0) + 4, () => this.#startOf(row));
        return decision === 'clamp' ? 1 : 0;
      },
      nearestDouble: (row, field) => {
        const { bytes, view } = this.kernels;
        const at = (field >>> 0) + 4;
        const { value, tells } = nearestDouble(numericText(view, at));
        if (!tells) unrepresentable(this.#column, bytes, view, at, () => this.#startOf(row));
        return value;
      },
      wrongWidth: (length) => {
        throw new Error(`column ${this.#column + 1}: ${length} bytes are no ${table[this.#column]!.decoder.kind}`);
      },
      wrongFields: (count) => {
        throw new Error(`a row has ${count} fields, not ${table.length}`);
      },
    });
    this.#valueWidths = this.physicals.map(({ storage }) => storageWidth[storage] || 4);
    const texts = this.physicals.filter(({ storage }) => storage === 'bytes').length;
    this.#encoders = table.map(
      ({ decoder, type }) => new ColumnEncoder(this.kernels, physicalOf(type), decoder.kind === 'jsonb' ? 1 : 0, dictionaryBytes / texts),
    );
    this.widths = this.kernels.allocate(4 * table.length + 4);
    for (const [i, { decoder }] of table.entries()) {
      const width = widths[decoder.kind];
      // Big endian, as the source sends it.
      this.kernels.view.setUint32(this.widths + 4 * i, width ?? anyWidth);
    }
  }

  get columns(): number {
    return this.table.length;
  }

  /** Whether the column's text is made here, and does not lie where it came. */
  makesText(column: number): boolean {
    return ['uuid', 'numericText', 'array'].includes(this.table[column]!.decoder.kind);
  }

  /** Storage of each column. */
  get physicals(): Physical[] {
    return this.table.map(({ type }) => physicalOf(type));
  }

  encoder(column: number): ColumnEncoder {
    return this.#encoders[column]!;
  }

  /** Writes the fields to the end of the column; answers how many are not NULL. They are to be added by the column's encoder. */
  gather(number: number, column: ColumnValues, fields: Fields): number {
    this.#column = number;
    this.#startOf = fields.startOf;
    return this.#gather(this.table[number]!.decoder, column.values + this.#valueWidths[number]! * column.count, column.levels, fields);
  }

  #gather(decoder: Decoder, values: number, levels: number, { offsets, rows, first, arena, budget }: Fields): number {
    const { run } = this.kernels;
    switch (decoder.kind) {
      case 'bool':
        return run.booleans(offsets, rows, values, levels, first);
      case 'int2':
        return run.int2s(offsets, rows, values, levels, first);
      case 'int4':
      case 'float4':
        return run.words(offsets, rows, values, levels, first);
      case 'int8':
      case 'float8':
        return run.doubleWords(offsets, rows, values, levels, first);
      case 'uint4':
        return run.unsigned4s(offsets, rows, values, levels, first);
      case 'uint8':
        return run.unsigned8s(offsets, rows, values, levels, first);
      case 'date':
        return run.dates(offsets, rows, values, levels, first);
      case 'time':
        return run.times(offsets, rows, values, levels, first);
      case 'timestamp':
        return run.timestamps(offsets, rows, values, levels, first);
      case 'numeric': {
        const { precision, scale } = decoder;
        if (precision > 18) return run.wideDecimals(offsets, rows, values, levels, first, precision, scale);
        return run.decimals(offsets, rows, values, levels, first, precision, scale, precision > 9 ? 8 : 4);
      }
      case 'numericDouble':
        return run.numericDoubles(offsets, rows, values, levels, first);
      case 'uuid':
        return run.uuids(offsets, rows, values, levels, first, arena, budget);
      case 'numericText':
        return run.numericTexts(offsets, rows, values, levels, first, arena, budget);
      case 'array': {
        const { element } = decoder;
        return run.jsonArrays(offsets, rows, values, levels, first, arena, budget, byteLimit(decoder), elementNumbers[element]);
      }
      case 'jsonb':
      case 'bytes':
      case 'binary':
        return run.texts(offsets, rows, values, levels, first, byteLimit(decoder));
    }
  }
}
