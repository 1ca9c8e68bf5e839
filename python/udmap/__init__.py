"""Duo telephony logs to Google SecOps UDM events, by a mapping table kept as data.

>>> import udmap
>>> log = b'{"context":"enrollment","credits":1,"ts":"2024-01-01T00:00:00Z","type":"sms"}'
>>> udmap.convert(log).events[0][:55]
'{"metadata":{"product_event_type":"enrollment","event_t'

Every record becomes exactly one event or one reject, with the same bytes and texts as those of the command `udmap`.
`convert` takes bytes, text or a path; `convert_batches` takes Arrow data, zero-copy; `udmap.spark` and `udmap.ray`
run it on clusters. The GIL is released while bytes are worked on.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Mapping as _Mapping, Optional, Sequence, Union

from . import _native
from ._native import InputError, Mapping, MappingError, UdmapError, __version__

if TYPE_CHECKING:
    import pyarrow

__all__ = [
    "Converted",
    "Converter",
    "Finding",
    "InputError",
    "Mapping",
    "MappingError",
    "Reject",
    "UdmapError",
    "Validated",
    "__version__",
    "convert",
    "convert_batches",
    "explain",
    "validate",
]

#: What is converted or checked: bytes (perhaps compressed), text, or a path of a file, a folder or a pattern.
Input = Union[bytes, bytearray, memoryview, str, "os.PathLike[str]"]

#: SecOps' own limit for a log line: 1 MiB.
MAX_RECORD_BYTES = 1 << 20


@dataclass(frozen=True)
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


@dataclass(frozen=True)
class Converted:
    """What became of an input."""

    #: The events, one a line, each ended by a newline: what the command writes.
    ndjson: bytes
    #: The records that could not be converted, in the order of the input.
    rejects: list[Reject]
    #: How many `records`, `events`, `rejects` and `blank` lines there were, `bytes_in` and `bytes_out`.
    counts: dict[str, int]
    #: Rejects by reason.
    by_reason: dict[str, int]

    @property
    def events(self) -> list[str]:
        """The events, as JSON texts without newlines."""
        return self.ndjson.decode().split("\n")[:-1]


@dataclass(frozen=True)
class Finding:
    """Something that is wrong with an event, or may be."""

    #: `error`, `warning` or `info`.
    severity: str
    #: What it is, such as `invalid-ip`; `udmap validate --explain CODE` says what it means.
    code: str
    #: Where in the event, such as `principal.ip[0]`; empty for the event as a whole.
    path: str
    #: What was found.
    message: str
    #: The input's name: a path, or `data`.
    source: str
    #: The line on which it stands, from 1.
    line: int
    #: The byte at which it stands, from 0, after decompression.
    byte: int
    #: Which event it is in, from 1.
    event: int


@dataclass(frozen=True)
class Validated:
    """The result of `validate`."""

    #: How many events were checked.
    events: int
    #: What was found, in the order of the input.
    findings: list[Finding]

    @property
    def ok(self) -> bool:
        """Whether there are no errors; warnings are none."""
        return all(finding.severity != "error" for finding in self.findings)


def _input(data: Input) -> tuple[Optional[bytes], Optional[str]]:
    if isinstance(data, bytes):
        return data, None
    if isinstance(data, str):
        return data.encode(), None
    if isinstance(data, (bytearray, memoryview)):
        return bytes(data), None
    if isinstance(data, os.PathLike):
        return None, os.fspath(data)
    raise TypeError(f"wanted are bytes, str or a path, not {type(data).__name__}")


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
        mapping: Union[Mapping, str, "os.PathLike[str]"] = "duo_telephony",
        *,
        field_names: str = "snake",
        envelope: str = "bare",
        namespace: Optional[str] = None,
        labels: Optional[_Mapping[str, str]] = None,
        max_record_bytes: int = MAX_RECORD_BYTES,
        threads: int = 1,
    ) -> None:
        if not isinstance(mapping, Mapping):
            mapping = Mapping.load(os.fspath(mapping))
        self.mapping = mapping
        pairs = list((labels or {}).items())
        self._state = (mapping, field_names, envelope, namespace, pairs, max_record_bytes, threads)
        self._native = _native.Converter(*self._state)

    def __getstate__(self) -> tuple[Any, ...]:
        return self._state

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.mapping = state[0]
        self._state = state
        self._native = _native.Converter(*state)

    def convert(self, data: Input) -> Converted:
        """Converts bytes, text, or the files at a path; everything is held in memory.

        Raises InputError for an input that can't be read to its end; what was converted, of it and of the others, is
        the error's `converted`.
        """
        ndjson, rejects, counts, reasons, failures = self._native.convert(*_input(data))
        converted = Converted(ndjson, [Reject(*reject) for reject in rejects], dict(counts), dict(reasons))
        if failures:
            error = InputError("\n".join(failures))
            error.converted = converted  # type: ignore[attr-defined]
            raise error
        return converted

    def convert_batches(
        self, reader: Any, column: str = "value", *, keep: Sequence[str] = (), columns: bool = True
    ) -> "pyarrow.RecordBatchReader":
        """Converts the rows of a column of strings or bytes, as the batches come.

        reader: anything with `__arrow_c_stream__`: a RecordBatchReader or Table of pyarrow, a DataFrame of pandas or
            polars, a relation of DuckDB.
        keep: columns of the input that stand beside each event.
        columns: whether the main UDM fields have columns of their own.

        The output's columns: `row`, the row's number in the input, from 0; those of `keep`; `event`, the event as JSON;
        its main fields, those of the command's Parquet files (`metadata_event_timestamp`, `metadata_event_type`, ...,
        see docs/scale.md); and `reject`, null unless the record was rejected: a struct of `reason`, `message`, `line`, `offset`, `length`,
        `raw`, with places within the row. A row that is null or blank gives nothing; a row that holds several records
        (an array, an answer of Duo's API, several lines) gives several.

        Raises KeyError and TypeError for a column that is not there or of another type. The errors of `reader` come
        while batches are read.
        """
        return self._native.batches(reader, column, list(keep), columns)

    def explain(self, data: Input, *, max_records: int = 20) -> list[dict[str, Any]]:
        """Says where each field of the events comes from: what `udmap explain --json` prints, record by record."""
        return [json.loads(text) for text in self._native.explain(*_input(data), max_records)]


def convert(data: Input, *, mapping: Union[Mapping, str, "os.PathLike[str]"] = "duo_telephony", **options: Any) -> Converted:
    """Converts bytes (perhaps compressed), text, or the files at a path (`pathlib.Path`). See `Converter`.

    >>> udmap.convert('{"type":"sms"}').rejects[0].reason
    'no-timestamp'
    """
    return Converter(mapping, **options).convert(data)


def convert_batches(
    reader: Any,
    column: str = "value",
    *,
    mapping: Union[Mapping, str, "os.PathLike[str]"] = "duo_telephony",
    keep: Sequence[str] = (),
    columns: bool = True,
    **options: Any,
) -> "pyarrow.RecordBatchReader":
    """Converts the rows of a column of Arrow data, batch by batch. See `Converter.convert_batches`."""
    return Converter(mapping, **options).convert_batches(reader, column, keep=keep, columns=columns)


def explain(
    data: Input,
    *,
    mapping: Union[Mapping, str, "os.PathLike[str]"] = "duo_telephony",
    max_records: int = 20,
    **options: Any,
) -> list[dict[str, Any]]:
    """Says where each field of the events comes from: rule, raw field, and what was done. See `Converter.explain`."""
    return Converter(mapping, **options).explain(data, max_records=max_records)


def validate(
    data: Input,
    *,
    severities: Optional[_Mapping[str, str]] = None,
    strict: bool = False,
    max_event_bytes: int = 64 << 20,
) -> Validated:
    """Checks UDM events, in any wrapping that `udmap validate` knows, against the schema and the rules beyond it.

    severities: `error`, `warning`, `info` or `off` by code.
    strict: counts every warning as an error.

    Raises InputError if the input can't be read, ValueError for a code or severity that is none.
    """
    events, findings = _native.validate(*_input(data), list((severities or {}).items()), strict, max_event_bytes)
    return Validated(events, [Finding(*finding) for finding in findings])
