-- Sales of an online shop in the shape of the public data set "Online Retail" (UCI, CC BY 4.0): returns have an invoice number that
-- begins with C and negative quantities, a quarter of the lines has no customer, some stock codes are no products. No key: lines repeat.
DROP TABLE IF EXISTS online_retail;

CREATE TABLE online_retail (
  invoice_no text NOT NULL, stock_code text NOT NULL, description text, quantity integer NOT NULL,
  invoice_date timestamp NOT NULL, unit_price numeric(10, 2) NOT NULL, customer_id integer, country text NOT NULL
);

-- The same rows on every machine: each value is computed from a hash of its row's number.
CREATE OR REPLACE FUNCTION pg_temp.pick(salt text, n bigint, choices bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS
$$ SELECT ('x' || substr(md5(salt || n), 1, 15))::bit(60)::bigint % choices $$;

INSERT INTO online_retail
SELECT
  CASE WHEN is_return THEN 'C' ELSE '' END || (536365 + invoice)::text,
  CASE pg_temp.pick('odd', line, 60)
    WHEN 0 THEN 'POST' WHEN 1 THEN 'M' WHEN 2 THEN 'BANK CHARGES' WHEN 3 THEN 'gift_0001_20'
    ELSE (20000 + product)::text || CASE product % 7 WHEN 0 THEN 'A' WHEN 1 THEN 'b' ELSE '' END
  END,
  CASE pg_temp.pick('description', line, 90)
    WHEN 0 THEN NULL WHEN 1 THEN '?' WHEN 2 THEN 'wrongly coded, "see 22423"'
    ELSE (ARRAY['WHITE','RED','VINTAGE','SET OF 6','JUMBO','MINI'])[1 + product % 6] || ' '
      || (ARRAY['HANGING HEART T-LIGHT HOLDER','RETROSPOT CAKE STAND','LUNCH BAG, APPLE DESIGN','BIRD ORNAMENT','DOORMAT 60 × 40 CM'])[1 + product % 5]
  END,
  CASE WHEN is_return THEN -1 ELSE 1 END * (1 + pg_temp.pick('quantity', line, 24))::integer,
  timestamp '2024-12-01 08:26:00' + make_interval(mins => (invoice * 119)::integer),
  CASE pg_temp.pick('free', line, 200) WHEN 0 THEN 0 ELSE (25 + pg_temp.pick('price', product, 1500))::numeric / 100 END,
  CASE WHEN pg_temp.pick('guest', invoice, 4) = 0 THEN NULL ELSE (12346 + pg_temp.pick('customer', invoice, 900))::integer END,
  (ARRAY['United Kingdom','United Kingdom','United Kingdom','Germany','France','EIRE','Côte d''Ivoire','Unspecified'])[1 + pg_temp.pick('country', invoice, 8)]
FROM (
  SELECT line, line / 6 AS invoice, pg_temp.pick('product', line, 800) AS product, pg_temp.pick('return', line / 6, 12) = 0 AS is_return
  FROM generate_series(1, 24000) AS line
) AS lines;
