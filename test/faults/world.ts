import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { DescribeExecutionCommand, ListExecutionsCommand, SFNClient } from '@aws-sdk/client-sfn';
import { DynamoDBDocumentClient, ScanCommand } from '@aws-sdk/lib-dynamodb';
import pg from 'pg';
import { stringify } from 'yaml';
import { parseConfig } from '../../core/config/load.js';
import { preparePush, push } from '../../core/config/push.js';
import type { Failpoint, Failure } from '../../core/failpoints.js';
import type { Receipt } from '../../core/receipt/receipt.js';
import { connectSnowflake, type Warehouse } from '../../core/warehouse/snowflake.js';
import { clientSettings } from '../../sandbox/deploy.js';
import { readMemory } from '../../sandbox/memory.js';
import { readState, type SandboxState } from '../../sandbox/state.js';
import { differences } from '../integration/compare.js';
import { failpointFolder, type Lines, linesFile } from './sandbox.js';

/** The fault sandbox as tests see it: never by the lines that are disturbed. */
export class World {
  readonly sfn: SFNClient;
  readonly s3: S3Client;
  readonly documents: DynamoDBDocumentClient;
  #idle: Warehouse[] = [];

  private constructor(
    readonly state: SandboxState,
    readonly lines: Lines,
    /** Superuser at the source. */
    readonly source: pg.Pool,
  ) {
    const settings = clientSettings(state.aws.endpoint);
    this.sfn = new SFNClient(settings);
    this.s3 = new S3Client({ ...settings, forcePathStyle: true });
    this.documents = DynamoDBDocumentClient.from(new DynamoDBClient(settings), { marshallOptions: { removeUndefinedValues: true } });
  }

  static open(directory: string): World {
    const state = readState(directory);
    if (!state) throw new Error(`no sandbox is up in ${directory}`);
    const lines = JSON.parse(readFileSync(linesFile(directory), 'utf8')) as Lines;
    const source = new pg.Pool({ connectionString: state.postgres.adminUrl, max: 20 });
    source.on('error', () => {});
    return new World(state, lines, source);
  }

  async close(): Promise<void> {
    await Promise.all(this.#idle.map((warehouse) => warehouse.close()));
    await this.source.end();
  }

  /** Runs `work` in a Snowflake session of its own: two statements of one session run one after the other. */
  async withWarehouse<T>(work: (warehouse: Warehouse) => Promise<T>): Promise<T> {
    const warehouse = this.#idle.pop() ?? (await this.#openWarehouse());
    try {
      return await work(warehouse);
    } finally {
      this.#idle.push(warehouse);
    }
  }

  async #openWarehouse(): Promise<Warehouse> {
    const { account, user, role, warehouse: name, database, accessUrl } = this.state.snowflake;
    const privateKey = readMemory(this.state.directory)!.snowflakeKey;
    const warehouse = await connectSnowflake({ account, user, role, warehouse: name, database, accessUrl, privateKey }, { queryTag: {} });
    await warehouse.query('USE SCHEMA FIRN');
    return warehouse;
  }

  query(sql: string, binds?: (string | number)[]): Promise<Record<string, unknown>[]> {
    return this.withWarehouse((warehouse) => warehouse.query(sql, binds));
  }

  /** Pushes one source in YAML's words, which reads the sandbox's PostgreSQL. */
  async push(database: string, tables: Record<string, unknown>[]): Promise<void> {
    const { tables: names, postgres } = this.state;
    const sources = [{ source: 'PostgreSQL', database, type: 'postgres', secret: postgres.secret, permits: 8, tables }];
    const store = { documents: this.documents, table: names.config };
    const prepared = await preparePush(store, parseConfig([{ file: 'configuration of the tests', text: stringify({ sources }) }]), 'keep');
    await this.withWarehouse((warehouse) => push(store, (sql, binds) => warehouse.query(sql, binds), prepared));
  }

