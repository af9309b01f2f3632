import { byteLimit, lastTime } from './limits.js';
import type { Decoder } from './types.js';
import { columnType, fixedWidth, isTemporal } from './wire.js';

/**
 * Source text of the decoder, column by column. Names in it: `W` bytes and `T` view of the source, `r` start of the row, `m` its NULL
 * bitmap, `p` position, `n` row in the batch, `V` vectors, `S` helpers; per column i: `b` vector, `d` levels, `v` count, `N` nulls,
 * `a` words or bytes, `t` view, and for text `s` bytes and `o` length; `l q x y z` are free.
 */

/** A column as it comes: its type in the result set, and what becomes of it. */
export interface WireColumn {
  type: number;
  decoder: Decoder;
}

const shortText = 96;

const textKinds = new Set<Decoder['kind']>(['bytes', 'converted', 'binary', 'geometry', 'duration']);
const isText = ({ kind }: Decoder): boolean => textKinds.has(kind);
const isBits = (decoder: Decoder): boolean => decoder.kind === 'boolean' || (decoder.kind === 'bits' && decoder.to === 'bits');

/** Loads the state of a column into locals. */
export function prologue(i: number, { decoder }: WireColumn): string {
  const state = `const b${i} = V[${i}], d${i} = b${i}.levels; let v${i} = b${i}.count, N${i} = b${i}.nulls;`;
  if (isText(decoder)) return `${state} let s${i} = b${i}.bytes, t${i} = b${i}.view, o${i} = b${i}.length;`;
  return `${state} const a${i} = b${i}.${isBits(decoder) ? 'bytes' : 'words'}, t${i} = b${i}.view;`;
}

/** Stores it again. */
export function epilogue(i: number, { decoder }: WireColumn): string {
  return `b${i}.count = v${i}; b${i}.nulls = N${i};${isText(decoder) ? ` b${i}.length = o${i};` : ''}`;
}

/** Reads one field at `p` and moves `p` behind it. */
export function body(i: number, { type, decoder }: WireColumn): string {
  const none = `d${i}[n] = 0; N${i}++;`;
  const width = fixedWidth(type);
  const bit = i + 2;
  const value = read(i, type, decoder, none);
  const field = width !== undefined ? `${value} p += ${width};` : `${isTemporal(type) ? 'l = W[p++];' : lengthEncoded} ${value} p += l;`;
  return `if ((W[m + ${bit >> 3}] & ${1 << (bit & 7)}) !== 0) { ${none} } else { ${field} }`;
}

const lengthEncoded = `l = W[p++]; if (l > 250) {
  if (l === 252) { l = T.getUint16(p, true); p += 2; }
  else if (l === 253) { l = T.getUint16(p, true) | (W[p + 2] << 16); p += 3; }
  else { l = T.getUint32(p, true); p += 8; } }`;

function read(i: number, type: number, decoder: Decoder, none: string): string {
  switch (decoder.kind) {
    case 'integer':
      return integer(i, type, decoder);
    case 'boolean':
      return `x = W[p]; if (x > 1) S.refuse(${i}, W, T, r); a${i}[v${i}++] = x;`;
    case 'float':
      return `a${i}[v${i}++] = T.getInt32(p, true);`;
    case 'double':
      return `a${i}[2 * v${i}] = T.getInt32(p, true); a${i}[2 * v${i} + 1] = T.getInt32(p + 4, true); v${i}++;`;
    case 'decimalDouble':
      return `t${i}.setFloat64(8 * v${i}++, S.nearestDouble(${i}, W, T, r, p, l), true);`;
    case 'bits':
      return bits(i, decoder.to);
    case 'decimal':
      return decimal(i, decoder);
    case 'date':
      return `${calendar(i, none)} { a${i}[v${i}++] = x; }`;
    case 'datetime':
      return `${calendar(i, none)} { ${instant(i)} }`;
    case 'time':
      return time(i, none);
    case 'duration':
      return `${room(i, '32')} x = S.duration(W, T, p, l, ${decoder.fraction}, s${i}, o${i} + 4); t${i}.setInt32(o${i}, x, true); o${i} += 4 + x; v${i}++;`;
    case 'geometry':
      // The server puts the SRID before the WKB.
      return text(i, decoder, 'p + 4', 'l - 4');
    case 'converted':
      return `if (l > 0 && W[p] === 255) S.refuse(${i}, W, T, r); ${text(i, decoder, 'p', 'l')}`;
    case 'bytes':
    case 'binary':
      return text(i, decoder, 'p', 'l');
  }
}

/** An expression for each 32-bit integer. */
function narrow(type: number, unsigned: boolean): string {
  if (type === columnType.tiny) return unsigned ? 'W[p]' : '(W[p] << 24) >> 24';
  if (type === columnType.short || type === columnType.year) return unsigned ? 'T.getUint16(p, true)' : 'T.getInt16(p, true)';
  return 'T.getInt32(p, true)';
}

function integer(i: number, type: number, { unsigned, to }: Extract<Decoder, { kind: 'integer' }>): string {
  if (to === 'w4') return `a${i}[v${i}++] = ${narrow(type, unsigned)};`;
  if (to === 'w16') return bigEndian(i, 'T.getInt32(p + 4, true)', 'T.getInt32(p, true)');
  if (type === columnType.longlong)
    return `a${i}[2 * v${i}] = T.getInt32(p, true); a${i}[2 * v${i} + 1] = T.getInt32(p + 4, true); v${i}++;`;
  return `x = ${narrow(type, unsigned)}; a${i}[2 * v${i}] = x; a${i}[2 * v${i} + 1] = ${unsigned ? '0' : 'x < 0 ? -1 : 0'}; v${i}++;`;
}

