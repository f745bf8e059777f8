"""`release`, `new-version`, `deprecate`, `retire` and `reword`: the lifecycle of contracts."""

import datetime
import getpass
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from jobarium_events.cli.catalogs import JsonOption, SchemasArgument, schemas_in
from jobarium_events.cli.checking import print_finding
from jobarium_events.cli.output import console, counted, print_json, printable
from jobarium_events.evolution.evidence import UNSEEN
from jobarium_events.evolution.reporting.locations import located
from jobarium_events.evolution.reports import Report

__all__ = ["deprecate", "new_version", "release", "retire", "reword", "user_name"]

_EventArgument = Annotated[str, typer.Argument(metavar="EVENT", help="Name of the event.")]
_VersionArgument = Annotated[str, typer.Argument(metavar="VERSION", help="Such as v1.")]
_ReleaseOption = Annotated[str, typer.Option("--in", metavar="RELEASE", help="One of the planned releases.")]


def user_name() -> str:
    """Return who is at work: the name by which commits are made, or that of the account."""
    git = shutil.which("git")
    if git is not None:
        told = subprocess.run([git, "config", "user.name"], capture_output=True, check=False)  # noqa: S603 - no input
        name = told.stdout.decode(errors="replace").strip()
        if name:
            return name
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in some containers
        return ""


def release(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the release, such as 2026.4.")],
    folder: SchemasArgument = None,
    *,
    json: JsonOption = False,
) -> None:
    """Release a folder: check it, freeze it in catalog.lock, and append the release to catalog.toml.

    Nothing is written if the check finds an error; the exit code is then 1.

    Example: `jobarium-events release 2026.4`
    """
    from jobarium_events.evolution import releasing  # noqa: PLC0415 - provers take long to import

    schemas = schemas_in(folder)
    done = releasing.release(schemas, name)
    if json:
        found = [each.as_json() for each in done.findings]
        counts = {"contracts": done.contracts, "changed": done.changed}
        print_json({"release": done.name, **counts, "findings": found, "written": _paths(done.written)})
        return
    to = console()
    for finding, location in located(Report(folder=str(schemas), against="lock", findings=done.findings)):
        print_finding(to, finding, location)
    to.print(f"{done.name} is released: {counted(done.contracts, 'contract')} frozen", style="bold green")
    _print_each("new or changed", done.changed)
    _print_each("written", _paths(done.written))


