"""`catalog` and `show`: what contracts there are, and what one of them says."""

from pathlib import Path
from typing import Annotated, Any

import typer

from jobarium_events.catalog import Catalog
from jobarium_events.cli.output import STYLES, Column, console, counted, paragraphs, print_json, printable, table
from jobarium_events.contract import Contract, Lifecycle
from jobarium_events.errors import UnknownContract
from jobarium_events.fields import fields_of

__all__ = [
    "FolderArgument",
    "FolderOption",
    "JsonOption",
    "SchemasArgument",
    "catalog",
    "opened",
    "schemas_in",
    "show",
]

_FOLDER_HELP = "Folder of schemas with its catalog.toml. [default: the bundled catalog]"
FolderArgument = Annotated[
    Path | None, typer.Argument(exists=True, file_okay=False, metavar="FOLDER", help=_FOLDER_HELP)
]
FolderOption = Annotated[
    Path | None, typer.Option("--folder", exists=True, file_okay=False, metavar="FOLDER", help=_FOLDER_HELP)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for a machine.")]


_DEFAULT = Path("schemas")
SchemasArgument = Annotated[
    Path | None,
    typer.Argument(
        exists=True,
        file_okay=False,
        metavar="FOLDER",
        show_default=False,
        help="Folder of schemas with its catalog.toml. [default: schemas]",
    ),
]


class _NotBundled(UnknownContract):
    """The bundled catalog has no such event, and perhaps one's own was meant."""

    def __str__(self) -> str:
        own = _DEFAULT if _DEFAULT.is_dir() else "FOLDER"
        return f"{super().__str__()}; this is the bundled catalog; that of a folder is shown with --folder {own}"


def opened(folder: Path | None) -> Catalog:
    """Return the catalog in a folder, or the bundled one."""
    return Catalog.bundled() if folder is None else Catalog.load(folder)


def schemas_in(folder: Path | None) -> Path:
    """Return the folder to work on."""
    if folder is None and not _DEFAULT.is_dir():
        raise typer.BadParameter("there is no folder schemas here; name the folder of your schemas")
    return folder or _DEFAULT


def catalog(folder: FolderArgument = None, *, json: JsonOption = False) -> None:
    """List the contracts of a catalog: who owns and who consumes each, and which engine validates it.

    Example: `jobarium-events catalog`

    Example: `jobarium-events catalog schemas --json`
    """
    found = opened(folder)
    if json:
        print_json({"releases": found.releases, "contracts": [_summary(found, each) for each in found]})
        return
    to = console()
    columns = [
        Column("Contract"),
        Column("Lifecycle"),
        Column("Engine"),
        Column("Owner", below=True),
        Column("Consumers", below=True),
    ]
    rows = [
        [each.name, each.lifecycle, found.entry(each.event, each.version).engine, each.owner, ", ".join(each.consumers)]
        for each in found
    ]
    table(to, columns, rows)
    release = f"; the current release is {found.releases[-1]}" if found.releases else ""
    to.print(f"\n{counted(len(found), 'contract')} of {counted(len(found.events), 'event')}{release}", style="bold")


def show(
    event: Annotated[str, typer.Argument(metavar="NAME", help="Name of the event.")],
    version: Annotated[
        str | None, typer.Argument(metavar="VERSION", help="Such as v1. [default: the newest active one]")
    ] = None,
    *,
    folder: FolderOption = None,
    json: JsonOption = False,
) -> None:
    """Show one contract: its fields, idempotency key, ordering, lifecycle, owner and consumers.

    Example: `jobarium-events show job.updated`

    Example: `jobarium-events show billing.usage.updated v1 --json`
    """
    found = opened(folder)
    if folder is None and event not in found:
        raise _NotBundled(event, None, found.events)
    if version is None:
        version = (found.newest(event) or found.versions(event)[-1]).version
    contract = found.contract(event, version)
    if json:
        print_json(_details(found, contract))
    else:
        _print_details(found, contract)


def _summary(found: Catalog, contract: Contract) -> dict[str, Any]:
    return {
        "event": contract.event,
        "version": contract.version,
        "lifecycle": contract.lifecycle,
        "owner": contract.owner,
        "consumers": contract.consumers,
        "engine": found.entry(contract.event, contract.version).engine,
    }


def _details(found: Catalog, contract: Contract) -> dict[str, Any]:
    ordering = contract.ordering
    return {
        **_summary(found, contract),
        "description": contract.schema.get("description", ""),
        "key": contract.key.text,
        "ordering": {"per": ordering.per, "by": ordering.by} if ordering else None,
        "introduced": contract.introduced,
        "deprecated": contract.deprecated,
        "retired": contract.retired,
        "decision": contract.decision,
        "versions": {each.version: each.lifecycle for each in found.versions(contract.event)},
        "fields": [each.as_json() for each in fields_of(contract.schema)],
    }


def _print_details(found: Catalog, contract: Contract) -> None:
    to = console()
    to.print(contract.name, style="bold", end="  ")
    to.print(contract.lifecycle.value, style=STYLES[contract.lifecycle], end="\n\n")
    if contract.schema.get("description"):
        paragraphs(to, printable(contract.schema["description"]))
        to.print()
    ordering = contract.ordering
    facts = {
        "owner": contract.owner,
        "consumers": ", ".join(contract.consumers) or "none",
        "key": contract.key.text,
        "ordering": f"per {ordering.per} the highest {ordering.by} wins" if ordering else "none",
        "lifecycle": _moves(found, contract),
        "decision": contract.decision or "none",
        "versions": ", ".join(f"{each.version} {each.lifecycle}" for each in found.versions(contract.event)),
        "engine": found.entry(contract.event, contract.version).engine,
    }
    for name, text in facts.items():
        to.print(f"{name:<11}", style="dim", end="")
        to.print(printable(text))
    to.print()
    columns = [Column("Field"), Column("Type"), Column("Required"), Column("Format"), Column("Meaning", below=True)]
    rows = [
        [
            each.name,
            each.type,
            "yes" if each.required else "no",
            each.format,
            f"Deprecated. {each.meaning}" if each.deprecated else each.meaning,
        ]
        for each in fields_of(contract.schema)
    ]
    table(to, columns, rows)


def _moves(found: Catalog, contract: Contract) -> str:
    """Return the moves of a contract over the releases, those to come included."""
    moves = [
        (Lifecycle.ACTIVE, contract.introduced),
        (Lifecycle.DEPRECATED, contract.deprecated),
        (Lifecycle.RETIRED, contract.retired),
    ]
    parts = [
        f"{state} since {release}" if release in found.releases else f"to be {state} in {release}"
        for state, release in moves
        if release
    ]
    return ", ".join(parts) or "draft, bound to no release yet"
