"""What conversions and checks give. Each has a `repr` of one line, however much it holds."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from typing import Any, ClassVar, Dict, Iterator, List, Literal, Mapping, Optional, Tuple

from ._inputs import shown

SeverityName = Literal["error", "warning", "info"]


def counted(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _reasons(by_reason: Mapping[str, int]) -> str:
    most = sorted(by_reason.items(), key=lambda item: -item[1])
    words = [f"{reason} {count:,}" for reason, count in most[:3]] + ["..."] * (len(most) > 3)
    return f" ({', '.join(words)})" if words else ""


def became(counts: Mapping[str, int], by_reason: Mapping[str, int]) -> str:
    """The outcome of records, in words."""
    return f"{counted(counts['events'], 'event')}, {counted(counts['rejects'], 'reject')}{_reasons(by_reason)}"


@dataclass(frozen=True, repr=False)
class Reject:
    """A record that could not be converted."""

    #: The input's name: a path, or `data`.
    source: str
    #: The line on which it begins, from 1.
    line: int
    #: Where it begins, in bytes after decompression.
    offset: int
    #: Its length in bytes.
    length: int
    #: Why, in a code, such as `no-timestamp`.
    reason: str
    #: Why, in a sentence.
    message: str
    #: Its bytes; of one that is too long the first 4 KiB.
    raw: bytes
    #: By a set of tables: the table that it belongs to, or may belong to. Names have commas between them.
    table: Optional[str] = None

    def __repr__(self) -> str:
        return f"<Reject {shown(self.source)}:{self.line}: {self.reason}: {shown(self.message)}>"


@dataclass(frozen=True, repr=False)
class Converted:
    """The outcome of an input."""

    #: The events, one a line, each ended by a newline: what the command writes.
    ndjson: bytes
    #: The records that could not be converted, in the order of the input.
    rejects: List[Reject]
    #: How many `records`, `events`, `rejects` and `blank` lines there were, `bytes_in` and `bytes_out`.
    counts: Dict[str, int]
    #: Rejects by reason.
    by_reason: Dict[str, int]

    @property
    def events(self) -> List[str]:
        """The events, as JSON texts without newlines."""
        return self.ndjson.decode().split("\n")[:-1]

    def dicts(self) -> Iterator[Dict[str, Any]]:
        """The events as objects, one after the other."""
        return (json.loads(line) for line in io.BytesIO(self.ndjson))

    def __repr__(self) -> str:
        return f"<Converted {became(self.counts, self.by_reason)}>"


@dataclass(frozen=True, repr=False)
class Written:
    """The outcome of an input whose events were written to a file."""

    #: The file with the events.
    output: str
    #: The file with the rejects, if there is one.
    rejects_output: Optional[str]
    #: As in `Converted`.
    counts: Dict[str, int]
    #: Rejects by reason.
    by_reason: Dict[str, int]
    #: Some rejects of each reason, if there is no file with all of them.
    examples: List[Reject]

    def __repr__(self) -> str:
        return f"<Written {shown(self.output)}: {became(self.counts, self.by_reason)}>"


@dataclass(frozen=True, repr=False)
class Sent:
    """What a call of `send` did. With `log_type`, an event is a log."""

    #: Whether nothing was sent in earnest: the other members say what would have been.
    dry_run: bool
    #: Inputs that were read to their ends.
    inputs: int
    #: Lines in them that are not blank: an event each.
    lines: int
    #: How many of the lines earlier calls had done.
    done_before: int
    #: Events that SecOps accepted.
    accepted: int
    #: Rejects by reason.
    by_reason: Dict[str, int]
    #: Requests, repeated ones too.
    requests: int
    #: Requests that were sent again because an answer was lost.
    repeats: int
    #: The events in those: SecOps leaves out what it has, but these may be there twice.
    may_be_there_twice: int
    #: Requests that were refused and split.
    splits: int
    #: Bytes of the requests, before compression.
    bytes: int
    #: How long requests waited, added up: for the rate, for SecOps, and after failures.
    waited_seconds: float
    #: Events that are older than 180 days. Google does not say what becomes of them.
    old: int
    #: Events that are more than a day ahead of this machine's clock.
    ahead: int
    #: Inputs whose last line is still being written. It is left for the next call.
    unfinished: List[str]
    #: What else is to be known.
    notes: List[str]
    #: Whether it was stopped before its end.
    stopped: bool
    #: Why not everything could be sent; None if everything could.
    error: Optional[str]

    @property
    def rejected(self) -> int:
        """How many events were rejected."""
        return sum(self.by_reason.values())

    @property
    def ok(self) -> bool:
        """Whether there are events, and all of them are in SecOps. This is the command's exit status 0."""
        left = self.rejected > 0 or bool(self.unfinished) or self.stopped or self.error is not None
        return self.lines > 0 and not left

    def __repr__(self) -> str:
        verb = "would be sent" if self.dry_run else "accepted"
        twice = f", {self.may_be_there_twice:,} may be there twice" if self.may_be_there_twice else ""
        rejects = f"{counted(self.rejected, 'reject')}{_reasons(self.by_reason)}"
        end = ", stopped" if self.stopped else ", failed" if self.error is not None else ""
        return f"<Sent {counted(self.accepted, 'event')} {verb}{twice}, {rejects}{end}>"


