/**
 * RLE / bit-packed hybrid encoding of levels and dictionary indices.
 * Source: parquet-format, Encodings.md, "Run Length Encoding / Bit-Packing Hybrid".
 */

function varint(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    out.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  out.push(rest);
  return out;
}

/** One run of the same value. */
export function run(value: number, count: number, bitWidth: number): Uint8Array {
  const bytes = varint(count * 2);
  for (let shift = 0; shift < bitWidth; shift += 8) bytes.push((value >>> shift) & 0xff);
  return Uint8Array.from(bytes);
}

/** `values[from, to)` as one bit-packed run. `bitWidth` ≤ 24. */
export function packed(values: Int32Array | Uint8Array, from: number, to: number, bitWidth: number): Uint8Array {
  const groups = (to - from + 7) >> 3;
  const header = varint(groups * 2 + 1);
  const out = new Uint8Array(header.length + groups * bitWidth);
  out.set(header);
  let at = header.length;
  let bits = 0;
  let waiting = 0;
  for (let i = from; i < to; i++) {
    bits |= values[i]! << waiting;
    waiting += bitWidth;
    while (waiting >= 8) {
      out[at++] = bits;
      bits >>>= 8;
      waiting -= 8;
    }
  }
  if (waiting > 0) out[at] = bits;
  return out;
}

/** Definition levels of rows `[from, to)`, with the 4-byte length that V1 data pages put before them. */
export function definitionLevels(levels: Uint8Array, from: number, to: number, values: number): Uint8Array {
  const rows = to - from;
  const body = values === rows ? run(1, rows, 1) : values === 0 ? run(0, rows, 1) : packed(levels, from, to, 1);
  const out = new Uint8Array(4 + body.length);
  new DataView(out.buffer).setUint32(0, body.length, true);
  out.set(body, 4);
  return out;
}