def new_version(
    event: _EventArgument,
    folder: SchemasArgument = None,
    *,
    release: Annotated[
        str | None, typer.Option("--in", metavar="RELEASE", help="The planned release that introduces it.")
    ] = None,
    upcasts: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            file_okay=False,
            help="Folder for the upcast and its test. [default: upcasts, beside FOLDER]",
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Begin the next version of an event, from its newest one.

    Writes its schema, its table in catalog.toml, a decision from the template, and an upcast stub with its test. The
    decision is proposed and its sections are empty: `check` says what is still missing.

    Example: `jobarium-events new-version job.updated --in 2026.4`
    """
    from jobarium_events.evolution import scaffolding  # noqa: PLC0415 - provers take long to import

    done = scaffolding.new_version(schemas_in(folder), event, release=release, upcasts=upcasts)
    if json:
        begun = {"event": done.event, "version": done.new, "from": done.old, "decision": done.decision}
        print_json({**begun, "written": _paths(done.written)})
        return
    console().print(f"{done.event} {done.new} is begun from {done.old}, with {done.decision}", style="bold green")
    _print_each("written", _paths(done.written))


def deprecate(
    event: _EventArgument,
    version: _VersionArgument,
    folder: SchemasArgument = None,
    *,
    release: _ReleaseOption,
    json: JsonOption = False,
) -> None:
    """Bind the deprecation of a version to a planned release; a newer version must be active by then.

    Example: `jobarium-events deprecate job.updated v1 --in 2026.4`
    """
    from jobarium_events.evolution import moving  # noqa: PLC0415 - what edits TOML takes long to import

    written = moving.deprecate(schemas_in(folder), event, version, release)
    _print_move(event, version, "deprecated", release, [written], json=json)


def retire(
    event: _EventArgument,
    version: _VersionArgument,
    folder: SchemasArgument = None,
    *,
    release: _ReleaseOption,
    evidence: Annotated[
        list[Path] | None,
        typer.Option(
            exists=True, dir_okay=False, metavar="FILE", help="Counters of a service; for each one that sees the event."
        ),
    ] = None,
    decision: Annotated[
        str | None, typer.Option(metavar="ID", help="The decision that waives the evidence, such as DEC-0002.")
    ] = None,
    unseen: Annotated[
        int, typer.Option("--days", min=1, metavar="DAYS", help="For how long it has to be unseen.")
    ] = UNSEEN.days,
    json: JsonOption = False,
) -> None:
    """Bind the retirement of a version to a planned release, and take the evidence that it may be retired.

    The evidence is what the services' `VersionCounters` wrote: its owner and every consumer must not have seen it for
    some time. Without evidence the retirement is only planned; the release itself asks for it. The exit code is 1 if
    the version is still seen.

    Example: `jobarium-events retire billing.usage.updated v1 --in 2026.5`

    Example: `jobarium-events retire billing.usage.updated v1 --in 2026.5 --evidence a.json --evidence b.json`
    """
    from jobarium_events.evolution import moving  # noqa: PLC0415 - what edits TOML takes long to import

    if evidence and decision:
        raise typer.BadParameter("give --evidence or --decision, not both: a decision waives the evidence")
    written = moving.retire(
        schemas_in(folder),
        event,
        version,
        release,
        evidence=evidence or (),
        decision=decision,
        unseen=datetime.timedelta(days=unseen),
    )
    _print_move(event, version, "retired", release, written, json=json)
    if not evidence and not decision and not json:
        console().print("The release will ask for evidence that it is no longer seen, or for a decision.")


def reword(
    event: _EventArgument,
    version: _VersionArgument,
    pointer: Annotated[
        str, typer.Argument(metavar="POINTER", help='JSON Pointer to the field; "" for the payload itself.')
    ],
    folder: SchemasArgument = None,
    *,
    why: Annotated[str, typer.Option(metavar="TEXT", help="Why the meaning is still the same.")],
    who: Annotated[
        str | None, typer.Option(metavar="NAME", help="Who answers for it. [default: git's user.name]")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Accept that a released meaning is only said in other words; catalog.lock keeps who, when and why.

    Titles, descriptions and the meanings of enum values can be reworded. A unit, a format or a default cannot.

    Example: `jobarium-events reword job.updated v1 /properties/job_id --why "A typing error."`
    """
    from jobarium_events.evolution import rewording  # noqa: PLC0415 - only this command needs it

    who = user_name() if who is None else who
    accepted = rewording.reword(schemas_in(folder), event, version, pointer, who=who, why=why)
    if json:
        print_json({"accepted": msgspec.to_builtins(accepted)})
        return
    for each in accepted:
        place = f"{event} {version} at {each.pointer or 'the payload'}"
        console().print(printable(f"{place}: the new {each.keyword} is accepted by {each.who}"), style="green")


def _print_move(event: str, version: str, state: str, release: str, written: Iterable[Path], *, json: bool) -> None:
    if json:
        print_json({"event": event, "version": version, "to_be": state, "in": release, "written": _paths(written)})
        return
    console().print(f"{event} {version} is to be {state} in {release}", style="bold green")
    _print_each("written", _paths(written))


def _paths(written: Iterable[Path]) -> list[str]:
    return [str(path) for path in written]


def _print_each(title: str, lines: Iterable[str]) -> None:
    to = console()
    for line in lines:
        to.print(f"  {title}  ", style="dim", end="")
        to.print(printable(line))
