export const uuidText: u32 = 36;

const dash: u8 = 0x2d;

/** The 36 characters of the uuid at `from`. */
export function writeUuid(from: usize, to: usize): void {
  const digits = i8x16(0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66);
  const bytes = v128.load(from);
  const high = i8x16.swizzle(digits, i8x16.shr_u(bytes, 4));
  const low = i8x16.swizzle(digits, v128.and(bytes, i8x16.splat(15)));
  const left = i8x16.shuffle(high, low, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const right = i8x16.shuffle(high, low, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  store<u64>(to, i64x2.extract_lane(left, 0));
  store<u8>(to, dash, 8);
  store<u32>(to, i32x4.extract_lane(left, 2), 9);
  store<u8>(to, dash, 13);
  store<u32>(to, i32x4.extract_lane(left, 3), 14);
  store<u8>(to, dash, 18);
  store<u32>(to, i32x4.extract_lane(right, 0), 19);
  store<u8>(to, dash, 23);
  store<u32>(to, i32x4.extract_lane(right, 1), 24);
  store<u64>(to, i64x2.extract_lane(right, 1), 28);
}
