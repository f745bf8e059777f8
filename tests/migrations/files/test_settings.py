"""`migrations.toml`: every key, and every mistake with its line."""

from __future__ import annotations

import re

import pytest

from jobarium_events.errors import DeclarationError
from jobarium_events.migrations import Environment, MigrationError, Role, Settings
from jobarium_events.migrations.files.settings import read_settings
from tests.migrations.written import folder_of


def test_none_are_those_by_default(tmp_path):
    assert read_settings(tmp_path) == Settings()
    assert read_settings(folder_of(tmp_path, "")) == Settings()


def test_all_of_them(tmp_path):
    settings = read_settings(
        folder_of(
            tmp_path,
            '\ufeffreleases = ["1", "2"]\nbaseline = "b.sql"\nflags = "f.toml"\npostgres = 15\n'
            '[roles]\ncto = ["ada"]\nceo = []\n'
            '[environments.production]\ngates = false\nlock_timeout = "1s"\nstatement_timeout = "2h"\nattempts = 3\n'
            'replicas = ["postgresql://a"]\n[environments.staging]\n',
        )
    )
    assert (settings.releases, settings.baseline, settings.flags, settings.postgres) == (
        ("1", "2"),
        "b.sql",
        "f.toml",
        15,
    )
    assert settings.roles == {Role.CTO: ("ada",), Role.CEO: ()}
    production = settings.environments["production"]
    assert (production.gates, production.lock_timeout, production.statement_timeout) == (False, 1, 7200)
    assert (production.attempts, production.replicas) == (3, ("postgresql://a",))
    assert settings.environments["staging"] == Environment()
    assert Environment().gates


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a = 1\n\nb =\n", 3, "is no valid TOML: this is no value; a text stands in quotation marks"),
        ("releases = ['a']\nrelease = 'a'", 2, "'release' means nothing; write one of catalog, releases, baseline"),
        ("\nreleases = 'a'", 2, "'releases' is a text; write a list with a text for each entry"),
        ("releases = [\n'a', 1]", 1, "entry 2 of 'releases' is a whole number; write a text"),
        ("\nreleases = ['a', 'b', 'a']", 2, "has a release twice"),
        ("postgres = 12", 1, "'postgres' is 12; write a whole number from 13 to 18"),
        ("postgres = 19", 1, "'postgres' is 19; write a whole number from 13 to 18"),
        ("[roles]\ncfo = ['a']", 2, "'roles.cfo' means nothing; write one of cto, ceo"),
        ("[roles]\ncto = 'a'", 2, "'roles.cto' is a text; write a list"),
        ("[environments.a]\ngate = false", 2, "'environments.a.gate' means nothing; write one of gates, lock_timeout"),
        (
            "[environments.a]\n\n[environments.b]\nlock_timeout = 'x'",
            4,
            "'environments.b.lock_timeout' is not a number",
        ),
        ("[environments.a]\nattempts = 0", 2, "'environments.a.attempts' is 0; write a whole number of at least 1"),
        ("[environments]\na = 1", 2, "'environments.a' is a whole number; write a table"),
        ("catalog = 'nowhere'", 0, "names a catalog with a mistake: "),
    ],
)
def test_mistakes(tmp_path, text, line, said):
    folder = folder_of(tmp_path, text)
    with pytest.raises(MigrationError) as caught:
        read_settings(folder)
    found = caught.value.mistakes[0]
    assert found.file == str(folder / "migrations.toml")
    assert said in found.text
    assert found.line == line


def test_every_mistake_is_told_at_once(tmp_path):
    folder = folder_of(tmp_path, "postgres = 12\n[roles]\ncto = 'a'\n[environments.a]\ngates = 1")
    with pytest.raises(MigrationError) as caught:
        read_settings(folder)
    assert [each.line for each in caught.value.mistakes] == [1, 3, 5]


def test_another_encoding(tmp_path):
    (tmp_path / "migrations.toml").write_bytes(b"baseline = '\xe9'")
    with pytest.raises(MigrationError, match=re.escape("migrations.toml: is not encoded in UTF-8")):
        read_settings(tmp_path)


def test_releases_are_those_of_the_catalog(tmp_path):
    catalog = tmp_path / "schemas"
    catalog.mkdir()
    (catalog / "catalog.toml").write_text('releases = ["2026.10"]\nplanned = ["2026.11"]\n', encoding="utf-8")
    folder = folder_of(tmp_path / "migrations", 'catalog = "../schemas"\n')
    assert read_settings(folder).releases == ("2026.10", "2026.11")
    folder_of(folder, 'catalog = "../schemas"\nreleases = ["2026.10"]\n')
    with pytest.raises(MigrationError, match=r"migrations\.toml:2: has both 'catalog' and 'releases'"):
        read_settings(folder)


def test_a_replica_from_a_variable(monkeypatch):
    environment = Environment(replicas=("postgresql://a", "env:REPLICA"))
    monkeypatch.setenv("REPLICA", "postgresql://b")
    assert environment.replica_urls == ("postgresql://a", "postgresql://b")
    for how in (lambda: monkeypatch.setenv("REPLICA", ""), lambda: monkeypatch.delenv("REPLICA")):
        how()
        with pytest.raises(DeclarationError, match="the environment variable REPLICA is to have the URL of a replica"):
            assert environment.replica_urls
