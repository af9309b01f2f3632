import { daysFromCivil } from './calendar.js';
import type { Decoder } from './types.js';

/** Bytes of a field that Snowflake holds: 16 MiB in a VARCHAR, 8 MiB in a BINARY. Source: Snowflake documentation, "String & binary data types". */
export function byteLimit({ kind }: Decoder): number {
  // Before a geometry stands its SRID.
  return kind === 'geometry' ? (8 << 20) + 4 : kind === 'binary' ? 8 << 20 : 16 << 20;
}

/** 23:59:59.999999 in microseconds. */
export const lastTime = 86_399_999_999;

/** `months[12 × year + month − 1]`: the day before the month's first one, from 1970-01-01 on. Years 1 to 9999, and one month more. */
export const months = Int32Array.from({ length: 10_000 * 12 + 1 }, (_, i) =>
  i < 12 ? 0 : daysFromCivil(Math.floor(i / 12), (i % 12) + 1, 1) - 1,
);
