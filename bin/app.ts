import { App } from 'aws-cdk-lib';
import { configFiles } from '../core/config/files.js';
import { loadConfig } from '../core/config/load.js';
import { readEnvironments } from '../lib/environments.js';
import { FirnStack } from '../lib/firn-stack.js';
import { SecretsStack } from '../lib/secrets-stack.js';
import { writeSqlBundle } from '../lib/sql-bundle.js';

const app = new App();
const { sources } = await loadConfig(await configFiles('config'));
const sql = writeSqlBundle(app.outdir);

for (const environment of readEnvironments('config/environments.yaml')) {
  const { name, account, region } = environment;
  const props = { environment, sources, env: { account, region } };
  new SecretsStack(app, `firn-${name}-secrets`, { ...props, description: `Firn ${name}: the secrets, whose values you put` });
  new FirnStack(app, `firn-${name}`, { ...props, sql, description: `Firn ${name}: PostgreSQL into Snowflake` });
}
