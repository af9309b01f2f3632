/**
 * RLE / bit-packed hybrid encoding of levels and dictionary indices.
 * Source: parquet-format, Encodings.md, "Run Length Encoding / Bit-Packing Hybrid".
 */

export function varint(value: number): Uint8Array {
  const out: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    out.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  out.push(rest);
  return Uint8Array.from(out);
}

/** One run of the same value. */
export function run(value: number, count: number, bitWidth: number): Uint8Array {
  const bytes = [...varint(count * 2)];
  for (let shift = 0; shift < bitWidth; shift += 8) bytes.push((value >>> shift) & 0xff);
  return Uint8Array.from(bytes);
}

/** `rows` levels of one bit, `values` of them 1, with the 4-byte length that V1 data pages put before them. `bits` from the least one on. */
export function definitionLevels(bits: Uint8Array, rows: number, values: number): Uint8Array {
  const header = values === rows || values === 0 ? run(values === 0 ? 0 : 1, rows, 1) : varint(bits.length * 2 + 1);
  const body = values === rows || values === 0 ? new Uint8Array(0) : bits;
  const out = new Uint8Array(4 + header.length + body.length);
  new DataView(out.buffer).setUint32(0, header.length + body.length, true);
  out.set(header, 4);
  out.set(body, 4 + header.length);
  return out;
}
