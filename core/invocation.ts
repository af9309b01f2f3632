import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';

/** Other functions of Firn. */
export interface Functions {
  /** Has the function run once the event is queued; what it answers is not waited for. */
  invokeLater(name: string, event: unknown): Promise<void>;
  /** What the function answers, or the error that it threw. */
  invoke(name: string, event: unknown): Promise<{ answer: unknown } | { errorType: string; errorMessage: string }>;
}

export const lambdaFunctions = (client: LambdaClient): Functions => ({
  async invokeLater(FunctionName, event) {
    await client.send(new InvokeCommand({ FunctionName, InvocationType: 'Event', Payload: JSON.stringify(event) }));
  },
  async invoke(FunctionName, event) {
    const { Payload, FunctionError } = await client.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(event) }));
    const answer: unknown = JSON.parse(Payload!.transformToString());
    if (!FunctionError) return { answer };
    const { errorType = FunctionError, errorMessage = '' } = answer as { errorType?: string; errorMessage?: string };
    return { errorType, errorMessage };
  },
});
