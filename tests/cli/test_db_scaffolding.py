"""`db new` begins a migration."""

from __future__ import annotations

import pytest

from tests.cli.conftest import said

NEW = ("db", "new", "job", "source", "--owner", "job-service")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path / "migrations"


def test_it_says_what_it_wrote_and_what_comes_next(run, folder):
    ended = run(*NEW, "--category", "expand", "--risk", "low", "--release", "2026.10")
    assert ended.code == 0
    assert ended.out.split("\n") == [
        "wrote migrations/migrations.toml",
        "wrote migrations/0001_job_source.sql",
        "",
        "Fill in what is empty there, write its SQL, and then:",
        "  jobarium-events db lint migrations/0001_job_source.sql",
        "  jobarium-events db rehearse 0001",
        "",
    ]
    assert (folder / "0001_job_source.sql").exists()
    assert 'releases = ["2026.10"]' in (folder / "migrations.toml").read_text()
    again = run(*NEW, "--category", "migrate")
    assert again.out.startswith("wrote migrations/0002_job_source.sql\n\n")


def test_the_folder_can_be_another(run, folder, tmp_path):
    assert run(*NEW, "--category", "contract", "--migrations", tmp_path / "db").code == 0
    assert not folder.exists()
    assert (tmp_path / "db" / "0001_job_source.sql").exists()


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--category", "extend"], "it is one of expand, migrate, contract, not 'extend'"),
        (["--category", "expand", "--risk", "medium"], "it is one of low, high, not 'medium'"),
        (["--category", "expand", "--owner", " "], "a migration has an owner"),
        (["--category", "expand", "ä"], "a migration is named by words"),
        ([], "Missing option '--category'"),
    ],
)
def test_misuse(run, folder, options, problem):
    ended = run(*NEW, *options)
    assert (ended.code, problem in said(ended.err)) == (2, True), ended.err
    assert not folder.exists()


def test_a_mistake_in_the_settings(run, folder):
    folder.mkdir()
    (folder / "migrations.toml").write_text("release = 1")
    ended = run(*NEW, "--category", "expand")
    assert ended.code in (1, 2)
    assert "migrations.toml:1: 'release' means nothing" in ended.err
    assert not list(folder.glob("*.sql"))
