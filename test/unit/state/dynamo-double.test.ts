import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DynamoDouble } from './dynamo-double.js';
import { createStateTable, type LocalAws, startLocalAws } from './local-aws.js';

let aws: LocalAws;
let documents: DynamoDBDocumentClient;
beforeAll(async () => {
  aws = await startLocalAws();
  documents = await createStateTable('state');
});
afterAll(() => aws.stop());

const TableName = 'state';
const value = fc.constantFrom('a', 'b', 'RUNNING', null, 1);
const conditions: [string, Record<string, string>, string[]][] = [
  ['attribute_not_exists(pk)', {}, []],
  ['attribute_exists(pk)', {}, []],
  ['arn = :v', {}, [':v']],
  ['attribute_not_exists(arn)', {}, []],
  ['#status IN (:v, :w)', { '#status': 'status' }, [':v', ':w']],
  ['attribute_type(arn, :null) OR arn < :later', {}, [':null', ':later']],
  ['NOT contains(tags, :v)', {}, [':v']],
  ['queryIds.#name = :v', { '#name': 'name' }, [':v']],
];
const updates: [string, Record<string, string>, string[]][] = [
  ['SET arn = :v', {}, [':v']],
  ['SET #status = :v, arn = :w', { '#status': 'status' }, [':v', ':w']],
  ['SET queryIds = if_not_exists(queryIds, :map)', {}, [':map']],
  ['REMOVE arn, #status', { '#status': 'status' }, []],
  ['ADD tags :set', {}, [':set']],
  ['DELETE tags :set', {}, [':set']],
  ['ADD #counter :one, tags :set', { '#counter': 'counter' }, [':one', ':set']],
];

const operation = fc.record({
  do: fc.constantFrom('put', 'update', 'update', 'get', 'query'),
  sk: fc.constantFrom('permit#0', 'permit#1', 'run'),
  condition: fc.option(fc.constantFrom(...conditions)),
  update: fc.constantFrom(...updates),
  v: value,
  w: value,
});
type Operation = typeof operation extends fc.Arbitrary<infer O> ? O : never;

function commandOf(pk: string, { do: what, sk, condition, update, v, w }: Operation) {
  if (what === 'get') return new GetCommand({ TableName, Key: { pk, sk }, ConsistentRead: true });
  if (what === 'query') {
    return new QueryCommand({
      TableName,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': pk, ':prefix': 'permit#' },
    });
  }
  const known: Record<string, unknown> = {
    ':v': v,
    ':w': w,
    ':null': 'NULL',
    ':later': 'b',
    ':map': { name: v },
    ':set': new Set([String(v)]),
    ':one': 1,
  };
  const [ConditionExpression, conditionNames, conditionValues] = condition ?? [undefined, {}, []];
  const changed = what === 'update' ? update : (['', {}, []] as (typeof updates)[number]);
  const used = [...new Set([...conditionValues, ...changed[2]])];
  const names = { ...conditionNames, ...changed[1] };
  const expressions = {
    ...(ConditionExpression && { ConditionExpression }),
    ...(used.length > 0 && { ExpressionAttributeValues: Object.fromEntries(used.map((name) => [name, known[name]])) }),
    ...(Object.keys(names).length > 0 && { ExpressionAttributeNames: names }),
  };
  if (what === 'put') return new PutCommand({ TableName, Item: { pk, sk, arn: v, queryIds: { name: w } }, ...expressions });
  return new UpdateCommand({ TableName, Key: { pk, sk }, UpdateExpression: changed[0], ReturnValues: 'ALL_NEW', ...expressions });
}

async function outcome(send: () => unknown): Promise<unknown> {
  try {
    const { Item, Items, Attributes } = (await send()) as Record<string, unknown>;
    return { Item, Items, Attributes };
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return 'condition failed';
    throw error;
  }
}

let tables = 0;

it('the DynamoDB of the explored schedules answers as the local AWS does', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 10, maxLength: 40 }), async (operations) => {
      const double = new DynamoDouble();
      const pk = `item ${tables++}`;
      for (const each of operations) {
        // The command is consumed by its client.
        const [expected, actual] = [
          await outcome(() => documents.send(commandOf(pk, each) as never)),
          await outcome(() => double.send(commandOf(pk, each))),
        ];
        expect(actual, JSON.stringify(each)).toEqual(expected);
      }
    }),
    { numRuns: 25 },
  );
});
