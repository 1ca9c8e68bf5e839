"""Objects of buckets are inputs by their URLs."""

import gzip
import http.server
import json
import pathlib
import re
import threading
import urllib.parse
from xml.sax.saxutils import escape

import pytest
import udmap

FIXTURES = pathlib.Path(__file__).resolve().parents[2] / "fixtures"
LOG = (FIXTURES / "quickstart/input.ndjson").read_bytes()


class S3(http.server.BaseHTTPRequestHandler):
    """As much of S3 as reading needs. Objects are by `bucket/key`."""

    protocol_version = "HTTP/1.1"
    objects = {}

    def do_GET(self):
        address = urllib.parse.urlsplit(self.path)
        name = urllib.parse.unquote(address.path).lstrip("/")
        query = dict(urllib.parse.parse_qsl(address.query))
        if "list-type" in query:
            bucket = name.rstrip("/")
            keys = sorted(key[len(bucket) + 1 :] for key in self.objects if key.startswith(bucket + "/"))
            keys = [key for key in keys if key.startswith(query.get("prefix", ""))]
            contents = "".join(
                f"<Contents><Key>{escape(key)}</Key><Size>{len(self.objects[f'{bucket}/{key}'])}</Size>"
                "<LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;1&quot;</ETag></Contents>"
                for key in keys
            )
            self.answer(200, f"<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>".encode())
        elif name in self.objects:
            whole = self.objects[name]
            given = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("range", ""))
            if given is None:
                self.answer(200, whole)
            else:
                first, last = int(given[1]), min(int(given[2] or len(whole) - 1), len(whole) - 1)
                place = {"content-range": f"bytes {first}-{last}/{len(whole)}"}
                self.answer(206, whole[first : last + 1], place)
        else:
            self.answer(404, b"<Error><Code>NoSuchKey</Code></Error>")

    do_HEAD = do_GET

    def answer(self, status, body, headers=None):
        self.send_response(status)
        fields = {"etag": '"1"', "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT", **(headers or {})}
        for name, value in {**fields, "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def bucket(monkeypatch):
    """The objects of a bucket `acme`."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), S3)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}", "AWS_ALLOW_HTTP": "true"}
    settings |= {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "eu-west-1"}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    S3.objects = {"acme/duo/1.ndjson": LOG, "acme/duo/2 a.gz": gzip.compress(LOG), "acme/other": b"{}"}
    yield S3.objects
    server.shutdown()


def test_what_is_in_a_bucket(bucket, tmp_path):
    want = udmap.convert(LOG)
    assert udmap.convert("s3://acme/duo/1.ndjson").events == want.events
    both = udmap.convert("s3://acme/duo/", threads=2)
    assert both.events == want.events * 2
    assert [reject.source for reject in both.rejects] == ["s3://acme/duo/1.ndjson", "s3://acme/duo/2 a.gz"]
    assert udmap.convert(["s3://acme/duo/2 a.gz", "s3://acme/other"]).counts["records"] == 13
    calls = []
    written = udmap.convert("s3://acme/duo/", output=tmp_path / "out", progress=calls.append)
    assert written.counts == both.counts and calls[-1].total == calls[-1].bytes == sum(map(len, bucket.values())) - 2
    with udmap.events("s3://acme/duo/2 a.gz") as events:
        assert next(events) == want.events[0]
    assert udmap.explain("s3://acme/duo/1.ndjson", max_records=1)[0]["source"] == "s3://acme/duo/1.ndjson"
    with pytest.raises(udmap.InputError, match="s3://acme/missing"):
        udmap.convert("s3://acme/missing")


def test_checks_read_buckets(bucket):
    events = udmap.convert(LOG)
    bucket["acme/udm/events.ndjson"] = events.ndjson
    checked = udmap.validate("s3://acme/udm/")
    assert checked.ok and checked.events == 11 and checked.findings[0].source == "s3://acme/udm/events.ndjson"
    assert udmap.diff("s3://acme/udm/events.ndjson", events).ok
    assert udmap.diff("s3://acme/duo/1.ndjson", events, raw=True).equal == 11
    assert udmap.profile("s3://acme/duo/").records == 24
    for name in ["input.ndjson", "events.ndjson", "rejects.ndjson"]:
        bucket[f"acme/cases/a/{name}"] = (FIXTURES / "quickstart" / name).read_bytes()
    assert udmap.test("s3://acme/cases/").ok and len(udmap.test(["s3://acme/cases/", FIXTURES / "quickstart"]).cases) == 2


def test_a_url_of_a_file(tmp_path):
    (tmp_path / "a.ndjson").write_bytes(LOG)
    assert json.loads(udmap.convert(f"file://{tmp_path}/a.ndjson").events[0]) and udmap.convert(f"file://{tmp_path}/").counts["records"] == 12
