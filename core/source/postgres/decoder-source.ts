import { byteLimit, epochDays, epochWords, firstDay, firstMicro, lastDay, lastMicro, lastTime } from './decoder-limits.js';
import type { Decoder } from './types.js';

/**
 * Source text of the decoder, column by column. Names in it: `W` bytes and `T` view of the source, `r` start of the row, `p` position,
 * `n` row in the batch, `V` vectors, `S` helpers; per column i: `b` vector, `d` levels, `v` count, `N` nulls,
 * `a` words or bytes, `t` view, and for text `s` bytes and `o` length; `l q x y z` are free.
 */

const shortText = 96;

function isText({ kind }: Decoder): boolean {
  return kind === 'bytes' || kind === 'binary' || kind === 'jsonb' || kind === 'uuid';
}

/** Loads the state of a column into locals. */
export function prologue(i: number, decoder: Decoder): string {
  const state = `const b${i} = V[${i}], d${i} = b${i}.levels; let v${i} = b${i}.count, N${i} = b${i}.nulls;`;
  if (isText(decoder)) return `${state} let s${i} = b${i}.bytes, t${i} = b${i}.view, o${i} = b${i}.length;`;
  return `${state} const a${i} = b${i}.${decoder.kind === 'bool' ? 'bytes' : 'words'}, t${i} = b${i}.view;`;
}

/** Stores it again. */
export function epilogue(i: number, decoder: Decoder): string {
  return `b${i}.count = v${i}; b${i}.nulls = N${i};${isText(decoder) ? ` b${i}.length = o${i};` : ''}`;
}

/** Reads one field at `p` and moves `p` behind it. */
export function body(i: number, decoder: Decoder): string {
  const width = widths[decoder.kind];
  const none = `d${i}[n] = 0; N${i}++;`;
  const value = read(i, decoder, none);
  return width === undefined
    ? `l = T.getInt32(p); p += 4; if (l >= 0) { ${value} p += l; } else { ${none} }`
    : `l = T.getInt32(p); p += 4; if (l === ${width}) { ${value} p += ${width}; } else if (l === -1) { ${none} } else S.width(${i}, l);`;
}

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

function read(i: number, decoder: Decoder, none: string): string {
  switch (decoder.kind) {
    case 'bool':
      return `a${i}[v${i}++] = W[p];`;
    case 'int2':
      return `a${i}[v${i}++] = T.getInt16(p);`;
    case 'int4':
    case 'float4':
      return `a${i}[v${i}++] = T.getInt32(p);`;
    case 'int8':
    case 'float8':
      return `a${i}[2 * v${i}] = T.getInt32(p + 4); a${i}[2 * v${i} + 1] = T.getInt32(p); v${i}++;`;
    case 'uint4':
      return `a${i}[2 * v${i}] = T.getInt32(p); a${i}[2 * v${i} + 1] = 0; v${i}++;`;
    case 'uint8':
      return `q = 16 * v${i}++; t${i}.setInt32(q, 0); t${i}.setInt32(q + 4, 0); t${i}.setInt32(q + 8, T.getInt32(p)); t${i}.setInt32(q + 12, T.getInt32(p + 4));`;
    case 'date':
      return date(i, none);
    case 'time':
      return time(i, none);
    case 'timestamp':
      return timestamp(i, none);
    case 'numeric':
      return numeric(i, decoder, none);
    case 'uuid':
      return `${room(i, '40')} t${i}.setInt32(o${i}, 36, true); S.uuid(s${i}, o${i} + 4, W, p); o${i} += 40; v${i}++;`;
    case 'jsonb':
      // The first byte is the version of the format.
      return text(i, decoder, 'p + 1', 'l - 1');
    case 'bytes':
    case 'binary':
      return text(i, decoder, 'p', 'l');
  }
}

function room(i: number, bytes: string): string {
  return `if (o${i} + ${bytes} > s${i}.length) { S.grow(b${i}, o${i}, o${i} + ${bytes}); s${i} = b${i}.bytes; t${i} = b${i}.view; }`;
}

function text(i: number, decoder: Decoder, from: string, length: string): string {
  return `if (l > ${byteLimit(decoder)}) S.clamp(${i}, W, T, r, p);
    ${room(i, 'l + 16')} x = ${from}; y = ${length}; t${i}.setInt32(o${i}, y, true); o${i} += 4;
    if (y > ${shortText}) s${i}.set(W.subarray(x, x + y), o${i});
    else for (q = 0; q < y; q += 4) t${i}.setInt32(o${i} + q, T.getInt32(x + q, true), true);
    o${i} += y; v${i}++;`;
}

