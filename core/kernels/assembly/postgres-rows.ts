/** The rows of COPY BINARY: CopyData messages of an int16 number of fields, then each field behind its int32 length, -1 for NULL. */

@external('host', 'wrongFields')
declare function wrongFields(count: i32): void;

const copyData: u8 = 0x64;

/** Rows found so far by `scanRows`. */
export let scannedRows: u32 = 0;

/**
 * Finds the fields of the whole rows from `from` on, until `end`, or a row begins at or behind `stop`, or another message, or there are
 * `capacity` rows. `offsets[column × capacity + row]` becomes the field's address, 0 for NULL. `widths[column]` is the length of each value
 * as the source sends it, if all have the same: then the next field is found without waiting for this one's length.
 */
export function scanRows(from: usize, end: usize, stop: usize, offsets: usize, capacity: u32, columns: u32, widths: usize): usize {
  const stride = <usize>capacity << 2;
  let row = scannedRows;
  let at = from;
  while (at < stop && row < capacity && end - at >= 7 && load<u8>(at) === copyData) {
    const size = bswap<u32>(load<u32>(at, 1));
    if (<usize>size >= end - at) break;
    const next = at + 1 + size;
    const fields = <i32>bswap<i16>(load<i16>(at, 5));
    if (fields !== columns) {
      if (fields !== -1) wrongFields(fields);
      at = next;
      continue;
    }
    let field = at + 7;
    let slot = offsets + (<usize>row << 2);
    for (let column: u32 = 0; column < columns; column++) {
      const word = load<u32>(field);
      store<u32>(slot, field);
      const width = load<u32>(widths + (<usize>column << 2));
      if (word === width) field += 4 + (width >> 24);
      else if ((word & 0x00ffffff) === 0) field += 4 + (word >> 24);
      else if (word === 0xffffffff) {
        store<u32>(slot, 0);
        field += 4;
      } else field += 4 + bswap<u32>(word);
      slot += stride;
    }
    if (field !== next) wrongFields(-2);
    row++;
    at = next;
  }
  scannedRows = row;
  return at;
}

export function setScannedRows(rows: u32): void {
  scannedRows = rows;
}
