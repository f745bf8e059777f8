"""`decisions`: the decision log, and a new entry in it."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from typer.core import TyperGroup

from jobarium_events.cli.catalogs import JsonOption, schemas_in
from jobarium_events.cli.output import Column, console, counted, print_json, printable, table
from jobarium_events.cli.releases import user_name
from jobarium_events.evolution.decision import Decision
from jobarium_events.evolution.decisions import read_decisions
from jobarium_events.evolution.findings import Severity
from jobarium_events.evolution.lock import read_lock

__all__ = ["decisions"]

_FolderArgument = Annotated[
    Path | None,
    typer.Argument(
        exists=True,
        file_okay=False,
        metavar="FOLDER",
        show_default=False,
        help="Folder whose decisions they are: of schemas, or of migrations. [default: schemas]",
    ),
]

_FOUND = 1
_LIST = "list"


class _Listing(TyperGroup):
    """Lists the log if no other command is named."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        helps = set(self.get_help_option_names(ctx))
        if not args or (args[0] not in self.commands and not helps.intersection(args[:1])):
            args = [_LIST, *args]
        return super().parse_args(ctx, args)


decisions = typer.Typer(
    cls=_Listing,
    help="""List the decisions of a folder, or begin a new one.

    Example: `jobarium-events decisions`

    Example: `jobarium-events decisions new "order.placed v2 counts in cents"`
    """,
)


@decisions.command(_LIST)
def listed(folder: _FolderArgument = None, *, json: JsonOption = False) -> None:
    """List the decisions of a folder, and every mistake in them; this is what happens if no command is named.

    The exit code is 1 if there is a mistake.

    Example: `jobarium-events decisions schemas --json`
    """
    folder = schemas_in(folder)
    found, mistakes = read_decisions(folder, lock=read_lock(folder))
    if json:
        log = [_summary(each) for each in found.values()]
        print_json({"decisions": log, "findings": [each.as_json() for each in mistakes]})
    else:
        to = console()
        columns = [
            Column("Decision"),
            Column("Status"),
            Column("Decided"),
            Column("Review"),
            Column("Title", below=True),
        ]
        rows = [[each.id, each.status, str(each.date), str(each.review), each.title] for each in found.values()]
        if rows:
            table(to, columns, rows)
        to.print(counted(len(found), "decision"), style="bold")
        for each in mistakes:
            place = " at ".join(filter(None, (each.file, each.pointer)))
            advice = f"; {each.advice}" if each.advice else ""
            told = f"{each.severity}: {place}: {each.text}{advice} [{each.rule}]"
            to.print(printable(told), style="red" if each.severity is Severity.ERROR else "yellow")
    if any(each.severity is Severity.ERROR for each in mistakes):
        raise typer.Exit(_FOUND)


@decisions.command()
def new(
    title: Annotated[str, typer.Argument(metavar="TITLE", help="What it is about, in one line.")],
    folder: _FolderArgument = None,
    *,
    owner: Annotated[
        str | None, typer.Option(metavar="NAME", help="Who answers for it. [default: git's user.name]")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Begin a decision from the template, with the next free id.

    Example: `jobarium-events decisions new "order.placed v2 counts in cents" --owner shop-service`

    Example: `jobarium-events decisions new "job.origin goes" migrations`
    """
    from jobarium_events.evolution.scaffolding import new_decision  # noqa: PLC0415 - provers take long to import

    path = new_decision(schemas_in(folder), title, owner=user_name() if owner is None else owner)
    if json:
        print_json({"decision": path.stem, "written": [str(path)]})
    else:
        console().print(f"{path.stem} is begun: {path}", style="bold green")


def _summary(decision: Decision) -> dict[str, Any]:
    document: dict[str, Any] = msgspec.to_builtins(decision)
    del document["sections"]
    return document
