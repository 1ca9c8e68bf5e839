#!/usr/bin/env python3
"""An independent reading of the rules by which a Duo telephony record becomes a UDM event.

    python3 spec_reading.py [--extended] [--max-record-bytes N] INPUT...    (- is standard input)
    python3 spec_reading.py --self-test

Reads uncompressed input and writes one line of JSON per record, in input order:
    {"event": {...}}     the UDM event, snake_case, bare
    {"reject": {"source", "line", "offset", "length", "reason", "field"?}}

It shares no code with udmap and is made to be compared with it: plain and exact, not clever.
Only the standard library is used.

Not covered, or only roughly: where the next value begins on a line behind one that is broken
inside of a list; a file read as a sequence of JSON values that breaks between two values. A comma missing in a top-level array rejects what follows, up to the next line
that looks like a neighbour; a comma too many before `]` is let pass; a missing `]` at the end
is let pass; two scalars without a space between them are two values. Whether a file is such a
sequence is decided by syntax alone, whatever the depth, the encoding and surrogate escapes.
"""

import argparse
import calendar
import datetime
import ipaddress
import json
import re
import sys

MAX_RECORD_BYTES = 1 << 20
MAX_DEPTH = 127
BOM = b"\xef\xbb\xbf"
BLANK = b" \t\r"
# What may stand between values, in bytes read as Latin-1.
GAP = r"(?:[ \t\r\n\x1e]|\xef\xbb\xbf)*"
TABLE_FIELDS = ["context", "timestamp", "ts", "isotimestamp", "host", "log_type", "phone", "type",
                "credits", "eventtype"]
EXTENDED_FIELDS = ["telephony_id", "txid"]
# What says whose record it is, and what only a record of this log has.
NAMES_OF_LOG = ["eventtype", "event_type", "service"]
OF_THIS_LOG = ["phone", "type", "credits", "context", "telephony_id"]


class Reject(Exception):
    def __init__(self, reason, field=None):
        super().__init__(reason)
        self.reason = reason
        self.field = field


# ------------------------------------------------------------------------- JSON


class Num(str):
    """A JSON number: its own source text."""


def refuse(word):
    raise ValueError(word)  # NaN, Infinity, -Infinity


DECODER = json.JSONDecoder(parse_int=Num, parse_float=Num, parse_constant=refuse)
SPACE = re.compile(r"[ \t\n\r]*")
NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
TOKEN = re.compile(
    r'(?P<string>"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*")'
    rf"|(?P<number>{NUMBER})|(?P<word>true|false|null)|(?P<mark>[{{}}\[\],:])"
)
# Every escape of a text known to be JSON, so that `\\ud800` isn't taken for a surrogate.
ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<lone>u[dD][89a-fA-F])|.)"
)


def lone_surrogate(text):
    return "\\u" in text and any(found["lone"] for found in ESCAPE.finditer(text))


def skip_space(text, at):
    return SPACE.match(text, at).end()


def scan(text, at, max_depth=None):
    """The end of the JSON value that begins at `at`, read token by token: for values too
    deep for Python's own decoder. Raises ValueError, or Reject where it is too deep."""
    stack, want = [], "value"
    while True:
        at = skip_space(text, at)
        token = TOKEN.match(text, at)
        if not token:
            raise ValueError(f"not JSON at {at}")
        at = token.end()
        kind, mark = token.lastgroup, token[0]
        if kind == "string" and lone_surrogate(mark):
            raise ValueError("lone surrogate")
        if want in ("value", "value or ]") and kind != "mark":
            want = "comma or end"
        elif want in ("value", "value or ]") and mark in ("{", "["):
            stack.append(mark)
            if max_depth is not None and len(stack) > max_depth:
                raise Reject("too-deep")
            want = "key or }" if mark == "{" else "value or ]"
        elif want in ("key", "key or }") and kind == "string":
            want = ":"
        elif want == ":" and mark == ":":
            want = "value"
        elif want == "comma or end" and mark == ",":
            want = "key" if stack[-1] == "{" else "value"
        elif mark == "}" and want in ("key or }", "comma or end") and stack[-1] == "{":
            stack.pop()
            want = "comma or end"
        elif mark == "]" and want in ("value or ]", "comma or end") and stack[-1] == "[":
            stack.pop()
            want = "comma or end"
        else:
            raise ValueError(f"unexpected {mark} at {at}")
        if not stack and want == "comma or end":
            return at


def parse(text):
    """The value of a whole JSON text, without space around it."""
    try:
        if text.count("{") + text.count("[") > MAX_DEPTH:
            scan(text, 0, MAX_DEPTH)
        value, end = DECODER.raw_decode(text)
        if end == len(text) and not lone_surrogate(text):
            return value
    except ValueError:
        pass
    raise Reject("invalid-json")


def value_end(flat, at):
    """The end of the JSON value at `at`. Raises ValueError.

    `flat` is bytes as Latin-1 text: a position in it is a byte's position.
    """
    try:
        return DECODER.raw_decode(flat, at)[1]
    except RecursionError:
        return scan(flat, at)


def elements(flat, at):
    """(start, end) of each element of the valid array that begins at `at`."""
    at = skip_space(flat, at + 1)
    while flat[at] != "]":
        end = value_end(flat, at)
        yield at, end
        at = skip_space(flat, end)
        if flat[at] == ",":
            at = skip_space(flat, at + 1)


def member(flat, at, name):
    """(start, end) of the value of `name` in the valid object that begins at `at`."""
    found = None
    at = skip_space(flat, at + 1)
    while flat[at] != "}":
        key, end = DECODER.raw_decode(flat, at)
        at = skip_space(flat, skip_space(flat, end) + 1)  # past the colon
        end = value_end(flat, at)
        if key == name:
            found = at, end  # the last one counts
        at = skip_space(flat, end)
        if flat[at] == ",":
            at = skip_space(flat, at + 1)
    return found


# ------------------------------------------------------------------------- time

FIRST_SECOND = -62135596800  # 0001-01-01T00:00:00Z
LAST_SECOND = 253402300799  # 9999-12-31T23:59:59Z
EPOCH_DAY = datetime.date(1970, 1, 1).toordinal()
GIGA = 10**9

EPOCH = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?)([0-9]+))?")
ISO = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})"
    r"(?:[.,]([0-9]+))?(?:[Zz]|([+-])([0-9]{2})(?::?([0-9]{2}))?)?"
)


def event_time(record):
    for name in ("timestamp", "ts", "isotimestamp"):
        value = record.get(name)
        if value is None or value == "":
            continue
        if name == "timestamp":
            return written(nanos_of_epoch(value))
        return written(nanos_of_iso(value))
    raise Reject("no-timestamp")


def nanos_of_epoch(value):
    if not isinstance(value, str) or not re.fullmatch(NUMBER, value):
        raise Reject("bad-timestamp")
    minus, whole, fraction, exp_sign, exp = EPOCH.fullmatch(value).groups("")
    digits = (whole + fraction).lstrip("0")
    if not digits:
        return 0
    # The value is 0.DIGITS times ten to the power of `point`.
    point = len(whole) - (len(whole + fraction) - len(digits))
    exp = exp.lstrip("0")
    if len(exp) > 12:  # no mantissa is long enough to make up for it
        point = -1000 if exp_sign == "-" else 1000
    elif exp:
        point += -int(exp) if exp_sign == "-" else int(exp)
    if point > 12:
        raise Reject("timestamp-range")
    kept = max(point + 9, 0)
    nanos = int(digits[:kept].ljust(kept, "0") or "0")
    cut = digits[kept:].strip("0") != ""
    return -nanos - cut if minus else nanos


def nanos_of_iso(value):
    found = ISO.fullmatch(value) if isinstance(value, str) and not isinstance(value, Num) else None
    if not found:
        raise Reject("bad-timestamp")
    year, month, day, hour, minute, second = (int(part) for part in found.group(1, 2, 3, 4, 5, 6))
    fraction, sign, off_hour, off_minute = found.group(7, 8, 9, 10)
    fine = 1 <= month <= 12 and hour < 24 and minute < 60 and second < 60
    if not fine or not 1 <= day <= days_in(year, month):
        raise Reject("bad-timestamp")
    offset = 0
    if sign:
        if int(off_hour) > 23 or int(off_minute or 0) > 59:
            raise Reject("bad-timestamp")
        offset = int(off_hour) * 3600 + int(off_minute or 0) * 60
        offset = -offset if sign == "-" else offset
    # datetime knows no year 0, so it is counted one cycle of the calendar later.
    cycle = 400 if year == 0 else 0
    days = datetime.date(year + cycle, month, day).toordinal() - EPOCH_DAY - (146097 if cycle else 0)
    seconds = days * 86400 + hour * 3600 + minute * 60 + second - offset
    return seconds * GIGA + int((fraction or "")[:9].ljust(9, "0"))