function date(i: number, none: string): string {
  return `x = T.getInt32(p);
    if (x >= ${firstDay} && x <= ${lastDay}) a${i}[v${i}++] = x + ${epochDays};
    else if (S.clamp(${i}, W, T, r, p)) a${i}[v${i}++] = x < 0 ? ${firstDay + epochDays} : ${lastDay + epochDays};
    else { ${none} }`;
}

function time(i: number, none: string): string {
  const store = `a${i}[2 * v${i}] = x; a${i}[2 * v${i} + 1] = y; v${i}++;`;
  return `x = T.getUint32(p + 4); y = T.getInt32(p);
    if (y < ${lastTime.high} || (y === ${lastTime.high} && x <= ${lastTime.low})) { ${store} }
    else if (S.clamp(${i}, W, T, r, p)) { x = ${lastTime.low}; y = ${lastTime.high}; ${store} }
    else { ${none} }`;
}

function timestamp(i: number, none: string): string {
  const store = `x += ${epochWords.low}; y += ${epochWords.high}; if (x >= 4294967296) { x -= 4294967296; y++; }
    a${i}[2 * v${i}] = x; a${i}[2 * v${i} + 1] = y; v${i}++;`;
  const above = `(y > ${firstMicro.high} || (y === ${firstMicro.high} && x >= ${firstMicro.low}))`;
  const below = `(y < ${lastMicro.high} || (y === ${lastMicro.high} && x <= ${lastMicro.low}))`;
  return `x = T.getUint32(p + 4); y = T.getInt32(p);
    if (${above} && ${below}) { ${store} }
    else if (S.clamp(${i}, W, T, r, p)) {
      if (y < 0) { x = ${firstMicro.low}; y = ${firstMicro.high}; } else { x = ${lastMicro.low}; y = ${lastMicro.high}; }
      ${store}
    } else { ${none} }`;
}

/**
 * NaN and infinities have bit 15 of the sign. Up to 15 digits a double holds every step exactly; beyond, limbs.
 * `x` is the number of base-10000 digits, `y` the index of the last one that the scale keeps whole; of the next it keeps `part` places.
 */
function numeric(i: number, { precision, scale }: { precision: number; scale: number }, none: string): string {
  const part = scale & 3;
  const rest = 10 ** (4 - part);
  const refuse = `S.clamp(${i}, W, T, r, p)`;
  // Cheap tests that every value of numeric(p,s) passes; one that fails gets the exact test.
  const whole = Math.floor((precision - scale) / 4);
  const tooLarge = `q > ${whole} || (q === ${whole} && T.getInt16(p + 8) >= ${10 ** ((precision - scale) % 4)})`;
  const tooPrecise = part === 0 ? 'x > y + 1' : `x > y + 2 || (x === y + 2 && T.getInt16(p + 10 + 2 * y) % ${rest} !== 0)`;
  const fault = `(${tooLarge} || ${tooPrecise}) && S.numericFault(T, p, ${precision}, ${scale}) !== null`;
  return `if (T.getUint16(p + 4) & 0x8000) { ${refuse}; ${none} } else {
    x = T.getInt16(p); q = T.getInt16(p + 2); y = q + ${scale >> 2};
    if (${fault}) ${refuse};
    ${precision > 15 ? wideNumeric(i, precision, scale) : narrowNumeric(i, precision, part)} }`;
}

function narrowNumeric(i: number, precision: number, part: number): string {
  const digit = 'x > y + 1 && y >= -1 ? T.getInt16(p + 10 + 2 * y) : 0';
  const last = part === 0 ? '' : `z = z * ${10 ** part} + ((${digit}) / ${10 ** (4 - part)} | 0);`;
  const store =
    precision <= 9
      ? `a${i}[v${i}++] = z;`
      : `q = Math.floor(z / 4294967296); a${i}[2 * v${i}] = z - q * 4294967296; a${i}[2 * v${i} + 1] = q; v${i}++;`;
  return `z = 0; for (q = 0; q <= y; q++) z = z * 10000 + (q < x ? T.getInt16(p + 8 + 2 * q) : 0);
    ${last} if (T.getUint16(p + 4) === 0x4000) z = -z; ${store}`;
}

function wideNumeric(i: number, precision: number, scale: number): string {
  const words =
    precision > 18
      ? `q = 16 * v${i}++; t${i}.setInt32(q, S.limbs[3]); t${i}.setInt32(q + 4, S.limbs[2]); t${i}.setInt32(q + 8, S.limbs[1]); t${i}.setInt32(q + 12, S.limbs[0]);`
      : `a${i}[2 * v${i}] = S.limbs[0]; a${i}[2 * v${i} + 1] = S.limbs[1]; v${i}++;`;
  return `S.unscaledLimbs(T, p, ${scale}); ${words}`;
}
