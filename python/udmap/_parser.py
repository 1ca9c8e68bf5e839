"""Google SecOps' parsers, run offline on raw logs."""

from __future__ import annotations

import io
import json
import os
import re
import time
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Deque, Dict, Iterable, Iterator, List, Literal, Mapping, Optional, Tuple, Type, Union, cast

from . import _native
from ._inputs import LONGEST_WAIT, PIECE_BYTES, Source, encoded, is_url, path_of, shown
from ._results import counted
from ._runs import steps

#: A log. Its bytes or text are whole, and taken as they are.
RawLog = Union[str, bytes, bytearray, memoryview]
#: What may come of a log.
OutcomeName = Literal["events", "dropped", "no-output", "failed"]
#: A line and a column of a parser's text, both from 1.
Place = Tuple[int, int]

_ONE_LOG = (str, bytes, bytearray, memoryview)
#: SecOps' own limit for a log: 1 MiB.
_MAX_LOG_BYTES = 1 << 20


@dataclass(frozen=True, repr=False)
class ParserWarning:
    """Something in a parser that most likely does not do what it says."""

    #: What kind of mistake, such as `unset-token`: docs/parser.md lists them.
    code: str
    #: The line of the parser's text, from 1.
    line: int
    #: The character in the line, from 1.
    column: int
    #: What it is.
    message: str

    def __repr__(self) -> str:
        return f"<ParserWarning {self.line}:{self.column}: {self.code}: {shown(self.message)}>"


@dataclass(frozen=True, repr=False)
class ParsedLog:
    """The outcome of a log."""

    #: The log, as it was given; without its line end if it is a line of a file.
    log: Union[str, bytes]
    #: `events`, `dropped` by the parser, `no-output` or `failed`.
    outcome: OutcomeName
    #: The events, one a line, each ended by a newline: what the command writes.
    ndjson: bytes
    #: The tag of `drop`, which may be empty; None unless the log was dropped.
    tag: Optional[str]
    #: Why it failed, in Google's words where they are known; None unless it did.
    message: Optional[str]
    #: The line of the parser that failed, from 1; None unless one did.
    line: Optional[int]
    #: The character in that line, from 1.
    column: Optional[int]
    #: With `explain`, for each event: the paths of its fields, with the line and column that set each.
    lines: List[Dict[str, Place]]
    #: With `statedump`, what the parser's `statedump` has shown.
    dumped: str

    @cached_property
    def events(self) -> List[Dict[str, Any]]:
        """The events as objects: read when they are first asked for."""
        return [json.loads(line) for line in io.BytesIO(self.ndjson)]

    def __repr__(self) -> str:
        if self.outcome == "events":
            count = self.ndjson.count(b"\n")
            return f"<ParsedLog {counted(count, 'event')}>"
        at = "" if self.line is None else f" {self.line}:{self.column}"
        said = self.tag or self.message
        return f"<ParsedLog {self.outcome}{at}{f': {shown(said)}' if said else ''}>"


class ParserRun(Iterator[ParsedLog]):
    """The outcome of logs, one after the other, as they are read.

    Memory stays small however many logs there are: few are read ahead of what was taken. The thread ends when the last
    outcome was taken, when this is closed, or when nobody refers to it any more.
    """

    #: How many logs were taken so far.
    logs: int
    #: How many events they gave.
    events: int
    #: The logs by outcome: their sum is `logs`.
    by_outcome: Dict[OutcomeName, int]
    #: The logs that were dropped, by tag.
    by_tag: Dict[str, int]

    def __init__(self, run: _native.Run, logs: Iterator[Union[str, bytes]]) -> None:
        self.logs = self.events = 0
        self.by_outcome = {"events": 0, "dropped": 0, "no-output": 0, "failed": 0}
        self.by_tag = {}
        # Those whose outcome was not taken yet.
        self._given: Deque[Union[str, bytes]] = deque()
        self._parts = steps(run, Source(None, pieces=_pieces(logs, self._given)))
        self._parsed = iter(cast("List[_native.Parsed]", []))

    def __next__(self) -> ParsedLog:
        while True:
            for outcome, ndjson, tag, message, at, lines, dumped in self._parsed:
                self.logs += 1
                self.events += ndjson.count(b"\n")
                self.by_outcome[outcome] += 1
                if tag is not None:
                    self.by_tag[tag] = self.by_tag.get(tag, 0) + 1
                line, column = at or (None, None)
                by_path = [dict(fields) for fields in lines]
                return ParsedLog(self._given.popleft(), outcome, ndjson, tag, message, line, column, by_path, dumped)
            try:
                self._parsed = iter(cast("List[_native.Parsed]", next(self._parts)))
            except StopIteration:
                raise StopIteration from None

    def close(self) -> None:
        """Ends reading and parsing."""
        self._parsed = iter(cast("List[_native.Parsed]", []))
        self._given.clear()
        self._parts.close()

    def __enter__(self) -> ParserRun:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        words = ", ".join(f"{outcome} {count:,}" for outcome, count in self.by_outcome.items())
        return f"<ParserRun {counted(self.logs, 'log')} ({words}), {counted(self.events, 'event')}>"


