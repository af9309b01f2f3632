-- A shop whose rows change: orders of customers, their payments and the coupons they used.
DROP TABLE IF EXISTS availed_coupon_snapshots, payments, orders, customers;
DROP TYPE IF EXISTS order_status;

CREATE TYPE order_status AS ENUM ('new', 'paid', 'shipped', 'returned', 'cancelled');

CREATE TABLE customers (
  id bigint PRIMARY KEY, first_name text NOT NULL, last_name text NOT NULL, email text,
  country char(2) NOT NULL, city text, segment text, created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE orders (
  id bigint PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customers, status order_status NOT NULL,
  amount numeric(12,2), currency char(3) NOT NULL, note text, tags text[], details jsonb,
  ordered_at timestamptz NOT NULL, updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE payments (
  id bigint PRIMARY KEY, order_id bigint NOT NULL REFERENCES orders, method text NOT NULL,
  amount numeric(12,2) NOT NULL, paid_at timestamptz, updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE availed_coupon_snapshots (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id bigint NOT NULL, coupon_code text NOT NULL,
  discount numeric(8,4) NOT NULL, availed_at timestamp NOT NULL, snapshot_date date NOT NULL
);

CREATE INDEX ON orders (updated_at);

-- The same rows on every machine: each value is computed from a hash of its row's number.
CREATE OR REPLACE FUNCTION pg_temp.pick(salt text, n bigint, choices bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS
$$ SELECT ('x' || substr(md5(salt || n), 1, 15))::bit(60)::bigint % choices $$;

INSERT INTO customers
SELECT n,
       (ARRAY['Anna','Björn','Chloé','Дмитрий','Ελένη','فاطمة','花子','민준','Zoë','Nguyễn','José','Łucja'])[1 + pg_temp.pick('first', n, 12)],
       (ARRAY['Müller','García','Иванова','Παπαδόπουλος','الحسن','山田','김','O''Brien','Smith','Søndergård','da Silva','Nowak'])[1 + pg_temp.pick('last', n, 12)],
       CASE WHEN pg_temp.pick('email', n, 20) = 0 THEN NULL ELSE 'customer' || n || '@example.com' END,
       (ARRAY['DE','ES','RU','GR','EG','JP','KR','IE','US','DK','BR','PL'])[1 + pg_temp.pick('country', n, 12)],
       (ARRAY['Köln','Sevilla','Санкт-Петербург','Θεσσαλονίκη','القاهرة','東京','서울','Galway','New York','Århus','São Paulo','Łódź'])[1 + pg_temp.pick('country', n, 12)],
       (ARRAY['consumer','business',NULL])[1 + pg_temp.pick('segment', n, 3)],
       timestamptz '2024-01-01 00:00:00+00' + make_interval(mins => pg_temp.pick('created', n, 700000)::int),
       timestamptz '2025-11-01 00:00:00+00' + make_interval(secs => pg_temp.pick('updated', n, 86400) + 0.123456)
FROM generate_series(1, 3000) n;

INSERT INTO orders
SELECT n,
       1 + pg_temp.pick('customer', n, 3000),
       (ARRAY['new','paid','shipped','returned','cancelled']::order_status[])[1 + pg_temp.pick('status', n, 5)],
       CASE WHEN pg_temp.pick('free', n, 50) = 0 THEN NULL ELSE pg_temp.pick('amount', n, 1000000)::numeric / 100 END,
       (ARRAY['EUR','USD','JPY','BRL'])[1 + pg_temp.pick('currency', n, 4)],
       CASE pg_temp.pick('note', n, 4) WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN 'gift 🎁, leave at the door' ELSE E'two\nlines, "quoted"' END,
       CASE pg_temp.pick('tags', n, 3) WHEN 0 THEN NULL WHEN 1 THEN ARRAY[]::text[] ELSE ARRAY['priority', NULL, 'größe ' || n % 7] END,
       CASE WHEN pg_temp.pick('details', n, 5) = 0 THEN NULL
            ELSE jsonb_build_object('items', 1 + pg_temp.pick('items', n, 9), 'weight_kg', pg_temp.pick('weight', n, 5000)::numeric / 1000, 'coupon', NULL) END,
       timestamptz '2025-01-01 00:00:00+00' + make_interval(secs => pg_temp.pick('ordered', n, 26000000)),
       timestamptz '2025-11-01 00:00:00+00' + make_interval(secs => pg_temp.pick('touched', n, 86400) + 0.5)
FROM generate_series(1, 20000) n;

INSERT INTO payments
SELECT row_number() OVER (ORDER BY o.id, part), o.id,
       (ARRAY['card','bank_transfer','coupon','gift_card'])[1 + pg_temp.pick('method' || part, o.id, 4)],
       round(o.amount / parts, 2), o.ordered_at + make_interval(mins => (5 * part)::int), o.updated_at
FROM orders o, LATERAL (SELECT 1 + pg_temp.pick('parts', o.id, 2) AS parts) p, generate_series(1, parts) part
WHERE o.amount IS NOT NULL AND o.status <> 'new';

INSERT INTO availed_coupon_snapshots (customer_id, coupon_code, discount, availed_at, snapshot_date)
SELECT 1 + pg_temp.pick('c', n, 3000), 'SAVE' || lpad((pg_temp.pick('code', n, 500))::text, 3, '0'),
       pg_temp.pick('discount', n, 10000)::numeric / 10000,
       timestamp '2025-10-01 00:00:00' + make_interval(secs => pg_temp.pick('availed', n, 2600000)), date '2025-11-05' - (n % 5)::int
FROM generate_series(1, 30000) n;
