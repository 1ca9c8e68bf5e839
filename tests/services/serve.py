"""Starts an object store for the tests, on a free port of 127.0.0.1, with two empty buckets, `logs` and `udm`.

  serve.py azurite FOLDER          Microsoft's Azurite, installed by npm in FOLDER
  serve.py fake-gcs PROGRAM        fake-gcs-server, behind gcs_xml.py
  serve.py ceph                    a Ceph cluster of one monitor, one store in memory, and its S3, radosgw

Prints its port, and ends when its stdin does: with the test that started it, however that ends. A line there is the
name of one more bucket to make, answered by a line. Python's standard library is enough.
"""

import base64
import ctypes
import datetime
import hashlib
import hmac
import http.client
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

# Azurite's own, of its documents; and those of the tests.
AZURE_ACCOUNT = "devstoreaccount1"
AZURE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
S3_ID = "test"
S3_SECRET = "bucketsecretbucketsecretbucketsecret0000"

started = []


def start(*command, **options):
    """Starts a process that ends with this one."""
    die_with_parent = lambda: ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **options}
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=die_with_parent, **options)
    started.append(process)
    return process


def run(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=100)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: {done.stderr or done.stdout}")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(port, process):
    deadline = time.monotonic() + 100
    while time.monotonic() < deadline:
        if process.poll() is not None:
            sys.exit(f"{process.args[0]} ended with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"{process.args[0]} does not listen")


def request(port, method, target, headers, body=b""):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, target, body, {"host": f"127.0.0.1:{port}", **headers})
    answer = connection.getresponse()
    text = answer.read()
    if answer.status not in (200, 201):
        sys.exit(f"{method} {target}: {answer.status} {text.decode(errors='replace')}")


def azurite(folder, installed):
    main = pathlib.Path(installed, "node_modules/azurite/dist/src/blob/main.js")
    node = start(
        "node", str(main), "--blobHost", "127.0.0.1", "--blobPort", "0", "--inMemoryPersistence", "--silent",
        "--disableTelemetry", "--skipApiVersionCheck", cwd=folder, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    for line in node.stdout:
        if found := re.search(r"successfully listens? on http://127\.0\.0\.1:(\d+)|listening (?:at|on) http://127\.0\.0\.1:(\d+)", line):
            port = int(found[1] or found[2])
            break
    else:
        sys.exit("azurite does not start")

    def make(bucket):
        date = datetime.datetime.now(datetime.timezone.utc).strftime("%a, %d %b %Y %H:%M:%S GMT")
        headers = {"x-ms-date": date, "x-ms-version": "2021-12-02", "content-length": "0"}
        signed = "PUT\n\n\n\n\n\n\n\n\n\n\n\n" + f"x-ms-date:{date}\nx-ms-version:2021-12-02\n"
        # Its account is the first part of the path, and named once more before it.
        signed += f"/{AZURE_ACCOUNT}/{AZURE_ACCOUNT}/{bucket}\nrestype:container"
        digest = hmac.new(base64.b64decode(AZURE_KEY), signed.encode(), hashlib.sha256).digest()
        headers["authorization"] = f"SharedKey {AZURE_ACCOUNT}:{base64.b64encode(digest).decode()}"
        request(port, "PUT", f"/{AZURE_ACCOUNT}/{bucket}?restype=container", headers)

    return port, make


def fake_gcs(folder, program):
    inner, port = free_port(), free_port()
    server = start(
        program, "-scheme", "http", "-host", "127.0.0.1", "-port", str(inner), "-backend", "memory",
        "-filesystem-root", str(folder), "-external-url", f"http://127.0.0.1:{inner}", "-log-level", "error",
    )  # fmt: skip
    wait_for(inner, server)
    front = str(pathlib.Path(__file__).with_name("gcs_xml.py"))
    front = start(sys.executable, front, str(port), str(inner), stderr=None)
    wait_for(port, front)

    def make(bucket):
        headers = {"content-type": "application/json"}
        request(inner, "POST", "/storage/v1/b?project=tests", headers, b'{"name":"%s"}' % bucket.encode())

    return port, make


CEPH = """
[global]
fsid = 11111111-2222-3333-4444-555555555555
mon host = [v2:127.0.0.1:{monitor}]
mon initial members = a
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
ms bind ipv6 = false
ms bind msgr1 = false
ms mon client mode = crc
ms client mode = crc
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd objectstore = memstore
osd class load list = *
memstore device bytes = 4294967296
mon allow pool size one = true
mon data avail crit = 0
mon data avail warn = 0
paxos propose interval = 0.05
mon data = {folder}/mon
osd data = {folder}/osd
run dir = {folder}
admin socket = {folder}/$name.asok
pid file =
log to file = false
log to stderr = false
mon cluster log to file = false
rgw frontends = beast endpoint=127.0.0.1:{port}
rgw run sync thread = false
rgw enable gc threads = false
rgw enable lc threads = false
"""


def ceph(folder):
    monitor, port = free_port(), free_port()
    config, osd = folder / "ceph.conf", "22222222-2222-3333-4444-555555555555"
    config.write_text(CEPH.format(monitor=monitor, folder=folder, port=port))
    for name in ("mon", "osd"):
        (folder / name).mkdir()
    # Programs that users seldom start are in /usr/sbin.
    os.environ["PATH"] += ":/usr/sbin"
    conf, map = ["-c", str(config)], str(folder / "monmap")
    fsid = "11111111-2222-3333-4444-555555555555"
    run("monmaptool", "--create", "--fsid", fsid, "--addv", "a", f"[v2:127.0.0.1:{monitor}]", map)
    run("ceph-mon", *conf, "--mkfs", "-i", "a", "--monmap", map)
    wait_for(monitor, start("ceph-mon", *conf, "-i", "a", "-f"))
    run("ceph-osd", *conf, "--mkfs", "-i", "0", "--osd-uuid", osd)
    run("ceph", *conf, "osd", "new", osd)
    start("ceph-osd", *conf, "-i", "0", "-f")
    user = ["--uid", "test", "--display-name", "test", "--access-key", S3_ID, "--secret-key", S3_SECRET]
    run("radosgw-admin", *conf, "user", "create", *user)
    wait_for(port, start("radosgw", *conf, "-n", "client.admin", "-f"))

    def make(bucket):
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        empty, names = hashlib.sha256().hexdigest(), "host;x-amz-content-sha256;x-amz-date"
        values = f"host:127.0.0.1:{port}\nx-amz-content-sha256:{empty}\nx-amz-date:{now}\n"
        canonical = f"PUT\n/{bucket}\n\n{values}\n{names}\n{empty}"
        scope = f"{now[:8]}/us-east-1/s3/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        key = f"AWS4{S3_SECRET}".encode()
        for part in [*scope.split("/"), text]:
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        authorization = f"AWS4-HMAC-SHA256 Credential={S3_ID}/{scope}, SignedHeaders={names}, Signature={key.hex()}"
        headers = {"x-amz-content-sha256": empty, "x-amz-date": now, "authorization": authorization}
        request(port, "PUT", f"/{bucket}", headers)

    return port, make


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="udmap-"))
    try:
        port, make = {"azurite": azurite, "fake-gcs": fake_gcs, "ceph": ceph}[sys.argv[1]](folder, *sys.argv[2:])
        for bucket in ["logs", "udm"]:
            make(bucket)
        print(port, flush=True)
        for line in sys.stdin:
            make(line.strip())
            print("made", flush=True)
    finally:
        for process in reversed(started):
            process.kill()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
signal.signal(signal.SIGINT, signal.SIG_IGN)
main()
