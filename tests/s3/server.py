"""An S3 server for the tests: moto's, on a free port of 127.0.0.1, with one empty bucket, `logs`.

Prints its port, and ends when its stdin does: with the test that started it, however that ends.
"""

import logging
import os
import sys
import threading

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = boto3.client(
    "s3",
    endpoint_url=f"http://127.0.0.1:{server.server_port}",
    region_name="us-east-1",
    aws_access_key_id="test",
    aws_secret_access_key="test",
)
client.create_bucket(Bucket="logs")
print(server.server_port, flush=True)
sys.stdin.read()
os._exit(0)
