import { writeInteger } from './decimal-text';
import { writeEscaped } from './json-text';
import { beginText, bytesUntil, endText, enterArena, leaveArena, lengthUntil, madeField, room } from './made-text';
import { isNonFinite, writeNonFinite, writeNumeric } from './postgres-numeric-text';
import { setNull } from './scratch';
import { uuidText, writeUuid } from './uuid-text';

/**
 * PostgreSQL's arrays in binary form: int32 dimensions, int32 whether there are NULLs, oid of the elements, then of each dimension its
 * int32 length and int32 lower bound, then the elements behind their int32 lengths, -1 for NULL, the last dimension running fastest.
 * Source: PostgreSQL, src/backend/utils/adt/arrayfuncs.c, array_send. Printed as by json.c, array_to_json_internal.
 */

@external('host', 'clamp')
declare function clamp(row: u32, field: usize): bool;

@external('host', 'wrongWidth')
declare function wrongWidth(length: i32): void;

/** What the elements are. */
const boolean: u32 = 0;
const int2: u32 = 1;
const int4: u32 = 2;
const int8: u32 = 3;
const uuid: u32 = 4;
const numeric: u32 = 5;
const text: u32 = 6;

const maxDimensions: u32 = 6;
/** Elements in one entry of each dimension and of all behind it. */
const spans: usize = heap.alloc(maxDimensions << 2);

@inline
function int32(at: usize): i32 {
  return bswap<i32>(load<i32>(at));
}

/**
 * The JSON of arrays, as `to_json(…)::text` prints it, in the arena; `values` gets the addresses. No further row when it holds `budget`
 * bytes, but the first. A text longer than `limit` goes to the host.
 */
export function jsonArrays(
  offsets: usize,
  rows: u32,
  values: usize,
  levels: usize,
  first: u32,
  arena: usize,
  budget: u32,
  limit: u32,
  element: u32,
): u32 {
  let to = values;
  let at = enterArena(arena);
  let row: u32 = 0;
  for (; row < rows && (row === 0 || bytesUntil(at) < budget); row++) {
    const field = <usize>load<u32>(offsets + (<usize>row << 2));
    if (field === 0) {
      setNull(levels, first + row);
      continue;
    }
    at = endText(writeArray(field, beginText(at), first + row, limit, element));
    store<u32>(to, <u32>madeField);
    to += 4;
  }
  leaveArena(at, row);
  return <u32>((to - values) >> 2);
}

function writeArray(field: usize, to: usize, row: u32, limit: u32, element: u32): usize {
  const length = int32(field);
  const end = field + 4 + length;
  const dimensions = <u32>int32(field + 4);
  if (dimensions > maxDimensions) wrongWidth(length);
  let from = field + 16;
  let count: u32 = dimensions === 0 ? 0 : 1;
  for (let d = dimensions; d-- > 0; ) {
    count *= <u32>int32(from + (<usize>d << 3));
    store<u32>(spans + (<usize>d << 2), count);
  }
  from += <usize>dimensions << 3;
  if (count === 0) {
    to = room(to, 2);
    store<u16>(to, 0x5d5b);
    return to + 2;
  }
  for (let i: u32 = 0; i < count; i++) {
    // A comma, brackets on both sides, and whatever has a fixed width.
    to = room(to, 64);
    if (i > 0) store<u8>(to++, 0x2c);
    if (i === 0) for (let d: u32 = 0; d < dimensions; d++) store<u8>(to++, 0x5b);
    else for (let d: u32 = 1; d < dimensions; d++) if (i % load<u32>(spans + (<usize>d << 2)) === 0) store<u8>(to++, 0x5b);
    const size = int32(from);
    from += 4;
    if (size < 0) {
      store<u32>(to, 0x6c6c756e);
      to += 4;
    } else {
      // No memory for what is too long anyway.
      if (element === text && lengthUntil(to) + <u32>size > limit) clamp(row, field);
      to = writeElement(from, size, to, element);
      from += size;
    }
    to = room(to, 16);
    for (let d: u32 = 1; d < dimensions; d++) if ((i + 1) % load<u32>(spans + (<usize>d << 2)) === 0) store<u8>(to++, 0x5d);
    if (lengthUntil(to) > limit || from > end) break;
  }
  store<u8>(to++, 0x5d);
  if (lengthUntil(to) > limit) clamp(row, field);
  if (from !== end) wrongWidth(length);
  return to;
}

@inline
function mustBe(size: i32, width: i32): void {
  if (size !== width) wrongWidth(size);
}

function writeElement(from: usize, size: i32, to: usize, element: u32): usize {
  switch (element) {
    case boolean:
      mustBe(size, 1);
      if (load<u8>(from) !== 0) {
        store<u32>(to, 0x65757274);
        return to + 4;
      }
      store<u64>(to, 0x65736c6166);
      return to + 5;
    case int2:
      mustBe(size, 2);
      return writeInteger(<i64>bswap<i16>(load<i16>(from)), to);
    case int4:
      mustBe(size, 4);
      return writeInteger(<i64>int32(from), to);
    case int8:
      mustBe(size, 8);
      return writeInteger(bswap<i64>(load<i64>(from)), to);
    case uuid:
      mustBe(size, 16);
      store<u8>(to, 0x22);
      writeUuid(from, to + 1);
      store<u8>(to + 1 + uuidText, 0x22);
      return to + 2 + uuidText;
    case numeric:
      if (!isNonFinite(from)) return writeNumeric(from, size, to);
      store<u8>(to++, 0x22);
      to = writeNonFinite(from, to);
      store<u8>(to++, 0x22);
      return to;
    default:
      return writeEscaped(from, size, to);
  }
}
