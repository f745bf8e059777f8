"""What the commands say of how things stand: who is at work, what held a run, where the app went, whose database."""

from __future__ import annotations

import json
import re

from jobarium_events.migrations.applying.sessions import applying
from tests.migrations.team import counting


def test_what_is_half_done_is_under_way_only_while_somebody_is_at_it(run, team, of_team):
    team.adds("0001_source", "source", up="alter table job add column source text;\nselect 1 / 0;")
    run("db", "apply", *of_team())
    left = run("db", "status", *of_team())
    assert re.search(r"^0001_source +begun ", left.out, re.MULTILINE), left.out
    assert left.out.endswith("; nobody is at it: `db apply 0001_source` goes on\n")
    with applying(team.target()._connect):
        going = run("db", "status", *of_team())
    assert re.search(r"^0001_source +applying ", going.out, re.MULTILINE), going.out
    assert "nobody is at it" not in going.out
    (told,) = json.loads(run("db", "status", *of_team(), "--json").out)
    assert (told["stage"], told["left_by"]) == ("applying", "db apply 0001_source")


def test_a_paused_backfill_goes_on_only_once_it_is_resumed(run, team, of_team):
    counting(team)
    run("db", "backfill", "pause", "0001_fill", *of_team())
    run("db", "apply", *of_team())
    left = run("db", "status", *of_team())
    assert left.out.endswith("nobody is at it: `db backfill resume 0001_fill`, and then `db apply 0001_fill` goes on\n")
    assert ", begun" in run("db", "plan", *of_team()).out
    run("db", "backfill", "resume", "0001_fill", *of_team())
    assert "nobody is at it: `db apply 0001_fill` goes on" in run("db", "status", *of_team()).out


def test_a_way_back_that_nobody_is_at_is_told_by_its_own_command(run, team, of_team):
    team.adds("0001_source", "source", down="drop table missing;")
    run("db", "apply", *of_team())
    run("db", "rollback", "0001", *of_team())
    assert "nobody is at it: `db rollback 0001_source` goes on" in run("db", "status", *of_team()).out


def test_a_changed_file_is_told_by_the_beginnings_of_its_hashes(run, team, of_team):
    team.adds("0001_source", "source")
    run("db", "apply", *of_team())
    team.adds("0001_source", "place")
    for command in ("status", "plan", "apply"):
        ended = run("db", command, *of_team())
        hashes = re.findall(r"[0-9a-f]{12,}", ended.out + ended.err)
        assert [len(each) for each in hashes] == [12, 12], (command, ended)


def test_the_history_says_which_migration_each_run_is_about(run, team, of_team):
    team.adds("0001_source", "source", {"containment": "Leave the column, nobody reads it."}, down=None)
    team.adds("0002_place", "place")
    team.review("0001_source")
    run("db", "apply", *of_team("production"))
    run("db", "rollback", "0001", *of_team("production"), "--app-runs", "none")
    applied, contained = run("db", "history", *of_team("production")).out.splitlines()[2:]
    assert applied.endswith("held       0001_source up steps 1-2; 0002_place held by a gate")
    assert contained.endswith("contained  0001_source contained")
    held = json.loads(run("db", "history", *of_team("production"), "--json").out)[0]
    assert (held["result"], held["held"]) == ("held", "0002_place")


def test_what_was_not_verified_stands_in_one_line(run, team, of_team):
    team.adds("0001_source", "source", verify="-- the one\n-- returns: 1\nselect 2;\n-- returns: 3\nselect 4;")
    run("db", "apply", *of_team())
    text = "0001_source is not verified after up: the one: line 23: must return 1, and returned 2; query 2: line 25:"
    for command in (["history"], ["status"], ["plan"], ["checklist", "0001"]):
        ended = run("db", *command, *of_team())
        assert (text in ended.out, "\\n" in ended.out) == (True, False), ended.out


def test_where_gates_are_not_asked_the_plan_says_what_would_be_held(run, team, of_team):
    team.adds("0001_source", "source")
    line = "  gates are not asked here; where they are, "
    assert f"{line}it would be held for: rehearsal, review\n" in run("db", "plan", *of_team()).out
    team.rehearse("0001_source")
    assert f"{line}it would be held for: review\n" in run("db", "plan", *of_team()).out
    assert "gates are not asked" not in run("db", "plan", *of_team("production")).out
    told = json.loads(run("db", "plan", *of_team(), "--json").out)
    assert (told["asked"], told["migrations"][0]["elsewhere"]) == (False, ["review"])


