"""Parsers of Google SecOps give what the command gives, log by log, in small memory."""

import gc
import io
import itertools
import json
import os
import pathlib
import pickle
import subprocess
import sys
import threading
import time
from datetime import datetime, timedelta, timezone

import pytest
import udmap

FIXTURES = pathlib.Path(__file__).resolve().parents[2] / "fixtures"
GOOGLES = FIXTURES / "content-hub/content/parsers/third_party/community"
RECEIVED = datetime(2026, 1, 2, 3, 4, 5, 600_000, timezone.utc)
SMALL = 60 << 10  # KiB

#: Says of a log what the log says.
TEXT = r"""filter {
  if [message] =~ "^drop" { drop { tag => "TAG_UNSUPPORTED" } }
  if [message] =~ "^end" { drop {} }
  if [message] =~ "^nothing" { statedump { label => "n" } } else {
    if [message] =~ "^fail" { mutate { replace => { "a" => "%{missing}" } } }
    mutate {
      replace => {
        "event.idm.read_only_udm.metadata.event_type" => "GENERIC_EVENT"
        "event.idm.read_only_udm.metadata.description" => "%{message}"
      }
    }
    mutate { merge => { "@output" => "event" } }
    if [message] =~ "^two" { mutate { merge => { "@output" => "event" } } }
  }
}
"""
LOGS = ["one", "drop it", "two", "end", "nothing", "fail", "é", "", "a\nb\n", "x" * (1 << 20), "x" * ((1 << 20) + 1), b"\xff", b"last"]


@pytest.fixture
def parser():
    return udmap.Parser(TEXT)


def threads():
    """The native threads that are at work."""
    tasks = pathlib.Path("/proc/self/task")
    if not tasks.exists():
        pytest.skip("there is no /proc")

    def name_of(task):
        try:
            return (task / "comm").read_text()
        except OSError:
            return "gone"

    return sum(name_of(task) == "udmap\n" for task in tasks.iterdir())


def google(name):
    folder = GOOGLES / name / "cbn"
    raw = json.loads((folder / "testdata/raw_logs/default_log.json").read_text())
    logs = [entry["data"] for entry in raw["raw_logs"]["entries"]]
    return folder / f"default_{name.lower()}.conf", logs


@pytest.mark.parametrize("name", ["AWS_EKS", "IBM_B2B_INTEGRATOR", "KEYFACTOR", "ONFIDO", "SURICATA_EVE"])
@pytest.mark.parametrize("options", [{}, {"field_names": "camel", "platform_fields": False}])
def test_google_s_parsers_give_the_command_s_events(command, tmp_path, name, options):
    conf, logs = google(name)
    (tmp_path / "logs").write_text("".join(json.dumps(log) + "\n" for log in logs))
    given = ["--field-names", "camel", "--as", "parser"] if options else []
    time = ["--receipt-time", "2026-01-02T03:04:05.6Z"]
    done = command("parser", "run", conf, tmp_path / "logs", "--logs", "jsonl", *time, *given, "-q", check=True)
    parser = udmap.Parser.from_file(conf)
    assert parser.log_type == name
    run = parser.run(logs, received=RECEIVED, **options)
    parsed = list(run)
    assert b"".join(log.ndjson for log in parsed) == done.stdout and done.stdout
    assert [log.log for log in parsed] == logs and {log.outcome for log in parsed} == {"events"}
    assert [event for log in parsed for event in log.events] == [json.loads(line) for line in done.stdout.splitlines()]
    assert (run.logs, run.events) == (len(logs), done.stdout.count(b"\n"))


