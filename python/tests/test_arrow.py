"""Rows of Arrow data, from and to what people use."""

import datetime
import json

import duckdb
import pandas
import polars
import pyarrow as pa
import pytest
import udmap


@pytest.fixture(scope="module")
def rows(log):
    return log.split(b"\n")[:-1]



def check(table, converted):
    """Holds what became of the log's lines against the command's."""
    table = pa.table(table)
    events = table["event"].drop_null().to_pylist()
    assert [event.encode() for event in events] == converted[0].split(b"\n")[:-1]
    rejects = [reject for reject in table["reject"].to_pylist() if reject]
    want = [(reject["reason"], reject["message"], reject["length"]) for reject in converted[1]]
    assert [(reject["reason"], reject["message"], reject["length"]) for reject in rejects] == want


TYPES = [pa.binary(), pa.large_binary(), pa.binary_view()]


@pytest.mark.parametrize("kind", TYPES, ids=str)
@pytest.mark.parametrize("threads", [1, 2])
def test_every_layout(rows, converted, kind, threads):
    table = pa.table({"line": pa.chunked_array([pa.array(rows[:5000], kind), pa.array(rows[5000:], kind)])})
    check(udmap.convert_batches(table, "line", threads=threads).read_all(), converted)


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()], ids=str)
def test_strings(rows, kind):
    texts = [row.decode(errors="replace") for row in rows]
    table = pa.table({"value": pa.array(texts, kind)})
    made = udmap.convert_batches(table).read_all()
    want = udmap.convert("\n".join(texts))
    assert made["event"].drop_null().to_pylist() == want.events


def test_rows_keep_their_numbers_and_neighbours(rows, command):
    numbers = list(range(len(rows)))
    batches = pa.table({"n": numbers, "value": pa.array(rows, pa.binary())}).to_batches(max_chunksize=700)
    reader = pa.RecordBatchReader.from_batches(batches[0].schema, batches)
    made = udmap.convert_batches(reader, keep=["n"]).read_all()
    assert made["n"] == made["row"]
    for row in range(0, len(rows), 97):
        of_row = made.filter(pa.compute.equal(made["row"], row))
        want = udmap.convert(rows[row])
        assert of_row["event"].drop_null().to_pylist() == want.events
        got = [reject for reject in of_row["reject"].to_pylist() if reject]
        assert [r["raw"] for r in got] == [r.raw for r in want.rejects]
        assert [(r["line"], r["offset"]) for r in got] == [(r.line, r.offset) for r in want.rejects]


def test_columns_are_those_of_parquet(log, command, tmp_path):
    made = udmap.convert_batches(pa.table({"value": pa.array(log.split(b"\n"), pa.binary())})).read_all()
    made = made.filter(pa.compute.is_valid(made["event"]))
    for row in made.slice(0, 500).to_pylist():
        event = json.loads(row["event"])
        stamp = event["metadata"]["event_timestamp"]
        assert row["metadata_event_type"] == event["metadata"]["event_type"]
        assert row["principal_user_userid"] == event.get("principal", {}).get("user", {}).get("userid")
        assert row["security_result_action"] == event["security_result"][0]["action"][0]
        want = datetime.datetime.fromisoformat(stamp[:19] + "+00:00")
        assert row["metadata_event_timestamp"].replace(microsecond=0) == want
    # Where the command was built with it, its Parquet file has the same columns with the same values.
    file = tmp_path / "events.parquet"
    done = command("convert", "-", "-q", "-o", file, input=log)
    if b"parquet" in done.stderr:
        pytest.skip("the command has no Parquet")
    from pyarrow import parquet

    table = parquet.read_table(file)
    names = [name for name in made.column_names if name not in ("row", "reject")]
    assert sorted(names) == sorted(table.column_names)
    for name in names:
        assert made[name].to_pylist() == table[name].to_pylist()


def test_consumers(rows, converted):
    texts = pa.table({"value": pa.array(rows, pa.binary())})
    check(pandas.DataFrame(udmap.convert_batches(texts).read_pandas())[["event", "reject"]].pipe(of_pandas), converted)
    check(polars.from_arrow(udmap.convert_batches(texts).read_all()).to_arrow(), converted)
    reader = udmap.convert_batches(texts)
    events = duckdb.sql("select event from reader where reject is null").fetchall()
    assert [event for (event,) in events] == converted[0].decode().split("\n")[:-1]
    reader = udmap.convert_batches(texts)
    by_reason = dict(duckdb.sql("select reject.reason, count(*) from reader where reject is not null group by 1").fetchall())
    assert by_reason == {r: [x["reason"] for x in converted[1]].count(r) for r in {x["reason"] for x in converted[1]}}


def of_pandas(frame):
    return pa.table({"event": pa.array(frame["event"], pa.string(), from_pandas=True), "reject": list(frame["reject"])})


def test_producers(rows):
    texts = [row.decode(errors="replace") for row in rows]
    want = udmap.convert("\n".join(texts)).events
    for frame in [
        pandas.DataFrame({"value": texts}),
        polars.DataFrame({"value": texts}),
        duckdb.from_arrow(pa.table({"value": texts})),
    ]:
        assert udmap.convert_batches(frame).read_all()["event"].drop_null().to_pylist() == want, type(frame)


def test_odd_rows_and_columns():
    record = '{"context":"x","ts":"2024-01-01T00:00:00Z"}'
    values = [None, "", " ", record, f"[{record},{record}]", f"{record}\n{{}}\n{record}", "no", None]
    made = udmap.convert_batches(pa.table({"value": values})).read_all()
    assert made["row"].to_pylist() == [3, 4, 4, 5, 5, 5, 6]
    assert made["event"].is_valid().to_pylist() == [True] * 5 + [False, False]
    empty = udmap.convert_batches(pa.table({"value": pa.array([], pa.string())}), columns=False)
    assert empty.schema.names == ["row", "event", "reject"] and empty.read_all().num_rows == 0

    table = pa.table({"value": [record], "n": [1], "event": ["x"]})
    for error, arguments in [
        (KeyError, {"column": "nothing"}),
        (TypeError, {"column": "n"}),
        (ValueError, {"keep": ["event"]}),
        (KeyError, {"keep": ["nothing"]}),
        (ValueError, {"envelope": "x"}),
    ]:
        with pytest.raises(error):
            udmap.convert_batches(table, **arguments)
    with pytest.raises(Exception, match="__arrow_c_stream__|RecordBatchReader"):
        udmap.convert_batches(5)

    def broken():
        yield table.to_batches()[0]
        raise OSError("the disk is gone")

    reader = udmap.convert_batches(pa.RecordBatchReader.from_batches(table.schema, broken()))
    assert reader.read_next_batch().num_rows == 1
    with pytest.raises(Exception, match="the disk is gone"):
        reader.read_next_batch()


def test_memory_stays_bounded():
    import resource

    record = b'{"context":"enrollment","credits":1,"phone":"+12125556707","ts":"2023-03-21T22:34:49Z","type":"sms"}'
    batch = pa.record_batch({"value": pa.array([record] * 20_000, pa.binary())})
    reader = pa.RecordBatchReader.from_batches(batch.schema, (batch for _ in range(100)))
    made = udmap.convert_batches(reader)
    rows = made.read_next_batch().num_rows
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rows += sum(batch.num_rows for batch in made)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    # A batch is some 12 MB of output; all of them would be 1.2 GB.
    assert rows == 2_000_000 and grown < 150 * 1024, grown
