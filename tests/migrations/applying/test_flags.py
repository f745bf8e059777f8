"""Flags come through OpenFeature: from a file, from a team's provider, or from a client; the service's own stays."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest
from openfeature import api
from openfeature.provider.in_memory_provider import InMemoryFlag, InMemoryProvider

from jobarium_events.migrations import MigrationError, Migrations
from jobarium_events.migrations.applying.flags import Flag, FlagFile, Flags
from tests.migrations.written import folder_of

SETTINGS = 'releases = ["2026.12"]\n'


def in_memory(**flags):
    return InMemoryProvider({name: InMemoryFlag(str(value), {str(value): value}) for name, value in flags.items()})


@pytest.fixture(autouse=True)
def _no_providers():
    api.clear_providers()
    yield
    api.clear_providers()


@pytest.fixture
def folder(tmp_path):
    """Writes settings that name flags."""

    def made(named=None, text=None):
        more = "" if named is None else f'flags = "{named}"\n'
        folder_of(tmp_path, SETTINGS + more)
        if text is not None:
            (tmp_path / "flags.toml").write_text(text, encoding="utf-8", errors="surrogateescape")
        return Migrations.load(tmp_path)

    return made


def test_a_file_is_read_anew_each_time(folder):
    migrations = folder("flags.toml", "job-source = true\n")
    flags = Flags.of(migrations)
    assert flags["job-source"] == Flag("job-source", True)
    (migrations.folder / "flags.toml").write_text("job-source = false\n")
    assert flags["job-source"].value is False


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "there is no file .*flags.toml; make it"),
        ("", "has no flag 'job-source'; write `job-source = false` into it"),
        ('job-source = "yes"\n', "the flag 'job-source' is neither true nor false"),
        ("job-source = 1\n", "neither true nor false"),
        (
            "# ours\njob-source = yes\n",
            r"flags.toml:2: is no valid TOML: this is no value; .*write each flag as `NAME = true`",
        ),
        ("job-source = true\njob-source = false\n", "flags.toml:2: has 'job-source' twice; keep one of them"),
        ("# r\udce9glages\n", "flags.toml: is not encoded in UTF-8; save it so"),
    ],
)
def test_a_flag_that_is_not_known_is_neither_on_nor_off(folder, text, problem):
    flag = Flags.of(folder("flags.toml", text))["job-source"]
    assert flag.value is None
    with pytest.raises(AssertionError, match=problem):
        raise AssertionError(flag.problem)


def test_a_flag_file_that_cannot_be_read_is_told_without_a_traceback(folder, caplog):
    migrations = folder("flags.toml", None)
    (migrations.folder / "flags.toml").mkdir()
    flag = Flags.of(migrations)["job-source"]
    assert flag.value is None
    assert flag.problem.endswith("flags.toml cannot be read: is a directory; make it a file that can")
    assert caplog.records == []


def test_a_flag_is_turned_off_behind_a_byte_order_mark(folder):
    flags = Flags.of(folder("flags.toml", "\ufeffjob-source = true # ours\n"))
    flags.file.turn_off("job-source")
    assert flags["job-source"].value is False
    assert flags.file.path.read_bytes().decode() == "\ufeffjob-source = false # ours\n"


@pytest.mark.parametrize("kind", ["string", "integer", "float", "object"])
def test_a_flag_of_a_file_is_nothing_but_true_or_false(folder, kind):
    migrations = folder("flags.toml", "job-source = true\n")
    Flags.of(migrations)
    client = Flags.of(migrations)._client
    default = {"string": "", "integer": 0, "float": 0.0, "object": {}}[kind]
    details = getattr(client, f"get_{kind}_details")("job-source", default)
    assert (details.value, "each is true or false" in details.error_message) == (default, True)


def test_a_flag_is_turned_off_and_the_rest_of_the_file_stays(tmp_path):
    path = tmp_path / "flags.toml"
    text = '# ours\njob-source-more = true\n"job-source" = true  # since 2026.12\nother = true\n'
    path.write_text(text)
    FlagFile(path).turn_off("job-source")
    assert path.read_text() == text.replace('"job-source" = true', '"job-source" = false')
    for name in ("nothing", "ours"):
        with pytest.raises(MigrationError, match=f"has no line `{name} = true`"):
            FlagFile(path).turn_off(name)


def test_the_provider_of_the_service_is_used_where_nothing_is_named_and_never_replaced(folder):
    own = in_memory(**{"job-source": False})
    assert "no provider knows the flag" in Flags.of(folder())["job-source"].problem
    api.set_provider_and_wait(own)
    assert Flags.of(folder())["job-source"].value is False
    assert Flags.of(folder("flags.toml", "job-source = true\n"))["job-source"].value is True
    assert api.get_client().get_boolean_value("job-source", default_value=True) is False


def test_a_team_names_its_provider(folder, monkeypatch):
    module = ModuleType("teams_flags")
    module.provider = lambda: in_memory(**{"job-source": True})
    module.nothing = lambda: 3
    module.failing = lambda: 1 / 0
    monkeypatch.setitem(sys.modules, "teams_flags", module)
    flags = Flags.of(folder("teams_flags:provider"))
    assert (flags["job-source"].value, flags.file) == (True, None)
    for name, problem in (
        ("nothing", "returned int and no provider of OpenFeature"),
        ("failing", "made no provider: ZeroDivisionError"),
        ("missing", "made no provider: AttributeError"),
    ):
        with pytest.raises(MigrationError, match=problem):
            Flags.of(folder(f"teams_flags:{name}"))


def test_a_client_is_used_as_it_is(folder):
    api.set_provider_and_wait(in_memory(**{"job-source": True}), "teams")
    assert Flags.of(folder("flags.toml", ""), api.get_client("teams"))["job-source"].value is True
