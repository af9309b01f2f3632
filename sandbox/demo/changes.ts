import pg from 'pg';

/** What a day does to the shop: new customers, orders and payments, and changed ones. Works on any state of the source. */
const day = `
  WITH new_customers AS (
    INSERT INTO customers (id, first_name, last_name, email, country, city, segment, created_at)
    SELECT (SELECT max(id) FROM customers) + n, 'Ngozi', 'Adébáyọ̀', NULL, 'NG', 'Ìbàdàn', 'consumer', now() FROM generate_series(1, 5) n RETURNING id
  ), new_orders AS (
    INSERT INTO orders (id, customer_id, status, amount, currency, note, tags, details, ordered_at)
    SELECT (SELECT max(id) FROM orders) + n, n, 'paid', 10.05 * n, 'EUR', 'new today ✓', ARRAY['priority'], jsonb_build_object('items', n), now()
    FROM generate_series(1, 20) n RETURNING id, amount
  ), new_payments AS (
    INSERT INTO payments (id, order_id, method, amount, paid_at)
    SELECT (SELECT max(id) FROM payments) + row_number() OVER (), id, 'card', amount, now() FROM new_orders
  ), moved AS (
    UPDATE customers SET city = 'Zürich', country = 'CH', updated_at = now() WHERE id <= 3
  )
  UPDATE orders SET status = 'shipped', updated_at = now() WHERE id <= 10`;

export async function liveADay(client: pg.Client): Promise<void> {
  await client.query(day);
}

/**
 * A transaction that has stamped its row and is not done: its `updated_at` will be older than much that is committed before it.
 * @returns how to let it commit
 */
export async function beginLateOrder(adminUrl: string): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  await client.query('BEGIN');
  await client.query(
    `INSERT INTO orders (id, customer_id, status, amount, currency, note, ordered_at)
     SELECT least(min(id), 0) - 1, 1, 'new', 0.01, 'EUR', 'stamped early, committed late', now() FROM orders`,
  );
  return async () => {
    await client.query('COMMIT');
    await client.end();
  };
}
