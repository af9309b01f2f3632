import { AsyncLocalStorage } from 'node:async_hooks';
import type { S3Client } from '@aws-sdk/client-s3';
import { type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { sourceItem, tableItem } from '../../../core/config/items.js';
import { sourceConfigSchema } from '../../../core/config/schema.js';
import { FirnError } from '../../../core/errors.js';
import { createLog } from '../../../core/log.js';
import type { Mode, RunRef } from '../../../core/plan/plan.js';
import type { RawBucket } from '../../../core/raw-bucket/objects.js';
import { openBatch, settleBatch } from '../../../core/start/batch.js';
import type { StartContext } from '../../../core/start/context.js';
import { ingestRows } from '../../../core/start/ingest.js';
import { type RunRecord, runKey } from '../../../core/state/runs.js';
import type { Key, RuntimeState } from '../../../core/state/runtime-state.js';
import { readTableState, type TableState } from '../../../core/state/table-state.js';
import { supersedeRun } from '../../../core/workflow/commit-run.js';
import { reportFailure } from '../../../core/workflow/failed-run.js';
import { DynamoDouble } from './dynamo-double.js';
import { ExecutionsDouble } from './executions-double.js';
import type { Schedule } from './explorer.js';
import { BucketDouble } from './memory-bucket.js';
import { type Invocation, type State, states, WorkflowFunctions } from './model-functions.js';
import { SourceModel } from './model-source.js';
import { WarehouseModel } from './model-warehouse.js';

const place = { source: 'PostgreSQL', database: 'clr' };
const log = { ...createLog({}), info: () => {}, warn: () => {}, error: () => {} } as unknown as ReturnType<typeof createLog>;

/** When the nth execution that was started enters a state. Null: after all else, unless the schedule deviates. */
export type Moment = readonly [nth: number, state: State] | null;

/** Functions that may start executions of `ingest` (lib/ingest-functions.ts): to the others IAM says no. */
const mayStart = ['start', 'plan'];

/** Functions that are invoked from outside the workflow: nothing here depends on their answers. */
const others = { invokeLater: async () => {}, invoke: () => Promise.reject(new Error('no function answers in this model')) };

const invocations = new AsyncLocalStorage<Invocation>();

export interface Answer {
  batch: string;
  table: string;
  mode: Mode;
  /** How many rows were at the source when the caller called. */
  written: number;
  runId: string;
}

/**
 * One source, its tables, its callers and its runs. The product's own: batches, claims, permits, records, plans, commits, failure reports.
 * In memory: DynamoDB, S3, Step Functions, the source and the warehouse; each access to one of them is one step of the schedule.
 */
export class World {
  readonly executions = new ExecutionsDouble();
  readonly source = new SourceModel((work) => this.access(work));
  readonly warehouse = new WarehouseModel();
  readonly functions: WorkflowFunctions;
  readonly answers: Answer[] = [];
  /** Run and attempt of each failure that was published. */
  readonly published: string[] = [];
  private readonly dynamo = new DynamoDouble();
  private readonly bucket = new BucketDouble();
  private readonly state: RuntimeState;
  private readonly raw: RawBucket;
  private readonly at = new Map<string, { state: State; invocation: Invocation }>();
  private readonly starting = new Map<string, Invocation>();
  private readonly triggers: { moment: Moment; happen: () => void }[] = [];

  constructor(
    private readonly schedule: Schedule,
    private readonly permits: number,
    tables: string[],
  ) {
    const parsed = sourceConfigSchema.parse({
      ...place,
      type: 'postgres',
      permits,
      tables: tables.map((table) => ({ table, mode: 'incremental', cursor_column: 'id' })),
    });
    const { tables: configured, ...settings } = parsed;
    for (const Item of [sourceItem(settings, 1), ...configured.map((config) => tableItem(place.source, place.database, config, 1))]) {
      this.dynamo.send(new PutCommand({ TableName: 'config', Item }));
    }
    const documents = { send: (command: object) => this.access(() => this.write(command)) } as unknown as DynamoDBDocumentClient;
    this.state = {
      table: 'state',
      documents,
      executions: {
        arn: (name) => this.executions.arn(name),
        describe: (arn) => this.access(() => this.executions.describe(arn)),
        start: (_name, input) => this.access(() => this.start(input as RunRef)),
        redrive: () => Promise.reject(new Error('redrives come from the console here')),
      },
    };
    this.raw = {
      bucket: 'raw',
      client: { send: (command: object) => this.access(() => this.bucket.send(command)) } as unknown as S3Client,
    };
    const { state, raw, source, warehouse, configs } = this;
    this.functions = new WorkflowFunctions({ state, raw, source, warehouse, configs, permits, log, access: (work) => this.access(work) });
  }

  /** Somebody writes a row and calls; now, or at a moment. `posts`: Snowflake sends the batch as often. */
  call(batch: string, table: string, mode: Mode, { posts = 1, at }: { posts?: number; at?: Moment } = {}): void {
    const come = () => {
      const written = this.source.write(table);
      for (let post = 1; post <= posts; post++) {
        this.schedule.spawn(post === 1 ? batch : `${batch}#${post}`, async () => {
          const { invocation, answer } = this.invoke('start', () => this.post({ batch, table, mode, written }));
          if (post === 1) this.starting.set(batch, invocation);
          await answer;
        });
      }
    };
    if (at === undefined) come();
    else this.when(`${batch} comes`, at, come);
  }

  /** The Lambda that answers a POST dies at some step; Snowflake's repetition does not. */
  killStart(batch: string): void {
    this.when(`kill ${batch}`, null, () => {
      const invocation = this.starting.get(batch);
      if (invocation) invocation.dead = true;
    });
  }

  /**
   * Something happens to the nth execution that was started: somebody stops it and its Lambda goes on (`abort`); its Lambda dies and is
   * called again (`die`); its Lambda exceeds its time, is called again, and goes on all the same (`time out`).
   */
  disturb(
    nth: number,
    how: 'abort' | 'die' | 'time out',
    { at = null as Moment, redriven = undefined as Moment | undefined, events = 1 } = {},
  ): void {
    this.when(`${how} ${nth}`, at, () => {
      const run = this.executions.started[nth]?.input as RunRef | undefined;
      const before = run && this.at.get(run.runId);
      if (!before || !this.isAlive(run)) return;
      before.invocation.ignored = true;
      this.functions.ended(before.invocation);
      if (how === 'die') before.invocation.dead = true;
      if (how !== 'abort') return this.schedule.spawn(`${before.state} again`, () => this.walk(run, before.state));
      this.executions.set(run.runId, 'failed', { status: 'ABORTED' });
      for (let event = 1; event <= events; event++) this.schedule.spawn(`event ${event} of ${nth}`, () => this.report(run));
      if (redriven !== undefined) this.when(`redrive ${nth}`, redriven, () => this.redrive(run, before.state));
    });
  }

  isAlive = ({ runId }: Pick<RunRef, 'runId'>): boolean => this.executions.liveness(runId) === 'alive';

  record(runId: string): RunRecord | undefined {
    return this.item(runKey(runId)) as RunRecord | undefined;
  }

  tableState(table: string): Promise<TableState> {
    return readTableState({ ...this.state, documents: this.dynamo.asDocuments() }, { ...place, table });
  }

  /** ARNs of executions that hold a permit. */
  permitHolders(): string[] {
    const keys = Array.from({ length: this.permits }, (_, n) => ({ pk: `${place.source}#${place.database}`, sk: `permit#${n}` }));
    return keys.flatMap((key) => (this.item(key)?.arn as string | undefined) ?? []);
  }

  private item({ pk, sk }: Key): Record<string, unknown> | undefined {
    return (this.dynamo.send(new GetCommand({ TableName: 'state', Key: { pk, sk } })) as { Item?: Record<string, unknown> }).Item;
  }

  private when(name: string, moment: Moment, happen: () => void): void {
    if (moment !== null) {
      this.triggers.push({ moment, happen });
      return;
    }
    this.schedule.spawn(name, async () => happen(), 'last');
  }

  /** Lets happen what waits for this moment, and go on first. */
  private async enter(run: RunRef, state: State): Promise<void> {
    const nth = this.executions.started.findIndex(({ name }) => name === run.runId);
    const due = this.triggers.filter(({ moment }) => moment![0] === nth && moment![1] === state);
    for (const trigger of due) {
      this.triggers.splice(this.triggers.indexOf(trigger), 1);
      trigger.happen();
    }
    if (due.length > 0) await this.schedule.step('others first');
  }

  private async post(call: Omit<Answer, 'runId'>): Promise<void> {
    const opened = await openBatch(this.state, call.batch, 1);
    const rows = [{ number: 0, args: [place.source, place.database, call.table, { mode: call.mode }] }];
    const { outcomes } = opened.outcomes ? opened : await settleBatch(this.state, opened, await ingestRows(this.context, opened, rows));
    this.answers.push({ ...call, runId: outcomes![0]!.runId });
  }

  /** Whatever happens, no table's watermark goes back. */
  private write(command: object): object {
    const upper = (item?: Record<string, unknown>) => Number((item as TableState | undefined)?.watermark?.upper ?? 0);
    const Item = command instanceof PutCommand ? command.input.Item! : undefined;
    const before = Item && upper(this.item(Item as unknown as Key));
    const answer = this.dynamo.send(command);
    if (before !== undefined && upper(Item) < before)
      throw new Error(`the watermark of ${Item!.sk} goes back from ${before} to ${upper(Item)}`);
    return answer;
  }

  private async access<T>(work: () => T | Promise<T>): Promise<T> {
    await this.schedule.step();
    if (invocations.getStore()?.dead) return new Promise(() => {});
    return work();
  }

  private invoke<T>(of: string, work: () => Promise<T>, invocation: Invocation = { of, dead: false, ignored: false }) {
    return { invocation, answer: invocations.run(invocation, work) };
  }

  private async start(run: RunRef): Promise<void> {
    const { of } = invocations.getStore()!;
    if (!mayStart.includes(of)) throw new Error(`AccessDeniedException: ${of} may not start executions`);
    const known = this.executions.started.length;
    await this.executions.start(run.runId, run);
    if (this.executions.started.length > known) this.schedule.spawn(`run ${known}`, () => this.walk(run, 'Acquire'));
  }

  private redrive(run: RunRef, from: State): void {
    this.executions.set(run.runId, 'alive', { redriveCount: this.executions.redrives(run.runId) + 1 });
    this.schedule.spawn(`${run.table} redriven`, () => this.walk(run, from));
  }

  /** The state machine: calls the functions one after the other, for as long as the execution is alive and this call counts. */
  private async walk(run: RunRef, from: State): Promise<void> {
    const order = Object.keys(states) as State[];
    for (let i = order.indexOf(from); i < order.length; ) {
      const state = order[i]!;
      const invocation = { of: states[state], dead: false, ignored: false };
      this.at.set(run.runId, { state, invocation });
      await this.enter(run, state);
      if (invocation.ignored || !this.isAlive(run)) return;
      const { answer } = this.invoke(invocation.of, () => this.functions.perform(state, run, invocation), invocation);
      const result = await answer.then(
        (done) => ({ done }),
        (error: unknown) => ({ error }),
      );
      this.functions.ended(invocation);
      if (invocation.ignored || !this.isAlive(run)) return;
      if ('done' in result && result.done) i++;
      else if ('done' in result || codeOf(result.error) === 'PermitUnavailable') {
        await this.schedule.step('others first');
        if (invocation.ignored || !this.isAlive(run)) return;
      } else if (codeOf(result.error) === 'Superseded') {
        const superseding = this.invoke('commit', () => supersedeRun(this.state, run));
        this.at.set(run.runId, { state, invocation: superseding.invocation });
        await superseding.answer;
        if (superseding.invocation.ignored) return;
        break;
      } else throw result.error;
    }
    if (this.isAlive(run)) this.executions.set(run.runId, 'succeeded');
  }

  private async report(run: RunRef): Promise<void> {
    const reporting = {
      state: this.state,
      bucket: 'raw',
      functions: others,
      warehouse: 'warehouse',
      publish: async () => void this.published.push(`${run.runId}/${this.executions.redrives(run.runId)}`),
      log,
    };
    await this.invoke('on-failure', () => reportFailure(reporting, run, this.executions.arn(run.runId))).answer;
  }

  private get configs() {
    return { documents: this.dynamo.asDocuments(), table: 'config' };
  }

  private get context(): StartContext {
    const { state, configs, raw } = this;
    const names = { planFunction: 'plan', warehouseFunction: 'warehouse' };
    return { state, configs, raw, functions: others, ...names, waitLimit: 0, log } as unknown as StartContext;
  }
}

const codeOf = (error: unknown): string | null => (error instanceof FirnError ? error.code : null);
