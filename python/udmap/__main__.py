"""`python -m udmap`: runs the command that came with this package."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Iterator, NoReturn

NAME = "udmap.exe" if os.name == "nt" else "udmap"


def places() -> Iterator[Path]:
    """Where pip puts a package's commands."""
    yield Path(sysconfig.get_path("scripts"))
    yield Path(sysconfig.get_path("scripts", f"{os.name}_user"))
    # `pip install --target DIR`
    yield Path(__file__).resolve().parent.parent / "bin"


def main() -> NoReturn:
    command = next((place / NAME for place in places() if (place / NAME).is_file()), None)
    if command is None:
        print("error: the command `udmap` did not come with this package", file=sys.stderr)
        print("hint: `pip install --force-reinstall udmap`", file=sys.stderr)
        sys.exit(2)
    arguments = [os.fspath(command), *sys.argv[1:]]
    if os.name == "nt":
        sys.exit(subprocess.run(arguments).returncode)
    os.execv(command, arguments)


if __name__ == "__main__":
    main()
