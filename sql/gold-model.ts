import { createHash } from 'node:crypto';

/** A model of gold: one SELECT, and how its result is kept. */
export interface GoldModel {
  /** Name in schema GOLD, upper case. */
  name: string;
  /** `table`: replaced by each build. `history`: each version of a row, with VALID_FROM, VALID_TO and IS_CURRENT. */
  kind: 'table' | 'history';
  /** Columns that identify a row; `history` needs them. */
  key: string[];
  /** `STAGING_….TABLE` and `GOLD.MODEL`, upper case. */
  reads: string[];
  query: string;
  checksum: string;
}

const list = (text: string): string[] =>
  text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');

/** Reads a file of sql/gold: lines `-- model: X`, `-- kind: table|history`, `-- key: A, B`, `-- reads: S.T, …`, then the SELECT. */
export function parseModel(text: string): GoldModel {
  const header = Object.fromEntries(
    [...text.matchAll(/^-- (model|kind|key|reads): *(.*)$/gm)].map((match) => [match[1], match[2]!.trim()]),
  );
  const { model = '', kind, key = '', reads = '' } = header;
  const query = text
    .replace(/^-- (model|kind|key|reads):.*\n/gm, '')
    .trim()
    .replace(/;$/, '');
  if (!/^[A-Z][A-Z0-9_]*$/.test(model)) throw new Error(`a gold model has no name in upper case: -- model: ${model}`);
  if (kind !== 'table' && kind !== 'history') throw new Error(`gold model ${model}: kind must be table or history`);
  if (kind === 'history' && list(key).length === 0) throw new Error(`gold model ${model}: history needs a key`);
  if (list(reads).length === 0) throw new Error(`gold model ${model}: reads names no table`);
  const unread = [...query.matchAll(/\b(?:GOLD|STAGING_\w+)\.\w+/g)].map(([name]) => name).find((name) => !list(reads).includes(name));
  if (unread) throw new Error(`gold model ${model}: reads does not name ${unread}`);
  return { name: model, kind, key: list(key), reads: list(reads), query, checksum: createHash('sha256').update(text).digest('hex') };
}

/** Records the models as deployed: new and changed ones, and those that are gone. Rows are only inserted. */
export function deployModels(models: GoldModel[]): { sql: string; binds: (string | null)[] }[] {
  const latest = `(SELECT * FROM FIRN.GOLD_MODELS QUALIFY ROW_NUMBER() OVER (PARTITION BY model ORDER BY deployed_at DESC) = 1) AS latest`;
  const insert = 'INSERT INTO FIRN.GOLD_MODELS (model, kind, key_columns, reads, query, checksum, deployed_at)';
  const present = models.map(({ name, kind, key, reads, query, checksum }) => ({
    sql: `${insert}
SELECT ?, ?, PARSE_JSON(?), PARSE_JSON(?), ?, ?, SYSDATE()
WHERE NOT EXISTS (SELECT 1 FROM ${latest} WHERE latest.model = ? AND latest.checksum = ?)`,
    binds: [name, kind, JSON.stringify(key), JSON.stringify(reads), query, checksum, name, checksum],
  }));
  const gone = {
    sql: `${insert}
SELECT latest.model, latest.kind, latest.key_columns, latest.reads, NULL, 'removed', SYSDATE()
FROM ${latest}
WHERE latest.query IS NOT NULL AND latest.model NOT IN (${['?', ...models.map(() => '?')].join(', ')})`,
    // No model has the empty name: without it, an empty list would not parse.
    binds: ['', ...models.map(({ name }) => name)],
  };
  return [...present, gone];
}
