import { describe, expect, it } from 'vitest';
import { procedureError } from '../../../core/warehouse/procedure-error.js';
import { warehouseError } from '../../../core/warehouse/statement-error.js';

describe('the error that a procedure threw', () => {
  it.each([
    [
      'as Snowflake wraps it',
      "JavaScript execution error: Uncaught Error: FIRN:DeleteFractionExceeded: PostgreSQL clr.orders: 3 of 4 rows are gone in PROCESS_TABLE at '    throw new Error(`FIRN' position 8\nstackstrace: \nfail line: 12",
    ],
    [
      'as the sandbox wraps it',
      'JavaScript execution error: Error: FIRN:DeleteFractionExceeded: PostgreSQL clr.orders: 3 of 4 rows are gone\n    at fail (<input>:11)\n in FIRN.PROCESS_TABLE',
    ],
    ['bare', 'FIRN:DeleteFractionExceeded: PostgreSQL clr.orders: 3 of 4 rows are gone'],
  ])('%s', (_, message) => {
    expect(procedureError(message)?.toRecord()).toMatchObject({
      code: 'DeleteFractionExceeded',
      message: 'PostgreSQL clr.orders: 3 of 4 rows are gone',
    });
  });

  it.each(['SQL compilation error', 'FIRN:NoSuchCode: text'])('none in: %s', (message) => {
    expect(procedureError(message)).toBeUndefined();
  });
});

it.each([
  [{ code: '002003', message: "Table 'X' does not exist or not authorized." }, 'WarehousePermissionDenied'],
  [{ code: 390144, message: 'JWT token is invalid.' }, 'WarehouseCredentialsRejected'],
  [{ code: 401001, message: 'Network error. Could not reach Snowflake.' }, 'WarehouseUnreachable'],
  [{ code: '001003', message: 'SQL compilation error:\nsyntax error line 1' }, 'WarehouseStatementFailed'],
  [new Error('FIRN:Superseded: taken over'), 'Superseded'],
  [
    {
      code: 100183,
      message:
        "JavaScript execution error: Uncaught Error: SQL compilation error:\nObject 'LEDGER' does not exist or not authorized. in PROCESS_TABLE at 'execute (x)' position 0\nstackstrace: execute (<input>:78)\nat main (<input>:3)",
    },
    'WarehousePermissionDenied',
  ],
])('%j is %s', (error, code) => {
  const mapped = warehouseError(error, 'SELECT 1');
  expect(mapped.code).toBe(code);
  expect(mapped.message).not.toContain('\n');
  expect(mapped.message).not.toContain('stackstrace');
});
