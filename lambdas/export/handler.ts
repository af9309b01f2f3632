import * as z from 'zod';
import type { ExportContext, ExportRef } from '../../core/export/context.js';
import { explainExports } from '../../core/export/explain.js';
import { failureSchema, note } from '../../core/export/note.js';
import { pick } from '../../core/export/pick.js';
import { publish } from '../../core/export/publish.js';
import { exportConfigSchema } from '../../core/export/schema.js';
import { awaitUnload, unload } from '../../core/export/unload.js';
import type { RunLog } from '../../core/log.js';
import { documents, environment, runtimeState, s3 } from '../clients.js';
import { withSnowflake } from '../snowflake-session.js';
import { step } from '../step.js';

/** Step Functions gives RedriveCount to executions that were redriven. */
const execution = z.object({ RedriveCount: z.number().default(0) }).transform(({ RedriveCount }) => RedriveCount);
const ref = { exportId: z.string(), index: z.int().min(0) };

const eventSchema = z.discriminatedUnion('action', [
  z.object({ action: z.literal('pick'), exportId: z.string(), execution }),
  z.object({ action: z.literal('unload'), ...ref }),
  z.object({ action: z.literal('await-unload'), ...ref }),
  z.object({ action: z.literal('publish'), ...ref }),
  z.object({ action: z.literal('note'), ...ref, execution, failure: failureSchema }),
  z.object({ action: z.literal('explain'), exports: z.array(exportConfigSchema).min(1) }),
]);

export const handler = step('export', eventSchema, async (event, log): Promise<object> => {
  const context = contextOf(event, log);
  switch (event.action) {
    case 'pick':
      return pick(context, event.exportId, event.execution);
    case 'unload':
      return unload(context, event);
    case 'await-unload':
      return awaitUnload(context, event);
    case 'publish':
      await publish(context, event);
      return {};
    case 'note':
      await note(context, event, event.execution, event.failure);
      return {};
    case 'explain':
      return explainExports(context, event.exports);
  }
});

function contextOf(event: object, log: RunLog): ExportContext {
  const { exportId = '', index = '' } = event as Partial<ExportRef>;
  return {
    state: runtimeState(),
    configs: { documents, table: environment('TABLE_CONFIG') },
    exports: { client: s3, bucket: environment('EXPORTS_BUCKET') },
    snowflake: (work) => withSnowflake({ exportId, index: String(index) }, null, work),
    log,
  };
}
