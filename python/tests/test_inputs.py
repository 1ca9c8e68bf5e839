"""Whatever records come in, they give the same; what is a file's name is never taken for a record."""

import gzip
import io
import json
import pathlib
import types

import pandas
import pyarrow as pa
import pytest
import udmap

RECORD = {"context": "enrollment", "credits": 1, "phone": "+12125556707", "ts": "2023-03-21T22:34:49Z", "type": "sms"}
LINE = json.dumps(RECORD)


@pytest.fixture(scope="module")
def lines(log):
    """Lines that are text, and hold a whole record each."""
    # Python takes a carriage return for the end of a line.
    texts = [line for line in log.decode(errors="replace").split("\n") if "\r" not in line]
    return [line for line in texts if line.startswith("{") and line.endswith("}")]


def test_records_give_the_same_in_every_form(lines, tmp_path):
    text = "".join(line + "\n" for line in lines)
    want = udmap.convert(text)
    assert want.counts["events"] > 4000 and want.rejects
    file = tmp_path / "log.ndjson"
    file.write_text(text, encoding="utf-8")
    (tmp_path / "log.gz").write_bytes(gzip.compress(text.encode()))
    with file.open("rb") as binary, file.open(encoding="utf-8") as texts, gzip.open(tmp_path / "log.gz") as packed:
        forms = {
            "memoryview": memoryview(text.encode()),
            "binary file": binary,
            "text file": texts,
            "decompressed": packed,
            "compressed": (tmp_path / "log.gz").open("rb"),
            "in memory": io.StringIO(text),
            "list of str": lines,
            "lines of a file": file.open(encoding="utf-8"),
            "generator of bytes": (line.encode() for line in lines),
            "lines with their ends": (line + "\r\n" for line in lines),
            "many in one": [text[: text.index("\n", 50_000)], text[text.index("\n", 50_000) + 1 :]],
            "path": file,
            "paths": [file],
            "found paths": tmp_path.glob("*.gz"),
        }
        for name, data in forms.items():
            got = udmap.convert(data, threads=2)
            assert got.events == want.events, name
            assert [reject.message for reject in got.rejects] == [reject.message for reject in want.rejects], name
            by_line = "lines with" not in name and "path" not in name
            assert not by_line or [r.line for r in got.rejects] == [r.line for r in want.rejects], name


def test_dicts():
    want = udmap.convert(LINE)
    assert udmap.convert(RECORD).events == udmap.convert(types.MappingProxyType(RECORD)).events == want.events
    assert udmap.convert([RECORD, LINE, LINE.encode(), "", RECORD]).events == want.events * 4
    assert udmap.convert(iter([])).counts["records"] == udmap.convert([]).counts["records"] == 0
    got = udmap.convert([RECORD, {"ts": float("nan")}, {"text": "\ud800"}])
    assert [(r.line, r.reason) for r in got.rejects] == [(2, "invalid-json"), (3, "invalid-utf8")]
    odd = {**RECORD, "context": "größe\u2028\U0001f600"}
    assert next(udmap.convert(odd).dicts())["metadata"]["product_event_type"] == odd["context"]
    # What a text file could not decode comes back as it was.
    assert udmap.convert(io.StringIO('{"a":"\udcff"}')).rejects[0].raw == b'{"a":"\xff"}'


def test_names_of_inputs(tmp_path):
    file = tmp_path / "a.ndjson"
    file.write_text("{}\n")
    with file.open() as opened:
        assert udmap.convert(opened).rejects[0].source == str(file)
    assert udmap.convert(io.BytesIO(b"{}")).rejects[0].source == "data"
    assert [r.source for r in udmap.convert([file, file.parent]).rejects] == [str(file)]


@pytest.mark.parametrize("call", [udmap.convert, udmap.explain, udmap.validate, udmap.profile, lambda it: list(udmap.events(it))])
@pytest.mark.parametrize("many", [False, True])
def test_a_files_name_is_never_a_record(call, many, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pathlib.Path("telephony").write_text(LINE)
    pathlib.Path("my logs").mkdir()
    names = [str(tmp_path / "telephony"), "telephony", "my logs", "missing.ndjson", "dump/2024", "dump/**/*.gz"]
    for name in [*names, "~/logs", "C:\\logs", "../x", "telephony\n", b"telephony", "a b.json"]:
        with pytest.raises(ValueError, match=r"(?s)name of a (file|folder).*hint: give pathlib\.Path\("):
            call([name] if many else name)
    for url in [b"s3://bucket/logs/", "s3://bucket/my logs\n"]:
        with pytest.raises(ValueError, match="URL"):
            call([url] if many else url)
    for url in ["https://example.com/a", "s5://bucket/a b"]:
        with pytest.raises(udmap.InputError, match="://"):
            call([url] if many else url)
    with pytest.raises(ValueError, match="URL"):
        call([pathlib.Path("s3://bucket/logs")] if many else pathlib.Path("s3://bucket/logs"))


def test_what_is_no_name_is_a_record():
    for text in ["no", "{", "a=b/c.gz", '"x.gz"', "Jan  1 00:00:00 host app: hello", "CEF:0|a/b", "[1,2]", "x.gz\ny.gz"]:
        assert udmap.convert(text).counts["rejects"] > 0, text


def test_what_can_not_be_converted(tmp_path):
    async def later():
        yield RECORD

    table = pa.table({"value": [LINE]})
    for error, words, data in [
        (TypeError, "found int", 5),
        (TypeError, "found NoneType", None),
        (TypeError, "found int as item 2", [RECORD, 5]),
        (TypeError, "a path as item 2", [RECORD, tmp_path]),
        (TypeError, "found dict as item 2", [tmp_path, RECORD]),
        (TypeError, "found str as item 2", [tmp_path, LINE]),
        (TypeError, "a path as item 2", [RECORD, "s3://bucket/logs/"]),
        (TypeError, "item 2 can't be written as JSON", [RECORD, {"at": object()}]),
        (TypeError, "asyncio.to_thread", later()),
        (TypeError, "udmap.convert_batches", table),
        (TypeError, "udmap.convert_batches", pandas.DataFrame({"value": [LINE]})),
    ]:
        with pytest.raises(error, match=words):
            udmap.convert(data)

    def failing():
        yield RECORD
        raise OSError("the disk is gone")

    for data in [failing(), Unready(), open(tmp_path / "latin", "w+", encoding="utf-8")]:
        if isinstance(data, io.TextIOBase):
            data.buffer.write(b"\xff")
            data.seek(0)
        with pytest.raises((OSError, BlockingIOError, UnicodeDecodeError)):
            udmap.convert(data)


class Unready:
    def read(self, size):
        return None


def test_all_take_the_same(log, tmp_path):
    (tmp_path / "log").write_bytes(log)
    want = udmap.convert(log)
    with (tmp_path / "log").open("rb") as file:
        assert udmap.validate(want).groups == udmap.validate(want.dicts()).groups == udmap.validate(io.BytesIO(want.ndjson)).groups
        assert udmap.explain(file, max_records=3) == [
            {**record, "source": str(tmp_path / "log")} for record in udmap.explain(log, max_records=3)
        ]
    (third,) = udmap.explain([RECORD, RECORD, {**RECORD, "type": "phone"}], line=3)
    assert third["line"] == 3 and third["event"]["security_result"][0]["summary"] == "phone"
