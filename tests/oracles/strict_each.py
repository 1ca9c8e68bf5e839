#!/usr/bin/env python3
"""Says of each line whether Google's own UDM message reads it, strictly: `ok`, or the error.

    python3 tests/oracles/strict_each.py FILE

Needs the packages of requirements.txt beside this script.
"""

import sys

from google.backstory.types import udm
from google.protobuf import json_format

from strict_parse import event_of

UDM = udm.UDM.pb()

with open(sys.argv[1], "rb") as lines:
    for line in lines:
        try:
            json_format.ParseDict(event_of(line), UDM())
            print("ok")
        except Exception as error:  # json_format lets some of Python's own errors through
            print("error", type(error).__name__, str(error).replace("\n", " ")[:200])
