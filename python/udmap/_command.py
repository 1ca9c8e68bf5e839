"""The command that came with this package: where it is, and its reports."""

from __future__ import annotations

import json
import os
import subprocess
import sysconfig
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Generator, Iterator, List, Sequence, cast

from ._converter import Table
from ._inputs import Input, Source, source_of
from ._native import InputError, Mapping, UdmapError, __version__, builtin

NAME = "udmap.exe" if os.name == "nt" else "udmap"
#: The command's exit status when something could not be done.
FAILED = 2


def _places() -> Iterator[Path]:
    """Where pip puts a package's commands."""
    yield Path(sysconfig.get_path("scripts"))
    yield Path(sysconfig.get_path("scripts", f"{os.name}_user"))
    # `pip install --target DIR`
    yield Path(__file__).resolve().parent.parent / "bin"


def find() -> Path:
    """The command's file.

    Raises UdmapError with a hint if there is none.
    """
    for place in _places():
        if (place / NAME).is_file():
            return place / NAME
    raise UdmapError("the command `udmap` did not come with this package\nhint: pip install --force-reinstall udmap")


class Files:
    """Files for the command, in a folder that only this user can read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._given: List[str] = []

    def inputs(self, data: Input, name: str) -> List[str]:
        """The paths in `data`; what is not a path is written to a file of this name."""
        return self.paths(source_of(data), name)

    def paths(self, source: Source, name: str) -> List[str]:
        """The paths of an input; what is not a path is written to a file of this name."""
        if isinstance(source.data, list):
            return source.data
        file = self._folder / name
        with file.open("wb") as to:
            to.write(source.data or b"")
            for piece in source.pieces:
                to.write(piece)
        self._given.append(name)
        return [os.fspath(file)]

    def mapping(self, mapping: Table) -> str:
        """The name or the file of a mapping, which is known to be right."""
        if not isinstance(mapping, Mapping):
            Mapping.load(os.fspath(mapping))
            return os.fspath(mapping)
        name, text, bases = mapping.texts()
        if name in builtin():
            return name
        # The texts that it was made of: its file may be another by now.
        folder = self._folder / "mapping"
        folder.mkdir()
        for file, its_text in {**bases, Path(name).name: text}.items():
            (folder / file).write_text(its_text, encoding="utf-8")
        return os.fspath(folder / Path(name).name)

    def report(self, arguments: Sequence[str], *, printed: bool = False) -> Dict[str, Any]:
        """Runs the command, and reads the JSON report that it writes or, if it can't write files, prints.

        Raises InputError for what the command could not do.
        """
        report, said = self._folder / "report.json", self._folder / "said"
        to = report if printed else self._folder / "printed"
        options = [] if printed else ["--report", f"json={report}"]
        with to.open("wb") as stdout, said.open("wb") as stderr:
            # `--` ends the options: names of inputs may begin with a dash.
            command = [os.fspath(find()), arguments[0], *options, *arguments[1:]]
            with subprocess.Popen(command, stdout=stdout, stderr=stderr) as child:
                try:
                    status = child.wait()
                except BaseException:
                    child.terminate()
                    raise
        # What was given has the name of its argument.
        folder = json.dumps(os.fspath(self._folder) + os.sep)[1:-1]
        text = report.read_text(encoding="utf-8") if report.exists() else ""
        for name in self._given:
            text = text.replace(folder + name, name)
        if status == FAILED or status < 0 or not text:
            raise InputError(_errors(said.read_text(encoding="utf-8", errors="replace")) or f"exit status {status}")
        found = cast(Dict[str, Any], json.loads(text))
        if found.get("udmap", __version__) != __version__:
            raise UdmapError(
                f"expected the command `udmap` of version {__version__}, found {found['udmap']}: {find()}\n"
                "hint: pip install --force-reinstall udmap"
            )
        return found


def _errors(said: str) -> str:
    """What the command said, without the word that marks errors."""
    lines = said.strip().split("\n")
    return "\n".join(line[len("error: ") :] if line.startswith("error: ") else line for line in lines)


@contextmanager
def files() -> Generator[Files, None, None]:
    """A place for the command's files, which are removed in the end."""
    with tempfile.TemporaryDirectory(prefix="udmap-") as folder:
        yield Files(Path(folder))
