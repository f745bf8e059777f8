"""What all commands have in common: help, version, errors, exit codes, and how they end."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from jobarium_events.cli import main
from tests.cli.conftest import Run, process

COMMANDS = ["demo", "catalog", "show", "validate", "generate", "check", "verify"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_an_example_that_names_it(run: Run, command: str) -> None:
    ended = run(command, "-h")
    assert ended.code == 0
    assert f"Example: jobarium-events {command}" in ended.out


def test_the_help_lists_every_command(run: Run) -> None:
    ended = run("--help", columns=80)
    assert ended.code == 0
    assert [command for command in COMMANDS if f"│ {command} " not in ended.out] == []
    assert max(map(len, ended.out.splitlines())) <= 80


def test_without_a_command_the_help_is_shown(run: Run) -> None:
    ended = run()
    assert ended.code == 2
    assert "Usage: jobarium-events" in (ended.out + ended.err).replace("root", "jobarium-events")


def test_the_version_is_the_packages(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "version", {"jobarium-events": "1.2.3"}.__getitem__)
    assert run("--version") == (0, "jobarium-events 1.2.3\n", "")


def test_a_source_checkout_has_no_version(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    assert run("--version").out == "jobarium-events from a source checkout\n"


@pytest.mark.parametrize("arguments", [["nope"], ["demo", "more"], ["show"], ["validate"], ["catalog", "--nope"]])
def test_misuse_ends_with_2_and_a_hint(run: Run, arguments: list[str]) -> None:
    ended = run(*arguments)
    assert ended.code == 2
    assert "Usage:" in ended.err + ended.out


@pytest.mark.parametrize("command", [["catalog"], ["generate", "-o", "x.py"]])
def test_a_folder_that_is_not_there_is_misuse(run: Run, command: list[str]) -> None:
    ended = run(command[0], "/no/such/folder", *command[1:])
    assert ended.code == 2
    assert "does not exist" in ended.err


def test_a_catalog_with_mistakes_prints_all_of_them(run: Run, folder: Path) -> None:
    (folder / "stray.json").write_text("{}")
    (folder / "order.placed" / "v1.json").write_text("{")
    for command in (["catalog", folder], ["show", "order.placed", "--folder", folder], ["generate", folder, "-o", "x"]):
        ended = run(*command)
        assert ended.code == 1
        assert ended.err.startswith(f"Error: the catalog {folder} has 2 mistakes:\n")
        assert "  - order.placed/v1.json: is no valid JSON" in ended.err
        assert "  - stray.json: belongs to no event" in ended.err


@pytest.mark.parametrize("missing", ["typer", "rich", "tomlkit"])
def test_without_the_extra_one_line_says_what_to_install(tmp_path: Path, missing: str) -> None:
    code = f"""
import importlib.util, sys
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name == {missing!r} else found(name, *more)
sys.modules[{missing!r}] = None
from jobarium_events.cli import main
main()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == 'jobarium-events needs its extra: pip install "jobarium-events[cli]"\n'


def test_a_reader_that_goes_away_gets_no_traceback() -> None:
    command = [sys.executable, "-m", "jobarium_events.cli", "catalog", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode == -signal.SIGPIPE


def test_an_interrupt_ends_without_a_traceback() -> None:
    command = [sys.executable, "-m", "jobarium_events.cli", "validate", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdin is not None
        assert running.stderr is not None
        running.stdin.write(b"x" * 1_000_000)  # more than a pipe holds: when this returns, the command is reading
        running.send_signal(signal.SIGINT)
        assert running.stderr.read() == b""
    assert running.returncode == -signal.SIGINT


def test_a_pipe_gets_no_escape_codes() -> None:
    assert b"\x1b" not in process("demo").stdout


@pytest.mark.parametrize(("no_color", "colored"), [("", True), ("1", False)])
def test_a_terminal_gets_colours_unless_they_are_not_wanted(no_color: str, colored: bool) -> None:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "NO_COLOR": no_color, "TERM": "xterm-256color", "COLUMNS": "80"}
    command = [sys.executable, "-m", "jobarium_events.cli", "show", "packet.ready"]
    with subprocess.Popen(command, stdout=theirs, env=environment) as running:
        os.close(theirs)
        shown = b""
        while chunk := _read(ours):
            shown += chunk
    os.close(ours)
    assert running.returncode == 0
    assert (b"\x1b[" in shown) is colored


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # Linux says so when the other end is closed
        return b""


def test_an_encoding_that_lacks_a_character_is_no_error() -> None:
    done = process("catalog", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\\u2500" in done.stdout


def test_main_is_the_entry_point() -> None:
    (script,) = metadata.entry_points(group="console_scripts", name="jobarium-events")
    assert script.load() is main
