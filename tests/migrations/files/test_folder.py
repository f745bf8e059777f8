"""A folder of migrations: their order, how one is named, and what does not fit together."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobarium_events.errors import DeclarationError
from jobarium_events.migrations import MigrationError, Migrations, UnknownMigration
from tests.evolution.logs import FRONT, SECTIONS
from tests.migrations.written import folder_of, write

BACKFILL = {"backfill": {"table": "job", "key": ["id"]}}
MOVE = "delete from job where id between $1 and $2;"


@pytest.fixture
def folder(tmp_path):
    return folder_of(tmp_path / "migrations")


def mistakes(folder) -> list[str]:
    with pytest.raises(MigrationError) as caught:
        Migrations.load(folder)
    return [str(each).removeprefix(f"{folder}/") for each in caught.value.mistakes]


def test_they_are_in_the_order_of_their_numbers(folder):
    for id_ in ("0002_b", "0010_d", "0001_a", "9999_e", "10000_f", "0003_c"):
        write(folder, id_)
    (folder / "notes.sql").write_text("select 1")
    (folder / "0004_c.txt").write_text("nothing")
    migrations = Migrations.load(str(folder))
    assert [each.id for each in migrations.ordered] == ["0001_a", "0002_b", "0003_c", "0010_d", "9999_e", "10000_f"]
    assert [each.id for each in migrations.before(migrations["0003"])] == ["0001_a", "0002_b"]


def test_none(folder):
    assert Migrations.load(folder).ordered == ()
    with pytest.raises(DeclarationError, match=r"there is no folder .*nowhere; go to where it is, name it by"):
        Migrations.load(folder / "nowhere")
    with pytest.raises(UnknownMigration, match="'1'; the folder has none yet, and `db new` begins one"):
        Migrations.load(folder)["1"]


def test_where_none_is_near_some_are_named():
    ids = [f"000{number}_a" for number in range(1, 8)]
    assert str(UnknownMigration("9", ids[:2])) == "there is no migration '9'; there are 0001_a, 0002_a"
    many = str(UnknownMigration("9", ids))
    assert many.endswith("; there are 0003_a, 0004_a, 0005_a, 0006_a, 0007_a, and 2 before them")


@pytest.mark.parametrize("name", ["0007_job_source", "0007", "7"])
def test_one_is_named_by_its_id_or_its_number(folder, name):
    write(folder, "0007_job_source")
    assert Migrations.load(folder)[name].id == "0007_job_source"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("0007_job_surce", "there is no migration '0007_job_surce'; did you mean 0007_job_source?"),
        ("0007_job", "there is no migration '0007_job'; did you mean 0007_job_source?"),
        ("8", "there is no migration '8'; there is 0007_job_source"),
        ("", "there is no migration ''; did you mean 0007_job_source?"),
    ],
)
def test_one_that_is_not_there(folder, name, said):
    write(folder, "0007_job_source")
    with pytest.raises(UnknownMigration) as caught:
        Migrations.load(folder)[name]
    assert (str(caught.value), caught.value.known) == (said, ("0007_job_source",))


def test_a_number_that_is_taken(folder):
    write(folder, "0007_a")
    write(folder, "0007_b")
    write(folder, "00007_c")
    assert mistakes(folder) == [
        "0007_a.sql:2: has the number 0007, as 00007_c has; give it the next free one",
        "0007_b.sql:2: has the number 0007, as 00007_c has; give it the next free one",
        "0007_b.sql:2: has the number 0007, as 0007_a has; give it the next free one",
    ]


def test_a_release_that_there_is_not(folder):
    write(folder, "0001_a", {"release": "2027.01"})
    write(folder, "0002_b", {"out_of_use": {"job.a": "2026.10", "job.b": "2020.01"}})
    known = "which there is not; migrations.toml, or its catalog, has 2026.10, 2026.11, 2026.12"
    assert mistakes(folder) == [
        f"0001_a.sql:5: names the release '2027.01', {known}",
        f"0002_b.sql:10: names the release '2020.01', {known}",
    ]
    folder_of(folder, "")
    assert mistakes(folder)[0].endswith("has none")


def test_what_one_depends_on(folder):
    write(folder, "0001_a", {"depends_on": ["0003_c"]})
    write(folder, "0002_b", {"depends_on": ["0002_b", "0009_x"], "completes": ["0001_a"]})
    write(folder, "0003_c", {"depends_on": ["0001_a"]})
    assert mistakes(folder) == [
        "0001_a.sql:9: depends on '0003_c', which does not come before it",
        "0002_b.sql:9: depends on '0002_b', which does not come before it",
        "0002_b.sql:9: depends on '0009_x', and there is no such file",
        "0002_b.sql:10: waits for the backfill of 0001_a, which has none",
    ]


def test_what_one_completes(folder):
    write(folder, "0001_a", BACKFILL, backfill=MOVE)
    write(folder, "0002_b", {"completes": ["0001_a"], "depends_on": ["0001_a"]})
    assert len(Migrations.load(folder).ordered) == 2


def test_a_migration_without_a_number_would_never_run(folder):
    write(folder, "O007_job")
    assert mistakes(folder) == [
        'O007_job.sql:1: is a migration, and its name begins with no number; name it as in "0007_job_source.sql"'
    ]


def test_mistakes_of_all_files(folder):
    write(folder, "0001_a", {"risk": None})
    write(folder, "0002_b", up="selec")
    assert [each.partition(":")[0] for each in mistakes(folder)] == ["0001_a.sql", "0002_b.sql"]


def test_the_baseline(folder):
    folder_of(folder, 'releases = []\n\nbaseline = "baseline.sql"\n')
    assert mistakes(folder) == ["migrations.toml:3: names the baseline baseline.sql, which is no file"]
    (folder / "baseline.sql").write_text("create table job (id int)")
    assert Migrations.load(folder).baseline == folder / "baseline.sql"
    folder_of(folder)
    assert Migrations.load(folder).baseline is None


def decision(folder: Path, id_: str, **changed: str) -> None:
    front = "".join(f"{key} = {value}\n" for key, value in {**FRONT, "id": f'"{id_}"', **changed}.items())
    page = f"+++\n{front}+++\n\n" + "".join(f"## {title}\n\nSome words.\n\n" for title in SECTIONS)
    (folder / "decisions").mkdir(parents=True, exist_ok=True)
    (folder / "decisions" / f"{id_}.md").write_text(page, encoding="utf-8")


def test_the_decision_log_is_that_of_the_catalog_or_stands_beside_the_files(folder, tmp_path):
    assert Migrations.load(folder).decisions() == {}
    decision(folder, "DEC-0001")
    assert set(Migrations.load(folder).decisions()) == {"DEC-0001"}
    catalog = tmp_path / "schemas"
    decision(catalog, "DEC-0002")
    (catalog / "catalog.toml").write_text('releases = ["2026.10"]\n', encoding="utf-8")
    folder_of(folder, 'catalog = "../schemas"\n')
    assert set(Migrations.load(folder).decisions()) == {"DEC-0002"}


def test_a_decision_with_a_mistake_is_none(folder):
    decision(folder, "DEC-0001", status='"maybe"')
    with pytest.raises(MigrationError, match=r"DEC-0001\.md:5: "):
        Migrations.load(folder).decisions()


def test_mistakes_of_a_decision_have_their_lines_and_the_order_of_its_sections(folder):
    decision(folder, "DEC-0001")
    path = folder / "decisions" / "DEC-0001.md"
    front = path.read_text(encoding="utf-8").partition("\n## ")[0]
    path.write_text(f"{front}\n## Context\n\n## Decision\n\nx\n\n## Why\n", encoding="utf-8")
    lines = path.read_text(encoding="utf-8").split("\n")
    with pytest.raises(MigrationError) as caught:
        Migrations.load(folder).decisions()
    assert [(each.line, each.text.rpartition("## ")[2]) for each in caught.value.mistakes] == [
        (0, "Alternatives"),
        (0, "Consequences"),
        (lines.index("## Context") + 1, "Context"),
        (lines.index("## Why") + 1, "Why"),
    ]
