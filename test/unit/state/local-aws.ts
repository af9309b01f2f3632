import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import getPort from 'get-port';
import { pythonPath } from '../../../sandbox/paths.js';

/** ministack, the local AWS of the sandbox, for one test file: real conditional writes without an account. */
export interface LocalAws {
  endpoint: string;
  stop(): Promise<void>;
}

/** FIRN_VENV: another venv than the one that npm test installs. */
export const localPython = (): string => (process.env.FIRN_VENV ? `${process.env.FIRN_VENV}/bin/python` : pythonPath());

/** Starts it on a free port and points the AWS SDK's standard environment at it. */
export async function startLocalAws(): Promise<LocalAws> {
  const port = await getPort({ host: '127.0.0.1' });
  const endpoint = `http://127.0.0.1:${port}`;
  const standard = {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  };
  Object.assign(process.env, standard);
  const child = spawn(localPython(), ['-m', 'ministack'], {
    env: {
      ...process.env,
      GATEWAY_PORT: String(port),
      BIND_HOST: '127.0.0.1',
      MINISTACK_HOST: '127.0.0.1',
      SFTP_ENABLED: '0',
      IOT_MTLS_ENABLED: '0',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  await listening(child);
  return {
    endpoint,
    async stop() {
      child.kill();
      await once(child, 'exit');
    },
  };
}

async function listening(child: ChildProcess): Promise<void> {
  const said: string[] = [];
  child.stdout!.resume();
  for await (const line of createInterface(child.stderr!)) {
    said.push(line);
    if (/Running on http/.test(line)) {
      child.stderr!.resume();
      return;
    }
  }
  throw new Error(`ministack ended: ${said.join('\n')}`);
}

/** A table with the keys of RuntimeState and TableConfig. */
export async function createStateTable(name: string): Promise<DynamoDBDocumentClient> {
  const client = new DynamoDBClient({});
  await client.send(
    new CreateTableCommand({
      TableName: name,
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'S' },
      ],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  );
  return DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
}
