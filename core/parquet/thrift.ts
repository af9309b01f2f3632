/**
 * Writer of Thrift's compact protocol, as far as Parquet's metadata needs it.
 * Source: apache/thrift, doc/specs/thrift-compact-protocol.md.
 */

const types = { true: 1, false: 2, i16: 4, i32: 5, i64: 6, binary: 8, list: 9, struct: 12 } as const;
type ElementType = 'i32' | 'binary' | 'struct';

export class ThriftWriter {
  #buffer = Buffer.allocUnsafe(1024);
  #length = 0;
  /** Id of the last field written, per open struct: ids travel as differences. */
  #lastField = [0];

  /** Everything written so far, with the stop byte of the outermost struct. */
  finish(): Uint8Array {
    this.#byte(0);
    return this.#buffer.subarray(0, this.#length);
  }

  i16(id: number, value: number): void {
    this.#field(id, types.i16);
    this.#zigzag(value);
  }

  i32(id: number, value: number): void {
    this.#field(id, types.i32);
    this.#zigzag(value);
  }

  /** `value` is a safe integer: offsets and counts, never data. */
  i64(id: number, value: number): void {
    this.#field(id, types.i64);
    this.#zigzag(value);
  }

  bool(id: number, value: boolean): void {
    this.#field(id, value ? types.true : types.false);
  }

  binary(id: number, value: Uint8Array | string): void {
    this.#field(id, types.binary);
    this.#bytes(value);
  }

  struct(id: number, write: () => void): void {
    this.#field(id, types.struct);
    this.#struct(write);
  }

  list<T>(id: number, type: ElementType, items: readonly T[], write: (item: T) => void): void {
    this.#field(id, types.list);
    if (items.length < 15) this.#byte((items.length << 4) | types[type]);
    else {
      this.#byte(0xf0 | types[type]);
      this.#varint(items.length);
    }
    for (const item of items) {
      if (type === 'struct') this.#struct(() => write(item));
      else write(item);
    }
  }

  /** An element of a list of i32. */
  i32Element(value: number): void {
    this.#zigzag(value);
  }

  /** An element of a list of binary. */
  binaryElement(value: Uint8Array | string): void {
    this.#bytes(value);
  }

  #struct(write: () => void): void {
    this.#lastField.push(0);
    write();
    this.#lastField.pop();
    this.#byte(0);
  }

  #field(id: number, type: number): void {
    const delta = id - this.#lastField[this.#lastField.length - 1]!;
    if (delta < 1 || delta > 15) throw new RangeError(`thrift fields must be written in rising order: ${id}`);
    this.#byte((delta << 4) | type);
    this.#lastField[this.#lastField.length - 1] = id;
  }

  #bytes(value: Uint8Array | string): void {
    const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
    this.#varint(bytes.length);
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #zigzag(value: number): void {
    this.#varint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  #varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.#byte((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.#byte(rest);
  }

  #byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = value;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + bytes));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }
}
