import { pino } from 'pino';

/**
 * Structured log lines of one step, to stdout (CloudWatch) and kept for the run's log on S3.
 * Lines never hold secrets or values of rows beyond keys.
 */
export interface RunLog {
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
  /** All lines so far, JSON Lines. */
  lines(): string;
}

export function createLog(bindings: Record<string, unknown>): RunLog {
  const kept: string[] = [];
  const logger = pino(
    { base: bindings, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (label) => ({ level: label }) } },
    {
      write(line: string) {
        kept.push(line);
        process.stdout.write(line);
      },
    },
  );
  return {
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    lines: () => kept.join(''),
  };
}
