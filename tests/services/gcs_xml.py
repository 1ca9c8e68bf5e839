"""Google Cloud Storage's XML API in front of fake-gcs-server, which speaks hardly more than the JSON API.

  gcs_xml.py PORT PORT_OF_FAKE_GCS_SERVER

Objects, generations and the condition of an upload (`x-goog-if-generation-match`) are fake-gcs-server's. What it does
not know is done here as Google documents it, one write at a time: conditions of copies and deletions, `If-Match`, which
holds for reading only, and uploads in parts, which take no conditions at all.
"""

import base64
import datetime
import email.utils
import http.client
import itertools
import json
import re
import sys
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.sax.saxutils import escape

PORT, INNER = int(sys.argv[1]), int(sys.argv[2])
writing = threading.Lock()
uploads = {}
numbers = itertools.count(1)
local = threading.local()


class Refused(Exception):
    """An answer that is no success."""


def ask(method, target, body=b"", headers={}):
    """What fake-gcs-server says: status and body."""
    for attempt in range(2):
        connection = getattr(local, "connection", None)
        if connection is None:
            connection = local.connection = http.client.HTTPConnection("127.0.0.1", INNER, timeout=120)
        try:
            connection.request(method, target, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (http.client.HTTPException, OSError):
            local.connection = None
            if attempt:
                raise


def quoted(text):
    return urllib.parse.quote(text, safe="")


def metadata(bucket, name):
    """What is known of an object, or nothing."""
    status, body = ask("GET", f"/storage/v1/b/{quoted(bucket)}/o/{quoted(name)}")
    if status == 404:
        return None
    if status != 200:
        raise Refused(status, "InternalError")
    found = json.loads(body)
    found["tag"] = f'"{base64.b64decode(found["md5Hash"]).hex()}"'
    return found


def upload(bucket, name, body, condition):
    meta = json.dumps({"name": name}).encode()
    kinds = [b"application/json", b"application/octet-stream"]
    parts = b"".join(b"--%b\r\ncontent-type: %b\r\n\r\n%b\r\n" % (BOUNDARY, kind, it) for kind, it in zip(kinds, [meta, body]))
    target = f"/upload/storage/v1/b/{quoted(bucket)}/o?uploadType=multipart&name={quoted(name)}"
    if condition is not None:
        target += f"&ifGenerationMatch={condition}"
    kind = {"content-type": f"multipart/related; boundary={BOUNDARY.decode()}"}
    status, answer = ask("POST", target, parts + b"--%b--\r\n" % BOUNDARY, kind)
    if status == 412:
        raise Refused(412, "PreconditionFailed")
    if status != 200:
        raise Refused(404, "NoSuchBucket") if status == 404 else Refused(500, "InternalError")
    return metadata(bucket, name)


BOUNDARY = b"6d1f8a0b52c64b5fa0f7d2c6f0f1f3a9"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", headers={}):
        self.send_response(status)
        length = headers.get("content-length", len(body))
        for name, value in {**headers, "content-length": length}.items():
            self.send_header(name, str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def handle_request(self):
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True
            return
        path, _, query = self.path.partition("?")
        bucket, _, name = (urllib.parse.unquote(part) for part in path[1:].partition("/"))
        query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        try:
            if self.command == "GET" and not name:
                self.listing(bucket, query)
            elif self.command in ("GET", "HEAD"):
                self.read(bucket, name)
            elif self.command == "POST":
                self.parts(bucket, name, query, body)
            elif self.command == "PUT" and "uploadId" in query:
                if query["uploadId"] not in uploads:
                    raise Refused(404, "NoSuchUpload")
                uploads[query["uploadId"]][int(query["partNumber"])] = body
                self.answer(200, headers={"etag": f'"{query["partNumber"]}"'})
            elif self.command == "DELETE" and "uploadId" in query:
                uploads.pop(query["uploadId"], None)
                self.answer(204)
            elif self.command == "DELETE":
                self.delete(bucket, name)
            else:
                self.put(bucket, name, body)
        except Refused as refused:
            status, code = refused.args
            text = f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>{code}</Message></Error>"
            self.answer(status, text.encode(), {"content-type": "application/xml; charset=UTF-8"})

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_request

    def put(self, bucket, name, body):
        with writing:
            condition = self.headers.get("x-goog-if-generation-match")
            source = self.headers.get("x-goog-copy-source")
            if source is None:
                now = upload(bucket, name, body, condition)
            else:
                self.unchanged(bucket, name)
                source_bucket, _, source_name = (urllib.parse.unquote(it) for it in source.lstrip("/").partition("/"))
                if not metadata(source_bucket, source_name):
                    raise Refused(404, "NoSuchKey")
                target = f"/storage/v1/b/{quoted(source_bucket)}/o/{quoted(source_name)}"
                target += f"/rewriteTo/b/{quoted(bucket)}/o/{quoted(name)}"
                status, _ = ask("POST", target, b"{}", {"content-type": "application/json"})
                if status != 200:
                    raise Refused(500, "InternalError")
                now = metadata(bucket, name)
        text = f"<CopyObjectResult><ETag>{escape(now['tag'])}</ETag></CopyObjectResult>" if source else ""
        self.answer(200, text.encode(), {"etag": now["tag"], "x-goog-generation": now["generation"]})

    def unchanged(self, bucket, name):
        """The condition of a write: which generation the object must have."""
        condition = self.headers.get("x-goog-if-generation-match")
        found = metadata(bucket, name)
        if condition is not None and condition != (found["generation"] if found else "0"):
            raise Refused(412, "PreconditionFailed")
        return found

    def delete(self, bucket, name):
        with writing:
            if not self.unchanged(bucket, name):
                raise Refused(404, "NoSuchKey")
            ask("DELETE", f"/storage/v1/b/{quoted(bucket)}/o/{quoted(name)}")
        self.answer(204)

    def parts(self, bucket, name, query, body):
        if "uploads" in query:
            id = f"upload-{next(numbers)}"
            uploads[id] = {}
            text = f"<Bucket>{escape(bucket)}</Bucket><Key>{escape(name)}</Key><UploadId>{id}</UploadId>"
            self.answer(200, f"<InitiateMultipartUploadResult>{text}</InitiateMultipartUploadResult>".encode())
            return
        parts = uploads.pop(query["uploadId"], None)
        order = [int(it) for it in re.findall(rb"<PartNumber>(\d+)</PartNumber>", body)]
        if parts is None or not all(it in parts for it in order):
            raise Refused(404, "NoSuchUpload")
        with writing:
            now = upload(bucket, name, b"".join(parts[it] for it in order), None)
        text = f"<Bucket>{escape(bucket)}</Bucket><Key>{escape(name)}</Key><ETag>{escape(now['tag'])}</ETag>"
        text = f"<CompleteMultipartUploadResult>{text}</CompleteMultipartUploadResult>"
        self.answer(200, text.encode(), {"x-goog-generation": now["generation"]})

    def read(self, bucket, name):
        for _ in range(20):
            found = metadata(bucket, name)
            if not found:
                raise Refused(404, "NoSuchKey")
            status, body = 200, b""
            if self.command == "GET":
                target = f"/storage/v1/b/{quoted(bucket)}/o/{quoted(name)}?alt=media&generation={found['generation']}"
                status, body = ask("GET", target)
            if status == 200:
                break
        else:
            raise Refused(503, "ServiceUnavailable")
        tag, generation, size = found["tag"], found["generation"], int(found["size"])
        wanted = self.headers.get("if-match")
        if wanted not in (None, "*", tag) or self.headers.get("x-goog-if-generation-match") not in (None, generation):
            raise Refused(412, "PreconditionFailed")
        changed = datetime.datetime.fromisoformat(found["updated"][:19] + "+00:00")
        headers = {"etag": tag, "x-goog-generation": generation, "content-type": "application/octet-stream"}
        headers["last-modified"] = email.utils.format_datetime(changed, usegmt=True)
        if self.headers.get("if-none-match") == tag:
            self.answer(304, headers=headers)
            return
        if self.command == "HEAD":
            self.answer(200, headers={**headers, "content-length": size})
            return
        part = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("range", ""))
        if part:
            first, last = part[1], part[2]
            if first:
                start, end = int(first), min(int(last or size), size - 1)
            else:
                start, end = max(size - int(last), 0), size - 1
            if start >= size:
                raise Refused(416, "InvalidRange")
            headers["content-range"] = f"bytes {start}-{end}/{size}"
            status, body = 206, body[start : end + 1]
        self.answer(status, body, headers)

    def listing(self, bucket, query):
        asked = {"prefix": query.get("prefix", ""), "maxResults": query.get("max-keys", "1000")}
        # `start-after` leaves out what it names; `startOffset` does not.
        after = query.get("start-after")
        if after is not None:
            asked["startOffset"] = after
        if token := query.get("continuation-token"):
            asked["pageToken"] = token
        if delimiter := query.get("delimiter"):
            asked["delimiter"] = delimiter
        status, body = ask("GET", f"/storage/v1/b/{quoted(bucket)}/o?{urllib.parse.urlencode(asked)}")
        if status != 200:
            raise Refused(404, "NoSuchBucket") if status == 404 else Refused(500, "InternalError")
        page = json.loads(body)
        items = [item for item in page.get("items", []) if item["name"] != after]
        encode = quoted if query.get("encoding-type") == "url" else escape
        text = f"<Name>{escape(bucket)}</Name><Prefix>{encode(asked['prefix'])}</Prefix><KeyCount>{len(items)}</KeyCount>"
        token = page.get("nextPageToken")
        text += f"<IsTruncated>{'true' if token else 'false'}</IsTruncated>"
        if token:
            text += f"<NextContinuationToken>{escape(token)}</NextContinuationToken>"
        for item in items:
            tag = base64.b64decode(item["md5Hash"]).hex()
            text += f"<Contents><Key>{encode(item['name'])}</Key><Generation>{item['generation']}</Generation>"
            text += f"<LastModified>{item['updated'][:19]}Z</LastModified><ETag>&quot;{tag}&quot;</ETag>"
            text += f"<Size>{item['size']}</Size></Contents>"
        for prefix in page.get("prefixes", []):
            text += f"<CommonPrefixes><Prefix>{encode(prefix)}</Prefix></CommonPrefixes>"
        text = f"<?xml version='1.0' encoding='UTF-8'?><ListBucketResult>{text}</ListBucketResult>"
        self.answer(200, text.encode(), {"content-type": "application/xml; charset=UTF-8"})


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        # Clients that are killed break the connection.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


Server(("127.0.0.1", PORT), Handler).serve_forever()
