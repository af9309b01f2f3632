import importlib.util, os, sys, duckdb

source, table, out, threads = sys.argv[1:]
c = duckdb.connect(config={'allow_unsigned_extensions': 'true', 'threads': int(threads)})
root = os.path.dirname(importlib.util.find_spec('duckdb_extension_postgres_scanner').origin)
c.execute(f"LOAD '{root}/extensions/v{duckdb.__version__}/postgres_scanner.duckdb_extension'")
c.execute(f"ATTACH '{source}' AS source (TYPE postgres, READ_ONLY)")
c.execute(f"COPY (SELECT * FROM source.public.{table}) TO '{out}/0.parquet' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)")
