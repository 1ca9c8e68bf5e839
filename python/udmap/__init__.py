"""Duo telephony logs to Google SecOps UDM events, by a mapping table kept as data.

>>> import udmap
>>> log = b'{"context":"enrollment","credits":1,"ts":"2024-01-01T00:00:00Z","type":"sms"}'
>>> udmap.convert(log).events[0][:55]
'{"metadata":{"product_event_type":"enrollment","event_t'

Every record becomes exactly one event or one reject, with the same bytes and texts as those of the command `udmap`.

| | |
|---|---|
| `convert` | records to events, in memory or to a file |
| `events` | the same one by one, in small memory |
| `convert_batches` | rows of Arrow data, zero-copy; `udmap.spark` and `udmap.ray` run it on clusters |
| `validate`, `diff` | checks of events |
| `test`, `explain`, `mappings` | mappings: against cases, record by record, a list |
| `profile` | what is in a log |
| `Parser` | raw logs to events, by a parser of Google SecOps |
| `send` | events into Google SecOps |

`Input` says what can be converted and checked. The GIL is released while bytes are worked on; Ctrl-C ends the work.
"""

from __future__ import annotations

from ._checks import codes, diff, profile, test, validate
from ._converter import (
    MAX_RECORD_BYTES,
    Converter,
    Events,
    Options,
    convert,
    convert_batches,
    events,
    explain,
    mappings,
)
from ._inputs import Input
from ._native import (
    InputError,
    Mapping,
    MappingError,
    OutputError,
    ParserError,
    SendError,
    UdmapError,
    __version__,
)
from ._parser import ParsedLog, Parser, ParserRun, ParserWarning
from ._results import (
    Case,
    Code,
    Compared,
    Converted,
    FieldDifference,
    Finding,
    Group,
    NewValue,
    Profile,
    RawField,
    Reject,
    Sample,
    Sent,
    Shape,
    Tested,
    Validated,
    Written,
)
from ._runs import Progress
from ._send import send

__all__ = [
    "MAX_RECORD_BYTES",
    "Case",
    "Code",
    "Compared",
    "Converted",
    "Converter",
    "Events",
    "FieldDifference",
    "Finding",
    "Group",
    "Input",
    "InputError",
    "Mapping",
    "MappingError",
    "NewValue",
    "Options",
    "OutputError",
    "ParsedLog",
    "Parser",
    "ParserError",
    "ParserRun",
    "ParserWarning",
    "Profile",
    "Progress",
    "RawField",
    "Reject",
    "Sample",
    "SendError",
    "Sent",
    "Shape",
    "Tested",
    "UdmapError",
    "Validated",
    "Written",
    "__version__",
    "codes",
    "convert",
    "convert_batches",
    "diff",
    "events",
    "explain",
    "mappings",
    "profile",
    "send",
    "test",
    "validate",
]

# What was converted all the same, where something was: the native part knows nothing of these.
InputError.converted = None


def _name_publicly() -> None:
    """Names everything as it is used: so it is shown, and so it is pickled."""
    for name in __all__:
        public = globals()[name]
        if str(getattr(public, "__module__", "")).startswith("udmap."):
            public.__module__ = "udmap"


_name_publicly()