def days_in(year, month):
    if month == 2:
        return 29 if calendar.isleap(year) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def written(nanos):
    seconds, fraction = divmod(nanos, GIGA)
    if not FIRST_SECOND <= seconds <= LAST_SECOND:
        raise Reject("timestamp-range")
    days, rest = divmod(seconds, 86400)
    day = datetime.date.fromordinal(days + EPOCH_DAY)
    hour, rest = divmod(rest, 3600)
    minute, second = divmod(rest, 60)
    text = f"{day.year:04}-{day.month:02}-{day.day:02}T{hour:02}:{minute:02}:{second:02}"
    if fraction:
        digits = f"{fraction:09}"
        while digits.endswith("000"):
            digits = digits[:-3]
        text += "." + digits
    return text + "Z"


# ------------------------------------------------------------------- the mapping


def value_of(record, field):
    """The text of a field, None where it is absent."""
    value = record.get(field)
    if value is True:
        return "true"
    if value is False:
        return "false"
    return value or None


def is_ip(text):
    if "%" in text or not (":" in text or "." in text):
        return False
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_present(value):
    return value is not None and value != ""


def says_other_log(record):
    """Whether a record, or an envelope around records, names another log."""
    for name in NAMES_OF_LOG:
        value = record.get(name)
        if not is_present(value):
            continue
        if isinstance(value, (dict, list)):
            if name not in TABLE_FIELDS:  # else it is a field-type
                return True
        elif not isinstance(value, str) or value.lower() != "telephony":
            return True
    return False


def is_of_other_log(record):
    if says_other_log(record):
        return True
    if any(is_present(record.get(name)) for name in OF_THIS_LOG):
        return False
    known = TABLE_FIELDS + EXTENDED_FIELDS
    return any(is_present(value) for name, value in record.items() if name not in known)


def convert(record, extended):
    if is_of_other_log(record):
        raise Reject("other-log")
    for field in TABLE_FIELDS + (EXTENDED_FIELDS if extended else []):
        if isinstance(record.get(field), (dict, list)):
            raise Reject("field-type", field)
    timestamp = event_time(record)
    context, host, phone = (value_of(record, field) for field in ("context", "host", "phone"))

    if context and host:
        event_type = "USER_UNCATEGORIZED"
    elif host:
        event_type = "STATUS_UPDATE"
    else:
        event_type = "GENERIC_EVENT"
    metadata = {
        "event_timestamp": timestamp,
        "event_type": event_type,
        "log_type": value_of(record, "log_type") or "DUO_TELEPHONY",
        "product_name": "Telephony",
        "vendor_name": "Duo",
    }
    if context:
        metadata["product_event_type"] = context
    if extended and value_of(record, "telephony_id"):
        metadata["product_log_id"] = value_of(record, "telephony_id")

    principal = {}
    if host and is_ip(host):
        principal["ip"] = [host]
        if extended:
            principal["asset"] = {"ip": [host]}
    elif host:
        principal["hostname"] = host
    if phone:
        principal["user"] = {"userid": phone, "phone_numbers": [phone]}

    result = {
        "summary": value_of(record, "type") or "Duo Telephony",
        "action": ["ALLOW"],
        "severity": "INFORMATIONAL",
    }
    details = [
        {"key": field, "value": value_of(record, field)}
        for field in ["credits", "eventtype"] + (["txid"] if extended else [])
        if value_of(record, field)
    ]
    if details:
        result["detection_fields"] = details

    event = {"metadata": metadata}
    if principal:
        event["principal"] = principal
    event["security_result"] = [result]
    event["extensions"] = {"auth": {"mechanism": ["MECHANISM_UNSPECIFIED"]}}
    return event


# ------------------------------------------------------- lines that are not JSON

BEFORE_1990 = 631152000000  # milliseconds
CEF_START = re.compile(r"CEF:[0-9]+\|")
CEF_REST = re.compile(r"(?:(?:[^|\\]|\\.)*\|){6}", re.DOTALL)
CEF_KEY = re.compile(r"(?:^|(?<= ))([A-Za-z0-9_.]+)=")
CEF_ESCAPE = re.compile(r"\\([=\\nr|])")


def cef_record(text, header_end):
    rest = CEF_REST.match(text, header_end)
    if not rest:
        raise Reject("invalid-json")
    vendor, product, _, kind, name = (
        re.sub(r"\\([|\\])", r"\1", part) for part in re.findall(r"((?:[^|\\]|\\.)*)\|", rest[0], re.DOTALL)[:5])
    if (vendor.lower(), product.lower()) != ("duo security", "duologsync"):
        raise Reject("other-log")
    if any(part and part.lower() != "telephony" for part in (kind, name)):
        raise Reject("other-log")
    extension = text[rest.end():]
    keys = list(CEF_KEY.finditer(extension))
    pairs = []
    for this, following in zip(keys, keys[1:] + [None]):
        end = following.start() - 1 if following else len(extension)
        value = CEF_ESCAPE.sub(lambda one: {"n": "\n", "r": "\r"}.get(one[1], one[1]),
                               extension[this.end():max(end, this.end())])
        pairs.append((this[1], value))
    given = dict(pairs)
    record = {}
    for key, value in pairs:
        if key.endswith("Label") and key[:-5] in given:
            continue
        name = given.get(key + "Label") or key
        if value == "None":
            value = ""
        if name == "event_type":
            name = "eventtype"
        elif name == "rt":
            name = "timestamp"
            if re.fullmatch("[0-9]+", value) and int(value) < BEFORE_1990:
                value = "seconds, not milliseconds"
            elif re.fullmatch("[0-9]+", value):
                value = f"{value[:-3].lstrip('0') or '0'}.{value[-3:].rjust(3, '0')}"
            elif value:
                value = "not a time"
        record[name] = value
    return record


KEY = r"[A-Za-z_][A-Za-z0-9_.-]*"
KV_NUMBER = re.compile(rf'([0-9+.eE-]+),[ \t]*(?={KEY}=")')
KV_OPEN = re.compile(rf'({KEY})="')
# What a closing quote is told by: the next pair, or the end.
KV_CLOSE = re.compile(rf'"(?:[ \t]*,[ \t]*(?={KEY}=")|[ \t]+(?={KEY}=")|(?P<end>[ \t]*\Z)'
                      rf'|(?P<next>[ \t]*,?[ \t]*(?=[0-9+.eE-]+,[ \t]*{KEY}="|<[0-9]|[0-9]{{4}}-|[A-Z][a-z][a-z] )))')


def key_value_record(text):
    """The record of a key="value" text, None if it isn't one."""
    record, at = {}, 0
    number = KV_NUMBER.match(text)
    if number:
        record["timestamp"] = Num(number[1])
        at = number.end()
    for key, value in key_value_pairs(text, at)[0]:
        record[key] = value
    return record


def key_value_pairs(text, at):
    """The pairs from `at` on, up to the end of a record, where that ends, and where the next begins;
    None if that is not what stands there."""
    pairs = []
    while True:
        opened = KV_OPEN.match(text, at)
        if not opened:
            return None
        if pairs and opened[1] == pairs[0][0]:
            return pairs, ended, at  # the next record begins with the same key
        closed = None
        for found in KV_CLOSE.finditer(text, opened.end()):
            if found["next"] is None:
                closed = found
                break
            begins = KV_NUMBER.match(text, found.end())
            start = found.end()
            if not begins:
                body = behind_header(text[start:], lambda rest, at: KV_NUMBER.match(rest, at) or KV_OPEN.match(rest, at))
                if body is None:
                    continue
                start += body
            closed = found
            break
        if not closed:
            return None
        value = text[opened.end():closed.start()]
        if any(opened[1] == key for key, _ in pairs) or re.search(r'[A-Za-z0-9_.-]="', value):
            raise Reject("invalid-json")
        pairs.append((opened[1], value))
        ended = closed.start() + 1
        if closed["end"] is not None:
            return pairs, ended, None
        if closed["next"] is not None:
            return pairs, ended, start
        at = closed.end()


