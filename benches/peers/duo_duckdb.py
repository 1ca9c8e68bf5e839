"""Runs duo.sql: `duo_duckdb.py THREADS INPUT OUTPUT`. OUTPUT is Parquet if it is called so, else lines."""

import sys
from pathlib import Path

import duckdb

threads, source, target = sys.argv[1:]
database = duckdb.connect(config={"threads": int(threads)})
database.execute("SET VARIABLE input = $1", [source])
database.execute("SET VARIABLE output = $1", [target])
job = Path(__file__).with_name("duo.sql").read_text()
if target.endswith(".parquet"):
    # The same events, as one column of texts.
    job = job[: job.rindex("(FORMAT")] + "(FORMAT parquet, COMPRESSION zstd);"
database.execute(job)
