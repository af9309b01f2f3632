-- The order of the run's rows: a run whose rows are older than merged ones must not be merged after them. NULL: of a merge of several runs.
ALTER TABLE FIRN.RUN_RESULTS ADD COLUMN IF NOT EXISTS row_order VARCHAR;
