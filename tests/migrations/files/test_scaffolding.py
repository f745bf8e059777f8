"""What `db new` writes: readable, refused until it is filled in, and fine once it is."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events.errors import DeclarationError
from jobarium_events.migrations import Category, MigrationError, Migrations, Risk
from jobarium_events.migrations.files.header import MEANINGS
from jobarium_events.migrations.files.scaffolding import new_migration
from tests.migrations.written import folder_of
from tests.strategies import examples

EVERY = pytest.mark.parametrize("category", Category)
# What an author writes: each a line of what was begun, and what it becomes.
FILLED = {
    'estimated_runtime = ""': 'estimated_runtime = "5s"',
    'rollback_plan = ""': 'rollback_plan = "db rollback"',
    'risk = ""': 'risk = "low"',
    'decision = ""': 'decision = "DEC-0001"',
    'feature_flag = ""': 'feature_flag = "job-source"',
    'completes = [""]': "completes = []",
    'out_of_use = {"" = ""}': 'out_of_use = {"job.origin" = "2026.10"}',
    'table = ""': 'table = "job"',
    'key = [""]': 'key = ["id"]',
}
SQL = re.compile(r"^-- ((?:alter|create|drop|update|select) .*;)$", re.MULTILINE)


def begin(folder, category=Category.EXPAND, words=("job", "source"), **options):
    return new_migration(folder, words, category=category, owner="job-service", **options)


def mistakes(folder) -> list[str]:
    with pytest.raises(MigrationError) as caught:
        Migrations.load(folder)
    return [each.text for each in caught.value.mistakes]


@EVERY
def test_nothing_passes_until_everything_is_filled_in(tmp_path, category):
    folder = folder_of(tmp_path)
    path = begin(folder, category).path
    text = path.read_text(encoding="utf-8")
    present = [empty for empty in FILLED if f"-- {empty}\n" in text]
    assert len(mistakes(folder)) == len(present)
    for number, empty in enumerate(present):
        line = text.split("\n").index(f"-- {empty}") + 1
        with pytest.raises(MigrationError) as caught:
            Migrations.load(folder)
        assert line in [each.line for each in caught.value.mistakes], (empty, caught.value)
        assert len(caught.value.mistakes) == len(present) - number
        text = text.replace(f"-- {empty}\n", f"-- {FILLED[empty]}\n")
        path.write_text(text, encoding="utf-8")
    # The examples are comments, so there is no SQL yet.
    assert {"does nothing", "verifies nothing"} <= {each.partition(":")[0] for each in mistakes(folder)}
    path.write_text(SQL.sub(r"\1", text), encoding="utf-8")
    (migration,) = Migrations.load(folder).ordered
    assert migration.checks
    assert bool(migration.up) is (category is not Category.MIGRATE)
    assert (migration.backfill is not None) is (category is Category.MIGRATE)
    assert migration.header.category is category


@EVERY
def test_every_key_is_explained(tmp_path, category):
    text = begin(tmp_path, category).path.read_text(encoding="utf-8")
    for key, meaning in MEANINGS.items():
        if key in ("backfill", "out_of_use"):
            continue
        assert text.count(f"-- # {meaning}\n") == 1, key
        assert re.search(rf"-- # {re.escape(meaning)}\n-- (# )?{key} = ", text)
    assert ("out_of_use = " in text) is (category is Category.CONTRACT)
    assert ("[backfill]" in text) is (category is Category.MIGRATE)


def test_what_may_be_left_out_can_be_taken_in(tmp_path):
    folder = folder_of(tmp_path)
    path = begin(folder, risk=Risk.LOW).path
    text = re.sub(r"^-- # ([a-z_]+ = .*)$", r"-- \1", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    path.write_text(text, encoding="utf-8")
    assert [each.partition(" is ")[0] for each in mistakes(folder)] == ["'estimated_runtime'", "'rollback_plan'"]


def test_numbers_go_on_after_the_highest(tmp_path):
    folder = tmp_path / "deep" / "migrations"
    first = begin(folder)
    assert (first.id, first.path, first.settings) == (
        "0001_job_source",
        folder / "0001_job_source.sql",
        folder / "migrations.toml",
    )
    (folder / "0041_broken.sql").write_text("nothing that could be read")
    second = begin(folder, words=["Job's", "Source-Code 2!"])
    assert (second.id, second.settings) == ("0042_job_s_source_code_2", None)
    (folder / "9999_x.sql").touch()
    assert begin(folder).id == "10000_job_source"


def test_the_release_is_the_last_or_the_one_that_is_named(tmp_path):
    folder = folder_of(tmp_path)
    for options, release in (({}, "2026.12"), ({"release": "2026.10"}, "2026.10")):
        assert f'\n-- release = "{release}"\n' in begin(folder, **options).path.read_text()
    with pytest.raises(
        DeclarationError, match=r"there is no release '2027\.01'; migrations\.toml, or its catalog, has 2026"
    ):
        begin(folder, release="2027.01")
    assert len(list(folder.glob("*.sql"))) == 2


def test_a_new_folder_has_settings_that_can_be_read(tmp_path):
    folder = tmp_path / "migrations"
    begin(folder, release="2026.10")
    with pytest.raises(MigrationError):
        Migrations.load(folder)
    for path in folder.glob("*.sql"):
        path.unlink()
    settings = Migrations.load(folder).settings
    assert settings.releases == ("2026.10",)
    assert set(settings.environments) == {"development", "production"}
    text = (folder / "migrations.toml").read_text()
    for key in ("catalog", "baseline", "flags", "postgres", "releases"):
        assert re.search(rf"^(# )?{key} = ", text, re.MULTILINE)


def test_a_new_folder_without_a_release_asks_for_one(tmp_path):
    begin(tmp_path / "migrations")
    assert any(each.startswith("'release' is empty; write ") for each in mistakes(tmp_path / "migrations"))


@pytest.mark.parametrize("words", [[], ["--"], ["größe"], [" "]])
def test_words_that_make_no_name(tmp_path, words):
    with pytest.raises(DeclarationError, match="a migration is named by words of the letters a to z and digits"):
        begin(tmp_path / "migrations", words=words)
    assert not (tmp_path / "migrations").exists()


def test_nothing_is_written_over(tmp_path, monkeypatch):
    folder = folder_of(tmp_path)
    (folder / "0001_job_source.sql").write_text("mine")
    monkeypatch.setattr("jobarium_events.migrations.files.scaffolding._next_number", lambda _: 1)  # somebody was faster
    with pytest.raises(FileExistsError):
        begin(folder)
    assert (folder / "0001_job_source.sql").read_text() == "mine"


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda text: text.strip()))
@examples(100)
def test_any_owner_is_read_again(owner):
    with tempfile.TemporaryDirectory() as name:
        folder = folder_of(Path(name))
        path = new_migration(folder, ["a"], category=Category.EXPAND, owner=owner, risk=Risk.HIGH).path
        text = path.read_text(encoding="utf-8")
        for empty, filled in FILLED.items():
            text = text.replace(f"-- {empty}\n", f"-- {filled}\n")
        path.write_text(SQL.sub(r"\1", text), encoding="utf-8", newline="\n")
        assert Migrations.load(folder)["1"].header.owner == owner
