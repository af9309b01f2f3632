"""Runs the job several times in one Spark session, for tests: `run_jobs.py '[[argument, …], …]'` prints a list of errors or nulls as JSON."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import extract_table
from pyspark import cloudpickle

# Spark's workers get its functions as they get those of a script that is run itself.
cloudpickle.register_pickle_by_value(extract_table)

errors = []
for arguments in json.loads(sys.argv[1]):
    try:
        extract_table.main(arguments)
        errors.append(None)
    except extract_table.FirnError as error:
        errors.append({"code": error.code, "message": error.message})
print(f"errors {json.dumps(errors)}")