@dataclass(frozen=True, repr=False)
class Finding:
    """Something that is wrong with an event, or may be; or a difference."""

    #: `error`, `warning` or `info`.
    severity: SeverityName
    #: What it is, such as `invalid-ip`; `udmap.codes()` says what it means.
    code: str
    #: Where in the event, such as `principal.ip[0]`; empty for the event as a whole.
    path: str
    #: What was found.
    message: str
    #: The input's name: a path, or `data`.
    source: str
    #: The line, from 1; 0 for the input as a whole.
    line: int
    #: The character of the line, from 1; 0 if it is not known.
    column: int
    #: The byte, from 0, after decompression.
    byte: int
    #: Which event of the input it is in, from 1; 0 for none.
    event: int
    #: What SecOps does with it; empty where that is not known.
    effect: str = ""
    #: What to do; empty for a difference.
    advice: str = ""

    def __repr__(self) -> str:
        place = f"{shown(self.source)}:{self.line}"
        path = f" {shown(self.path)}" if self.path else ""
        return f"<Finding {place}: {self.severity} {self.code}{path}: {shown(self.message)}>"


@dataclass(frozen=True, repr=False)
class Group:
    """Findings of one code at one path."""

    severity: SeverityName
    code: str
    #: The path with `[]` for every index; empty for events as a whole.
    path: str
    #: How many findings there are.
    count: int
    #: The first of them.
    samples: Tuple[Finding, ...]

    def __repr__(self) -> str:
        path = f" {shown(self.path)}" if self.path else ""
        return f"<Group {self.severity} {self.code}{path}: {counted(self.count, 'finding')}>"


@dataclass(frozen=True, repr=False)
class Validated:
    """The result of `validate`."""

    #: How many events were checked.
    events: int
    #: What was found, in the order of the input.
    findings: List[Finding]
    #: The same by code and path, with a count and samples: the worst first, then the most frequent.
    groups: List[Group] = field(default_factory=lambda: [])
    #: How many findings were left out because the baseline has them.
    known: int = 0

    @property
    def ok(self) -> bool:
        """Whether there are events, and no errors; warnings are none. This is the command's exit status 0."""
        return self.events > 0 and all(group.severity != "error" for group in self.groups)

    @property
    def omitted(self) -> int:
        """How many findings were counted but not kept (`max_findings`)."""
        return sum(group.count for group in self.groups) - len(self.findings)

    def __repr__(self) -> str:
        of = {"error": 0, "warning": 0, "info": 0}
        for group in self.groups:
            of[group.severity] += group.count
        found = ", ".join(counted(count, word) for word, count in of.items())
        return f"<Validated {counted(self.events, 'event')}: {found}>"


@dataclass(frozen=True, repr=False)
class Code:
    """A kind of finding."""

    name: str
    #: How bad it is, unless `severities` says otherwise.
    severity: SeverityName
    #: What was found.
    title: str
    #: What SecOps does with such an event, as far as that is known.
    effect: str
    #: What to do.
    advice: str

    def __repr__(self) -> str:
        return f"<Code {self.name}: {self.severity}: {self.title}>"


@dataclass(frozen=True)
class Case:
    """A case of `test`: a log with what is expected of it."""

    name: str
    #: How many differences there are.
    errors: int

    @property
    def ok(self) -> bool:
        """Whether the case gives what it expects."""
        return self.errors == 0


@dataclass(frozen=True, repr=False)
class Tested:
    """The result of `test`."""

    #: For pytest: this is not a class of tests.
    __test__: ClassVar[bool] = False

    #: Whether there are cases, and each gives what it expects: the command's exit status 0.
    ok: bool
    #: All cases.
    cases: List[Case]
    #: The differences.
    findings: List[Finding]
    #: The same by code and path, with a count and samples.
    groups: List[Group]
    #: How many differences were counted but not kept (`max_findings`).
    omitted: int
    #: How many differences were left out because the baseline has them.
    known: int
    #: How many parts the table has.
    parts: int
    #: The parts that no case exercises.
    never_exercised: List[str]
    #: The report that `udmap test --report json=FILE` writes.
    report: Dict[str, Any]

    def __repr__(self) -> str:
        failed = sum(not case.ok for case in self.cases)
        covered = f"{self.parts - len(self.never_exercised)} of {self.parts} parts covered"
        return f"<Tested {counted(len(self.cases), 'case')}: {failed} failed, {covered}>"


