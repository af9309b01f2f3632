import { createHash } from 'node:crypto';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Executions } from '../state/executions.js';
import { applied, getItem, type Key, type RuntimeState } from '../state/runtime-state.js';
import { createExport, readExport } from './record.js';
import type { ExportConfig } from './schema.js';

/** What a call asks for: a set, or some of its exports. */
export interface ExportRequest {
  name: string;
  exports: ExportConfig[];
}

/** One claim per set and choice of its exports: calls for the same join one execution. */
const claimKey = ({ name, exports }: ExportRequest): Key => ({
  pk: 'exports',
  sk: `${name}#${createHash('sha256').update(JSON.stringify(exports)).digest('hex')}`,
});

const indices = (exports: unknown[]): number[] => exports.map((_, index) => index);

/**
 * Joins the execution of the same exports that is under way, or starts one named `candidate`. Idempotent for the same candidate.
 * The claim has no clock: Step Functions says whether its owner runs. One that was claimed for and never started is started.
 */
export async function joinOrStartExport(
  state: RuntimeState,
  executions: Executions,
  request: ExportRequest,
  candidate: string,
): Promise<{ exportId: string; joined: boolean }> {
  const key = claimKey(request);
  const start = (exportId: string) => executions.start(exportId, { exportId, exports: indices(request.exports) });
  // A call that is repeated after its execution has ended may find the claim in other hands.
  const before = await readExport(state, candidate);
  if (before && (await executions.describe(executions.arn(candidate))).liveness !== 'missing')
    return { exportId: candidate, joined: false };
  for (;;) {
    const owner = (await getItem<{ exportId: string }>(state, key))?.exportId;
    if (owner === candidate) {
      await start(candidate);
      return { exportId: candidate, joined: false };
    }
    const { liveness } = owner ? await executions.describe(executions.arn(owner)) : { liveness: 'failed' };
    if (owner && liveness === 'missing') await start(owner);
    if (owner && (liveness === 'alive' || liveness === 'missing')) return { exportId: owner, joined: true };
    const record = { exportId: candidate, name: request.name, status: 'RUNNING', startedAt: new Date().toISOString() } as const;
    await createExport(state, { ...record, finishedAt: null, executionArn: executions.arn(candidate), error: null }, request.exports);
    await claim(state, key, candidate, owner);
  }
}

/** Whoever was faster is found by the next look. */
async function claim(state: RuntimeState, key: Key, exportId: string, ended: string | undefined): Promise<boolean> {
  return applied(
    state.documents.send(
      new UpdateCommand({
        TableName: state.table,
        Key: { ...key },
        UpdateExpression: 'SET exportId = :own',
        ConditionExpression: ended ? 'exportId = :ended' : 'attribute_not_exists(exportId)',
        ExpressionAttributeValues: { ':own': exportId, ...(ended && { ':ended': ended }) },
      }),
    ),
  );
}
