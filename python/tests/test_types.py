"""mypy and pyright find nothing in the package and its examples, and wrong calls are found."""

import importlib.util
import json
import pathlib
import subprocess
import sys

import pytest

PACKAGE = pathlib.Path(__file__).resolve().parents[1]

# Each line that ends in `# wrong` is an error, and no other.
CALLS = """
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple, Union

import udmap

done: udmap.Converted = udmap.convert(Path("x"), field_names="camel", labels={"a": "b"}, threads=2)
written: udmap.Written = udmap.convert([{"a": 1}], output="out", progress=lambda done: print(done.bytes))
items: List[Union[str, udmap.Reject]] = list(udmap.events(open("x", "rb")))
dicts: List[Union[Dict[str, Any], udmap.Reject]] = list(udmap.events(open("x")).dicts())
groups: List[udmap.Group] = udmap.validate(done, severities={"invalid-ip": "off"}).groups
udmap.convert(iter(["x", "y"]))
compared: udmap.Compared = udmap.diff(done, done.dicts(), ignore=["metadata.id"])
failed: List[str] = [case.name for case in udmap.test("x").cases if not case.ok]
udmap.convert((line for line in open("x")), mapping=udmap.mappings()[0])
sent: udmap.Sent = udmap.send(
    Path("in").glob("*"), project="p", location="eu", instance="i", state="s3://b/state.json", rejects=Path("r"), rate=None, timeout=1.5
)
try:
    udmap.send(["a", Path("b")], project="p", location="eu", instance="i", state="s", rejects="r", labels={"a": "b"})
except udmap.SendError as error:
    left: Dict[str, int] = error.result.by_reason
parser = udmap.Parser("filter { }")
with parser.run([b"a", "b"], log_type="L", received=datetime.now(timezone.utc), field_names="camel", explain=True) as run:
    for log in run:
        events: List[Dict[str, Any]] = log.events if log.outcome == "events" else []
        set_at: Optional[Tuple[int, int]] = log.lines[0].get("metadata.id") if log.lines else None
        why: Tuple[Optional[str], Optional[int]] = log.message, log.line
    dropped: int = run.by_outcome["dropped"] + run.by_tag["T"] + run.logs
of_lines: List[udmap.ParserRun] = [parser.run(open("logs", "rb")), parser.run(open("logs"))]
try:
    codes: List[str] = [warning.code for warning in udmap.Parser.from_file(Path("p.conf")).warnings]
except udmap.ParserError as error:
    where: Tuple[int, int, str] = (error.line, error.column, error.expected)
udmap.convert("x", field_names="kebab")  # wrong
udmap.convert("x", no_such=1)  # wrong
udmap.convert(5)  # wrong
udmap.convert("x", rejects="rejects")  # wrong
udmap.validate("x", severities={"invalid-ip": "loud"})  # wrong
udmap.convert("x", progress=lambda: None)  # wrong
udmap.convert("x").ndjson = b""  # wrong
udmap.send("x", project="p", location="eu", instance="i", state="s")  # wrong
udmap.send([{"a": 1}], project="p", location="eu", instance="i", state="s", rejects="r")  # wrong
sent.accepted = 1  # wrong
parser.run(b"a log")  # wrong
parser.run([1])  # wrong
parser.run(["a"], field_names="kebab")  # wrong
udmap.Parser(Path("p.conf"))  # wrong
"""


def wrong_lines(file):
    return {n for n, line in enumerate(file.read_text().split("\n"), 1) if line.endswith("# wrong")}


@pytest.fixture
def calls(tmp_path):
    file = tmp_path / "calls.py"
    file.write_text(CALLS)
    return file


def mypy(*arguments):
    command = [sys.executable, "-m", "mypy", "--no-error-summary", "--cache-dir", "/dev/null", *map(str, arguments)]
    return subprocess.run(command, cwd=PACKAGE, capture_output=True, text=True)


def pyright(*files):
    """What is wrong, as pairs of a file and a line."""
    command = [sys.executable, "-m", "basedpyright", "--outputjson", "--pythonpath", sys.executable]
    done = subprocess.run([*command, *map(str, files or ["--project", "."])], cwd=PACKAGE, capture_output=True, text=True)
    found = json.loads(done.stdout)["generalDiagnostics"]
    return [(it["file"], it["range"]["start"]["line"] + 1, it["message"]) for it in found if it["severity"] == "error"]


def test_mypy(calls):
    done = mypy()
    assert done.returncode == 0, done.stdout + done.stderr
    said = mypy("--strict", calls).stdout.splitlines()
    assert {int(line.split(":")[1]) for line in said if ": error:" in line} == wrong_lines(calls), said


def test_pyright(calls):
    found = pyright()
    if importlib.util.find_spec("ray") is None:
        found = [it for it in found if not it[0].endswith("ray.py")]
    assert found == []
    assert {line for _, line, _ in pyright(calls)} == wrong_lines(calls)
