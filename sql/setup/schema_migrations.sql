-- What the runner of the migrations needs before the first of them.
CREATE SCHEMA IF NOT EXISTS FIRN;

CREATE TABLE IF NOT EXISTS FIRN.SCHEMA_MIGRATIONS (
  version NUMBER(38, 0) NOT NULL,
  name VARCHAR NOT NULL,
  checksum VARCHAR NOT NULL,
  applied_at TIMESTAMP_NTZ(6) NOT NULL
);
