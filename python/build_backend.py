"""Builds the package: maturin's backend, after the command `udmap` is put where maturin packs it into the wheel.

`python build_backend.py FILE` only puts an `udmap` there that is built already: for wheels that are made for other
machines, or from a debug build.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Optional

import maturin
from maturin import (  # noqa: F401 (the backend's other hooks)
    build_sdist,
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

HERE = Path(__file__).resolve().parent
NAME = "udmap.exe" if os.name == "nt" else "udmap"
#: What maturin finds here (`data` in pyproject.toml) goes into the wheel's `udmap-<version>.data`, and from there onto PATH.
SCRIPTS = HERE / "udmap.data" / "scripts"


def put(command: Path) -> None:
    """Puts a built command where maturin packs it."""
    SCRIPTS.mkdir(parents=True, exist_ok=True)
    shutil.copy2(command, SCRIPTS / NAME)


def build() -> None:
    """Builds the command and puts it where maturin packs it."""
    # A source distribution has this file at its top, the repository has it in python/.
    crate = HERE if (HERE / "python").is_dir() else HERE.parent
    target = Path(os.environ.get("CARGO_TARGET_DIR", crate / "target")).resolve()
    environment = {**os.environ, "CARGO_PROFILE_RELEASE_STRIP": "true"}
    command = ["cargo", "build", "--locked", "--release", "--bin", "udmap", "--target-dir", str(target)]
    subprocess.run(command, cwd=crate, env=environment, check=True)
    put(target / "release" / NAME)


def build_wheel(directory: str, settings: Optional[dict[str, Any]] = None, metadata: Optional[str] = None) -> str:
    build()
    return maturin.build_wheel(directory, settings, metadata)


def build_editable(directory: str, settings: Optional[dict[str, Any]] = None, metadata: Optional[str] = None) -> str:
    build()
    return maturin.build_editable(directory, settings, metadata)


if __name__ == "__main__":
    put(Path(sys.argv[1]))
