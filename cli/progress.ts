import { createLogUpdate } from 'log-update';
import type { Step } from './execution-steps.js';
import { errorColors, printAside } from './output.js';

/** Shows on stderr how far runs are: on a terminal one line per table that changes, else a line per step. */
export interface Progress {
  /** `over`: the run has ended, nothing follows the last step. */
  show(table: string, steps: Step[], over?: boolean): void;
  end(): void;
}

export function progress(stream: NodeJS.WriteStream = process.stderr): Progress {
  return stream.isTTY ? changingLines(stream) : plainLines();
}

const seconds = (step: Step): string => `${step.seconds.toFixed(step.seconds < 10 ? 1 : 0)} s`;

/** As many of a run's last steps as fit on a line; `firn status <run>` shows all. */
const stepsShown = 3;

function changingLines(stream: NodeJS.WriteStream): Progress {
  const update = createLogUpdate(stream);
  const lines = new Map<string, string>();
  return {
    show(table, steps) {
      const last = steps.slice(-stepsShown).map(colored);
      lines.set(table, [...(steps.length > stepsShown ? ['…'] : []), ...last].join(errorColors.dim(' › ')));
      const width = Math.max(...[...lines.keys()].map((name) => name.length));
      update([...lines].map(([name, line]) => `${errorColors.bold(name.padEnd(width))}  ${line}`).join('\n'));
    },
    end: () => update.done(),
  };
}

function colored(step: Step): string {
  if (step.state === 'done') return `${step.name} ${errorColors.dim(seconds(step))}`;
  const color = step.state === 'running' ? errorColors.cyan : errorColors.red;
  return color(`${step.name} ${seconds(step)}`);
}

function plainLines(): Progress {
  const printed = new Set<string>();
  const once = (key: string, line: string) => {
    if (!printed.has(key)) printAside(line);
    printed.add(key);
  };
  return {
    show(table, steps, ended) {
      for (const [index, step] of steps.entries()) {
        const key = `${table} ${index}`;
        // The last step may be asked again: it is over when another follows, or when the run has ended in it.
        const over = ended || index < steps.length - 1 || step.state === 'stopped';
        if (over) once(`${key} over`, `${table}: ${step.name} ${step.state} after ${seconds(step)}`);
        else once(key, `${table}: ${step.name} …`);
      }
    },
    end: () => {},
  };
}
