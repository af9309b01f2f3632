import { createReadStream } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { execa } from 'execa';
import pg from 'pg';
import { from } from 'pg-copy-streams';

export const tables = ['lineitem', 'firenibble', 'orders_wide'] as const;
export type Table = (typeof tables)[number];

const lineitemScript = `
import importlib.util, os, sys, duckdb
c = duckdb.connect(config={'allow_unsigned_extensions': 'true'})
root = os.path.dirname(importlib.util.find_spec('duckdb_extension_tpch').origin)
c.execute(f"LOAD '{root}/extensions/v{duckdb.__version__}/tpch.duckdb_extension'")
c.execute(f"CALL dbgen(sf = {sys.argv[1]})")
c.execute(f"COPY lineitem TO '{sys.argv[2]}' (HEADER false)")
`;

/** Makes the tables unless they are there at this scale. `python` has DuckDB and its tpch extension. */
export async function makeTables(source: string, scale: number, python: string, folder: string): Promise<void> {
  const client = new pg.Client({ connectionString: source });
  await client.connect();
  try {
    const { rows } = await client.query(`SELECT obj_description(to_regclass('lineitem')) AS made`);
    if (rows[0].made === `scale ${scale}`) return;
    await client.query(`DROP TABLE IF EXISTS ${tables.join(', ')} CASCADE`);
    const statements = await readFile(new URL('./tables.sql', import.meta.url), 'utf8');
    await client.query(statements.replaceAll(':scale', String(scale)));
    const csv = join(folder, 'lineitem.csv');
    await execa(python, ['-c', lineitemScript, String(scale), csv]);
    await pipeline(createReadStream(csv), client.query(from('COPY lineitem FROM STDIN (FORMAT csv)')));
    await rm(csv);
    await client.query('ALTER TABLE lineitem ADD PRIMARY KEY (l_orderkey, l_linenumber)');
    await client.query('VACUUM ANALYZE');
    await client.query(`COMMENT ON TABLE lineitem IS 'scale ${scale}'`);
  } finally {
    await client.end();
  }
}
