"""What can be converted or checked, and how the native part gets it."""

from __future__ import annotations

import io
import itertools
import json
import os
import re
import time
from collections.abc import AsyncIterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Iterable, Iterator, List, Mapping, Optional, Protocol, Union, cast


class Readable(Protocol):
    """An open file, binary or text, or anything else with such a `read`."""

    def read(self, size: int, /) -> Union[bytes, str]: ...


#: A record: as an object, or as its bytes or text; or a file.
Item = Union[Mapping[str, Any], bytes, bytearray, memoryview, str, "os.PathLike[str]"]

#: What is converted or checked:
#:
#: - `bytes`, perhaps compressed, and `str`: records, as many as there are
#: - a path (`pathlib.Path`) of a file, a folder or a pattern
#: - the URL of an object or a prefix in a bucket, as a `str`: `s3://`, `gs://`, `az://`; or `file://`
#: - an open file, binary or text
#: - a `dict`: one record
#: - an iterable of records (`dict`, `bytes` or `str`, each whole), or of paths and URLs
#:
#: Another `str` is never a file's name. One that looks like it is refused with a ValueError.
Input = Union[Item, Readable, Iterable[Item]]

#: About how many bytes are handed on at once.
PIECE_BYTES = 256 << 10
#: How long records wait for others, in seconds.
LONGEST_WAIT = 0.1
#: No path is longer.
MOST_OF_A_PATH = 4096

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\r\n{}\"|]*")
#: What pathlib makes of a URL.
_URL_AS_PATH = re.compile(r"(s3|s3a|gs|az|abfss?|https?|file):/[^/]", re.IGNORECASE)
_ENDINGS = "ndjson|jsonl?|log|txt|csv|cef|yaml|yml|gz|tgz|zst|zstd|bz2|xz|lz4|sz|snappy|tar|zip|parquet|avro"
_PATH = re.compile(rf"(~|\.{{1,2}})?[/\\].*|[A-Za-z]:[/\\].*|[^/\\\s]+[/\\][^\s]*|.*\.({_ENDINGS})|\S*\*\S*", re.IGNORECASE)


@dataclass(frozen=True)
class Source:
    """An input as the native part takes it."""

    #: Bytes, or paths; nothing if there are pieces.
    data: Union[bytes, List[str], None]
    #: What rejects and errors call it.
    name: str = "data"
    #: What is handed on bit by bit.
    pieces: Iterator[bytes] = field(default_factory=lambda: iter(()))


def source_of(data: Input) -> Source:
    """Says what `data` is.

    Raises TypeError for what it can't be, ValueError for a text that is a file's name.
    """
    if isinstance(data, (bytes, bytearray, memoryview)):
        return Source(_checked(bytes(data)))
    if isinstance(data, (str, os.PathLike)):
        path = path_of(data)
        return Source(_checked(encoded(cast(str, data)))) if path is None else Source([path])
    if isinstance(data, Mapping):
        return Source(_of_object(cast("Mapping[str, Any]", data), "the record"))
    if hasattr(data, "__arrow_c_stream__"):
        raise TypeError(
            f"expected records or files, found a table: {type(data).__name__}\n"
            "hint: udmap.convert_batches(table, column) converts the rows of a column"
        )
    if hasattr(data, "read"):
        file = cast(Readable, data)
        name = getattr(data, "name", None)
        return Source(None, name if isinstance(name, str) else "data", _of_file(file))
    if isinstance(data, Iterable):
        return _of_iterable(iter(data))
    raise _unexpected(data, "")


def _unexpected(found: object, where: str) -> TypeError:
    expected = "bytes, str, a dict, a path, an open file or an iterable of these"
    text = f"expected {expected}, found {type(found).__name__}{where}"
    if isinstance(found, AsyncIterable):
        text += "\nhint: collect what an asynchronous iterable gives, and convert it in a thread: asyncio.to_thread"
    return TypeError(text)