class Parser:
    """A parser of Google SecOps, to be run on any number of logs, by any number of threads; it can be pickled.

    text: the parser's text; `Parser.from_file` reads a file.

    Raises ParserError if it does not load, ValueError for a text that is a file's name.

    >>> parser = udmap.Parser('filter { drop { tag => "TAG_UNSUPPORTED" } }')
    >>> [(log.outcome, log.tag) for log in parser.run(["a log"])]
    [('dropped', 'TAG_UNSUPPORTED')]
    """

    #: The parser's text.
    text: str
    #: The log type that `metadata.json` next to the parser's file names, if it names one. `parser.yaml` is not read.
    log_type: Optional[str]

    def __init__(self, text: str) -> None:
        if not isinstance(cast(object, text), str):
            raise TypeError(f"expected a parser's text, found {_type(text)}{_from_file(text)}")
        if "{" not in text and "\n" not in text and text.endswith(".conf"):
            raise ValueError(f"`{shown(text)}` looks like the name of a file, not like a parser{_from_file(text)}")
        self._make(text, None, None)

    @classmethod
    def from_file(cls, path: Union[str, "os.PathLike[str]"]) -> Parser:
        """Reads the parser of a file, which may be in a bucket (`s3://`, `gs://`, `az://`) and compressed.

        Raises ParserError if it does not load, InputError if it can't be read.
        """
        name = path if isinstance(path, str) else cast(str, path_of(path))
        parser = cls.__new__(cls)
        parser._make(_native.parser_text(name), name, _log_type_next_to(name))
        return parser

    def _make(self, text: str, name: Optional[str], log_type: Optional[str]) -> None:
        self.text, self._name, self.log_type = text, name, log_type
        self._native = _native.Parser(text, name)

    def __getstate__(self) -> Tuple[str, Optional[str], Optional[str]]:
        return self.text, self._name, self.log_type

    def __setstate__(self, state: Tuple[str, Optional[str], Optional[str]]) -> None:
        self._make(*state)

    def __repr__(self) -> str:
        if self._name is not None:
            return f"udmap.Parser.from_file({shown(self._name)!r})"
        return f"<Parser of {counted(len(self.text.splitlines()), 'line')}>"

    @cached_property
    def warnings(self) -> List[ParserWarning]:
        """What most likely does not do what it says, in the order of the text: what `udmap parser check` warns of."""
        return [ParserWarning(*warning) for warning in self._native.warnings()]

    def run(
        self,
        logs: Iterable[RawLog],
        *,
        log_type: Optional[str] = None,
        received: Optional[datetime] = None,
        field_names: Literal["snake", "camel"] = "snake",
        platform_fields: bool = True,
        explain: bool = False,
        statedump: bool = False,
        max_bytes: int = 64 << 20,
        max_steps: int = 50_000_000,
    ) -> ParserRun:
        """Gives the outcome of each log, in order: as `udmap parser run` does, in small memory. See `ParserRun`.

        logs: an iterable of `str` or `bytes`, each a whole log and taken as it is. Of an open file, each line is a log,
            without its line end, but for blank ones.
        log_type: what `metadata.log_type` is, whatever the parser sets; by default the parser's own `log_type`.
        received: when the logs were received, with a time zone; by default now.
        field_names: `snake` (`event_type`) or `camel` (`eventType`).
        platform_fields: whether events get what SecOps adds to a parser's events: assets, log type, time.
        explain: whether `lines` says which line of the parser set each field.
        statedump: whether `dumped` has what the parser's `statedump` shows.
        max_bytes, max_steps: what a log may take of memory, from 1 to 2**30 bytes, and of steps: a statement is one for
            each KiB of the log. A log that takes more fails, and says so.

        A log that fails raises nothing: its outcome is `failed`. So is that of a log which is longer than 1 MiB, or
        not UTF-8. Raises TypeError for what is not logs, ValueError for a wrong option.
        """
        if received is None:
            received = datetime.now(timezone.utc)
        elif received.utcoffset() is None:
            hint = "hint: received.astimezone() if it is the local time, received.replace(tzinfo=timezone.utc) for UTC"
            raise ValueError(f"received: expected a time with a time zone, found {received!r}\n{hint}")
        if not 0 <= max_steps < 1 << 64:
            raise ValueError(f"max_steps is from 0 to 2**64 - 1, not {max_steps}")
        if max_bytes < 1:
            raise ValueError(f"max_bytes is from 1 to {1 << 30}, not {max_bytes}")
        given = _logs(logs)
        run = self._native.run(
            self.log_type if log_type is None else log_type,
            received.astimezone(timezone.utc).isoformat(),
            field_names,
            platform_fields,
            explain,
            statedump,
            max_bytes,
            max_steps,
        )
        return ParserRun(run, given)


