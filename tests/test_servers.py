from __future__ import annotations

import psycopg
import pytest

from tests import conftest, servers


def test_a_missing_server_skips_with_what_was_tried(monkeypatch):
    monkeypatch.delenv("JOBARIUM_REQUIRE", raising=False)

    def find():
        raise servers.Missing("Redis: none")

    with pytest.raises(pytest.skip.Exception, match="needs redis: Redis: none"):
        conftest.found("redis", find)


def test_a_required_server_fails_instead(monkeypatch):
    monkeypatch.setenv("JOBARIUM_REQUIRE", "nats, redis")

    def find():
        raise servers.Missing("Redis: none")

    with pytest.raises(pytest.fail.Exception, match="redis is required by JOBARIUM_REQUIRE"):
        conftest.found("redis", find)


def test_a_variable_that_leads_nowhere_is_said(monkeypatch):
    monkeypatch.setenv("REDIS_URL", f"redis://127.0.0.1:{servers.free_port()}")
    with pytest.raises(servers.Missing, match="Redis: the one at REDIS_URL cannot be used"):
        servers.redis_url.__wrapped__()


def test_a_browser_that_is_missing_is_said(monkeypatch):
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(servers.Missing, match="Chromium: CHROMIUM is not set, and there is none of chromium, "):
        servers.chromium.__wrapped__()
    monkeypatch.setenv("CHROMIUM", "/opt/chromium")
    assert servers.chromium.__wrapped__() == "/opt/chromium"


@pytest.mark.parametrize("server", ["postgres", "nats", "redis", "rabbitmq", "kafka", "mqtt", "pubsub"])
def test_every_server_is_found_or_started(server, request):
    found = request.getfixturevalue(server)
    assert found.url


def test_postgres_of_ones_own_survives_a_crash(own_postgres):
    with psycopg.connect(own_postgres.url) as connection:
        connection.execute("create table kept (n int)")
    own_postgres.crash()
    with psycopg.connect(own_postgres.url) as connection:
        assert connection.execute("select count(*) from kept").fetchone() == (0,)


async def test_nats_of_ones_own_keeps_its_streams(own_nats):
    nats = pytest.importorskip("nats")
    client = await nats.connect(own_nats.url)
    await client.jetstream().add_stream(name="kept", subjects=["kept"])
    await client.close()
    own_nats.kill()
    own_nats.start()
    client = await nats.connect(own_nats.url)
    assert (await client.jetstream().stream_info("kept")).config.name == "kept"
    await client.close()
