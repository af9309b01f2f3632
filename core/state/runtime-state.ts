import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import type { Executions } from './executions.js';

/** The DynamoDB table RuntimeState, and the executions that its claims name. */
export interface RuntimeState {
  documents: DynamoDBDocumentClient;
  table: string;
  executions: Executions;
}

export interface Key {
  pk: string;
  sk: string;
}

/** Name of the attribute that DynamoDB's time to live reads: seconds since 1970. */
export const expiryAttribute = 'expiresAt';

/** Seconds since 1970, `days` from now. */
export const expiryIn = (days: number): number => Math.floor(Date.now() / 1000) + days * 86_400;

/** The item as last written (consistent read), or undefined. */
export async function getItem<T>(state: RuntimeState, key: Key): Promise<T | undefined> {
  const { Item } = await state.documents.send(new GetCommand({ TableName: state.table, Key: { ...key }, ConsistentRead: true }));
  return Item as T | undefined;
}

/**
 * True when the conditional write took place, false when its condition did not hold.
 * @param ifRepeated what to answer when the condition failed in a request that the SDK repeated: the first one, whose answer was lost, may
 *   have been the one that made it fail. @default false
 */
export async function applied(write: Promise<unknown>, ifRepeated = false): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return ifRepeated && (error.$metadata.attempts ?? 1) > 1;
    throw error;
  }
}
