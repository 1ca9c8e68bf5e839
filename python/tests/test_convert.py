"""The package gives what the command gives: bytes, rejects, texts."""

import base64
import doctest
import gzip
import json
import pathlib
import pickle
import threading
import time

import pytest
import udmap

FIXTURES = pathlib.Path(__file__).resolve().parents[2] / "fixtures"


def raw(reject):
    return base64.b64decode(reject["raw_base64"]) if "raw_base64" in reject else reject["raw"].encode()


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("form", ["bytes", "gzip", "bytearray", "path"])
def test_what_the_command_writes(log, converted, tmp_path, form, threads):
    (tmp_path / "log.gz").write_bytes(gzip.compress(log))
    data = {
        "bytes": log,
        "gzip": gzip.compress(log),
        "bytearray": bytearray(log),
        "path": tmp_path / "log.gz",
    }[form]
    done = udmap.convert(data, threads=threads)
    assert done.ndjson == converted[0] and len(done.events) == done.counts["events"] > 5000
    assert done.counts["records"] == done.counts["events"] + done.counts["rejects"]
    assert sum(done.by_reason.values()) == done.counts["rejects"] > 300
    want = [(r["line"], r["offset"], r["length"], r["reason"], r["message"], raw(r)) for r in converted[1]]
    assert [(r.line, r.offset, r.length, r.reason, r.message, r.raw) for r in done.rejects] == want
    assert {r.source for r in done.rejects} == {str(tmp_path / "log.gz") if form == "path" else "data"}


def test_options_are_the_commands(command):
    log = (FIXTURES / "quickstart/input.ndjson").read_bytes()
    options = ["--field-names", "camel", "--envelope", "event", "--namespace", "corp", "--label", "a=b", "-q"]
    want = command("convert", "-", *options, "--mapping", "duo_telephony_extended", input=log).stdout
    got = udmap.convert(
        log.decode(),
        mapping="duo_telephony_extended",
        field_names="camel",
        envelope="event",
        namespace="corp",
        labels={"a": "b"},
    )
    assert got.ndjson == want
    assert udmap.convert(log, max_record_bytes=100).by_reason["too-long"] > 5


def test_mixed_logs_go_to_their_tables(command, tmp_path):
    log = (FIXTURES / "duo/mixed/input.ndjson").read_bytes()
    want = command("convert", "-", "--mapping", "duo", "-q", input=log).stdout
    done = udmap.convert(log, mapping="duo")
    assert done.ndjson == want and len({event["metadata"]["log_type"] for event in done.dicts()}) == 6
    assert [reject.table for reject in done.rejects] == ["duo_auth", None, None]
    mapping = pickle.loads(pickle.dumps(udmap.Mapping.load("duo")))
    assert udmap.convert(log, mapping=mapping).ndjson == want


def test_mappings_are_loaded_and_travel(tmp_path):
    (tmp_path / "mine.toml").write_text(
        '[mapping]\nname = "mine"\nextends = "base.toml"\n'
        '[[rule]]\nudm = "metadata.description"\nfrom = "type"\n'
    )
    base = '[mapping]\nname = "base"\nlog_type = "DUO_TELEPHONY"\nextends = "duo_telephony"\n'
    (tmp_path / "base.toml").write_text(base)
    mapping = udmap.Mapping.load(str(tmp_path / "mine.toml"))
    assert (mapping.name, mapping.log_type) == ("mine", "DUO_TELEPHONY") and "extends" in mapping.source
    packed = pickle.dumps(udmap.Converter(mapping, namespace="corp"))
    for file in tmp_path.iterdir():
        file.unlink()
    again = pickle.loads(packed)
    event = json.loads(again.convert('{"type":"sms","ts":"2024-01-01T00:00:00Z","phone":"+1"}').events[0])
    assert event["metadata"]["description"] == "sms" and event["principal"]["namespace"] == "corp"
    assert again.mapping.name == "mine"


