import type { Decoder } from './types.js';

/**
 * Bytes of a field that Snowflake holds: 16 MiB in a VARCHAR, 8 MiB in a BINARY, eight times as many where the column is declared so.
 * Source: Snowflake documentation, "String & binary data types".
 */
export function byteLimit(decoder: Decoder): number {
  const limit = (decoder.kind === 'binary' ? 8 << 20 : 16 << 20) * ('large' in decoder && decoder.large ? 8 : 1);
  // A jsonb has a byte before its text.
  return decoder.kind === 'jsonb' ? limit + 1 : limit;
}
