import { createLogUpdate } from 'log-update';
import picocolors from 'picocolors';

/** Shows what takes time: which steps run, for how long, and how far they are. */
export interface Steps {
  /** Runs `work` as a step of this name. `detail` replaces what stands behind the name. */
  run<T>(name: string, work: (detail: (text: string) => void) => Promise<T>): Promise<T>;
  /** Says something between the steps. */
  note(text: string): void;
}

interface Running {
  name: string;
  began: number;
  detail: string;
}

const seconds = (began: number): string => `${((Date.now() - began) / 1000).toFixed(1)} s`;

/** A line per finished step; the running ones below it on a terminal, or every ten seconds a line elsewhere. */
export function showSteps(stream: NodeJS.WriteStream = process.stderr): Steps {
  const pc = picocolors.createColors(Boolean(stream.isTTY) && !process.env.NO_COLOR);
  const running = new Set<Running>();
  const update = stream.isTTY ? createLogUpdate(stream) : undefined;
  const lineOf = ({ name, began, detail }: Running) => `  ${pc.cyan('…')} ${name} ${pc.dim(`${detail} ${seconds(began)}`.trim())}`;
  const redraw = () => running.size > 0 && update?.([...running].map(lineOf).join('\n'));
  const say = (line: string) => {
    update?.clear();
    stream.write(`${line}\n`);
    redraw();
  };
  let timer: NodeJS.Timeout | undefined;
  const watch = () => {
    if (running.size === 0) {
      clearInterval(timer);
      timer = undefined;
      update?.done();
    } else timer ??= setInterval(update ? redraw : () => running.forEach((step) => void say(lineOf(step))), update ? 200 : 10_000).unref();
  };

  return {
    note: (text) => say(`  ${pc.yellow('!')} ${text}`),
    async run(name, work) {
      const step: Running = { name, began: Date.now(), detail: '' };
      running.add(step);
      watch();
      try {
        const result = await work((text) => {
          step.detail = text;
        });
        running.delete(step);
        say(`  ${pc.green('✓')} ${name} ${pc.dim(seconds(step.began))}`);
        return result;
      } catch (error) {
        running.delete(step);
        say(`  ${pc.red('✗')} ${name} ${pc.dim(seconds(step.began))}`);
        throw error;
      } finally {
        watch();
      }
    },
  };
}

/** Shows nothing. */
export const silentSteps: Steps = { run: (_name, work) => work(() => {}), note: () => {} };
