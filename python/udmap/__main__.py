"""`python -m udmap`: runs the command that came with this package."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import NoReturn

from ._command import find
from ._native import UdmapError


def main() -> NoReturn:
    try:
        command = find()
    except UdmapError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    arguments = [os.fspath(command), *sys.argv[1:]]
    if os.name == "nt":
        sys.exit(subprocess.run(arguments).returncode)
    os.execv(command, arguments)


if __name__ == "__main__":
    main()