def test_a_reason_for_no_gates_where_they_are_asked_is_told_to_change_nothing(run, team, of_team):
    team.adds("0001_source", "source")
    team.review("0001_source")
    done = run("db", "apply", *of_team("production"), "--without-gates", "we are late")
    assert (done.code, "it counts only where migrations.toml says `gates = false`" in done.err) == (0, True)
    assert "we are late" not in run("db", "history", *of_team("production")).out
    assert run("db", "apply", *of_team(), "--without-gates", "x").err.startswith("Error: this database is")


def test_an_app_that_goes_back_is_told_what_that_means(run, team, of_team):
    assert run("db", "deployed", "2026.11", *of_team()).out == "2026.11 is deployed\n"
    assert run("db", "deployed", "2026.10", *of_team()).out == (
        "2026.10 is deployed\n"
        "the app went back from 2026.11 to 2026.10: what is out of use since a release after 2026.10 may be in use "
        "again, and the releases after it count anew\n"
    )
    team.decide()
    team.flags(job_source=True)
    team.file(
        "0001_status",
        {
            "category": "contract",
            "feature_flag": "job-source",
            "decision": "DEC-0001",
            "out_of_use": {"job.status": "2026.11"},
        },
        up="set lock_timeout = '2s';\nalter table job drop column status;",
        down="alter table job add column status text;",
        verify="-- returns: 10\nselect count(*) from job;",
    )
    where_asked = dict(zip(of_team()[::2], of_team()[1::2], strict=True)) | {"--environment": "production"}
    run("db", "adopt", *of_team("production"), "--from", "development", "--because", "it is production")
    asked = [each for pair in where_asked.items() for each in pair]
    run("db", "deployed", "2026.11", *asked)
    run("db", "deployed", "2026.10", *asked)
    text = (
        "job.status: out of use since 2026.11, and the app went back from 2026.11 to 2026.10, so that it counts anew: "
        "2026.10 may use it, and neither 2026.11 nor a later release is deployed since"
    )
    assert text in run("db", "plan", *asked).out
    run("db", "deployed", "2026.11", *asked)
    text = "have to be deployed after it, and there is none since the app went back from 2026.11 to 2026.10"
    assert text in run("db", "plan", *asked).out


def test_a_mistake_in_the_decision_log_keeps_everything_from_being_done(run, team, of_team):
    team.adds("0001_source", "source")
    team.decide()
    path = team.folder / "decisions" / "DEC-0001.md"
    path.write_text(path.read_text().replace("## Why\n\nIt is there twice.", "## Why\n"))
    for command in (
        ("plan", *of_team()),
        ("apply", *of_team()),
        ("approve", "0001", *of_team(), "--role", "cto", "--by", "ada"),
        ("rehearse", "0001", "--migrations", team.folder),
    ):
        ended = run("db", *command)
        assert (ended.code, "says nothing in its section ## Why" in ended.err) == (1, True), (command, ended)
    assert team.query("select to_regclass('jobarium_migrations.record')") == [(None,)]
    assert not (team.folder / "rehearsals").exists()


def test_a_database_is_adopted_by_its_own_name(run, team, of_team):
    team.adds("0001_source", "source")
    run("db", "apply", *of_team())
    adopted = run(
        "db", "adopt", *of_team("production"), "--from", "development", "--because", "its first use was wrong"
    )
    assert adopted.code == 0
    assert adopted.out.splitlines() == [
        "the database is the environment 'production' now, and was 'development'",
        "where each migration stands is as it was; approvals and deployments from before count no more",
    ]
    assert run("db", "status", *of_team("production")).code == 0
    history = run("db", "history", *of_team("production")).out
    assert "done    was development: its first use was wrong" in history
    again = run("db", "adopt", *of_team("production"), "--from", "development", "--because", "x")
    assert (again.code, "it is the environment 'production' already" in again.err) == (1, True)


def test_a_session_that_is_lost_says_what_goes_on(run, team, of_team):
    verify = "-- returns: 0\nselect count(*) from pg_stat_activity where pg_terminate_backend(pg_backend_pid());"
    team.adds("0001_source", "source", verify=verify)
    lost = run("db", "apply", "0001", *of_team())
    assert (lost.code, lost.err.count("`db apply 0001` goes on from there")) == (2, 1), lost
