-- Insert-only tables: parallel UPDATEs of one table would queue and abort. The latest row counts.

CREATE SCHEMA IF NOT EXISTS FIRN;

CREATE SCHEMA IF NOT EXISTS GOLD;

CREATE TABLE IF NOT EXISTS FIRN.TABLE_CONFIGS (
  source VARCHAR NOT NULL,
  database VARCHAR NOT NULL,
  table_name VARCHAR NOT NULL,
  version NUMBER(38, 0) NOT NULL,
  -- NULL: the table was taken out of the configuration
  config VARIANT,
  pushed_at TIMESTAMP_NTZ(6) NOT NULL
);

CREATE TABLE IF NOT EXISTS FIRN.RUN_EVENTS (
  run_id VARCHAR NOT NULL,
  source VARCHAR,
  database VARCHAR,
  table_name VARCHAR,
  event VARCHAR NOT NULL,
  fence NUMBER(38, 0),
  at TIMESTAMP_NTZ(6) NOT NULL,
  -- PREPARED: {plan}; SEALED: {files, rows, bytes, read_as_of}; SUCCEEDED, FAILED, SUPERSEDED, REJECTED: the receipt
  detail VARIANT
);

CREATE TABLE IF NOT EXISTS FIRN.RUN_FILES (
  run_id VARCHAR NOT NULL,
  source VARCHAR NOT NULL,
  database VARCHAR NOT NULL,
  table_name VARCHAR NOT NULL,
  file VARCHAR NOT NULL,
  row_count NUMBER(38, 0) NOT NULL,
  byte_count NUMBER(38, 0) NOT NULL
);

CREATE TABLE IF NOT EXISTS FIRN.RUN_RESULTS (
  run_id VARCHAR NOT NULL,
  source VARCHAR NOT NULL,
  database VARCHAR NOT NULL,
  table_name VARCHAR NOT NULL,
  -- quoted name of the staging table
  staging VARCHAR NOT NULL,
  fence NUMBER(38, 0) NOT NULL,
  rows_loaded NUMBER(38, 0) NOT NULL,
  rows_merged NUMBER(38, 0) NOT NULL,
  rows_inserted NUMBER(38, 0) NOT NULL,
  rows_updated NUMBER(38, 0) NOT NULL,
  rows_unchanged NUMBER(38, 0) NOT NULL,
  rows_superseded NUMBER(38, 0) NOT NULL,
  rows_deleted NUMBER(38, 0) NOT NULL,
  at TIMESTAMP_NTZ(6) NOT NULL
);

CREATE TABLE IF NOT EXISTS FIRN.GOLD_MODELS (
  model VARCHAR NOT NULL,
  kind VARCHAR NOT NULL,
  key_columns VARIANT NOT NULL,
  reads VARIANT NOT NULL,
  -- NULL: the model was taken out of sql/gold
  query VARCHAR,
  checksum VARCHAR NOT NULL,
  deployed_at TIMESTAMP_NTZ(6) NOT NULL
);

CREATE TABLE IF NOT EXISTS FIRN.GOLD_BUILDS (
  build_id VARCHAR NOT NULL,
  model VARCHAR NOT NULL,
  status VARCHAR NOT NULL,
  checksum VARCHAR NOT NULL,
  -- {"STAGING_CLR.ORDERS": "<run id>", "GOLD.DIM_CUSTOMER": "<build id>"}
  inputs VARIANT,
  row_count NUMBER(38, 0),
  message VARCHAR,
  started_at TIMESTAMP_NTZ(6) NOT NULL,
  finished_at TIMESTAMP_NTZ(6) NOT NULL
);

-- Without USE_LOGICAL_TYPE timestamps in microseconds are misread; with BINARY_AS_TEXT bytes become text; NULL_IF would turn text into NULL.
CREATE FILE FORMAT IF NOT EXISTS FIRN.PARQUET_FORMAT
TYPE = PARQUET
USE_LOGICAL_TYPE = TRUE
BINARY_AS_TEXT = FALSE
USE_VECTORIZED_SCANNER = TRUE
NULL_IF = ();
