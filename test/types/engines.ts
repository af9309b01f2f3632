/** Where the files of the two engines differ for the same table, and why that changes nothing in Snowflake. */
export interface EngineDifference {
  /** `physical type(length), logical type, definition level` of a column as pyarrow prints them. */
  lambda: RegExp;
  glue: RegExp;
  why: string;
}

export const engineDifferences: EngineDifference[] = [
  {
    lambda: /^FIXED_LEN_BYTE_ARRAY\(16\), Decimal/,
    glue: /^FIXED_LEN_BYTE_ARRAY\((9|1[0-5])\), Decimal/,
    why: 'pyarrow takes as many bytes as the precision needs, our encoder always 16: the format admits any length, and the number is the same.',
  },
  {
    lambda: /^INT64\(0\), Time\(isAdjustedToUTC=false, timeUnit=microseconds\)/,
    glue: /^INT64\(0\), Time\(isAdjustedToUTC=true, timeUnit=microseconds\)/,
    why: 'The pyarrow that Glue brings knows no other: a time of day without a date has no offset, and Snowflake has one TIME, so the microseconds are what is loaded.',
  },
];
