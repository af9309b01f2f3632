-- Views of a quarter, the whole and four times each table.
DO $$
DECLARE name text; blocks bigint;
BEGIN
  FOREACH name IN ARRAY ARRAY['lineitem', 'firenibble', 'orders_wide'] LOOP
    blocks := pg_relation_size(name::regclass) / current_setting('block_size')::int / 4;
    EXECUTE format('CREATE OR REPLACE VIEW %I AS SELECT * FROM %I WHERE ctid < %L', name || '_1x', name, format('(%s,0)', blocks));
    EXECUTE format('CREATE OR REPLACE VIEW %I AS SELECT * FROM %I', name || '_4x', name);
    EXECUTE format('CREATE OR REPLACE VIEW %1$I AS SELECT * FROM %2$I UNION ALL SELECT * FROM %2$I UNION ALL SELECT * FROM %2$I UNION ALL SELECT * FROM %2$I', name || '_16x', name);
  END LOOP;
END $$;
