#!/usr/bin/env python3
"""Parses UDM events into Google's own UDM message, strictly: no unknown field or enum value,
no wrong type.

    python3 tests/oracles/strict_parse.py [FILE...]        (no file: standard input)

Reads one event a line, bare or as {"event": {"idm": {"read_only_udm": {...}}}} (or
readOnlyUdm). Blank lines are skipped. The first failures go to stderr as "file:line: error";
the last line on stdout is "N passed, M failed". Exit status 1 if any failed or there was none.

Needs the packages of requirements.txt beside this script.
"""

import json
import sys

from google.backstory.types import udm
from google.protobuf import json_format

SHOWN = 20


def no_duplicates(pairs):
    """json_format.Parse refuses a name given twice; so does this."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is given twice in one object")
    return found


def not_json(word):
    raise ValueError(f"{word} is not JSON")


def event_of(line):
    found = json.loads(line.decode("utf-8"), object_pairs_hook=no_duplicates, parse_constant=not_json)
    if isinstance(found, dict) and "event" in found:  # UDM has no field of that name
        found = only(found, "event")
        found = only(found, "idm")
        found = only(found, "read_only_udm", "readOnlyUdm")
    if not isinstance(found, dict):
        raise ValueError("the event is not a JSON object")
    return found


def only(envelope, *names):
    if not isinstance(envelope, dict) or len(envelope) != 1 or not envelope.keys() & set(names):
        raise ValueError(f"the envelope must hold {' or '.join(names)} and nothing else")
    return next(iter(envelope.values()))


def main(paths):
    message = udm.UDM.pb()
    passed = failed = 0
    for path in paths or ["-"]:
        stream = sys.stdin.buffer if path == "-" else open(path, "rb")
        with stream:
            for number, line in enumerate(stream, 1):
                if not line.strip():
                    continue
                try:
                    # Parse reads JSON text: an event out of its envelope is written again.
                    text = json.dumps(event_of(line), ensure_ascii=False)
                    json_format.Parse(text, message(), ignore_unknown_fields=False)
                except (ValueError, json_format.ParseError, RecursionError) as error:
                    failed += 1
                    if failed <= SHOWN:
                        print(f"{path}:{number}: {' '.join(str(error).split())}", file=sys.stderr)
                else:
                    passed += 1
    if failed > SHOWN:
        print(f"... and {failed - SHOWN} more", file=sys.stderr)
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except OSError as error:
        print(f"strict_parse.py: {error}", file=sys.stderr)
        sys.exit(2)
