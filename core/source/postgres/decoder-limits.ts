import type { Decoder } from './types.js';

/** Bytes of a field that Snowflake holds: 16 MiB in a VARCHAR, 8 MiB in a BINARY. Source: Snowflake documentation, "String & binary data types". */
export function byteLimit({ kind }: Decoder): number {
  // A jsonb has a byte before its text.
  return kind === 'binary' ? 8 << 20 : kind === 'jsonb' ? (16 << 20) + 1 : 16 << 20;
}

/** PostgreSQL counts from 2000-01-01. */
export const epochDays = 10_957;
const epochMicros = 946_684_800_000_000n;

/** 0001-01-01 and 9999-12-31, in days from 2000-01-01. */
export const firstDay = -719_162 - epochDays;
export const lastDay = 2_932_896 - epochDays;

/** 0001-01-01 00:00 and 9999-12-31 23:59:59.999999, in microseconds from 2000-01-01, as 32-bit words. */
export const firstMicro = words(-62_135_596_800_000_000n - epochMicros);
export const lastMicro = words(253_402_300_799_999_999n - epochMicros);
export const epochWords = words(epochMicros);
/** 23:59:59.999999. */
export const lastTime = words(86_399_999_999n);

function words(value: bigint): { high: number; low: number } {
  return { high: Number(value >> 32n), low: Number(BigInt.asUintN(32, value)) };
}