def test_errors_have_the_commands_texts(command, tmp_path, log):
    faulty = tmp_path / "faulty.toml"
    faulty.write_text('[mapping]\nname = "x"\nlog_type = "X"\n[[rule]]\nudm = "metadata.nothing"\nfrom = "x"\n')
    for name in ["duo_telefony", str(faulty), str(tmp_path)]:
        with pytest.raises(udmap.MappingError) as error:
            udmap.Mapping.load(name)
        said = command("convert", "-", "--mapping", name, input=b"").stderr.decode()
        assert said == f"error: {error.value}\n"
    missing = tmp_path / "missing"
    with pytest.raises(udmap.InputError) as error:
        udmap.convert(missing)
    assert str(error.value) in command("convert", missing).stderr.decode()

    cut = tmp_path / "cut.gz"
    cut.write_bytes(gzip.compress(log)[:-100_000])
    with pytest.raises(udmap.InputError) as error:
        udmap.convert(cut)
    done = command("convert", cut)
    assert str(error.value) in done.stderr.decode() and done.returncode == 2
    assert error.value.converted.ndjson == done.stdout != b""

    for wrong in [
        {"field_names": "x"},
        {"envelope": "x"},
        {"namespace": ""},
        {"labels": {"": "x"}},
        {"max_record_bytes": 0},
    ]:
        with pytest.raises(ValueError):
            udmap.convert(b"", **wrong)
    with pytest.raises(TypeError):
        udmap.convert(5)
    with pytest.raises(ValueError):
        udmap.validate(b"", severities={"no-such-code": "error"})
    with pytest.raises(ValueError):
        udmap.validate(b"", severities={"invalid-ip": "loud"})
    assert issubclass(udmap.InputError, udmap.UdmapError) and issubclass(udmap.MappingError, udmap.UdmapError)


def test_validate_and_explain_are_the_commands(command, converted, tmp_path):
    log = (FIXTURES / "quickstart/input.ndjson").read_bytes()
    got = udmap.explain(log, max_records=100)
    (tmp_path / "log").write_bytes(log)
    said = command("explain", tmp_path / "log", "--json", "--max-records", "100").stdout.splitlines()
    want = [{**json.loads(line), "source": "data"} for line in said]
    assert got == want and len(got) == 12 and got[-1]["reject"]["reason"] == "no-timestamp"

    events = converted[0] + b'{"metadata":{"event_type":"NO_SUCH"},"principal":{"ip":["300.1.1.1"]}}\n{"no\n'
    (tmp_path / "events").write_bytes(events)
    report = tmp_path / "report.json"
    command("validate", tmp_path / "events", "-q", "--report", f"json={report}", "--max-findings", "100000")
    want = json.loads(report.read_text())
    checked = udmap.validate(tmp_path / "events")
    assert checked.events == want["events"] and not checked.ok
    keys = ["severity", "code", "path", "message", "line", "byte", "event"]
    got = [tuple(getattr(finding, key) for key in keys) for finding in checked.findings]
    assert got == [tuple(item[key] for key in keys) for item in want["findings"]] and len(got) > 100
    assert udmap.validate(udmap.convert(log).ndjson).ok
    assert not udmap.validate(b'{"metadata":{}}', strict=True).ok


def test_the_gil_is_released(log):
    data, beats, done = log * 20, [], threading.Event()

    def beat():
        while not done.is_set():
            beats.append(time.monotonic())
            time.sleep(0.001)

    thread = threading.Thread(target=beat)
    thread.start()
    start = time.monotonic()
    udmap.convert(data)
    end = time.monotonic()
    done.set()
    thread.join()
    # Held all the time, the other thread would not beat once in between.
    assert sum(start < at < end for at in beats) > 5


def test_the_docs_examples():
    assert doctest.testmod(udmap, extraglobs={"udmap": udmap}).failed == 0
