import { describeTable } from '../core/source/postgres/catalog.js';
import { connect, postgresSecretSchema } from '../core/source/postgres/connection.js';
import { extract } from '../core/source/postgres/extract.js';
import { openLocalFile } from '../core/source/sink.js';

/** The extraction alone, as `firn extract` calls it, to be bundled as the functions are: without what the command line costs to start. */
const [source, table, out, connections] = process.argv.slice(2) as [string, string, string, string];
const { hostname: host, port, username: user, password, pathname } = new URL(source);
const connection = postgresSecretSchema.parse({ host, port, user, password, database: pathname.slice(1), sslmode: 'disable' });
const relation = { schema: 'public', table };
const session = await connect(connection);
const { columns } = await describeTable(session, relation);
await extract({
  connection,
  session,
  relation,
  columns,
  where: { rowFilter: null, cursor: null, chunk: null },
  constants: {},
  connections: Number(connections),
  openFile: (part) => openLocalFile(out, `${table}-${part}.parquet`),
});
