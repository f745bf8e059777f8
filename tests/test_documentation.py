"""The pages say what is so: their examples run, their links lead somewhere, and what they list is complete.

How a page's examples are read, from its top to its end, in an empty folder:

- ``python`` is run, all blocks of a page in one module; what it prints is the ``text`` block right below it.
- A block with a title (``python title="job_service.py"``) is written to a file of that name.
- ``console`` is run line by line: ``$ command``, then the whole of its output. ``...`` stands for any text.
- Where a page says DATABASE_URL, that is a Postgres, and a schema of the page's own in it; where it says
  JOBARIUM_ENVIRONMENT, it is a database of the page's own.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest

import jobarium_events
from jobarium_events import Catalog, Consumer, Outcome, Producer, counters, errors, migrations, payloads, site, testing
from jobarium_events.validation import compile_schema
from tests.migrations.conftest import database  # noqa: F401 - a fixture

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r'^```(\w*)(?: title="([^"]+)")?\n(.*?)^```$', re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
ROW = re.compile(r"^\| `([^`]+)`[^|]*\|(.*)\|$", re.MULTILINE)
# Shown for a reader to do once; the other commands are run.
SET_UP = ("mkdir ", "python3 -m venv ", ". .venv/bin/activate", "pip install ", "make ")
EVERY = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


class Block(NamedTuple):
    """A fenced block of a page."""

    line: int
    language: str
    title: str
    body: str
    output: str | None


def read(page: Path | str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: Path) -> Iterator[Block]:
    text = read(page)
    found = list(FENCE.finditer(text))
    for match, following in itertools.zip_longest(found, found[1:]):
        language, title, body = match.groups()
        shown = following and following[1] == "text" and not text[match.end() : following.start()].strip()
        line = text.count("\n", 0, match.start()) + 2
        yield Block(line, language, title or "", body, following[3] if shown else None)


def same(printed: str, shown: str) -> bool:
    def tidy(text: str) -> str:
        return "\n".join(line.rstrip() for line in text.strip().splitlines())

    pattern = re.escape(tidy(shown)).replace(re.escape("..."), ".*")
    return re.fullmatch(pattern, tidy(printed), re.DOTALL) is not None


def commands(body: str) -> Iterator[tuple[str, str]]:
    yield from re.findall(r"^\$ (.+)\n((?:(?!\$ ).*\n)*)", body, re.MULTILINE)


@pytest.fixture
def environment(tmp_path_factory):
    """The environment of the shell: this Python is ``python``, with this library's command."""
    bin_ = tmp_path_factory.mktemp("bin")
    python = shlex.quote(sys.executable)
    for name, start in {"python": python, "jobarium-events": f"{python} -m jobarium_events.cli"}.items():
        (bin_ / name).write_text(f'#!/bin/sh\nexec {start} "$@"\n')
        (bin_ / name).chmod(0o755)
    shell = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR", "FORCE_COLOR")}
    return {
        **shell,
        "PATH": f"{bin_}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(sys.path[1:]),
        **{f"GIT_{who}_{what}": "docs@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder to run a page in; the modules that are imported from it are forgotten."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


@EVERY
@pytest.mark.filterwarnings("ignore:billing.usage.updated v1 is deprecated:DeprecationWarning")
def test_examples_run(page, folder, monkeypatch, environment, request):
    if "JOBARIUM_ENVIRONMENT" in read(page):
        for name, value in {
            "DATABASE_URL": request.getfixturevalue("database"),
            "JOBARIUM_ENVIRONMENT": "development",
            "JOBARIUM_OPERATOR": "ada",
        }.items():
            environment[name] = value
            monkeypatch.setenv(name, value)
    elif "DATABASE_URL" in read(page):
        database = request.getfixturevalue("postgres")
        environment["DATABASE_URL"] = database.within_schema
        monkeypatch.setenv("DATABASE_URL", database.within_schema)
    module = ModuleType(f"page_{page.stem.replace('-', '_').lower()}")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    for block in blocks(page):
        where = f"{page.name}:{block.line}"
        if block.title:
            path = folder / block.title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.body, encoding="utf-8")
        elif block.language == "python":
            code = compile("\n" * (block.line - 1) + block.body, str(page), "exec", dont_inherit=True)
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                exec(code, vars(module))
            assert same(printed.getvalue(), block.output or ""), f"{where} prints\n{printed.getvalue()}"
        elif block.language == "console":
            for command, output in commands(block.body):
                if not command.startswith(SET_UP):
                    done = run(command, folder, environment)
                    assert output or done.returncode == 0, f"{where}: {command}\n{done.stdout}"
                    assert same(done.stdout, output), f"{where}: {command}\n{done.stdout}"
        else:
            assert block.language in ("text", "json", "toml", "yaml", "diff"), f"{where}: what is {block.language!r}?"


def run(command: str, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=300,
        check=False,
    )


@EVERY
def test_set_up_commands_are_right(page):
    project = tomllib.loads(read("pyproject.toml"))["project"]
    targets = re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE)
    for block in blocks(page):
        for command, _ in commands(block.body if block.language == "console" else ""):
            if command.startswith("make "):
                assert command.split()[1] in targets
            if command.startswith("pip install ") and project["name"] in command:
                extras = re.search(r"\[(.+)\]", command)
                assert set(extras[1].split(",") if extras else ()) <= project["optional-dependencies"].keys()


