"""Each rule has an example that fails and one that passes; the page shows them, and both run on Postgres."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from jobarium_events.cli.app import app
from jobarium_events.migrations.files.migration import read_migration
from jobarium_events.migrations.files.parsing import SqlError, parameters, parse
from jobarium_events.migrations.lint.findings import Finding, Severity
from jobarium_events.migrations.lint.linting import lint_files
from jobarium_events.migrations.lint.rules import RULES
from tests import servers
from tests.conftest import found
from tests.migrations.conftest import SERVERS, fresh_database
from tests.migrations.lint.observing import emptied
from tests.migrations.lint.rules_page import PageExample, baseline, explained, page_examples, safe_forms

EXAMPLES = page_examples()
EVERY = pytest.mark.parametrize("example", EXAMPLES, ids=[each.name for each in EXAMPLES])


@pytest.fixture(scope="module", params=SERVERS)
def rules_database(request: pytest.FixtureRequest) -> Iterator[str]:
    """A database for all examples, which each of them empties first; to make one for each takes minutes."""
    is_newest = request.param == "newest"
    yield from fresh_database(
        request.getfixturevalue("newest_postgres") if is_newest else found("postgres", servers.postgres_url)
    )


def test_the_page_lists_every_rule_as_it_is() -> None:
    page = explained()
    assert page == {id_: said(id_) for id_ in page}
    assert set(page) == set(RULES)


def said(id_: str) -> str:
    rule = RULES[id_]
    return f"{rule.severity.capitalize()}{', which nobody can allow' if rule.firm else ''}. {rule.why}"


def test_every_rule_has_an_example_that_fails_and_one_that_passes() -> None:
    assert {each.rule for each in EXAMPLES if each.fails} == set(RULES)
    assert {each.rule for each in EXAMPLES if not each.fails} == set(RULES)


@EVERY
def test_a_failing_example_breaks_its_rule_and_a_passing_one_breaks_none(example: PageExample, tmp_path: Path) -> None:
    report = lint_files([example.written(tmp_path)], postgres=[18] if example.newest else [])
    broken = {finding.rule for finding in report.findings}
    assert example.rule in broken if example.fails else not broken, report.findings


@EVERY
def test_an_example_runs(example: PageExample, tmp_path: Path, rules_database: str) -> None:
    with on_the_baseline(rules_database, example) as connection:
        if example.refused:
            with pytest.raises((psycopg.Error, SqlError)):
                run(connection, example, tmp_path)
        else:
            run(connection, example, tmp_path)


FAILING = [each for each in EXAMPLES if each.fails]


@pytest.mark.parametrize("example", FAILING, ids=[each.rule for each in FAILING])
def test_what_is_to_be_written_instead_runs(example: PageExample, tmp_path: Path, rules_database: str) -> None:
    path = example.written(tmp_path)
    report = lint_files([path], postgres=[15])
    wanted = [each for each in report.findings if each.rule == example.rule and is_sql(each.safe)]
    with on_the_baseline(rules_database, example) as connection:
        if example.rule == "required-column":
            connection.execute("delete from job")  # what the rows that are there get is for their owner to say
        for finding in wanted:
            before = [each for each in parse(path.read_text()) if each.line < finding.line]
            for statement in (*before, *parse(finding.safe)):
                connection.execute(statement.text, [1] * len(parameters(statement)))


def test_the_page_says_why_where_a_rule_prints_no_sql(tmp_path: Path) -> None:
    bare = set()
    for place, example in enumerate(FAILING):
        report = lint_files([example.written(tmp_path / str(place))], postgres=[18] if example.newest else [])
        if not all(is_sql(each.safe) for each in report.findings if each.rule == example.rule):
            bare.add(example.rule)
    said = safe_forms()
    assert set(said) == bare
    assert all("; " in each or ", " in each for each in said.values())


def is_sql(safe: str) -> bool:
    """Whether it is SQL, and not lines for the header or for a decision alone."""
    return not safe.startswith("[[") and any(not line.startswith("--") for line in safe.splitlines())


@pytest.mark.parametrize("example", FAILING, ids=[each.rule for each in FAILING])
def test_what_is_written_instead_has_values_for_a_range_in_a_backfill_alone(
    example: PageExample, tmp_path: Path
) -> None:
    """Pasted into another section, they are refused."""
    for finding in lint_files([example.written(tmp_path)]).findings:
        if not is_sql(finding.safe) or example.rule.startswith("backfill-"):
            continue
        for where, sql in parted(finding.safe):
            assert where.startswith("backfill") or not any(map(parameters, parse(sql))), finding.safe


def parted(safe: str) -> list[tuple[str, str]]:
    """Return the parts of what is to be written instead, each with the section that it says."""
    first, *others = re.split(r"^-- in ([^\n]+):$", safe, flags=re.MULTILINE)
    return [("", first), *zip(others[::2], others[1::2], strict=True)]


@pytest.mark.parametrize(
    ("sql", "where"),
    [
        ("alter table job add column origin text not null default 'form'", ["up", "backfill", "up, in a later"]),
        ("alter table job add column origin text not null", ["up", "up, in a later"]),
        ("alter table job alter column source set not null", ["up, once"]),
        ("alter table job add column token uuid default gen_random_uuid()", ["up", "backfill"]),
        ("update job set pay = 1", ["backfill"]),
    ],
)
def test_what_is_written_instead_says_where_each_part_belongs(sql: str, where: list[str], tmp_path: Path) -> None:
    finding = next(each for each in linted(sql, tmp_path) if "-- in " in each.safe)
    found = [name for name, _ in parted(finding.safe)[1:]]
    assert len(found) == len(where)
    assert all(name.startswith(start) for name, start in zip(found, where, strict=True)), found


def linted(sql: str, folder: Path) -> tuple[Finding, ...]:
    example = PageExample("", fails=True, plain=False, refused=False, newest=False, sql=f"{sql};\n")
    return lint_files([example.written(folder)]).findings


def test_a_required_column_with_a_default_is_not_said_to_be_refused(tmp_path: Path) -> None:
    required = [each for each in FAILING if each.rule == "required-column"]
    texts = [
        finding.text
        for place, example in enumerate(required)
        for finding in lint_files([example.written(tmp_path / str(place))]).findings
        if finding.rule == "required-column"
    ]
    assert ["default" in example.sql for example in required] == ["refused" not in text for text in texts]


ENDED_BEFORE = [
    "heavy-locks-together",
    "validated-with-its-adding",
    "enum-value-used-at-once",
    "concurrently-in-transaction",
]


@pytest.mark.parametrize("rule", ENDED_BEFORE)
def test_a_transaction_that_is_ended_before_is_begun_anew(rule: str, tmp_path: Path) -> None:
    example = next(each for each in FAILING if each.rule == rule)
    path = example.written(tmp_path)
    finding = next(each for each in lint_files([path]).findings if each.rule == rule)
    lines = path.read_text().splitlines()
    lines[finding.line - 1] = finding.safe
    path.write_text("\n".join(lines))
    assert not {rule, "transaction-open", "migration-mistake"} & {each.rule for each in lint_files([path]).findings}


@pytest.mark.parametrize(
    ("sql", "writes", "keeps"),
    [
        ("alter table job rename column source to origin", ("source", "'old'", "origin", "'new'"), ("old", "new")),
        ("alter table job alter column pay type bigint", ("pay", "1", "pay_new", "2"), (1, 2)),
        ("alter table employer rename column country to land", ("country", "'AT'", "land", "'FR'"), ("AT", "FR")),
    ],
)
def test_what_keeps_two_columns_alike_loses_nothing_of_what_either_code_writes(
    sql: str, writes: tuple[str, ...], keeps: tuple[object, ...], tmp_path: Path, rules_database: str
) -> None:
    (finding,) = [each for each in linted(sql, tmp_path) if each.rule in ("rename-column", "type-change")]
    command = finding.safe.splitlines()[-1].removeprefix("-- jobarium-events ")
    shown = CliRunner().invoke(app, shlex.split(command), catch_exceptions=False).stdout
    added = shown.partition("-- name: up\n")[2].partition("-- name: down")[0]
    table = sql.split()[2]
    rest = "employer_id, title, status" if table == "job" else "contact"
    old, old_value, new, new_value = writes
    with on_the_baseline(rules_database, FAILING[0]) as connection:
        for statement in (*parse(finding.safe), *parse(added)):
            connection.execute(statement.text)
        values = "1, 'Cook', 'open'" if table == "job" else "'two@example.org'"
        for id_, column, value in ((7, old, old_value), (8, new, new_value)):
            connection.execute(f"insert into {table} (id, {rest}, {column}) values ({id_}, {values}, {value})")
        found = connection.execute(f"select {old}, {new} from {table} where id > 6 order by id").fetchall()
    assert found == [(each, each) for each in keeps]


@pytest.mark.parametrize("text", ["", "\n", " \n\n"])
def test_what_a_command_that_failed_has_not_printed_may_not_run(text: str) -> None:
    (finding,) = lint_files(["-"], stdin=text.splitlines(keepends=True)).findings
    assert (finding.severity, finding.text) == (
        Severity.ERROR,
        "cannot be read: has no statement; did the command before it fail?",
    )


def test_a_standard_input_that_is_not_utf_8_is_told_so() -> None:
    lines = [b"select 1; -- a\xff\n".decode(errors="surrogateescape")]
    (finding,) = lint_files(["-"], stdin=lines).findings
    assert (finding.file, finding.text) == ("-", "is not encoded in UTF-8; save it so")


@contextmanager
def on_the_baseline(url: str, example: PageExample) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url, autocommit=True, cursor_factory=psycopg.RawCursor) as connection:
        if example.newest and connection.info.server_version < 180000:
            pytest.skip("it is for Postgres 18 and newer")
        connection.execute("set client_min_messages = error")
        connection.execute("set synchronous_commit = off")
        emptied(connection)
        for statement in parse(baseline()):
            connection.execute(statement.text)
        yield connection


def run(connection: psycopg.Connection, example: PageExample, folder: Path) -> None:
    path = example.written(folder)
    if example.plain:
        for statement in parse(path.read_text()):
            connection.execute(statement.text)
        return
    if example.rule == "migration-mistake" and example.fails:
        return  # its header cannot be read, so that it is never run
    migration = read_migration(path)
    for statement in (*migration.up, *migration.down):
        connection.execute(statement.text)
    if migration.backfill is not None:
        connection.execute(migration.backfill.text, [1] * len(parameters(migration.backfill)))
