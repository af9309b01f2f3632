/** Options of every command. */
export interface GlobalOptions {
  env?: string;
  json?: boolean;
}