def _from_file(given: object) -> str:
    name = os.fspath(cast("os.PathLike[str]", given)) if isinstance(given, (str, os.PathLike)) else None
    return "" if name is None else f"\nhint: udmap.Parser.from_file({shown(name)!r})"


def _log_type_next_to(name: str) -> Optional[str]:
    """The log type that `metadata.json` next to a parser's file names, in capitals, as the command takes it."""
    if is_url(name):
        return None
    try:
        metadata: object = json.loads(Path(name).with_name("metadata.json").read_bytes())
    except (OSError, ValueError):
        return None
    log_type = cast("Mapping[str, object]", metadata).get("log_type") if isinstance(metadata, dict) else None
    log_type = log_type.strip().upper() if isinstance(log_type, str) else ""
    return log_type if re.fullmatch("[A-Z0-9_]+", log_type) else None


def _logs(logs: Iterable[RawLog]) -> Iterator[Union[str, bytes]]:
    """The logs, each as bytes or text."""
    given = cast(object, logs)
    found = f"expected an iterable of logs, found {_type(given)}"
    if isinstance(given, _ONE_LOG):
        hint = "hint: [log] for one log; io.BytesIO(logs) for the lines of bytes, io.StringIO(logs) for those of a str"
        raise TypeError(f"{found}: one log, or many?\n{hint}")
    if isinstance(given, os.PathLike):
        raise TypeError(f"{found}\nhint: open(path, 'rb') for a file whose lines are logs")
    if isinstance(given, Mapping) or not isinstance(given, Iterable):
        raise TypeError(found)
    items = enumerate(cast("Iterable[object]", given), 1)
    return _lines(items) if hasattr(logs, "read") else (_log(log, f"item {number}") for number, log in items)


def _lines(lines: Iterator[Tuple[int, object]]) -> Iterator[Union[str, bytes]]:
    """The lines of an open file that are not blank."""
    for number, item in lines:
        line = _log(item, f"line {number}")
        if isinstance(line, str):
            line = (line.removeprefix("\ufeff") if number == 1 else line).removesuffix("\n").removesuffix("\r")
        else:
            line = (line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line).removesuffix(b"\n").removesuffix(b"\r")
        # What is blank for the command: Python has more white space.
        if _bytes(line).strip(b" \t\n\f\r"):
            yield line


def _log(item: object, where: str) -> Union[str, bytes]:
    if isinstance(item, (str, bytes)):
        return item
    if isinstance(item, _ONE_LOG):
        return bytes(cast(bytes, item))
    found = _type(item)
    hint = "\nhint: json.dumps(log)" if isinstance(item, Mapping) else ""
    raise TypeError(f"expected a log as str or bytes, found {found} as {where}{hint}")


def _bytes(log: Union[str, bytes]) -> bytes:
    return encoded(log) if isinstance(log, str) else log


def _type(of: object) -> str:
    return type(of).__name__


def _pieces(logs: Iterator[Union[str, bytes]], given: "Deque[Union[str, bytes]]") -> Iterator[bytes]:
    """Logs as the native part takes them, each behind its length. What is handed on is added to `given`."""
    piece, begun = bytearray(), time.monotonic()
    for log in logs:
        # Of one that is too long, enough to see that it is.
        data = _bytes(log)[: _MAX_LOG_BYTES + 1]
        given.append(log)
        piece += len(data).to_bytes(4, "little") + data
        if len(piece) >= PIECE_BYTES or time.monotonic() - begun > LONGEST_WAIT:
            yield bytes(piece)
            piece, begun = bytearray(), time.monotonic()
    if piece:
        yield bytes(piece)