def key_value_records(text, at):
    """(start, end) of each record of a key="value" line, None if it isn't one."""
    records = []
    while at is not None:
        start = at
        number = KV_NUMBER.match(text, at)
        found = key_value_pairs(text, number.end() if number else at)
        if found is None:
            return None
        if number and found[2] is not None and KV_OPEN.match(text, found[2]) and found[0][0][0] == KV_OPEN.match(text, found[2])[1] \
                and text[found[1]:found[2]].strip(" \t,") == "":
            raise Reject("invalid-json")  # the number is missing
        records.append((start, found[1]))
        at = found[2]
    return records


# -------------------------------------------------------------------- the reader


# A header before a record: a priority, a time, and a few words.
CLOCK = r"[0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]+)?"
ZONE = r"(?:[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?"
MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
DATE = rf"(?:[0-9]{{4}}[-/][0-9]{{2}}[-/][0-9]{{2}}[Tt ]|{MONTH}  ?[0-9]{{1,2}}(?: [0-9]{{4}})? )"
TIME = rf"(?:{DATE}{CLOCK}{ZONE}:?|\[{DATE}{CLOCK}{ZONE}\]:?)(?=[ \t{{\[]|\Z)"
WORD = r'(?:(?:\[(?:[^\]"]|"(?:[^"\\]|\\.)*")*\])+[^ \t"{}|]*|[^ \t"{}|\[][^ \t"{}|]*)'
HEADER = re.compile(rf"(?:(?:[0-9]+ )?<[0-9]{{1,3}}>(?:[0-9]+ )?(?:{TIME})?|{TIME})"
                    rf"(?:[ \t]*\ufeff?{WORD}(?=[ \t])|[ \t]*{WORD}(?<=:)){{0,8}}[ \t]*\ufeff?")
JSON_START = re.compile(r"\{|\[\s*[{\[\]]")


def behind_header(text, is_start):
    """Where the body of a line begins that has a header before it, None if it has none."""
    found = HEADER.match(text)
    while found:
        if is_start(text, found.end()):
            return found.end()
        # Fewer words.
        found = HEADER.fullmatch(text, 0, found.end() - 1) if found.end() else None
    return None


def mixed():
    return Reject("invalid-json")


def text_parts(text):
    """(start, end) of each record on a line that is not JSON. Raises Reject where that can't be said."""
    at = behind_header(text, JSON_START.match)
    if at is not None:
        yield from json_parts(text, at)
        return
    starts = [found.start() for found in CEF_START.finditer(text)]
    if starts:
        yield from cef_parts(text, starts)
        return
    at = 0 if KV_NUMBER.match(text) or KV_OPEN.match(text) else None
    if at is None:
        at = behind_header(text, lambda text, at: KV_NUMBER.match(text, at) or KV_OPEN.match(text, at))
    if at is not None:
        records = key_value_records(text, at)
        if records:
            yield from records
            return
    yield 0, len(text)


def json_parts(text, at):
    while True:
        try:
            end = value_end(text, at)
        except ValueError:
            yield at, len(text)
            return
        following = re.compile(r"(?:[ \t\r\x1e]|\ufeff)*").match(text, end).end()
        if following < len(text) and text[following] not in "{[":
            header = behind_header(text[following:], JSON_START.match)
            if header is None:
                yield at, len(text)
                return
            following += header
        yield at, end
        at = following
        if at == len(text):
            return


def cef_parts(text, starts):
    before = text[:starts[0]]
    full = re.compile(rf"(?:<[0-9]{{1,3}}>(?:1 )?)?{TIME}(?: [^ =|{{}}\"]+){{0,8}} $")
    if re.search(r"[={|]", before) and not HEADER.fullmatch(before):
        raise mixed()
    cuts = [0]
    for this, following in zip(starts, starts[1:]):
        header = None
        for at in range(following - 1, max(this, following - 512), -1) if text[following - 1] in " \t" else ():
            if re.compile(TIME).match(text, at, following) and HEADER.fullmatch(text[at:following]):
                header = re.compile(r"(?:<[0-9]{1,3}>(?:1 )?)?$").search(text, this, at).start()
                if text[header - 1] == "=":
                    header = None  # a value
                break
        if header is not None:
            cuts.append(header)
        elif not before.strip():
            cuts.append(following)
        elif text[this:following].endswith(before):
            cuts.append(following - len(before))
        else:
            raise mixed()
    for start, end in zip(cuts, cuts[1:] + [len(text)]):
        part = text[start:end]
        if len(starts) > 1 and part.count("|") < 7:
            raise mixed()
        appended = re.search(r'(?<!=)\{"', part)
        if appended:
            try:
                if not part[value_end(part, appended.start()):].strip():
                    raise mixed()
            except ValueError:
                pass
        if re.search(r'[0-9], *[A-Za-z0-9_]+="', part):
            raise mixed()
        yield start, start + len(part.rstrip())


