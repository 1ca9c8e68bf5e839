"""How fast the package is, beside the command: the same records, in turns; medians, of the clock and of CPU time.

    python throughput.py LOG.ndjson [RUNS]

The command reads the file and writes to /dev/null on one thread. The package takes Arrow batches of 10,000 rows that are
in memory, as Spark gives them, with and without the main UDM columns. The file's reading is in the command's time, and
the rows' making not in the package's; both are some tens of nanoseconds a record.
"""

import os
import resource
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
        kinds[f"command, {threads}"] = lambda threads=threads: by_command(threads)
        kinds[f"Arrow, event alone, {threads}"] = lambda threads=threads: by_arrow(threads, False)
        kinds[f"Arrow, with columns, {threads}"] = lambda threads=threads: by_arrow(threads, True)
    kinds["convert(bytes), 1"] = lambda data=open(log, "rb").read(): udmap.convert(data)
    taken = {name: [] for name in kinds}
    for _ in range(int(runs)):
        for name, run in kinds.items():
            start, busy = time.perf_counter(), cpu()
            run()
            taken[name].append((time.perf_counter() - start, cpu() - busy))
    print(f"{len(rows)} rows, {size / 1e6:.1f} MB, {runs} runs in turns")
    for name, times in taken.items():
        base = taken["command, 2" if name.endswith("2") else "command, 1"]
        wall, busy = (statistics.median(time[n] for time in times) for n in (0, 1))
        shares = [statistics.median(time[n] for time in base) / median for n, median in enumerate((wall, busy))]
        print(
            f"{name:24} {size / wall / 1e6:7.0f} MB/s {len(rows) / wall / 1e6:6.2f} M rows/s,"
            f" CPU {busy / len(rows) * 1e9:5.0f} ns/row; of the command {shares[0]:5.2f}, by CPU {shares[1]:5.2f}"
        )


def cpu():
    """CPU time of this process and its children so far, in seconds."""
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


if __name__ == "__main__":
    main(*sys.argv[1:])
