import { isDeepStrictEqual } from 'node:util';
import { DeleteCommand, GetCommand, PutCommand, paginateQuery } from '@aws-sdk/lib-dynamodb';
import type { ConfigStore } from '../config/store.js';
import { FirnError } from '../errors.js';
import { checkExport } from './checks.js';
import { type ExportSet, setName } from './load.js';
import { exportsFileSchema } from './schema.js';

/** Export sets in the table TableConfig: `pk` = `#exports`, `sk` = name; a set is one item, so a push of it counts as a whole. */
const pk = '#exports';

export interface StoredSet extends ExportSet {
  pushedAt: string;
}

/** What a push changes. */
export interface SetChange {
  change: 'added' | 'changed' | 'removed';
  name: string;
  exports: number;
}

/** @throws ZodError when the item was not written by `config push` of this version, FirnError ConfigInvalid when the push was not checked */
function fromItem({ sk, path, pushedAt, exports }: Record<string, unknown>): StoredSet {
  const set = { name: String(sk), path: String(path), pushedAt: String(pushedAt), ...exportsFileSchema.parse({ exports }) };
  for (const [index, config] of set.exports.entries()) {
    const [problem] = checkExport(config);
    if (problem) throw new FirnError('ConfigInvalid', `${set.path} exports[${index}].${problem.path.join('.')}: ${problem.message}`);
  }
  return set;
}

export async function readSets({ documents, table }: ConfigStore): Promise<StoredSet[]> {
  const sets: StoredSet[] = [];
  const query = {
    TableName: table,
    ConsistentRead: true,
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': pk },
  };
  for await (const page of paginateQuery({ client: documents }, query)) sets.push(...(page.Items ?? []).map(fromItem));
  return sets;
}

/**
 * The set that the argument of export_tables names: its name, or the path with which it was pushed.
 * @throws FirnError ExportNotConfigured
 */
export async function readSet({ documents, table }: ConfigStore, nameOrPath: string): Promise<StoredSet> {
  const isPath = nameOrPath.includes('/') || /\.ya?ml$/.test(nameOrPath);
  const sk = setName(nameOrPath);
  const { Item } = sk === '' ? {} : await documents.send(new GetCommand({ TableName: table, Key: { pk, sk }, ConsistentRead: true }));
  const found = Item && fromItem(Item);
  if (found && (!isPath || found.path === nameOrPath.replace(/^\.\//, ''))) return found;
  const hint = found ? `: ${found.name} was pushed from ${found.path}` : '';
  throw new FirnError('ExportNotConfigured', `No exports were pushed as ${nameOrPath}${hint}.`);
}

/** What pushing the sets would change. `absent`: what becomes of stored sets that are not among them. */
export function diffSets(stored: StoredSet[], wanted: ExportSet[], absent: 'remove' | 'keep'): SetChange[] {
  const changed = wanted.flatMap(({ name, path, exports }): SetChange[] => {
    const before = stored.find((set) => set.name === name);
    if (before && before.path === path && isDeepStrictEqual(before.exports, exports)) return [];
    return [{ change: before ? 'changed' : 'added', name, exports: exports.length }];
  });
  if (absent === 'keep') return changed;
  const gone = stored.filter((set) => !wanted.some(({ name }) => name === set.name));
  return [...changed, ...gone.map(({ name, exports }): SetChange => ({ change: 'removed', name, exports: exports.length }))];
}

export async function writeSets({ documents, table }: ConfigStore, wanted: ExportSet[], changes: SetChange[]): Promise<void> {
  for (const { change, name } of changes) {
    if (change === 'removed') {
      await documents.send(new DeleteCommand({ TableName: table, Key: { pk, sk: name } }));
      continue;
    }
    const { path, exports } = wanted.find((set) => set.name === name)!;
    const Item = { pk, sk: name, path, exports, pushedAt: new Date().toISOString() };
    await documents.send(new PutCommand({ TableName: table, Item }));
  }
}