class Reader:
    """Reads one input and gives its lines of output."""

    def __init__(self, source, data, extended=False, max_bytes=MAX_RECORD_BYTES):
        self.source, self.data = source, data
        self.extended, self.max_bytes = extended, max_bytes
        self.seen_at, self.seen_line = 0, 1

    def run(self):
        start = len(BOM) if self.data.startswith(BOM) else 0
        if self.is_sequence(start):
            yield from self.sequence(start)
            return
        head = self.missing_head(start)
        if head is None:
            yield from self.lines(start)
            return
        raw = self.data[start:head].rstrip(b" \t\r\n,")
        lead = len(raw) - len(raw.lstrip(b" \t\r\n"))
        if raw.strip():
            yield self.reject(start + lead, len(raw) - lead, Reject("invalid-json"))
        yield from self.sequence(head, headless=bool(raw.strip()))

    def line_of(self, at):
        if at < self.seen_at:
            self.seen_at, self.seen_line = 0, 1
        self.seen_line += self.data.count(b"\n", self.seen_at, at)
        self.seen_at = at
        return self.seen_line

    def reject(self, at, length, why):
        told = {"source": self.source, "line": self.line_of(at), "offset": at, "length": length,
                "reason": why.reason}
        if why.field:
            told["field"] = why.field
        return {"reject": told}

    # ---- lines

    def lines(self, at):
        for line in self.data[at:].split(b"\n"):
            for start, end in self.cut(line.decode("latin-1")):
                yield from self.line_unit(line[start:end], at + start)
            at += len(line) + 1

    @staticmethod
    def cut(flat):
        """(start, end) of each unit of a line: values one after the other, or a text."""
        gap = re.compile(GAP)
        follows = re.compile(rf'[}}\]](?={GAP}(?:\{{[ \t\r]*["}}]|\[[ \t\r]*[{{\]]))')
        for found in re.finditer("[^\x1e]+", flat):
            at, stop = gap.match(flat, found.start(), found.end()).end(), found.end()
            while at < stop:
                last = at + len(flat[at:stop].rstrip(" \t\r"))
                if flat[at] not in "{[":
                    yield at, last
                    break
                try:
                    end = seen = value_end(flat[:stop], at)
                    following = gap.match(flat, end, stop).end()
                    if following < stop and flat[following] not in "{[":
                        seen = following
                        raise ValueError
                except ValueError as why:
                    # What else stands there belongs to the value, up to one that follows a bracket.
                    seen = max(getattr(why, "pos", at) - 1, at) if not str(why) == "" else seen
                    closed = follows.search(flat, seen, stop)
                    end = closed.end() if closed else last
                yield at, end
                at = gap.match(flat, end, stop).end()

    def line_unit(self, raw, at):
        if raw[:1] in (b"{", b"[") or len(raw) > self.max_bytes:
            if raw[:1] == b"[" and len(raw) > self.max_bytes:
                yield from self.sequence(at, at + len(raw))
            else:
                yield from self.unit(raw, at)
            return
        try:
            text = raw.decode("utf-8")
            parts = list(self.parts_of(text))
        except UnicodeDecodeError:
            yield self.reject(at, len(raw), Reject("invalid-utf8"))
            return
        except Reject as why:
            yield self.reject(at, len(raw), why)
            return
        for start, end in parts:
            first, last = (len(text[:place].encode("utf-8")) for place in (start, end))
            yield from self.unit(raw[first:last], at + first, self.value_of_part)

    # What is a telephony log's own: readings of other logs say these otherwise.

    def way_in(self, value):
        return way_in(value)

    def names_other_log(self, envelope):
        return says_other_log(envelope)

    def event_of(self, record):
        return convert(record, self.extended)

    def parts_of(self, text):
        return text_parts(text)

    def value_of_part(self, text):
        if text[0] in "{[":
            return parse(text)
        header = CEF_START.search(text)
        if header:
            return cef_record(text, header.end())
        number = KV_NUMBER.match(text)
        if KV_OPEN.match(text, number.end() if number else 0) and key_value_pairs(text, number.end() if number else 0):
            return key_value_record(text)
        return parse(text)

    def unit(self, raw, at, value_of_text=parse, spread=True):
        """The outcomes of one line, or of one value of a sequence."""
        try:
            if len(raw) > self.max_bytes:
                raise Reject("too-long")
            try:
                text = raw.decode("utf-8")
            except UnicodeDecodeError:
                raise Reject("invalid-utf8") from None
            value = value_of_text(text)
        except Reject as why:
            yield self.reject(at, len(raw), why)
            return
        if isinstance(value, list) and spread:
            yield from self.inside(raw, at, raw.decode("latin-1"), 0)
        else:
            yield from self.one(raw, at, value)

    # ---- envelopes

    def inside(self, raw, at, flat, start):
        """The outcomes of the elements of the array that begins at `start` of `raw`."""
        for first, end in elements(flat, start):
            element = raw[first:end]
            yield from self.one(element, at + first, parse(element.decode("utf-8")))

    def one(self, raw, at, value):
        """The outcomes of a value that stands where a record may stand."""
        if not isinstance(value, dict):
            yield self.reject(at, len(raw), Reject("not-object"))
            return
        path = self.way_in(value)
        if path is None:
            try:
                if value.get("stat") == "FAIL":
                    raise Reject("api-error")
                yield {"event": self.event_of(value)}
            except Reject as why:
                yield self.reject(at, len(raw), why)
            return
        if self.names_other_log(value):
            yield self.reject(at, len(raw), Reject("other-log"))
            return
        flat = raw.decode("latin-1")
        start, end = 0, len(raw)
        for name in path:
            start, end = member(flat, start, name)
            value = value[name]
        if isinstance(value, list):
            yield from self.inside(raw, at, flat, start)
        else:
            yield from self.one(raw[start:end], at + start, value)

    # ---- a sequence of JSON values

    def is_sequence(self, start):
        flat = self.data.decode("latin-1")
        start = re.compile(GAP).match(flat, start).end()
        if flat[start:start + 1] not in ("{", "["):
            return False
        try:
            if flat[start] == "[":
                # Cut off or broken later: one whole element and its comma tell.
                first = skip_space(flat, start + 1)
                comma = skip_space(flat, value_end(flat, first))
                if flat[comma:comma + 1] == "," and "\n" in flat[start:comma]:
                    return True
            return "\n" in flat[start:value_end(flat, start)]
        except ValueError:
            return flat.startswith("[", start) and self.empty_array(flat, start)

    @staticmethod
    def empty_array(flat, start):
        end = skip_space(flat, start + 1)
        return flat[end:end + 1] == "]" and "\n" in flat[start:end]

    def missing_head(self, start):
        """Where the values begin in a file that begins in the middle of one, None if it does not."""
        flat = self.data.decode("latin-1")
        gap = re.compile(GAP)
        at, first = start, True
        while at < len(flat):
            line = flat[at:].split("\n", 1)[0]
            opener = re.compile(r"[ \t\r,}\]]*(?=[{\[])").match(line)
            if opener:
                place = at + opener.end()
                try:
                    end = value_end(flat, place)
                    following = gap.match(flat, end).end()
                    over = "\n" in flat[place:end]
                    if flat[following:following + 1] in ("", "{", "["):
                        return place if over else None
                    if flat[following] in ",]" and over and self.is_list(flat, place):
                        return place
                except ValueError:
                    pass
            elif not first and not re.fullmatch(rf'\s*(?:["}}\]].*|(?:{NUMBER}|true|false|null)?\s*,?\s*)', line):
                return None
            first = first and not line.strip()
            at += len(line) + 1
        return None

    @staticmethod
    def is_list(flat, at):
        """Whether elements of a list begin here, up to its end."""
        while True:
            try:
                at = skip_space(flat, value_end(flat, at))
            except ValueError as why:  # broken, or cut short as the last one is
                return getattr(why, "pos", 0) >= len(flat.rstrip()) - 1
            if flat[at:at + 1] == "]":
                return skip_space(flat, at + 1) == len(flat) or flat[skip_space(flat, at + 1)] in "{["
            if flat[at:at + 1] != ",":
                return False
            at = skip_space(flat, at + 1)
            if at == len(flat):
                return True
            if flat[at] not in "{[":
                return False

    def sequence(self, at, stop=None, headless=False):
        flat = self.data[:stop].decode("latin-1")
        in_array = after_element = False
        gap = re.compile(GAP)
        values = 0
        while True:
            at = gap.match(flat, at).end()
            if at == len(flat):
                return
            if not in_array and values == 1 and flat[at] in ",]":
                # The first value was an element of a list whose beginning is not there.
                in_array = after_element = True
                if flat[at] == "]" and not headless:
                    yield self.reject(at, 1, Reject("invalid-json"))
            values += 1
            broken = False
            if in_array:
                if flat[at] == "," and after_element:
                    after_element, at = False, at + 1
                    continue
                if flat[at] == "]":
                    in_array = after_element = False
                    at += 1
                    continue
                broken = after_element  # a comma is missing
            elif flat[at] == "[":
                in_array, after_element, at = True, False, at + 1
                continue
            try:
                if broken:
                    raise ValueError
                end = following = value_end(flat, at)
                after_element = True
            except ValueError:
                end, following = self.recover(flat, at, in_array)
                after_element = False
            yield from self.unit(self.data[at:end], at, spread=False)
            at = following

    @staticmethod
    def recover(flat, at, in_array):
        """The end of a broken value, and where to go on: the next line that looks like it."""
        line = flat.rfind("\n", 0, at) + 1
        if line == 0 and flat.startswith(BOM.decode("latin-1")):
            line = len(BOM)
        indent = re.compile(r"[ \t]*").match(flat, line)[0]
        marks = r"[{\[\]]" if in_array else r"[{\[]"
        lines = re.compile(rf"\n(?=([ \t]*){marks})").finditer(flat, at)
        following = next((found.end() for found in lines if indent.startswith(found[1])), len(flat))
        end = at + len(flat[at:following].rstrip(" \t\r\n"))
        if in_array and flat[end - 1] == "," and end - 1 > at:
            end = at + len(flat[at:end - 1].rstrip(" \t\r\n"))
        return end, following


def way_in(value):
    """The names that lead from an envelope to what it holds, None if it is none."""
    if value.get("stat") == "FAIL":
        return None
    response = value.get("response")
    if value.get("stat") == "OK" and isinstance(response, (dict, list)):
        if isinstance(response, dict) and isinstance(response.get("items"), list):
            return ["response", "items"]
        return ["response"]
    if isinstance(value.get("items"), list) and "metadata" in value:
        return ["items"]
    service = value.get("service")
    if isinstance(service, str) and service.lower() == "telephony" and isinstance(value.get("message"), (dict, list)):
        return ["message"]
    return None


def write_outcomes(inputs, reader):
    """Writes what becomes of each input to stdout, one a line; `reader` is made of a name and bytes."""
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    for source in inputs:
        if source == "-":
            data = sys.stdin.buffer.read()
        else:
            with open(source, "rb") as file:
                data = file.read()
        for outcome in reader(source, data).run():
            sys.stdout.write(encode(outcome) + "\n")
    return 0


def main():
    parser = argparse.ArgumentParser(description="Converts Duo telephony logs by the book.")
    parser.add_argument("--extended", action="store_true", help="use the extended table")
    parser.add_argument("--max-record-bytes", type=int, default=MAX_RECORD_BYTES)
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("inputs", nargs="*", metavar="INPUT")
    args = parser.parse_args()
    if args.self_test:
        return self_test()
    if not args.inputs:
        parser.error("no input")
    return write_outcomes(args.inputs, lambda source, data: Reader(source, data, args.extended, args.max_record_bytes))


