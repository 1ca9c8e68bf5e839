"""Events and rejects one by one: in order, in small memory, and without a thread that is left."""

import gc
import itertools
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

import pytest
import udmap

LINE = b'{"context":"enrollment","credits":1,"phone":"+12125556707","ts":"2023-03-21T22:34:49Z","type":"sms"}\n'
SMALL = 60 << 10  # KiB


def threads():
    """The native threads that are at work."""
    tasks = pathlib.Path("/proc/self/task")
    if not tasks.exists():
        pytest.skip("there is no /proc")
    return sum(name_of(task) == "udmap\n" for task in tasks.iterdir())


def name_of(task):
    try:
        return (task / "comm").read_text()
    except OSError:
        return "gone"


@pytest.mark.parametrize("workers", [1, 3])
def test_they_are_those_of_convert_in_the_order_of_the_records(log, workers):
    want = udmap.convert(log)
    got = list(udmap.events(log, threads=workers))
    assert [it for it in got if isinstance(it, str)] == want.events
    assert [it for it in got if isinstance(it, udmap.Reject)] == want.rejects
    # In order: before each reject come the events of the lines before it.
    for line in [5, 500]:
        part = list(udmap.events(log.split(b"\n")[:line], threads=workers))
        assert [it if isinstance(it, str) else it.message for it in part] == [
            it if isinstance(it, str) else it.message for it in got[: len(part)]
        ]
    assert threads() == 0


def test_counts_and_dicts(log):
    events = udmap.events(log)
    assert events.counts is None and repr(events) == "<Events under way>"
    dicts = [it for it in events.dicts() if isinstance(it, dict)]
    want = udmap.convert(log)
    assert dicts == list(want.dicts()) == [json.loads(event) for event in want.events]
    assert (events.counts, events.by_reason) == (want.counts, want.by_reason)
    assert repr(events).startswith(f"<Events ended: {want.counts['events']:,} events, ")
    assert list(events) == []


def endless():
    for number in itertools.count():
        yield {"context": "x", "ts": "2024-01-01T00:00:00Z", "phone": f"+{number}"}


def test_what_is_left_early_ends():
    taken = []

    def watched():
        for record in endless():
            taken.append(1)
            yield record

    for end in ["close", "with", "drop", "drop dicts", "never begun"]:
        taken.clear()
        source = watched()
        events = udmap.events(source, threads=2)
        if end == "with":
            with events:
                next(events)
        elif end == "drop dicts":
            dicts = events.dicts()
            del events
            assert "metadata" in next(dicts)
            del dicts
        elif end == "never begun":
            del events
            for _ in range(50):
                time.sleep(0.02 * (threads() > 0))
        else:
            assert next(events).startswith('{"metadata"')
            if end == "close":
                events.close()
                assert next(events, None) is None
            else:
                del events
        gc.collect()
        assert threads() == 0, end
        # A few pieces of 256 KiB were read, and no more.
        assert len(taken) < 50_000, end


def test_an_input_that_fails_is_told_at_the_end(log, tmp_path):
    import gzip

    (tmp_path / "a.gz").write_bytes(gzip.compress(log)[:-100_000])
    (tmp_path / "b").write_bytes(LINE)
    events = udmap.events(tmp_path)
    got = []
    with pytest.raises(udmap.InputError, match="corrupt or cut short") as error:
        for event in events:
            got.append(event)
    assert "hint: " in str(error.value)
    assert len(got) > 100 and got[-1] == udmap.convert(LINE).events[0] and events.counts["records"] == len(got)
    with pytest.raises(udmap.InputError, match="no such file"):
        next(udmap.events(tmp_path / "missing"))

    def failing():
        yield LINE
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        list(udmap.events(failing()))
    assert threads() == 0


