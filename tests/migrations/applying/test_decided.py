"""What breaks running code, or means something else, needs a decision that was accepted."""

from __future__ import annotations

import pytest

from jobarium_events.migrations import MigrationError
from jobarium_events.migrations.applying.refusals import Closed
from jobarium_events.migrations.rehearsal.report import ProbeResult
from tests.migrations.team import gates, removes


def test_what_breaks_needs_an_accepted_decision(team):
    removes(team)
    assert "it removes job.status, and its header names no decision" in gates(team, "0001")["decision"].text
    removes(team, {"decision": "DEC-0001"})
    assert "the decision log has no DEC-0001" in gates(team, "0001")["decision"].text
    team.decide("proposed")
    found = gates(team, "0001")["decision"]
    assert (found.passed, found.text.startswith("DEC-0001 is proposed; it is needed as accepted")) == (False, True)
    team.decide()
    found = gates(team, "0001")["decision"]
    assert (found.passed, found.text) == (True, "DEC-0001 is accepted")


def probe(when="old", failed=21):
    return ProbeResult(
        name="select from job", sql="select", when=when, writes=False, count=41, failed=failed, error="E", idle=None,
        p95=None, most=0.1,
    )  # fmt: skip


def decided(team):
    """What the checklist says of the decision."""
    (item,) = [each for each in team.target("production").checklist("0001") if each.name.startswith("Decision")]
    return item.done, item.text


BREAKING = [
    ("rename-column", "alter table job rename column status to state;", "renames job.status, which code that runs"),
    ("type-change", "alter table job alter column id type bigint;", "changes the type of job.id, which writes"),
    ("required-unfilled", "alter table job alter column status set not null;", "requires job.status, which code that"),
    ("rename-column", "alter table job add c int;\nalter table job rename status to state;", "renames job.status,"),
]


@pytest.mark.parametrize("category", ["expand", "migrate", "contract"])
@pytest.mark.parametrize(("rule", "up", "said"), BREAKING)
def test_what_breaks_running_code_needs_an_accepted_decision_whatever_a_comment_allows(team, category, rule, up, said):
    *before, last = up.splitlines()
    up = "\n".join([*before, f"-- lint: allow {rule}: we are sure", last])
    team.file("0001_it", {"category": category, "containment": "call the team"}, up=up, down=None)
    found = gates(team, "0001")["decision"]
    assert (found.passed, said in found.text, "and its header names no decision" in found.text) == (False, True, True)
    assert decided(team) == (False, found.text)
    team.decide()
    own = {"category": category, "containment": "call the team", "decision": "DEC-0001"}
    team.file("0001_it", own, up=up, down=None)
    assert decided(team) == (True, "DEC-0001 is accepted")


@pytest.mark.parametrize("when", ["old", "both"])
def test_what_a_rehearsal_saw_fail_of_the_old_code_is_breaking(team, when):
    team.adds("0001_source", "source")
    assert decided(team) == (
        True,
        "no statement of it breaks code that runs, as far as can be told before a rehearsal",
    )
    team.rehearse("0001_source", "it failed", probes=(probe(when),))
    assert decided(team) == (
        False,
        (
            "in its rehearsal 'select from job' of the old code failed 21 of 41 times, and its header names no "
            "decision; write one, and name it there"
        ),
    )
    assert not gates(team, "0001")["decision"].passed
    for quiet in (probe("new"), probe(failed=0)):
        team.rehearse("0001_source", probes=(quiet,))
        assert decided(team) == (
            True,
            "no statement of it breaks code that runs, and none of the old code failed in its rehearsal",
        )
    team.rehearse("0001_source", "it failed", probes=(probe(when),))
    team.adds("0001_source", "source2")
    assert decided(team)[0], "that was another file"


MEANT = [
    "comment on column job.status is 'where it stands';",
    "comment on column public.job.status is 'where it stands';",
    "comment on column job.status is null;",
    "comment on type state is 'where it stands';",
]


