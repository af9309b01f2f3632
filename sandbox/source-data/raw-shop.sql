-- The raw tables of a small shop, filled from the CSV files beside this one.
DROP TABLE IF EXISTS raw_payments, raw_orders, raw_customers;

CREATE TABLE raw_customers (id integer PRIMARY KEY, first_name text NOT NULL, last_name text NOT NULL);

CREATE TABLE raw_orders (id integer PRIMARY KEY, user_id integer NOT NULL, order_date date NOT NULL, status text NOT NULL);

-- Amounts are in cents.
CREATE TABLE raw_payments (id integer PRIMARY KEY, order_id integer NOT NULL, payment_method text NOT NULL, amount integer NOT NULL);
