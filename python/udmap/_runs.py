"""Runs of the native part: they are fed, watched, and ended when nobody wants their result."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Callable, Generator, List, Optional, Tuple, Union

from . import _native
from ._inputs import Source

#: How long Python waits for a run before it looks for Ctrl-C, in seconds.
WAIT = 0.1
#: How long it is between two calls of a progress callback, in seconds.
BETWEEN_CALLS = 0.25


@dataclass(frozen=True)
class Progress:
    """How far a run is."""

    #: Bytes that were read, as they are stored: compressed ones count as such.
    bytes: int
    #: How many there are in all; None for what is read bit by bit.
    total: Optional[int]
    #: Records that were converted, or events that were checked, or sent and rejected.
    records: int
    #: How many of the records were rejected.
    rejects: int
    #: Why requests of `send` wait, if they had to since the last call.
    waiting: Optional[str] = None

    @property
    def fraction(self) -> Optional[float]:
        """How much of the bytes was read, from 0 to 1; None if their number is not known."""
        return None if self.total is None else min(1.0, self.bytes / self.total) if self.total else 1.0


#: What a run gives as it goes on.
Part = Union["_native.Part", List["_native.Parsed"]]
#: Is told how far a run is, some times a second and at its end. What it raises ends the run.
OnProgress = Callable[[Progress], object]


class _Teller:
    """Tells how far a run is, not too often."""

    def __init__(self, run: _native.Run, progress: Optional[OnProgress]) -> None:
        self._run, self._progress = run, progress
        self._told = time.monotonic()

    def tell(self, *, at_once: bool = False) -> None:
        if self._progress is not None and (at_once or time.monotonic() - self._told >= BETWEEN_CALLS):
            self._progress(Progress(*self._run.progress()))
            self._told = time.monotonic()


def steps(
    run: _native.Run, source: Source, progress: Optional[OnProgress] = None
) -> Generator[Part, None, Any]:
    """Gives a run's parts, and returns its result.

    Python files and iterables are read here, on the caller's thread. Between waits, Python handles signals: Ctrl-C ends
    the run, as any other exception does, and as it ends when the caller no longer asks for parts.
    """
    teller = _Teller(run, progress)
    try:
        while True:
            said = run.wait(WAIT)
            if said == "wants":
                run.feed(next((piece for piece in source.pieces if piece), b""))
            elif said == "part":
                part = run.part()
                if part is not None:
                    yield part
            elif said == "ended":
                break
            teller.tell()
        result = run.result()
        teller.tell(at_once=True)
        return result
    finally:
        run.stop()


def result_of(run: _native.Run, source: Source, progress: Optional[OnProgress] = None) -> Any:
    """A run's result, when it has ended."""
    parts = steps(run, source, progress)
    while True:
        try:
            next(parts)
        except StopIteration as end:
            return end.value


def to_its_end(run: _native.Run, progress: Optional[OnProgress]) -> Tuple[Any, Optional[BaseException]]:
    """The result of a run that gives one however it ends, and what ended it early: Ctrl-C, or what `progress` raised.

    A second Ctrl-C does not wait for the result any more. The run ends all the same.
    """
    teller, stopped_by = _Teller(run, progress), None
    try:
        while run.wait(WAIT) != "ended":
            teller.tell()
        teller.tell(at_once=True)
    except BaseException as error:
        stopped_by = error
        run.ask_to_stop()
        while run.wait(WAIT) != "ended":
            pass
    return run.result(), stopped_by
