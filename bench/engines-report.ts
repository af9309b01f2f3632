export interface EngineFigures {
  rows: number;
  chunks: number;
  /** Seconds. */
  lambda: number;
  glue: number;
}

export interface Machine {
  processor: string;
  processors: number;
  /** Before and after. */
  load: readonly [number, number];
}

/** Seconds that do not depend on the rows, and rows per second, by the smallest and the largest size. */
function fitted(figures: EngineFigures[], of: 'lambda' | 'glue'): { start: number; rate: number } {
  const [least, most] = [figures[0]!, figures.at(-1)!];
  const rate = (most.rows - least.rows) / Math.max(most[of] - least[of], 0.001);
  return { start: Math.max(0, least[of] - least.rows / rate), rate };
}

const number = (value: number): string => Math.round(value).toLocaleString('en-US');
const seconds = (value: number): string => value.toFixed(1);

/** docs/performance-engines.md */
export function engineReport(figures: EngineFigures[], machine: Machine, date: string): string {
  const [lambda, glue] = [fitted(figures, 'lambda'), fitted(figures, 'glue')];
  const busy = Math.max(...machine.load) > machine.processors;
  return `# Lambda or Glue

Written by \`npm run bench -- engines\` on ${date}; every figure was measured by that run, **on one machine, not on AWS**.

- Machine: ${machine.processor}, ${machine.processors} processors shared by the source, the local S3 and the engine. Load ${machine.load.map(seconds).join(' before and ')} after${busy ? ': others were at work, so compare the engines with each other, and no figure with another day' : ''}.
- Source: PostgreSQL on 127.0.0.1, a table of 10 columns (integers, text, numeric, float, date, timestamptz, boolean, uuid), warm.
- Lambda: the code of the function, all chunks at once in one process. Glue: the job's script in a local Spark 3.5.6, its start included.
- Both ask the same query and write the same rows to the local S3; the rows were counted.

| rows | chunks | Lambda s | Glue s | Glue/Lambda |
|---:|---:|---:|---:|---:|
${figures.map((one) => `| ${number(one.rows)} | ${one.chunks} | ${seconds(one.lambda)} | ${seconds(one.glue)} | ${seconds(one.glue / one.lambda)} |`).join('\n')}

${rises(figures) ? `By the smallest and the largest size, Lambda takes ${seconds(lambda.start)} s and then reads ${number(lambda.rate)} rows/s; Glue takes ${seconds(glue.start)} s and then reads ${number(glue.rate)} rows/s.\n\n${verdict(lambda, glue)}` : untold}

On AWS a job run also waits for its workers, usually a minute or less, and has as many processors as it is given; a run in Lambda reads 8 chunks at once.
`;
}

/** Whether the rows cost more than the start varies, which is by a third on a busy machine. */
const rises = (figures: EngineFigures[]): boolean => figures.at(-1)!.glue > 1.5 * figures[0]!.glue;

const untold = `Spark's start varied by more than the rows cost, so **from which size on Glue would win cannot be told by this run**: Lambda won at each size above.
Measure again on a machine that is idle, or with more rows (\`--sizes\`). \`engine: auto\` does not go by it, but by what a Lambda can do in its time ([engines](engines.md)).`;

function verdict(lambda: { start: number; rate: number }, glue: { start: number; rate: number }): string {
  if (glue.rate > lambda.rate) {
    const rows = (glue.start - lambda.start) / (1 / lambda.rate - 1 / glue.rate);
    return `**Glue wins from about ${number(rows)} rows on.**`;
  }
  return `**On equal processors Glue never wins by speed**: JDBC and Spark cost more for each row. It wins where Lambda cannot go: a table that can only be read in one piece and takes
more than 15 minutes, here from about ${number(Number((lambda.rate * 880).toPrecision(2)))} rows of this width on, and one of more than 1000 chunks. That is what \`engine: auto\` decides by
([engines](engines.md)).`;
}