def test_each_log_has_its_outcome_in_order(parser):
    run = parser.run(LOGS, received=RECEIVED)
    parsed = list(run)
    assert [log.log for log in parsed] == LOGS
    failed = ["failed"] * 2
    assert [log.outcome for log in parsed] == [
        *["events", "dropped", "events", "dropped", "no-output", "failed"],
        *["events"] * 4,
        *failed,
        "events",
    ]
    assert [len(log.events) for log in parsed] == [1, 0, 2, 0, 0, 0, 1, 1, 1, 1, 0, 0, 1]
    description = lambda log: log.events[0]["metadata"].get("description")
    assert [description(parsed[n]) for n in (0, 2, 6, 8, 12)] == ["one", "two", "é", "a\nb\n", "last"]
    assert parsed[0].events is parsed[0].events, "they are read once"
    assert parsed[0].events[0]["metadata"]["event_timestamp"] == "2026-01-02T03:04:05.600Z"
    assert [log.tag for log in parsed[:5]] == [None, "TAG_UNSUPPORTED", None, "", None]
    fail = parsed[5]
    assert (fail.line, fail.column) == (5, 31) and TEXT.split("\n")[4][30:].startswith("mutate")
    assert 'source field "missing": field not set' in fail.message and fail.ndjson == b""
    assert [log.message for log in parsed[10:12]] == ["the log is longer than 1 MiB, which SecOps does not take", "the log is not UTF-8"]
    assert parsed[11].line is parsed[11].column is parsed[0].message is None
    assert run.by_outcome == {"events": 7, "dropped": 2, "no-output": 1, "failed": 3} and run.logs == 13
    assert sum(run.by_outcome.values()) == run.logs and run.events == sum(len(log.events) for log in parsed)
    assert run.by_tag == {"TAG_UNSUPPORTED": 1, "": 1}
    assert list(run) == [] and run.logs == 13
    assert list(parser.run([])) == [] and list(parser.run(["\ud800"]))[0].message == "the log is not UTF-8"


def test_the_lines_of_a_file_are_those_of_the_command(command, parser, tmp_path):
    conf, logs, rejects = tmp_path / "mine.conf", tmp_path / "logs", tmp_path / "rejects"
    conf.write_text(TEXT)
    logs.write_bytes("\ufeffone\r\ndrop\n\n \t\ntwo\ndrop\nfail\n\u2003\n\x0b\n".encode() + b"\xff\n" + b"x" * 1_100_000 + b"\nthe end")
    done = command("parser", "run", conf, logs, "--receipt-time", "2026-01-02T03:04:05.6Z", "--rejects", rejects)
    assert done.returncode == 1
    with open(logs, "rb") as file:
        run = parser.run(file, received=RECEIVED)
        parsed = list(run)
    assert b"".join(log.ndjson for log in parsed) == done.stdout
    counts = f"{run.logs} logs: {run.by_outcome['events']} with {run.events} events, {run.by_outcome['dropped']} dropped"
    assert counts in done.stderr.decode() and run.by_tag == {"TAG_UNSUPPORTED": 2}
    want = [json.loads(line) for line in rejects.read_text().splitlines()]
    got = [(number, log.message, log.line) for number, log in enumerate(parsed, 1) if log.outcome == "failed"]
    assert got == [(it["log"], it["message"], it.get("parser_line")) for it in want] and len(got) == 3
    with open(logs, encoding="utf-8", errors="surrogateescape") as file:
        assert [log.ndjson for log in parser.run(file, received=RECEIVED)] == [log.ndjson for log in parsed]
    # Other iterables give logs as they are.
    assert [log.log for log in parser.run(io.BytesIO(b"a\n\nb\n"))] == [b"a", b"b"]
    assert [log.log for log in parser.run(["a\n", "\n"])] == ["a\n", "\n"]


def test_explain_and_statedump(parser):
    two, nothing = parser.run(["two", "nothing"], explain=True, statedump=True)
    assert len(two.lines) == len(two.events) == 2
    assert two.lines[0]["metadata.description"] == (6, 5) and TEXT.split("\n")[5][4:].startswith("mutate")
    assert '"message": "nothing"' in nothing.dumped and nothing.lines == [] and two.dumped == ""
    two, nothing = parser.run(["two", "nothing"])
    assert two.lines == [] and nothing.dumped == ""


