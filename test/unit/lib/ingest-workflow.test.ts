import { describe, expect, it } from 'vitest';
import { retriedCodes } from '../../../core/errors.js';
import { definitionOf, dev, stacks, templateOf } from './stacks.js';

const template = templateOf(stacks(dev).firn);
const ingest = definitionOf(template, 'firn-dev-ingest');
const gold = definitionOf(template, 'firn-dev-gold');

interface State {
  Type: string;
  Retry?: { ErrorEquals: string[]; MaxAttempts: number; BackoffRate: number; JitterStrategy: string }[];
  Catch?: { ErrorEquals: string[]; Next: string; ResultPath: string | null }[];
  TimeoutSeconds?: number;
  Parameters?: { FunctionName: string; Payload: Record<string, unknown> };
  ItemProcessor?: { States: Record<string, State> };
  Next?: string;
}

/** All states, those inside of a Map too. */
function statesOf({ States }: { States: Record<string, State> }): [string, State][] {
  return Object.entries(States).flatMap(([name, state]) => [
    [name, state] as [string, State],
    ...(state.ItemProcessor ? statesOf(state.ItemProcessor) : []),
  ]);
}

const states = [...statesOf(ingest), ...statesOf(gold)];
/** Those that call a function. */
const tasks = states.filter(([, { Type, Parameters }]) => Type === 'Task' && Parameters?.FunctionName !== undefined);

describe('a task', () => {
  it.each(tasks)(
    '%s is tried again for what the catalogue of errors says, for errors of the service, twice when its process died, and once when it hung',
    (_, { Retry }) => {
      const [service, ours, ...ended] = Retry!;
      expect(ours!.ErrorEquals.toSorted()).toEqual(retriedCodes.toSorted());
      expect(service!.ErrorEquals.every((code) => code.startsWith('Lambda.'))).toBe(true);
      expect(ended.map(({ ErrorEquals, MaxAttempts }) => [ErrorEquals, MaxAttempts])).toEqual([
        [['Lambda.Unknown', 'Runtime.ExitError'], 2],
        [['Sandbox.Timedout', 'States.Timeout'], 1],
      ]);
      for (const { BackoffRate, JitterStrategy, MaxAttempts } of Retry!) {
        expect(BackoffRate).toBeGreaterThan(1);
        expect(JitterStrategy).toBe('FULL');
        expect(MaxAttempts).toBeGreaterThan(0);
      }
    },
  );

  it.each(tasks)('%s gives up after the time of its function', (_, { TimeoutSeconds, Parameters }) => {
    const logicalId = /\{(\w+)\./.exec(Parameters!.FunctionName)![1]!;
    const { Timeout } = template.toJSON().Resources[logicalId].Properties;
    expect(TimeoutSeconds).toBe(Timeout + 30);
  });
});

describe("the console's Redrive finds the step that failed", () => {
  it('because nothing is caught but Superseded, which ends well', () => {
    const caught = states.flatMap(([, { Catch = [] }]) => Catch);
    expect(new Set(caught.flatMap(({ ErrorEquals }) => ErrorEquals))).toEqual(new Set(['Superseded']));
    expect(new Set(caught.map(({ Next }) => Next))).toEqual(new Set(['Supersede']));
    expect(ingest.States.Supersede.Next).toBe('Record');
  });

  it('because there is no Fail state to be caught into', () => {
    expect(states.filter(([, { Type }]) => Type === 'Fail')).toEqual([]);
  });
});

it('every task of a run is told the same of it, and neither time nor secret nor watermark', () => {
  const payloads = tasks.map(([, { Parameters }]) => Parameters!.Payload).filter(({ run }) => run);
  expect(payloads).toHaveLength(12);
  for (const { run } of payloads) {
    expect(run).toEqual({ 'runId.$': '$.runId', 'source.$': '$.source', 'database.$': '$.database', 'table.$': '$.table' });
  }
});

it('reads a chunk until nothing of it is left', () => {
  const { States, StartAt } = ingest.States.Extract.ItemProcessor;
  expect(StartAt).toBe('ExtractChunk');
  expect(States['ChunkRead?']).toMatchObject({
    Choices: [{ Variable: '$.read.done', BooleanEquals: true, Next: 'ChunkRead' }],
    Default: 'ExtractChunk',
  });
});

it("a function's own word of its time is not an error that is tried again: the rest goes to Glue, or the run fails and says what to do", () => {
  const retried = statesOf(ingest).flatMap(([, { Retry = [] }]) => Retry.flatMap(({ ErrorEquals }) => ErrorEquals));
  for (const code of ['ChunkTooLarge', 'ChunkTimedOut', 'States.ALL', 'States.TaskFailed']) expect(retried).not.toContain(code);
});

it('keeps nothing of what the chunks answer', () => {
  expect(ingest.States.Extract.ResultPath).toBeNull();
});

/** Without what the tests above say of each task. */
const readable = (definition: object) =>
  JSON.parse(JSON.stringify(definition, (key, value) => (['Retry', 'TimeoutSeconds', 'FunctionName'].includes(key) ? undefined : value)));

it.each([
  ['ingest', ingest],
  ['gold', gold],
])('the definition of %s', (_, definition) => {
  expect(readable(definition)).toMatchSnapshot();
});

it.each([
  ['plan', ['Acquire', 'Plan']],
  ['extract', ['ExtractChunk']],
  ['seal', ['Seal']],
  ['warehouse', ['AwaitLoad', 'AwaitProcess', 'Prepare', 'Process', 'Record', 'Verify']],
  ['commit', ['Commit', 'Supersede']],
])('%s does %s', (name, expected) => {
  const [id] = Object.keys(template.findResources('AWS::Lambda::Function', { Properties: { FunctionName: `firn-dev-${name}` } }));
  const done = statesOf(ingest).filter(([, { Parameters }]) => Parameters?.FunctionName === `{${id}.Arn}`);
  expect(done.map(([state]) => state).sort()).toEqual(expected);
});
