import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { CloudFormationClient, CreateStackCommand, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import getPort from 'get-port';
import { region, startAws } from '../../../sandbox/aws.js';
import { type Service, stopService } from '../../../sandbox/service.js';

/** A local AWS of its own for one test file. */
export interface LocalAws {
  endpoint: string;
  /** Settings for any SDK client. */
  client: { endpoint: string; region: string; credentials: { accessKeyId: string; secretAccessKey: string } };
  /** Creates a stack and answers its outputs. */
  deploy: (name: string, resources: object, outputs: Record<string, unknown>) => Promise<Record<string, string>>;
  /** A request with the AWS JSON protocol, for services without an SDK client here. */
  call: (service: string, target: string, body: object) => Promise<Record<string, unknown>>;
  signed: (path: string, init?: RequestInit) => Promise<Response>;
  restart: () => Promise<void>;
  stop: () => Promise<void>;
}

export async function localAws(): Promise<LocalAws> {
  const directory = mkdtempSync(join(tmpdir(), 'firn-aws-'));
  const port = await getPort({ host: '127.0.0.1' });
  let service: Service = await startAws(directory, port);
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const endpoint = `http://127.0.0.1:${port}`;
  const client = { endpoint, region, credentials };
  // Nobody checks the signature; the service is read from it.
  const authorization = (aws: string) =>
    `AWS4-HMAC-SHA256 Credential=test/20260101/${region}/${aws}/aws4_request, SignedHeaders=host, Signature=0`;

  return {
    endpoint,
    client,
    deploy: async (name, resources, outputs) => {
      const cloudFormation = new CloudFormationClient(client);
      const template = {
        Resources: resources,
        Outputs: Object.fromEntries(Object.entries(outputs).map(([key, value]) => [key, { Value: value }])),
      };
      const body = JSON.stringify(template);
      await cloudFormation.send(new CreateStackCommand({ StackName: name, TemplateBody: body, Capabilities: ['CAPABILITY_IAM'] }));
      const stack = await until(async () => {
        const { Stacks } = await cloudFormation.send(new DescribeStacksCommand({ StackName: name }));
        return Stacks?.[0]?.StackStatus?.endsWith('_IN_PROGRESS') ? undefined : Stacks?.[0];
      });
      if (stack.StackStatus !== 'CREATE_COMPLETE') throw new Error(`${stack.StackStatus}: ${stack.StackStatusReason}`);
      return Object.fromEntries((stack.Outputs ?? []).map((output) => [output.OutputKey!, output.OutputValue!]));
    },
    call: async (aws, target, body) => {
      const response = await fetch(`${endpoint}/`, {
        method: 'POST',
        headers: {
          authorization: authorization(aws),
          'content-type': 'application/x-amz-json-1.0',
          'x-amz-target': target,
        },
        body: JSON.stringify(body),
      });
      return (await response.json()) as Record<string, unknown>;
    },
    signed: (path, init) =>
      fetch(`${endpoint}${path}`, { ...init, headers: { ...init?.headers, authorization: authorization('execute-api') } }),
    restart: async () => {
      await stopService(service);
      service = await startAws(directory, port);
    },
    stop: async () => {
      await stopService(service);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Asks again until there is an answer; the test's own time limit is the bound. */
export async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await pause(30);
  }
}

/** Resources of a Lambda function with this source, and its role. */
export function nodeFunction(name: string, source: string, environment: Record<string, unknown> = {}): object {
  return {
    [`${name}Role`]: { Type: 'AWS::IAM::Role', Properties: { AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: [] } } },
    [name]: {
      Type: 'AWS::Lambda::Function',
      Properties: {
        Runtime: 'nodejs24.x',
        Handler: 'index.handler',
        Timeout: 5,
        Role: { 'Fn::GetAtt': [`${name}Role`, 'Arn'] },
        Code: { ZipFile: source },
        Environment: { Variables: environment },
      },
    },
  };
}
