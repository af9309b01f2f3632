import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import getPort from 'get-port';
import type { SnowflakeSecret } from '../../../core/secrets.js';
import { connectSnowflake, type Warehouse } from '../../../core/warehouse/snowflake.js';
import { stopService } from '../../../sandbox/service.js';
import { startSnowflake } from '../../../sandbox/snowflake.js';
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
  /** What Firn's secret holds. */
  secret: SnowflakeSecret;
  warehouse: Warehouse;
  /** Another session. */
  connect(): Promise<Warehouse>;
  deployGold(models: GoldModel[]): Promise<void>;
  stop(): Promise<void>;
}

/** @param awsEndpoint where its stages are; by default nothing answers there */
export async function startLocalSnowflake(awsEndpoint = 'http://127.0.0.1:9'): Promise<LocalSnowflake> {
  const port = await getPort({ host: '127.0.0.1' });
  const directory = mkdtempSync(join(tmpdir(), 'firn-snowflake-'));
  const service = await startSnowflake(directory, port, awsEndpoint);

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
  const stop = async () => {
    // Its data are thrown away: it need not end in order.
    await stopService(service, 'SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  };
  const warehouse = await connect()
    .then(async (session) => {
      await deploy(session);
      return session;
    })
    .catch(async (error) => {
      await stop();
      throw error;
    });
  return {
    secret,
    warehouse,
    connect,
    deployGold: async (models) => {
      for (const { sql, binds } of deployModels(models)) await warehouse.query(sql, binds);
    },
    stop,
  };
}

async function deploy(warehouse: Warehouse): Promise<void> {
  const { history, migrations, procedures, setup, tasks } = bundleSql();
  const values = {
    storageIntegration: 'FIRN_DEV_S3',
    storageRoleArn: 'arn:aws:iam::111122223333:role/firn-dev-snowflake',
    bucket: 'firn-dev-raw',
    exportsBucket: 'firn-dev-exports',
    rawRetentionDays: '30',
    warehouse: 'FIRN',
  };
  const statements = [
    'CREATE DATABASE IF NOT EXISTS DEV_FIRN',
    ...history,
    ...migrations.flatMap((migration) => migration.statements),
    renderSql(setup.storageIntegration, values),
    renderSql(setup.rawStage, values),
    renderSql(setup.exportStage, values),
    renderSql(setup.retention, values),
    ...procedures.map(({ sql }) => sql),
    ...tasks.map(({ sql }) => renderSql(sql, values)),
  ];
  for (const statement of statements) await warehouse.query(statement);
}