def test_options(parser, tmp_path):
    (event,) = next(parser.run(["a"], log_type="MINE", field_names="camel")).events
    assert (event["metadata"]["logType"], event["metadata"]["eventType"]) == ("MINE", "GENERIC_EVENT")
    bare = next(parser.run(["a"], platform_fields=False)).events[0]
    assert bare == {"metadata": {"event_type": "GENERIC_EVENT", "description": "a"}}
    before = datetime.now(timezone.utc)
    now = next(parser.run(["a"])).events[0]["metadata"]["event_timestamp"]
    assert before - timedelta(seconds=1) < datetime.fromisoformat(now[:19] + "+00:00") <= datetime.now(timezone.utc)
    there = datetime(2026, 1, 2, 5, 4, 5, tzinfo=timezone(timedelta(hours=2)))
    assert next(parser.run(["a"], received=there)).events[0]["metadata"]["event_timestamp"] == "2026-01-02T03:04:05Z"
    assert "more steps than it may" in next(parser.run(["a"], max_steps=3)).message
    assert "more memory than they may" in next(parser.run(["x" * 9000], max_bytes=1000)).message
    for options, words in [
        ({"received": datetime(2026, 1, 2)}, r"(?s)time zone, found .*hint: received.astimezone"),
        ({"field_names": "kebab"}, "snake, camel; found `kebab`"),
        ({"max_bytes": 0}, "max_bytes"),
        ({"max_bytes": 1 << 31}, "max_bytes"),
        ({"max_steps": -1}, "max_steps"),
    ]:
        with pytest.raises(ValueError, match=words):
            parser.run(["a"], **options)
    # Metadata next to the file, as for the command; other files of that name do not matter.
    conf = tmp_path / "mine.conf"
    conf.write_text(TEXT)
    for metadata, log_type in [('{"log_type":" okta "}', "OKTA"), ('{"log_type":"a b"}', None), ('{"log_type":""}', None), ("[1]", None), ("{", None), ('{"log_type":1}', None)]:
        (tmp_path / "metadata.json").write_text(metadata)
        assert udmap.Parser.from_file(conf).log_type == log_type
    (tmp_path / "metadata.json").write_text('{"log_type":"OKTA"}')
    mine = udmap.Parser.from_file(str(conf))
    of = lambda **options: next(mine.run(["a"], **options)).events[0]["metadata"]["log_type"]
    assert (of(), of(log_type="MINE")) == ("OKTA", "MINE")


def test_parsers_that_do_not_load(command, tmp_path):
    text = 'filter {\n  mutate { replace => { "a" => "b" }\n  nope {}\n}\n'
    with pytest.raises(udmap.ParserError) as error:
        udmap.Parser(text)
    assert isinstance(error.value, udmap.UdmapError)
    (tmp_path / "mine.conf").write_text(text)
    command("parser", "check", tmp_path / "mine.conf", "-q", "--report", f"json={tmp_path / 'report'}")
    (finding,) = json.loads((tmp_path / "report").read_text())["findings"]
    assert (error.value.line, error.value.column, error.value.expected) == (finding["line"], finding["column"], finding["message"])
    assert str(error.value).split("\n")[0] == f"{error.value.line}:{error.value.column}: {error.value.expected}"
    again = pickle.loads(pickle.dumps(error.value))
    assert (str(again), again.line) == (str(error.value), error.value.line)
    with pytest.raises(udmap.ParserError, match="mine.conf:5:1: expected"):
        udmap.Parser.from_file(tmp_path / "mine.conf")
    with pytest.raises(udmap.ParserError, match="(?s)^1:10: .*\nhint: "):
        udmap.Parser("filter { code { } }")
    with pytest.raises(udmap.InputError, match="no such file"):
        udmap.Parser.from_file(tmp_path / "missing.conf")
    (tmp_path / "latin.conf").write_bytes(b"filter { } # \xe9")
    with pytest.raises(udmap.InputError, match="latin.conf` is not UTF-8"):
        udmap.Parser.from_file(tmp_path / "latin.conf")
    with pytest.raises(udmap.InputError, match="expected one parser"):
        udmap.Parser.from_file(tmp_path)
    with pytest.raises(ValueError, match=r"(?s)name of a file.*hint: udmap.Parser.from_file\('mine.conf'\)"):
        udmap.Parser("mine.conf")
    with pytest.raises(TypeError, match="(?s)found PosixPath.*hint: udmap.Parser.from_file"):
        udmap.Parser(tmp_path / "mine.conf")
    with pytest.raises(TypeError, match="found bytes"):
        udmap.Parser(b"filter { }")


