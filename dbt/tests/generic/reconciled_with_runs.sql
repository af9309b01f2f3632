{#-
  What Firn counted is what is there: the rows of a staging table are the rows that its runs inserted less those that they deleted
  (FIRN.RUN_RESULTS). Fails with both counts when they differ.
-#}
{% test reconciled_with_runs(model) %}
WITH counted AS (
  SELECT SUM(rows_inserted - rows_deleted) AS row_count
  FROM {{ source('firn', 'RUN_RESULTS') }}
  WHERE staging = '"{{ model.schema }}"."{{ model.identifier }}"'
), present AS (
  SELECT COUNT(*) AS row_count FROM {{ model }} WHERE NOT _FIRN_DELETED
)
SELECT counted.row_count AS counted_rows, present.row_count AS present_rows
FROM counted CROSS JOIN present
WHERE counted.row_count IS DISTINCT FROM present.row_count
{% endtest %}
