"""The checks give what the command reports, as objects."""

import json
import pathlib
import pickle
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace

import pytest
import udmap

FIXTURES = pathlib.Path(__file__).resolve().parents[2] / "fixtures"
LOG = FIXTURES / "quickstart/input.ndjson"


@pytest.fixture
def report(command, tmp_path):
    """Runs a check of the command; its JSON report, without what differs from run to run."""

    def run(*arguments):
        file = tmp_path / "report.json"
        command(*arguments, "-q", "--report", f"json={file}")
        return timeless(json.loads(file.read_text()))

    return run


def timeless(report):
    cases = [{**case, "seconds": 0} for case in report["cases"]]
    return {**report, "seconds": 0, "cases": cases}


@pytest.fixture(autouse=True)
def scratch(tmp_path_factory, monkeypatch):
    """The folder of temporary files, in which none is left."""
    folder = tmp_path_factory.mktemp("scratch")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield
    assert not list(folder.iterdir())


def test_validate_groups_what_it_finds(command, converted, tmp_path):
    events = converted[0] + b'{"metadata":{"event_type":"NO_SUCH"},"principal":{"ip":["300.1.1.1","1.2.3.4.5"]}}\n'
    all_of_it = udmap.validate(events)
    assert sum(group.count for group in all_of_it.groups) == len(all_of_it.findings) and all_of_it.omitted == 0
    (ip,) = [group for group in all_of_it.groups if group.code == "invalid-ip"]
    assert (ip.path, ip.count, [it.path for it in ip.samples]) == ("principal.ip[]", 2, ["principal.ip[0]", "principal.ip[1]"])
    assert ip.samples[0].advice and ip.samples[0].effect
    order = [("error", "warning", "info").index(group.severity) for group in all_of_it.groups]
    assert order == sorted(order)
    few = udmap.validate(events, max_findings=0)
    assert [(it.code, it.path, it.count) for it in few.groups] == [(it.code, it.path, it.count) for it in all_of_it.groups]
    assert len(few.findings) == sum(min(3, group.count) for group in few.groups)
    assert few.omitted + len(few.findings) == len(all_of_it.findings)
    # Read by the command, they are the same.
    (tmp_path / "events").write_bytes(events)
    by_path = udmap.validate(tmp_path / "events")
    here = {"source": "data"}
    assert [replace(it, **here) for it in by_path.findings] == all_of_it.findings and by_path.events == all_of_it.events
    assert [(it.code, it.path, it.count) for it in by_path.groups] == [(it.code, it.path, it.count) for it in all_of_it.groups]
    assert [[replace(it, **here) for it in group.samples] for group in by_path.groups] == [
        list(group.samples) for group in all_of_it.groups
    ]
    assert not few.ok and not udmap.validate(b"").ok and udmap.validate(udmap.convert(LOG)).ok
    assert not udmap.validate(udmap.convert(LOG), strict=True).ok
    codes = {code.name: code for code in udmap.codes()}
    said = command("validate", "--explain", "invalid-ip").stdout.decode()
    assert codes["invalid-ip"].advice in said and codes["invalid-ip"].effect in said


def test_test_is_the_commands(report, tmp_path):
    tested = udmap.test(FIXTURES)
    assert timeless(tested.report) == report("test", FIXTURES)
    assert tested.ok and len(tested.cases) > 5 and all(case.ok for case in tested.cases) and tested.parts > 10

    shutil.copytree(LOG.parent, tmp_path / "cases/quickstart")
    expected = tmp_path / "cases/quickstart/events.ndjson"
    expected.write_text(expected.read_text().replace('"sms"', '"SMS"', 1))
    tested = udmap.test(tmp_path / "cases")
    assert timeless(tested.report) == report("test", tmp_path / "cases")
    (finding,) = tested.findings
    assert not tested.ok and not tested.cases[0].ok and finding.source == str(expected) and finding.line == 1
    assert udmap.test(tmp_path / "cases", ignore=["security_result.summary"]).ok
    assert not udmap.test(tmp_path / "cases", ignore=["security_result.summary"], full_coverage=True).ok
    assert udmap.test(tmp_path / "cases", max_findings=0).omitted == 1
    udmap.test(tmp_path / "cases", bless=True)
    assert udmap.test(tmp_path / "cases").ok
    (tmp_path / "empty").mkdir()
    assert not udmap.test(tmp_path / "empty").ok, "nothing was tested"
    with pytest.raises(udmap.InputError, match="missing"):
        udmap.test(tmp_path / "missing")
    with pytest.raises(udmap.MappingError, match="did you mean"):
        udmap.test(FIXTURES, mapping="duo_telefony")