def test_warnings_are_those_of_the_command(command, tmp_path):
    conf = tmp_path / "mine.conf"
    conf.write_text('filter {\n  statedump {}\n  grok { match => { "message" => "(?=a)" } nope => 1 }\n  if [never] == "" { }\n}\n')
    command("parser", "check", conf, "-q", "--report", f"json={tmp_path / 'report'}")
    want = json.loads((tmp_path / "report").read_text())["findings"]
    parser = udmap.Parser.from_file(conf)
    got = [(it.code, it.line, it.column, it.message) for it in parser.warnings]
    assert sorted(got) == sorted((it["code"], it["line"], it["column"], it["message"]) for it in want)
    assert {"statedump", "bad-regex", "unknown-option", "unset-token"} <= {it.code for it in parser.warnings}
    assert [it.line for it in parser.warnings] == sorted(it.line for it in parser.warnings)
    assert udmap.Parser("filter { drop {} }").warnings == []


@pytest.mark.parametrize(
    ("logs", "words"),
    [
        ("a log", r"(?s)found str: one log, or many\?.*hint: \[log\]"),
        (b"a log", "found bytes"),
        (memoryview(b"a log"), "found memoryview"),
        (pathlib.Path("logs"), r"(?s)found PosixPath.*hint: open\(path"),
        ({"a": 1}, "found dict"),
        (5, "found int"),
        (None, "found NoneType"),
    ],
)
def test_what_is_not_logs(parser, logs, words):
    with pytest.raises(TypeError, match=words):
        parser.run(logs)
    assert threads() == 0


def test_a_log_that_is_none(parser):
    for logs, words in [(["a", 5], "found int as item 2"), ([{"a": 1}], r"(?s)found dict as item 1.*hint: json.dumps")]:
        with pytest.raises(TypeError, match=words):
            list(parser.run(logs))

    def failing():
        yield "a"
        raise RuntimeError("the source failed")

    with pytest.raises(RuntimeError, match="the source failed"):
        list(parser.run(failing()))
    assert [log.log for log in parser.run([bytearray(b"a"), memoryview(b"b")])] == [b"a", b"b"]
    assert threads() == 0


def test_what_is_left_early_ends(parser):
    taken = []

    def watched():
        for number in itertools.count():
            taken.append(number)
            yield f"log {number}"

    for end in ["close", "with", "drop", "never begun"]:
        taken.clear()
        run = parser.run(watched())
        if end == "with":
            with run:
                assert next(run).outcome == "events"
        elif end != "never begun":
            assert next(run).events[0]["metadata"]["description"] == "log 0"
        if end == "close":
            run.close()
            assert next(run, None) is None
        assert run.logs == (end != "never begun")
        del run
        gc.collect()
        for _ in range(50):
            time.sleep(0.02 * (threads() > 0))
        assert threads() == 0, end
        # One piece of 256 KiB was read, or what came in a tenth of a second.
        assert len(taken) < 100_000, end


def test_a_slow_source_gets_its_outcomes_before_it_is_asked_for_more(parser):
    seen = []

    def slow():
        for number in range(4):
            yield f"log {number}"
            # The first wait is longer than logs are gathered.
            time.sleep(0.15)
            seen.append(run.logs)

    run = parser.run(slow())
    assert [log.log for log in run] == [f"log {number}" for number in range(4)]
    assert seen[-1] >= 2, "what was read was given before more was read"


