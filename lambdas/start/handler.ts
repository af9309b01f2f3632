import { withFailpoints } from '../../core/failpoints.js';
import { lambdaFunctions } from '../../core/invocation.js';
import { createLog } from '../../core/log.js';
import { answer } from '../../core/start/answers.js';
import type { ProxyAnswer, ProxyEvent } from '../../core/start/request.js';
import { documents, environment, lambda, rawBucket, runtimeState } from '../clients.js';
import type { StepContext } from '../step.js';

export async function handler(event: ProxyEvent, context: StepContext): Promise<ProxyAnswer> {
  const answering = {
    state: runtimeState(),
    configs: { documents, table: environment('TABLE_CONFIG') },
    raw: rawBucket(),
    functions: lambdaFunctions(lambda),
    planFunction: environment('PLAN_FUNCTION'),
    warehouseFunction: environment('WAREHOUSE_FUNCTION'),
    waitLimit: Number(process.env.WAIT_LIMIT_SECONDS ?? 480) * 1000,
    log: createLog({ function: 'start', request_id: context.awsRequestId, method: event.httpMethod, path: event.path }),
  };
  return withFailpoints('', () => answer(answering, event));
}
