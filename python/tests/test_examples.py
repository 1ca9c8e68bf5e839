"""The examples run. Those for Spark are run by test_spark.py."""

import gzip
import pathlib
import subprocess
import sys

import pytest
import udmap

EXAMPLES = pathlib.Path(__file__).resolve().parents[1] / "examples"
LOG = EXAMPLES.parents[1] / "fixtures/quickstart/input.ndjson"


def run(example, *arguments):
    return subprocess.run([sys.executable, EXAMPLES / example, *arguments], capture_output=True, text=True)


def test_a_notebook():
    done = run("notebook.py", LOG)
    assert done.returncode == 0, done.stderr
    for words in ["<Profile 12 records", "no rule reads", "metadata.event_timestamp <- ", "<Converted 11 events"]:
        assert words in done.stdout
    assert "principal.namespace" in done.stdout and "<Validated 11 events: 0 errors" in done.stdout


def test_a_pipeline(tmp_path, monkeypatch):
    events, rejects = tmp_path / "events.ndjson.gz", tmp_path / "rejects.ndjson"
    done = run("pipeline.py", LOG, events, rejects)
    assert done.returncode == 1 and "<Written" in done.stdout, "a record of twelve is rejected"
    assert gzip.decompress(events.read_bytes()) == udmap.convert(LOG).ndjson and rejects.read_bytes().count(b"\n") == 1
    (tmp_path / "log").write_text('{"ts":"2024-01-01T00:00:00Z","context":"authentication","phone":"+1"}')
    assert run("pipeline.py", tmp_path / "log", events, rejects).returncode == 0
    assert run("pipeline.py", tmp_path / "missing", events, rejects).returncode == 2
    monkeypatch.syspath_prepend(EXAMPLES)
    pipeline = pytest.importorskip("pipeline")
    assert list(pipeline.numbers(tmp_path / "log")) == ["+1"]
