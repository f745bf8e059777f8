"""SQL in files of its own."""

import sqlite3

import pytest

from jobarium_events.statements import identifier, statements


@pytest.mark.parametrize(
    ("package", "file", "names"),
    [
        ("jobarium_events.postgres", "inbox.sql", {"tables", "expand", "claim", "claim_in_order", "kept", "prune"}),
        ("jobarium_events.sqlite", "inbox.sql", {"tables", "claim", "unclaim", "move", "prune"}),
        (
            "jobarium_events.postgres",
            "deadletters.sql",
            {"tables", "keep", "list", "kinds", "one", "drop", "replayed", "begin_replaying", "claim"},
        ),
        ("jobarium_events.sqlite", "deadletters.sql", {"tables", "keep", "list", "kinds", "one", "drop", "replayed"}),
    ],
)
def test_each_statement_has_a_name_and_no_comments(package, file, names):
    found = statements(package, file)
    assert set(found) == names
    assert not any("--" in text for text in found.values())


def test_any_name_can_be_a_tables():
    connection = sqlite3.connect(":memory:")
    odd = 'in"box -- {x} %'
    connection.execute(f"create table {identifier(odd)} (a)")
    assert connection.execute("select name from sqlite_master").fetchall() == [(odd,)]
    assert identifier(None, "a") == '"a"'
    assert identifier("s", "a") == '"s"."a"'
    connection.close()
