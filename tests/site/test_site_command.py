"""`jobarium-events site build`, as a user runs it."""

from __future__ import annotations

import pytest

from tests.cli.conftest import run  # noqa: F401 - a fixture
from tests.site.catalogs import counters
from tests.site.conftest import V1
from tests.site.parsed import Parsed


def test_it_says_what_it_did(run, tmp_path):  # noqa: F811
    ended = run("site", "build", "-o", tmp_path / "site")
    assert ended.code == 0
    pages = len(list((tmp_path / "site").rglob("*.html")))
    assert ended.out.replace("\n", "").startswith(f"{tmp_path / 'site'}: {pages} pages of 13 events; ")
    assert run("site", "build", "-o", tmp_path / "site").out.endswith("; 0 files written\n")


def test_it_has_the_title_that_is_given(run, tmp_path, shop_folder):  # noqa: F811
    given = "Ours <&> theirs"
    assert run("site", "build", shop_folder, "-o", tmp_path / "site", "--title", given).code == 0
    for path in (tmp_path / "site").rglob("*.html"):
        page = Parsed(path.read_bytes())
        assert page.one("a", class_="brand").text == given
        assert page.all("title")[0].text.endswith(given)


def test_a_folder_with_evidence(run, tmp_path, shop_folder):  # noqa: F811
    given = counters(tmp_path / "counters.txt", "shop-service", {V1: 1})
    ended = run("site", "build", shop_folder, "-o", tmp_path / "site", "--evidence", given)
    assert ended.code == 0
    assert "of 2 events" in ended.out
    assert "Who still has to move" in (tmp_path / "site/deprecations.html").read_text()


def test_a_file_of_counters_that_is_given_twice_counts_once(run, tmp_path, shop_folder, monkeypatch):  # noqa: F811
    monkeypatch.chdir(tmp_path)
    given = counters(tmp_path / "counters.json", "shop-service", {V1: 1})
    built = []
    for name, files in (("once", [given]), ("twice", [given, "counters.json"])):
        options = [option for file in files for option in ("--evidence", file)]
        assert run("site", "build", shop_folder, "-o", tmp_path / name, *options).code == 0
        built.append((tmp_path / name / "events/order.placed.html").read_text())
    assert "4,711" in built[0]
    assert built[0] == built[1]


def test_a_folder_without_migrations_is_refused_but_one_that_is_begun_is_not(run, tmp_path, shop_folder):  # noqa: F811
    ended = run("site", "build", "-o", tmp_path / "site", "--migrations", shop_folder)
    assert ended.code == 2
    said = " ".join(ended.err.split())
    assert f"{shop_folder} is no folder of migrations: it has neither migrations.toml nor a migration" in said
    assert "--migrations, or begin one by `db new`" in said
    assert not (tmp_path / "site").exists()
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun/migrations.toml").touch()
    assert run("site", "build", "-o", tmp_path / "site", "--migrations", tmp_path / "begun").code == 0
    assert "no migration yet" in (tmp_path / "site/migrations.html").read_text()


def test_a_folder_of_somebody_else_is_refused(run, tmp_path):  # noqa: F811
    (tmp_path / "thesis.txt").write_text("my own")
    ended = run("site", "build", "-o", tmp_path)
    assert ended.code == 2
    assert "holds other files" in ended.err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("given", ["staging", "=postgresql://x", "staging=", "postgresql://me:secret@host/db?a=b"])
def test_a_database_is_named_with_its_environment(run, tmp_path, given):  # noqa: F811
    ended = run("site", "build", "-o", tmp_path / "site", "--migrations", tmp_path, "--database", given)
    assert ended.code == 2
    assert "ENVIRONMENT=URL" in ended.err
    assert "secret" not in ended.err


def test_an_environment_is_named_once(run, tmp_path):  # noqa: F811
    twice = ["--database", "a=x", "--database", "a=y"]
    ended = run("site", "build", "-o", tmp_path / "site", "--migrations", tmp_path, *twice)
    assert ended.code == 2
    assert "the environment a is given twice" in ended.err


def test_a_database_without_migrations_is_refused(run, tmp_path):  # noqa: F811
    ended = run("site", "build", "-o", tmp_path / "site", "--database", "a=x")
    assert ended.code == 2
    assert "give --migrations" in " ".join(ended.err.replace("│", " ").split())


def test_mistakes_are_listed(run, tmp_path):  # noqa: F811
    (tmp_path / "schemas").mkdir()
    ended = run("site", "build", tmp_path / "schemas", "-o", tmp_path / "site")
    assert ended.code == 1
    assert "catalog.toml" in ended.err
    assert not (tmp_path / "site").exists()
    (tmp_path / "x.json").write_text("{}")
    ended = run("site", "build", "-o", tmp_path / "site", "--evidence", tmp_path / "x.json")
    assert ended.code == 2
    assert "is no file of counters" in ended.err
