/** Buffers of pages and of their frames, used again: garbage of this size would make the collector run for every few pages. */
export const pageMemoryBytes = (1 << 20) + (1 << 16);
const kept = 64;
const free: ArrayBuffer[] = [];

/** Memory for `length` bytes; what it holds is undefined. */
export function takePage(length: number): Uint8Array {
  return length > pageMemoryBytes ? new Uint8Array(length) : new Uint8Array(free.pop() ?? new ArrayBuffer(pageMemoryBytes), 0, length);
}

/** Gives back what `takePage` gave. Nobody may read it any more. */
export function releasePage({ buffer }: Uint8Array): void {
  if (!(buffer instanceof ArrayBuffer) || buffer.byteLength !== pageMemoryBytes) return;
  if (free.length < kept && !free.includes(buffer)) free.push(buffer);
}
