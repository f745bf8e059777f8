"""What a comment with a reason allows, what only a decision allows, and what nothing does."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events.migrations.lint.linting import lint_files
from jobarium_events.migrations.lint.rules import RULES
from tests.migrations.lint.linted import BEFORE, TABLE, folder, rules, up
from tests.migrations.lint.rules_page import DECISION
from tests.strategies import examples


@pytest.mark.parametrize(
    "comment", ["-- lint: allow index-not-concurrent: it is small\n{}", "{} -- lint: allow index-not-concurrent: small"]
)
def test_a_finding_is_allowed_above_or_behind_its_statement(tmp_path: Path, comment: str) -> None:
    statement = "create index job_pay on job (pay);"
    (tmp_path / "a.sql").write_text(f"set lock_timeout = '2s';\n{comment.format(statement)}\n")
    assert lint_files([tmp_path / "a.sql"]).findings == ()


RULE_IDS = st.sampled_from(sorted(RULES))


@given(rule=RULE_IDS, reason=st.sampled_from(["", ":", ": ", ": it is small"]))
@examples(100)
def test_nothing_is_allowed_without_a_reason(tmp_path_factory: pytest.TempPathFactory, rule: str, reason: str) -> None:
    path = tmp_path_factory.mktemp("allow") / "a.sql"
    path.write_text(f"set lock_timeout = '2s';\n-- lint: allow {rule}{reason}\ncreate index job_pay on job (pay);\n")
    found = rules(lint_files([path]))
    is_allowed = rule == "index-not-concurrent" and reason.endswith("small")
    assert ("index-not-concurrent" in found) is not is_allowed
    assert bool(found) is not is_allowed


CHECK = "alter table job drop constraint job_status_check;"


@pytest.mark.parametrize(
    ("sql", "head", "found"),
    [
        ("comment on column job.pay is 'a month';", "", []),  # the first meaning is nobody's change
        ("comment on column job.pay is 'a month';\ncomment on column job.pay is 'a year';", "", ["meaning-changed"]),
        ("comment on column job.pay is 'a month';\ncomment on column job.pay is 'a month';", "", []),
        (
            "comment on column job.pay is 'a month';\ncomment on column job.pay is 'a year';",
            '-- decision = "DEC-0007"\n',
            [],
        ),
        (CHECK, '-- category = "contract"\n', ["meaning-changed"]),
        ("comment on column other.pay is 'a month';", "", ["meaning-unknown"]),
    ],
)
def test_a_meaning_changes_only_by_a_decision(tmp_path: Path, sql: str, head: str, found: list[str]) -> None:
    folder(tmp_path, _0001_job=up("0001_job", TABLE), _0002_meaning=up("0002_meaning", sql, head))
    meanings = [rule for rule in rules(lint_files([tmp_path])) if rule.startswith("meaning")]
    assert meanings == found


@pytest.mark.parametrize(
    ("status", "found"), [("accepted", []), ("proposed", ["meaning-changed"]), ("rejected", ["meaning-changed"])]
)
def test_only_an_accepted_decision_allows_a_meaning(tmp_path: Path, status: str, found: list[str]) -> None:
    sql = "comment on column job.pay is 'a year';"
    head = '-- decision = "DEC-0007"\n'
    folder(tmp_path, _0001_job=up("0001_job", TABLE), _0002_pay=up("0002_pay", sql, head))
    (tmp_path / "baseline.sql").write_text("")
    (tmp_path / "0001_job.sql").write_text(up("0001_job", f"{TABLE}comment on column job.pay is 'a month';"))
    (tmp_path / "decisions" / "DEC-0007.md").write_text(DECISION.replace('"accepted"', f'"{status}"'))
    assert rules(lint_files([tmp_path])) == found


FIRM = [
    ("record-touched", "select 'jobarium_migrations.record';"),
    ("record-touched", "create function f() returns void language plpgsql as $$ begin jobarium_migrations; end $$;"),
    ("lock-let-go", "discard all;"),
    ("lock-let-go", "select id from job where pg_advisory_unlock(1);"),
    ("meaning-changed", "alter table job add constraint s check (status in ('open')) not valid;"),
    ("removal-unnamed", "drop schema archive cascade;"),
    ("removal-unnamed", "drop type kind cascade;"),
    ("removal-unnamed", "drop owned by somebody;"),
    ("removal-unnamed", "alter table job drop column pay cascade;"),
    ("removal-unnamed", "do $$ begin drop table job; end $$;"),
]


@pytest.mark.parametrize(("rule", "sql"), FIRM)
def test_a_firm_rule_is_not_allowed(tmp_path: Path, rule: str, sql: str) -> None:
    contract = '-- category = "contract"\n'
    text = f"-- lint: allow {rule}: it does no harm\n{sql}"
    folder(tmp_path, _0001_job=up("0001_job", TABLE), _0002_more=up("0002_more", text, contract))
    found = rules(lint_files([tmp_path]))
    assert {rule, "allow-unknown"} <= {*found}


ALLOWED = [
    ("rename-column", "alter table job rename column pay to salary;"),
    ("rename-table", "alter table job rename to task;"),
    ("type-change", "alter table job alter column pay type bigint;"),
    ("required-unfilled", "alter table job add constraint p check (pay is not null) not valid;"),
    ("drop-default", "alter table site alter column name drop default;"),
    ("revoke", "revoke select on job from public;"),
]


@pytest.mark.parametrize(("rule", "sql"), ALLOWED)
def test_what_breaks_running_code_needs_a_decision_and_not_only_a_reason(tmp_path: Path, rule: str, sql: str) -> None:
    folder(tmp_path, _0001_job=up("0001_job", BEFORE))
    path = tmp_path / "0002_more.sql"
    for head, allow, found in (
        ("", "", {rule}),
        ("", rule, {"breaking-undecided"}),
        ('-- decision = "DEC-0007"\n', "", {rule}),
        ('-- decision = "DEC-0007"\n', rule, set()),
    ):
        text = f"-- lint: allow {allow}: we are sure\n{sql}" if allow else sql
        path.write_text(up("0002_more", text, head))
        assert {rule, "breaking-undecided"} & {*rules(lint_files([path]))} == found, head


def test_what_is_not_decided_says_why(tmp_path: Path) -> None:
    folder(tmp_path, _0001_job=up("0001_job", BEFORE))
    path = tmp_path / "0002_more.sql"
    text = "-- lint: allow rename-column: we are sure\nalter table job rename column pay to salary;"
    path.write_text(up("0002_more", text))
    (finding,) = [each for each in lint_files([path]).findings if each.rule == "breaking-undecided"]
    assert finding.text == (
        "renames job.pay, which code that runs still asks for; allowing rename-column is not enough for that, and the "
        "header names no decision"
    )
    log = tmp_path / "decisions" / "DEC-0007.md"
    log.write_text(DECISION.replace('"accepted"', '"proposed"'))
    path.write_text(up("0002_more", text, '-- decision = "DEC-0007"\n'))
    (finding,) = [each for each in lint_files([path]).findings if each.rule == "breaking-undecided"]
    assert finding.text.endswith("and DEC-0007 is proposed")
    text = "alter table job add column b int;\n-- name: down\n-- lint: allow rename-column: on the way back\n"
    path.write_text(up("0002_more", f"{text}alter table job rename column pay to salary;"))
    assert "breaking-undecided" not in rules(lint_files([path]))
