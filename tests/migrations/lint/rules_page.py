"""The page of rules taken apart: each rule's failing and passing SQL, as files that lint and Postgres can read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from tests.evolution.logs import decision

PAGE = Path(__file__).parents[3] / "docs" / "migration-rules.md"
_PART = re.compile(r"^### `([a-z-]+)`\n\n(.*?)(?=^##|\Z)", re.DOTALL | re.MULTILINE)
_FENCE = re.compile(r'^```sql title="([^"]+)"\n(.*?)^```$', re.DOTALL | re.MULTILINE)

SETTINGS = 'releases = ["2026.09", "2026.10", "2026.11", "2026.12"]\nbaseline = "baseline.sql"\n'
_DECIDED = '\n[[columns]]\ntable = "job"\nmeanings = ["pay", "kind"]\n'
DECISION = decision({"id": '"DEC-0007"', "review": "2099-01-01"}, _DECIDED)
_HEADER = {
    "id": '"0002_example"',
    "owner": '"job-service"',
    "category": '"expand"',
    "release": '"2026.12"',
    "estimated_runtime": '"1s"',
    "rollback_plan": '"see down"',
    "risk": '"low"',
    "containment": '"code goes on without it"',
}
_SAFE_FORM = "Safe form: "
_VERIFY = "\n-- name: verify\n-- returns: 1\nselect 1;\n"


class PageExample(NamedTuple):
    """An example of the page.

    Attributes:
        rule: The rule that it is for.
        fails: Whether the rule is broken by it.
        plain: Whether it is a file without a header.
        refused: Whether Postgres refuses it.
        newest: Whether it is for the newest Postgres alone.
        sql: As the page shows it.
    """

    rule: str
    fails: bool
    plain: bool
    refused: bool
    newest: bool
    sql: str

    @property
    def name(self) -> str:
        """For the test's own name."""
        return f"{self.rule}-{'fails' if self.fails else 'passes'}{'-newest' if self.newest else ''}"

    def written(self, folder: Path) -> Path:
        """Write its folder, and return the path of its file."""
        (folder / "decisions").mkdir(parents=True)
        (folder / "migrations.toml").write_text(SETTINGS)
        (folder / "baseline.sql").write_text(baseline())
        (folder / "decisions" / "DEC-0007.md").write_text(DECISION)
        proposed = DECISION.replace("DEC-0007", "DEC-0008").replace('"accepted"', '"proposed"')
        (folder / "decisions" / "DEC-0008.md").write_text(proposed)
        (folder / "0001_job_source_filled.sql").write_text(earlier())
        path = folder / ("plain.sql" if self.plain else "0002_example.sql")
        path.write_text(self.sql if self.plain else self._migration())
        return path

    def _migration(self) -> str:
        return _whole(self.sql) if "-- name: " in self.sql else migration(f"-- name: up\n{self.sql}")


def _whole(sql: str) -> str:
    """Return the text of a migration of which the page shows sections, and lines of the header above them."""
    head, name, body = sql.partition("-- name: ")
    return migration(f"{name}{body}", head)


def migration(sections: str, head: str = "") -> str:
    """Return the text of a migration.

    Args:
        sections: Its sections, apart from verify.
        head: Lines of its header; the others are made up.
    """
    lines = [line.removeprefix("-- ") for line in head.splitlines()]
    keys = [line.partition(" = ")[0] for line in lines]
    rest = [f"{key} = {value}" for key, value in _HEADER.items() if key not in keys]
    header = "\n".join(f"-- {line}" for line in (*rest, *lines))
    return f"-- /// migration\n{header}\n-- ///\n\n{sections}{_VERIFY}"


def baseline() -> str:
    """Return the schema that the examples run on."""
    return str(dict(_FENCE.findall(PAGE.read_text()))["baseline.sql"])


def earlier() -> str:
    """Return the migration that comes before the examples."""
    return _whole(dict(_FENCE.findall(PAGE.read_text()))["0001_job_source_filled.sql"])


def explained() -> dict[str, str]:
    """Return what the page says of each rule, in the order of the page."""
    return {id_: part.split("\n\n")[0].replace("\n", " ") for id_, part in _PART.findall(PAGE.read_text())}


def safe_forms() -> dict[str, str]:
    """Return what the page says of the safe form of those rules for which it has to say something."""
    parts = {id_: part.split("\n\n")[1].replace("\n", " ") for id_, part in _PART.findall(PAGE.read_text())}
    return {id_: said.removeprefix(_SAFE_FORM) for id_, said in parts.items() if said.startswith(_SAFE_FORM)}


def page_examples() -> list[PageExample]:
    """Return all examples."""
    return [
        PageExample(
            rule=id_,
            fails=title.startswith("fails"),
            plain="plain file" in title,
            refused="Postgres refuses it" in title,
            newest="on Postgres 18" in title,
            sql=sql,
        )
        for id_, part in _PART.findall(PAGE.read_text())
        for title, sql in _FENCE.findall(part)
    ]
