"""The pages of the command line, as its commands describe themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from jobarium_events.cli.app import app

__all__ = ["command_pages", "write_command_pages"]

_PROGRAM = "jobarium-events"
_OVERVIEW = "index.md"
_HUGE = 10  # digits: a limit that is only what Postgres or C can hold
_MADE = "<!-- Made by `make docs` from the commands' own help. Not to be edited by hand. -->"
_EXAMPLE = re.compile(r"^Example: `(.+)`$")
_CHOICES = re.compile(r"<(\w[\w-]*(?:\|\w[\w-]*)+)>")
_TYPE = re.compile(r" <([^<>]+)>")
_BRACES = re.compile(r"\{(.+)\}(?:\.\.\.)?|(?<=\.\.\.\])\.\.\.")
_RANGE = re.compile(r"([\d.]+)<=x<=([\d.]+)|x>=([\d.]+)")
_NOTES = re.compile(r"\s+\[((?:env var: |default: |required|[\d.]+<=x|x>=)[^\[\]]*)\]$")


def command_pages() -> dict[str, str]:
    """Return the text of each page by its file's name: an overview, and one for each command of the first level."""
    root = typer.main.get_command(app)
    context = root.context_class(root, info_name=_PROGRAM)
    commands = _children(root)
    pages = {_OVERVIEW: "\n".join(_overview(root, context))}
    for name, command in commands.items():
        pages[f"{name}.md"] = "\n".join([_MADE, "", *_described(command, context, name, level=1)])
    return pages


def write_command_pages(folder: Path) -> None:
    """Bring a folder of pages up to date; a page of a command that is no more is removed."""
    pages = command_pages()
    folder.mkdir(exist_ok=True)
    for page in folder.glob("*.md"):
        if page.name not in pages:
            page.unlink()
    for name, text in pages.items():
        page = folder / name
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8")


def _children(command: Any) -> dict[str, Any]:
    return {name: each for name, each in getattr(command, "commands", {}).items() if not each.hidden}


def _overview(root: Any, context: Any) -> Iterator[str]:
    yield _MADE
    yield ""
    yield "# The command line"
    yield ""
    yield "The extra `cli` has it; some commands need another one besides, and say so. What is promised of it is said"
    yield "[with the API](../api.md#the-command-line)."
    yield ""
    yield from _help(root)
    yield "| command | what it does |"
    yield "| --- | --- |"
    for name, command in _children(root).items():
        yield f"| [`{_PROGRAM} {name}`]({name}.md) | {_cell(_paragraphs(command)[0])} |"
        for inner, each in _children(command).items():
            anchor = f"{_PROGRAM}-{name}-{inner}"
            yield f"| [`{_PROGRAM} {name} {inner}`]({name}.md#{anchor}) | {_cell(_paragraphs(each)[0])} |"
    yield ""
    yield "Each of them takes `--help` or `-h`. Besides:"
    yield ""
    yield from _table("option", [each for each in root.get_params(context) if "--help" not in each.opts], context)
    yield from _examples(root)


def _described(command: Any, parent: Any, name: str, *, level: int) -> Iterator[str]:
    """Yield the lines of one command, and below them those of its own commands."""
    context = command.context_class(command, info_name=name, parent=parent)
    yield f"{'#' * level} `{context.command_path}`"
    yield ""
    yield from _help(command)
    children = _children(command)
    if not children:
        yield "```text"
        yield " ".join(
            [context.command_path, *(_BRACES.sub(r"\1", each) for each in command.collect_usage_pieces(context))]
        )
        yield "```"
        yield ""
    shown = [each for each in command.get_params(context) if not each.hidden and "--help" not in each.opts]
    for kind in ("argument", "option"):
        yield from _table(kind, [each for each in shown if each.param_type_name == kind], context)
    yield from _examples(command)
    for inner, each in children.items():
        yield from _described(each, context, inner, level=level + 1)


def _paragraphs(command: Any) -> list[str]:
    return [" ".join(each.split()) for each in command.help.strip().split("\n\n")]


def _help(command: Any) -> Iterator[str]:
    for each in _paragraphs(command):
        if not _EXAMPLE.match(each):
            yield each
            yield ""


def _examples(command: Any) -> Iterator[str]:
    examples = [found[1] for each in _paragraphs(command) if (found := _EXAMPLE.match(each))]
    if examples:
        yield "For example:"
        yield ""
        yield "```text"
        yield from examples
        yield "```"
        yield ""


def _table(kind: str, parameters: list[Any], context: Any) -> Iterator[str]:
    if not parameters:
        return
    yield f"| {kind} | meaning |"
    yield "| --- | --- |"
    for each in parameters:
        shown, text = each.get_help_record(context)
        meaning, notes = _notes(text)
        if choices := _CHOICES.search(shown):
            notes.insert(0, f"one of {_listed(choices[1].split('|'))}")
        name = _TYPE.sub("" if choices or kind == "argument" else _metavar, shown)
        yield f"| `{_cell(name)}` | {_cell('; '.join([meaning.rstrip('.'), *notes]))} |"
    yield ""


def _metavar(found: re.Match[str]) -> str:
    return " N" if found[1].startswith(("int", "float")) else f" {found[1].upper()}"


def _notes(text: str) -> tuple[str, list[str]]:
    """Split what a help text says in brackets at its end from the text itself."""
    notes: list[str] = []
    while found := _NOTES.search(text):
        text = text[: found.start()]
        notes = [*map(_note, found[1].split("; ")), *notes]
    return text.strip(), sorted(notes, key=lambda note: note != "required")


def _note(text: str) -> str:
    if text.startswith("env var: "):
        return f"or the variable `{text.removeprefix('env var: ')}`"
    if limits := _RANGE.fullmatch(text):
        least, most = limits[1] or limits[3], limits[2]
        return f"from {least} to {most}" if most and len(most) < _HUGE else f"at least {least}"
    return text


def _listed(names: list[str]) -> str:
    quoted = [f"`{each}`" for each in names]
    return f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
