import type { Decoder } from './types.js';

/** Bytes of a field that Snowflake holds: 16 MiB in a VARCHAR, 8 MiB in a BINARY. Source: Snowflake documentation, "String & binary data types". */
export function byteLimit({ kind }: Decoder): number {
  // A jsonb has a byte before its text.
  return kind === 'binary' ? 8 << 20 : kind === 'jsonb' ? (16 << 20) + 1 : 16 << 20;
}
