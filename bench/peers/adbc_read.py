import sys, adbc_driver_postgresql.dbapi, pyarrow.parquet

source, table, out = sys.argv[1:]
with adbc_driver_postgresql.dbapi.connect(source) as connection, connection.cursor() as cursor:
    cursor.execute(f'SELECT * FROM {table}')
    batches = cursor.fetch_record_batch()
    with pyarrow.parquet.ParquetWriter(f'{out}/0.parquet', batches.schema, compression='zstd', compression_level=1) as writer:
        for batch in batches:
            writer.write_batch(batch)
