import { quoteIdentifier, quoteLiteral } from './identifiers.js';
import { keyText, type MergePlan } from './merge-plan.js';
import { committedRows } from './work-table.js';

/** Looks for JSON of a run that a VARIANT does not hold as it is. Pure text, free of Node APIs: the procedures and the tests share it. */

/** Digits of a number that is stored neither as NUMBER(38, 0 to 37) nor, exactly enough to be told from its neighbours, as a double. */
const inexactNumber = [
  '[0-9]{39}',
  '[0-9][0-9.]{39}',
  // With an exponent it is a double: of 17 digits, and of about 308 powers of ten.
  '[1-9][0-9]{16,}[1-9][0-9.]*[eE]',
  '[1-9][0-9.]{17,}[1-9][0-9.]*[eE]',
  '[eE][+]?(309|3[1-9][0-9]|[4-9][0-9][0-9]|[0-9]{4})',
  '[eE]-(32[5-9]|3[3-9][0-9]|[4-9][0-9][0-9]|[0-9]{4})',
].join('|');

/** The JSON without its texts, escaped quotes first. A backslash within a literal would be read in more ways than one. */
const withoutTexts = (value: string): string =>
  `REGEXP_REPLACE(REPLACE(REPLACE(${value}, CHR(92) || CHR(92), ''), CHR(92) || '"', ''), '"[^"]*"', '')`;

/** The first row whose text PARSE_JSON refuses: COLUMN_NAME and ROW_KEY. Null when no column is parsed. */
export const findUnparsableJson = (plan: MergePlan, runIds: string[]): string | null =>
  findJson(plan, runIds, (value) => `${value} <> '' AND TRY_PARSE_JSON(${value}) IS NULL`);

/** The first row with a number that PARSE_JSON would change: COLUMN_NAME and ROW_KEY. Null when no column is parsed. */
export const findInexactJson = (plan: MergePlan, runIds: string[]): string | null =>
  findJson(
    plan,
    runIds,
    // Texts within it are taken out only where there is something to look at.
    (value) => `REGEXP_COUNT(${value}, '${inexactNumber}') > 0
  AND REGEXP_COUNT(${withoutTexts(value)}, '${inexactNumber}') > 0`,
  );

function findJson(plan: MergePlan, runIds: string[], condition: (value: string) => string): string | null {
  const searches = plan.columns
    .filter(({ convert }) => convert === 'parse_json')
    .map(
      ({ target }) => `SELECT ${quoteLiteral(target)} AS COLUMN_NAME, ${keyText(plan)} AS ROW_KEY
${committedRows(plan, runIds)} AND ${condition(`r.${quoteIdentifier(target)}`)}`,
    );
  return searches.length === 0 ? null : `${searches.join('\nUNION ALL\n')}\nLIMIT 1`;
}