# --------------------------------------------------------------------- self-test

# Raw samples, each with its origin, and what becomes of it: the reasons of its rejects and
# (event_timestamp, event_type, product_event_type, summary, credits) of its events, in order.
SAMPLES = [
    # elastic/integrations packages/cisco_duo/data_stream/telephony_v2/_dev/test/pipeline/test-telephony-v2.log @b2f2511f
    (
        r'''{"context":"enrollment","credits":1,"phone":"+12125556707","telephony_id":"220f89ff-bff8-4466-b6cb-b7787940ce68","ts":"2023-03-21T22:34:49.466370+00:00","txid":"2f5d34d3-053f-422c-9dd4-77a5d58706b1","type":"sms"}''',
        [('2023-03-21T22:34:49.466370Z', 'GENERIC_EVENT', 'enrollment', 'sms', '1')],
    ),
    # elastic/integrations packages/cisco_duo/data_stream/telephony_v2/_dev/test/pipeline/test-telephony-v2.log @b2f2511f
    (
        r'''{"context":"authentication","credits":2,"phone":"+17345551311","telephony_id":"60799fee-f08f-4ba8-971f-4e53b3473e9a","ts":"2023-01-26T20:54:12.573580+00:00","txid":"373bd5f3-1e42-4a5d-aefa-b33ae278fac8","type":"phone"}''',
        [('2023-01-26T20:54:12.573580Z', 'GENERIC_EVENT', 'authentication', 'phone', '2')],
    ),
    # elastic/integrations packages/cisco_duo/data_stream/telephony_v2/_dev/test/pipeline/test-telephony-v2.log @b2f2511f
    (
        r'''{"context":"administrator login","credits":0,"phone":"+13135559542","telephony_id":"5bf1a860-fe39-49e3-be29-217659663a74","ts":"2022-10-25T16:07:45.304526+00:00","txid":"fb0c129b-f994-4d3d-953b-c3e764272eb7","type":"sms"}''',
        [('2022-10-25T16:07:45.304526Z', 'GENERIC_EVENT', 'administrator login', 'sms', '0')],
    ),
    # elastic/integrations packages/cisco_duo/data_stream/telephony/_dev/test/pipeline/test-telephony.log @8eb46be0
    (
        r'''{"context":"administrator login","credits":5,"isotimestamp":"2021-07-22T12:59:30+00:00","phone":"+121234512345","timestamp":1626958770,"type":"phone"}''',
        [('2021-07-22T12:59:30Z', 'GENERIC_EVENT', 'administrator login', 'phone', '5')],
    ),
    # elastic/integrations packages/cisco_duo/data_stream/telephony/_dev/test/pipeline/test-telephony.log @8eb46be0
    (
        r'''{"context":"verify","credits":1,"isotimestamp":"2021-08-16T06:03:32+00:00","phone":"+121234512345","timestamp":1629093812,"type":"sms"}''',
        [('2021-08-16T06:03:32Z', 'GENERIC_EVENT', 'verify', 'sms', '1')],
    ),
    # elastic/integrations packages/cisco_duo/data_stream/telephony/_dev/test/pipeline/test-telephony.log @8eb46be0
    (
        r'''{"context": "authentication","credits": 1,"isotimestamp":"2020-03-20T15:38:12+00:00","phone":"+121234512345","timestamp":1584718692,"type":"sms"}''',
        [('2020-03-20T15:38:12Z', 'GENERIC_EVENT', 'authentication', 'sms', '1')],
    ),
    # demisto/content Packs/DuoAdminApi/Integrations/DuoEventCollector/test_data/telephonyV1.json @34432479
    (
        r'''{"context":"authentication","credits":1,"isotimestamp":"2023-05-09T16:07:15+00:00","phone":"+111111111","timestamp":1683648435,"type":"sms","eventtype":"telephony","host":"api-1111111.duosecurity.com"}''',
        [('2023-05-09T16:07:15Z', 'USER_UNCATEGORIZED', 'authentication', 'sms', '1')],
    ),
    # duosecurity/duo_api_golang admin/logs_test.go getTelephonyLogsResponse @8aff7fde ("example response from the Duo API documentation")
    (
        r'''{"stat":"OK","response":[{"context":"authentication","credits":1,"phone":"+15035550100","timestamp":1346172697,"type":"sms"}]}''',
        [('2012-08-28T16:51:37Z', 'GENERIC_EVENT', 'authentication', 'sms', '1')],
    ),
    # docs.blinkops.com/docs/integrations/duo/actions/list-telephony-logs
    (
        r'''{"stat":"OK","response":[{"context":"authentication","credits":1,"isotimestamp":"2020-03-20T15:38:12+00:00","phone":"+15035550100","timestamp":1584718692,"type":"sms"}]}''',
        [('2020-03-20T15:38:12Z', 'GENERIC_EVENT', 'authentication', 'sms', '1')],
    ),
    # demisto/content .../test_data/telephonyV2.json @39a6dc31 (= the sample of Duo docs; elastic uses the same ids)
    (
        r'''{"items": [{"context": "enrollment", "credits": 1, "phone": "+12125556707", "telephony_id": "220f89ff-bff8-4466-b6cb-b7787940ce68", "ts": "2023-03-21T22:34:49.466370+00:00", "txid": "2f5d34d3-053f-422c-9dd4-77a5d58706b1", "type": "sms"}, {"context": "authentication", "credits": 2, "phone": "+17345551311", "telephony_id": "60799fee-f08f-4ba8-971f-4e53b3473e9a", "ts": "2023-01-26T20:54:12.573580+00:00", "txid": "373bd5f3-1e42-4a5d-aefa-b33ae278fac8", "type": "phone"}, {"context": "administrator login", "credits": 0, "phone": "+13135559542", "telephony_id": "5bf1a860-fe39-49e3-be29-217659663a74", "ts": "2022-10-25T16:07:45.304526+00:00", "txid": "fb0c129b-f994-4d3d-953b-c3e764272eb7", "type": "sms"}], "metadata": {"next_offset": "1666714065304,5bf1a860-fe39-49e3-be29-217659663a74", "total_objects": 3}}''',
        [('2023-03-21T22:34:49.466370Z', 'GENERIC_EVENT', 'enrollment', 'sms', '1'), ('2023-01-26T20:54:12.573580Z', 'GENERIC_EVENT', 'authentication', 'phone', '2'), ('2022-10-25T16:07:45.304526Z', 'GENERIC_EVENT', 'administrator login', 'sms', '0')],
    ),
    # elastic/integrations packages/cisco_duo/_dev/deploy/docker/files/config.yml @12885720
    (
        r'''{"stat":"OK","response":{"items":[{"context":"enrollment","credits":1,"phone":"+12125556707","telephony_id":"220f89ff-bff8-4466-b6cb-b7787940ce68","ts":"2023-03-21T22:34:49.466370+00:00","txid":"2f5d34d3-053f-422c-9dd4-77a5d58706b1","type":"sms"},{"context":"authentication","credits":2,"phone":"+17345551311","telephony_id":"60799fee-f08f-4ba8-971f-4e53b3473e9a","ts":"2023-01-26T20:54:12.573580+00:00","txid":"373bd5f3-1e42-4a5d-aefa-b33ae278fac8","type":"phone"}],"metadata":{"next_offset":"1666714065304,5bf1a860-fe39-49e3-be29-217659663a74","total_objects":2}}}''',
        [('2023-03-21T22:34:49.466370Z', 'GENERIC_EVENT', 'enrollment', 'sms', '1'), ('2023-01-26T20:54:12.573580Z', 'GENERIC_EVENT', 'authentication', 'phone', '2')],
    ),
    # elastic/integrations same file
    (
        r'''{"stat":"OK","response":{"items":[{"context":"administrator login","credits":0,"phone":"+13135559542","telephony_id":"5bf1a860-fe39-49e3-be29-217659663a74","ts":"2022-10-25T16:07:45.304526+00:00","txid":"fb0c129b-f994-4d3d-953b-c3e764272eb7","type":"sms"}],"metadata":{"total_objects":1}}}''',
        [('2022-10-25T16:07:45.304526Z', 'GENERIC_EVENT', 'administrator login', 'sms', '0')],
    ),
    # community.cisco.com "limit in cisco duo admin api logs" (auth v2, real tenant)
    (
        r'''{"response":{"authlogs":[],"metadata":{"next_offset":null,"total_objects":0}},"stat":"OK"}''',
        ['other-log'],
    ),
    # community.duo.com/t/.../3836 (auth v2, real call by Duo staff)
    (
        r'''{"next_offset":["1547486297000","5bea5c1e-682c-4f1d-b3f0-75fd31385bd5"],"total_objects":2233}''',
        ['other-log'],
    ),
    # duosecurity/duo_client_python duo_client/admin.py docstring of get_telephony_log @6e207eb9
    (
        r'''{"next_offset":"<str: comma separated ts and offset value>","total_objects":{"relation":"<str>","value":0}}''',
        ['other-log'],
    ),
    # duosecurity/duo_log_sync tests/test_get_log_offset.py @60f65d48
    (
        r'''[{"context":"context1234","credits":3,"phone":"+11234567890","telephony_id":"93a67857-365a-4ff3-a445-e389c2ab2df6","ts":"2022-11-01T21:24:00.000000+00:00","txid":"1bc858de-cef7-4337-b5b3-80eca311af01","type":"sms"},{"context":"context1234","credits":3,"phone":"+11234567890","telephony_id":"93a67857-365a-4ff3-a445-e389c2ab2df6","ts":"2022-11-01T21:24:00.000000+00:00","txid":"1bc858de-cef7-4337-b5b3-80eca311af02","type":"sms"},{"context":"context1234","credits":3,"phone":"+11234567890","telephony_id":"93a67857-365a-4ff3-a445-e389c2ab2df6","ts":"2022-11-01T21:24:00.000000+00:00","txid":"1bc858de-cef7-4337-b5b3-80eca311af03","type":"sms"}]''',
        [('2022-11-01T21:24:00Z', 'GENERIC_EVENT', 'context1234', 'sms', '3'), ('2022-11-01T21:24:00Z', 'GENERIC_EVENT', 'context1234', 'sms', '3'), ('2022-11-01T21:24:00Z', 'GENERIC_EVENT', 'context1234', 'sms', '3')],
    ),
    # DataDog/integrations-core cisco_duo/assets/logs/cisco-duo_tests.yaml @02c58b2b
    (
        r'''{"service":"telephony","message":{"telephony_id":"some-telephony-id","credits":5,"phone":"+11234567890","context":"authentication","txid":"some-txid","type":"sms","ts":"2024-01-09T09:08:15.097338+00:00"}}''',
        [('2024-01-09T09:08:15.097338Z', 'GENERIC_EVENT', 'authentication', 'sms', '5')],
    ),
    # alertlogic/paws-collector collectors/ciscoduo/test/ciscoduo_mock.js @95c510ac
    (
        r'''{"context":"authentication","credits":1,"phone":"+12125556707","telephony_id":"220f89ff-bff8-4466-b6cb-b7787940ce68","ts":"2024-01-01T12:02:00.000000+00:00","txid":"2f5d34d3-053f-422c-9dd4-77a5d58706b1","type":"sms"}''',
        [('2024-01-01T12:02:00Z', 'GENERIC_EVENT', 'authentication', 'sms', '1')],
    ),
    # PRODUCED by running duo_log_sync 2.4.1 log_to_cef on a v1 record
    (
        'Nov 23 02:47:28 vm CEF:0|Duo Security|DuoLogSync|2.4.1|telephony|telephony|5|cs1Label=context cs1=authentication cs2Label=credits cs2=1 cs3Label=event_type cs3=telephony cs4Label=phone cs4=+111111111 rt=1683648435000 cs5Label=type cs5=sms',
        [('2023-05-09T16:07:15Z', 'GENERIC_EVENT', 'authentication', 'sms', '1')],
    ),
    # PRODUCED by running duo_log_sync 2.4.1 log_to_cef on a v2 record (what DLS >=2.2.0 really sends)
    (
        'Nov 23 02:47:28 vm CEF:0|Duo Security|DuoLogSync|2.4.1|||5|cs1Label=context cs1=administrator login cs2Label=credits cs2=0 cs3Label=event_type cs3=None cs4Label=phone cs4=+13135559542 rt=None cs5Label=type cs5=sms',
        ['no-timestamp'],
    ),
    # duosecurity/duo_client_python examples/splunk/splunk.py TelephonyLog.print_events format string applied to the demisto v1 record
    (
        r'''1683648435,host="api-1111111.duosecurity.com", eventtype="telephony", context="authentication", type="sms", phone="+111111111", credits="1"''',
        [('2023-05-09T16:07:15Z', 'USER_UNCATEGORIZED', 'authentication', 'sms', '1')],
    ),
    # duo_client_java#3 / alertlogic API_THROTTLING_ERROR
    (
        r'''{"code":42901,"message":"Too Many Requests","stat":"FAIL"}''',
        ['api-error'],
    ),
    # duo.com/docs/rate-limits
    (
        r'''{"code":50001,"message":"Unknown internal server error","stat":"FAIL"}''',
        ['api-error'],
    ),
    # community.cisco.com thread
    (
        r'''{"code":40103,"message":"Invalid signature in request credentials","stat":"FAIL"}''',
        ['api-error'],
    ),
    # FreshSupaSulley/Auto-2FA#8
    (
        r'''{"code":40105,"message":"Bad request timestamp","stat":"FAIL"}''',
        ['api-error'],
    ),
    # IBM/IBM-QRadar-Universal-Cloud-REST-API#59 (message; shape as above)
    (
        r'''{"code":40001,"message":"Missing required request parameters","stat":"FAIL"}''',
        ['api-error'],
    ),
    # duo_log_sync#36 (400; message + message_detail as printed by duo_client)
    (
        r'''{"code":40002,"message":"Invalid request parameters","message_detail":"mintime must be within the past 180 days","stat":"FAIL"}''',
        ['api-error'],
    ),
    # duo_log_sync#36
    (
        r'''{"code":40002,"message":"Invalid request parameters","message_detail":"'mintime' must be a timestamp in milliseconds","stat":"FAIL"}''',
        ['api-error'],
    ),
]

