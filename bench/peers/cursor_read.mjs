import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [modules, source, table, out] = process.argv.slice(2);
const require = createRequire(path.join(modules, 'index.js'));
const pg = require('pg');
const Cursor = require('pg-cursor');
const load = (name) => import(pathToFileURL(path.join(modules, 'node_modules', name)).href);
const { ParquetWriter } = await load('hyparquet-writer/src/parquet-writer.js');
const { fileWriter } = await load('hyparquet-writer/src/node.js');

const types = { 20: 'INT64', 23: 'INT32', 21: 'INT32', 700: 'DOUBLE', 701: 'DOUBLE', 16: 'BOOLEAN' };
const client = new pg.Client({ connectionString: source });
await client.connect();
const { fields } = await client.query(`SELECT * FROM ${table} LIMIT 0`);
const kinds = fields.map(({ dataTypeID }) => types[dataTypeID] ?? 'STRING');
const schema = [
  { name: 'root', num_children: fields.length },
  ...fields.map(({ name }, i) => ({
    name,
    repetition_type: 'OPTIONAL',
    ...(kinds[i] === 'STRING' ? { type: 'BYTE_ARRAY', converted_type: 'UTF8' } : { type: kinds[i] }),
  })),
];
const parse = { INT64: BigInt, INT32: Number, DOUBLE: Number, BOOLEAN: (text) => text === 't', STRING: String };
const cursor = client.query(new Cursor(`SELECT * FROM ${table}`, [], { rowMode: 'array', types: { getTypeParser: () => (text) => text } }));
const writer = new ParquetWriter({ writer: fileWriter(path.join(out, '0.parquet')), schema });
for (let rows = await cursor.read(100_000); rows.length > 0; rows = await cursor.read(100_000)) {
  const columnData = fields.map(({ name }, i) => ({
    name,
    data: rows.map((row) => (row[i] === null ? null : parse[kinds[i]](row[i]))),
  }));
  await writer.write({ columnData, rowGroupSize: rows.length });
}
await writer.finish();
await client.end();
