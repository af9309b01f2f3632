import type { Query } from '../../../core/config/table-configs.js';

interface Row {
  source: string;
  database: string;
  table_name: string;
  version: number;
  config?: unknown;
}

/** FIRN.TABLE_CONFIGS without a Snowflake: the two statements of a push, over a list. test/integration runs them for real. */
export class RecordedInMemory {
  rows: Row[] = [];
  /** Ends every INSERT from now on. */
  failure: Error | null = null;

  readonly query: Query = async (sql, binds) => {
    if (sql.includes('INSERT')) {
      if (this.failure) throw this.failure;
      this.rows.push(...(JSON.parse(binds[0]!) as Row[]));
      return [];
    }
    const latest = new Map<string, Row>();
    for (const row of [...this.rows].sort((a, b) => a.version - b.version))
      latest.set(`${row.source}#${row.database}#${row.table_name}`, row);
    return [...latest.values()].map(({ source, database, table_name, version, config }) => ({
      SOURCE: source,
      DATABASE: database,
      TABLE_NAME: table_name,
      VERSION: version,
      DELETED: config === undefined,
    }));
  };

  /** As FIRN.TABLES shows them: table → version. */
  async tables(): Promise<Record<string, number>> {
    const rows = await this.query('SELECT', []);
    return Object.fromEntries(rows.filter(({ DELETED }) => !DELETED).map(({ TABLE_NAME, VERSION }) => [TABLE_NAME, VERSION]));
  }
}