def run(code, *arguments):
    """Runs a program; gives what it printed."""
    done = subprocess.run([sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


# How much memory a process takes at most, beyond what it takes for a few records.
MEASURED = """
import io, itertools, pathlib, resource, sys
import udmap
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
line = {line!r}
count = 400_000
folder = pathlib.Path(sys.argv[1])
file = folder / "log"
with file.open("wb") as to:
    for _ in range(count // 1000):
        to.write(line * 1000)
list(udmap.events(line * 5000, threads=2)), udmap.validate(udmap.convert(line * 5000)), udmap.convert(line * 5000, output=folder / "x.gz")
before = peak()
{what}
print(peak() - before)
"""


@pytest.mark.parametrize(
    "what",
    [
        "assert sum(isinstance(it, str) for it in udmap.events(file, threads=2)) == count",
        "assert sum(1 for it in udmap.events(line for _ in range(count))) == count",
        "assert sum(1 for it in udmap.events(file.open('rb')).dicts()) == count",
        "assert udmap.convert(file, output=folder / 'out.gz', threads=2).counts['events'] == count",
        "assert udmap.convert((line for _ in range(count)), output=folder / 'out').counts['events'] == count",
        "assert udmap.validate(it for it in udmap.events(file)).events == count",
    ],
    ids=["path", "iterable", "file", "to a file", "iterable to a file", "validate"],
)
@pytest.mark.skipif(sys.platform == "win32", reason="there is no resource module")
def test_memory_stays_small(what, tmp_path):
    # 40 MB of records become some 200 MB of events.
    grown = int(run(MEASURED.format(line=LINE, what=what), tmp_path))
    assert grown < SMALL, grown


def test_progress(log, tmp_path, monkeypatch):
    from udmap import _runs

    monkeypatch.setattr(_runs, "BETWEEN_CALLS", 0)
    file = tmp_path / "log"
    file.write_bytes(log * 5)
    size = file.stat().st_size
    for data, total in [(file, size), (log * 5, size), (file.open("rb"), None)]:
        for convert in [
            lambda progress: udmap.convert(data, progress=progress).counts,
            lambda progress: udmap.convert(data, output=tmp_path / "out", progress=progress).counts,
        ]:
            if hasattr(data, "seek"):
                data.seek(0)
            calls = []
            counts = convert(calls.append)
            assert calls[-1] == udmap.Progress(size, total, counts["records"], counts["rejects"])
            assert calls == sorted(calls, key=lambda it: (it.bytes, it.records)), "it only grows"
            assert {it.total for it in calls} - {total} <= {None} and calls[-1].fraction == (1.0 if total else None)
    calls = []
    assert udmap.validate(udmap.convert(log), progress=calls.append).events == calls[-1].records


def test_progress_is_told_some_times_a_second():
    calls, start = [], time.monotonic()

    def slow():
        while time.monotonic() - start < 1.5:
            time.sleep(0.001)
            yield LINE

    udmap.convert(slow(), progress=lambda done: calls.append(threading.get_ident()))
    assert 3 <= len(calls) <= 8 and set(calls) == {threading.get_ident()}


def test_an_exception_in_progress_ends_it(tmp_path, monkeypatch):
    from udmap import _runs

    monkeypatch.setattr(_runs, "BETWEEN_CALLS", 0)

    class Enough(BaseException):
        pass

    def stop(done):
        if done.records > 1000:
            raise Enough

    out = tmp_path / "out.ndjson"
    out.write_text("before")
    for call in [
        lambda: udmap.convert(endless(), progress=stop),
        lambda: udmap.convert(endless(), output=out, rejects=tmp_path / "rejects", progress=stop),
        lambda: list(udmap.events(endless(), progress=stop, threads=2)),
    ]:
        with pytest.raises(Enough):
            call()
        assert threads() == 0
    assert [file.name for file in tmp_path.iterdir()] == ["out.ndjson"] and out.read_text() == "before"


INTERRUPTED = """
import os, pathlib, sys, udmap
folder = pathlib.Path(sys.argv[1])
def endless():
    while True:
        yield {line!r}
print("begun", flush=True)
try:
    {what}
except KeyboardInterrupt:
    tasks = pathlib.Path("/proc/self/task")
    left = [task for task in tasks.iterdir() if (task / "comm").read_text() == "udmap\\n"] if tasks.exists() else []
    print("interrupted", len(left), sorted(file.name for file in folder.iterdir()), flush=True)
"""


@pytest.mark.parametrize(
    "what",
    [
        "udmap.convert(endless(), output=folder / 'out.gz')",
        "udmap.convert(folder / 'pipe', output=folder / 'out.gz', threads=2)",
        "udmap.convert(folder / 'pipe')",
        "udmap.validate(folder / 'pipe')",
        "for it in udmap.events(folder / 'pipe'): pass",
        "udmap.profile(folder / 'pipe')",
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="there are no such pipes")
def test_ctrl_c_ends_it(what, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    code = INTERRUPTED.format(line=LINE, what=what)
    child = subprocess.Popen([sys.executable, "-c", code, tmp_path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "begun\n"
    # A writer that writes a little, and stays.
    writer = os.open(tmp_path / "pipe", os.O_RDWR)
    os.write(writer, LINE * 20)
    time.sleep(1)
    child.send_signal(signal.SIGINT)
    start = time.monotonic()
    said, errors = child.communicate(timeout=60)
    os.close(writer)
    assert said == "interrupted 0 ['pipe']\n", errors
    assert time.monotonic() - start < 5


def test_a_program_ends_in_the_middle():
    code = f"""
import sys, udmap
def endless():
    while True:
        yield {LINE!r}
left = udmap.events(endless(), threads=2)
class Holder:
    pass
holder = Holder()
holder.itself, holder.events = holder, udmap.events(endless())
next(left), next(holder.events)
print("end")
"""
    assert run(code) == "end\n"


def test_many_threads_of_python_use_one_converter(log):
    converter = udmap.Converter(threads=2)
    want = udmap.convert(log).events
    results = []

    def work():
        results.append([it for it in converter.events(log) if isinstance(it, str)])

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert results == [want] * 4


def test_one_iterator_of_two_threads_does_not_wait_without_end():
    events = udmap.events(itertools.islice(endless(), 20_000))
    taken = []

    def work():
        try:
            for it in events:
                taken.append(it)
        except ValueError as error:
            assert "already executing" in str(error)

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert not worker.is_alive()
    assert len(taken) <= 20_000
