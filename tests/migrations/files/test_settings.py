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
        ("a = 1\n\nb =\n", 3, "is no valid TOML: Invalid value"),
        ("releases = ['a']\nrelease = 'a'", 2, "has a key 'release' that means nothing"),
        ("\nreleases = 'a'", 2, "is wrong at releases: Expected `array`"),
        ("releases = [\n'a', 1]", 1, "is wrong at releases[1]: Expected `str`"),
        ("\nreleases = ['a', 'b', 'a']", 2, "has a release twice"),
        ("postgres = 12", 1, "is wrong at postgres: Expected `int` >= 13"),
        ("postgres = 19", 1, "is wrong at postgres: Expected `int` <= 18"),
        ("[roles]\ncfo = ['a']", 1, "is wrong at roles: Invalid enum value 'cfo'"),
        ("[roles]\ncto = 'a'", 1, "Expected `array`"),
        ("[environments.a]\ngate = false", 1, "has a key 'gate' that means nothing"),
        ("[environments.a]\n\n[environments.b]\nlock_timeout = 'x'", 1, "not a number and ms, s, m or h"),
        ("[environments.a]\nattempts = 0", 1, "Expected `int` >= 1"),
        ("[environments]\na = 1", 1, "Expected `object`"),
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
    # Which of several environments it is, msgspec does not say.
    assert found.line >= line if line else found.line == 0


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
