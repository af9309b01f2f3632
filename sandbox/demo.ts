import { colors, print } from '../cli/output.js';
import { Interrupted } from './command.js';
import { describeFailure } from './demo/failure.js';
import { tellTheWeek } from './demo/week.js';
import { up } from './up.js';

/** `npm run demo`: brings the sandbox up, then does what a real week does, and leaves the sandbox up. */
const began = Date.now();
try {
  print(colors.bold('\nFirn: PostgreSQL tables in Snowflake, by one line of SQL\n'));
  print('The sandbox: PostgreSQL, a local AWS with the CDK app deployed into it, a local Snowflake.');
  const sandbox = await up();
  await tellTheWeek(sandbox);
  print(`
${colors.bold('The sandbox stays up. Try next:')}

  npx firn sql "SELECT table_name, status, rows_read, watermark_after FROM firn.runs ORDER BY started_at DESC LIMIT 5"
  npx firn sql "SELECT * FROM gold.daily_metrics ORDER BY 1 DESC LIMIT 5"
  npx firn ingest PostgreSQL clr orders payments
  npx firn sql "SELECT ingest_plan('PostgreSQL', 'clr', 'orders')"
  npx firn simulate && npx firn ingest PostgreSQL clr raw_customers raw_orders raw_payments && npx firn dbt build
  npx firn status
  npx firn sandbox down

The source, for any PostgreSQL client: ${sandbox.postgres.adminUrl}

${colors.dim(`Done in ${((Date.now() - began) / 1000).toFixed(1)} s.`)}`);
} catch (error) {
  print(`\n${colors.red('✗')} ${describeFailure(error)}`);
  process.exitCode = error instanceof Interrupted ? 130 : 1;
}
