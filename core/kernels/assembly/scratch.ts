/** Memory of one column while it is encoded; used again for the next one. `reserve…` may move it. */

/** Values of a vector; of text: the addresses of its fields. */
export let values: usize = 0;
/** Definition levels of a vector, a bit per row: 0 where it is NULL. */
export let bitmap: usize = 0;
/** Dictionary entry of each value, 32 bits. */
export let indices: usize = 0;
/** The body of a page. */
export let page: usize = 0;
/** What a vector's text and levels are made of. */
export let made: usize = 0;

let vectorRows: u32 = 0;
let indexCapacity: u32 = 0;
let pageCapacity: usize = 0;
let madeCapacity: usize = 0;

export function allocate(bytes: usize): usize {
  return heap.alloc(bytes);
}

export function release(address: usize): void {
  heap.free(address);
}

/** Room for a vector of `rows` rows. The levels are all 1 afterwards. */
export function beginVector(rows: u32): void {
  if (rows > vectorRows) {
    if (vectorRows > 0) {
      heap.free(values);
      heap.free(bitmap);
    }
    values = heap.alloc((<usize>rows << 4) + 16);
    bitmap = heap.alloc((rows >> 3) + 16);
    vectorRows = rows;
  }
  memory.fill(bitmap, 0xff, (rows >> 3) + 1);
}

export function reserveIndices(count: u32): void {
  if (count <= indexCapacity) return;
  if (indexCapacity > 0) heap.free(indices);
  indices = heap.alloc((<usize>count << 2) + 16);
  indexCapacity = count;
}

/** Room for a page of so many bytes, and some behind it: text is copied by words. */
export function reservePage(bytes: usize): void {
  if (bytes <= pageCapacity) return;
  if (pageCapacity > 0) heap.free(page);
  page = heap.alloc(bytes + 64);
  pageCapacity = bytes;
}

export function releasePage(): void {
  if (pageCapacity > 0) heap.free(page);
  pageCapacity = 0;
}

export function reserveMade(bytes: usize): void {
  if (bytes <= madeCapacity) return;
  if (madeCapacity > 0) heap.free(made);
  made = heap.alloc(bytes + 64);
  madeCapacity = bytes;
}

export function setNull(levels: usize, row: u32): void {
  const at = levels + (row >> 3);
  store<u8>(at, load<u8>(at) & ~(<u8>1 << <u8>(row & 7)));
}
