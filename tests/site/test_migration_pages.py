"""The pages on migrations: their order, what each does, and where it stands in the databases that were asked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from jobarium_events.migrations import Migrations, Target, write_rehearsal
from jobarium_events.site.migrations import EnvironmentUnread, migration_pages
from jobarium_events.site.rendering import Rendering
from jobarium_events.site.shown import Shown, read_shown
from tests import servers
from tests.conftest import found
from tests.migrations.conftest import fresh_database
from tests.migrations.rehearsal.samples import sample
from tests.migrations.team import DECISION, Team
from tests.migrations.written import SETTINGS, folder_of, write
from tests.site.drawn import HOSTILE
from tests.site.parsed import Parsed

FILL = "update job set source = 'form' where id between $1 and $2 and source is null;"
BUNDLED = read_shown()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three migrations: a table, a column, and what fills it."""
    path = folder_of(tmp_path / "migrations", SETTINGS)
    write(
        path,
        "0001_job",
        {"alerts": ["more than 5 errors a minute"], "containment": None},
        up="create table job (id bigint primary key, status text);",
        down="drop table job;",
        verify="-- every job has a status\n-- when: always\n-- returns: [[\"a\", 1]]\nselect 'a', 1;",
    )
    write(path, "0002_job_source", {"depends_on": ["0001_job"], "risk": "high", "feature_flag": "job-source"})
    header = {"category": "migrate", "depends_on": ["0002_job_source"], "backfill": {"table": "job", "key": ["id"]}}
    write(path, "0003_job_fill", header, up=None, down=None, backfill=FILL)
    return path


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    """A folder with a database of its own."""
    for url in fresh_database(found("postgres", servers.postgres_url)):
        yield Team(tmp_path / "team", url)


def shown(folder: Path, **facts: Any) -> Shown:
    return msgspec.structs.replace(BUNDLED, migrations=Migrations.load(folder), **facts)


def values(folder: Path, **facts: Any) -> dict[str, Any]:
    """Return what the pages are given, by their paths."""
    return {page.path: page.values for page in migration_pages(shown(folder, **facts))}


def pages(folder: Path, **facts: Any) -> dict[str, Parsed]:
    """Return the pages as a browser reads them, by their paths."""
    given = shown(folder, **facts)
    rendering = Rendering({"shown": given, "sections": []}, lambda _: None)
    return {page.path: Parsed(rendering.page(*page)) for page in migration_pages(given)}


def test_without_a_folder_there_are_no_pages():
    assert list(migration_pages(BUNDLED)) == []


def test_the_list_has_the_order_and_what_each_depends_on(folder):
    found = pages(folder)
    assert list(found) == [
        "migrations.html",
        "migrations/0001_job.html",
        "migrations/0002_job_source.html",
        "migrations/0003_job_fill.html",
    ]
    rows = [each.text for each in found["migrations.html"].all("tr")][1:]
    assert [row.split()[0] for row in rows] == ["0001_job", "0002_job_source", "0003_job_fill"]
    assert "expand 2026.12 high job-service 0001_job clean not rehearsed" in rows[1]
    links = [each.attributes["href"] for each in found["migrations.html"].all("a") if "0001" in each.text]
    assert links == ["migrations/0001_job.html"] * 2
    assert "No database was asked where they stand." in found["migrations.html"].text
    assert "production" not in rows[0]


def test_a_page_has_all_that_the_file_says(folder):
    found = pages(folder)
    page = found["migrations/0002_job_source.html"]
    assert "Category expand: it is to only add. It comes with release 2026.12." in page.text
    said = [each.text for each in page.all("dd")]
    assert said[:6] == ["expand", "2026.12", "job-service", "high", "1s", "db rollback"]
    assert "job-source" in said
    (needed,) = (each for each in found["migrations/0002_job_source.html"].all("a") if each.text == "0001_job")
    assert needed.attributes["href"] == "0001_job.html"
    codes = [each.text for each in found["migrations/0003_job_fill.html"].all("pre")]
    assert codes[0] == FILL
    assert "goes through job by id" in found["migrations/0003_job_fill.html"].text
    first = found["migrations/0001_job.html"]
    assert [each.text for each in first.all("pre")] == [
        "create table job (id bigint primary key, status text);",
        "drop table job;",
        "select 'a', 1;",
    ]
    assert "every job has a status" in first.text
    assert 'Before and after up, and after down, must return [["a",1]]' in first.text
    assert "more than 5 errors a minute" in first.text


