import { FirnError } from '../../../core/errors.js';
import type { RunRef } from '../../../core/plan/plan.js';

/** A warehouse in memory: a set of numbers per table; the MERGE checks the fence in its transaction, as FIRN.PROCESS_TABLE does. */
export class WarehouseModel {
  readonly staging = new Map<string, Set<number>>();
  /** Runs by the fences with which they were prepared, of each table. */
  private readonly prepared = new Map<string, Map<number, string>>();
  private readonly merged = new Map<string, { table: string; fence: number }>();

  prepare({ runId, table }: RunRef, fence: number): void {
    const owners = this.prepared.get(table) ?? new Map<number, string>();
    this.prepared.set(table, owners);
    if ((owners.get(fence) ?? runId) !== runId) throw new Error(`fence ${fence} belongs to two runs of ${table}`);
    owners.set(fence, runId);
  }

  /** @throws FirnError Superseded when newer rows were merged */
  refuseOlderRows({ runId, table }: RunRef, fence: number): void {
    for (const [other, merge] of this.merged) {
      if (other !== runId && merge.table === table && merge.fence > fence) throw new FirnError('Superseded', 'Newer rows were merged.');
    }
  }

  /** Rows `from` to `to`. A second call of a run changes nothing. @throws FirnError Superseded */
  merge({ runId, table }: RunRef, fence: number, from: number, to: number): void {
    if (this.merged.has(runId)) return;
    if (Math.max(...this.prepared.get(table)!.keys()) > fence) throw new FirnError('Superseded', 'A greater fence was prepared.');
    const staging = this.staging.get(table) ?? new Set();
    for (let row = from; row <= to; row++) staging.add(row);
    this.staging.set(table, staging);
    this.merged.set(runId, { table, fence });
  }
}
