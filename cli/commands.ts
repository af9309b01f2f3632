import type { Command } from 'commander';

/** A command of `firn`: loaded only when it is called, so that the others and `--help` start at once. */
export interface CommandEntry {
  name: string;
  summary: string;
  load(): Promise<Command>;
}

export const commands: CommandEntry[] = [
  {
    name: 'ingest',
    summary: 'bring tables into Snowflake and wait for their receipts',
    load: async () => (await import('./ingest.js')).ingestCommand,
  },
  { name: 'status', summary: 'list the last runs, or show one', load: async () => (await import('./status.js')).statusCommand },
  { name: 'retry', summary: 'redrive a failed run and wait for it', load: async () => (await import('./retry.js')).retryCommand },
  { name: 'plan', summary: 'show what a run of a table would do', load: async () => (await import('./plan.js')).planCommand },
  { name: 'logs', summary: "print a run's log", load: async () => (await import('./logs.js')).logsCommand },
  { name: 'sql', summary: 'run a statement in Snowflake', load: async () => (await import('./sql.js')).sqlCommand },
  {
    name: 'export',
    summary: 'write tables from Snowflake to S3',
    load: async () => (await import('./export.js')).exportCommand,
  },
  { name: 'config', summary: 'check the configuration files and push them', load: async () => (await import('./config.js')).configCommand },
  { name: 'dbt', summary: 'run dbt on top of staging', load: async () => (await import('./dbt.js')).dbtCommand },
  {
    name: 'extract',
    summary: 'read a table into Parquet files on this machine',
    load: async () => (await import('./extract.js')).extractCommand,
  },
  { name: 'sample', summary: "load sample data into the sandbox's source", load: async () => (await import('./sample.js')).sampleCommand },
  {
    name: 'simulate',
    summary: "change the sandbox's source as a live shop does",
    load: async () => (await import('./simulate.js')).simulateCommand,
  },
  { name: 'sandbox', summary: 'a whole Firn on this machine', load: async () => (await import('./sandbox.js')).sandboxCommand },
];
