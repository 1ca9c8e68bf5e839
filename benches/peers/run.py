"""Does udmap's job with rival tools, checks that all give the same events, and prints who is how fast.

`python3 benches/peers/run.py --help` says how; README.md beside this file says how to read the tables.
"""

import argparse
import json
import math
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections import Counter
from datetime import date
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WORK = ROOT / "target" / "peers"
UDMAP = ROOT / "target" / "release" / "udmap"
PEERS, VRL = WORK / "release" / "udmap-peers", WORK / "release" / "udmap-peers-vrl"
PYTHON, JAQ = WORK / "venv" / "bin" / "python", WORK / "jaq" / "bin" / "jaq"
JAQ_VERSION = "3.1.2"
CHECKED = 20_000  # records

CORPORA = {
    "mix": "v2=70,v1=25,awkward=5",
    "v2": "v2",
    "v1": "v1",
    "shuffled": "shuffled",
    "awkward": "awkward",
    "auth": "authentication",
}
# Corpora that other tables than telephony's are for, and the rivals that know these.
OTHER_TABLES = {"auth": ["simd-json"], "nested60": ["simd-json", "serde-value"]}

# What a tool can't do: why, and the records or texts that are then held to less.
FLOATS = "numbers are floats: other digits of the same number, times to their precision"
INFINITE = re.compile(rb"[:\[,]\s*-?[0-9][0-9.]*[eE]\+?[0-9]{3}")
FIRST = "of two equal keys the first counts"
EXPONENT = "numbers get another spelling (`1E5` is `1e+5`)"
ZERO = "`-0` is `0`"


class Tool:
    """A way to do the job: `command` takes the input file's path and writes events to stdout."""

    def __init__(self, name, version, command, threads=1, share=1.0, floats=None, first=False, finite=False):
        self.name, self.version, self.command, self.threads = name, version, command, threads
        self.share = share  # of the corpus that it is timed on
        self.floats, self.first = floats, first
        self.finite = finite  # refuses numbers beyond a double's range, so gets no records with one
        self.runs = []


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def build():
    """Builds everything that is not there yet; says what can't be had."""
    cargo = ["cargo", "build", "--quiet", "--release", "--locked"]
    subprocess.run([*cargo, "--manifest-path", ROOT / "Cargo.toml"], check=True)
    # One by one: together they would share features, which breaks VRL's numbers.
    for package in ["udmap-peers", "udmap-peers-vrl"]:
        subprocess.run([*cargo, "-p", package, "--target-dir", WORK], check=True, cwd=HERE)
    missing = []
    if not JAQ.exists():
        install = ["cargo", "install", "--quiet", "--locked", "--root", WORK / "jaq", "--target-dir", WORK]
        if subprocess.run([*install, "--version", JAQ_VERSION, "jaq"], cwd=HERE).returncode:
            missing.append("jaq")
    if not shutil.which("jq"):
        missing.append("jq")
    if not PYTHON.exists():
        subprocess.run([sys.executable, "-m", "venv", PYTHON.parent.parent], check=True)
    pip = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if subprocess.run([*pip, "-r", HERE / "requirements.txt"]).returncode:
        missing += ["Python orjson", "DuckDB"]
    return missing


