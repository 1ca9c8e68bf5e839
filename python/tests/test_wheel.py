"""The wheel in a clean environment: the command is on PATH, `python -m udmap` is it, and the package can be imported."""

import os
import signal
import subprocess
import sys
import zipfile

import pytest

from conftest import ROOT

WHEEL = os.environ.get("UDMAP_WHEEL")
pytestmark = pytest.mark.skipif(not WHEEL, reason="UDMAP_WHEEL names no wheel; python/test.sh builds one")


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    """An environment with nothing but the wheel; gives its folder of programs."""
    home = tmp_path_factory.mktemp("clean")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True)
    pip = [sys.executable, "-m", "pip", "--python", home / "bin/python", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--quiet", "--no-index", "--no-deps", WHEEL], check=True)
    return home / "bin"


@pytest.fixture(params=["command", "module"])
def udmap(clean, request):
    """The words that start udmap, in both ways."""
    return [clean / "udmap"] if request.param == "command" else [clean / "python", "-m", "udmap"]


def run(command, *arguments, **options):
    return subprocess.run([*command, *arguments], capture_output=True, cwd=ROOT, **options)


def test_the_wheel_is_for_every_python_3_and_holds_the_command():
    name = os.path.basename(WHEEL)
    assert name.startswith("udmap-") and "-cp39-abi3-" in name, name
    with zipfile.ZipFile(WHEEL) as wheel:
        (script,) = [info for info in wheel.infolist() if info.filename.endswith(".data/scripts/udmap")]
        assert script.external_attr >> 16 & 0o111, "it can be executed"


def test_versions_are_one(udmap, clean):
    said = run(udmap, "--version").stdout.decode()
    imported = run([clean / "python", "-c"], "import udmap; print('udmap', udmap.__version__)").stdout.decode()
    assert said == imported != ""


def test_it_converts_as_the_command_does(udmap, command, clean):
    fixture = "fixtures/quickstart/input.ndjson"
    done = run(udmap, "convert", fixture, "-q")
    assert done.returncode == 1
    assert done.stdout == command("convert", fixture, "-q", cwd=ROOT).stdout != b""
    code = f"import udmap, pathlib, sys; sys.stdout.buffer.write(udmap.convert(pathlib.Path({fixture!r})).ndjson)"
    assert run([clean / "python", "-c"], code).stdout == done.stdout


def test_exit_statuses(udmap, tmp_path):
    (tmp_path / "empty").touch()
    event = b'{"type":"sms","ts":"2024-01-01T00:00:00Z"}\n'
    assert run(udmap, "convert", "-", "-q", input=event).returncode == 0
    assert run(udmap, "convert", "-", "-q", input=b"{}\n").returncode == 1
    assert run(udmap, "convert", "--no-such").returncode == 2
    assert run(udmap, "convert", tmp_path / "empty").returncode == 3


def test_a_reader_that_has_had_enough_is_no_error(udmap):
    words = " ".join(f"'{word}'" for word in udmap)
    line = f"{words} generate --records 100000 | head -1 | wc -l; echo ${{PIPESTATUS[0]}}"
    done = run(["bash", "-c"], line)
    assert done.stdout.split() == [b"1", b"0"] and done.stderr == b""


def test_names_that_are_not_utf_8(udmap, tmp_path):
    name = os.fsencode(tmp_path) + b"/\xff.ndjson"
    with open(name, "wb") as file:
        file.write(b'{"ts":"2024-01-01T00:00:00Z"}\n')
    done = run(udmap, "convert", os.fsencode(tmp_path), "-q")
    assert done.returncode == 0 and done.stdout.count(b"\n") == 1, done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_reach_it(udmap, tmp_path, number):
    output = tmp_path / "events.ndjson"
    child = subprocess.Popen(
        [*udmap, "convert", "-", "-o", output], stdin=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    )
    # More than a pipe holds: when it is written, it is being converted. The input does not end.
    child.stdin.write(b'{"ts":"2024-01-01T00:00:00Z"}\n' * 50000)
    child.stdin.flush()
    child.send_signal(number)
    said = child.stderr.read().decode()
    assert child.wait() == 2, said
    assert "Traceback" not in said
    assert not output.exists()


def test_what_needs_pyarrow_says_so(clean):
    code = """
import udmap
print(udmap.convert({"ts": "2024-01-01T00:00:00Z"}).counts["events"], udmap.mappings()[0].name)
for call in [
    lambda: udmap.convert_batches(None),
    lambda: udmap.Converter().convert_batches(None),
    lambda: __import__("udmap.spark"),
    lambda: __import__("udmap.ray"),
]:
    try:
        call()
    except ImportError as error:
        print(error.name, str(error).split("\\n")[-1])
"""
    done = run([clean / "python", "-c"], code)
    assert done.stdout.decode().splitlines() == [
        "1 duo_telephony",
        "pyarrow hint: pip install 'udmap[arrow]'",
        "pyarrow hint: pip install 'udmap[arrow]'",
        "pyarrow hint: pip install 'udmap[spark]'",
        "pyarrow hint: pip install 'udmap[ray]'",
    ], done.stderr


def test_checks_find_the_command_of_the_wheel(clean):
    code = "import udmap; print(udmap.test('fixtures').ok, udmap.diff({'metadata': {}}, {'metadata': {}}).equal)"
    assert run([clean / "python", "-c"], code).stdout == b"True 1\n"