def test_many_logs_take_small_memory(tmp_path):
    code = f"""
import resource, sys, udmap
parser = udmap.Parser({TEXT!r})
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
def logs(count):
    for number in range(count):
        yield f"two {{number}} " + "x" * 2000
for log in parser.run(logs(500)):
    log.events
before = peak()
run = parser.run(logs(30_000))
for number, log in enumerate(run):
    assert log.events[1]["metadata"]["description"].startswith(f"two {{number}} ")
assert run.events == 60_000, run
# Small logs that give much.
big = udmap.Parser({TEXT.replace("%{message}", "y" * 100_000)!r})
run = big.run(["one"] * 1500)
print(sum(len(log.ndjson) for log in run) >> 20, peak() - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    mib, grown = map(int, done.stdout.split() or pytest.fail(done.stderr))
    assert mib >= 140 and grown < SMALL


def test_the_gil_is_released(parser):
    slow = udmap.Parser(TEXT.replace("mutate { merge", "for i in xml(message, /a/b) { } mutate { merge", 1))
    done = threading.Event()
    turns = 0

    def other():
        nonlocal turns
        while not done.is_set():
            turns += 1
            time.sleep(0.001)

    thread = threading.Thread(target=other)
    thread.start()
    try:
        log = "<a>" + "<b/>" * 100_000 + "</a>"
        assert [it.outcome for it in slow.run([log] * 5)] == ["events"] * 5
    finally:
        done.set()
        thread.join()
    assert turns > 20


def test_it_is_pickled_and_shared(parser, tmp_path):
    again = pickle.loads(pickle.dumps(parser))
    assert [log.ndjson for log in again.run(["one"], received=RECEIVED)] == [log.ndjson for log in parser.run(["one"], received=RECEIVED)]
    (tmp_path / "mine.conf").write_text(TEXT)
    (tmp_path / "metadata.json").write_text('{"log_type":"OKTA"}')
    mine = pickle.dumps(udmap.Parser.from_file(tmp_path / "mine.conf"))
    os.remove(tmp_path / "mine.conf")
    os.remove(tmp_path / "metadata.json")
    assert pickle.loads(mine).log_type == "OKTA"
    log = next(parser.run(["two"], explain=True))
    assert pickle.loads(pickle.dumps(log)) == log
    found = [None] * 4

    def work(place):
        found[place] = [it.outcome for it in parser.run(["one", "fail"] * 500)]

    workers = [threading.Thread(target=work, args=(place,)) for place in range(4)]
    [worker.start() for worker in workers]
    [worker.join() for worker in workers]
    assert found == [["events", "failed"] * 500] * 4


def test_every_repr_is_a_line(parser, tmp_path):
    (tmp_path / "mine.conf").write_text('filter { grok { match => { "message" => "\x1b(?=' + "a" * 9000 + '" } } }')
    mine = udmap.Parser.from_file(tmp_path / "mine.conf")
    run = parser.run(["one", "two", "drop", "end", "nothing", "fail\x1b", b"\xff"])
    parsed = list(run)
    for it in [mine, parser, run, *mine.warnings, *parsed]:
        assert len(repr(it)) < 700 and repr(it).isprintable(), repr(it)[:2000]
    assert repr(mine) == f"udmap.Parser.from_file('{tmp_path}/mine.conf')" and mine.warnings
    assert [repr(it) for it in parsed[:5]] == [
        "<ParsedLog 1 event>",
        "<ParsedLog 2 events>",
        "<ParsedLog dropped: TAG_UNSUPPORTED>",
        "<ParsedLog dropped>",
        "<ParsedLog no-output>",
    ]
    assert repr(parsed[5]).startswith("<ParsedLog failed 5:31: generic::invalid_argument: ")
    assert repr(run) == "<ParserRun 7 logs (events 2, dropped 2, no-output 1, failed 2), 3 events>"