def test_what_a_header_may_say_besides_is_there_as_well(folder):
    header = {
        "category": "contract",
        "depends_on": ["0003_job_fill"],
        "completes": ["0003_job_fill"],
        "decision": "DEC-0001",
        "containment": "none is needed",
        "out_of_use": {"job.status": "2026.10"},
    }
    verify = (
        "-- returns: nothing\nselect 1 where false;\n-- returns: [[2026-10-05, true], [2026-10-06, false]]\n"
        "select day, good from days;\n-- when: before\n-- returns: 2026-10-05\nselect current_date;"
    )
    (folder / "decisions").mkdir()
    (folder / "decisions" / "DEC-0001.md").write_text(DECISION.format(status="accepted"), encoding="utf-8")
    write(folder, "0004_gone", header, up="alter table job alter status type int;", down=None, verify=verify)
    page = pages(folder)["migrations/0004_gone.html"]
    assert "Category contract: it is to only remove." in page.text
    assert "none is needed" in page.text
    assert "job.status, since 2026.10" in page.text
    assert "Writes a table anew." in page.text
    assert "DEC-0001" in [each.text for each in page.all("dd")]
    assert not [each for each in page.all("a") if each.text == "DEC-0001"]  # it is of another log than the site's
    assert [each.attributes["href"] for each in page.all("a") if each.text == "0003_job_fill"] == [
        "0003_job_fill.html"
    ] * 2
    for said in (
        "must return nothing",
        '[["2026-10-05",true],["2026-10-06",false]]',
        'Before up, must return "2026-10-05"',
    ):
        assert said in page.text, said


def test_a_decision_of_the_catalogs_own_log_is_linked(folder):
    settings = (folder / "migrations.toml").read_text(encoding="utf-8").replace(SETTINGS, "")
    link = folder.parent / "schemas"
    link.symlink_to(BUNDLED.folder)
    (folder / "migrations.toml").write_text(f'{settings}catalog = "../schemas"\n', encoding="utf-8")
    for path in folder.glob("*.sql"):
        path.unlink()
    write(
        folder,
        "0001_job",
        {"decision": "DEC-0001", "release": "2026.3"},
        up="create table job (id int);",
        down="drop table job;",
    )
    page = pages(folder)["migrations/0001_job.html"]
    (link,) = (each for each in page.all("a") if each.text == "DEC-0001")
    assert link.attributes["href"] == "../decisions/DEC-0001.html"


def test_locks_and_findings_stand_at_their_statements(folder):
    write(folder, "0004_index", up="create index job_status on job (status);", down="drop index job_status;")
    found = pages(folder)
    page = found["migrations/0004_index.html"]
    (migration,) = (each for each in values(folder)["migrations.html"]["migrations"] if each.id == "0004_index")
    first = migration.findings[0]
    assert first.rule == "index-not-concurrent"
    assert first.sentence in page.text
    assert f"#line-{first.line}" in [each.attributes.get("href") for each in page.all("a")]
    assert f"line-{first.line}" in page.ids
    assert "Locks job in SHARE." in page.text
    assert "CREATE INDEX CONCURRENTLY" in " ".join(each.text for each in page.all("pre"))
    rows = [each.text for each in found["migrations.html"].all("tr")]
    severities = Counter(each.severity.value for each in migration.findings)
    assert severities["error"] > 0
    for severity, count in severities.items():
        assert f"{count} {severity}{'s' * (count > 1)}" in rows[-1]
    assert "migrations/0004_index.html#lint" in [
        each.attributes.get("href") for each in found["migrations.html"].all("a")
    ]