def test_a_mapping_is_tested_as_it_was_loaded(tmp_path):
    text = '[mapping]\nname = "mine"\nextends = "base.toml"\n[[rule]]\nudm = "metadata.description"\nfrom = "type"\n'
    (tmp_path / "mine.toml").write_text(text)
    base = '[mapping]\nname = "base"\nlog_type = "DUO_TELEPHONY"\nextends = "duo_telephony"\n'
    (tmp_path / "base.toml").write_text(base)
    file = tmp_path / "mine.toml"
    by_file = udmap.test(FIXTURES, mapping=file)
    mapping = pickle.loads(pickle.dumps(udmap.Mapping.load(str(file))))
    file.unlink()
    assert udmap.test(FIXTURES, mapping=mapping).findings == by_file.findings and not by_file.ok
    assert udmap.profile(LOG, mapping=mapping).mapping == "mine"
    assert udmap.diff(LOG, udmap.convert(LOG), raw=True, mapping=mapping).pairs_that_differ == 11


def test_diff_is_the_commands(report, log, tmp_path):
    (tmp_path / "log").write_bytes(log)
    a, b = tmp_path / "A", tmp_path / "B"
    events = udmap.convert(log)
    a.write_bytes(events.ndjson)
    b.write_bytes(udmap.convert(log, namespace="corp").ndjson + b'{"no')
    want = report("diff", a, b, "--samples", "2", "--max-findings", "100")
    by_path = udmap.diff(a, b, samples=2, max_findings=100)
    assert timeless(by_path.report) == want
    assert not by_path.ok and by_path.omitted > 0 and len(by_path.findings) == 100
    assert (by_path.events_a, by_path.equal) == (len(events.events), want["equal"])
    namespace = next(it for it in by_path.fields if it.path == "principal.namespace")
    assert (namespace.code, len(namespace.samples)) == ("only-in-b", 2)
    assert (namespace.samples[0].a, namespace.samples[0].b) == (None, '"corp"')
    assert namespace.samples[0].b_at.startswith(f"{b}:")
    # The same events in memory have the names of the arguments.
    in_memory = udmap.diff(events, b.read_bytes(), samples=2, max_findings=100)
    assert json.dumps(in_memory.report["fields"]) == json.dumps(want["fields"]).replace(f"{tmp_path}/", "")
    assert {it.source for it in in_memory.findings} <= {"A", "B"}
    assert udmap.diff(events.dicts(), a).ok and udmap.diff(tmp_path / "log", events, raw=True).fields[0].code == "no-event"
    assert udmap.diff(a, b, ignore=["principal.namespace"], threads=1).pairs_that_differ == 0
    assert not udmap.diff(b"", b"").ok, "nothing was compared"
    with pytest.raises(TypeError, match="list of paths"):
        udmap.diff(a, b, ignore="principal")
    with pytest.raises(ValueError, match="2 paths"):
        udmap.diff([a, b], b)
    with pytest.raises(udmap.InputError, match="no such file"):
        udmap.diff(tmp_path / "-missing", b)


def test_profile_is_the_commands(command, log, tmp_path):
    (tmp_path / "log").write_bytes(log)
    want = json.loads(command("profile", tmp_path / "log", "--json", "-q").stdout)
    got = udmap.profile(tmp_path / "log")
    assert {**got.report, "seconds": 0} == {**want, "seconds": 0}
    in_memory = udmap.profile(log.split(b"\n"))
    assert in_memory.fields == got.fields and in_memory.report["inputs"] == ["data"]
    assert got.records == udmap.convert(log).counts["records"] and got.rejects == udmap.convert(log).by_reason
    assert sum(shape.records for shape in got.shapes) <= got.records and got.formats and got.first < got.last
    phone = next(field for field in got.fields if field.name == "type")
    assert phone.read and phone.present > 1000 and phone.types["text"] > 1000
    (context,) = [field for field in udmap.profile([{"context": "a"}] * 2).fields]
    assert context.values == [("a", 2)]
    assert not any(field.values for field in udmap.profile(log, values=False).fields)
    with pytest.raises(udmap.InputError, match="no such file"):
        udmap.profile(tmp_path / "missing")


