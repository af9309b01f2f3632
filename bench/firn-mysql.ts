import { mysql } from '../core/source/mysql/source.js';
import { openLocalFile } from '../core/source/sink.js';

/** As firn.ts, of MySQL: `firn-mysql.mjs <url> <table> <folder>`. */
const [source, table, out] = process.argv.slice(2) as [string, string, string];
const { hostname: host, port, username: user, password, pathname } = new URL(source);
const connection = mysql.secretSchema.parse({ host, port, user, password, database: pathname.slice(1), sslmode: 'disable' });
const relation = { schema: connection.database, table };
const session = await mysql.open(connection);
const { columns } = await session.describeTable(relation, {}).finally(() => session.end());
await mysql.extract({
  connection,
  relation,
  columns,
  where: { rowFilter: null, cursor: null, chunk: null },
  constants: {},
  openFile: async (part) => openLocalFile(out, `${table}-${part}.parquet`),
});
