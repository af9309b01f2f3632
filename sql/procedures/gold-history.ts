import { heldType } from '../../core/warehouse/ddl.js';
import { qualifiedName, quoteIdentifier, quoteLiteral } from '../../core/warehouse/identifiers.js';
import { columnsOf } from './columns.js';
import type { Model } from './gold-models.js';
import { inTransaction, query, type Snowflake } from './session.js';
import { withWorkTable } from './work-table.js';

/**
 * Keeps each version of a row (slowly changing dimension, type 2): VALID_FROM is inclusive, VALID_TO exclusive and NULL for the current
 * one. The times are those of the builds: when gold learned of a change.
 */
export function buildHistory(snowflake: Snowflake, model: Model): void {
  const gold = qualifiedName('GOLD', model.name);
  withWorkTable(snowflake, `GOLD_${model.name}`, (work, name) => {
    query(snowflake, `CREATE TRANSIENT TABLE ${work} AS\n${model.query}`);
    const columns = columnsOf(snowflake, 'FIRN', name);
    refuseDoubleKeys(snowflake, model, work);
    query(
      snowflake,
      `CREATE TABLE IF NOT EXISTS ${gold} (
${columns.map((column) => `  ${quoteIdentifier(column.name)} ${heldType(column)}`).join(',\n')},
  VALID_FROM TIMESTAMP_NTZ(6) NOT NULL,
  VALID_TO TIMESTAMP_NTZ(6),
  IS_CURRENT BOOLEAN NOT NULL
)`,
    );
    const held = columnsOf(snowflake, 'GOLD', model.name).map((column) => column.name);
    for (const column of columns.filter((one) => !held.includes(one.name))) {
      query(snowflake, `ALTER TABLE ${gold} ADD COLUMN IF NOT EXISTS ${quoteIdentifier(column.name)} ${heldType(column)}`);
    }
    const now = query(snowflake, `SELECT TO_VARCHAR(SYSDATE(), 'YYYY-MM-DD HH24:MI:SS.FF6') AS MOMENT`)[0]?.MOMENT;
    const statements = historyStatements(
      model,
      gold,
      work,
      columns.map((column) => column.name),
      String(now),
    );
    inTransaction(snowflake, () => {
      for (const statement of statements) query(snowflake, statement);
    });
  });
}

function refuseDoubleKeys(snowflake: Snowflake, model: Model, work: string): void {
  const key = model.key.map(quoteIdentifier).join(', ');
  const [row] = query(snowflake, `SELECT ${key} FROM ${work} GROUP BY ${key} HAVING COUNT(*) > 1 LIMIT 1`);
  if (row) throw new Error(`key ${model.key.join(', ')} is not unique: ${Object.values(row).join(', ')}`);
}

/** Closes versions that changed or are gone, then opens those that are new. */
function historyStatements(model: Model, gold: string, work: string, columns: string[], now: string): string[] {
  const sameKey = model.key.map((name) => `t.${quoteIdentifier(name)} = s.${quoteIdentifier(name)}`).join(' AND ');
  const keys = model.key.map((name) => `t.${quoteIdentifier(name)}`).join(', ');
  const changed = columns
    .filter((name) => !model.key.includes(name))
    .map((name) => ` OR t.${quoteIdentifier(name)} IS DISTINCT FROM s.${quoteIdentifier(name)}`)
    .join('');
  const moment = `TO_TIMESTAMP_NTZ(${quoteLiteral(now)})`;
  const names = columns.map(quoteIdentifier).join(', ');
  return [
    `MERGE INTO ${gold} AS t
USING (
SELECT ${keys}
FROM ${gold} AS t
LEFT JOIN ${work} AS s ON ${sameKey}
WHERE t.IS_CURRENT AND (s.${quoteIdentifier(model.key[0] ?? '')} IS NULL${changed})
) AS s
ON ${sameKey} AND t.IS_CURRENT
WHEN MATCHED THEN UPDATE SET VALID_TO = ${moment}, IS_CURRENT = FALSE`,
    `INSERT INTO ${gold} (${names}, VALID_FROM, VALID_TO, IS_CURRENT)
SELECT ${columns.map((name) => `s.${quoteIdentifier(name)}`).join(', ')}, ${moment}, NULL, TRUE
FROM ${work} AS s
LEFT JOIN ${gold} AS t ON ${sameKey} AND t.IS_CURRENT
WHERE t.IS_CURRENT IS NULL`,
  ];
}
