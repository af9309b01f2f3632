import { CreateTableCommand, DescribeTimeToLiveCommand, DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { GetSecretValueCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalAws, localAws, nodeFunction, until } from './local-aws.js';

const echo = `
exports.handler = async (event) => {
  if (event.crash) process.exit(1);
  if (event.sleep) await new Promise(() => setTimeout(() => {}, 60000));
  if (event.httpMethod) {
    const { httpMethod, path, headers, multiValueHeaders, body, requestContext } = event;
    const answer = { httpMethod, path, batch: headers['sf-external-function-query-batch-id'], multi: multiValueHeaders['sf-external-function-query-batch-id'], body, stage: requestContext.stage };
    return { statusCode: httpMethod === 'POST' ? 202 : 200, headers: { 'content-type': 'application/json', 'x-firn': 'yes' }, body: JSON.stringify(answer) };
  }
  return { node: process.versions.node, variable: process.env.VARIABLE, pid: process.pid };
};
`;

let aws: LocalAws;
let outputs: Record<string, string>;

beforeAll(async () => {
  aws = await localAws();
  const method = (httpMethod: string) => ({
    Type: 'AWS::ApiGateway::Method',
    Properties: {
      RestApiId: { Ref: 'Api' },
      ResourceId: { Ref: 'Ingest' },
      HttpMethod: httpMethod,
      AuthorizationType: 'AWS_IAM',
      Integration: {
        Type: 'AWS_PROXY',
        IntegrationHttpMethod: 'POST',
        Uri: { 'Fn::Sub': ['arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/', '{Echo.Arn}/invocations'].join('$') },
      },
    },
  });
  outputs = await aws.deploy(
    'services',
    {
      ...nodeFunction('Echo', echo, { VARIABLE: 'set' }),
      Queue: { Type: 'AWS::SQS::Queue', Properties: {} },
      Bucket: {
        Type: 'AWS::S3::Bucket',
        Properties: {
          NotificationConfiguration: {
            QueueConfigurations: [
              {
                Event: 's3:ObjectCreated:*',
                Queue: { 'Fn::GetAtt': ['Queue', 'Arn'] },
                Filter: { S3Key: { Rules: [{ Name: 'suffix', Value: '.parquet' }] } },
              },
            ],
          },
        },
      },
      Table: {
        Type: 'AWS::DynamoDB::Table',
        Properties: {
          BillingMode: 'PAY_PER_REQUEST',
          KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
          AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
          TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
        },
      },
      Secret: { Type: 'AWS::SecretsManager::Secret', Properties: { Name: 'firn/dev/PostgreSQL/clr' } },
      Api: { Type: 'AWS::ApiGateway::RestApi', Properties: { Name: 'api' } },
      Ingest: {
        Type: 'AWS::ApiGateway::Resource',
        Properties: { RestApiId: { Ref: 'Api' }, ParentId: { 'Fn::GetAtt': ['Api', 'RootResourceId'] }, PathPart: 'ingest' },
      },
      Post: method('POST'),
      Get: method('GET'),
      Deployment: { Type: 'AWS::ApiGateway::Deployment', DependsOn: ['Post', 'Get'], Properties: { RestApiId: { Ref: 'Api' } } },
      Stage: {
        Type: 'AWS::ApiGateway::Stage',
        Properties: { RestApiId: { Ref: 'Api' }, DeploymentId: { Ref: 'Deployment' }, StageName: 'v1' },
      },
      Alarm: { Type: 'AWS::CloudWatch::CompositeAlarm', Properties: { AlarmRule: 'FALSE' } },
    },
    {
      Function: { Ref: 'Echo' },
      Bucket: { Ref: 'Bucket' },
      Table: { Ref: 'Table' },
      Queue: { Ref: 'Queue' },
      Secret: { Ref: 'Secret' },
      Api: { Ref: 'Api' },
    },
  );
}, 60_000);

afterAll(() => aws?.stop());

/** What the services answer once; asked before and after a restart. */
const checks: [string, () => Promise<void>][] = [
  [
    'a function runs on Node 24 with its environment, and stays warm',
    async () => {
      const first = await invoke({});
      expect(first).toMatchObject({ node: expect.stringMatching(/^24\./), variable: 'set' });
      expect((await invoke({})).pid).toBe(first.pid);
    },
  ],
  [
    'a REST API passes path, headers and body to its function, for POST and for GET',
    async () => {
      const path = `/restapis/${outputs.Api}/v1/_user_request_/ingest`;
      const headers = { 'sf-external-function-query-batch-id': 'q:1', 'content-type': 'application/json' };
      const posted = await aws.signed(path, { method: 'POST', headers, body: '{"data":[[0,"orders"]]}' });
      expect(posted.status).toBe(202);
      expect(posted.headers.get('x-firn')).toBe('yes');
      const common = { path: '/ingest', batch: 'q:1', multi: ['q:1'], stage: 'v1' };
      expect(await posted.json()).toEqual({ ...common, httpMethod: 'POST', body: '{"data":[[0,"orders"]]}' });
      const polled = await aws.signed(path, { headers });
      expect(polled.status).toBe(200);
      expect(await polled.json()).toEqual({ ...common, httpMethod: 'GET', body: null });
      expect((await fetch(aws.endpoint + path)).status).toBe(403);
    },
  ],
  [
    'a bucket tells a queue of files by suffix, with the key url-encoded',
    async () => {
      await put(`a b=1/é~20-${Date.now()}.json`);
      await put('a b=1/é~20.parquet');
      const bodies = await receive();
      expect(bodies.map(({ Records }) => Records[0]!.s3.object.key)).toEqual(['a+b%3D1/%C3%A9~20.parquet']);
    },
  ],
];

describe('the local AWS', () => {
  it.each(checks)('%s', (_name, check) => check());

  it('names the error of a function that dies, and of one that takes too long', async () => {
    expect(await invoke({ crash: true })).toMatchObject({ errorType: 'Runtime.ExitError' });
    expect(await invoke({ sleep: true })).toMatchObject({ errorType: 'Sandbox.Timedout' });
  });

  it('writes an object once where it is told to', async () => {
    const s3 = new S3Client(aws.client);
    const once = { Bucket: outputs.Bucket, Key: 'once', IfNoneMatch: '*' };
    await s3.send(new PutObjectCommand({ ...once, Body: 'first' }));
    const refused = { name: 'PreconditionFailed', $metadata: { httpStatusCode: 412 } };
    await expect(s3.send(new PutObjectCommand({ ...once, Body: 'second' }))).rejects.toMatchObject(refused);
    expect(await multipart(s3, 'parts')).toBe('parts');
    await expect(multipart(s3, 'once')).rejects.toMatchObject(refused);
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: outputs.Bucket, Key: 'once' }));
    expect(await Body!.transformToString()).toBe('first');
  });

  it('writes an item on condition', async () => {
    const dynamo = new DynamoDBClient(aws.client);
    const item = (version: string) => ({
      TableName: outputs.Table,
      Item: { pk: { S: 'a' }, version: { N: version } },
      ConditionExpression: 'attribute_not_exists(pk) OR version < :v',
      ExpressionAttributeValues: { ':v': { N: version } },
    });
    await dynamo.send(new PutItemCommand(item('2')));
    await expect(dynamo.send(new PutItemCommand(item('1')))).rejects.toMatchObject({ name: 'ConditionalCheckFailedException' });
    const { TimeToLiveDescription } = await dynamo.send(new DescribeTimeToLiveCommand({ TableName: outputs.Table }));
    expect(TimeToLiveDescription).toMatchObject({ AttributeName: 'ttl', TimeToLiveStatus: 'ENABLED' });
  });

  it('calls a secret by its ARN and by its name', async () => {
    const secrets = new SecretsManagerClient(aws.client);
    expect(outputs.Secret).toMatch(/^arn:aws:secretsmanager:us-east-1:000000000000:secret:firn\/dev\/PostgreSQL\/clr-/);
    await secrets.send(new PutSecretValueCommand({ SecretId: 'firn/dev/PostgreSQL/clr', SecretString: '{}' }));
    expect(await secrets.send(new GetSecretValueCommand({ SecretId: outputs.Secret }))).toMatchObject({ SecretString: '{}' });
  });

  it('fails the deployment of a type that it does not know', async () => {
    await expect(aws.deploy('unknown', { Thing: { Type: 'AWS::Nimbus::Cloud', Properties: {} } }, {})).rejects.toThrow(
      /AWS::Nimbus::Cloud/,
    );
  });

  describe('after a stop and a new start', () => {
    beforeAll(() => aws.restart(), 60_000);
    it.each(checks)('%s', (_name, check) => check());

    it('has its objects, items and secrets', async () => {
      const s3 = new S3Client(aws.client);
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: outputs.Bucket, Key: 'once' }));
      expect(await Body!.transformToString()).toBe('first');
      const dynamo = new DynamoDBClient(aws.client);
      const { Item } = await dynamo.send(new GetItemCommand({ TableName: outputs.Table, Key: { pk: { S: 'a' } } }));
      expect(Item).toMatchObject({ version: { N: '2' } });
      await dynamo.send(
        new CreateTableCommand({
          TableName: 'another',
          BillingMode: 'PAY_PER_REQUEST',
          KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
          AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
        }),
      );
      const secrets = new SecretsManagerClient(aws.client);
      expect(await secrets.send(new GetSecretValueCommand({ SecretId: 'firn/dev/PostgreSQL/clr' }))).toMatchObject({ SecretString: '{}' });
    });
  });
});

