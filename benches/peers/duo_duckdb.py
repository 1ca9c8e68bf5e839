"""Runs duo.sql: `duo_duckdb.py THREADS INPUT OUTPUT`."""

import sys
from pathlib import Path

import duckdb

threads, source, target = sys.argv[1:]
database = duckdb.connect(config={"threads": int(threads)})
database.execute("SET VARIABLE input = $1", [source])
database.execute("SET VARIABLE output = $1", [target])
database.execute(Path(__file__).with_name("duo.sql").read_text())
