import { type GetExecutionHistoryCommand, type HistoryEvent, paginateGetExecutionHistory, type SFNClient } from '@aws-sdk/client-sfn';

/** A step of a run: a state of the workflow, with its waiting and deciding states. */
export interface Step {
  name: string;
  seconds: number;
  /** `stopped`: the execution failed, timed out or was aborted in it. */
  state: 'running' | 'done' | 'stopped';
}

/** States that belong to another's step: a task that is asked again until it is so. */
const partOf: Record<string, string> = {
  'Acquired?': 'Acquire',
  WaitForTurn: 'Acquire',
  'Loaded?': 'AwaitLoad',
  WaitForLoad: 'AwaitLoad',
  'Processed?': 'AwaitProcess',
  WaitForProcess: 'AwaitProcess',
};

const ends = ['ExecutionFailed', 'ExecutionTimedOut', 'ExecutionAborted'];

/** What an execution has gone through, oldest first; a step that a redrive runs again stands there again. */
export async function executionSteps(client: SFNClient, executionArn: string): Promise<Step[]> {
  const events: HistoryEvent[] = [];
  const input: ConstructorParameters<typeof GetExecutionHistoryCommand>[0] = {
    executionArn,
    includeExecutionData: false,
    maxResults: 1000,
  };
  for await (const page of paginateGetExecutionHistory({ client }, input)) events.push(...(page.events ?? []));
  return stepsOf(events, new Date());
}

export function stepsOf(events: HistoryEvent[], now: Date): Step[] {
  const steps: (Step & { since: Date })[] = [];
  const seconds = (from: Date, to: Date) => Math.max(0, (to.getTime() - from.getTime()) / 1000);
  // The states inside a Map are many at once: its step is the Map.
  let map: string | null = null;

  for (const { type, timestamp, stateEnteredEventDetails, stateExitedEventDetails } of events) {
    const at = timestamp!;
    const entered = stateEnteredEventDetails?.name;
    const exited = stateExitedEventDetails?.name;
    const last = steps.at(-1);
    if (entered && map === null) {
      if (type === 'MapStateEntered') map = entered;
      if (type === 'SucceedStateEntered') continue;
      const name = partOf[entered] ?? entered;
      if (last?.name === name && last.state === 'done') {
        last.state = 'running';
        last.since = at;
      } else {
        steps.push({ name, seconds: 0, state: 'running', since: at });
      }
    } else if (exited && last && (map === null || map === exited)) {
      map = null;
      if (last.state !== 'running') continue;
      last.seconds += seconds(last.since, at);
      last.state = 'done';
    } else if (type === 'ExecutionRedriven' && map !== null) {
      // Its failed iterations run again without the Map being entered again.
      steps.push({ name: map, seconds: 0, state: 'running', since: at });
    } else if (ends.includes(type!)) {
      if (last?.state !== 'running') continue;
      last.seconds += seconds(last.since, at);
      last.state = 'stopped';
    }
  }
  return steps.map(({ name, seconds: before, state, since }) => ({
    name,
    seconds: state === 'running' ? before + seconds(since, now) : before,
    state,
  }));
}
