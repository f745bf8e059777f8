"""The files under tests/typing, as mypy and pyright see them: what must be fine is, and what must fail does.

An expected error carries an ignore that names it, and an ignore that nothing needs is an error itself.
"""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

import jobarium_events

TESTS = Path(__file__).parent
FILES = sorted((TESTS / "typing").glob("*.py"))
PACKAGES = Path(jobarium_events.__file__).parents[1]
INSTALLED = PACKAGES.name == "site-packages"


def checked(*command: str, **environment: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=TESTS,
        env={**os.environ, **environment},
        check=False,
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.skipif(find_spec("mypy") is None, reason="mypy is not installed")
def test_mypy_agrees(tmp_path):
    search = {} if INSTALLED else {"MYPYPATH": str(PACKAGES)}
    code, said = checked(
        "mypy",
        "--strict",
        "--config-file=",
        "--python-version=3.11",
        f"--cache-dir={tmp_path}",
        *map(str, FILES),
        **search,
    )
    assert said.strip().splitlines() == [f"Success: no issues found in {len(FILES)} source files"]
    assert code == 0


@pytest.mark.skipif(find_spec("pyright") is None, reason="pyright is not installed")
def test_pyright_agrees(tmp_path):
    project = tomllib.loads((TESTS.parent / "pyproject.toml").read_text())["tool"]["pyright"]
    for key in ("executionEnvironments", "venvPath", "venv"):
        project.pop(key, None)
    shutil.copytree(TESTS / "typing", tmp_path / "typing")
    settings = {**project, "include": ["typing"], "extraPaths": [] if INSTALLED else [str(PACKAGES)]}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    code, said = checked("pyright", "--project", str(tmp_path), "--pythonpath", sys.executable, "--outputjson")
    result = json.loads(said[said.index("{") :])
    assert [f"{each['file']}:{each['range']['start']['line'] + 1}: {each['message']}"
            for each in result["generalDiagnostics"]] == []  # fmt: skip
    assert (code, result["summary"]["filesAnalyzed"]) == (0, len(FILES))


def test_there_are_lines_that_must_fail():
    for file in FILES:
        lines = file.read_text().splitlines()
        failing = [line for line in lines if "type: ignore" in line]
        assert len(failing) >= 10
        assert all("ignore[" in line for line in failing)
