"""A SecOps that is not SecOps: as much of its import methods as sending needs, all or nothing."""

import base64
import gzip
import http.server
import json
import threading

PROJECT, LOCATION, INSTANCE = "acme-secops", "eu", "0e1f2a3b-1111-2222-3333-444455556666"
PATH = f"/v1/projects/{PROJECT}/locations/{LOCATION}/instances/{INSTANCE}"
ACCOUNT = "sender@acme-secops.iam.gserviceaccount.com"
SCOPES = ["https://www.googleapis.com/auth/cloud-platform", "https://www.googleapis.com/auth/chronicle"]


def event(number, text="ok"):
    """An event that no other one equals, as a line. SecOps refuses those with the text `refuse me`."""
    time = f"2026-03-10T12:{number // 60 % 60:02}:{number % 60:02}Z"
    metadata = {"event_timestamp": time, "event_type": "GENERIC_EVENT", "product_log_id": f"n{number}", "description": text}
    return json.dumps({"metadata": metadata, "principal": {"user": {"userid": "u"}}}, separators=(",", ":"))


class SecOps(http.server.ThreadingHTTPServer):
    """`fault`, if there is one, is called with the number of each request, from 1, and its token. What it returns is
    answered instead, as a status and a text; or `lost`: all is taken, and nobody answers."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Import)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.fault = lambda number, token: None
        self.lock = threading.Lock()
        self.asked, self.taken, self.tokens, self.wrong, self.source = 0, [], set(), [], {}
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        """A client that has gone is not an error."""


class Import(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: SecOps

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        token = self.headers.get("authorization", "").removeprefix("Bearer ")
        with self.server.lock:
            self.server.asked += 1
            number = self.server.asked
            self.server.tokens.add(token)
        fault = self.server.fault(number, token)
        if fault is not None and fault != "lost":
            return self.answer(*fault)
        if not is_good(token):
            return self.answer(401, "Request had invalid authentication credentials.")
        self.server.source = source = json.loads(body)["inlineSource"]
        if self.path == f"{PATH}/events:import":
            items = [json.dumps(it["udm"], separators=(",", ":")) for it in source["events"]]
        elif self.path == f"{PATH}/logTypes/DUO_AUTH/logs:import":
            items = [base64.b64decode(it["data"]).decode() for it in source["logs"]]
        else:
            return self.answer(404, "Requested entity was not found.")
        if not items or any("refuse me" in item for item in items):
            return self.answer(400, "Request contains an invalid argument.")
        with self.server.lock:
            self.server.taken += items
        if fault == "lost":
            self.close_connection = True
            return None
        return self.answer(200, None)

    def do_GET(self):
        with self.server.lock:
            self.server.wrong.append(f"GET {self.path}")
        self.answer(404, "Requested entity was not found.")

    def answer(self, status, message):
        body = {} if message is None else {"error": {"code": status, "message": message}}
        body = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"content-type": "application/json", "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def is_good(token):
    """Whether it is a token that the account has made for this API."""
    try:
        parts = [json.loads(base64.urlsafe_b64decode(part + "==")) for part in token.split(".")[:2]]
    except ValueError:
        return False
    header, claims = parts
    return header["alg"] == "RS256" and claims["iss"] == ACCOUNT and claims.get("scope") in SCOPES and token.count(".") == 2


def key(private_key):
    """The file of the account's key."""
    return json.dumps(
        {
            "type": "service_account",
            "project_id": PROJECT,
            "private_key_id": "5ec4e7c0ffee",
            "private_key": private_key,
            "client_email": ACCOUNT,
            "client_id": "1",
            "token_uri": "http://127.0.0.1:1/token",
        }
    )
