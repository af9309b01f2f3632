-- A shop as MySQL has them. The same rows on every machine: each value is computed from a hash of its row's number.
CREATE FUNCTION pick(salt varchar(20), n bigint, choices bigint) RETURNS bigint DETERMINISTIC
  RETURN CAST(CONV(LEFT(MD5(CONCAT(salt, n)), 14), 16, 10) AS UNSIGNED) % choices;

CREATE TABLE customers (
  id bigint unsigned AUTO_INCREMENT PRIMARY KEY,
  first_name varchar(60) NOT NULL,
  last_name varchar(60) CHARACTER SET latin1 NOT NULL,
  email varchar(120),
  country char(2) CHARACTER SET ascii NOT NULL,
  newsletter tinyint(1) NOT NULL,
  born year,
  created_at datetime NOT NULL,
  updated_at timestamp(6) NOT NULL DEFAULT current_timestamp(6) ON UPDATE current_timestamp(6),
  KEY (updated_at)
);

CREATE TABLE products (
  sku varchar(20) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
  name varchar(100) NOT NULL,
  price decimal(10,2) NOT NULL,
  weight float,
  ean bigint unsigned NOT NULL,
  picture varbinary(64)
);

CREATE TABLE orders (
  id bigint unsigned AUTO_INCREMENT PRIMARY KEY,
  customer_id bigint unsigned NOT NULL,
  status enum('new','paid','shipped','returned','cancelled') NOT NULL,
  amount decimal(12,2),
  amount_with_tax decimal(12,2) AS (amount * 1.19) STORED,
  currency char(3) CHARACTER SET ascii NOT NULL,
  note text,
  tags set('gift','express','fragile','b2b') NOT NULL DEFAULT '',
  details json,
  is_gift bit(1) NOT NULL,
  preparation time,
  ordered_at datetime(3) NOT NULL,
  updated_at timestamp(6) NOT NULL DEFAULT current_timestamp(6) ON UPDATE current_timestamp(6),
  KEY (updated_at),
  FOREIGN KEY (customer_id) REFERENCES customers (id)
);

CREATE TABLE order_lines (
  order_id bigint unsigned,
  line smallint unsigned,
  sku varchar(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  quantity int NOT NULL,
  price decimal(10,2) NOT NULL,
  PRIMARY KEY (order_id, line),
  FOREIGN KEY (order_id) REFERENCES orders (id),
  FOREIGN KEY (sku) REFERENCES products (sku)
);

INSERT INTO customers (id, first_name, last_name, email, country, newsletter, born, created_at, updated_at)
SELECT seq,
  ELT(1 + pick('first', seq, 10), 'Anna', 'Björn', 'Chloé', 'Дмитрий', 'Ελένη', 'فاطمة', '花子', '민준', 'Nguyễn', 'Łucja'),
  ELT(1 + pick('last', seq, 8), 'Müller', 'García', 'O''Brien', 'Smith', 'Søndergård', 'da Silva', 'Dupont – fils', '€uro'),
  IF(pick('email', seq, 20) = 0, NULL, CONCAT('customer', seq, '@example.com')),
  ELT(1 + pick('country', seq, 6), 'DE', 'ES', 'IE', 'US', 'DK', 'BR'),
  pick('newsletter', seq, 2),
  IF(pick('born', seq, 15) = 0, NULL, 1940 + pick('year', seq, 70)),
  '2024-01-01' + INTERVAL pick('created', seq, 40000000) SECOND,
  '2025-06-01' + INTERVAL pick('updated', seq, 40000000000) MICROSECOND
FROM seq_1_to_800;

INSERT INTO products
SELECT CONCAT('SKU-', LPAD(seq, 5, '0')), CONCAT(ELT(1 + pick('thing', seq, 4), 'Teapot', 'Lamp', 'Chair', 'Lämpchen ✨'), ' ', seq),
  1 + pick('price', seq, 50000) / 100, IF(pick('heavy', seq, 9) = 0, NULL, pick('weight', seq, 10000) / 7),
  4000000000000 + pick('ean', seq, 1000000000000), IF(pick('picture', seq, 3) = 0, NULL, UNHEX(CONCAT(MD5(seq), '00')))
FROM seq_1_to_300;

INSERT INTO orders (id, customer_id, status, amount, currency, note, tags, details, is_gift, preparation, ordered_at, updated_at)
SELECT seq, 1 + pick('customer', seq, 800), 1 + pick('status', seq, 5),
  IF(pick('free', seq, 30) = 0, NULL, pick('amount', seq, 90000) / 100 - 20),
  ELT(1 + pick('currency', seq, 3), 'EUR', 'USD', 'DKK'),
  CASE pick('note', seq, 6) WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN 'Bitte klingeln 🔔' ELSE CONCAT('note ', seq) END,
  pick('tags', seq, 16),
  IF(pick('plain', seq, 5) = 0, NULL, JSON_OBJECT('channel', ELT(1 + pick('channel', seq, 3), 'web', 'app', 'shop'), 'items', pick('items', seq, 9))),
  pick('gift', seq, 2), SEC_TO_TIME(pick('preparation', seq, 80000)),
  '2025-01-01' + INTERVAL pick('ordered', seq, 20000000000) * 1000 MICROSECOND,
  '2025-06-01' + INTERVAL pick('changed', seq, 40000000000) MICROSECOND
FROM seq_1_to_4000;

INSERT INTO order_lines
SELECT orders.id, seq, CONCAT('SKU-', LPAD(1 + pick('sku', orders.id * 7 + seq, 300), 5, '0')), 1 + pick('quantity', orders.id + seq, 5),
  1 + pick('price', orders.id + seq, 20000) / 100
FROM orders JOIN seq_1_to_4 ON seq <= 1 + pick('lines', orders.id, 4);

DROP FUNCTION pick;