def tools(missing):
    """All that can be had."""
    lock = (HERE / "Cargo.lock").read_text()
    pins = dict(line.split("==") for line in (HERE / "requirements.txt").read_text().split())
    crate = lambda name: re.search(rf'name = "{name}"\nversion = "(.*?)"', lock)[1]
    python = output(PYTHON, "--version").split()[-1]
    convert = lambda *options: lambda file: [UDMAP, "convert", "-q", *options, file]
    rival = lambda name: lambda file: [PEERS, name, file]
    script = lambda *args: lambda file: [PYTHON, HERE / "duo.py", *args, file]
    duck = lambda threads: lambda file: [PYTHON, HERE / "duo_duckdb.py", threads, file, "/dev/stdout"]
    udmap = output(UDMAP, "--version").split()[-1]
    found = [Tool("udmap", udmap, convert("--threads", "1"))]
    found += [Tool("udmap", udmap, convert("--threads", "2"), threads=2)]
    for engine in ["avx2", "portable", "exact"]:
        found.append(Tool(f"udmap, {engine}", udmap, convert("--threads", "1", "--engine", engine)))
    found += [
        Tool("sonic-rs, lazy, spliced", crate("sonic-rs"), rival("sonic-rs")),
        Tool("simd-json tape, spliced", crate("simd-json"), rival("simd-json"), floats=ZERO),
        Tool("serde_json typed, spliced", crate("serde_json"), rival("serde-typed")),
        Tool("serde_json Value", crate("serde_json"), rival("serde-value"), share=0.5, floats=EXPONENT),
        Tool("VRL", crate("vrl"), lambda file: [VRL, "vrl", file], share=0.2, floats=FLOATS, finite=True),
        Tool("DuckDB", pins["duckdb"], duck("1"), share=0.5, floats=FLOATS, first=True),
        Tool("DuckDB", pins["duckdb"], duck("2"), threads=2, share=0.5, floats=FLOATS, first=True),
        Tool("Python orjson", f"{pins['orjson']}, {python}", script("orjson"), share=0.2, floats=ZERO),
        Tool("Python json", python, script("json"), share=0.1),
    ]
    if "jq" not in missing:
        jq = output("jq", "--version").removeprefix("jq-")
        found.append(Tool("jq", jq, lambda file: ["jq", "-cf", HERE / "duo.jq", file], share=0.03, floats=FLOATS))
    found.append(Tool("jaq", JAQ_VERSION, lambda file: [JAQ, "-cf", HERE / "duo.jq", file], share=0.03, floats=FLOATS))
    return [tool for tool in found if tool.name not in missing]


def cut(path, share):
    """The first part of a file, in whole lines, as a file of its own."""
    if share >= 1:
        return path
    part = path.with_suffix(f".{share}.ndjson")
    with open(path, "rb") as source, open(part, "wb") as target:
        target.write(source.read(int(path.stat().st_size * share)))
        target.write(source.readline())
    return part


def given(tool, path):
    """What a tool gets of a file: all of it, or all but what it is known to refuse."""
    if not tool.finite:
        return path
    part = path.with_suffix(".finite.ndjson")
    with open(path, "rb") as source, open(part, "wb") as target:
        target.writelines(line for line in source if not INFINITE.search(line))
    return part