def test_a_configuration_and_a_baseline(command, tmp_path, monkeypatch):
    events, cases, config = tmp_path / "events", tmp_path / "cases", tmp_path / "udmap.toml"
    events.write_bytes(b'{"metadata":{"event_type":"NO_SUCH"}}\n')
    shutil.copytree(LOG.parent, cases / "quickstart")
    expected = cases / "quickstart/events.ndjson"
    expected.write_text(expected.read_text().replace('"sms"', '"SMS"', 1))
    checks = {
        "validate": ([events], lambda **options: udmap.validate(events, **options)),
        "test": ([cases], lambda **options: udmap.test(cases, **options)),
        "diff": ([expected, LOG.parent / "events.ndjson"], lambda **options: udmap.diff(expected, LOG.parent / "events.ndjson", **options)),
    }
    for name, (inputs, check) in checks.items():
        assert not check().ok and check().known == 0
        baseline = tmp_path / f"{name}.json"
        command(name, *inputs, "--no-config", "--write-baseline", baseline)
        found = check(baseline=baseline)
        assert found.ok and found.known > 0 and found.findings == found.groups == [], name
        config.write_text(f'baseline = "{name}.json"\n')
        assert check(config=config).ok
        monkeypatch.chdir(tmp_path)
        assert not check().ok, "no configuration is looked for"
    config.write_text('[severity]\nunknown-enum = "off"\ninvalid-ip = "warning"\n')
    in_memory = {"metadata": {"event_type": "GENERIC_EVENT", "event_timestamp": "2024-01-01T00:00:00Z"}, "principal": {"ip": ["x"]}}
    severity = lambda **options: {it.code: it.severity for it in udmap.validate(in_memory, **options).findings}["invalid-ip"]
    assert (severity(), severity(config=config), severity(config=config, strict=True)) == ("error", "warning", "error")
    assert severity(config=config, severities={"invalid-ip": "info"}) == "info"
    with pytest.raises(udmap.InputError, match="missing"):
        udmap.validate(events, config=tmp_path / "missing")


def test_a_command_of_another_version_is_refused(monkeypatch):
    from udmap import _command

    monkeypatch.setattr(_command, "__version__", "9.9.9")
    with pytest.raises(udmap.UdmapError, match=r"(?s)expected the command .* 9\.9\.9, found .*hint: pip install"):
        udmap.test(FIXTURES)
    monkeypatch.setattr(_command, "_places", lambda: iter([]))
    with pytest.raises(udmap.UdmapError, match="hint: pip install"):
        udmap.test(FIXTURES)


def test_stdin_is_read_where_it_is_named():
    code = "import pathlib, udmap; print(udmap.validate(pathlib.Path('-')).events, udmap.profile(pathlib.Path('-')).records)"
    done = subprocess.run([sys.executable, "-c", code], input=b'{"metadata":{}}\n', capture_output=True)
    assert done.stdout == b"1 0\n", done.stderr


def test_mappings():
    telephony = udmap.mappings()[:2]
    assert [mapping.name for mapping in telephony] == ["duo_telephony", "duo_telephony_extended"]
    assert {mapping.log_type for mapping in telephony} == {"DUO_TELEPHONY"}
    assert all(udmap.convert(LOG, mapping=mapping).counts["events"] == 11 for mapping in telephony)
    assert {"duo_auth", "duo_admin", "duo_activity"} < {mapping.name for mapping in udmap.mappings()}


def test_every_repr_is_a_line(log, tmp_path):
    done = udmap.convert(log)
    long = udmap.convert(b'{"ts":"\x1b[31m' + b"x" * 500_000 + b'"}')
    checked = udmap.validate(done.ndjson + b'{"a":' + b'"b"' * 1000 + b"\n" + b'{"' + b"k" * 9000 + b'":1}')
    compared = udmap.diff(done, udmap.convert(log, namespace="corp" * 9000))
    profiled = udmap.profile(log)
    tested = udmap.test(FIXTURES)
    whole = [done, long, checked, compared, profiled, tested, udmap.events(b""), udmap.Converter(labels={"a": "b"})]
    whole += [udmap.convert(log, output=tmp_path / "out")]
    whole += [*done.rejects, *long.rejects, *checked.findings, *checked.groups, *compared.fields, *compared.findings[:99]]
    whole += [*udmap.codes(), *compared.fields[0].samples, *profiled.fields, *profiled.shapes, *profiled.new_values, *tested.cases]
    for it in whole:
        assert len(repr(it)) < 700 and repr(it).isprintable(), repr(it)[:2000]
    assert repr(done).startswith(f"<Converted {done.counts['events']:,} events, {done.counts['rejects']:,} rejects (")
    assert repr(whole[7]) == "udmap.Converter(udmap.Mapping.load(\"duo_telephony\"), labels={'a': 'b'})"
    for it in [done, checked, *done.rejects[:1], *checked.groups[:1]]:
        assert pickle.loads(pickle.dumps(it)) == it
        with pytest.raises(AttributeError):
            it.new = 1