def test_a_rehearsal_is_shown_with_its_picture_and_its_verdict(folder):
    migrations = Migrations.load(folder)
    before = {"0001_job": migrations["0001_job"].hash}
    fitting = {"hash": migrations["0002_job_source"].hash, "before": before}
    write_rehearsal(folder, msgspec.structs.replace(sample(id_="0002_job_source"), **fitting))
    found = pages(folder)
    page = found["migrations/0002_job_source.html"]
    assert "it took too long" in page.text
    assert "Rehearsal red" in page.text
    assert "outdated" not in page.text
    wide, narrow = page.all("svg")
    assert (wide.attributes["class"], narrow.attributes["class"]) == ("broad", "narrow")
    assert {wide.attributes["aria-labelledby"], narrow.attributes["aria-labelledby"]} <= set(page.ids)
    assert "SHARE on job, line 18: held 1.2 s" in [each.text for each in page.all("title")]
    assert "ACCESS EXCLUSIVE on job, 110 ms" in page.text
    assert "audit.entry has no primary key" in page.text
    assert "red" in [each.text for each in found["migrations.html"].all("tr")][2]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("0002_job_source", "It is outdated, as the file has changed since."),
        ("0001_job", "It is outdated, as the files before it are not as they were then."),
    ],
)
def test_a_rehearsal_of_other_files_says_so(folder, change, words):
    migrations = Migrations.load(folder)
    before = {"0001_job": migrations["0001_job"].hash}
    fitting = {"hash": migrations["0002_job_source"].hash, "before": before}
    write_rehearsal(folder, msgspec.structs.replace(sample(id_="0002_job_source", problems=()), **fitting))
    path = folder / f"{change}.sql"
    path.write_text(path.read_text(encoding="utf-8") + "-- a word\n", encoding="utf-8")
    found = pages(folder)
    assert words in found["migrations/0002_job_source.html"].text
    assert "green, outdated" in found["migrations.html"].text


def test_without_a_rehearsal_the_page_says_how_to_make_one(folder):
    page = pages(folder)["migrations/0001_job.html"]
    (how, *_) = (each for each in page.all("code") if "section" in each.around and "db rehearse" in each.text)
    assert how.text == "jobarium-events db rehearse 0001_job --migrations migrations"
    assert not page.all("svg")


def test_a_rehearsal_that_somebody_edited_is_not_believed(folder):
    write_rehearsal(folder, sample(id_="0001_job"))
    path = folder / "rehearsals" / "0001_job.json"
    path.write_text(path.read_text(encoding="utf-8").replace("it took too long", "fine"), encoding="utf-8")
    page = pages(folder)["migrations/0001_job.html"]
    command = "jobarium-events db rehearse 0001_job --migrations migrations"
    assert f"is not as a rehearsal wrote it; run {command} again" in page.text
    assert command in [each.text for each in page.all("code")]


def test_what_files_say_is_text(folder):
    header = dict.fromkeys(("owner", "rollback_plan", "feature_flag", "containment"), HOSTILE)
    write(
        folder,
        "0004_hostile",
        {**header, "alerts": [HOSTILE], "backfill": {"table": HOSTILE, "key": ["id"]}, "category": "migrate"},
        up=f"-- {HOSTILE}\ncomment on table job is '{HOSTILE.replace(chr(39), chr(39) * 2)}';",
        down=None,
        backfill="update job set status = '<script>' where id between $1 and $2;",
        verify=f"-- {HOSTILE}\n-- returns: '<script>'\nselect '<script>';",
    )
    migrations = Migrations.load(folder)
    hostile = msgspec.structs.replace(
        sample(id_="0004_hostile", problems=(HOSTILE,)),
        hash=migrations["0004_hostile"].hash,
        notes=(HOSTILE,),
        server_version=HOSTILE,
    )
    write_rehearsal(folder, hostile)
    page = pages(folder)["migrations/0004_hostile.html"]
    assert not page.all("script")
    assert page.text.count("alert(1)") >= 9
    assert all("style" not in each.attributes for each in page.elements)
    assert len(page.ids) == len(set(page.ids))


# ---------------------------------------------------------------- databases


