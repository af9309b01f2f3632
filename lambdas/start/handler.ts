import { withFailpoints } from '../../core/failpoints.js';
import { lambdaFunctions } from '../../core/invocation.js';
import { createLog } from '../../core/log.js';
import { answer } from '../../core/start/answers.js';
import type { ProxyAnswer, ProxyEvent } from '../../core/start/request.js';
import { stepFunctions } from '../../core/state/executions.js';
import { documents, environment, lambda, rawBucket, runtimeState, sfn } from '../clients.js';
import type { StepContext } from '../step.js';

export async function handler(event: ProxyEvent, context: StepContext): Promise<ProxyAnswer> {
  const [state, configs] = [runtimeState(), { documents, table: environment('TABLE_CONFIG') }];
  const answering = {
    state,
    configs,
    raw: rawBucket(),
    functions: lambdaFunctions(lambda),
    planFunction: environment('PLAN_FUNCTION'),
    warehouseFunction: environment('WAREHOUSE_FUNCTION'),
    exports: {
      state,
      configs,
      executions: stepFunctions(sfn, environment('EXPORT_STATE_MACHINE_ARN')),
      bucket: environment('EXPORTS_BUCKET'),
    },
    waitLimit: Number(process.env.WAIT_LIMIT_SECONDS ?? 480) * 1000,
    log: createLog({ function: 'start', request_id: context.awsRequestId, method: event.httpMethod, path: event.path }),
  };
  return withFailpoints('', () => answer(answering, event));
}
