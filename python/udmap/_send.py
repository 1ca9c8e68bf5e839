"""Events into Google SecOps."""

from __future__ import annotations

import os
from typing import Any, Iterable, List, Mapping as MappingOf, Optional, Tuple, Union, cast

from . import _native
from ._converter import File, same_file
from ._inputs import is_url, path_of, shown
from ._native import SendError
from ._results import Sent
from ._runs import OnProgress, to_its_end

#: A length of time: a text such as `90s` or `1h30m`, or seconds.
Time = Union[str, float]

_Told = Tuple[List[Tuple[str, int]], List[Tuple[str, int]], float, List[str], List[str], bool, Optional[str]]
_STOPPED = "udmap: what SecOps accepted is in the state, and the next call continues there"


def send(
    inputs: Union[File, Iterable[File]],
    *,
    project: str,
    location: str,
    instance: str,
    state: File,
    rejects: File,
    credentials: Optional[File] = None,
    log_type: Optional[str] = None,
    namespace: Optional[str] = None,
    labels: Optional[MappingOf[str, str]] = None,
    forwarder: Optional[str] = None,
    api_url: Optional[str] = None,
    api_version: str = "v1",
    batch_events: Optional[int] = None,
    batch_bytes: Union[str, int, None] = None,
    parallel: int = 4,
    rate: Union[str, int, None] = "5MB/s",
    timeout: Time = "150s",
    retry_wait: Time = "1s",
    give_up: Time = "1h",
    dry_run: bool = False,
    progress: Optional[OnProgress] = None,
) -> Sent:
    """Sends UDM events into Google SecOps, each once as far as that can be promised: `udmap send`.

    inputs: files, folders, patterns and URLs of buckets with events as NDJSON; one, or an iterable of them. A `str` is a
        path here, too. Events themselves, open files and stdin are not taken: the state knows what is done of an input by
        its name, and they have none.
    project, location, instance: the Google Cloud project of the SecOps instance, its location, and the customer ID.
    state: what is done: a file, or an object in a bucket. Another call with it sends only what is new.
    rejects: a file for the events that can't be sent. It only grows.
    credentials: a file; by default they are found as Google's own tools find them.
    log_type: sends raw logs of this type instead, each line as it is; `namespace`, `labels` and `forwarder` are for these.
    api_url, api_version: another address and version of the API.
    batch_events, batch_bytes: the most of a request; the first call with a state decides.
    parallel: how many requests are under way at once.
    rate: the most bytes a second, as a text such as `5MB/s` or a number; None for no limit.
    timeout: how long an answer may take.
    retry_wait, give_up: the first wait after a failure, and how long a request is repeated.
    dry_run: asks nobody and writes nothing; the result says what would be sent and rejected.
    progress: is told how far it is, some times a second.

    Rejects raise nothing: see the result's `rejected`. Raises SendError if not everything could be sent; its `result` says
    what was. What else ends the call early, such as Ctrl-C, has a `result`, too. Raises InputError for an input that is
    not there, ValueError for a wrong option, TypeError for what is not a path.
    """
    paths = _paths(inputs)
    to_state, to_rejects = _place("state", state), _place("rejects", rejects)
    if is_url(to_rejects):
        raise ValueError(f"`rejects` is a URL, not a file: `{shown(to_rejects)}`")
    if same_file(to_state, to_rejects):
        raise ValueError(f"`state` and `rejects` are one file: `{shown(to_rejects)}`")
    given: _native.Given = {
        "project": project,
        "location": location,
        "instance": instance,
        "state": to_state,
        "rejects": to_rejects,
        "credentials": None if credentials is None else os.fspath(credentials),
        "log_type": log_type,
        "namespace": namespace,
        "labels": list((labels or {}).items()),
        "forwarder": forwarder,
        "api_url": api_url,
        "api_version": api_version,
        "batch_events": batch_events,
        "batch_bytes": None if batch_bytes is None else str(batch_bytes),
        "parallel": parallel,
        "rate": "none" if rate is None else str(rate),
        "timeout": _time(timeout),
        "retry_wait": _time(retry_wait),
        "give_up": _time(give_up),
    }
    told, stopped_by = to_its_end(_native.send(paths, given, dry_run), progress)
    counts, by_reason, waited, unfinished, notes, stopped, error = cast(_Told, told)
    sent = Sent(
        dry_run=dry_run,
        by_reason=dict(by_reason),
        waited_seconds=waited,
        unfinished=unfinished,
        notes=notes,
        stopped=stopped,
        error=error,
        **dict(counts),
    )
    if stopped_by is not None:
        cast(Any, stopped_by).result = sent
        if hasattr(stopped_by, "add_note"):  # Python 3.11
            cast(Any, stopped_by).add_note(f"{_STOPPED}: {sent!r}")
        raise stopped_by
    if error is not None:
        failed = SendError(error)
        failed.result = sent
        raise failed
    return sent


def _paths(inputs: object) -> List[str]:
    if isinstance(inputs, (str, os.PathLike)):
        return [_place("inputs", cast(object, inputs))]
    # Neither the keys of an event nor the lines of a file are names of files.
    is_data = isinstance(inputs, (bytes, bytearray, memoryview, MappingOf)) or hasattr(inputs, "read")
    if is_data or not isinstance(inputs, Iterable):
        raise _unexpected(cast(Any, inputs))
    return [_place("inputs", item) for item in cast("Iterable[object]", inputs)]


def _place(name: str, given: object) -> str:
    """A path or a URL, as a text."""
    if not isinstance(given, (str, os.PathLike)):
        if name == "inputs":
            raise _unexpected(given)
        raise TypeError(f"`{name}`: expected a path, found {type(given).__name__}")
    place = path_of(cast(File, given)) or os.fspath(cast(str, given))
    if place in ("", "-"):
        raise ValueError(f"`{name}`: expected the name of a file, found `{place}`")
    return place


def _unexpected(found: object) -> TypeError:
    return TypeError(
        f"expected paths or URLs of files with events, found {type(found).__name__}: the state knows what is done of an "
        "input by its name\nhint: write the events to a file with a name of its own, as udmap.convert(data, output=...) does"
    )


def _time(time: Time) -> str:
    return time if isinstance(time, str) else f"{round(time * 1000)}ms"
