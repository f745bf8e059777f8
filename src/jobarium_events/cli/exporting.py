"""`export`: a catalog in the formats of others, written or checked."""

import shlex
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from jobarium_events.catalog.outside import refuse_within
from jobarium_events.cli.catalogs import FolderArgument, opened
from jobarium_events.cli.output import console, counted, printable
from jobarium_events.exports import as_json, as_yaml, asyncapi_document, eventcatalog_files, jsonschema_files
from jobarium_events.folders import State, check_folder, write_folder
from jobarium_events.writing import write_files

__all__ = ["export"]

_FOUND = 1
_BUNDLED_TITLE = "Jobarium events"
_TITLE = "Events"
_LIST = ".jobarium-events-{}.json"
_NOTHING_ELSE = "Write nothing; exit with 1 and name each file that is not as it would be written."

FolderOutput = Annotated[
    Path, typer.Option("--output", "-o", file_okay=False, metavar="DIR", help="The folder to write to.")
]
CheckOption = Annotated[bool, typer.Option("--check", help=_NOTHING_ELSE)]
DraftsOption = Annotated[bool, typer.Option("--drafts", help="Export drafts too.")]
RetiredOption = Annotated[bool, typer.Option("--retired", help="Export retired versions too.")]


class Format(StrEnum):
    """How an AsyncAPI document is written."""

    JSON = "json"
    YAML = "yaml"


export = typer.Typer(
    no_args_is_help=True,
    help="""Export a catalog: as AsyncAPI, as plain JSON Schemas, or for EventCatalog.

    Drafts and retired versions are left out unless they are asked for. The same catalog gives the same bytes.

    Example: `jobarium-events export asyncapi schemas -o asyncapi.json`
    """,
)


@export.command()
def asyncapi(
    folder: FolderArgument = None,
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", dir_okay=False, metavar="FILE", help="The file to write. [default: print it]"),
    ] = None,
    form: Annotated[
        Format | None,
        typer.Option("--format", help="[default: yaml if FILE ends with .yaml or .yml, otherwise json]"),
    ] = None,
    check: CheckOption = False,
    service: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only what this service sends and receives.")
    ] = None,
    title: Annotated[str | None, typer.Option(metavar="TEXT", help="The title of the document.")] = None,
    drafts: DraftsOption = False,
    retired: RetiredOption = False,
) -> None:
    """Write the AsyncAPI 3.0 document of a catalog: channels, operations, and messages with schemas and examples.

    Example: `jobarium-events export asyncapi schemas -o asyncapi.yaml`

    Example: `jobarium-events export asyncapi schemas --service matching-service -o asyncapi.json --check`
    """
    if check and output is None:
        raise typer.BadParameter("there is nothing to check; name the file with -o FILE", param_hint="--check")
    if output is not None:
        refuse_within(folder, output, "file")
    document = asyncapi_document(
        opened(folder), title=title or _title(folder), service=service, drafts=drafts, retired=retired
    )
    written = as_yaml if (form or _format_of(output)) is Format.YAML else as_json
    content = written(document)
    if output is None:
        typer.echo(content, nl=False)
        return
    if check:
        again = _command("asyncapi", folder, output, form=form, service=service, title=title)
        state = _state(output, content)
        _tell({output: state} if state else {}, 1, again + _flags(drafts=drafts, retired=retired))
        return
    write_files({output: content})
    messages = len(document["components"]["messages"])
    told = [counted(len(document["channels"]), "channel"), counted(messages, "message")]
    console().print(printable(f"{output}: {', '.join([*told, counted(len(document['operations']), 'operation')])}"))


@export.command()
def jsonschema(
    folder: FolderArgument = None,
    *,
    output: FolderOutput,
    closed: Annotated[
        bool, typer.Option("--closed", help="Refuse fields that a contract does not name, as producers do.")
    ] = False,
    check: CheckOption = False,
    drafts: DraftsOption = False,
    retired: RetiredOption = False,
) -> None:
    """Write a JSON Schema for each contract: the whole event, envelope and payload, in one file.

    Example: `jobarium-events export jsonschema schemas -o build/schemas`

    Example: `jobarium-events export jsonschema schemas -o build/schemas --check`
    """
    refuse_within(folder, output)
    files = jsonschema_files(opened(folder), closed=closed, drafts=drafts, retired=retired)
    again = _command("jsonschema", folder, output) + _flags(closed=closed, drafts=drafts, retired=retired)
    _export(files, output, "jsonschema", again, check=check)


@export.command()
def eventcatalog(
    folder: FolderArgument = None,
    *,
    output: FolderOutput,
    domain: Annotated[str | None, typer.Option(metavar="NAME", help="The domain that the services belong to.")] = None,
    check: CheckOption = False,
    drafts: DraftsOption = False,
    retired: RetiredOption = False,
) -> None:
    """Write the pages of an EventCatalog: its domain, services, channels and events, with their schemas.

    The folder may be that of an EventCatalog which has other pages too; they are left alone.

    Example: `jobarium-events export eventcatalog schemas -o catalog`

    Example: `jobarium-events export eventcatalog schemas -o catalog --check`
    """
    refuse_within(folder, output)
    files = eventcatalog_files(opened(folder), domain=domain or _title(folder), drafts=drafts, retired=retired)
    again = _command("eventcatalog", folder, output, domain=domain) + _flags(drafts=drafts, retired=retired)
    _export(files, output, "eventcatalog", again, check=check)


def _export(files: Mapping[str, bytes], output: Path, what: str, again: str, *, check: bool) -> None:
    """Write the files of an export to a folder, or check that they are there."""
    listed = _LIST.format(what)
    if check:
        found = check_folder(output, files, listed=listed)
        # The list of what was written is no file of the export; it is told only where nothing else is wrong.
        found = [each for each in found if each.path != listed] or found
        _tell({output / each.path: each.state for each in found}, len(files), again)
        return
    done = write_folder(output, files, listed=listed)
    changed = len([path for path in done.written if path != listed])
    told = f"{output}: {counted(len(files), 'file')}, {changed} of them new or changed"
    console().print(printable(f"{told}, {counted(len(done.removed), 'stale one')} removed" if done.removed else told))


def _tell(found: Mapping[Path, State], files: int, again: str) -> None:
    """Print which files are not as they would be written, and end with 1 if there are any."""
    to = console()
    for path, state in found.items():
        to.print(printable(f"{path}: {state}"), style="red")
    if found:
        to.print(printable(f"{counted(len(found), 'file')} out of date; run: {again}"), style="bold")
        raise typer.Exit(_FOUND)
    to.print(f"{counted(files, 'file')} up to date", style="bold")


def _state(path: Path, content: bytes) -> State | None:
    """Return how a file differs from what would be written, or None if it does not."""
    if not path.exists():
        return State.MISSING
    return None if path.read_bytes() == content else State.DIFFERENT


def _title(folder: Path | None) -> str:
    return _BUNDLED_TITLE if folder is None else _TITLE


def _format_of(output: Path | None) -> Format:
    return Format.YAML if output is not None and output.suffix in (".yaml", ".yml") else Format.JSON


def _command(what: str, folder: Path | None, output: Path, **options: str | None) -> str:
    """Return the command that writes an export, as it is typed."""
    words = ["jobarium-events", "export", what, *([] if folder is None else [str(folder)]), "-o", str(output)]
    for name, value in options.items():
        if value is not None:
            words += [f"--{'format' if name == 'form' else name}", value]
    return shlex.join(words)


def _flags(**given: bool) -> str:
    return "".join(f" --{name}" for name, is_given in given.items() if is_given)
