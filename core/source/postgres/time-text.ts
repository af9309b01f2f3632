/** A SQL expression of timestamptz as ISO 8601 in UTC with microseconds: text order is time order. */
export const isoText = (expression: string): string => `to_char((${expression}) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
