import pg from 'pg';

/** How much changes. */
export interface Changes {
  inserts: number;
  updates: number;
  deletes: number;
}

/** One row that was changed, for a reader. */
export interface Change {
  kind: 'insert' | 'update' | 'delete';
  table: string;
  id: number;
  what: string;
}

/**
 * Lets the shop of raw_customers, raw_orders and raw_payments live a little: new orders with a payment (one in three by a new customer),
 * orders that go on to their next status and customers who change their name, orders that are deleted with their payments.
 * All in one transaction.
 * @param adminUrl connection of a superuser to the source
 */
export async function simulate(adminUrl: string, { inserts, updates, deletes }: Changes): Promise<Change[]> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    await client.query('BEGIN');
    const changes = [
      ...(await repeat(inserts, (n) => placeOrder(client, n % 3 === 0))),
      ...(await repeat(updates, (n) => (n % 4 === 3 ? renameCustomer(client) : moveOrder(client)))),
      ...(await repeat(deletes, () => deleteOrder(client))),
    ];
    await client.query('COMMIT');
    return changes;
  } finally {
    await client.end();
  }
}

async function repeat(times: number, change: (n: number) => Promise<Change[]>): Promise<Change[]> {
  const changes: Change[] = [];
  for (let n = 0; n < times; n += 1) changes.push(...(await change(n)));
  return changes;
}

const nextId = (table: string): string => `(SELECT coalesce(max(id), 0) + 1 FROM ${table})`;
const any = (table: string): string => `(SELECT id FROM ${table} ORDER BY random() LIMIT 1)`;

async function placeOrder(client: pg.Client, byNewCustomer: boolean): Promise<Change[]> {
  const changes: Change[] = [];
  if (byNewCustomer) {
    const { rows } = await client.query(
      `INSERT INTO raw_customers SELECT ${nextId('raw_customers')}, first_name, last_name FROM raw_customers ORDER BY random() LIMIT 1 RETURNING *`,
    );
    changes.push(...rows.map((row) => insert('raw_customers', row, `${row.first_name} ${row.last_name}`)));
  }
  const customer = byNewCustomer ? '(SELECT max(id) FROM raw_customers)' : any('raw_customers');
  const orders = await client.query(
    `INSERT INTO raw_orders VALUES (${nextId('raw_orders')}, ${customer}, current_date, 'placed') RETURNING *`,
  );
  const payments = await client.query(
    `INSERT INTO raw_payments VALUES (${nextId('raw_payments')}, $1,
       (ARRAY['credit_card', 'coupon', 'bank_transfer', 'gift_card'])[1 + floor(random() * 4)::int], 100 * (1 + floor(random() * 30))::int) RETURNING *`,
    [orders.rows[0].id],
  );
  return [
    ...changes,
    ...orders.rows.map((row) => insert('raw_orders', row, `customer ${row.user_id}`)),
    ...payments.rows.map((row) =>
      insert('raw_payments', row, `order ${row.order_id}, ${row.payment_method} ${(row.amount / 100).toFixed(2)}`),
    ),
  ];
}

const insert = (table: string, { id }: { id: number }, what: string): Change => ({ kind: 'insert', table, id, what });

async function moveOrder(client: pg.Client): Promise<Change[]> {
  const { rows } = await client.query(
    `UPDATE raw_orders SET status = CASE old.status WHEN 'placed' THEN 'shipped' WHEN 'shipped' THEN 'completed' WHEN 'completed' THEN 'return_pending' ELSE 'returned' END
     FROM (SELECT id, status FROM raw_orders WHERE status <> 'returned' ORDER BY random() LIMIT 1) AS old
     WHERE raw_orders.id = old.id RETURNING raw_orders.id, old.status AS before, raw_orders.status AS after`,
  );
  return rows.map(({ id, before, after }) => ({ kind: 'update', table: 'raw_orders', id, what: `${before} → ${after}` }));
}

async function renameCustomer(client: pg.Client): Promise<Change[]> {
  const { rows } = await client.query(
    `UPDATE raw_customers SET last_name = chr(65 + floor(random() * 26)::int) || '.' WHERE id = ${any('raw_customers')} RETURNING *`,
  );
  return rows.map((row) => ({ kind: 'update', table: 'raw_customers', id: row.id, what: `now ${row.first_name} ${row.last_name}` }));
}

async function deleteOrder(client: pg.Client): Promise<Change[]> {
  const { rows: orders } = await client.query(`DELETE FROM raw_orders WHERE id = ${any('raw_orders')} RETURNING *`);
  const gone = orders.map(({ id }) => id);
  const { rows: payments } = await client.query('DELETE FROM raw_payments WHERE order_id = ANY($1) RETURNING *', [gone]);
  return [
    ...orders.map((row): Change => ({ kind: 'delete', table: 'raw_orders', id: row.id, what: row.status })),
    ...payments.map((row): Change => ({ kind: 'delete', table: 'raw_payments', id: row.id, what: `order ${row.order_id}` })),
  ];
}
