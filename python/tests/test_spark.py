"""Spark for real: two workers, one killed in the middle; a stream that is stopped and goes on."""

import base64
import collections
import gzip
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

import pytest

pytest.importorskip("pyspark")
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "examples"))

FILES = 8
RECORDS = int(os.environ.get("UDMAP_SPARK_RECORDS", "16000"))


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    from pyspark.sql import SparkSession

    os.environ.update(
        SPARK_LOCAL_IP="127.0.0.1",
        PYSPARK_PYTHON=sys.executable,
        PYSPARK_DRIVER_PYTHON=sys.executable,
        SPARK_WORKER_DIR=str(tmp_path_factory.mktemp("workers")),
    )
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": "1g",
        "spark.local.dir": str(tmp_path_factory.mktemp("local")),
        "spark.sql.warehouse.dir": str(tmp_path_factory.mktemp("warehouse")),
        "spark.sql.shuffle.partitions": "4",
        # A file a task, so that there is a middle.
        "spark.sql.files.openCostInBytes": "128m",
        "spark.task.maxFailures": "8",
    }
    builder = SparkSession.builder.master("local-cluster[2,1,1024]").appName("udmap-tests")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    yield session
    session.stop()


@pytest.fixture(scope="module")
def dump(command, tmp_path_factory):
    """Files of every kind of record, some of them gzip, and what the command makes of them."""
    folder = tmp_path_factory.mktemp("dump")
    for n in range(FILES):
        mix = "v2=60,v1=20,awkward=12,broken=8"
        log = command(
            "generate", "--records", str(RECORDS // FILES), "--seed", str(n), "--mix", mix, check=True
        ).stdout
        file = folder / f"day={n % 3}" / (f"part {n}.ndjson" + (".gz" if n % 2 else ""))
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(gzip.compress(log) if n % 2 else log)
    rejects = tmp_path_factory.mktemp("rejects") / "rejects.ndjson"
    done = command("convert", folder, "-q", "--rejects", rejects)
    assert done.returncode == 1, done.stderr
    return folder, collections.Counter(done.stdout.split(b"\n")[:-1]), of_rejects(rejects)


def of_rejects(file):
    import json

    count = collections.Counter()
    for line in file.read_bytes().splitlines():
        reject = json.loads(line)
        raw = base64.b64decode(reject["raw_base64"]) if "raw_base64" in reject else reject["raw"].encode()
        count[reject["source"], reject["reason"], reject["message"], raw] += 1
    return count


def events_in(folder):
    from pyarrow import parquet

    table = parquet.read_table(folder, columns=["event"])
    return collections.Counter(event.encode() for event in table["event"].to_pylist())


def rejects_in(folder):
    import urllib.parse

    from pyarrow import parquet

    count = collections.Counter()
    for reject in parquet.read_table(folder).to_pylist():
        source = urllib.parse.unquote(urllib.parse.urlparse(reject["source"]).path)
        count[source, reject["reason"], reject["message"], bytes(reject["raw"])] += 1
    return count


def executors(session):
    """The processes of this application's executors."""
    app = session.sparkContext.applicationId
    found = []
    for process in pathlib.Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue
            if any("CoarseGrainedExecutorBackend" in word for word in words) and app in words:
                found.append(int(process.name))
    return sorted(found)


def kill_one_in_the_middle(session, killed):
    tracker = session.sparkContext.statusTracker()
    until = time.monotonic() + 120
    while time.monotonic() < until:
        for stage in tracker.getActiveStageIds():
            info = tracker.getStageInfo(stage)
            if info and info.numTasks == FILES and 1 <= info.numCompletedTasks < FILES - 2:
                victim = executors(session)[0]
                os.kill(victim, signal.SIGKILL)
                killed.append((victim, info.numCompletedTasks))
                return
        time.sleep(0.02)


def test_a_batch_survives_the_death_of_an_executor(session, dump, tmp_path, monkeypatch):
    import spark_batch

    from udmap import spark

    folder, events, rejects = dump
    before = executors(session)
    assert len(before) == 2
    to_udm = spark.to_udm

    # Slowed down, so that there is a middle.
    def slow(df, **options):
        def wait(batches):
            time.sleep(0.3)
            yield from batches

        return to_udm(df.mapInArrow(wait, df.schema), **options)

    monkeypatch.setattr(spark_batch, "to_udm", slow)
    killed = []
    thread = threading.Thread(target=kill_one_in_the_middle, args=(session, killed))
    thread.start()
    spark_batch.run(session, str(folder), str(tmp_path / "events"), str(tmp_path / "rejects"))
    thread.join()
    assert killed and killed[0][0] not in executors(session), "an executor was killed in the middle"
    assert events_in(tmp_path / "events") == events and sum(events.values()) > RECORDS * 0.8
    assert rejects_in(tmp_path / "rejects") == rejects and sum(rejects.values()) > RECORDS * 0.05
    days = {path.name for path in (tmp_path / "events").iterdir() if path.is_dir()}
    assert days and all(day.startswith("day=") for day in days)


def test_a_stream_goes_on_where_it_was(session, dump, tmp_path):
    import spark_stream

    folder, events, rejects = dump
    logs = tmp_path / "logs"
    places = [str(tmp_path / name) for name in ["events", "rejects", "state"]]
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for some in [files[:3], files[3:]]:
        for file in some:
            to = logs / file.relative_to(folder)
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_bytes(file.read_bytes())
        spark_stream.run(session, str(logs), *places, once=True)
    # Files that a stream left are those of its log; a plain reader of the folder finds the same.
    assert events_in(tmp_path / "events") == events
    want = collections.Counter(
        {(source.replace(str(folder), str(logs)), *rest): n for (source, *rest), n in rejects.items()}
    )
    assert rejects_in(tmp_path / "rejects") == want


def test_what_can_not_be_done_is_said_on_the_driver(session, tmp_path):
    import udmap
    from udmap.spark import to_udm

    df = session.createDataFrame([("{}", 1)], "value string, n int")
    for error, arguments in [
        (KeyError, {"column": "nothing"}),
        (TypeError, {"column": "n"}),
        (udmap.MappingError, {"mapping": "nothing"}),
        (KeyError, {"keep": ["nothing"]}),
        (ValueError, {"envelope": "x"}),
    ]:
        with pytest.raises(error):
            to_udm(df, **arguments)
    made = to_udm(df, columns=False)
    assert made.columns == ["n", "event", "reject"]
    assert made.collect()[0].reject.reason == "no-timestamp"
    record = b'{"ts":"2024-01-01T00:00:00Z"}'
    df = session.createDataFrame([(bytearray(record), 7, None), (None, 8, "x")], "v binary, n int, `a.b` string")
    rows = to_udm(df, "v").collect()
    assert [(row.n, row["a.b"], row.metadata_event_type) for row in rows] == [(7, None, "GENERIC_EVENT")]


def test_the_example_is_a_program(dump, tmp_path):
    """The batch example by itself, as spark-submit runs it, on one core."""
    folder, events, _ = dump
    example = pathlib.Path(__file__).resolve().parents[1] / "examples/spark_batch.py"
    if "UDMAP_SPARK_SUBMIT" not in os.environ:
        pytest.skip("set UDMAP_SPARK_SUBMIT to run it")
    import pyspark

    submit = pathlib.Path(pyspark.__file__).parent / "bin/spark-submit"
    places = [str(tmp_path / name) for name in ["events", "rejects"]]
    environment = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable}
    subprocess.run(
        [submit, "--master", "local[1]", "--conf", "spark.ui.enabled=false", example, folder, *places],
        env=environment,
        check=True,
    )
    assert events_in(tmp_path / "events") == events
