"""An S3 server for the tests: moto's, on a free port of 127.0.0.1, with two empty buckets, `logs` and `udm`.

Prints its port, and ends when its stdin does: with the test that started it, however that ends. A line there is a
command in JSON, answered by a line: what no client would do, or not as fast.

  {"put": [BUCKET, KEY, BASE64]}   puts an object
  {"all": BUCKET}                  all objects: [[KEY, BASE64], ...], by key
"""

import base64
import io
import json
import logging
import os
import sys
import threading

import boto3
from moto.core import DEFAULT_ACCOUNT_ID
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.s3.models import s3_backends
from werkzeug.serving import WSGIRequestHandler, make_server


class Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"


def answer(command):
    backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
    if "put" in command:
        bucket, key, body = command["put"]
        backend.put_object(bucket, key, base64.b64decode(body))
        return True
    keys = backend.get_bucket(command["all"]).keys
    return sorted([name, base64.b64encode(key.value).decode()] for name, key in keys.items())


class OneWriteAtATime:
    """moto looks at a condition and then writes, which two threads may do at once: S3 does both in one step."""

    def __init__(self, app):
        self.app, self.writing = app, threading.Lock()

    def __call__(self, environ, start_response):
        if environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            return self.app(environ, start_response)
        # Nobody waits for a client that is slow to send its body.
        length = int(environ.get("CONTENT_LENGTH") or 0)
        environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(length))
        with self.writing:
            return list(self.app(environ, start_response))


logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = make_server(
    "127.0.0.1",
    0,
    OneWriteAtATime(DomainDispatcherApplication(create_backend_app)),
    threaded=True,
    request_handler=Handler,
)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = boto3.client(
    "s3",
    endpoint_url=f"http://127.0.0.1:{server.server_port}",
    region_name="us-east-1",
    aws_access_key_id="test",
    aws_secret_access_key="test",
)
for bucket in ["logs", "udm"]:
    client.create_bucket(Bucket=bucket)
print(server.server_port, flush=True)
for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
os._exit(0)
