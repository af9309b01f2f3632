/** What `firn` ends with. */
export const exitCodes = {
  ok: 0,
  /** A run or a statement failed. */
  failed: 1,
  /** Wrong arguments or configuration: nothing was started. */
  usage: 2,
  /** AWS, Snowflake or the sandbox cannot be reached, or refuses the credentials. */
  unreachable: 3,
  /** An error of Firn itself. */
  bug: 4,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export const exitCodeHelp = `
Exit codes:
  0  done
  1  a run or a statement failed
  2  wrong arguments or configuration; nothing was started
  3  AWS, Snowflake or the sandbox cannot be reached or refuses the credentials
  4  an error of Firn itself: FIRN_DEBUG=1 shows where`;
