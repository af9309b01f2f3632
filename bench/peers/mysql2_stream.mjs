// Rows of MySQL as mysql2 streams them at its fastest, thrown away: nothing is converted or written.
import mysql from 'mysql2';

const [source, table] = process.argv.slice(2);
const connection = mysql.createConnection({ uri: source, rowsAsArray: true, typeCast: false });
const stream = connection.query(`SELECT * FROM ${table}`).stream({ highWaterMark: 1000 });
let rows = 0;
for await (const _ of stream) rows++;
connection.end();
console.error(`${rows} rows`);
