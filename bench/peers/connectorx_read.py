import sys, connectorx, pyarrow.parquet

source, table, out, partitions = sys.argv[1:]
# An array of the table has an element that is NULL, which ConnectorX cannot read: as text.
columns = '*' if table != 'orders_wide' else (
    'id, uid, payload, created_at, updated_at, tags::text AS tags, active, amount, score, status, note, qty, ratio, flag2, small, r')
key = {'lineitem': 'l_orderkey', 'firenibble': 'f0', 'orders_wide': 'id'}[table]
ranges = {} if partitions == '1' else {'partition_on': key, 'partition_num': int(partitions)}
data = connectorx.read_sql(source, f'SELECT {columns} FROM {table}', return_type='arrow', **ranges)
pyarrow.parquet.write_table(data, f'{out}/0.parquet', compression='zstd', compression_level=1)