def _of_file(file: Readable) -> Iterator[bytes]:
    while True:
        piece = cast(Union[bytes, str, None], file.read(PIECE_BYTES))
        if piece is None:
            raise BlockingIOError("the file has nothing to read at the moment: expected one that waits")
        if not piece:
            return
        yield encoded(piece) if isinstance(piece, str) else bytes(piece)


def _of_iterable(items: Iterator[Item]) -> Source:
    first = next(items, None)
    if first is None:
        return Source(b"")
    items = itertools.chain([first], items)
    if path_of(first) is None:
        return Source(None, pieces=_of_records(items))
    paths: List[str] = []
    for number, item in enumerate(items, 1):
        path = path_of(item)
        if path is None:
            raise TypeError(f"expected a path like those before it, found {type(item).__name__} as item {number}")
        paths.append(path)
    return Source(paths)


def _of_records(items: Iterator[Item]) -> Iterator[bytes]:
    lines = io.BytesIO()
    begun = time.monotonic()
    for number, item in enumerate(items, 1):
        line = _record(item, number)
        lines.write(line)
        if not line.endswith(b"\n"):
            lines.write(b"\n")
        if lines.tell() >= PIECE_BYTES or time.monotonic() - begun > LONGEST_WAIT:
            yield lines.getvalue()
            lines = io.BytesIO()
            begun = time.monotonic()
    if lines.tell():
        yield lines.getvalue()


def _record(item: object, number: int) -> bytes:
    if path_of(item) is not None:
        raise TypeError(f"expected a record like those before it, found a path as item {number}")
    if isinstance(item, str):
        return _checked(encoded(item))
    if isinstance(item, (bytes, bytearray, memoryview)):
        return _checked(bytes(cast(bytes, item)))
    if isinstance(item, Mapping):
        return _of_object(cast("Mapping[str, Any]", item), f"item {number}")
    raise _unexpected(item, f" as item {number}")


def _of_object(record: Mapping[str, Any], what: str) -> bytes:
    try:
        text = json.dumps(dict(record), ensure_ascii=False, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        raise type(error)(f"{what} can't be written as JSON: {error}") from error
    return encoded(text)


def encoded(text: str) -> bytes:
    """The text's bytes; those that were no UTF-8 where it was read become what they were."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        pass
    try:
        return text.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        # Not UTF-8, so the record becomes a reject that says so.
        return text.encode(errors="surrogatepass")


def _checked(data: bytes) -> bytes:
    """Refuses what is a file's name, and no record in any form."""
    if not data or len(data) > MOST_OF_A_PATH or any(mark in data for mark in (b"{", b'"', b"|", b"=")):
        return data
    text = data.decode(errors="replace").rstrip("\r\n")
    if "\n" in text or "\0" in text or not text.strip():
        return data
    named = f"`{shown(text)}`"
    hint = f"hint: give pathlib.Path({text!r}); text and bytes are records"
    if is_url(text):
        raise ValueError(f"{named} is a URL, not a record\nhint: give it as a str of its own")
    try:
        path = Path(text).expanduser()
        kind = "folder" if path.is_dir() else "file" if path.exists() else None
    except (OSError, RuntimeError, ValueError):
        kind = None
    if kind:
        raise ValueError(f"{named} is the name of a {kind}, not a record\n{hint}")
    if _PATH.fullmatch(text):
        raise ValueError(f"{named} looks like the name of a file, not like a record\n{hint}")
    return data


def is_url(text: str) -> bool:
    """Whether the text is a URL, and nothing else."""
    return _URL.fullmatch(text) is not None


def path_of(item: object) -> Optional[str]:
    """The name of a file, folder or object; nothing for what is not one."""
    if isinstance(item, str):
        return item if is_url(item) else None
    if not isinstance(item, os.PathLike):
        return None
    text = os.fsdecode(cast("os.PathLike[str]", item))
    if _URL_AS_PATH.match(text):
        raise ValueError(f"`{shown(text)}` was a URL: a path can't hold one\nhint: give it as a str")
    return text


def shown(text: str, most: int = 200) -> str:
    """The text on one line, without control characters, and not too long."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[: most + 1])
    return shown if len(shown) <= most else shown[:most] + "..."
