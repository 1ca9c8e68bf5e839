"""A step of a pipeline: a log of any size to a file of events, in small memory.

    python pipeline.py telephony/ events.ndjson.gz rejects.ndjson

It fails if the events have errors, or if more than one record in a hundred is rejected: both files are there then, to
be looked at.
"""

import sys
from pathlib import Path
from typing import Iterator

import udmap


def convert(logs: Path, events: Path, rejects: Path) -> udmap.Written:
    def report(done: udmap.Progress) -> None:
        share = "" if done.fraction is None else f" ({done.fraction:.0%})"
        print(f"{done.records:,} records{share}, {done.rejects:,} rejected", file=sys.stderr)

    return udmap.convert(logs, output=events, rejects=rejects, threads=2, progress=report)


def numbers(logs: Path) -> Iterator[str]:
    """The numbers that were used to authenticate, as the log is read."""
    with udmap.events(logs) as records:
        for record in records.dicts():
            if isinstance(record, udmap.Reject):
                continue
            if record["metadata"].get("product_event_type") == "authentication":
                yield record["principal"]["user"]["phone_numbers"][0]


def main(logs: Path, events: Path, rejects: Path) -> int:
    try:
        written = convert(logs, events, rejects)
    except udmap.InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(written)
    checked = udmap.validate(events)
    print(checked)
    for group in checked.groups:
        print(group, file=sys.stderr)
    too_many = written.counts["rejects"] * 100 > written.counts["records"]
    return 0 if checked.ok and not too_many else 1


if __name__ == "__main__":
    sys.exit(main(*(Path(argument) for argument in sys.argv[1:4])))
