-- Makes the exports of config/exports.yaml and does not wait for them. Suspended until somebody resumes it.
CREATE TASK IF NOT EXISTS FIRN.EXPORT_ALL
WAREHOUSE = ${warehouse}
SCHEDULE = 'USING CRON 0 5 * * * UTC'
ALLOW_OVERLAPPING_EXECUTION = FALSE
AS
SELECT FIRN.EXPORT_TABLES('exports', OBJECT_CONSTRUCT('wait', FALSE)) AS summary;
