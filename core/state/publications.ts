import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { runKey } from './runs.js';
import { applied, type RuntimeState } from './runtime-state.js';

/** Claims the publication of one attempt's failure. False when it was published before. */
export async function claimPublication(state: RuntimeState, runId: string, redriveCount: number): Promise<boolean> {
  return applied(
    state.documents.send(
      new UpdateCommand({
        TableName: state.table,
        Key: { ...runKey(runId) },
        UpdateExpression: 'ADD published :attempts',
        ConditionExpression: 'NOT contains(published, :attempt)',
        ExpressionAttributeValues: { ':attempts': new Set([redriveCount]), ':attempt': redriveCount },
      }),
    ),
    // Rather published twice than never.
    true,
  );
}

/** Gives a publication back that could not be made. */
export async function releasePublication(state: RuntimeState, runId: string, redriveCount: number): Promise<void> {
  await state.documents.send(
    new UpdateCommand({
      TableName: state.table,
      Key: { ...runKey(runId) },
      UpdateExpression: 'DELETE published :attempts',
      ExpressionAttributeValues: { ':attempts': new Set([redriveCount]) },
    }),
  );
}
