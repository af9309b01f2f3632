/** Memory of one column while it is encoded; used again for the next one. `reserve` may move it. */

/** Values without NULLs, packed as PLAIN pages want them; of text: the addresses of the fields. */
export let values: usize = 0;
/** Definition levels, a bit per row: 0 where it is NULL. */
export let bitmap: usize = 0;
/** Dictionary entry of each value, 16 bits. */
export let indices: usize = 0;
/** The body of a page. */
export let page: usize = 0;
/** Text that is made here, such as that of a uuid: fields as the source would send them. */
export let made: usize = 0;

let rowCapacity: u32 = 0;
let pageCapacity: usize = 0;
let madeCapacity: usize = 0;

export function allocate(bytes: usize): usize {
  return heap.alloc(bytes);
}

export function release(address: usize): void {
  heap.free(address);
}

/** Room for a column of `rows` rows. The levels are all 1 afterwards. */
export function beginColumn(rows: u32): void {
  if (rows > rowCapacity) {
    if (rowCapacity > 0) {
      heap.free(values);
      heap.free(bitmap);
      heap.free(indices);
    }
    values = heap.alloc((<usize>rows << 4) + 16);
    bitmap = heap.alloc((rows >> 3) + 16);
    indices = heap.alloc((<usize>rows << 1) + 16);
    rowCapacity = rows;
  }
  memory.fill(bitmap, 0xff, (rows >> 3) + 1);
}

/** Room for a page of so many bytes, and some behind it: text is copied by words. */
export function reservePage(bytes: usize): void {
  if (bytes <= pageCapacity) return;
  if (pageCapacity > 0) heap.free(page);
  page = heap.alloc(bytes + 64);
  pageCapacity = bytes;
}

export function reserveMade(bytes: usize): void {
  if (bytes <= madeCapacity) return;
  if (madeCapacity > 0) heap.free(made);
  made = heap.alloc(bytes + 64);
  madeCapacity = bytes;
}

export function setNull(row: u32): void {
  const at = bitmap + (row >> 3);
  store<u8>(at, load<u8>(at) & ~(<u8>1 << <u8>(row & 7)));
}
