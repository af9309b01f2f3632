import type { HistoryEvent, HistoryEventType } from '@aws-sdk/client-sfn';
import { expect, it } from 'vitest';
import { stepsOf } from '../../../cli/execution-steps.js';

const second = (seconds: number): Date => new Date(1_762_344_000_000 + seconds * 1000);

/** `[seconds, event, state]` */
type Line = [number, HistoryEventType, string?];
const entered = (at: number, name: string, kind = 'Task'): Line => [at, `${kind}StateEntered` as HistoryEventType, name];
const exited = (at: number, name: string, kind = 'Task'): Line => [at, `${kind}StateExited` as HistoryEventType, name];

const events = (lines: Line[]): HistoryEvent[] =>
  lines.map(([at, type, name], index) => ({
    id: index + 1,
    timestamp: second(at),
    type,
    ...(type.endsWith('Entered') && { stateEnteredEventDetails: { name: name! } }),
    ...(type.endsWith('Exited') && { stateExitedEventDetails: { name: name! } }),
  }));

const loading: Line[] = [entered(0, 'AwaitLoad'), exited(1, 'AwaitLoad'), entered(1, 'Loaded?', 'Choice'), exited(1, 'Loaded?', 'Choice')];

it.each<{ name: string; lines: Line[]; steps: [string, number, string][] }>([
  { name: 'nothing yet', lines: [[0, 'ExecutionStarted']], steps: [] },
  { name: 'a step that runs', lines: [[0, 'ExecutionStarted'], entered(0, 'Plan')], steps: [['Plan', 10, 'running']] },
  {
    name: 'a step that waits and asks again is one step',
    lines: [
      ...loading,
      entered(1, 'WaitForLoad', 'Wait'),
      exited(5, 'WaitForLoad', 'Wait'),
      entered(5, 'AwaitLoad'),
      exited(6, 'AwaitLoad'),
    ],
    steps: [['AwaitLoad', 6, 'done']],
  },
  { name: 'a step that is waiting now', lines: [...loading, entered(1, 'WaitForLoad', 'Wait')], steps: [['AwaitLoad', 10, 'running']] },
  {
    name: 'a Map is one step, whatever its iterations do',
    lines: [
      entered(0, 'Extract', 'Map'),
      [0, 'MapStateStarted'],
      entered(0, 'ExtractChunk'),
      entered(0, 'ExtractChunk'),
      exited(2, 'ExtractChunk'),
      exited(3, 'ExtractChunk'),
      [3, 'MapStateSucceeded'],
      exited(4, 'Extract', 'Map'),
      entered(4, 'Seal'),
    ],
    steps: [
      ['Extract', 4, 'done'],
      ['Seal', 6, 'running'],
    ],
  },
  {
    name: 'a redrive runs the failed step again',
    lines: [
      entered(0, 'Extract', 'Map'),
      entered(0, 'ExtractChunk'),
      [2, 'ExecutionFailed'],
      [5, 'ExecutionRedriven'],
      entered(5, 'ExtractChunk'),
      exited(6, 'ExtractChunk'),
      exited(6, 'Extract', 'Map'),
      entered(6, 'Seal'),
      exited(7, 'Seal'),
      entered(7, 'Done', 'Succeed'),
      exited(7, 'Done', 'Succeed'),
      [7, 'ExecutionSucceeded'],
    ],
    steps: [
      ['Extract', 2, 'stopped'],
      ['Extract', 1, 'done'],
      ['Seal', 1, 'done'],
    ],
  },
])('$name', ({ lines, steps }) => {
  expect(stepsOf(events(lines), second(10)).map(({ name, seconds, state }) => [name, seconds, state])).toEqual(steps);
});
