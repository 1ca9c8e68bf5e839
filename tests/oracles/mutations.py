#!/usr/bin/env python3
"""Records made of others by chance: joined, and changed in a few places.

    python3 mutations.py SEED COUNT INPUT...

Reads the lines of the inputs that are JSON objects and writes COUNT records, the same for the same
seed. A record may be in an envelope, and a text of it may be JSON that is changed as well.
"""

import json
import random
import re
import sys

TEXTS = [
    "", " ", "a", "None", "none", "0", "1", "true", "null", "{}", "[]", '{"', "{broken", "192.0.2.1",
    "192.0.2.1:80", "2001:db8::1", "fe80::1%eth0", "::", "user@example.com", "@", "+1 (734) 555-0100",
    "7345550100", "123456", "CN=Doe\\, Jane,OU=x", "=", "login", "error", "group_create", "user_update",
    "admin_login", "authentication", "enrollment", "success", "SUCCESS", "Allow", "Reject", "info", "admin",
    "duo_push", "security_key", "Windows", "mac", "iOS", "Android", "é\u2028\u0000\"\\", "api.x", "api-x",
    "2023-03-21T15:51:22.591015+00:00", "2023-03-21 15:51:22", "2023-02-30T00:00:00Z", "1581620180",
    "\u00a0", "x" * 300,
]
NUMBERS = [0, 1, -1, 1.5, 1581620180, 1605602911680, 10**20, 1e300, 253402300800]


# Where log shippers keep texts with records, and what such a text has. The independent readings know nothing of that.
SHIPPERS = {"message", "@message", "MESSAGE", "log", "original", "textPayload", "event", "_raw"}
IS_RECORD = re.compile(r'(^|[\s:])[{\[][{\[\s]*"|CEF:0')


def is_shipped(value):
    """Whether a text with a record is somewhere where shippers keep them."""
    if isinstance(value, list):
        return any(map(is_shipped, value))
    if not isinstance(value, dict):
        return False
    texts = [text for key, text in value.items() if key in SHIPPERS and isinstance(text, str)]
    return any(map(IS_RECORD.search, texts)) or any(map(is_shipped, value.values()))


class Mutator:
    def __init__(self, seed, records):
        self.chance, self.records = random.Random(seed), records

    def record(self):
        while is_shipped(record := self.mutated()):
            pass
        return record

    def mutated(self):
        record = self.copy(self.chance.choice(self.records))
        for _ in range(self.chance.choice([0, 1, 1, 2, 3])):
            record = self.joined(record, self.copy(self.chance.choice(self.records)))
        for _ in range(self.chance.choice([0, 0, 1, 1, 2, 4])):
            self.change(record)
        return record

    @staticmethod
    def copy(value):
        return json.loads(json.dumps(value))

    def joined(self, one, other):
        """An object with what both have; of what both have, by chance."""
        for key, value in other.items():
            if isinstance(value, dict) and isinstance(one.get(key), dict):
                self.joined(one[key], value)
            elif key not in one or self.chance.random() < 0.5:
                one[key] = value
        return one

    def change(self, record):
        holder = record
        while True:
            if not holder:
                return
            key = self.chance.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
            inner = self.embedded(holder[key])
            if inner is not None and self.chance.random() < 0.7:
                self.change(inner)
                holder[key] = self.written(inner)
                return
            if not isinstance(holder[key], (dict, list)) or self.chance.random() < 0.2:
                break
            if not holder[key]:
                break
            holder = holder[key]
        if isinstance(holder, dict) and self.chance.random() < 0.1:
            del holder[key]
        else:
            holder[key] = self.value(holder[key])

    @staticmethod
    def embedded(value):
        try:
            value = json.loads(value) if isinstance(value, str) else None
        except ValueError:
            return None
        return value if isinstance(value, dict) else None

    def written(self, value):
        text = json.dumps(value, ensure_ascii=self.chance.random() < 0.5)
        return self.chance.choice([text] * 6 + [f" {text}\n", text[:-1], text + "x"])

    def value(self, old):
        kind = self.chance.random()
        if kind < 0.5:
            return self.chance.choice(TEXTS)
        if kind < 0.6:
            return self.chance.choice(NUMBERS)
        if kind < 0.65:
            return self.chance.random() < 0.5
        if kind < 0.75:
            return None
        if kind < 0.8:
            return [old]
        if kind < 0.85:
            return [None, old, self.chance.choice(TEXTS)]
        if kind < 0.9:
            return self.chance.choice([[], {}, [[]], {"a": old}])
        return f"{old} {self.chance.choice(TEXTS)}"

    def line(self):
        record = self.record()
        text = json.dumps(record, ensure_ascii=self.chance.random() < 0.3)
        # A line that is broken inside of a list may hold another record behind it.
        if self.chance.random() < 0.02 and "[" not in text:
            text = text[:-1]
        return text


def main():
    seed, count, inputs = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    records = []
    for path in inputs:
        with open(path, encoding="utf-8") as file:
            for line in file:
                try:
                    value = json.loads(line)
                except ValueError:
                    continue
                if isinstance(value, dict):
                    records.append(value)
    mutator = Mutator(seed, records)
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    for _ in range(count):
        sys.stdout.write(mutator.line() + "\n")


if __name__ == "__main__":
    main()
