"""Records to events."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import TracebackType
from typing import (
    TYPE_CHECKING,
    Any,
    Dict,
    Iterator,
    List,
    Literal,
    Mapping as MappingOf,
    Optional,
    Sequence,
    Tuple,
    Type,
    TypedDict,
    Union,
    cast,
    overload,
)

from . import _native
from ._inputs import Input, Source, is_url, shown, source_of
from ._native import InputError, Mapping
from ._results import Converted, Reject, Written, became
from ._runs import OnProgress, result_of, steps

if TYPE_CHECKING:
    import pyarrow
    from typing_extensions import Unpack

#: A `Mapping`, a built-in table's name, or a table's file.
Table = Union[Mapping, str, "os.PathLike[str]"]
#: A file's name.
File = Union[str, "os.PathLike[str]"]

FieldNames = Literal["snake", "camel"]
Envelope = Literal["bare", "event"]

#: SecOps' own limit for a log line: 1 MiB.
MAX_RECORD_BYTES = 1 << 20
#: So few bytes are converted at once, without a thread.
FEW_BYTES = 1 << 18

#: What makes a converter: its mapping and its options.
_State = Tuple[Mapping, FieldNames, Envelope, Optional[str], List[Tuple[str, str]], int, int]
_Converted = Tuple[bytes, List["_native.Reject"], List[Tuple[str, int]], List[Tuple[str, int]], Optional[str]]


class Options(TypedDict, total=False):
    """The options of a `Converter`, which all that convert take, too."""

    field_names: FieldNames
    envelope: Envelope
    namespace: Optional[str]
    labels: Optional[MappingOf[str, str]]
    max_record_bytes: int
    threads: int


class Events(Iterator[Union[str, Reject]]):
    """The outcome of records, one after the other, as they are read: events as JSON texts, and rejects.

    Memory stays small whatever the input's size: nothing is read far ahead of what was taken. The threads end when the
    last record was taken, when this is closed, or when nobody refers to it any more. At the end an InputError names the
    inputs that could not be read to their ends.
    """

    #: As in `Converted`, once everything was taken; None before.
    counts: Optional[Dict[str, int]] = None
    #: Rejects by reason, once everything was taken; None before.
    by_reason: Optional[Dict[str, int]] = None

    def __init__(self, run: _native.Run, source: Source, progress: Optional[OnProgress]) -> None:
        self._parts = steps(run, source, progress)
        self._items = iter(cast(List[Union[str, Reject]], []))

    def __next__(self) -> Union[str, Reject]:
        while True:
            for item in self._items:
                return item
            try:
                self._items = iter(_in_order(cast("_native.Part", next(self._parts))))
            except StopIteration as end:
                if end.value is None:
                    raise StopIteration from None
                _, _, counts, reasons, failures = cast(_Converted, end.value)
                self.counts, self.by_reason = dict(counts), dict(reasons)
                if failures is not None:
                    raise InputError(failures) from None
                raise StopIteration from None

    def dicts(self) -> Iterator[Union[Dict[str, Any], Reject]]:
        """The same with events as objects."""
        return (json.loads(item) if isinstance(item, str) else item for item in self)

    def close(self) -> None:
        """Ends reading and converting."""
        self._items = iter(cast(List[Union[str, Reject]], []))
        self._parts.close()

    def __enter__(self) -> Events:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        if self.counts is None:
            return "<Events under way>"
        return f"<Events ended: {became(self.counts, self.by_reason or {})}>"


def _in_order(part: _native.Part) -> List[Union[str, Reject]]:
    """Events and rejects in the order of their records."""
    events, rejects = part
    items: List[Union[str, Reject]] = []
    taken = 0
    for place, reject in rejects:
        before = taken + place - len(items)
        items += events[taken:before]
        items.append(Reject(*reject))
        taken = before
    return items + cast(List[Union[str, Reject]], events[taken:])


class Converter:
    """A mapping with options, to be used for many inputs, by any number of threads; it can be pickled.

    mapping: a `Mapping`, a built-in table's name, or a table's file.
    field_names: `snake` (`event_type`) or `camel` (`eventType`).
    envelope: `bare`, or `event` for `{"event":{"idm":{"read_only_udm":...}}}`.
    namespace: sets `principal.namespace` wherever there is a principal.
    labels: added to `metadata.ingestion_labels`.
    max_record_bytes: the longest record, from 1 to 2**30; longer ones are rejected.
    threads: how many threads convert; by default 1, since clusters run many of these at once.

    Raises MappingError if the table is not there or faulty, ValueError for a wrong option.
    """

    def __init__(
        self,
        mapping: Table = "duo_telephony",
        *,
        field_names: FieldNames = "snake",
        envelope: Envelope = "bare",
        namespace: Optional[str] = None,
        labels: Optional[MappingOf[str, str]] = None,
        max_record_bytes: int = MAX_RECORD_BYTES,
        threads: int = 1,
    ) -> None:
        # A table's file is read, and not written over.
        self._file = None if isinstance(mapping, Mapping) else os.fspath(mapping)
        loaded = mapping if isinstance(mapping, Mapping) else Mapping.load(os.fspath(mapping))
        pairs = list((labels or {}).items())
        self._make((loaded, field_names, envelope, namespace, pairs, max_record_bytes, threads))

    def _make(self, state: _State) -> None:
        self._state = state
        self.mapping = state[0]
        self._native = _native.Converter(*state)

    def __getstate__(self) -> Dict[str, Any]:
        return {"state": self._state}

    def __setstate__(self, state: Dict[str, Any]) -> None:
        self._file = None
        self._make(state["state"])

    def __repr__(self) -> str:
        _, field_names, envelope, namespace, labels, most, threads = self._state
        given: List[Tuple[str, Any, Any]] = [
            ("field_names", field_names, "snake"),
            ("envelope", envelope, "bare"),
            ("namespace", namespace, None),
            ("labels", dict(labels), {}),
            ("max_record_bytes", most, MAX_RECORD_BYTES),
            ("threads", threads, 1),
        ]
        words = [f", {name}={value!r}" for name, value, by_default in given if value != by_default]
        return f"udmap.Converter({self.mapping!r}{''.join(words)})"

    @overload
    def convert(self, data: Input, *, progress: Optional[OnProgress] = None) -> Converted: ...
    @overload
    def convert(
        self, data: Input, *, output: File, rejects: Optional[File] = None, progress: Optional[OnProgress] = None
    ) -> Written: ...
    def convert(
        self,
        data: Input,
        *,
        output: Optional[File] = None,
        rejects: Optional[File] = None,
        progress: Optional[OnProgress] = None,
    ) -> Union[Converted, Written]:
        """Converts everything in `data`; see `udmap.Input` for what it may be.

        Without `output`, everything is held in memory. With it, events go to that file, and rejects to that of
        `rejects`: as the command writes them, compressed if the name ends in `.gz` or `.zst`, a Parquet file for
        `.parquet`. The files appear under their names when they are complete.

        progress: is told how far it is, some times a second.

        Raises InputError for an input that can't be read to its end; what was converted, of it and of the others, is
        the error's `converted`. Raises OutputError for a file that can't be written, ValueError for a file that is
        read and written, or written twice, TypeError for what can't be converted.
        """
        source = source_of(data)
        if output is None:
            if rejects is not None:
                raise ValueError("`rejects` is for what `output` leaves out: give both, or take the result's `rejects`")
            if isinstance(source.data, bytes) and len(source.data) <= FEW_BYTES and progress is None:
                result = self._native.convert(source.data)
            else:
                result = cast(_Converted, result_of(self._native.run(source.data, source.name), source, progress))
        else:
            to = [os.fspath(output), None if rejects is None else os.fspath(rejects)]
            self._keep_apart(to, source)
            run = self._native.write(source.data, source.name, os.fspath(output), to[1])
            result = cast(_Converted, result_of(run, source, progress))
        ndjson, rejected, counts, reasons, failures = result
        kept = [Reject(*reject) for reject in rejected]
        converted: Union[Converted, Written]
        if output is None:
            converted = Converted(ndjson, kept, dict(counts), dict(reasons))
        else:
            to_rejects = None if rejects is None else os.fspath(rejects)
            converted = Written(os.fspath(output), to_rejects, dict(counts), dict(reasons), kept)
        if failures is not None:
            error = InputError(failures)
            error.converted = converted
            raise error
        return converted

    def _keep_apart(self, outputs: Sequence[Optional[str]], source: Source) -> None:
        """Refuses to write over what is read, or twice to one file. Inputs that are paths are checked when they are listed."""
        files = [("the input", source.name)] if source.data is None else []
        files += [("mapping", self._file)] if self._file is not None else []
        for name, file in zip(("output", "rejects"), outputs):
            if file is None:
                continue
            if is_url(file):
                hint = "hint: the command writes to buckets: udmap convert"
                raise ValueError(f"`{name}` is a URL, not a file: `{shown(file)}`\n{hint}")
            for other, known in files:
                if same_file(file, known):
                    raise ValueError(f"`{name}` would be written over {other}: both are `{shown(file)}`")
            files.append((f"`{name}`", file))

    def events(self, data: Input, *, progress: Optional[OnProgress] = None) -> Events:
        """Converts `data` as its events and rejects are taken, in small memory. See `Events`.

        >>> for record in udmap.Converter().events([{"type": "sms"}]):
        ...     print(record)
        <Reject data:1: no-timestamp: the record has no `ts` and no `timestamp`>
        """
        source = source_of(data)
        return Events(self._native.parts(source.data, source.name), source, progress)

    def convert_batches(
        self, reader: Any, column: str = "value", *, keep: Sequence[str] = (), columns: bool = True
    ) -> "pyarrow.RecordBatchReader":
        """Converts the rows of a column of strings or bytes, as the batches come.

        reader: anything with `__arrow_c_stream__`: a RecordBatchReader or Table of pyarrow, a DataFrame of pandas or
            polars, a relation of DuckDB.
        keep: columns of the input that are kept next to each event.
        columns: whether the main UDM fields have columns of their own.

        The output's columns: `row`, the row's number in the input, from 0; those of `keep`; `event`, the event as JSON;
        its main fields, those of the command's Parquet files (`metadata_event_timestamp`, `metadata_event_type`, ...,
        see docs/scale.md); and `reject`, null unless the record was rejected: a struct of `reason`, `message`, `line`,
        `offset`, `length`, `raw`, with places within the row. A row that is null or blank gives nothing; a row that
        holds several records (an array, an answer of Duo's API, several lines) gives several.

        Raises KeyError and TypeError for a column that is not there or of another type, ImportError without pyarrow.
        The errors of `reader` come while batches are read.
        """
        needs("pyarrow", "arrow")
        return self._native.batches(reader, column, list(keep), columns)

    def explain(self, data: Input, *, line: Optional[int] = None, max_records: int = 20) -> List[Dict[str, Any]]:
        """Says where each field of the events comes from: what `udmap explain --json` prints, record by record.

        line: explains the records that begin on this line only.
        """
        source = source_of(data)
        run = self._native.explain(source.data, source.name, line, max_records)
        return [json.loads(text) for text in cast(List[str], result_of(run, source))]


def needs(module: str, extra: str) -> None:
    """Refuses to go on without a module.

    Raises ImportError with a hint.
    """
    try:
        __import__(module)
    except ImportError as error:
        text = f"this needs {module}, which can't be imported: {error}\nhint: pip install 'udmap[{extra}]'"
        raise ImportError(text, name=module) from error


def same_file(one: str, other: str) -> bool:
    """Whether both lead to one file. Devices take whatever they are given."""
    try:
        return os.path.samefile(one, other) and Path(one).is_file()
    except OSError:
        return os.path.realpath(one) == os.path.realpath(other)


@overload
def convert(
    data: Input,
    *,
    mapping: Table = "duo_telephony",
    progress: Optional[OnProgress] = None,
    **options: Unpack[Options],
) -> Converted: ...
@overload
def convert(
    data: Input,
    *,
    output: File,
    rejects: Optional[File] = None,
    mapping: Table = "duo_telephony",
    progress: Optional[OnProgress] = None,
    **options: Unpack[Options],
) -> Written: ...
def convert(
    data: Input,
    *,
    output: Optional[File] = None,
    rejects: Optional[File] = None,
    mapping: Table = "duo_telephony",
    progress: Optional[OnProgress] = None,
    **options: Unpack[Options],
) -> Union[Converted, Written]:
    """Converts bytes (perhaps compressed), text, a dict, an open file, the files at a path, or many of these.

    See `Converter` for the options, `Converter.convert` for the rest.

    >>> udmap.convert({"type": "sms"})
    <Converted 0 events, 1 reject (no-timestamp 1)>
    """
    converter = Converter(mapping, **options)
    if output is not None:
        return converter.convert(data, output=output, rejects=rejects, progress=progress)
    if rejects is not None:
        raise ValueError("`rejects` is for what `output` leaves out: give both, or take the result's `rejects`")
    return converter.convert(data, progress=progress)


def events(
    data: Input,
    *,
    mapping: Table = "duo_telephony",
    progress: Optional[OnProgress] = None,
    **options: Unpack[Options],
) -> Events:
    """Converts `data` as its events (JSON texts) and rejects are taken, in small memory. See `Events`.

    >>> [record.reason for record in udmap.events([{"type": "sms"}]) if isinstance(record, udmap.Reject)]
    ['no-timestamp']
    """
    return Converter(mapping, **options).events(data, progress=progress)


def convert_batches(
    reader: Any,
    column: str = "value",
    *,
    mapping: Table = "duo_telephony",
    keep: Sequence[str] = (),
    columns: bool = True,
    **options: Unpack[Options],
) -> "pyarrow.RecordBatchReader":
    """Converts the rows of a column of Arrow data, batch by batch. See `Converter.convert_batches`."""
    return Converter(mapping, **options).convert_batches(reader, column, keep=keep, columns=columns)


def explain(
    data: Input,
    *,
    mapping: Table = "duo_telephony",
    line: Optional[int] = None,
    max_records: int = 20,
    **options: Unpack[Options],
) -> List[Dict[str, Any]]:
    """Says where each field of the events comes from: rule, raw field, and what was done. See `Converter.explain`."""
    return Converter(mapping, **options).explain(data, line=line, max_records=max_records)


def mappings() -> List[Mapping]:
    """The mapping tables that come with udmap.

    >>> [mapping.name for mapping in udmap.mappings()][:2]
    ['duo_telephony', 'duo_telephony_extended']
    """
    return [Mapping.load(name) for name in _native.builtin()]
