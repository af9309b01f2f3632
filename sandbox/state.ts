import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { account, region } from './aws.js';
import { type Memory, writeWhole } from './memory.js';
import { mysqlDatabase, mysqlUrl } from './mysql.js';
import { postgresUrl, sourceDatabase } from './postgres.js';

/** The environment of `config/environments.yaml` that the sandbox deploys. */
export const environmentName = 'dev';

/** Outputs of the stack `firn-dev`. */
export type Outputs = Record<
  | 'RawBucket'
  | 'ExportsBucket'
  | 'TableConfig'
  | 'RuntimeState'
  | 'IngestStateMachineArn'
  | 'GoldStateMachineArn'
  | 'ApiId'
  | 'ApiUrl'
  | 'FailureTopicArn',
  string
>;

/** A sandbox that is up, as `state.json` has it from the end of `up` to `down`. Passwords and keys are the sandbox's own. */
export interface SandboxState {
  environment: string;
  directory: string;
  services: { name: string; pid: number; port: number; log: string }[];
  postgres: {
    host: string;
    port: number;
    database: string;
    /** Connection string of the superuser, for loading and changing the source. */
    adminUrl: string;
    /** Connection string of the login with which Firn reads. */
    url: string;
    secret: string;
  };
  /** MariaDB, when it was asked for: `adminUrl` for the user root. */
  mysql?: SandboxState['postgres'];
  aws: { endpoint: string; account: string; region: string };
  snowflake: { accessUrl: string; account: string; user: string; role: string; warehouse: string; database: string; secret: string };
  /** Base URL of the API at the local AWS: `${api}/ingest` and so on. */
  api: string;
  bucket: string;
  tables: { config: string; runtime: string };
  stateMachineArn: string;
  goldStateMachineArn: string;
  failureTopicArn: string;
}

/** Firn's user in the local Snowflake. */
export const snowflakeUser = { account: 'local', user: 'FIRN', role: 'FIRN', warehouse: 'FIRN_WH', database: 'DEV_FIRN' };

export const secretNames = {
  postgres: `firn/${environmentName}/PostgreSQL/${sourceDatabase}`,
  mysql: `firn/${environmentName}/MySQL/${mysqlDatabase}`,
  snowflake: `firn/${environmentName}/snowflake`,
};

export function describeSandbox(directory: string, memory: Memory, outputs: Outputs): SandboxState {
  const { ports, logins } = memory;
  const endpoint = `http://127.0.0.1:${ports.aws}`;
  return {
    environment: environmentName,
    directory,
    services: memory.processes.map(({ name, pid, port, log }) => ({ name, pid, port, log })),
    postgres: {
      host: '127.0.0.1',
      port: ports.postgres,
      database: sourceDatabase,
      adminUrl: postgresUrl(ports.postgres, 'postgres', logins),
      url: postgresUrl(ports.postgres, 'firn', logins),
      secret: secretNames.postgres,
    },
    ...(memory.mysql && {
      mysql: {
        host: '127.0.0.1',
        port: ports.mysql,
        database: mysqlDatabase,
        adminUrl: mysqlUrl(ports.mysql, 'root', logins),
        url: mysqlUrl(ports.mysql, 'firn', logins),
        secret: secretNames.mysql,
      },
    }),
    aws: { endpoint, account, region },
    snowflake: { accessUrl: `http://127.0.0.1:${ports.snowflake}`, ...snowflakeUser, secret: secretNames.snowflake },
    api: `${endpoint}/restapis/${outputs.ApiId}/${stageOf(outputs.ApiUrl)}/_user_request_`,
    bucket: outputs.RawBucket,
    tables: { config: outputs.TableConfig, runtime: outputs.RuntimeState },
    stateMachineArn: outputs.IngestStateMachineArn,
    goldStateMachineArn: outputs.GoldStateMachineArn,
    failureTopicArn: outputs.FailureTopicArn,
  };
}

const stageOf = (apiUrl: string): string => apiUrl.replace(/\/$/, '').split('/').at(-1)!;

const path = (directory: string): string => join(directory, 'state.json');

/** The sandbox that is up, or null. */
export function readState(directory: string): SandboxState | null {
  try {
    return JSON.parse(readFileSync(path(directory), 'utf8')) as SandboxState;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

export const writeState = (state: SandboxState): void => writeWhole(path(state.directory), state);

export const removeState = (directory: string): void => rmSync(path(directory), { force: true });