V2 = '{"ts":"2023-03-21T22:34:49Z"}'
CEF = "CEF:0|Duo Security|DuoLogSync|2.4.1|"
OK = ("2023-03-21T22:34:49Z", "GENERIC_EVENT", None, "Duo Telephony", None)


def brief(outcome):
    if "reject" in outcome:
        return outcome["reject"]["reason"]
    event = outcome["event"]
    result = event["security_result"][0]
    details = {one["key"]: one["value"] for one in result.get("detection_fields", [])}
    return (event["metadata"]["event_timestamp"], event["metadata"]["event_type"],
            event["metadata"].get("product_event_type"), result["summary"], details.get("credits"))


def read(data, **options):
    data = data.encode("utf-8") if isinstance(data, str) else data
    return list(Reader("-", data, **options).run())


def same(got, expected, about):
    assert got == expected, f"{about}\n     got {got}\nexpected {expected}"


def self_test():
    for raw, expected in SAMPLES:
        same([brief(one) for one in read(raw)], expected, raw)
    test_times()
    test_json()
    test_mapping()
    test_logs()
    test_forms()
    test_broken_sequences()
    print("self-test passed")
    return 0


def test_times():
    epochs = {
        "0": "1970-01-01T00:00:00Z",
        "-0": "1970-01-01T00:00:00Z",
        "1.5": "1970-01-01T00:00:01.500Z",
        "1E5": "1970-01-02T03:46:40Z",
        "1584718692.0000019999": "2020-03-20T15:38:12.000001999Z",
        "15847186920e-1": "2020-03-20T15:38:12Z",
        "0.00000000000000000001e20": "1970-01-01T00:00:01Z",
        "-0.0000000001": "1969-12-31T23:59:59.999999999Z",
        "-1.5": "1969-12-31T23:59:58.500Z",
        "1e-999999999999999999": "1970-01-01T00:00:00Z",
        "-1e-999999999999999999": "1969-12-31T23:59:59.999999999Z",
        "0e999999999999999999": "1970-01-01T00:00:00Z",
        "-62135596800": "0001-01-01T00:00:00Z",
        "-62135596800.0000000001": "timestamp-range",
        "253402300799.9999999999": "9999-12-31T23:59:59.999999999Z",
        "253402300800": "timestamp-range",
        "1683648435000": "timestamp-range",
        "1e999999999": "timestamp-range",
        "1e999999999999999999": "timestamp-range",
    }
    for text, expected in epochs.items():
        for raw in (f'{{"timestamp":{text}}}', f'{{"timestamp":"{text}"}}'):
            got = brief(read(raw)[0])
            same(got if isinstance(got, str) else got[0], expected, raw)
    for text in (" 1", "+1", "01", "1.", ".5", "0x1", "1_0", "NaN", "\\u0661", "1 "):
        same(brief(read(f'{{"timestamp":"{text}","ts":"2023-03-21T22:34:49Z"}}')[0]), "bad-timestamp", text)

    isos = {
        "2023-03-21T22:34:49.466370+00:00": "2023-03-21T22:34:49.466370Z",
        "2023-03-21t22:34:49z": "2023-03-21T22:34:49Z",
        "2023-03-21 22:34:49,5": "2023-03-21T22:34:49.500Z",
        "2023-03-21T22:34:49.1234567899-0130": "2023-03-22T00:04:49.123456789Z",
        "2023-03-21T22:34:49-00:00": "2023-03-21T22:34:49Z",
        "2023-03-21 22:34:49.46637+00": "2023-03-21T22:34:49.466370Z",
        "2023-03-21T22:34:49-05": "2023-03-22T03:34:49Z",
        "2024-02-29T00:00:00+23:59": "2024-02-28T00:01:00Z",
        "0001-01-01T00:00:00+00:01": "timestamp-range",
        "0001-01-01T00:00:00-00:01": "0001-01-01T00:01:00Z",
        "9999-12-31T23:59:59-00:01": "timestamp-range",
        "0000-02-29T00:00:00Z": "timestamp-range",
        "0000-12-31T23:59:59-00:01": "0001-01-01T00:00:59Z",
        "0000-13-01T00:00:00Z": "bad-timestamp",
        "2023-02-29T00:00:00Z": "bad-timestamp",
        "2023-03-21T24:00:00Z": "bad-timestamp",
        "2023-03-21T23:59:60Z": "bad-timestamp",
        "2023-03-21T22:34Z": "bad-timestamp",
        "2023-03-21T22:34:49.Z": "bad-timestamp",
        "2023-03-21T22:34:49+0": "bad-timestamp",
        "2023-03-21T22:34:49+24": "bad-timestamp",
        "2023-03-21T22:34:49+24:00": "bad-timestamp",
        "2023-03-21T22:34:49Z ": "bad-timestamp",
        "2023-03-21": "bad-timestamp",
        "1679438089": "bad-timestamp",
    }
    for text, expected in isos.items():
        for name in ("ts", "isotimestamp"):
            got = brief(read(f'{{"{name}":"{text}"}}')[0])
            same(got if isinstance(got, str) else got[0], expected, text)

    for raw, expected in [
        ('{"ts":1679438089}', "bad-timestamp"),
        ('{"ts":true}', "bad-timestamp"),
        ('{"timestamp":false,"ts":"2023-03-21T22:34:49Z"}', "bad-timestamp"),
        ('{"timestamp":"","isotimestamp":null}', "no-timestamp"),
        ('{"timestamp":null,"ts":"2023-03-21T22:34:49Z"}', OK),
    ]:
        same(brief(read(raw)[0]), expected, raw)


