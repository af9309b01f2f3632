import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import getPort from 'get-port';
import { connectSnowflake, type Warehouse } from '../../../core/warehouse/snowflake.js';
import { pythonPath } from '../../../sandbox/paths.js';
import { bundleSql } from '../../../sql/bundle.js';
import { deployModels, type GoldModel } from '../../../sql/gold-model.js';
import { renderSql } from '../../../sql/statements.js';

const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});

/** The sandbox's Snowflake, one for a test file, with Firn's SQL deployed in database DEV_FIRN. */
export interface LocalSnowflake {
  warehouse: Warehouse;
  /** Another session. */
  connect(): Promise<Warehouse>;
  deployGold(models: GoldModel[]): Promise<void>;
  stop(): Promise<void>;
}

export async function startLocalSnowflake(): Promise<LocalSnowflake> {
  const port = await getPort({ host: '127.0.0.1' });
  const script = process.env.FIRN_SNOWFLAKE_SERVER ?? 'sandbox/snowflake/server.py';
  const server = spawn(pythonPath(), [script, String(port)], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...process.env,
      AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
      AWS_ACCESS_KEY_ID: 'x',
      AWS_SECRET_ACCESS_KEY: 'x',
      AWS_REGION: 'us-east-1',
    },
  });
  let output = '';
  server.stderr.on('data', (chunk) => {
    output += chunk;
  });
  await answering(port, () => {
    if (server.exitCode !== null) throw new Error(`the local Snowflake did not start: ${output}`);
  });

  const secret = {
    account: 'local',
    user: 'FIRN',
    privateKey,
    role: 'FIRN',
    warehouse: 'FIRN',
    database: 'DEV_FIRN',
    accessUrl: `http://127.0.0.1:${port}`,
  };
  const connect = () => connectSnowflake(secret, { queryTag: { step: 'test' } });
  const warehouse = await connect();
  await deploy(warehouse);
  return {
    warehouse,
    connect,
    deployGold: async (models) => {
      for (const { sql, binds } of deployModels(models)) await warehouse.query(sql, binds);
    },
    stop: async () => {
      const exited = once(server, 'exit');
      server.kill('SIGKILL');
      await exited;
    },
  };
}

async function answering(port: number, check: () => void): Promise<void> {
  for (;;) {
    check();
    const answer = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined);
    if (answer) return;
    await pause(100);
  }
}

async function deploy(warehouse: Warehouse): Promise<void> {
  const { history, migrations, procedures, setup } = bundleSql();
  const values = {
    storageIntegration: 'FIRN_DEV_S3',
    storageRoleArn: 'arn:aws:iam::111122223333:role/firn-dev-snowflake',
    bucket: 'firn-dev-raw',
  };
  const statements = [
    'CREATE DATABASE IF NOT EXISTS DEV_FIRN',
    ...history,
    ...migrations.flatMap((migration) => migration.statements),
    renderSql(setup.storageIntegration, values),
    renderSql(setup.rawStage, values),
    ...procedures.map(({ sql }) => sql),
  ];
  for (const statement of statements) await warehouse.query(statement);
}
