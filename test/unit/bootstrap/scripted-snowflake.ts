import type { Row, Warehouse } from '../../../core/warehouse/snowflake.js';

type Answer = Row[] | Error;
type Binds = unknown[];

/** Stands in for Snowflake: remembers the statements, answers those that a pattern matches (the latest rule first), and nothing to the others. */
export class ScriptedSnowflake implements Warehouse {
  readonly statements: string[] = [];
  closed = false;
  private readonly rules: [RegExp, (sql: string, binds: Binds) => Answer][] = [];

  when(pattern: RegExp, answer: Answer | ((sql: string, binds: Binds) => Answer)): this {
    this.rules.unshift([pattern, typeof answer === 'function' ? answer : () => answer]);
    return this;
  }

  async query(sql: string, binds?: Parameters<Warehouse['query']>[1]): Promise<Row[]> {
    this.statements.push(sql);
    const answer = this.rules.find(([pattern]) => pattern.test(sql))?.[1](sql, (binds ?? []) as Binds) ?? [];
    if (answer instanceof Error) throw answer;
    return answer;
  }

  /** Index of the first statement that matches; fails when there is none. */
  at(pattern: RegExp): number {
    const index = this.statements.findIndex((sql) => pattern.test(sql));
    if (index < 0) throw new Error(`no statement matches ${pattern}:\n${this.statements.join('\n')}`);
    return index;
  }

  ran(pattern: RegExp): boolean {
    return this.statements.some((sql) => pattern.test(sql));
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  submit = () => Promise.reject(new Error('the bootstrap submits nothing'));
  status = this.submit;
  result = this.submit;
  queryExact = this.submit;
}

/** The integrations as DESC shows them. */
export const described = {
  storage: {
    STORAGE_AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/firn-dev-snowflake-storage',
    STORAGE_ALLOWED_LOCATIONS: 's3://firn-dev-raw/,s3://firn-dev-exports/unload/',
    STORAGE_AWS_IAM_USER_ARN: 'arn:aws:iam::999999999999:user/storage',
    STORAGE_AWS_EXTERNAL_ID: 'storage-id',
  },
  api: {
    API_AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/firn-dev-snowflake-api',
    API_AWS_IAM_USER_ARN: 'arn:aws:iam::999999999999:user/api',
    API_AWS_EXTERNAL_ID: 'api-id',
  },
};

export const properties = (shown: Record<string, string>): Row[] =>
  Object.entries(shown).map(([property, property_value]) => ({ property, property_type: 'String', property_value, property_default: '' }));

export const queue = 'arn:aws:sqs:eu-west-1:999999999999:sf-snowpipe-abc';

/** Snowflake as it answers where everything is as it should be. */
export function snowflake(): ScriptedSnowflake {
  return new ScriptedSnowflake()
    .when(/^DESC INTEGRATION FIRN_DEV_STORAGE$/, properties(described.storage))
    .when(/^DESC INTEGRATION FIRN_DEV_API$/, properties(described.api))
    .when(/^UPDATE FIRN.DEPLOYMENT_LOCK SET owner = \?/, [{ 'number of rows updated': 1 }])
    .when(/^SELECT CURRENT_WAREHOUSE/, [{ warehouse: 'FIRN_WH' }])
    .when(/^SHOW PIPES/, [{ name: 'CANARY_PIPE', notification_channel: queue }]);
}
