"""A database's URL that cannot be read is told without its password, and with the way out."""

from __future__ import annotations

import psycopg
import pytest

from jobarium_events.errors import DeclarationError
from jobarium_events.postgres import connecting
from jobarium_events.postgres.connecting import aconnect, check_url

ENCODED = "percent-encoded, such as %40 for @"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql+psycopg://postgres:hunter2@127.0.0.1/x", "postgresql+psycopg://: write postgresql://"),
        ("postgres+asyncpg://postgres:hunter2@127.0.0.1/x", "postgres+asyncpg://: write postgresql://"),
        ("mysql://root:hunter2@127.0.0.1/x", "mysql://: write postgresql://, for a Postgres"),
        ("postgresql://postgres:x@hunter2@127.0.0.1/x", ENCODED),
        ("postgresql://postgres:x/hunter2@127.0.0.1/x", ENCODED),
        ("postgresql://postgres:hunter2%zz@127.0.0.1/x", ENCODED),
        ("postgresql://postgres:hunter2[@[127.0.0.1/x", ENCODED),
        ("postgres hunter2", "write postgresql://user:password@host:5432/name"),
    ],
)
async def test_what_cannot_be_read_is_told_without_its_password(url, said):
    for check in (check_url, aconnect):
        with pytest.raises(DeclarationError) as refused:
            await check(url)
        assert said in str(refused.value)
        assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "dbname=x host=@abstract",
        "postgresql://postgres:p%40ss@127.0.0.1:5432/x?connect_timeout=3",
        "postgres://a:1,b:2/x",
        "postgresql:///x?host=/tmp",
    ],
)
def test_what_can_be_read_is_left_alone(url):
    assert check_url(url) is None


@pytest.mark.parametrize(
    ("url", "variables", "seconds"),
    [
        ("postgresql://h/x", {}, "10"),
        ("postgresql://h/x?connect_timeout=3", {}, "3"),
        ("postgresql://h/x", {"PGCONNECT_TIMEOUT": "4"}, None),
    ],
)
async def test_a_connection_is_not_waited_for_forever(monkeypatch, url, variables, seconds):
    given = {}

    async def connect(**parts):
        given.update(parts)

    monkeypatch.delenv("PGCONNECT_TIMEOUT", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(psycopg.AsyncConnection, "connect", connect)
    await connecting.aconnect(url, "a relay")
    assert (given.get("connect_timeout"), given["fallback_application_name"]) == (seconds, "a relay")
