"""`db lint`: what it prints, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from jobarium_events.cli.app import app

UNSAFE = "set lock_timeout = '2s';\ncreate index job_title on job (title);\n"
SAFE = "set lock_timeout = '2s';\ncreate index concurrently job_title on job (title);\n"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str, stdin: str = "") -> tuple[int, str]:
    result = CliRunner().invoke(app, ["db", "lint", *arguments], input=stdin)
    return result.exit_code, result.output


def test_a_finding_is_printed_with_its_line_and_the_sql_to_write_instead() -> None:
    Path("a.sql").write_text(UNSAFE)
    code, output = run("a.sql", "--postgres", "15")
    assert code == 1
    assert output == (
        "a.sql:2: error [index-not-concurrent]\n"
        "    builds an index on job while all writes to it wait; build it concurrently\n"
        "    instead:\n"
        "        CREATE INDEX CONCURRENTLY job_title ON job USING btree (title);\n"
        "\n"
        "1 file, 2 statements, for Postgres 15: 1 error: may not run as it is\n"
    )


def test_all_is_well() -> None:
    Path("a.sql").write_text(SAFE)
    assert run("a.sql") == (0, "1 file, 2 statements, for Postgres 13 to 18: may run as it is\n")


def test_a_warning_alone_is_no_failure() -> None:
    Path("a.sql").write_text("set lock_timeout = '2s';\nupdate job set title = '' where id = 1;\n")
    code, output = run("a.sql")
    assert (code, "warning [data-not-batched]" in output) == (0, True)


def test_the_standard_input_is_read() -> None:
    code, output = run("-", "--format", "github", stdin=UNSAFE)
    assert code == 1
    assert output.startswith("::error file=-,line=2,title=index-not-concurrent::builds an index")


def test_json_gives_each_statement() -> None:
    Path("a.sql").write_text(UNSAFE)
    code, output = run("a.sql", "--format", "json", "--postgres", "13", "--postgres", "18")
    told = json.loads(output)
    assert (code, told["ok"], told["versions"]) == (1, False, [13, 18])
    index = told["statements"][1]
    assert (index["file"], index["line"], index["kind"]) == ("a.sql", 2, "create-index")
    assert index["locks"] == [{"table": "job", "mode": "ShareLock"}]
    assert (index["rewrite"], index["scan"]) == (False, True)
    assert [rule["rule"] for rule in index["rules"]] == ["index-not-concurrent"]


def test_sarif_is_written() -> None:
    Path("a.sql").write_text(UNSAFE)
    code, output = run("a.sql", "--format", "sarif")
    (result,) = json.loads(output)["runs"][0]["results"]
    assert (code, result["ruleId"]) == (1, "index-not-concurrent")
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 2}


@pytest.mark.parametrize("arguments", [["missing.sql"], [], ["--postgres", "12"], ["--format", "xml"]])
def test_misuse_is_told_without_a_traceback(arguments: list[str]) -> None:
    code, output = run(*arguments)
    assert code == 2
    assert "Traceback" not in output


def test_without_names_it_is_the_folder_of_migrations() -> None:
    Path("migrations").mkdir()
    Path("migrations", "a.sql").write_text(UNSAFE)
    code, output = run()
    assert (code, output.partition(":")[0]) == (1, "migrations/a.sql")


@pytest.mark.parametrize("named", ["7", "0007", "0007_title"])
def test_a_migration_is_named_by_its_id_or_its_number_as_elsewhere(named: str) -> None:
    Path("elsewhere").mkdir()
    Path("elsewhere", "0007_title.sql").write_text(UNSAFE)
    Path("elsewhere", "0070_title.sql").write_text(SAFE)
    code, output = run(named, "--migrations", "elsewhere")
    assert (code, output.partition(":")[0]) == (1, "elsewhere/0007_title.sql")


def test_a_path_is_no_number_and_a_number_that_nothing_has_is_told() -> None:
    Path("migrations").mkdir()
    Path("migrations", "0007_title.sql").write_text(UNSAFE)
    assert run("8") == (2, "Error: 8: No such file or directory\n")
    Path("7").mkdir()
    Path("7", "a.sql").write_text(SAFE)
    assert run("7")[0] == 0


def test_sql_that_cannot_be_read_is_found_wrong() -> None:
    Path("a.sql").write_text("select 1;\ncrate table x ();\n")
    code, output = run("a.sql")
    assert (code, output.partition("\n")[0]) == (1, "a.sql:2: error [sql-unreadable]")


def test_without_a_folder_it_is_said_where_migrations_are() -> None:
    code, output = run()
    assert code == 2
    assert "there is no folder migrations; go to where it is, name it by --migrations, or begin one" in output


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--format", "xml", "'--format': 'xml' is not one of 'text', 'json', 'github', 'sarif'."),
        ("--postgres", "12", "'--postgres': it has to be 13 or more"),
        ("--postgres", "19", "'--postgres': it has to be 18 or less"),
        ("--postgres", "new", "'--postgres': it has to be a whole number"),
    ],
)
def test_a_wrong_option_is_told_without_the_words_of_a_library(option: str, value: str, said: str) -> None:
    code, output = run("a.sql", option, value)
    assert code == 2
    assert said in " ".join(output.replace("│", " ").split())


@pytest.mark.parametrize("command", [["lint"], ["plan"], ["status"], ["rehearse", "0001"], ["checklist", "0001"]])
def test_a_mistake_in_a_file_is_found_by_every_command(command: list[str]) -> None:
    Path("migrations").mkdir()
    Path("migrations/migrations.toml").write_text("postgres = 12\n")
    Path("migrations/0001_a.sql").write_text("select 1;\n")
    asks_database = command[0] in ("plan", "status", "checklist")
    options = ["--database", "postgresql://127.0.0.1:1/none", "--environment", "a"] if asks_database else []
    result = CliRunner().invoke(app, ["db", *command, *options])
    assert result.exit_code == 1
    assert "'postgres' is 12; write a whole number from 13 to 18" in result.output


def test_a_migration_that_there_is_not_is_told_with_those_that_there_are() -> None:
    Path("migrations").mkdir()
    result = CliRunner().invoke(app, ["db", "rehearse", "9"])
    assert (result.exit_code, "there is no migration '9'; the folder has none yet" in result.output) == (2, True)


def test_where_no_database_is_reached_its_url_is_to_be_checked_and_no_password_is_shown() -> None:
    Path("migrations").mkdir()
    url = "postgresql://me:topsecret@127.0.0.1:1/none"
    result = CliRunner().invoke(app, ["db", "status", "--database", url, "--environment", "a"])
    assert result.exit_code == 2
    assert "Connection refused. Is the server running on that host" in result.output
    assert result.output.endswith("? Check the URL of the database: DATABASE_URL, or --database\n")
    assert "topsecret" not in result.output