async function invoke(event: object): Promise<Record<string, unknown>> {
  const { Payload } = await new LambdaClient(aws.client).send(
    new InvokeCommand({ FunctionName: outputs.Function, Payload: JSON.stringify(event) }),
  );
  return JSON.parse(Buffer.from(Payload!).toString());
}

const put = (key: string) => new S3Client(aws.client).send(new PutObjectCommand({ Bucket: outputs.Bucket, Key: key, Body: 'x' }));

interface BucketEvent {
  Records: { s3: { object: { key: string } } }[];
}

/** All messages of the queue, once there is one. */
async function receive(): Promise<BucketEvent[]> {
  const QueueUrl = outputs.Queue;
  const messages = await until(async () => {
    const answer = await aws.call('sqs', 'AmazonSQS.ReceiveMessage', { QueueUrl, MaxNumberOfMessages: 10 });
    const found = (answer.Messages ?? []) as { Body: string; ReceiptHandle: string }[];
    return found.length > 0 ? found : undefined;
  });
  for (const { ReceiptHandle } of messages) await aws.call('sqs', 'AmazonSQS.DeleteMessage', { QueueUrl, ReceiptHandle });
  return messages.map(({ Body }) => JSON.parse(Body) as BucketEvent).filter(({ Records }) => Records);
}

/** Uploads 5 MiB and its own name in two parts, if there is nothing yet; answers the last bytes. */
async function multipart(s3: S3Client, Key: string): Promise<string> {
  const Bucket = outputs.Bucket;
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  const Parts = [];
  for (const [index, Body] of [Buffer.alloc(5 * 1024 * 1024), Buffer.from(Key)].entries()) {
    const { ETag } = await s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: index + 1, Body }));
    Parts.push({ ETag, PartNumber: index + 1 });
  }
  await s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts }, IfNoneMatch: '*' }));
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key, Range: `bytes=-${Key.length}` }));
  return Body!.transformToString();
}