/** A 64-bit integer without sign as 16 bytes. */
function bigEndian(i: number, high: string, low: string): string {
  return `q = 16 * v${i}++; t${i}.setInt32(q, 0); t${i}.setInt32(q + 4, 0); t${i}.setInt32(q + 8, ${high}); t${i}.setInt32(q + 12, ${low});`;
}

function bits(i: number, to: 'bits' | 'w8' | 'w16'): string {
  if (to === 'bits') return `a${i}[v${i}++] = W[p + l - 1];`;
  const collect = 'x = 0; y = 0; for (q = p; q < p + l; q++) { y = (y << 8) | (x >>> 24); x = (x << 8) | W[q]; }';
  return to === 'w16' ? `${collect} ${bigEndian(i, 'y', 'x')}` : `${collect} a${i}[2 * v${i}] = x; a${i}[2 * v${i} + 1] = y; v${i}++;`;
}

function decimal(i: number, { precision, scale, exact }: Extract<Decoder, { kind: 'decimal' }>): string {
  if (exact && precision <= 15) {
    const store =
      precision <= 9
        ? `a${i}[v${i}++] = z;`
        : `q = Math.floor(z / 4294967296); a${i}[2 * v${i}] = z - q * 4294967296; a${i}[2 * v${i} + 1] = q; v${i}++;`;
    return `q = p; y = p + l; z = 0; if (W[p] === 45) q++;
      for (; q < y; q++) { x = W[q]; if (x !== 46) z = z * 10 + (x - 48); }
      if (W[p] === 45) z = -z; ${store}`;
  }
  const limbs =
    precision > 18
      ? `q = 16 * v${i}++; t${i}.setInt32(q, S.limbs[3]); t${i}.setInt32(q + 4, S.limbs[2]); t${i}.setInt32(q + 8, S.limbs[1]); t${i}.setInt32(q + 12, S.limbs[0]);`
      : precision > 9
        ? `a${i}[2 * v${i}] = S.limbs[0]; a${i}[2 * v${i} + 1] = S.limbs[1]; v${i}++;`
        : `a${i}[v${i}++] = S.limbs[0];`;
  return `if (S.readDecimal(W, p, l, ${precision}, ${scale}) !== null) S.refuse(${i}, W, T, r); ${limbs}`;
}

/**
 * Days from 1970 in `x`, then what follows it: for a value that no calendar has, by the column's policy. Four bytes: the date alone;
 * none: '0000-00-00'.
 */
function calendar(i: number, none: string): string {
  return `q = 0; x = 0;
    if (l >= 4) {
      y = T.getUint16(p, true); q = y * 12 + W[p + 2] - 1; x = W[p + 3];
      if (y === 0 || W[p + 2] === 0 || x === 0 || (x > 28 && x > S.months[q + 1] - S.months[q])) q = 0; else x += S.months[q];
    }
    if (q === 0 && (x = S.nearest(${i}, W, T, r, p, l)) === S.none) { ${none} } else`;
}

/** Microseconds = seconds × 15625 × 64: each step is exact in a double. */
function instant(i: number): string {
  return `z = x * 86400; x = 0;
    if (l >= 7) { z += W[p + 4] * 3600 + W[p + 5] * 60 + W[p + 6]; if (l > 7) x = T.getUint32(p + 7, true); }
    z *= 15625; y = Math.floor(z / 67108864); x += (z - y * 67108864) * 64;
    if (x >= 4294967296) { x -= 4294967296; y++; }
    a${i}[2 * v${i}] = x; a${i}[2 * v${i} + 1] = y; v${i}++;`;
}

/** Sign, days (4 bytes), hours, minutes, seconds, and microseconds where there are any. */
function time(i: number, none: string): string {
  return `z = 0; if (l >= 8) z = (W[p + 5] * 3600 + W[p + 6] * 60 + W[p + 7]) * 1000000 + (l > 8 ? T.getUint32(p + 8, true) : 0);
    if (l >= 8 && (W[p] !== 0 || T.getInt32(p + 1, true) !== 0)) z = S.clamp(${i}, W, T, r) ? (W[p] !== 0 ? 0 : ${lastTime}) : -1;
    if (z < 0) { ${none} } else {
      y = Math.floor(z / 4294967296); a${i}[2 * v${i}] = z - y * 4294967296; a${i}[2 * v${i} + 1] = y; v${i}++; }`;
}

function room(i: number, bytes: string): string {
  return `if (o${i} + ${bytes} > s${i}.length) { S.grow(b${i}, o${i}, o${i} + ${bytes}); s${i} = b${i}.bytes; t${i} = b${i}.view; }`;
}

function text(i: number, decoder: Decoder, from: string, length: string): string {
  return `if (l > ${byteLimit(decoder)}) S.refuse(${i}, W, T, r);
    ${room(i, 'l + 16')} x = ${from}; y = ${length}; t${i}.setInt32(o${i}, y, true); o${i} += 4;
    if (y > ${shortText}) s${i}.set(W.subarray(x, x + y), o${i});
    else for (q = 0; q < y; q += 4) t${i}.setInt32(o${i} + q, T.getInt32(x + q, true), true);
    o${i} += y; v${i}++;`;
}
