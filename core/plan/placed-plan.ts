import type { Column } from '../column.js';
import type { Plan } from './plan.js';

/** The plan with its columns under the names that PREPARE_TABLE gave them (planned → name in the files, in raw and in staging). */
export function placedPlan<T extends Pick<Plan, 'columns' | 'primaryKey'>>(plan: T, targets: Readonly<Record<string, string>>): T {
  const name = (target: string): string => targets[target] ?? target;
  const columns = plan.columns.map((column): Column => ({ ...column, target: name(column.target) }));
  return { ...plan, columns, primaryKey: plan.primaryKey.map(name) };
}
