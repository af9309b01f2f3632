import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';

type Item = Record<string, unknown>;
interface Expressions {
  ExpressionAttributeNames?: Record<string, string>;
  ExpressionAttributeValues?: Record<string, unknown>;
}

/**
 * DynamoDB in memory: the commands and expressions that the product uses, each command at once and as a whole, as DynamoDB's single-item
 * writes and consistent reads are. dynamo-double.test.ts compares it with the local AWS.
 */
export class DynamoDouble {
  private readonly items = new Map<string, Item>();

  /** To be given where the product takes a client. */
  asDocuments(): DynamoDBDocumentClient {
    return { send: async (command: unknown) => this.send(command) } as unknown as DynamoDBDocumentClient;
  }

  send(command: unknown): object {
    if (command instanceof GetCommand) {
      const { TableName, Key } = command.input;
      return { Item: structuredClone(this.items.get(keyOf(TableName!, Key!))) };
    }
    if (command instanceof PutCommand) {
      const { TableName, Item: item, ConditionExpression, ...expressions } = command.input;
      const key = keyOf(TableName!, item!);
      this.check(this.items.get(key), ConditionExpression, expressions);
      this.items.set(key, withoutUndefined(item!));
      return {};
    }
    if (command instanceof UpdateCommand) {
      const { TableName, Key, ConditionExpression, UpdateExpression, ...expressions } = command.input;
      const key = keyOf(TableName!, Key!);
      this.check(this.items.get(key), ConditionExpression, expressions);
      const item = structuredClone(this.items.get(key) ?? (Key as Item));
      update(item, UpdateExpression!, expressions);
      this.items.set(key, item);
      return { Attributes: structuredClone(item) };
    }
    if (command instanceof QueryCommand) {
      const { TableName, KeyConditionExpression, FilterExpression, ...expressions } = command.input;
      const found = [...this.items].filter(
        ([key, item]) =>
          key.startsWith(`${TableName}|`) && holds(item, KeyConditionExpression, expressions) && holds(item, FilterExpression, expressions),
      );
      return { Items: found.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => structuredClone(item)) };
    }
    throw new Error(`the double does not know ${(command as object).constructor.name}`);
  }

  private check(item: Item | undefined, condition: string | undefined, expressions: Expressions): void {
    if (holds(item ?? {}, condition, expressions)) return;
    throw new ConditionalCheckFailedException({ message: 'The conditional request failed', $metadata: {} });
  }
}

const keyOf = (table: string, { pk, sk }: Item): string => `${table}|${pk}|${sk}`;

const withoutUndefined = (item: Item): Item =>
  structuredClone(Object.fromEntries(Object.entries(item).filter(([, value]) => value !== undefined)));

/** `a.#b` with its names filled in. */
const path = (text: string, { ExpressionAttributeNames: names = {} }: Expressions): string[] =>
  text.split('.').map((part) => names[part] ?? part);

const valueAt = (item: Item, parts: string[]): unknown => parts.reduce<unknown>((value, part) => (value as Item | undefined)?.[part], item);

const operandOf = (text: string, item: Item, expressions: Expressions): unknown =>
  text.startsWith(':') ? expressions.ExpressionAttributeValues![text] : valueAt(item, path(text, expressions));

function holds(item: Item, condition: string | undefined, expressions: Expressions): boolean {
  if (condition === undefined) return true;
  return condition.split(' OR ').some((part) => part.split(' AND ').every((term) => holdsTerm(item, term.trim(), expressions)));
}

function holdsTerm(item: Item, term: string, expressions: Expressions): boolean {
  const negated = /^NOT (.*)$/.exec(term);
  if (negated) return !holdsTerm(item, negated[1]!, expressions);
  const called = /^(\w+)\(([^,)]+)(?:, ([^)]+))?\)$/.exec(term);
  if (called) {
    const value = operandOf(called[2]!, item, expressions);
    const operand = called[3] && operandOf(called[3], item, expressions);
    switch (called[1]) {
      case 'attribute_exists':
        return value !== undefined;
      case 'attribute_not_exists':
        return value === undefined;
      case 'contains':
        return value instanceof Set && value.has(operand);
      case 'begins_with':
        return String(value).startsWith(String(operand));
      case 'attribute_type':
        if (operand === 'NULL') return value === null;
    }
  }
  const listed = /^(\S+) IN \(([^)]*)\)$/.exec(term);
  if (listed) {
    const value = operandOf(listed[1]!, item, expressions);
    return listed[2]!.split(', ').some((one) => operandOf(one, item, expressions) === value);
  }
  const compared = /^(\S+) (=|<) (\S+)$/.exec(term);
  if (compared) {
    const [left, right] = [operandOf(compared[1]!, item, expressions), operandOf(compared[3]!, item, expressions)];
    if (left === undefined || typeof left !== typeof right) return false;
    return compared[2] === '=' ? left === right : (left as string) < (right as string);
  }
  throw new Error(`the double does not know the condition ${term}`);
}

function update(item: Item, expression: string, expressions: Expressions): void {
  for (const [, clause, list] of expression.matchAll(/(SET|REMOVE|ADD|DELETE) (.*?)(?= (?:SET|REMOVE|ADD|DELETE) |$)/g)) {
    // Commas inside parentheses separate arguments.
    for (const action of list!.split(/, (?![^(]*\))/)) apply(item, clause!, action, expressions);
  }
}

function apply(item: Item, clause: string, action: string, expressions: Expressions): void {
  const [target, operand] = action.split(clause === 'SET' ? ' = ' : ' ') as [string, string];
  const parts = path(target, expressions);
  const parent = valueAt(item, parts.slice(0, -1)) as Item;
  const name = parts.at(-1)!;
  const before = parent[name];
  if (clause === 'REMOVE') {
    delete parent[name];
    return;
  }
  if (clause === 'SET') {
    const fallback = /^if_not_exists\(([^,]+), (.+)\)$/.exec(operand);
    parent[name] = structuredClone(
      fallback
        ? (operandOf(fallback[1]!, item, expressions) ?? operandOf(fallback[2]!, item, expressions))
        : operandOf(operand, item, expressions),
    );
    return;
  }
  const value = operandOf(operand, item, expressions);
  if (clause === 'ADD')
    parent[name] =
      value instanceof Set ? new Set([...((before as Set<unknown>) ?? []), ...value]) : ((before as number) ?? 0) + (value as number);
  else {
    const left = new Set([...((before as Set<unknown>) ?? [])].filter((one) => !(value as Set<unknown>).has(one)));
    if (left.size > 0) parent[name] = left;
    else delete parent[name];
  }
}
