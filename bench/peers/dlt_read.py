import os, sys

source, table, out = sys.argv[1:]
os.environ.update(RUNTIME__LOG_LEVEL='ERROR', RUNTIME__DLTHUB_TELEMETRY='false', DLT_DATA_DIR=f'{out}/.state')
import dlt
from dlt.sources.sql_database import sql_table

pipeline = dlt.pipeline('bench', destination=dlt.destinations.filesystem(f'file://{out}'), dataset_name='bench', pipelines_dir=f'{out}/.state')
# SQLAlchemy would look for psycopg 3.
url = source.replace('postgresql://', 'postgresql+psycopg2://', 1)
pipeline.run(sql_table(url, table=table, backend='pyarrow', chunk_size=100_000), loader_file_format='parquet')
