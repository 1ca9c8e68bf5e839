"""The native part. What is public of it is documented in `udmap`."""

from typing import Any, Optional

import pyarrow

__version__: str

class UdmapError(Exception):
    """Something that udmap could not do."""

class MappingError(UdmapError):
    """A mapping table that is not there, or faulty: every fault with file, line and column."""

class InputError(UdmapError):
    """An input that can't be read, or not to its end."""

class Mapping:
    """A mapping table that has been read and checked; it can be pickled."""

    @staticmethod
    def load(name: str) -> Mapping:
        """Loads a table: a built-in one's name, or a file. Raises MappingError."""

    @property
    def name(self) -> str:
        """The table's own name."""

    @property
    def log_type(self) -> str:
        """The SecOps log type that it reads, such as `DUO_TELEPHONY`."""

    @property
    def description(self) -> str:
        """A line on what it does."""

    @property
    def source(self) -> str:
        """The table file's text."""

class Converter:
    def __new__(
        cls,
        mapping: Mapping,
        field_names: str,
        envelope: str,
        namespace: Optional[str],
        labels: list[tuple[str, str]],
        max_record_bytes: int,
        threads: int,
    ) -> Converter: ...
    def convert(
        self, data: Optional[bytes], path: Optional[str]
    ) -> tuple[
        bytes,
        list[tuple[str, int, int, int, str, str, bytes]],
        list[tuple[str, int]],
        list[tuple[str, int]],
        list[str],
    ]: ...
    def schema(self, input: pyarrow.Schema, column: str, keep: list[str], columns: bool) -> pyarrow.Schema: ...
    def batches(self, reader: Any, column: str, keep: list[str], columns: bool) -> pyarrow.RecordBatchReader: ...
    def explain(self, data: Optional[bytes], path: Optional[str], most: int) -> list[str]: ...

def validate(
    data: Optional[bytes],
    path: Optional[str],
    severities: list[tuple[str, str]],
    strict: bool,
    max_event_bytes: int,
) -> tuple[int, list[tuple[str, str, str, str, str, int, int, int]]]: ...
