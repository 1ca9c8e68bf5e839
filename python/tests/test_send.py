"""Events into SecOps, against a fake: once, and what can't be sent is named."""

import collections
import gzip
import inspect
import json
import os
import pickle
import re
import signal
import subprocess
import sys
import threading
import time

import pytest
import udmap

import secops
from secops import event


@pytest.fixture(scope="session")
def private_key():
    """The key of a service account that nobody has."""
    command = ["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def fake():
    fake = secops.SecOps()
    yield fake
    fake.shutdown()
    fake.server_close()


@pytest.fixture
def options(fake, private_key, tmp_path):
    """What every call needs."""
    key = tmp_path / "key.json"
    key.write_text(secops.key(private_key))
    return {
        "project": secops.PROJECT,
        "location": secops.LOCATION,
        "instance": secops.INSTANCE,
        "api_url": fake.url,
        "credentials": key,
        "state": tmp_path / "state.json",
        "rejects": tmp_path / "rejects.ndjson",
        "retry_wait": 0.001,
        "rate": None,
    }


def lines(numbers, refused=()):
    return "".join(event(n, "refuse me" if n in refused else "ok") + "\n" for n in numbers)


def numbers(taken):
    """How often each event arrived."""
    return collections.Counter(int(json.loads(it)["metadata"]["product_log_id"][1:]) for it in taken)


def once(of):
    return collections.Counter(of)


def test_everything_is_sent_once(fake, options, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.ndjson").write_text(lines(range(120)))
    (tmp_path / "in/b.ndjson.gz").write_bytes(gzip.compress(lines(range(120, 250)).encode()))
    calls = []
    sent = udmap.send(tmp_path / "in", batch_events=50, progress=calls.append, **options)
    assert numbers(fake.taken) == once(range(250)) and set(fake.taken) == set(lines(range(250)).splitlines())
    assert (sent.inputs, sent.lines, sent.accepted, sent.rejected, sent.requests) == (2, 250, 250, 0, 6)
    assert sent.ok and sent.error is None and not sent.stopped and sent.bytes > 250 * 100
    assert repr(sent) == "<Sent 250 events accepted, 0 rejects>" and pickle.loads(pickle.dumps(sent)) == sent
    assert (calls[-1].records, calls[-1].rejects, calls[-1].fraction) == (250, 0, 1.0)
    # Each form of a path is the same input, and all of it is done.
    for inputs in ["in", tmp_path / "in/*", [str(tmp_path / "in/a.ndjson"), tmp_path / "in/b.ndjson.gz"], f"file://{tmp_path}/in/"]:
        os.chdir(tmp_path)
        again = udmap.send(inputs, **options)
        assert again.ok and (again.done_before, again.requests) == (250, 0) or "://" in str(inputs), inputs
    assert fake.wrong == [] and len(fake.tokens) <= 5


def test_what_is_new_is_sent(fake, options, tmp_path):
    log = tmp_path / "in.ndjson"
    log.write_text(lines(range(70)))
    udmap.send(str(log), **options)
    with log.open("a") as more:
        more.write(lines(range(70, 100)) + event(100)[:40])
    sent = udmap.send(str(log), batch_events=10, **options)
    assert (sent.accepted, sent.done_before, sent.unfinished) == (30, 70, [str(log)]) and not sent.ok
    assert any("limits" in note for note in sent.notes), "they stay those of the first call"
    with log.open("a") as more:
        more.write(event(100)[40:] + "\n")
    assert udmap.send(str(log), **options).ok and numbers(fake.taken) == once(range(101))


def test_a_refused_event_is_found(fake, options, tmp_path):
    log = tmp_path / "in.ndjson"
    log.write_text(lines(range(100), refused=[37]) + '{"metadata":{}}\n')
    sent = udmap.send(log, **options)
    assert sent.by_reason["refused"] == 1 and sent.rejected == 2 and sent.accepted == 99 and sent.splits > 3
    assert not sent.ok and sent.error is None and "2 rejects" in repr(sent)
    assert numbers(fake.taken) == once(set(range(100)) - {37})
    rejects = [json.loads(line) for line in options["rejects"].read_text().splitlines()]
    assert sorted((it["line"], it["raw"]) for it in rejects) == [(38, event(37, "refuse me")), (101, '{"metadata":{}}')]
    assert udmap.send(log, **options).requests == 0 and len(options["rejects"].read_text().splitlines()) == 2


def test_faults_that_pass(fake, options, tmp_path):
    log = tmp_path / "in.ndjson"
    log.write_text(lines(range(60)))
    faults = {1: (503, "The service is currently unavailable."), 4: "lost"}
    fake.fault = lambda number, _: faults.get(number)
    calls = []
    sent = udmap.send(log, batch_events=20, parallel=1, progress=calls.append, **{**options, "retry_wait": 0.4})
    assert any("503" in call.waiting for call in calls if call.waiting) and sent.waited_seconds >= 0.8
    assert sent.ok and (sent.accepted, sent.requests, sent.repeats, sent.may_be_there_twice) == (60, 5, 2, 40)
    twice = numbers(fake.taken) - once(range(60))
    assert sum(twice.values()) == 20 and "40 may be there twice" in repr(sent)


def test_what_was_sent_before_a_fault_is_told(fake, options, tmp_path):
    log = tmp_path / "in.ndjson"
    log.write_text(lines(range(60)))
    fake.fault = lambda number, _: (403, "Permission 'chronicle.events.import' denied.") if number > 2 else None
    with pytest.raises(udmap.SendError) as error:
        udmap.send(log, batch_events=20, parallel=1, **options)
    assert "HTTP 403" in str(error.value) and "\nhint: " in str(error.value) and secops.ACCOUNT in str(error.value)
    sent = error.value.result
    assert (sent.accepted, sent.error, sent.ok) == (40, str(error.value), False) and "failed" in repr(sent)
    assert isinstance(error.value, udmap.UdmapError) and pickle.loads(pickle.dumps(error.value)).result == sent
    fake.fault = lambda number, _: (503, "no")
    with pytest.raises(udmap.SendError, match=r"(?s)took nothing.*\(`give_up`\)") as error:
        udmap.send(log, **{**options, "give_up": "20ms"})
    assert error.value.result.accepted == 0
    fake.fault = lambda number, _: None
    assert udmap.send(log, **options).accepted == 20 and numbers(fake.taken) == once(range(60))


def test_other_inputs_are_sent(fake, options, tmp_path):
    for n, name in enumerate("abc"):
        (tmp_path / f"{name}.ndjson").write_text(lines(range(10 * n, 10 * n + 10)))
    udmap.send([tmp_path / "a.ndjson"], **options)
    (tmp_path / "a.ndjson").write_text(lines(range(90, 99)))
    (tmp_path / "b.ndjson").write_text(json.dumps(json.loads(event(1)), indent=1))
    with pytest.raises(udmap.SendError) as error:
        udmap.send(sorted(tmp_path.glob("[abc].ndjson")), **options)
    said = str(error.value).splitlines()
    assert "a.ndjson` is shorter than it was" in said[0] and "b.ndjson` is not one event" in said[1] and said[2].startswith("hint: ")
    assert "`state`" in str(error.value) and "--" not in str(error.value)
    assert error.value.result.accepted == 10 and numbers(fake.taken) == once([*range(10), *range(20, 30)])
    with pytest.raises(udmap.InputError, match="missing"):
        udmap.send(tmp_path / "missing", **options)


INTERRUPTED = """
import json, pathlib, signal, sys, udmap
signal.signal(signal.SIGINT, signal.default_int_handler)
options = json.loads(sys.argv[2])
try:
    udmap.send(sys.argv[1], batch_events=10, parallel=2, **options)
except KeyboardInterrupt as interrupted:
    print(json.dumps([interrupted.result.accepted, interrupted.result.stopped, getattr(interrupted, "__notes__", [""])]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such signal")
def test_ctrl_c_loses_nothing(fake, options, tmp_path):
    log = tmp_path / "in.ndjson"
    log.write_text(lines(range(2000)))
    fake.fault = lambda *_: time.sleep(0.1)
    given = json.dumps({name: it if it is None or isinstance(it, (str, float)) else str(it) for name, it in options.items()})
    command = [sys.executable, "-c", INTERRUPTED, log, given]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while len(fake.taken) < 100:
        assert child.poll() is None, child.communicate()
        time.sleep(0.01)
    child.send_signal(signal.SIGINT)
    start = time.monotonic()
    said, errors = child.communicate(timeout=60)
    assert time.monotonic() - start < 5, "it does not wait for the rest"
    accepted, stopped, notes = json.loads(said)
    assert stopped and accepted == len(fake.taken) and 100 <= accepted < 1000 and errors == ""
    assert sys.version_info < (3, 11) or "continues there" in notes[0]
    fake.fault = lambda *_: None
    sent = udmap.send(log, **options)
    assert sent.ok and (sent.accepted, sent.may_be_there_twice) == (2000 - accepted, 0)
    assert numbers(fake.taken) == once(range(2000))


def test_an_exception_in_progress_stops_it(fake, options, tmp_path):
    log = tmp_path / "in.ndjson"
    log.write_text(lines(range(500)))
    fake.fault = lambda *_: time.sleep(0.1)

    class Enough(Exception):
        pass

    def progress(done):
        assert done.total == log.stat().st_size
        if done.records >= 20:
            raise Enough

    with pytest.raises(Enough) as error:
        udmap.send(log, batch_events=10, parallel=1, progress=progress, **options)
    sent = error.value.result
    assert sent.stopped and 20 <= sent.accepted == len(fake.taken) < 500 and "stopped" in repr(sent)
    fake.fault = lambda *_: None
    assert udmap.send(log, **options).ok and numbers(fake.taken) == once(range(500))


def test_a_dry_run_asks_nobody(fake, options, tmp_path):
    log = tmp_path / "in.ndjson"
    log.write_text(lines(range(100)) + "{}\n")
    before = sorted(tmp_path.iterdir())
    sent = udmap.send(log, batch_events=30, dry_run=True, **{**options, "credentials": tmp_path / "missing"})
    assert sent.dry_run and (sent.accepted, sent.requests, sent.rejected) == (100, 4, 1)
    assert repr(sent).startswith("<Sent 100 events would be sent, 1 reject")
    assert sorted(tmp_path.iterdir()) == before and fake.asked == 0 and fake.wrong == []


def test_no_secret_is_told(fake, options, private_key, tmp_path, monkeypatch):
    log = tmp_path / "in.ndjson"
    log.write_text(lines(range(5)))
    parts = private_key.splitlines()[1:-1]

    def check(told):
        assert "No: " in told, told
        assert not [secret for secret in [*fake.tokens, *parts[:-1]] if secret in told]

    for status in [401, 403, 418]:
        fake.fault = lambda _, token, status=status: (status, f"No: {token} {parts[1]} {private_key}")
        with pytest.raises(udmap.SendError) as error:
            udmap.send(log, **options)
        check(f"{error.value} {error.value!r} {error.value.result!r} {error.value.result.error}")
    fake.fault = lambda _, token: (400, f"No: {token} {parts[1]} {private_key}")
    assert udmap.send(log, **options).by_reason == {"refused": 5}
    check(options["rejects"].read_text())
    assert fake.tokens and "" not in fake.tokens
    # Found as Google's tools find them; one that can't be used says where it is.
    fake.fault = lambda *_: None
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(options["credentials"]))
    other = {**options, "credentials": None, "state": tmp_path / "other.json"}
    assert udmap.send(log, **other).ok
    (tmp_path / "bad.json").write_text('{"type":"service_account","private_key":"abcdefgh12345678"}')
    with pytest.raises(udmap.SendError, match=r"bad\.json") as error:
        udmap.send(log, **{**other, "credentials": tmp_path / "bad.json", "state": tmp_path / "third.json"})
    assert "abcdefgh" not in str(error.value) and not (tmp_path / "third.json").exists()


def test_raw_logs(fake, options, tmp_path):
    log = tmp_path / "in.ndjson"
    log.write_text('{"timestamp": 1773144000, "txid": "a"}\nwhatever\n')
    more = {"namespace": "office", "labels": {"team": "a"}, "forwarder": "f-1"}
    sent = udmap.send(log, log_type="DUO_AUTH", **more, **options)
    assert sent.ok and sent.accepted == 2 and fake.taken == log.read_text().splitlines()
    first = fake.source["logs"][0]
    assert (first["environmentNamespace"], first["labels"]["team"]["value"]) == ("office", "a")
    assert fake.source["forwarder"].endswith("/f-1") and first["logEntryTime"].startswith("2026-03-10T12:00:00")
    with pytest.raises(ValueError, match="log_type"):
        udmap.send(log, **more, **options)
    with pytest.raises(udmap.SendError, match="another|logs"):
        udmap.send(log, **options)


def test_one_of_two_calls_works(fake, options, tmp_path):
    log = tmp_path / "in.ndjson"
    log.write_text(lines(range(100)))
    fake.fault = lambda *_: time.sleep(0.3)
    results = []

    def call():
        try:
            results.append(udmap.send(log, **options))
        except udmap.SendError as error:
            results.append(error)

    threads = [threading.Thread(target=call) for _ in range(2)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    (error,) = [it for it in results if isinstance(it, udmap.SendError)]
    assert "another run" in str(error) and error.result.requests == 0 and numbers(fake.taken) == once(range(100))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"location": "e u"}, "`location`"),
        ({"project": ""}, "`project`"),
        ({"api_url": "http://example.com"}, "api_url: .*clear text"),
        ({"api_version": "v/1"}, "`api_version`"),
        ({"log_type": "A/B"}, "log_type: "),
        ({"labels": {"a": ""}, "log_type": "A"}, "labels: "),
        ({"batch_events": 0}, "batch_events: .*100000"),
        ({"batch_bytes": "5MB"}, "batch_bytes: .*4MB"),
        ({"parallel": 65}, "parallel: .*64"),
        ({"rate": "fast"}, "rate: "),
        ({"timeout": 0}, "timeout: "),
        ({"retry_wait": -1}, "retry_wait: "),
        ({"give_up": "soon"}, "give_up: "),
        ({"rejects": "s3://a/b"}, "`rejects` is a URL"),
        ({"state": "rejects.ndjson"}, "one file"),
    ],
)
def test_wrong_options_are_named(fake, options, tmp_path, monkeypatch, wrong, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.ndjson").write_text(lines(range(3)))
    with pytest.raises(ValueError, match=says):
        udmap.send("in.ndjson", **{**options, **wrong})
    assert fake.asked == 0 and not options["state"].exists() and not options["rejects"].exists()


def test_what_has_no_name_is_refused(fake, options, tmp_path):
    log = tmp_path / "in.ndjson"
    log.write_text(lines(range(3)))
    converted = udmap.convert('{"ts":"2024-01-01T00:00:00Z"}')
    for data in [converted, converted.ndjson, json.loads(event(1)), [json.loads(event(1))], log.open(), iter([b"{}"]), 5]:
        with pytest.raises(TypeError, match="by its name\nhint: write"):
            udmap.send(data, **options)
    for data in ["-", ""]:
        with pytest.raises(ValueError, match="name of a file"):
            udmap.send(data, **options)
    # What the call writes is not among its inputs.
    with pytest.raises(udmap.InputError):
        udmap.send(log, **{**options, "rejects": log})
    assert fake.asked == 0 and log.read_text() == lines(range(3))


def test_defaults_are_the_commands(command):
    said = command("send", "--help").stdout.decode()
    by_option = dict(re.findall(r"--([a-z-]+) <[^>]+>(?:(?!\n +(?:-., )?--).)*?\[default: ([^\]]+)\]", said, re.DOTALL))
    given = inspect.signature(udmap.send).parameters
    names = ["api_version", "parallel", "rate", "timeout", "retry_wait", "give_up"]
    assert {name: str(given[name].default) for name in names} == {name: by_option[name.replace("_", "-")] for name in names}


def test_a_fault_of_udmap_does_not_pass_for_success(fake, options, tmp_path):
    """Debug builds panic where the environment says so."""
    log = tmp_path / "in.ndjson"
    log.write_text(lines(range(3)))
    given = {name: it if it is None or isinstance(it, float) else str(it) for name, it in options.items()}
    code = f"import udmap\ntry:\n    print(udmap.send({str(log)!r}, **{given!r}))\nexcept udmap.SendError as error:\n    print(error)"
    environment = {**os.environ, "UDMAP_PANIC": "send"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert "a test asks for a panic" in done.stderr, done.stderr
    assert done.stdout == "udmap failed: reading the inputs panicked\n"