  async ingest(database: string, table: string, options: Record<string, unknown> = {}): Promise<Receipt> {
    const binds = [database, table, JSON.stringify(options)];
    const [row] = await this.query("SELECT ingest_table('PostgreSQL', ?, ?, PARSE_JSON(?)) AS receipt", binds);
    return row!.RECEIPT as Receipt;
  }

  /** The receipt of a run's end: a call answers RUNNING when it has waited for eight minutes. */
  async ended(receipt: Receipt): Promise<Receipt> {
    let now = receipt;
    while (now.status === 'RUNNING') {
      await pause(1000);
      const [row] = await this.query('SELECT ingest_status(?) AS receipt', [receipt.run_id]);
      now = row!.RECEIPT as Receipt;
    }
    return now;
  }

  async retry(runId: string): Promise<Receipt> {
    const [row] = await this.query('SELECT ingest_retry(?) AS receipt', [runId]);
    return row!.RECEIPT as Receipt;
  }

  /** What staging has and the source has not, and the other way round, cell by cell. */
  differences(database: string, table: string, key?: string[], most?: number): Promise<string[]> {
    const staging = { schema: `STAGING_${database.toUpperCase()}`, table: table.toUpperCase() };
    return this.withWarehouse(async (warehouse) => {
      const source = await this.source.connect();
      try {
        return await differences({ source: source as unknown as pg.Client, warehouse, table, staging, ...(key && { key }), most });
      } finally {
        source.release();
      }
    });
  }

  arm(point: Failpoint, table: string, failure: Failure): void {
    writeFileSync(join(failpointFolder(this.state.directory), `${point}@${table}`), failure);
  }

  /** Takes back what nobody has hit. */
  disarm(): void {
    const folder = failpointFolder(this.state.directory);
    for (const file of readdirSync(folder)) if (file !== 'hit') rmSync(join(folder, file), { force: true });
  }

  /** Failpoints that wait for somebody. */
  armed(): number {
    return readdirSync(failpointFolder(this.state.directory)).length - 1;
  }

  isArmed(point: Failpoint, table: string): boolean {
    return existsSync(join(failpointFolder(this.state.directory), `${point}@${table}`));
  }

  /** Failpoints hit so far. */
  hits(): number {
    return readdirSync(join(failpointFolder(this.state.directory), 'hit')).length;
  }

  async execution(arn: string): Promise<string> {
    return (await this.sfn.send(new DescribeExecutionCommand({ executionArn: arn }))).status!;
  }

  /** ARNs of the executions of `ingest` with this status. */
  async executions(statusFilter: 'RUNNING' | 'FAILED' | 'ABORTED' | 'TIMED_OUT'): Promise<string[]> {
    const { stateMachineArn } = this.state;
    const found: string[] = [];
    for (let nextToken: string | undefined, first = true; first || nextToken; first = false) {
      const page = await this.sfn.send(new ListExecutionsCommand({ stateMachineArn, statusFilter, nextToken }));
      found.push(...(page.executions ?? []).map(({ executionArn }) => executionArn!));
      nextToken = page.nextToken;
    }
    return found;
  }

  /** Items of RuntimeState. */
  async runtimeItems(): Promise<Record<string, unknown>[]> {
    const items: Record<string, unknown>[] = [];
    for (let ExclusiveStartKey: Record<string, unknown> | undefined, first = true; first || ExclusiveStartKey; first = false) {
      const page = await this.documents.send(
        new ScanCommand({ TableName: this.state.tables.runtime, ConsistentRead: true, ExclusiveStartKey }),
      );
      items.push(...(page.Items ?? []));
      ExclusiveStartKey = page.LastEvaluatedKey;
    }
    return items;
  }

  async uploads(): Promise<string[]> {
    const { Uploads } = await this.s3.send(new ListMultipartUploadsCommand({ Bucket: this.state.bucket }));
    return (Uploads ?? []).map(({ Key }) => Key!);
  }
}
