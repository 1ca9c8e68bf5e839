import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def command():
    """Runs the command `udmap`: what the package is held against."""
    binary = os.environ.get("UDMAP", ROOT / "target/debug/udmap")

    def run(*arguments, **options):
        return subprocess.run([binary, *arguments], capture_output=True, **options)

    return run


@pytest.fixture(scope="session")
def log(command):
    """Generated records of every kind."""
    mix = "v2=50,v1=20,awkward=15,broken=8,wrapped=7"
    return command("generate", "--records", "6000", "--seed", "3", "--mix", mix, check=True).stdout


@pytest.fixture(scope="session")
def converted(command, log, tmp_path_factory):
    """What the command makes of the log: events, and rejects as objects."""
    import json

    rejects = tmp_path_factory.mktemp("command") / "rejects.ndjson"
    done = command("convert", "-", "-q", "--rejects", rejects, input=log)
    assert done.returncode == 1
    return done.stdout, [json.loads(line) for line in rejects.read_bytes().splitlines()]
