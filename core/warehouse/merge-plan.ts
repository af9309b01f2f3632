import type { Column } from '../column.js';
import type { Plan } from '../plan/plan.js';
import { qualifiedName, quoteIdentifier } from './identifiers.js';

/** What the statements of a merge need of a plan. */
export type MergePlan = Pick<Plan, 'columns' | 'primaryKey' | 'cursor' | 'order' | 'deletes' | 'target' | 'retired'>;

/** Columns of staging that Firn adds behind the source's. */
export const stagingColumns = {
  order: '_FIRN_ORDER',
  run: '_FIRN_RUN',
  hash: '_FIRN_HASH',
  deleted: '_FIRN_DELETED',
  loadedAt: '_FIRN_LOADED_AT',
} as const;

export const stagingTable = (plan: MergePlan): string => qualifiedName(plan.target.stagingSchema, plan.target.stagingTable);

export const columnNames = (plan: MergePlan): string[] => plan.columns.map((column) => quoteIdentifier(column.target));

export const keyColumns = (plan: MergePlan): Column[] =>
  plan.primaryKey.map((key) => {
    const column = plan.columns.find(({ target }) => target === key);
    if (!column) throw new Error(`primary key column ${key} is not among the columns`);
    return column;
  });

/** SQL of a raw row's key, for people. */
export function keyText({ primaryKey }: MergePlan): string {
  if (primaryKey.length === 0) return "'(no key)'";
  return `CONCAT_WS(', ', ${primaryKey.map((name) => `COALESCE(TO_VARCHAR(r.${quoteIdentifier(name)}), 'NULL')`).join(', ')})`;
}
