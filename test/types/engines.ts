/** Where the files of the two engines differ for the same table, and why that changes nothing in Snowflake. */
export interface EngineDifference {
  /** `physical type, logical type` of a column as pyarrow prints them. */
  lambda: RegExp;
  glue: RegExp;
  why: string;
}

export const engineDifferences: EngineDifference[] = [];
