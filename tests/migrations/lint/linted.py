"""A folder of migrations that are linted in the light of those before them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.migrations.lint.rules_page import DECISION, SETTINGS, migration

if TYPE_CHECKING:
    from jobarium_events.migrations.lint.findings import Report

TABLE = "create table job (id bigint primary key, pay integer, status text check (status in ('open', 'closed')));\n"
FUNCTION = "create function f() returns trigger language plpgsql as $$ begin return new; end $$;"
PARTED = (
    "create table visit (id bigint not null, at date not null) partition by range (at);\n"
    "create table visit_26 partition of visit for values from ('2026-01-01') to ('2027-01-01');\n"
)
BEFORE = f"{TABLE}{PARTED}create table site (id bigint primary key, name text not null default '', job bigint);\n"


def rules(report: Report) -> list[str]:
    """Return the rules of a report's findings."""
    return [finding.rule for finding in report.findings]


def folder(path: Path, **files: str) -> Path:
    """Write migrations by their ids, each behind a `_`, and what all of a folder has."""
    (path / "decisions").mkdir()
    (path / "decisions" / "DEC-0007.md").write_text(DECISION)
    (path / "baseline.sql").write_text("")
    (path / "migrations.toml").write_text(SETTINGS)
    for name, text in files.items():
        (path / f"{name[1:]}.sql").write_text(text)
    return path


def up(id_: str, sql: str, head: str = "") -> str:
    """Return the text of a migration that has only a way forth."""
    return migration(f"-- name: up\n{sql}", f'-- id = "{id_}"\n{head}')
