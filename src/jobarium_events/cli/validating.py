"""`validate`: events or payloads in files, against their contracts."""

import sys
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import orjson
import typer

from jobarium_events.catalog import Catalog, Entry
from jobarium_events.cli.catalogs import FolderOption, JsonOption, opened
from jobarium_events.cli.output import console, counted, print_json, printable
from jobarium_events.consumer import Consumer
from jobarium_events.errors import Malformed, Rejection, Violation
from jobarium_events.readers import parsed

__all__ = ["validate"]

_LINES = (".jsonl", ".ndjson")
_STDIN = "-"
_FOUND = 1


class Finding(NamedTuple):
    """One thing that is wrong with one event."""

    file: str
    line: int
    event: str | None
    version: str | None
    pointer: str
    rule: str
    text: str

    def __str__(self) -> str:
        contract = " ".join(part for part in (self.event, self.version) if part)
        where = f"{self.file}:{self.line}: {f'{contract}: ' if contract else ''}"
        return printable(f"{where}{f'{self.pointer}: ' if self.pointer else ''}{self.text} [{self.rule}]")


def _readable(files: list[Path]) -> list[Path]:
    """Return the files if all of them are there."""
    for file in files:
        if str(file) != _STDIN and not file.is_file():
            folder = f"{file} is a folder; name the files in it"
            raise typer.BadParameter(folder if file.is_dir() else f"there is no file {file}")
    return files


def validate(
    files: Annotated[
        list[Path],
        typer.Argument(callback=_readable, metavar="FILE...", help="Files of JSON or JSON lines; - for stdin."),
    ],
    *,
    payloads_of: Annotated[
        tuple[str, str] | None,
        typer.Option("--as", metavar="NAME VERSION", help="The files hold payloads of this contract."),
    ] = None,
    folder: FolderOption = None,
    closed: Annotated[bool, typer.Option("--closed", help="Refuse unknown fields, as producers do.")] = False,
    json: JsonOption = False,
) -> None:
    """Check events against their contracts, each by its own name and version.

    Prints a line for each thing that is wrong: file, line, event, JSON Pointer, what to do and the rule. No value of a
    payload is printed. The exit code is 1 if anything is wrong.

    Example: `jobarium-events validate events.jsonl`

    Example: `jobarium-events validate payload.json --as job.updated v1 --closed`
    """
    catalog = opened(folder)
    checker = _Checker(catalog, closed=closed, entry=catalog.entry(*payloads_of) if payloads_of else None)
    checked, invalid, findings = 0, 0, list[Finding]()
    for file in files:
        for line, raw in _documents(file):
            found = [Finding("stdin" if str(file) == _STDIN else str(file), line, *each) for each in checker.wrong(raw)]
            checked += 1
            invalid += bool(found)
            findings += found
    if json:
        listed = [each._asdict() for each in findings]
        print_json({"valid": not findings, "checked": checked, "invalid": invalid, "findings": listed})
    else:
        _print_report(findings, checked, invalid, "payload" if payloads_of else "event")
    if findings:
        raise typer.Exit(_FOUND)


def _print_report(findings: Iterable[Finding], checked: int, invalid: int, what: str) -> None:
    to = console()
    for finding in findings:
        to.print(str(finding))
    if invalid:
        to.print(f"{invalid} of {counted(checked, what)} invalid", style="bold red")
    else:
        to.print(f"{counted(checked, what)} valid", style="bold green")


def _documents(file: Path) -> Iterator[tuple[int, bytes]]:
    """Yield each JSON text in a file with the number of the line where it starts."""
    content = sys.stdin.buffer.read() if str(file) == _STDIN else file.read_bytes()
    lines = [(number, line) for number, line in enumerate(content.splitlines(), 1) if line.strip()]
    if lines and (file.suffix in _LINES or (len(lines) > 1 and not _is_json(content) and _is_json(lines[0][1]))):
        return iter(lines)
    return iter([(lines[0][0] if lines else 1, content)])


def _is_json(content: bytes) -> bool:
    try:
        orjson.loads(content)
    except orjson.JSONDecodeError:
        return False
    return True


_Wrong = tuple[str | None, str | None, str, str, str]  # event, version, pointer, rule, text


class _Checker:
    """Checks events as a consumer of every contract would, or payloads of one contract."""

    def __init__(self, catalog: Catalog, *, closed: bool, entry: Entry | None) -> None:
        self.catalog = catalog
        self.closed = closed
        self.entry = entry
        self.consumer = Consumer(catalog, name="validate")
        for contract in catalog:
            self.consumer.on(contract.event, contract.version)(_ignore)

    def wrong(self, raw: bytes) -> Iterator[_Wrong]:
        """Yield what is wrong with an event, or with a payload if that is what the files hold."""
        problem = _unusable(raw)
        if problem:
            yield None, None, "", Malformed.reason, problem
        elif self.entry is None:
            yield from self._event(raw)
        else:
            try:
                document = parsed(raw)
            except Malformed as malformed:
                yield None, None, "", malformed.reason, f"is {malformed.problem}"
            else:
                yield from self._payload(document, self.entry, "")

    def _event(self, raw: bytes) -> Iterator[_Wrong]:
        try:
            self.consumer.consume(raw)
        except Rejection as rejection:
            found = rejection.violations or (None,)
            for violation in found:
                yield rejection.event, rejection.version, *self._told(rejection, violation)
            return
        if self.closed:
            document = orjson.loads(raw)
            entry = self.catalog.entry(document["event_name"], document["event_version"])
            yield from self._payload(document["payload"], entry, "/payload")

    def _payload(self, document: Any, entry: Entry, before: str) -> Iterator[_Wrong]:
        contract = entry.contract
        validator = entry.closed if self.closed else entry.open
        for violation in validator.violations(document):
            yield contract.event, contract.version, f"{before}{violation.pointer}", violation.rule, _advice(violation)

    def _told(self, rejection: Rejection, violation: Violation | None) -> tuple[str, str, str]:
        if violation is not None and rejection.reason != "unexpected-producer":
            return violation.pointer, violation.rule, _advice(violation)
        event = rejection.event or ""
        match rejection.reason:
            case "malformed":
                text = f"is {getattr(rejection, 'problem', 'no event')}"
            case "unknown-event":
                near = get_close_matches(event, self.catalog.events, n=1)
                text = f"is no event of the catalog{f'; did you mean {near[0]}?' if near else ''}"
            case "unknown-version":
                known = ", ".join(each.version for each in self.catalog.versions(event))
                text = f"is no version of the catalog, which has {known}"
            case "retired-version":
                newest = self.catalog.newest(event)
                text = f"is retired{f'; emit {newest.version}' if newest else ''}"
            case _:
                owner = self.catalog.versions(event)[0].owner
                text = f"must be {owner}, which owns the event"
        return violation.pointer if violation else "", rejection.reason, text


def _ignore(_event: Any) -> None:
    """Take a valid event, of which nothing more is wanted."""


def _unusable(raw: bytes) -> str | None:
    """Return why some bytes are no text of one event or payload at all; None if they may be."""
    try:
        text = raw.decode().strip()
    except UnicodeDecodeError as error:
        return f"is not UTF-8, at byte {error.start}"
    if text.startswith("[") and _is_json(raw):
        return "is a JSON array; write what it holds as JSON lines, one to a line"
    return None if text else "is empty"


def _advice(violation: Violation) -> str:
    """Return what a violation says to do, without its place."""
    return str(Violation("/", violation.rule, violation.limit)).removeprefix("/: ")
