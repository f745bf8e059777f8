"""Folders with a decision log and a lock, for the tests of releases, lifecycle and decisions."""

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jobarium_events.evolution.findings import Finding
from tests.folders import TEXT, WHOLE, schema, table, write

TODAY = datetime.date(2026, 10, 5)
SECTIONS = ("Context", "Decision", "Migration plan", "Alternatives", "Why", "Consequences")
FRONT: Mapping[str, str] = {
    "id": '"DEC-0001"',
    "title": '"thing.made v2 counts"',
    "date": "2026-09-01",
    "status": '"accepted"',
    "owner": '"maker"',
    "review": "2027-03-01",
}
V2 = """
[[allows]]
event = "thing.made"
version = "v2"
breaking = ["/required/count"]

[[timeline]]
event = "thing.made"
version = "v1"
deprecated = "4"
retired = "6"
"""
OLD = schema({"id": TEXT}, count={**WHOLE, "description": "How many there are."})
NEW = schema({"id": TEXT, "count": {**WHOLE, "description": "How many there are."}})
RELEASES = 'releases = ["1", "2", "3"]\nplanned = ["4", "5", "6", "7"]\n'
V1_LINES = 'key = "k:{id}"\nintroduced = "1"'
V1_LEAVING = f'{V1_LINES}\ndeprecated = "4"\nretired = "6"'
V2_LINES = 'key = "k:{id}"\nintroduced = "4"\ndecision = "DEC-0001"'


def decision(changes: Mapping[str, str | None] = {}, tables: str = V2, sections: Mapping[str, str | None] = {}) -> str:
    """The text of a decision that is right, but for what is given; None leaves a key or a section out."""
    front = {**FRONT, **changes}
    lines = "\n".join(f"{key} = {value}" for key, value in front.items() if value is not None)
    texts = {**dict.fromkeys(SECTIONS, "It is so."), **sections}
    body = "\n\n".join(f"## {name}\n\n{text}" for name, text in texts.items() if text is not None)
    return f"+++\n{lines}\n{tables}+++\n\n{body}\n"


def log(folder: Path, **entries: str) -> Path:
    """A folder with a catalog of two versions and a decision log: DEC_0001=... is DEC-0001.md."""
    catalog(folder)
    for name, text in entries.items():
        file = folder / "decisions" / f"{name.replace('_', '-')}.md"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder


def catalog(
    folder: Path,
    versions: Mapping[str, str] | None = None,
    *,
    releases: str = RELEASES,
    owner: str = "maker",
    schemas: Mapping[str, Any] = {},
) -> Path:
    """A folder with thing.made in the versions whose lines in the manifest are given; its decision is DEC-0001."""
    versions = {"v1": V1_LEAVING, "v2": V2_LINES} if versions is None else versions
    known = {"v1": OLD, **dict.fromkeys(versions, NEW), **schemas}
    known["v1"] = schemas.get("v1", OLD)
    files = {f"thing.made/{version}.json": known[version] for version in versions}
    if "v2" in versions:
        files["decisions/DEC-0001.md"] = decision()
    return write(folder, table("thing.made", versions, owner=owner, releases=releases), files)


def rules(findings: list[Finding]) -> list[str]:
    """The ids of the rules that were broken."""
    return [finding.rule for finding in findings]
