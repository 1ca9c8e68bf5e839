"""The native part. What is public of it is documented in `udmap`."""

from typing import Any, Dict, List, Literal, Optional, Tuple, TypedDict, Union

import pyarrow

from ._parser import OutcomeName, Place
from ._results import Converted, Sent, SeverityName, Written

__version__: str

#: source, line, offset, length, reason, message, raw, table
Reject = Tuple[str, int, int, int, str, str, bytes, Optional[str]]
#: events, and rejects with their places among all
Part = Tuple[List[str], List[Tuple[int, Reject]]]
#: outcome, events, tag, message, line and column, and for each event its fields with lines and columns; what was dumped
Parsed = Tuple[
    OutcomeName, bytes, Optional[str], Optional[str], Optional[Place], List[List[Tuple[str, Place]]], str
]
#: severity, code, path, message, source, line, column, byte, event, effect, advice
Finding = Tuple[SeverityName, str, str, str, str, int, int, int, int, str, str]
#: severity, code, path with `[]` for indexes, how often, places of samples among the findings
Group = Tuple[SeverityName, str, str, int, List[int]]
#: bytes, paths, or nothing: then the run is fed
Data = Union[bytes, List[str], None]

class UdmapError(Exception):
    """Something that udmap could not do."""

class MappingError(UdmapError):
    """A mapping table that is not there, or faulty: every fault with file, line and column."""

class InputError(UdmapError):
    """An input that can't be read, or not to its end."""

    #: What was converted all the same; None if that is nothing.
    converted: Union[Converted, Written, None]

class OutputError(UdmapError):
    """An output that can't be written."""

class ParserError(UdmapError):
    """A parser that does not load."""

    #: The line of the parser's text, from 1.
    line: int
    #: The character in the line, from 1.
    column: int
    #: What was expected there and what was found, or what can't be done.
    expected: str

class SendError(UdmapError):
    """Events that could not all be sent. The next call with the same state continues."""

    #: What was sent all the same.
    result: Sent

class Mapping:
    """A mapping table that has been read and checked; it can be pickled."""

    @staticmethod
    def load(name: str) -> Mapping:
        """Loads a table: a built-in one's name, or a file. Raises MappingError."""

    def texts(self) -> Tuple[str, str, Dict[str, str]]:
        """The name by which it was asked for, its text, and the texts of the files that it builds on."""

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

class Run:
    """Work on a thread of its own."""

    def wait(self, seconds: float) -> Literal["working", "wants", "part", "ended"]: ...
    def feed(self, piece: bytes) -> None: ...
    def part(self) -> Union[Part, List[Parsed], None]: ...
    def result(self) -> Any: ...
    def ask_to_stop(self) -> None: ...
    def stop(self) -> None: ...
    def progress(self) -> Tuple[int, Optional[int], int, int, Optional[str]]: ...

class Converter:
    def __new__(
        cls,
        mapping: Mapping,
        field_names: str,
        envelope: str,
        namespace: Optional[str],
        labels: List[Tuple[str, str]],
        max_record_bytes: int,
        threads: int,
    ) -> Converter: ...
    def convert(
        self, data: bytes
    ) -> Tuple[bytes, List[Reject], List[Tuple[str, int]], List[Tuple[str, int]], Optional[str]]: ...
    def run(self, data: Data, name: str) -> Run: ...
    def parts(self, data: Data, name: str) -> Run: ...
    def write(self, data: Data, name: str, output: str, rejects: Optional[str]) -> Run: ...
    def schema(self, input: pyarrow.Schema, column: str, keep: List[str], columns: bool) -> pyarrow.Schema: ...
    def batches(self, reader: Any, column: str, keep: List[str], columns: bool) -> pyarrow.RecordBatchReader: ...
    def explain(self, data: Data, name: str, line: Optional[int], most: int) -> Run: ...

class Parser:
    def __new__(cls, text: str, name: Optional[str]) -> Parser: ...
    def warnings(self) -> List[Tuple[str, int, int, str]]: ...
    def run(
        self,
        log_type: Optional[str],
        received: str,
        field_names: str,
        platform_fields: bool,
        explain: bool,
        statedump: bool,
        max_bytes: int,
        max_steps: int,
    ) -> Run: ...

def parser_text(path: str) -> str: ...
def validate(
    data: Data, name: str, severities: List[Tuple[str, str]], strict: bool, max_event_bytes: int, max_findings: int
) -> Run: ...

class Given(TypedDict):
    """Where and how events are sent. Texts are those of the command's options."""

    project: str
    location: str
    instance: str
    state: str
    rejects: str
    credentials: Optional[str]
    log_type: Optional[str]
    namespace: Optional[str]
    labels: List[Tuple[str, str]]
    forwarder: Optional[str]
    api_url: Optional[str]
    api_version: str
    batch_events: Optional[int]
    batch_bytes: Optional[str]
    parallel: int
    rate: str
    timeout: str
    retry_wait: str
    give_up: str

def send(paths: List[str], given: Given, dry_run: bool) -> Run: ...
def codes() -> List[Tuple[str, SeverityName, str, str, str]]: ...
def builtin() -> List[str]: ...