def test_json():
    deep = '{"telephony_id":"i","ts":"2023-03-21T22:34:49Z","x":' + "[" * 126 + "]" * 126 + "}"
    for raw, expected in [
        (deep, [OK]),
        (deep.replace("[]", "[[]]"), ["too-deep"]),
        (deep.replace("[]", "[[]]") + "{", ["too-deep", "invalid-json"]),
        ("[" * 127 + "]" * 127, ["not-object"]),
        ("[" * 100000, ["too-deep"]),
        (f"{V2}\r\n \t\r\n{V2}", [OK, OK]),
        (f"\ufeff{V2}\n\ufeff{V2}", [OK, OK]),
        (f"{V2}{V2} {V2}\ufeff{V2}\x1e{V2}[{V2}][{V2}]", [OK] * 7),
        (f'{V2}{{"ts":,}}{V2}', [OK, "invalid-json", OK]),
        (f'{{"ts":"2\x1e{V2}', ["invalid-json", OK]),
        (f"{V2} x", ["invalid-json"]),
        (f"{V2},{V2}", ["invalid-json"]),
        ('{"ts":"2023-03-21T22:34:49Z",}', ["invalid-json"]),
        ('{"x":NaN}', ["invalid-json"]),
        ('{"x":01}', ["invalid-json"]),
        ('{"x":"a\tb"}', ["invalid-json"]),
        ('{"x":"\\ud800","ts":"2023-03-21T22:34:49Z"}', ["invalid-json"]),
        ('{"x":"\\udc00\\ud800","ts":"2023-03-21T22:34:49Z"}', ["invalid-json"]),
        ('{"x":"\\ud83d\\ude00\\\\ud800","telephony_id":1,"ts":"2023-03-21T22:34:49Z"}', [OK]),
        (b'{"x":"\xff","ts":"2023-03-21T22:34:49Z"}\n' + V2.encode(), ["invalid-utf8", OK]),
        (b'[1,"\xff"]', ["invalid-utf8"]),
        ("123\nnull\nhello\n-", ["not-object", "not-object", "invalid-json", "invalid-json"]),
        (f'{{"x":{"9" * 10000},"telephony_id":1,"ts":"2023-03-21T22:34:49Z"}}', [OK]),
    ]:
        same([brief(one) for one in read(raw)], expected, raw[:80])
    same([brief(one) for one in read(f"{V2}\n{V2} ", max_bytes=len(V2))], [OK, OK], "max bytes")
    same([brief(one) for one in read(f"{V2}\n{V2}", max_bytes=len(V2) - 1)], ["too-long"] * 2, "max bytes")


def test_mapping():
    raw = ('{"timestamp":0,"context":"a","context":"b\\u00e9é","ho\\u0073t":"::1","log_type":"L","phone":1.50,'
           '"type":true,"credits":12345678901234567890,"eventtype":"Telephony","telephony_id":"i","txid":"t"}')
    expected = {
        "metadata": {
            "event_timestamp": "1970-01-01T00:00:00Z", "event_type": "USER_UNCATEGORIZED", "log_type": "L",
            "product_name": "Telephony", "vendor_name": "Duo", "product_event_type": "béé",
        },
        "principal": {"ip": ["::1"], "user": {"userid": "1.50", "phone_numbers": ["1.50"]}},
        "security_result": [{
            "summary": "true", "action": ["ALLOW"], "severity": "INFORMATIONAL",
            "detection_fields": [
                {"key": "credits", "value": "12345678901234567890"},
                {"key": "eventtype", "value": "Telephony"},
            ],
        }],
        "extensions": {"auth": {"mechanism": ["MECHANISM_UNSPECIFIED"]}},
    }
    same(read(raw)[0]["event"], expected, "default table")
    expected["metadata"]["product_log_id"] = "i"
    expected["principal"]["asset"] = {"ip": ["::1"]}
    expected["security_result"][0]["detection_fields"].append({"key": "txid", "value": "t"})
    same(read(raw, extended=True)[0]["event"], expected, "extended table")

    event = read(V2)[0]["event"]
    assert "principal" not in event and "detection_fields" not in event["security_result"][0], event
    event = read('{"timestamp":0,"host":"fe80::1%eth0"}')[0]["event"]
    same((event["principal"], event["metadata"]["event_type"]),
         ({"hostname": "fe80::1%eth0"}, "STATUS_UPDATE"), "a scope id")
    for host, address in {"1.2.3.4": True, "01.2.3.4": False, "1.2.3": False, "::ffff:1.2.3.4": True,
                          "1:2:3:4:5:6:7:8": True, "a.example": False, "1.2.3.4/32": False}.items():
        same(is_ip(host), address, host)

    for extended, raw, expected in [
        (False, '{"credits":{},"ts":[]}', ("field-type", "ts")),
        (False, '{"timestamp":0,"txid":[],"type":1,"x":{}}', None),
        (True, '{"timestamp":0,"txid":[],"type":1,"x":{}}', ("field-type", "txid")),
        (True, '{"timestamp":0,"txid":[],"x":{}}', ("other-log", None)),
        (False, '{"timestamp":0,"eventtype":{},"type":1}', ("field-type", "eventtype")),
    ]:
        reject = read(raw, extended=extended)[0].get("reject")
        same(reject and (reject["reason"], reject.get("field")), expected, raw)


