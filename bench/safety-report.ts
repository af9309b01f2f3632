/** How a table is read in the measurement. */
export const variants = [
  { table: 'by_time', shown: '`changed`, lookback 60 s (default)', config: { cursor_column: 'changed' } },
  { table: 'by_time_short', shown: '`changed`, lookback 5 s', config: { cursor_column: 'changed', lookback_seconds: 5 } },
  { table: 'by_xmin', shown: '`xmin`', config: { cursor_column: 'xmin' } },
];

export const phases = ['steady', 'a write transaction open', 'after its commit'] as const;

/** One run of each variant at the same time. */
export interface Round {
  phase: (typeof phases)[number];
  runs: {
    read: number;
    /** Inserted or updated in staging: new at the source. */
    changed: number;
    /** Read again and found equal. */
    again: number;
    /** Rows of staging that the MERGE wrote. */
    written: number;
    /** Age of the long transaction as the receipt told it, seconds; null: it told of none. */
    held: number | null;
  }[];
}

export interface Measured {
  rate: number;
  shortest: number;
  longest: number;
  rowsBefore: number;
  /** Rows per second and table that the load came to. */
  reached: number;
  rounds: Round[];
  cores: number;
  date: string;
}

/** The page docs/performance-safety.md. */
export function safetyReport({ rate, shortest, longest, rowsBefore, reached, rounds, cores, date }: Measured): string {
  const lines = variants.flatMap(({ shown }, i) =>
    phases.map((phase) => {
      const of = rounds.filter((round) => round.phase === phase);
      const mean = (value: (run: Round['runs'][number]) => number) =>
        Math.round(of.reduce((sum, { runs }) => sum + value(runs[i]!), 0) / of.length);
      const held = Math.max(...of.map(({ runs }) => runs[i]!.held ?? 0));
      const needless = of.reduce((sum, { runs }) => sum + runs[i]!.written - runs[i]!.changed, 0);
      return `| ${shown} | ${phase} | ${of.length} | ${mean(({ read }) => read)} | ${mean(({ changed }) => changed)} | ${mean(({ again }) => again)} | ${needless} | ${held === 0 ? '–' : `${held} s`} |`;
    }),
  );
  return `# The cost of missing nothing

Written by \`npm run bench -- safety\` on ${date}, from the receipts of ${rounds.length} runs of each table; ${cores} cores, everything on one machine.

What a late commit could still change is read again by each run ([guarantees](guarantees.md#late-commits)). Reading again costs the source a range of an index, or for
\`xmin\` a scan of the table, and costs files and raw rows; staging is not written, because the hashes are equal. The load: ${rate} rows a second wanted, about ${reached} reached, half inserts
and half updates, in transactions of ${shortest * 1000} ms to ${longest} s, on a table of ${rowsBefore} rows; the runs of a table
follow each other without a pause, three tables at once. Then one write transaction is opened, and committed some runs later.

| cursor | | runs | rows read per run | of them new or changed | read again | written needlessly, all runs | age told in the receipt |
|---|---|---:|---:|---:|---:|---:|---:|
${lines.join('\n')}

Read again per run is about the load × (lookback + age of the oldest write transaction + seconds between planning and reading).
`;
}
