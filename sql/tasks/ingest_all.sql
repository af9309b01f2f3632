-- Starts a run of every configured table and does not wait for it. Suspended until somebody resumes it.
CREATE TASK IF NOT EXISTS FIRN.INGEST_ALL
WAREHOUSE = ${warehouse}
SCHEDULE = 'USING CRON 0 * * * * UTC'
ALLOW_OVERLAPPING_EXECUTION = FALSE
AS
SELECT FIRN.INGEST_TABLE(source, database, table_name, OBJECT_CONSTRUCT('wait', FALSE)) AS receipt FROM FIRN.TABLES;
