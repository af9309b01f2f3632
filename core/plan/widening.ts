/**
 * Types of PostgreSQL, as it prints them, that hold every value of another one unchanged. Whether the target can take it in place
 * is core/warehouse/types.ts's to say.
 */
const integers = ['smallint', 'integer', 'bigint'];
const floats = ['real', 'double precision'];

interface Sized {
  family: string;
  /** The numbers in parentheses; empty: no limit. */
  size: number[];
}

/** `character varying(10)`, `numeric(10,2)`, `timestamp(3) without time zone`; text is varchar without a limit. */
function sized(type: string): Sized | null {
  if (type === 'text') return { family: 'character varying', size: [] };
  const match = /^(character varying|bit varying|numeric|(?:time|timestamp))(?:\((\d+)(?:,(\d+))?\))?( with(?:out)? time zone)?$/.exec(
    type,
  );
  if (!match) return null;
  const [, word, first, second, zone = ''] = match;
  return {
    family: `${word}${zone}`,
    size: first === undefined ? [] : second === undefined ? [Number(first)] : [Number(first), Number(second)],
  };
}

/** Whether a column may become `now` from `before` without any of its values becoming another. */
export function isWidening(before: string, now: string): boolean {
  for (const chain of [integers, floats]) {
    const [from, to] = [chain.indexOf(before), chain.indexOf(now)];
    if (from >= 0 && to >= 0) return from <= to;
  }
  const [a, b] = [sized(before), sized(now)];
  if (a === null || b === null || a.family !== b.family) return false;
  // Without precision it is another type for Snowflake.
  if (a.family === 'numeric') return a.size.length > 0 && b.size.length > 0 && a.size[1] === b.size[1] && a.size[0]! <= b.size[0]!;
  return b.size.length === 0 || (a.size.length > 0 && a.size[0]! <= b.size[0]!);
}
