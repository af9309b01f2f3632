const hex = Buffer.from('0123456789abcdef', 'latin1');
const uuidDashes = new Set([4, 6, 8, 10]);

/** The 36 characters of a uuid. */
export function writeUuid(target: Uint8Array, offset: number, source: Uint8Array, at: number): void {
  let o = offset;
  for (let i = 0; i < 16; i++) {
    if (uuidDashes.has(i)) target[o++] = 0x2d;
    const byte = source[at + i]!;
    target[o++] = hex[byte >> 4]!;
    target[o++] = hex[byte & 15]!;
  }
}