def test_where_each_stands_is_asked_of_each_database(team):
    team.adds("0001_a", "a")
    team.adds("0002_b", "b")
    team.review("0001_a")
    team.flags()
    team.target("production").apply("0001_a")
    found = pages(team.folder, databases=(("production", team.database),))
    rows = [each.text for each in found["migrations.html"].all("tr")]
    assert rows[0].endswith("production development")
    assert rows[1].endswith("applied not asked")
    assert rows[2].endswith("pending not asked")
    first = found["migrations/0001_a.html"]
    stands = [each.text for each in first.all("tr")]
    assert any(re.fullmatch(r"production applied \d{4}-\d\d-\d\d \d\d:\d\d UTC", each) for each in stands)
    assert "development not asked" in stands
    assert "production" in [each.text for each in first.all("h3")]
    done = [each.text for each in first.all("li", class_="done")]
    assert any(each.startswith("Done Migration reviewed by CTO") for each in done)
    waiting = [each.text for each in found["migrations/0002_b.html"].all("li", class_="open")]
    assert any(each.startswith("Not done Migration reviewed by CTO") for each in waiting)
    assert not [each for each in found["migrations/0002_b.html"].all("b") if each.text == "Not asked"]
    said = (
        "Where each stands is what the database of production said when this page was made; that of development was not"
    )
    assert said in found["migrations.html"].text
    assert "No database was asked" not in first.text


def test_asking_writes_nothing(team):
    team.adds("0001_a", "a")
    before = team.query("select count(*) from pg_namespace")
    assert "pending" in pages(team.folder, databases=(("production", team.database),))["migrations.html"].text
    assert team.query("select count(*) from pg_namespace") == before


def test_a_migration_that_has_run_and_whose_file_is_gone_is_told_of(team):
    path = team.adds("0001_a", "a")
    team.adds("0002_b", "b")
    team.target().apply("0001_a")
    path.unlink()
    found = pages(team.folder, databases=(("development", team.database),))
    assert "0001_a has run in development, and its file is gone from the folder." in found["migrations.html"].text
    assert "migrations/0001_a.html" not in found


def test_what_went_wrong_is_shown(team):
    team.adds("0001_a", "a")
    target = team.target()
    target.apply("0001_a")
    path = team.folder / "0001_a.sql"
    path.write_text(path.read_text(encoding="utf-8") + "-- a word\n", encoding="utf-8")
    found = pages(team.folder, databases=(("development", team.database),))
    assert "its file was changed after it ran" in found["migrations.html"].text
    assert "its file was changed after it ran" in found["migrations/0001_a.html"].text


def test_a_database_that_cannot_be_asked_is_named_by_its_environment_and_not_by_its_password(folder):
    url = f"postgresql://ada:hush-hush@127.0.0.1:{servers.free_port()}/jobs"
    with pytest.raises(EnvironmentUnread) as raised:
        pages(folder, databases=(("production", url),))
    said = str(raised.value)
    assert said.startswith("the database of production cannot be asked where its migrations stand: ")
    assert said.endswith("; mend that, or leave production out")
    assert "hush-hush" not in said
    assert raised.value.__cause__ is None


@pytest.mark.parametrize("url", ["postgresql://ada:hush@hush@host/jobs", "mysql://ada:hush@host/jobs"])
def test_a_url_that_is_none_is_not_repeated(folder, url):
    with pytest.raises(EnvironmentUnread, match="the database of production") as raised:
        pages(folder, databases=(("production", url),))
    assert "hush" not in str(raised.value)


def test_an_environment_that_the_settings_do_not_have_is_named(team):
    team.adds("0001_a", "a")
    with pytest.raises(EnvironmentUnread, match="no environment 'live'; it has production, development"):
        pages(team.folder, databases=(("live", team.database),))


def test_a_database_of_another_environment_is_refused(team):
    team.adds("0001_a", "a")
    Target(team.database, Migrations.load(team.folder), environment="development", operator="olga").apply()
    with pytest.raises(EnvironmentUnread, match="the database of production"):
        pages(team.folder, databases=(("production", team.database),))
