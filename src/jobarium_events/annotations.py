"""What a check says of lines in files, for the programs that show it there: GitHub Actions, and readers of SARIF.

GitHub reads workflow commands from a log and shows each at its line in the pull request. SARIF 2.1.0 is what code
scanning of GitHub, GitLab and others reads.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import msgspec

__all__ = ["Annotation", "as_log", "as_workflow_commands", "json_text", "path_shown", "printable"]

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


class Annotation(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a check says.

    Attributes:
        rule: The rule that it comes from.
        level: How much it weighs, in the words of SARIF.
        path: The file, with ``/`` between its parts.
        line: Counted from 1; None if the whole file is meant.
        text: What is wrong, and what to do.
        details: Further lines, for whoever has only the line to look at.
        place: What is meant in the file, by its name; may be empty.
        known_by: What it is known again by, wherever its line moves.
        properties: All that is known of it, as JSON.
    """

    rule: str
    level: Literal["error", "warning", "note"]
    path: str
    line: int | None
    text: str
    details: tuple[str, ...] = ()
    place: str = ""
    known_by: tuple[str, ...]
    properties: Mapping[str, Any] = {}


def printable(text: str, *, keep: str = "") -> str:
    """Return text from outside so that it cannot steer what shows it; the characters to keep stay as they are."""
    return "".join(
        char if char.isprintable() or char in keep else char.encode("unicode_escape").decode() for char in text
    )


def json_text(document: Any, *, indent: int | None = None) -> str:
    """Return a document as JSON without characters that steer what shows it; JSON itself escapes only some of them."""
    # orjson refuses integers of more than 64 bits, which a witness may have.
    separators = (",", ":") if indent is None else (",", ": ")
    text = json.dumps(document, ensure_ascii=False, indent=indent, separators=separators)
    return "".join(char if char.isprintable() or char == "\n" else json.dumps(char)[1:-1] for char in text)


def path_shown(path: Path) -> str:
    """Return a path with ``/`` between its parts; relative to where the command runs, if it is below that."""
    if path.is_absolute() and path.is_relative_to(Path.cwd()):
        path = path.relative_to(Path.cwd())
    return Path(os.path.normpath(path)).as_posix()


def as_workflow_commands(annotations: Iterable[Annotation], summary: str) -> str:
    """Return one workflow command for each annotation, and the summary for whoever reads the log."""
    return "".join(f"{line}\n" for line in (*map(_command, annotations), printable(summary)))


def _command(annotation: Annotation) -> str:
    facts = {"file": annotation.path, "line": str(annotation.line or 1), "title": annotation.rule}
    properties = ",".join(f"{name}={_property(value)}" for name, value in facts.items())
    message = "\n".join([annotation.text, *annotation.details])
    return f"::{_COMMANDS[annotation.level]} {properties}::{_data(message)}"


def _data(text: str) -> str:
    # GitHub decodes line ends only; what else would steer the terminal in which somebody reads the log is shown.
    return printable(text, keep="\r\n").replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def as_log(annotations: Iterable[Annotation], rules: Mapping[str, str]) -> str:
    """Return a SARIF log of one run.

    Args:
        annotations: What was found.
        rules: What each rule says, by its id.
    """
    found = list(annotations)
    used = sorted({annotation.rule for annotation in found})
    described = [{"id": rule, "shortDescription": {"text": rules[rule]}} for rule in used]
    run = {
        "tool": {"driver": {"name": "jobarium-events", "rules": described}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(annotation, used.index(annotation.rule)) for annotation in found],
    }
    return json_text({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _result(annotation: Annotation, rule: int) -> dict[str, Any]:
    artifact = {"uri": quote(annotation.path)}
    if not annotation.path.startswith("/"):
        artifact["uriBaseId"] = "%SRCROOT%"
    physical: dict[str, Any] = {"artifactLocation": artifact}
    if annotation.line:
        physical["region"] = {"startLine": annotation.line}
    place: dict[str, Any] = {"physicalLocation": physical}
    if annotation.place:
        place["logicalLocations"] = [{"fullyQualifiedName": annotation.place}]
    print_ = blake2b("\0".join(annotation.known_by).encode(), digest_size=16).hexdigest()
    return {
        "ruleId": annotation.rule,
        "ruleIndex": rule,
        "level": annotation.level,
        "message": {"text": printable(annotation.text, keep="\n")},
        "locations": [place],
        "partialFingerprints": {"finding/v1": print_},
        "properties": dict(annotation.properties),
    }