@pytest.mark.parametrize("up", MEANT)
def test_a_comment_is_held_against_the_one_that_the_database_has(team, up):
    team.query("create type state as enum ('on', 'off')")
    team.query("alter table job alter column status type state using null")
    team.file("0001_it", up=up, down="select 1;", verify="-- returns: 10\nselect count(*) from job;")
    assert "decision" not in gates(team, "0001")
    team.query("comment on type state is 'of a switch'")
    team.query("comment on column job.status is 'a switch'")
    found = gates(team, "0001")["decision"]
    assert (found.passed, found.text) == (
        False,
        (
            "it changes what job.status means, as the database has another comment there, and its header names no "
            "decision; write one, and name it there"
        ),
    )
    assert decided(team) == (False, found.text)
    team.review("0001_it")
    with pytest.raises(Closed, match=r"changes what job\.status means"):
        team.target("production").apply("0001")
    own = {"decision": "DEC-0001"}
    team.decide()
    team.file("0001_it", own, up=up, down="select 1;", verify="-- returns: 10\nselect count(*) from job;")
    found = gates(team, "0001")["decision"]
    assert (found.passed, "DEC-0001 does not name it; have one accepted" in found.text) == (False, True)
    team.decide("accepted", "status")
    assert gates(team, "0001")["decision"].passed
    team.review("0001_it")
    assert team.target("production").apply("0001").done == ("0001_it",)


def test_a_comment_that_is_there_already_changes_nothing(team):
    up = "comment on column job.status is 'where it stands';\ncreate table new (id int primary key, at text);\n"
    up += "comment on column new.at is 'when';"
    team.query("comment on column job.status is 'where it stands'")
    team.file("0001_it", up=up, down="drop table new;")
    assert "decision" not in gates(team, "0001")


def test_a_meaning_that_the_files_know_is_decided_by_its_column(team):
    team.file("0001_first", up="comment on column job.status is 'a';", down="select 1;")
    team.decide()
    for up in ("comment on column job.status is 'b';", "-- lint: allow meaning-changed: yes\n{}"):
        text = up.format("comment on column job.status is 'b';")
        team.file("0002_it", {"decision": "DEC-0001"}, up=text, down="select 1;")
        found = gates(team, "0002")
        assert (found["lint"].passed, found["decision"].passed) == (False, False)
        assert "changes what job.status means, and DEC-0001 does not name it" in found["decision"].text
        team.file("0002_it", up=text, down="select 1;")
        assert "changes what job.status means, and its header names no" in gates(team, "0002")["decision"].text
    team.decide("accepted", "status")
    team.file("0002_it", {"decision": "DEC-0001"}, up="comment on column job.status is 'b';", down="select 1;")
    found = gates(team, "0002")
    assert (found["lint"].passed, found["decision"].passed) == (True, True)


@pytest.mark.parametrize("category", ["expand", "migrate", "contract"])
def test_a_decision_that_is_none_is_a_mistake_of_the_header(team, category):
    team.decide()
    path = team.adds("0001_source", "source", {"category": category, "decision": "DEC-0099"})
    with pytest.raises(MigrationError, match=r"names DEC-0099, which is not in the decision log, ") as raised:
        team.target()
    (mistake,) = raised.value.mistakes
    line = path.read_text().splitlines().index('-- decision = "DEC-0099"') + 1
    assert (mistake.file, mistake.line) == (str(path), line)
    team.adds("0001_source", "source", {"decision": "DEC-0001"})
    assert team.target().apply().done == ("0001_source",)


def test_a_catalog_without_a_log_has_no_decision(team):
    (team.folder / "schemas").mkdir()
    (team.folder / "schemas" / "catalog.toml").write_text('releases = ["2026.09", "2026.10"]\n')
    path = team.folder / "migrations.toml"
    path.write_text(path.read_text().replace(path.read_text().splitlines()[1], 'catalog = "schemas"'))
    team.adds("0001_source", "source", {"decision": "DEC-0001"})
    with pytest.raises(MigrationError, match="names DEC-0001, and the catalog has no decision log, "):
        team.target()
