"""How fast the package is, beside the command: the same records, in turns; medians.

    python throughput.py LOG.ndjson [RUNS]

The command reads the file and writes to /dev/null on one thread. The package takes Arrow batches of 10,000 rows that are
in memory, as Spark gives them, with and without the main UDM columns. The file's reading is in the command's time, and
the rows' making not in the package's; both are some tens of nanoseconds a record.
"""

import os
import statistics
import subprocess
import sys
import time

import pyarrow as pa
import udmap


def main(log, runs=9):
    command = os.environ.get("UDMAP", "udmap")
    rows = open(log, "rb").read().split(b"\n")[:-1]
    size = os.path.getsize(log)
    table = pa.table({"value": pa.array(rows, pa.binary())})
    batches = table.to_batches(max_chunksize=10_000)

    def by_command(threads):
        arguments = ["convert", log, "-q", "-o", "/dev/null", "--max-rejects", str(len(rows)), "--threads", threads]
        subprocess.run([command, *map(str, arguments)], check=True)

    def by_arrow(threads, columns):
        reader = pa.RecordBatchReader.from_batches(batches[0].schema, batches)
        made = udmap.convert_batches(reader, columns=columns, threads=threads)
        assert sum(batch.num_rows for batch in made) >= len(rows) * 0.99

    kinds = {}
    for threads in (1, 2):
        kinds[f"command, {threads} thread(s)"] = lambda threads=threads: by_command(threads)
        kinds[f"Arrow, event alone, {threads}"] = lambda threads=threads: by_arrow(threads, False)
        kinds[f"Arrow, with columns, {threads}"] = lambda threads=threads: by_arrow(threads, True)
    kinds["convert(bytes), 1"] = lambda data=open(log, "rb").read(): udmap.convert(data)
    taken = {name: [] for name in kinds}
    for _ in range(int(runs)):
        for name, run in kinds.items():
            start = time.perf_counter()
            run()
            taken[name].append(time.perf_counter() - start)
    print(f"{len(rows)} rows, {size / 1e6:.1f} MB, {runs} runs in turns")
    for name, times in taken.items():
        median = statistics.median(times)
        share = statistics.median(taken[f"command, {2 if name.endswith('2') or '2 thread' in name else 1} thread(s)"]) / median
        print(
            f"{name:28} {size / median / 1e6:7.0f} MB/s {len(rows) / median / 1e6:6.2f} M rows/s"
            f" {median / len(rows) * 1e9:6.0f} ns/row  {share:5.2f} of the command"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
