#!/usr/bin/env python3
"""An independent reading of a dump in which Duo's logs are mixed: which log a record is of, and what becomes of it.

    python3 mixed_reading.py INPUT...    (- is standard input)
    python3 mixed_reading.py --self-test

It was written from docs/duo-logs.md, not from the set's table, and shares no code with udmap. What a log's records become is
said by spec_reading.py and duo_logs_reading.py.
"""

import sys

import duo_logs_reading as logs
import spec_reading as common
from spec_reading import Reject

# The order in which the logs are asked.
ORDER = ["trust_monitor", "activity", "auth", "telephony", "offline_enrollment", "admin"]
NAMES = {
    "trust_monitor": "trust_monitor", "trust-monitor": "trust_monitor", "trustmonitor": "trust_monitor",
    "activity": "activity",
    "authentication": "auth", "auth": "auth",
    "telephony": "telephony",
    "offline_enrollment": "offline_enrollment", "offline-enrollment": "offline_enrollment",
    "administrator": "admin", "admin": "admin", "adminaction": "admin",
}


def text_at(record, path):
    """The text, number or boolean at a path, as text; None where there is none."""
    value = logs.Fields(record).raw(path)
    return None if isinstance(value, (dict, list)) else logs.text(value, path)


def has(record, *paths):
    return any(text_at(record, path) is not None for path in paths)


def is_of(log, record):
    """Whether a record's fields are such a log's."""
    if log == "trust_monitor":
        return has(record, "sekey", "surfaced_timestamp", "triage_event_uri")
    if log == "activity":
        return has(record, "activity_id", "action.name", "access_device.ip.address", "actor.key", "akey")
    if log == "auth":
        kind = (text_at(record, "event_type") or "").lower()
        return kind in ("authentication", "enrollment") or has(
            record, "access_device.ip", "auth_device.name", "factor", "auth_stage", "client_section", "server_section")
    if log == "telephony":
        kind = (text_at(record, "type") or "").lower()
        return kind in ("phone", "sms") or has(record, "telephony_id", "phone", "credits", "context")
    action = text_at(record, "action")
    if log == "offline_enrollment":
        return (action or "").startswith("o2fa_")
    return action is not None and has(record, "isotimestamp", "username", "object", "description")


def named(value, left):
    """The log that an object names; None if it names none."""
    name = text_at(value, "eventtype") or text_at(value, "service")
    if name is None:
        return None
    # Only the case of ASCII letters does not matter.
    lower = "".join(c.lower() if c.isascii() else c for c in name)
    log = NAMES.get(lower)
    if log not in left:
        raise Reject("other-log")
    return log


class MixedReader(common.Reader):
    def __init__(self, source, data):
        super().__init__(source, data)
        self.left, self.is_inside, self.line = ORDER, False, None
        self.readers = {log: logs.LogReader(log, source, data) for log in logs.LOGS}
        self.readers["telephony"] = common.Reader(source, data)

    def value_of_part(self, text):
        value = super().value_of_part(text)
        # Lines of text are telephony's alone.
        self.line = None if text[0] in "{[" else value
        return value

    def log_of(self, record):
        if record is self.line:
            return "telephony"
        log = named(record, self.left)
        if log is None and self.is_inside and len(self.left) == 1:
            return self.left[0]
        log = log or next((log for log in self.left if is_of(log, record)), None)
        if log is None:
            raise Reject("other-log")
        return log

    def one(self, raw, at, value):
        if not isinstance(value, dict):
            yield self.reject(at, len(raw), Reject("not-object"))
            return
        outer = self.left, self.is_inside
        try:
            yield from self.in_object(raw, at, value)
        except Reject as why:
            yield self.reject(at, len(raw), why)
        finally:
            self.left, self.is_inside = outer

    def in_object(self, raw, at, value):
        places, takers = {}, []
        for log in self.left if value is not self.line else []:
            path = self.readers[log].way_in(value)
            if path is None:
                takers.append(log)
            elif not self.readers[log].names_other_log(value):
                places.setdefault(tuple(path), []).append(log)
        if not places:
            if value is self.line:
                takers = ["telephony"]
            elif value.get("stat") == "FAIL":
                raise Reject("api-error")
            if not takers:
                raise Reject("other-log")
            self.left = takers
            yield {"event": self.readers[self.log_of(value)].event_of(value)}
            return
        # What is deeper says more.
        deepest = [path for path in places if not any(other[:len(path)] == path != other for other in places)]
        log = named(value, self.left)
        if log is not None:
            deepest = [path for path in deepest if log in places[path]]
            if not deepest:
                raise Reject("other-log")
        flat = raw.decode("latin-1")
        opened = []
        for path in deepest:
            start, end, inner = 0, len(raw), value
            for name in path:
                start, end = common.member(flat, start, name)
                inner = inner[name]
            opened.append((start, end, inner, [log] if log else places[path]))
        for start, end, inner, left in sorted(opened, key=lambda place: place[0]):
            self.left, self.is_inside = left, True
            if isinstance(inner, list):
                yield from self.inside(raw, at, flat, start)
            else:
                yield from self.one(raw[start:end], at + start, inner)


def self_test():
    for raw, expected in [
        ('{"action":"a","username":"u","timestamp":1}', "DUO_ADMIN"),
        ('{"action":"a","timestamp":1}', "other-log"),
        ('{"action":"o2fa_x","timestamp":1}', "DUO_OFFLINE_ENROLLMENT"),
        ('{"eventtype":"AUTH","action":"a","username":"u","timestamp":1}', "DUO_AUTH"),
        ('{"eventtype":"x","factor":"f","timestamp":1}', "other-log"),
        ('{"service":"authentication","message":{"timestamp":1}}', "DUO_AUTH"),
        ('{"service":"authentication","message":{"eventtype":"administrator","timestamp":1}}', "other-log"),
        ('{"stat":"OK","response":{"authlogs":[{"timestamp":1}]}}', "DUO_AUTH"),
        ('{"stat":"OK","response":{"items":[{"ts":"2024-01-01T00:00:00Z"}]}}', "other-log"),
        ('{"stat":"FAIL"}', "api-error"),
        ('ts="2024-01-01T00:00:00Z",factor="f",phone="1"', "DUO_TELEPHONY"),
        ('{"ts":"2024-01-01T00:00:00Z","phone":"1"}', "DUO_TELEPHONY"),
    ]:
        (outcome,) = MixedReader("-", raw.encode()).run()
        found = outcome["event"]["metadata"]["log_type"] if "event" in outcome else outcome["reject"]["reason"]
        assert found == expected, f"{raw}: expected {expected}, found {found}"
    print("self-test passed")
    return 0


if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        sys.exit(self_test())
    sys.exit(common.write_outcomes(sys.argv[1:], MixedReader))
