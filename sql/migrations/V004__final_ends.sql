-- As before, but an end that is final stays: what an attempt that was given up prepares afterwards does not count.
CREATE OR REPLACE VIEW FIRN.RUNS COPY GRANTS AS
SELECT
  latest.run_id,
  IFF(latest.event IN ('PREPARED', 'SEALED'), 'RUNNING', latest.event) AS status,
  latest.source,
  latest.database,
  latest.table_name,
  COALESCE(latest.detail:mode::VARCHAR, latest.detail:plan:mode::VARCHAR) AS mode,
  latest.detail:read_as_of::VARCHAR AS read_as_of,
  latest.detail:rows_read::NUMBER AS rows_read,
  results.rows_loaded,
  results.rows_merged,
  results.rows_inserted,
  results.rows_updated,
  results.rows_unchanged,
  results.rows_superseded,
  results.rows_deleted,
  latest.detail:files::NUMBER AS files,
  latest.detail:bytes::NUMBER AS bytes,
  latest.detail:watermark_before::VARCHAR AS watermark_before,
  latest.detail:watermark_after::VARCHAR AS watermark_after,
  COALESCE(latest.detail:started_at::VARCHAR, latest.detail:plan:plannedAt::VARCHAR) AS started_at,
  latest.detail:finished_at::VARCHAR AS finished_at,
  latest.detail:seconds::FLOAT AS seconds,
  latest.detail:warnings AS warnings,
  latest.detail:error:code::VARCHAR AS error_code,
  latest.detail:error:message::VARCHAR AS error_message,
  latest.detail:error:action::VARCHAR AS error_action,
  latest.detail:execution_arn::VARCHAR AS execution_arn,
  latest.detail:log::VARCHAR AS log,
  latest.fence,
  latest.at AS recorded_at
FROM (
  SELECT *
  FROM FIRN.RUN_EVENTS
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY run_id
    ORDER BY
      IFF(event IN ('SUCCEEDED', 'SUPERSEDED', 'REJECTED'), 1, 0) DESC,
      at DESC,
      DECODE(event, 'PREPARED', 0, 'SEALED', 1, 2) DESC
  ) = 1
) AS latest
LEFT JOIN (
  SELECT *
  FROM FIRN.RUN_RESULTS
  QUALIFY ROW_NUMBER() OVER (PARTITION BY run_id ORDER BY at) = 1
) AS results
  ON latest.run_id = results.run_id;
