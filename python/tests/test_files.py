"""Events and rejects to files, as the command writes them."""

import gzip
import json
import os
import pathlib

import pytest
import udmap
from pyarrow import parquet

LINE = '{"ts":"2024-01-01T00:00:00Z"}'


@pytest.mark.parametrize("ending", ["ndjson", "ndjson.gz", "ndjson.zst", "parquet"])
def test_files_are_the_commands(log, converted, command, tmp_path, ending):
    (tmp_path / "log").write_bytes(log)
    want, want_rejects = tmp_path / f"want.{ending}", tmp_path / "want-rejects.ndjson"
    command("convert", tmp_path / "log", "-q", "-o", want, "--rejects", want_rejects)
    got, rejects = tmp_path / f"got.{ending}", tmp_path / "rejects.ndjson"
    written = udmap.convert(tmp_path / "log", output=got, rejects=str(rejects), threads=2)
    assert rejects.read_bytes() == want_rejects.read_bytes()
    if ending == "parquet":
        assert parquet.read_table(got).equals(parquet.read_table(want))
    elif ending.endswith("zst"):
        assert udmap.validate(got).events == udmap.validate(want).events == written.counts["events"]
    else:
        read = gzip.decompress if ending.endswith("gz") else bytes
        assert read(got.read_bytes()) == converted[0]
    memory = udmap.convert(log)
    assert (written.counts, written.by_reason) == (memory.counts, memory.by_reason)
    assert (written.output, written.rejects_output, written.examples) == (str(got), str(rejects), [])
    assert written.counts["rejects"] == len(converted[1]) > 100


def test_without_a_file_for_rejects_there_are_examples(log, tmp_path):
    written = udmap.convert(log, output=tmp_path / "out")
    assert {r.reason for r in written.examples} == set(written.by_reason)
    assert len(written.examples) == sum(min(3, count) for count in written.by_reason.values())
    with pytest.raises(ValueError, match="`output`"):
        udmap.convert(log, rejects=tmp_path / "rejects")


def test_nothing_is_written_over_what_is_read(tmp_path):
    log = tmp_path / "log.ndjson"
    log.write_text(LINE)
    table = tmp_path / "mine.toml"
    table.write_text('[mapping]\nname = "mine"\nlog_type = "X"\nextends = "duo_telephony"\n')
    link = tmp_path / "link"
    link.symlink_to(log)
    for error, arguments in [
        (udmap.InputError, {"data": log, "output": log}),
        (udmap.InputError, {"data": [log], "output": tmp_path / "out", "rejects": link}),
        (ValueError, {"data": log.open(), "output": link}),
        (ValueError, {"data": LINE, "output": tmp_path / "out", "rejects": tmp_path / "x/../out"}),
        (ValueError, {"data": LINE, "output": table, "mapping": table}),
        (ValueError, {"data": LINE, "output": "s3://bucket/events.ndjson"}),
        (udmap.OutputError, {"data": LINE, "output": tmp_path}),
        (udmap.OutputError, {"data": LINE, "output": tmp_path / "missing/out"}),
    ]:
        with pytest.raises(error):
            udmap.convert(**arguments)
    assert log.read_text() == LINE and "extends" in table.read_text()
    assert sorted(it.name for it in tmp_path.iterdir()) == ["link", "log.ndjson", "mine.toml"]
    # An output in the folder that is converted is left out.
    (tmp_path / "table").mkdir()
    table.rename(tmp_path / "table/mine.toml")
    link.unlink()
    (tmp_path / "table/mine.toml").unlink()
    for _ in range(2):
        assert udmap.convert(tmp_path, output=tmp_path / "out").counts["records"] == 1
    if os.path.exists("/dev/null"):
        assert udmap.convert(LINE, output="/dev/null", rejects="/dev/null").counts["events"] == 1


def test_a_damaged_input_gives_what_was_read(log, tmp_path):
    (tmp_path / "cut.gz").write_bytes(gzip.compress(log)[:-100_000])
    with pytest.raises(udmap.InputError, match="cut.gz") as error:
        udmap.convert(tmp_path / "cut.gz", output=tmp_path / "out")
    written = error.value.converted
    assert isinstance(written, udmap.Written) and written.counts["events"] > 100
    assert (tmp_path / "out").read_bytes().count(b"\n") == written.counts["events"]
    with pytest.raises(udmap.InputError) as error:
        udmap.convert(tmp_path / "missing", output=tmp_path / "other")
    assert error.value.converted is None and not (tmp_path / "other").exists()


@pytest.mark.skipif(not pathlib.Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk(log):
    with pytest.raises(udmap.OutputError, match="/dev/full"):
        udmap.convert(log, output="/dev/full")
    assert json.loads(udmap.convert(LINE).events[0])