def slugs(page: Path) -> set[str]:
    prose = FENCE.sub("", read(page))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(prose)}


@EVERY
def test_links_lead_somewhere(page):
    for target in LINK.findall(FENCE.sub("", read(page))):
        if re.match(r"https?:", target):
            continue
        path, _, anchor = target.partition("#")
        to = (page.parent / path).resolve() if path else page
        assert to.exists(), target
        assert not anchor or anchor in slugs(to), target


def section(page: str, heading: str) -> str:
    """Return what stands under a heading, up to the next one of its level or above."""
    text = read(page)
    level = re.search(rf"^(#+) {re.escape(heading)}$", text, re.MULTILINE)
    assert level, f"{page} has no heading {heading!r}"
    return re.split(rf"^#{{1,{len(level[1])}}} ", text[level.end() :], maxsplit=1, flags=re.MULTILINE)[0]


def rows(page: str, heading: str) -> dict[str, str]:
    return dict(ROW.findall(section(page, heading)))


def test_every_error_is_documented():
    classes = {name: value for name in errors.__all__ if isinstance(value := getattr(errors, name), type)}
    exceptions = {name: value for name, value in classes.items() if issubclass(value, Exception)}
    documented = rows("docs/errors-and-outcomes.md", "Errors")
    assert documented.keys() == exceptions.keys()
    for name, value in exceptions.items():
        if hasattr(value, "reason"):
            assert f"`{value.reason}`" in documented[name]


def test_every_outcome_is_documented():
    documented = rows("docs/errors-and-outcomes.md", "Outcomes")
    assert documented.keys() == {f"Outcome.{each.name}" for each in Outcome}
    for each in Outcome:
        assert f"`{each.value}`" in documented[f"Outcome.{each.name}"]


@pytest.mark.parametrize(
    "module", [jobarium_events, counters, errors, migrations, payloads, site, testing], ids=lambda each: each.__name__
)
def test_public_names_are_documented(module):
    assert rows("docs/api.md", f"`{module.__name__}`").keys() == set(module.__all__)


@pytest.mark.parametrize("kind", [Catalog, Producer, Consumer], ids=lambda each: each.__name__)
def test_public_members_are_documented(kind):
    members = {name for name in dir(kind) if not name.startswith("_")}
    described = {name.partition("(")[0] for name in rows("docs/api.md", f"`{kind.__name__}`")}
    assert described == members


def test_layers_are_those_that_are_held():
    contracts = tomllib.loads(read("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    held = next(each["layers"] for each in contracts if each["type"] == "layers")
    table = re.findall(r"^\| (`.+?) \|", section("docs/design.md", "Layers"), re.MULTILINE)
    assert [set(re.findall(r"\w+", row)) for row in table] == [set(re.findall(r"\w+", layer)) for layer in held[::-1]]


def test_table_of_engines():
    table = rows("docs/your-own-schemas.md", "What keeps the fast engine")
    assert table
    definitions = {"money": {"type": "object", "properties": {"amount": {"type": "integer"}}}}
    for example, rest in table.items():
        schema = {"type": "object", "definitions": definitions, "properties": {"field": json.loads(example)}}
        engine = compile_schema(schema).engine
        assert (engine == "msgspec") == (rest.split("|")[0].strip() == "typed"), example


def declared_commands() -> dict[str, Any]:
    """Return the commands of the command line, by name."""
    app = pytest.importorskip("jobarium_events.cli.app", exc_type=ImportError).app
    return dict(pytest.importorskip("typer").main.get_command(app).commands)


def test_every_command_is_documented():
    names = declared_commands().keys()
    assert rows("docs/api.md", "The command line").keys() == {f"jobarium-events {name}" for name in names}
    for page in PAGES:
        assert set(re.findall(r"(?<=[`$] )?\bjobarium-events ([a-z-]+)\b", shown_code(page))) <= names, page.name


def shown_code(page: Path) -> str:
    """Return the commands that a page shows, in its blocks and in its text."""
    lines = [command for block in blocks(page) if block.language == "console" for command, _ in commands(block.body)]
    lines += [
        line
        for block in blocks(page)
        if block.language == "yaml"
        for line in re.findall(r"\$? (jobarium-.+)", block.body)
    ]
    return "\n".join([*lines, *re.findall(r"`(jobarium-events [^`]+)`", FENCE.sub("", read(page)))])


OF_EVOLUTION = ["check", "release", "new-version", "deprecate", "retire", "reword", "decisions", "verify"]


@pytest.mark.parametrize("name", OF_EVOLUTION)
def test_a_commands_page_names_each_option_and_exit_code(name):
    command = declared_commands()[name]
    text = read(f"docs/commands/{name}.md")
    for each in [command, *getattr(command, "commands", {}).values()]:
        options = [option for param in each.params for option in param.opts if option.startswith("--")]
        assert set(options) - {"--help"} <= set(re.findall(r"^\| `(--[a-z-]+)`", text, re.MULTILINE))
    assert re.findall(r"^\| ([0-2]) \|", text, re.MULTILINE) == ["0", "1", "2"]
    assert f"(commands/{name}.md)" in read("docs/evolution.md")


def test_no_page_is_of_a_command_that_there_is_not():
    assert {page.stem for page in (ROOT / "docs/commands").glob("*.md")} == set(OF_EVOLUTION)
