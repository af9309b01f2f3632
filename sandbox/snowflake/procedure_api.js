// The object `snowflake` of a JavaScript procedure. __execute(json) runs a statement and answers json.
// Source: Snowflake documentation, "JavaScript stored procedures API".
globalThis.snowflake = (() => {
  const convert = (value, kind) => {
    if (value === null || value === undefined) return null;
    if (kind === 'JSON') {
      const parsed = JSON.parse(value);
      return parsed === null ? undefined : parsed;
    }
    if (/^DECIMAL|INT(EGER)?$|^DOUBLE|^FLOAT/.test(kind)) return value === 'inf' ? Infinity : value === '-inf' ? -Infinity : Number(value);
    if (/^TIMESTAMP/.test(kind)) return new Date(/[+-]\d\d:\d\d$/.test(value) ? value : `${value}Z`);
    if (kind === 'DATE') return new Date(`${value}T00:00:00Z`);
    if (kind === 'BLOB') return Uint8Array.from(value.match(/../g) || [], (byte) => parseInt(byte, 16));
    return value;
  };
  const sent = (bind, index) => {
    if (bind === undefined || (typeof bind === 'object' && bind !== null && !(bind instanceof Date))) {
      throw new Error(`Unsupported type for binding argument ${index + 1}${typeof bind}`);
    }
    return bind instanceof Date ? { date: bind.getTime() } : bind;
  };

  class ResultSet {
    constructor(found) {
      this.found = found;
      this.at = -1;
    }
    next() {
      return ++this.at < this.found.rows.length;
    }
    index(column) {
      const { columns } = this.found;
      let at = typeof column === 'number' ? column - 1 : columns.indexOf(column);
      if (at < 0 && typeof column === 'string') at = columns.indexOf(column.toUpperCase());
      if (at < 0 || at >= columns.length) throw new Error(`Given column name/index does not exist: ${column}`);
      return at;
    }
    getColumnValue(column) {
      const at = this.index(column);
      return convert(this.found.rows[this.at][at], this.found.kinds[at]);
    }
    getColumnValueAsString(column) {
      const value = this.getColumnValue(column);
      return value === null || value === undefined
        ? null
        : typeof value === 'object' && !(value instanceof Date)
          ? JSON.stringify(value)
          : String(value);
    }
    getColumnCount() {
      return this.found.columns.length;
    }
    getColumnName(index) {
      return this.found.columns[index - 1];
    }
    getColumnSqlType(index) {
      return this.found.kinds[this.index(index)];
    }
    getRowCount() {
      return this.found.rows.length;
    }
    getQueryId() {
      return this.found.queryId;
    }
    getNumRowsAffected() {
      return this.found.affected;
    }
  }

  class Statement {
    constructor(options) {
      if (!options || typeof options.sqlText !== 'string') throw new Error('Missing sqlText');
      this.options = { sqlText: options.sqlText, binds: (options.binds || []).map(sent) };
    }
    execute() {
      const found = JSON.parse(__execute(JSON.stringify(this.options)));
      if (found.error)
        throw Object.assign(new Error(found.error.message), { code: found.error.code, state: found.error.state, stackTraceTxt: '' });
      this.found = found;
      return new ResultSet(found);
    }
    getSqlText() {
      return this.options.sqlText;
    }
    getQueryId() {
      return this.found.queryId;
    }
    getRowCount() {
      return this.found.rows.length;
    }
    getColumnCount() {
      return this.found.columns.length;
    }
    getColumnName(index) {
      return this.found.columns[index - 1];
    }
    getNumRowsAffected() {
      return this.found.affected;
    }
    getNumRowsInserted() {
      return this.found.counts.inserted || 0;
    }
    getNumRowsUpdated() {
      return this.found.counts.updated || 0;
    }
    getNumRowsDeleted() {
      return this.found.counts.deleted || 0;
    }
  }

  const log = () => {};
  return {
    createStatement: (options) => new Statement(options),
    execute: (options) => new Statement(options).execute(),
    log,
    addEvent: log,
    setSpanAttribute: log,
  };
})();

globalThis.__plain = (value) => (value === undefined ? null : value instanceof Date ? value.toISOString() : value);
