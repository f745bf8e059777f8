"""A database that takes no changes is told with the way out, and can be looked at all the same."""

from __future__ import annotations

import pytest
from psycopg.conninfo import make_conninfo

from jobarium_events.errors import DeclarationError
from jobarium_events.migrations import Role, install
from jobarium_events.migrations.record.states import Stage
from jobarium_events.postgres import Outbox
from tests.migrations.backfills.test_lag import primary, replica  # noqa: F401 - fixtures


@pytest.mark.parametrize(
    ("make", "way_out"),
    [
        (None, "leave it out of the options of the URL, or of PGOPTIONS"),
        ("database {name} set", '`alter database "{name}" reset default_transaction_read_only`'),
        ("role {role} in database {name} set", '`alter role "{role}" in database "{name}" reset default_'),
    ],
)
def test_what_makes_a_database_read_only_is_told_with_the_way_out(team, make, way_out):
    team.adds("0001_source", "source")
    target = team.target()
    name, role = team.query("select current_database(), current_user")[0]
    url = make_conninfo(team.database, options="" if make else "-c default_transaction_read_only=on")
    if make:
        team.query(f"alter {make.format(name=name, role=role)} default_transaction_read_only = on")
    read_only = type(target)(url, target.migrations, environment="development", operator="olga")
    for change in (
        read_only.apply,
        lambda: read_only.deployed("2026.10"),
        lambda: read_only.approve("0001", role=Role.CTO, by="ada"),
        lambda: install(url, Outbox(), environment="development", operator="olga"),
    ):
        with pytest.raises(DeclarationError) as told:
            change()
        assert "takes no changes, as default_transaction_read_only is on" in str(told.value)
        assert way_out.format(name=name, role=role) in str(told.value)
    assert [each.stage for each in read_only.status()] == [Stage.PENDING]
    if make:
        writable = make_conninfo(team.database, options="-c default_transaction_read_only=off")
        target = type(target)(writable, target.migrations, environment="development", operator="olga")
    assert target.apply().done == ("0001_source",)


def test_a_replica_takes_no_changes_and_the_primary_does(team, replica):  # noqa: F811
    team.adds("0001_source", "source")
    target = team.target()
    of_replica = type(target)(replica.url, target.migrations, environment="development", operator="olga")
    with pytest.raises(DeclarationError, match="as its server is a replica; give the URL of the primary"):
        of_replica.apply()
