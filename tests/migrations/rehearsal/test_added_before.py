"""What an earlier migration has added to rows that are there: code inserts its default, a backfill fills the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.migrations.rehearsal.trials import Trials

OF_JOB = {"category": "migrate", "backfill": {"table": "job", "key": ["id"], "batch_rows": 100, "share": 1.0}}
FILLED = {
    "up": None,
    "down": None,
    "backfill": "update job set currency = 'EUR' where id between $1 and $2 and currency is null;",
    "verify": "-- all have one\n-- returns: 0\nselect count(*) from job where currency is null;",
}
HINT = "what code writes while a backfill runs is to be filled too, by a trigger (`db dual-write`) or a default."


@pytest.fixture
def trials(tmp_path: Path, database: str) -> Trials:
    return Trials(tmp_path / "migrations", database)


def filled_after(trials: Trials, added: str) -> object:
    """Rehearse the backfill of a column that is added so."""
    trials.write(
        "0001_added", up=added, down="alter table job drop column currency;", verify="-- returns: 1\nselect 1;"
    )
    trials.write("0002_filled", {**OF_JOB, "containment": "What it fills is not read yet."}, **FILLED)
    return trials.rehearse("0002")


def test_its_default_is_what_code_inserts_that_does_not_know_of_it(trials: Trials) -> None:
    found = filled_after(
        trials, "alter table job add column currency text;\nalter table job alter column currency set default 'EUR';"
    )
    assert found.problems == ()
    (insert,) = (probe for probe in found.probes if probe.name == "insert into job")
    assert insert.count > 0
    written, _, _ = insert.sql.partition(" returning ")
    assert "legacy" in written
    assert "currency" not in written
    assert not [note for note in found.notes if HINT in note]


def test_without_a_default_the_report_says_that_probes_have_inserted_rows(trials: Trials) -> None:
    found = filled_after(trials, "alter table job add column currency text;")
    assert any("all have one: " in problem for problem in found.problems)
    (said,) = (note for note in found.notes if HINT in note)
    assert "of the rows of job were inserted by probes: " in said


def test_a_generator_that_makes_nothing_is_noted(trials: Trials) -> None:
    path = trials.folder / "rehearsal.toml"
    path.write_text('[generators]\n"job.currency" = "\'EUR\'"\n"job.legacy" = "\'L\'"\n', encoding="utf-8")
    notes = filled_after(trials, "alter table job add column currency text default 'EUR';").notes
    said = [note for note in notes if note.startswith("The generator of ")]
    assert said == [
        "The generator of job.currency made nothing: an earlier migration adds the column to rows that are there."
    ]