def test_logs():
    for raw, expected in [
        ('{"host":"h","timestamp":1679438089}', "STATUS_UPDATE"),
        ('{"timestamp":1679438089,"x":null,"y":""}', "GENERIC_EVENT"),
        ('{"timestamp":1679438089,"x":0}', "other-log"),
        ('{"timestamp":1679438089,"x":[]}', "other-log"),
        ('{"timestamp":1679438089,"x":false,"telephony_id":"i"}', "GENERIC_EVENT"),
        ('{"timestamp":1679438089,"txid":"t","log_type":"l"}', "GENERIC_EVENT"),
        ('{"timestamp":1679438089,"type":"t","eventtype":"auth"}', "other-log"),
        ('{"timestamp":1679438089,"type":"t","event_type":"authentication"}', "other-log"),
        ('{"timestamp":1679438089,"type":"t","service":"TELEPHONY"}', "GENERIC_EVENT"),
        ('{"timestamp":1679438089,"type":"t","service":{}}', "other-log"),
        ('{"timestamp":1679438089,"type":"t","service":7}', "other-log"),
        ('{"timestamp":1679438089,"type":"t","eventtype":"auth","eventtype":""}', "GENERIC_EVENT"),
        ('{"service":"activity","message":{"timestamp":1679438089,"type":"t"}}', "other-log"),
        ('{"service":"Telephony","message":{"timestamp":1679438089,"type":"t"}}', "GENERIC_EVENT"),
        ('{"service":"activity","message":[]}', "other-log"),
        ('{"service":"activity","stat":"OK","response":[{},{}]}', "other-log"),
    ]:
        got = [brief(one) for one in read(raw)]
        same([one if isinstance(one, str) else one[1] for one in got], [expected], raw)


def test_forms():
    for raw, expected in [
        ('{"stat":"OK","response":[]}', []),
        ('{"stat":"OK","response":{"items":[]}}', []),
        ('{"stat":"OK","response":"x"}', ["other-log"]),
        (f'{{"stat":"OK","response":{V2}}}', [OK]),
        ('{"items":[],"metadata":null}', []),
        (f'{{"service":"telephony","message":[{V2},1,[{V2}]]}}', [OK, "not-object", "not-object"]),
        (f'[{{"service":"telephony","message":{V2}}},{{"stat":"FAIL"}},{V2}]', [OK, "api-error", OK]),
        (f'[\n{V2},\n{V2}\n]\n{V2}', [OK] * 3),
        (f'[\n{V2},\n[{V2}],\n7\n]', [OK, "not-object", "not-object"]),
        ("[\n]", []),
        ('{\n"ts":"2023-03-21T22:34:49Z"\n}\n{"stat":"OK","response":[\n' + V2 + "]}", [OK, OK]),
        ('"a=b", x', ["invalid-json"]),
        ("CEF:0|a|b|c", ["invalid-json"]),
        ("CEF:0|a|b\\|b|c|d|e|f|ts=2023-03-21T22:34:49Z", ["other-log"]),
        (f"{CEF}telephony|TELEPHONY|f|ts=2023-03-21T22:34:49Z", [OK]),
        (f"{CEF}|telephony|f|ts=2023-03-21T22:34:49Z", [OK]),
        (f"{CEF}authentication||f|ts=2023-03-21T22:34:49Z type=x", ["other-log"]),
        (f"{CEF}|||ts=2023-03-21T22:34:49Z x=1", ["other-log"]),
        (f"{CEF}|||ts=2023-03-21T22:34:49Z x=None", [OK]),
        (f"{CEF}|||rt=x", ["bad-timestamp"]),
        (f"{CEF}|||rt=1683648435", ["bad-timestamp"]),
        (f"{CEF}|||rt=631151999999", ["bad-timestamp"]),
        (f"{CEF}|||rt=631152000005 type=a\\=b\\nc\\\\ d x=1",
         [("1990-01-01T00:00:00.005Z", "GENERIC_EVENT", None, "a=b\nc\\ d", None)]),
        ('ts="2023-03-21T22:34:49Z" ,  type="a", "b\\" , x="" ',
         [("2023-03-21T22:34:49Z", "GENERIC_EVENT", None, 'a", "b\\', None)]),
        ('1e2,credits="1"', [("1970-01-01T00:01:40Z", "GENERIC_EVENT", None, "Duo Telephony", "1")]),
        ('credits="1" type="x"', ["no-timestamp"]),
        ('5,type="x"6,type="y"', [("1970-01-01T00:00:05Z", "GENERIC_EVENT", None, "x", None),
                                  ("1970-01-01T00:00:06Z", "GENERIC_EVENT", None, "y", None)]),
        ('ts="2023-03-21T22:34:49Z"\ttype=""ts="2023-03-21T22:34:49Z"', ["invalid-json"]),
        ('ts="2023-03-21T22:34:49Z"\tphone="" ts="2023-03-21T22:34:49Z"', [OK, OK]),
        ('type="x" ts="2023-03-21T22:34:49Z" ts="2023-03-21T22:34:49Z"', ["invalid-json"]),
        (f"{CEF}|||ts=2023-03-21T22:34:49Z{CEF}|||ts=2023-03-21T22:34:49Z", [OK, OK]),
        (f"Apr 18 17:21:32 vm {CEF}|||ts=2023-03-21T22:34:49Z vm {CEF}|||rt=5", ["invalid-json"]),
        (f"Apr 18 17:21:32 host duo: {V2}", [OK]),
        (f"2023-04-18T17:21:32+02:00 {V2}{V2}", [OK, OK]),
        (f'<134>1 2023-04-18T17:21:32Z host app - - [a b="]"] {V2}', [OK]),
        (f"2023-04-18T17:21:32Z stdout F {V2} x", ["invalid-json"]),
        (f"host duo: {V2}", ["invalid-json"]),
        ('1,', ["invalid-json"]),
    ]:
        same([brief(one) for one in read(raw)], expected, raw)

    for raw, expected in [
        ("\ufeff\n  [1, {}, \"é\", []]", [(2, 7, 1), (2, 10, 2), (2, 14, 4), (2, 20, 2)]),
        ('{"é":1,"stat":"OK","response":{"a":[],"items":[ 0 , 1E5]}}', [(1, 49, 1), (1, 53, 3)]),
        ("[\n  1,\n  {\n  }\n]\n", [(2, 4, 1), (3, 9, 5)]),
    ]:
        same([tuple(one["reject"][key] for key in ("line", "offset", "length")) for one in read(raw)],
             expected, raw)


def test_broken_sequences():
    pretty = '  {\n    "ts": "2023-03-21T22:34:49Z"\n  }'
    for raw, expected in [
        (f"[\n{pretty},\n{pretty},\n  {{\n    \"ts\": ", [OK, OK, "invalid-json"]),
        (f"[\n{pretty},\n  {{\n    \"ts\": ,\n  }},\n{pretty}\n]", [OK, "invalid-json", OK]),
        (f"{{\n}}\n{{\n  \"a\" 1\n}}\n{V2}", ["no-timestamp", "invalid-json", OK]),
        # Broken from the start: lines.
        (f"{{\n{V2}\n", ["invalid-json", OK]),
        # The end of a value, then whole ones.
        (f'  "a": 1\n}}\n{pretty}\n{pretty}', ["invalid-json", OK, OK]),
        (f'on",\n    "a": 1\n  }},\n{pretty},\n{pretty}\n]\n', ["invalid-json", OK, OK]),
    ]:
        same([brief(one) for one in read(raw)], expected, raw)
    raw = f"[\n{pretty},\n  {{\n    \"ts\": ,\n  }},\n{pretty}\n]"
    reject = read(raw)[1]["reject"]
    same(raw[reject["offset"]:][:reject["length"]], '{\n    "ts": ,\n  }', "the reject's bytes")


if __name__ == "__main__":
    sys.exit(main())
