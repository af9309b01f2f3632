-- Drops raw rows that no replay needs any more. Suspended until somebody resumes it.
CREATE TASK IF NOT EXISTS FIRN.PRUNE_RAW
WAREHOUSE = ${warehouse}
SCHEDULE = 'USING CRON 30 3 * * * UTC'
ALLOW_OVERLAPPING_EXECUTION = FALSE
AS
CALL FIRN.PRUNE_RAW();
