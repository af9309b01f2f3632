import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { bringUpFaultSandbox, faultSandboxDirectory } from '../sandbox.js';
import { torture } from './torture.js';

/**
 * `npm run torture -- --minutes 30 --seed 1`: exit code 0 when nothing is wrong, 1 otherwise. The same seed repeats the workload and the
 * schedule of the faults, though not to the millisecond.
 */
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    seed: { type: 'string', default: '1' },
    directory: { type: 'string' },
    keep: { type: 'boolean' },
  },
});
const directory = values.directory ?? faultSandboxDirectory;
const [minutes, seed] = [Number(values.minutes), Number(values.seed)];

const remove = await bringUpFaultSandbox(directory, seed);
const { wrong, tally } = await torture({ directory, minutes, seed, print: console.log });
const table = new Table({ head: [`${minutes} minutes, seed ${seed}`, 'count'], style: { head: [] } });
table.push(...tally.counts, ['differences', wrong.length]);
console.log(table.toString());
for (const line of wrong) console.log(line);
if (!values.keep) await remove();
process.exit(wrong.length === 0 ? 0 : 1);
