-- The generated tables. firenibble is the table of PeerDB's benchmark of 2023; orders_wide has NULLs, jsonb, arrays and unbounded numeric.
SELECT setseed(0.5);

CREATE UNLOGGED TABLE firenibble (
  f0 bigint PRIMARY KEY, f1 bigint NOT NULL, f2 bigint NOT NULL, f3 int NOT NULL,
  f4 double precision NOT NULL, f5 double precision NOT NULL, f6 double precision NOT NULL, f7 double precision NOT NULL,
  f8 varchar(32) NOT NULL, f9 varchar(32) NOT NULL, f10 date NOT NULL, f11 date NOT NULL, f12 date NOT NULL,
  f13 varchar(32) NOT NULL, f14 varchar(32) NOT NULL, f15 varchar(32) NOT NULL
);
INSERT INTO firenibble
SELECT i, (random() * 9e18)::bigint, (random() * 9e18)::bigint, (random() * 2e9)::int,
  random(), random() * 1e6, random() * 1e12, random(), md5(i::text), md5((i * 7)::text),
  date '1990-01-01' + (random() * 12000)::int, date '1990-01-01' + (random() * 12000)::int, date '1990-01-01' + (random() * 12000)::int,
  md5((i * 11)::text), md5((i * 13)::text), md5((i * 17)::text)
FROM generate_series(1, (2000000 * :scale)::int) i;

CREATE UNLOGGED TABLE orders_wide (
  id bigint PRIMARY KEY, uid uuid NOT NULL, payload jsonb, created_at timestamptz NOT NULL, updated_at timestamp, tags text[],
  active bool, amount numeric(18,4), score numeric, status text, note text, qty int, ratio double precision, flag2 bool,
  small smallint, r real
);
INSERT INTO orders_wide
SELECT i, md5(i::text)::uuid,
  CASE WHEN i % 10 <> 0 THEN jsonb_build_object('k', i, 'name', 'customer ' || (i % 1000), 'items',
    jsonb_build_array(jsonb_build_object('sku', 'A' || i % 77, 'qty', i % 5), jsonb_build_object('sku', 'B' || i % 91, 'qty', i % 3)),
    'vip', i % 2 = 0) END,
  timestamptz '2020-01-01' + random() * interval '1500 days',
  CASE WHEN i % 3 <> 0 THEN timestamp '2021-01-01' + random() * interval '900 days' END,
  CASE i % 4 WHEN 1 THEN ARRAY[]::text[] WHEN 2 THEN ARRAY['a', 'tag' || i % 50, NULL] WHEN 3 THEN ARRAY['one tag, with "quotes"', 'naïve'] END,
  CASE WHEN i % 7 <> 0 THEN i % 2 = 0 END,
  CASE WHEN i % 5 <> 0 THEN (random() * 2e9 - 1e9)::numeric(18,4) END,
  CASE WHEN i % 6 <> 0 THEN round((random() * 1e6)::numeric, i % 7) END,
  (ARRAY['new', 'paid', 'shipped', 'returned', 'cancelled'])[1 + i % 5],
  CASE WHEN i % 2 <> 0 THEN 'note — ' || repeat(md5(i::text), i % 4) END,
  (random() * 100)::int, random(), i % 3 = 0, (i % 30000)::smallint, random()::real
FROM generate_series(1, (500000 * :scale)::int) i;

CREATE UNLOGGED TABLE lineitem (
  l_orderkey bigint NOT NULL, l_partkey bigint NOT NULL, l_suppkey bigint NOT NULL, l_linenumber int NOT NULL,
  l_quantity numeric(15,2) NOT NULL, l_extendedprice numeric(15,2) NOT NULL, l_discount numeric(15,2) NOT NULL, l_tax numeric(15,2) NOT NULL,
  l_returnflag char(1) NOT NULL, l_linestatus char(1) NOT NULL,
  l_shipdate date NOT NULL, l_commitdate date NOT NULL, l_receiptdate date NOT NULL,
  l_shipinstruct char(25) NOT NULL, l_shipmode char(10) NOT NULL, l_comment varchar(44) NOT NULL
);
