"""udmap's job in Python: `duo.py json|orjson FILE` writes the events of FILE to stdout."""

import json
import sys
from datetime import datetime, timedelta
from ipaddress import ip_address

EPOCH = datetime(1970, 1, 1)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


def text(value):
    """A present field's text, None for an absent one."""
    if type(value) is str:
        return value or None
    if value is None:
        return None
    if value is True:
        return "true"
    if value is False:
        return "false"
    if type(value) is int:
        return str(value)
    raise TypeError("no exact text")


def fraction(digits):
    """The fraction with 0, 3, 6 or 9 of these digits, the fewest that hold it."""
    digits = digits[:9].rstrip("0")
    return f".{digits.ljust(-(-len(digits) // 3) * 3, '0')}Z" if digits else "Z"


def epoch(seconds):
    if seconds.isdigit():
        return (EPOCH + timedelta(seconds=int(seconds))).isoformat() + "Z"
    # By hand: a Decimal has bounds that JSON's exponents don't have.
    mantissa, _, exponent = seconds.lower().partition("e")
    negative, mantissa = mantissa.startswith("-"), mantissa.lstrip("-")
    before, _, after = mantissa.partition(".")
    digits = before + after
    if not digits.strip("0"):
        return EPOCH.isoformat() + "Z"
    point = len(before) + max(int(exponent or 0), -10_000)
    kept = max(point + 9, 0)
    nanos = int(digits[:kept].ljust(kept, "0") or 0)
    finer = digits[kept:].strip("0") != ""
    whole, nanos = divmod(-nanos - finer if negative else nanos, 1_000_000_000)
    return (EPOCH + whole * SECOND).isoformat() + fraction(f"{nanos:09}")


def iso(when):
    if when.endswith("+00:00") and when[10] == "T" and when[19] in ".+":
        return when[:19] + fraction(when[20:-6])
    end = 19
    if when[19:20] in (".", ","):
        end = 20
        while when[end : end + 1].isdigit():
            end += 1
    local, offset = datetime.fromisoformat(when[:19].replace("t", "T")), when[end:]
    if offset[:1] in ("+", "-"):
        minutes = (int(offset[1:3]) * 60 + int(offset[-2:])) * MINUTE
        local += minutes if offset[0] == "-" else -minutes
    return local.isoformat() + fraction(when[20:end])


def is_ip(host):
    # An address has nothing but these; the exception that tells is slow.
    if host.strip("0123456789abcdefABCDEF:."):
        return False
    try:
        return "%" not in host and bool(ip_address(host))
    except ValueError:
        return False


def event(record):
    get = record.get
    context, host, phone = text(get("context")), text(get("host")), text(get("phone"))
    credits, eventtype = text(get("credits")), text(get("eventtype"))
    seconds = text(get("timestamp"))
    metadata = {"product_event_type": context} if context else {}
    metadata["event_timestamp"] = epoch(seconds) if seconds else iso(text(get("ts")) or text(get("isotimestamp")))
    metadata["event_type"] = (
        ("USER_UNCATEGORIZED" if context else "STATUS_UPDATE") if host else "GENERIC_EVENT"
    )
    metadata["log_type"] = text(get("log_type")) or "DUO_TELEPHONY"
    metadata["product_name"] = "Telephony"
    metadata["vendor_name"] = "Duo"
    event = {"metadata": metadata}
    if host or phone:
        event["principal"] = principal = {}
        if host:
            principal.update({"ip": [host]} if is_ip(host) else {"hostname": host})
        if phone:
            principal["user"] = {"userid": phone, "phone_numbers": [phone]}
    result = {
        "summary": text(get("type")) or "Duo Telephony",
        "action": ["ALLOW"],
        "severity": "INFORMATIONAL",
    }
    if credits or eventtype:
        result["detection_fields"] = fields = []
        if credits:
            fields.append({"key": "credits", "value": credits})
        if eventtype:
            fields.append({"key": "eventtype", "value": eventtype})
    event["security_result"] = [result]
    event["extensions"] = {"auth": {"mechanism": ["MECHANISM_UNSPECIFIED"]}}
    return event


def with_json(lines, out):
    # Numbers as their own text, which costs nothing: the decoder hands it over anyway.
    decode = json.JSONDecoder(parse_float=str, parse_int=str).decode
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    for line in lines:
        out.write(encode(event(decode(line.decode()))).encode())
        out.write(b"\n")


def with_orjson(lines, out):
    import orjson

    for line in lines:
        try:
            done = event(orjson.loads(line))
        except (orjson.JSONDecodeError, TypeError):
            # A number that has lost its text or is beyond a float's range: rare, so read again.
            done = event(json.loads(line, parse_float=str, parse_int=str))
        out.write(orjson.dumps(done, option=orjson.OPT_APPEND_NEWLINE))


if __name__ == "__main__":
    run = {"json": with_json, "orjson": with_orjson}[sys.argv[1]]
    with open(sys.argv[2], "rb", buffering=1 << 18) as lines, open(1, "wb", buffering=1 << 18) as out:
        run(lines, out)
