-- What config/environments.yaml says; NULL: nothing is dropped.
CREATE OR REPLACE VIEW FIRN.RETENTION COPY GRANTS AS
SELECT CAST(${rawRetentionDays} AS NUMBER(38, 0)) AS raw_retention_days;
