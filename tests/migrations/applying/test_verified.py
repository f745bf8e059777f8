"""What is not verified is not run, or not applied; what is applied is verified again once its release is deployed."""

from __future__ import annotations

import pytest

from jobarium_events.migrations.applying.refusals import FileChanged, NotApplied
from jobarium_events.migrations.record.states import Stage
from jobarium_events.migrations.running.failures import NotVerified, StepFailed
from tests.migrations.team import stages


def test_what_is_not_verified_before_is_not_run(team):
    team.adds("0001_source", "source", verify="-- no jobs\n-- returns: 0\n-- when: before\nselect count(*) from job;")
    with pytest.raises(
        NotVerified, match=r"0001_source is not verified before up:\n  - no jobs: line .*must return 0, and"
    ):
        team.target().apply()
    assert team.columns() == ["id", "status"]
    assert team.target().status()[0].problem


def test_what_is_not_verified_after_is_not_applied_and_asked_again(team):
    team.adds("0001_source", "source", verify="-- no jobs\n-- returns: 0\nselect count(*) from job;")
    with pytest.raises(NotVerified, match="after up"):
        team.target().apply()
    assert team.target().history()[-1].result == "failed"
    assert stages(team.target()) == {"0001_source": Stage.APPLYING}
    item = next(each for each in team.target().checklist("0001") if "verification" in each.name)
    assert (item.done, "must return 0, and returned 10" in item.text) == (False, True)
    team.query("delete from job")
    assert team.target().apply().done == ("0001_source",)
    assert next(each for each in team.target().checklist("0001") if "verification" in each.name).done


def verification(team, id_="0001"):
    """The line of the checklist on it."""
    return next(each for each in team.target().checklist(id_) if "verification" in each.name)


def test_what_is_applied_is_verified_again_once_its_release_is_deployed(team):
    team.adds("0001_source", "source", verify="-- ten jobs\n-- returns: 10\nselect count(*) from job;")
    with pytest.raises(NotApplied, match=r"0001_source is pending here, and .* `db apply 0001_source`"):
        team.target().verify("0001")
    assert team.target().verify() == ()
    team.target().apply()
    before = verification(team)
    assert (before.done, before.text.endswith("; 2026.10 is not recorded as deployed yet")) == (True, True)
    team.target().deployed("2026.10")
    due = verification(team)
    assert (due.done, due.text.endswith("ask them again: `db verify 0001_source`")) == (False, True)
    (asked,) = team.target().verify()
    assert (asked.migration, asked.ok, [check.name for check in asked.checks]) == ("0001_source", True, ["ten jobs"])
    done = verification(team)
    assert (done.done, done.text.endswith(", since 2026.10 is deployed")) == (True, True)
    team.query("delete from job where id = 1")
    (asked,) = team.target().verify("0001")
    assert (asked.ok, "must return 10, and returned 9" in asked.checks[0].problem) == (False, True)
    assert (verification(team).done, stages(team.target())) == (False, {"0001_source": Stage.APPLIED})
    assert "must return 10" in team.target().status()[0].problem
    team.query("insert into job values (1, 'back')")
    assert team.target().verify()[0].ok
    assert team.target().status()[0].problem is None


def test_what_a_later_one_has_removed_is_not_asked_for_unless_it_is_named(team):
    team.adds("0001_source", "source")
    up = "alter table job drop column source;"
    team.file(
        "0002_gone",
        {"category": "contract", "containment": "none"},
        up=up,
        down=None,
        verify="-- returns: 10\nselect count(*) from job;",
    )
    team.target().apply()
    first, last = team.target().verify()
    assert (first.outdated_by, first.checks, first.ok) == ("0002_gone", (), True)
    assert (last.outdated_by, last.ok) == (None, True)
    assert not team.target().verify("0001")[0].ok
    assert team.target().status()[0].problem is None  # whoever asks all the same has nothing to mend


def test_what_a_later_one_removes_is_not_asked_for_once_that_has_begun(team):
    team.adds("0001_source", "source")
    team.file(
        "0002_gone",
        {"category": "contract", "containment": "none"},
        up="alter table job drop column source;",
        down=None,
        verify="-- returns: 0\nselect count(*) from job;",
    )
    with pytest.raises(NotVerified):
        team.target().apply()
    (asked,) = team.target().verify()
    assert asked.outdated_by == "0002_gone"


def test_one_that_has_removed_nothing_yet_outdates_nothing(team):
    team.adds("0001_source", "source")
    up = "create table other (id int);\nselect 1 / 0;\nalter table job drop column source;"
    team.file("0002_gone", {"category": "contract", "containment": "none"}, up=up, down=None)
    with pytest.raises(StepFailed):
        team.target().apply()
    (asked,) = team.target().verify()
    assert (asked.outdated_by, asked.ok) == (None, True)


def test_what_was_wrong_counts_no_more_once_a_later_one_has_removed_what_it_was_about(team):
    team.adds("0001_source", "source")
    team.target().apply()
    team.query("update job set source = 'form'")
    assert not team.target().verify()[0].ok
    assert "must return 0" in team.target().status()[0].problem
    up = "alter table job drop column source;"
    down = "alter table job add column source text;"
    verify = "-- returns: 10\nselect count(*) from job;"
    team.file("0002_gone", {"category": "contract", "containment": "none"}, up=up, down=down, verify=verify)
    team.target().apply()
    assert team.target().status()[0].problem is None
    assert not team.target().verify("0001")[0].ok
    assert team.target().status()[0].problem is None
    team.target().rollback("0002", app_runs="none")
    assert "column" in team.target().status()[0].problem
    team.target().verify()
    assert team.target().status()[0].problem is None


def test_what_is_verified_again_is_what_ran(team):
    path = team.adds("0001_source", "source")
    team.target().apply()
    path.write_text(path.read_text() + "\n")
    with pytest.raises(FileChanged):
        team.target().verify()
