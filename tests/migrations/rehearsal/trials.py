"""A folder of migrations to rehearse: jobs of persons, few enough to be quick."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobarium_events.migrations import Environment, Migrations
from jobarium_events.migrations.files.spans import Span
from jobarium_events.migrations.rehearsal.rehearsing import rehearse
from tests.migrations.written import SETTINGS, folder_of, write

if TYPE_CHECKING:
    from jobarium_events.migrations.rehearsal.report import Rehearsal

BASELINE = """
create table person (id bigint primary key, name text not null);
create table job (
    id bigint generated always as identity primary key,
    person_id bigint not null references person,
    status text not null check (status in ('open', 'shut')),
    rank int,
    legacy text
);
create table log (note text);
"""
ROWS = {"person": 100, "job": 400, "log": 10}
ENVIRONMENT = Environment(lock_timeout=Span(30.0))
"""One whose time-outs a loaded machine does not reach."""


class Trials:
    """Writes migrations, and rehearses them."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder_of(folder, f'{SETTINGS}baseline = "baseline.sql"\n')
        self.url = url
        (folder / "baseline.sql").write_text(BASELINE, encoding="utf-8")

    def write(self, id_: str, header: Mapping[str, Any] | None = None, **sections: str | None) -> Path:
        return write(self.folder, id_, {"estimated_runtime": "5m", **(header or {})}, **sections)

    def rehearse(self, id_: str, **options: Any) -> Rehearsal:
        given: dict[str, Any] = {"rows": ROWS, "environment": ENVIRONMENT, "calm": 0.15, **options}
        return rehearse(Migrations.load(self.folder), id_, url=self.url, **given)

    def one(self, header: Mapping[str, Any] | None = None, **sections: str | None) -> Rehearsal:
        self.write("0001_it", header, **sections)
        return self.rehearse("0001")
