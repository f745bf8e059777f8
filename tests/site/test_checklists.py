"""The checklists on the pages of migrations: asked of databases or not, their commands in full, one form of time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jobarium_events.migrations import Role
from jobarium_events.site.migrations.wording import Wording
from jobarium_events.site.rendering import coded
from tests import servers
from tests.conftest import found
from tests.migrations.conftest import fresh_database
from tests.migrations.team import SETTINGS, Team, around
from tests.migrations.written import folder_of, write
from tests.site.drawn import HOSTILE
from tests.site.test_migration_pages import pages

if TYPE_CHECKING:
    from tests.site.parsed import Parsed

ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
SAID = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC")


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    """A folder with a database of its own."""
    for url in fresh_database(found("postgres", servers.postgres_url)):
        yield Team(tmp_path / "team", url)


def marks(page: Parsed) -> dict[str, str]:
    """Return how each item of a checklist is marked, by its name."""
    ends = {"Migration reviewed by CTO", "Rollback or containment documented", "Rehearsed with realistic volumes"}
    texts = [each.text for each in page.all("li") if "ul" in each.around and each.attributes.get("class")]
    return {end: text.partition(f" {end}")[0] for text in texts for end in ends if f" {end}" in text}


def test_without_a_database_the_checklist_is_what_the_files_say(tmp_path):
    folder = folder_of(tmp_path / "migrations", SETTINGS)
    write(folder, "0001_job", {"alerts": ["errors"]}, up="create table job (id int);", down="drop table job;")
    listed = pages(folder)
    page = listed["migrations/0001_job.html"]
    assert marks(page) == {
        "Migration reviewed by CTO": "Not asked",
        "Rollback or containment documented": "Done",
        "Rehearsed with realistic volumes": "Not done",
    }
    assert [each.text for each in page.all("tr")][1:] == ["production not asked", "development not asked"]
    assert "No database was asked." in page.text
    head, row = (each.text for each in listed["migrations.html"].all("tr"))
    assert head.endswith("production development")
    assert row.endswith("not asked not asked")


def test_commands_are_written_in_full_and_as_code(tmp_path):
    folder = folder_of(tmp_path / "our migrations", SETTINGS)
    write(folder, "0001_job", {"risk": "high"})
    page = pages(folder)["migrations/0001_job.html"]
    codes = [each.text for each in page.all("code")]
    option = "--migrations 'our migrations'"
    assert f"jobarium-events db approve 0001_job --role cto --by NAME --environment ENVIRONMENT {option}" in codes
    assert f"jobarium-events db rehearse 0001_job {option}" in codes
    assert "alerts" in codes
    assert not [each for each in codes if each.startswith("db ")]
    assert "`" not in page.text
    assert str(tmp_path) not in page.text


def test_of_a_database_that_was_asked_commands_name_its_environment_and_times_have_one_form(team):
    team.adds("0001_a", "a", {"risk": "high"})
    team.review("0001_a")
    now = team.query("select now()")[0][0].replace(microsecond=0)
    window = around(now + timedelta(seconds=(30 - now.second) % 60))
    team.target("production").approve("0001_a", role=Role.CEO, by="grace", window=window)
    team.adds("0002_b", "b")
    found = pages(team.folder, databases=(("production", team.database),))
    first, second = (found[f"migrations/{id_}.html"] for id_ in ("0001_a", "0002_b"))
    command = "jobarium-events db approve 0002_b --role cto --by NAME --environment production --migrations team"
    assert command in [each.text for each in second.all("code")]
    (approved,) = (each.text for each in first.all("li") if "Approved by CEO" in each.text)
    moment = r"\d{4}-\d\d-\d\d \d\d:\d\d:30 UTC"
    assert re.search(rf"approved by grace for {moment} to {moment}$", approved)
    (reviewed,) = (each.text for each in first.all("li") if "reviewed by CTO" in each.text)
    assert SAID.search(reviewed)
    for page in (first, second):
        assert not ISO.search(page.text)
        assert "`" not in page.text


def test_code_between_backticks_is_escaped():
    assert coded(f"a `{HOSTILE}` b") == f"a <code>{coded(HOSTILE)}</code> b"
    assert "<script" not in coded(f"`{HOSTILE}`")
    assert coded("a ` b") == "a ` b"
    assert coded("`a` ` <") == "<code>a</code> ` &lt;"
    assert coded("") == ""


def test_only_commands_and_moments_are_said_otherwise():
    wording = Wording(Path("/srv/team"))
    for text in ("write `alerts` into it", "no `code", "at 2026-99-99T20:00Z", "at 0001-01-01T00:00+14:00", "a/b"):
        assert wording.said(text) == text
    assert wording.said("run `db lint`") == "run `jobarium-events db lint --migrations team`"
    adopted = "run `db adopt --environment live --from test`"
    assert wording.said(adopted, "test") == (
        "run `jobarium-events db adopt --environment live --from test --migrations team`"
    )
    assert wording.said("`a 2026-10-05T09:30Z` at 2026-10-05T09:30+02:00") == (
        "`a 2026-10-05T09:30Z` at 2026-10-05 07:30 UTC"
    )
    assert wording.said("/srv/team/rehearsals/1.json: torn") == "team/rehearsals/1.json: torn"
    assert wording.said("`db apply 1`", "a b") == "`jobarium-events db apply 1 --environment 'a b' --migrations team`"