def corpora(megabytes):
    """The corpora's files, made by `udmap generate` and, for the nested one, by the harness."""
    files = {}
    for name, mix in CORPORA.items():
        # Awkward records are about 300 bytes long; the smallest are v2's, of about 210. Those of authentication have 1,500.
        count = megabytes * 1_048_576 // (1200 if name == "auth" else 200)
        files[name] = file = WORK / f"{name}.{megabytes}.ndjson"
        if not file.exists():
            subprocess.run([UDMAP, "generate", "--records", str(count), "--mix", mix, "-o", file], check=True)
    files["nested60"] = file = WORK / f"nested60.{megabytes}.ndjson"
    with open(file, "wb") as target:
        count = str(megabytes * 1_048_576 // 1200)
        subprocess.run([PEERS, "nested60-records", count], check=True, stdout=target)
    return files


# Checking.


def seconds(text):
    """A time as a number of seconds; none of Python's own types knows the year 10000."""
    found = re.fullmatch(r"\+?(\d+)-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d+)?Z", text)
    if not found:
        return None
    year, month, day, hour, minute, second = map(int, found.groups()[:6])
    days = date(2000 + year % 400, month, day).toordinal() + (year - 2000 - year % 400) // 400 * 146_097
    return ((days * 24 + hour) * 60 + minute) * 60 + second + float(found[7] or 0)


def close(ours, theirs):
    """Whether two texts are the same number, or the same time, to a float's precision."""
    try:
        ours, theirs = float(ours), float(theirs)
        highest = sys.float_info.max
        return math.isclose(max(min(ours, highest), -highest), max(min(theirs, highest), -highest), rel_tol=1e-15)
    except ValueError:
        ours, theirs = seconds(ours), seconds(theirs)
        return ours is not None and theirs is not None and math.isclose(ours, theirs, abs_tol=4e-5)


def differences(ours, theirs):
    """The pairs of texts in which two events differ; None if they differ in more."""
    if type(ours) is not type(theirs):
        return None
    if isinstance(ours, str):
        return [] if ours == theirs else [(ours, theirs)]
    if isinstance(ours, dict) and ours.keys() == theirs.keys():
        pairs = [differences(ours[key], theirs[key]) for key in ours]
    elif isinstance(ours, list) and len(ours) == len(theirs):
        pairs = [differences(*pair) for pair in zip(ours, theirs)]
    else:
        return None
    return None if None in pairs else sum(pairs, [])


def has_twins(record):
    keys = []
    json.loads(record, object_pairs_hook=lambda pairs: keys.append([key for key, _ in pairs]))
    return len(set(keys[-1])) < len(keys[-1])


def has_inexact(record):
    """Whether a record has a number, or an epoch in a text, that a float may not hold as it stands."""
    inexact = []
    note = lambda text: inexact.append(text)
    found = json.loads(record, parse_float=note, parse_int=lambda text: note(text) if len(text) > 15 or text == "-0" else 0)
    return bool(inexact) or isinstance(found.get("timestamp"), str)


def lines(command):
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    return done.split(b"\n")[:-1]


def check(tool, file, ours):
    """Compares a tool's events to udmap's by meaning; what it was forgiven, counted."""
    if tool.finite:
        file = given(tool, file)
        left_out = len(ours)
        ours = lines([UDMAP, "convert", "-q", file])
        print(f"- {tool.name}, {tool.threads} thread(s): refuses numbers beyond a double's range; {left_out - len(ours)} records left out")
    theirs = lines(tool.command(file))
    if len(ours) != len(theirs):
        sys.exit(f"{tool.name}: {len(theirs)} events, not {len(ours)}")
    forgiven = Counter()
    records = file.read_bytes().split(b"\n")
    for record, one, other in zip(records, ours, theirs):
        if one == other:
            continue
        pairs = differences(json.loads(one), json.loads(other or b"null"))
        if pairs == []:
            continue
        if tool.first and has_twins(record):
            forgiven[FIRST] += 1
        elif tool.floats and pairs and has_inexact(record) and all(close(*pair) for pair in pairs):
            forgiven[tool.floats] += 1
        else:
            sys.exit(f"{tool.name} differs.\nrecord {record}\nudmap  {one}\n{tool.name}  {other}")
    return forgiven


def check_all(tools, files):
    """Checks every tool, and gives the names of those that fail at their own job."""
    failed = set()
    print(f"## Same events\n\n{CHECKED:,} records of the mix and as many awkward ones; equal as parsed JSON, but for:\n")
    for name in ["mix", "awkward"]:
        part = WORK / f"check-{name}.ndjson"
        with open(files[name], "rb") as source:
            part.write_bytes(b"".join(source.readline() for _ in range(CHECKED)))
        ours = lines([UDMAP, "convert", "-q", part])
        for tool in tools:
            try:
                forgiven = check(tool, part, ours)
            except subprocess.CalledProcessError as error:
                failed.add(tool.name)
                print(f"- {tool.name} does not run: exit status {error.returncode}")
                continue
            for why, count in forgiven.items():
                print(f"- {tool.name}, {tool.threads} thread(s): {why}; {count} {name} records")
    for corpus, mapping in [("nested60", HERE / "nested60.toml"), ("auth", "duo_auth")]:
        part = cut(files[corpus], 0.2)
        ours = lines([UDMAP, "convert", "-q", "--mapping", mapping, part])
        for name in ["udmap", *OTHER_TABLES[corpus]]:
            check(Tool(f"{corpus}-{name}", "", lambda file: [PEERS, f"{corpus}-{name}", file]), part, ours)
        print(f"\n{corpus}: {len(ours):,} records, all equal.\n")
    return failed


# Timing.


# A process of its own times each run: a process that was forked off a large one, as this is, counts its memory.
TIMER = """
import json, os, subprocess, sys, time
start = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
wall = time.perf_counter() - start
print(json.dumps([status, wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024]))
"""


def timed(command):
    """Seconds, processor seconds and peak MiB (at least the some 10 of the timer) of a whole process."""
    status, *figures = json.loads(output(sys.executable, "-c", TIMER, *map(str, command)))
    if status:
        sys.exit(f"{command} failed")
    return figures


def row(*cells):
    print("| " + " | ".join(str(cell) for cell in cells) + " |")


def processes(tools, missing, corpus, runs):
    print("## Whole processes, the mix\n")
    parts = {tool: given(tool, cut(corpus, tool.share)) for tool in tools}
    counts = {part: part.read_bytes().count(b"\n") for part in set(parts.values())}
    for _ in range(runs):
        for tool in tools:
            tool.runs.append(timed(tool.command(parts[tool])))
    rows = []
    for tool in tools:
        wall, processor, peak = (statistics.median(run) for run in zip(*tool.runs))
        size, count = parts[tool].stat().st_size, counts[parts[tool]]
        rows.append((tool, size / wall / 1e6, wall * 1e9 / count, processor * 1e9 / count, peak))
    base = next((row[2] for row in rows if row[0].name == "udmap" and row[0].threads == 1), None)
    row("tool", "version", "threads", "MB/s in", "ns/record", "CPU ns/record", "ratio", "peak MiB")
    row("---", "---", *["--:"] * 6)
    for tool, rate, wall, processor, peak in sorted(rows, key=lambda row: row[2]):
        ratio = f"{wall / base:.2f}" if base else ""
        row(tool.name, tool.version, tool.threads, f"{rate:,.0f}", f"{wall:,.0f}", f"{processor:,.0f}", ratio, f"{peak:,.0f}")
    for name in missing:
        row(name, "missing, or does not run", *[""] * 6)
    sizes = sorted({part.stat().st_size / 1e6 for part in parts.values()})
    print(f"\nMedians of {runs} interleaved runs; the ratio is time per record to udmap's on one thread. Slow tools had a")
    print(f"smaller cut of the corpus: the cuts have {', '.join(f'{size:.0f}' for size in sizes)} MB, and rates are compared.\n")


def memory(files, runs):
    print("## From memory to memory, one thread, ns/record\n")
    names = ["bound", "udmap", "sonic-rs", "simd-json", "serde-typed", "serde-value"]
    table = {name: [] for name in names}
    for corpus, file in files.items():
        rivals = OTHER_TABLES.get(corpus)
        there = lambda name: rivals is None or name in ("bound", "udmap", *rivals)
        renamed = lambda name: f"{corpus}-{name}" if rivals is not None and name != "bound" else name
        # udmap goes first, for the bound writes as much as it did.
        jobs = [name for name in ["udmap", *names[:1], *names[2:]] if there(name)]
        part = cut(file, 0.5)
        answer = output(PEERS, "memory", str(runs), ",".join(map(renamed, jobs)), part)
        measured = {line.split("\t")[0]: float(line.split("\t")[1]) for line in answer.splitlines()}
        for name in names:
            table[name].append(measured[renamed(name)] if there(name) else None)
    row("", *(name.replace("nested60", "60 rules, nested") for name in files))
    row("---", *["--:"] * len(files))
    for name, times in table.items():
        cells = (
            "" if took is None else f"{took:,.1f}" if name in ("bound", "udmap") else f"{took:,.0f} ({took / ours:.1f}x)"
            for took, ours in zip(times, table["udmap"])
        )
        row(name, *cells)
    row("udmap's share of the bound", *(f"{a / b:.0%}" for a, b in zip(table["bound"], table["udmap"])))
    print(f"\nMedians of {runs} interleaved runs. The bound reads the input once and writes as much as the events are.\n")


# The whole job: compressed logs in, compressed events or columns out.


def pipeline(*stages):
    """Commands with pipes between them, as one; any that fails fails all."""
    shown = " | ".join(" ".join(str(part) for part in stage) for stage in stages)
    return ["bash", "-o", "pipefail", "-c", shown]


class WholeJob:
    """A way to make `target` of a log in gzip. `share` is the part of the corpus that it is timed on."""

    def __init__(self, target, name, share, command):
        self.target, self.name, self.share, self.command = target, name, share, command
        self.runs, self.sizes = [], []


def whole_jobs(missing):
    """All that can be had, by what they make."""
    out = WORK / "whole"
    convert = lambda file, *options: [UDMAP, "convert", "-q", "--threads", "1", *options, file]
    duck = lambda end: lambda file: [PYTHON, HERE / "duo_duckdb.py", "1", file, f"{out}.{end}"]
    ours = lambda end, *options: lambda file: [*convert(file, *options), "-o", f"{out}.{end}"]
    # udmap's conversion, with the tools of others around it.
    glued = lambda unpack, pack: lambda file: pipeline(
        [*unpack, file], [*convert("-")], [*pack, ">", f"{out}.gz"])
    # The fastest rival conversion that there is, with the same tools around it.
    rival = lambda unpack, pack: lambda file: pipeline(
        [*unpack, file], [PEERS, "sonic-rs", "/dev/stdin"], [*pack, ">", f"{out}.gz"])
    jobs = [
        WholeJob("gz", "`udmap`, gz to gz", 1, ours("gz")),
        WholeJob("gz", "`udmap --compress gzip:small`", 1, ours("gz", "--compress", "gzip:small")),
        WholeJob("zst", "`udmap`, gz to zst", 1, ours("zst")),
        WholeJob("parquet", "`udmap`, gz to Parquet", 1, ours("parquet")),
        WholeJob(None, "`gzip -dc` alone", 1, lambda file: ["gzip", "-dc", file]),
    ]
    if shutil.which("pigz"):
        jobs += [
            WholeJob("gz", "pigz, sonic-rs, pigz -1", 1, rival(["pigz", "-dc"], ["pigz", "-p", "1", "-1", "-c"])),
            WholeJob("gz", "pigz, sonic-rs, pigz -6", 0.3, rival(["pigz", "-dc"], ["pigz", "-p", "1", "-c"])),
        ]
    else:
        missing.append("pigz")
    if shutil.which("igzip"):
        jobs += [
            WholeJob(None, "`igzip -dc` alone", 1, lambda file: ["igzip", "-dc", file]),
            WholeJob("gz", "igzip, sonic-rs, igzip -1", 1, rival(["igzip", "-dc"], ["igzip", "-1", "-c"])),
            WholeJob("gz", "igzip, `udmap`, igzip -1", 1, glued(["igzip", "-dc"], ["igzip", "-1", "-c"])),
        ]
    else:
        missing.append("igzip")
    if shutil.which("jq"):
        jq = lambda file: pipeline(["zcat", file], ["jq", "-cf", HERE / "duo.jq"], ["gzip", ">", f"{out}.gz"])
        jobs.append(WholeJob("gz", "`zcat \\| jq \\| gzip`", 0.03, jq))
    else:
        missing.append("jq")
    if "DuckDB" not in missing:
        jobs += [
            WholeJob("gz", "DuckDB, gz to gz", 0.3, duck("gz")),
            WholeJob("parquet", "DuckDB, gz to Parquet", 0.3, duck("parquet")),
        ]
    return jobs


def events_in(made):
    """How many events a file holds."""
    if made.suffix == ".parquet":
        count = "import duckdb, sys; print(duckdb.sql(f\"SELECT count(*) FROM '{sys.argv[1]}'\").fetchall()[0][0])"
        return int(output(PYTHON, "-c", count, made))
    unpack = {".gz": ["gzip", "-dc"], ".zst": ["zstd", "-dc"]}[made.suffix]
    return subprocess.run([*unpack, made], check=True, stdout=subprocess.PIPE).stdout.count(b"\n")


def compressed(file):
    """The file as gzip makes it by default."""
    made = file.with_name(file.name + ".gz")
    if not made.exists():
        with open(made, "wb") as target:
            subprocess.run(["gzip", "-c", file], check=True, stdout=target)
    return made


def whole(jobs, missing, corpus, runs):
    print("## The whole job, one thread: gzip in, compressed events or columns out\n")
    parts = {job.share: cut(corpus, job.share) for job in jobs}
    counts = {share: part.read_bytes().count(b"\n") for share, part in parts.items()}
    files = {share: compressed(part) for share, part in parts.items()}
    for _ in range(runs):
        for job in jobs:
            made = WORK / f"whole.{job.target}"
            made.unlink(missing_ok=True)
            job.runs.append(timed(job.command(files[job.share])))
            if job.target:
                job.sizes.append(made.stat().st_size)
                if len(job.sizes) == 1 and events_in(made) != counts[job.share]:
                    sys.exit(f"{job.name}: {events_in(made)} events, not {counts[job.share]}")
    alone = next(job for job in jobs if job.target is None)
    base = statistics.median(run[1] for run in alone.runs) / counts[alone.share]
    row("", "CPU ns/record", "CPU, in that of `gzip -dc` alone", "ns/record", "bytes/event")
    row("---", *["--:"] * 4)
    for target in ["gz", "zst", "parquet", None]:
        table = []
        for job in (job for job in jobs if job.target == target):
            wall, processor, _ = (statistics.median(run) / counts[job.share] for run in zip(*job.runs))
            size = f"{statistics.median(job.sizes) / counts[job.share]:.1f}" if job.sizes else ""
            table.append((processor, (job.name, f"{processor * 1e9:,.0f}", f"{processor / base:.2f}", f"{wall * 1e9:,.0f}", size)))
        for _, cells in sorted(table):
            row(*cells)
    for name in sorted(set(missing) & {"pigz", "igzip", "jq", "DuckDB"}):
        row(name, "missing, or does not run", *[""] * 3)
    print(f"\nMedians of {runs} interleaved runs. Pipes of several commands use several cores: CPU is what all of them take.")
    print("DuckDB's Parquet file holds the event as one text, udmap's holds columns besides.\n")


def machine():
    info = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.*)", info.read_text()) if info.exists() else None
    cpu = found[1] if found else "unknown CPU"
    flags = "with AVX-512" if found and "avx512bw" in info.read_text() else "without AVX-512"
    print(f"{cpu} {flags}, {os.cpu_count()} cores; {output('rustc', '--version')}; {date.today()}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", metavar="NAME,NAME", help="only tools whose names begin so")
    parser.add_argument("--runs", type=int, default=5, help="how often each is measured (default 5)")
    parser.add_argument("--megabytes", type=int, default=64, help="the least size of a corpus (default 64)")
    parser.add_argument("--whole", action="store_true", help="measure only the whole job, from gzip to compressed events")
    parser.add_argument("--check", action="store_true", help="only check that the events are the same")
    args = parser.parse_args()
    os.environ["NO_COLOR"] = "1"
    WORK.mkdir(parents=True, exist_ok=True)
    missing = build()
    found = tools(missing)
    if args.only:
        wanted = tuple(args.only.split(","))
        found = [tool for tool in found if tool.name.startswith(wanted)]
        missing = [name for name in missing if name.startswith(wanted)]
    files = corpora(args.megabytes)
    machine()
    failed = check_all(found, files)
    found = [tool for tool in found if tool.name not in failed]
    missing += sorted(failed)
    if not args.check and not args.only:
        whole(whole_jobs(missing), missing, files["mix"], args.runs)
    if not args.check and not args.whole:
        processes(found, missing, files["mix"], args.runs)
        memory(files, args.runs)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