@dataclass(frozen=True, repr=False)
class Sample:
    """A difference between two sets of events."""

    #: Where in the event.
    path: str
    #: The value in A; None if there is none.
    a: Optional[str]
    #: The value in B; None if there is none.
    b: Optional[str]
    #: Where the event of A is: source and line.
    a_at: Optional[str]
    #: Where the event of B is.
    b_at: Optional[str]

    def __repr__(self) -> str:
        a, b = ("nothing" if side is None else shown(side, 80) for side in (self.a, self.b))
        return f"<Sample {shown(self.path)}: {a} in A, {b} in B>"


@dataclass(frozen=True, repr=False)
class FieldDifference:
    """All differences of one kind in one field."""

    #: The field, with `[]` for every index; `event` for events as a whole.
    path: str
    #: What the difference is, such as `changed` or `only-in-a`.
    code: str
    #: How often.
    count: int
    #: The first of them.
    samples: Tuple[Sample, ...]

    def __repr__(self) -> str:
        return f"<FieldDifference {shown(self.path)}: {self.code} {counted(self.count, 'time')}>"


@dataclass(frozen=True, repr=False)
class Compared:
    """The result of `diff`."""

    #: Whether there are events, and both sets are the same: the command's exit status 0.
    ok: bool
    #: How many events there are in A and in B.
    events_a: int
    events_b: int
    #: How many events are in both.
    equal: int
    #: How many pairs of events belong together and differ.
    pairs_that_differ: int
    #: The differences, by field.
    fields: List[FieldDifference]
    #: The differences one by one.
    findings: List[Finding]
    #: The same by code and path, with a count and samples.
    groups: List[Group]
    #: How many differences were counted but not kept (`max_findings`).
    omitted: int
    #: How many differences were left out because the baseline has them.
    known: int
    #: The report that `udmap diff --report json=FILE` writes.
    report: Dict[str, Any]

    def __repr__(self) -> str:
        sizes = f"A: {counted(self.events_a, 'event')}, B: {counted(self.events_b, 'event')}"
        differences = sum(it.count for it in self.fields)
        found = counted(differences, "difference")
        return f"<Compared {sizes}; {self.equal:,} in both, {counted(self.pairs_that_differ, 'pair')} that differ, {found}>"


@dataclass(frozen=True, repr=False)
class RawField:
    """A field of the records in a log."""

    name: str
    #: Whether the mapping reads it.
    read: bool
    #: In how many records it is.
    present: int
    #: In how many of them it is empty.
    empty: int
    #: Its types, with their counts.
    types: Dict[str, int]
    #: About how many different values it has.
    distinct: int
    #: The most frequent values with their counts, where there are few different ones.
    values: List[Tuple[str, int]]

    def __repr__(self) -> str:
        read = "read" if self.read else "not read"
        return f"<RawField {shown(self.name)}: {read}, in {counted(self.present, 'record')}, {self.distinct:,} distinct>"


@dataclass(frozen=True, repr=False)
class Shape:
    """A shape of records, by the mapping."""

    name: str
    records: int
    #: The times of the first and the last.
    first: Optional[str]
    last: Optional[str]

    def __repr__(self) -> str:
        return f"<Shape {shown(self.name)}: {counted(self.records, 'record')}>"


@dataclass(frozen=True)
class NewValue:
    """A value that is not among the documented ones."""

    field: str
    value: str
    records: int


@dataclass(frozen=True, repr=False)
class Profile:
    """The result of `profile`: what is in a log."""

    #: The mapping's name.
    mapping: str
    #: How many records there are.
    records: int
    #: Rejects by reason.
    rejects: Dict[str, int]
    #: Records by the format that they came in.
    formats: Dict[str, int]
    #: The shapes of records, the most frequent first.
    shapes: List[Shape]
    #: The raw fields, the most frequent first.
    fields: List[RawField]
    #: Values that are not among the documented ones.
    new_values: List[NewValue]
    #: The times of the first and the last record.
    first: Optional[str]
    last: Optional[str]
    #: What `udmap profile --json` prints.
    report: Dict[str, Any]

    def __repr__(self) -> str:
        records = f"{counted(self.records, 'record')}, {counted(sum(self.rejects.values()), 'reject')}"
        time = f", {self.first} to {self.last}" if self.first else ""
        return f"<Profile {records}{_reasons(self.rejects)}, {counted(len(self.fields), 'field')}{time}>"
