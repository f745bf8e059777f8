"""The checklist of the files alone: what they tell is done or not, and what only a record tells is not asked."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from jobarium_events.migrations import Item, Migrations
from jobarium_events.migrations.applying.filed import filed_checklists
from jobarium_events.migrations.rehearsal.report import write_rehearsal
from tests.migrations.rehearsal.samples import sample
from tests.migrations.team import DECISION, SETTINGS
from tests.migrations.written import folder_of, write

DONE, OPEN, UNASKED = "done", "open", "not asked"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return folder_of(tmp_path / "migrations", SETTINGS)


def items(folder: Path, id_: str = "0001_it") -> dict[str, Item]:
    return {each.name: each for each in filed_checklists(Migrations.load(folder))[id_]}


def marks(folder: Path, id_: str = "0001_it") -> dict[str, str]:
    found = items(folder, id_).values()
    return {each.name: DONE if each.done else OPEN if each.asked else UNASKED for each in found}


def rehearse(folder: Path, id_: str = "0001_it") -> None:
    migrations = Migrations.load(folder)
    migration = migrations[id_]
    before = {each.id: each.hash for each in migrations.before(migration)}
    found = sample(id_=id_, problems=())
    write_rehearsal(folder, msgspec.structs.replace(found, hash=migration.hash, before=before))


def test_what_the_files_tell_is_told_and_the_rest_is_not_asked(folder):
    sql = {"up": "set lock_timeout = '2s';\ncreate table it (id int primary key);", "down": "drop table it;"}
    write(folder, "0001_it", {"alerts": ["errors"]}, **sql)
    assert marks(folder) == {
        "Migration reviewed by CTO": UNASKED,
        "Rollback or containment documented": DONE,
        "Alert thresholds for database errors prepared": DONE,
        "Post-deploy verification queries executed": UNASKED,
        "Decision log entry added for breaking changes": DONE,
        "Rehearsed with realistic volumes": OPEN,
        "Approved by CEO, with its window, if of high risk": DONE,
        "Linted": DONE,
    }


def test_a_rehearsal_counts_for_the_file_that_it_was_of(folder):
    path = write(folder, "0001_it")
    assert "not rehearsed" in items(folder)["Rehearsed with realistic volumes"].text
    rehearse(folder)
    item = items(folder)["Rehearsed with realistic volumes"]
    assert (item.done, "rows; whether a database has many more, only it tells" in item.text) == (True, True)
    path.write_text(path.read_text(encoding="utf-8") + "-- a word\n", encoding="utf-8")
    item = items(folder)["Rehearsed with realistic volumes"]
    assert (item.done, "rehearsed before the file changed" in item.text) == (False, True)


def test_what_is_of_high_risk_needs_an_approval_that_nobody_asked_for(folder):
    write(folder, "0001_it", {"risk": "high", "alerts": []})
    found = marks(folder)
    assert found["Approved by CEO, with its window, if of high risk"] == UNASKED
    assert found["Rollback or containment documented"] == OPEN, "its way back was not rehearsed"
    assert found["Alert thresholds for database errors prepared"] == OPEN
    plan = {"risk": "high", "containment": "pause it and call the team"}
    write(folder, "0001_it", plan, down=None)
    assert marks(folder)["Rollback or containment documented"] == UNASKED
    write(folder, "0001_it", {**plan, "containment": "none"}, down=None)
    assert marks(folder)["Rollback or containment documented"] == OPEN


def test_a_decision_is_accepted_or_not(folder):
    name = "Decision log entry added for breaking changes"
    up = "alter table job rename column status to state;"
    write(folder, "0001_it", up=up)
    assert "its header names no decision" in items(folder)[name].text
    assert marks(folder)["Linted"] == OPEN
    (folder / "decisions").mkdir()
    write(folder, "0001_it", {"decision": "DEC-0001"}, up=up)
    for status, mark in (("proposed", OPEN), ("accepted", DONE)):
        (folder / "decisions" / "DEC-0001.md").write_text(DECISION.format(status=status), encoding="utf-8")
        assert marks(folder)[name] == mark


def test_what_comments_say_otherwise_only_a_database_tells(folder):
    write(folder, "0001_it", up="comment on column job.status is 'where it stands';", down="select 1;")
    item = items(folder)["Decision log entry added for breaking changes"]
    assert (item.done, item.text.endswith("whether a database has other comments, only it tells")) == (True, True)


def test_backfills_and_what_is_depended_on_stand_in_a_record(folder):
    write(folder, "0001_job")
    backfill = {"category": "migrate", "backfill": {"table": "job", "key": ["id"]}, "depends_on": ["0001_job"]}
    sql = "update job set source = 'form' where id between $1 and $2 and source is null;"
    write(folder, "0002_fill", backfill, up=None, down=None, backfill=sql)
    write(folder, "0003_it", {"completes": ["0002_fill"], "depends_on": ["0002_fill"]})
    filled, after = marks(folder, "0002_fill"), marks(folder, "0003_it")
    assert (filled["Its own backfill complete"], filled["What it depends on applied"]) == (UNASKED, UNASKED)
    assert after["Backfills that it needs complete"] == UNASKED
    assert "Its own backfill complete" not in after


def test_what_removes_names_its_flag_and_since_when_nothing_is_used(folder):
    removing = {"category": "contract", "containment": "bring it back from the backup"}
    unused, flag = "What it removes out of use for two releases", "Feature flag named"
    up = "alter table job drop column status;"
    write(folder, "0001_it", removing, up=up, down=None)
    found = marks(folder)
    assert (found[unused], found[flag]) == (OPEN, OPEN)
    assert "no code uses job.status" in items(folder)[unused].text
    said = {**removing, "out_of_use": {"job.status": "2026.09"}, "feature_flag": "new-status"}
    write(folder, "0001_it", said, up=up, down=None)
    found = marks(folder)
    assert (found[unused], found[flag]) == (UNASKED, DONE)
    assert "job.status since 2026.09, as the header says" in items(folder)[unused].text


def test_no_provider_of_flags_is_asked(folder, monkeypatch):
    settings = folder / "migrations.toml"
    settings.write_text(settings.read_text(encoding="utf-8").replace('"flags.toml"', '"tests.nowhere:made"'))
    removing = {"category": "contract", "containment": "none is needed", "feature_flag": "new-status"}
    write(folder, "0001_it", removing, up="alter table job drop column status;", down=None)
    assert marks(folder)["Feature flag named"] == DONE
