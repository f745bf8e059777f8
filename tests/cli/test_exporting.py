"""`jobarium-events export`; what is exported, `tests/exports` has."""

import json
from pathlib import Path

import pytest
import yaml

from jobarium_events import Catalog
from jobarium_events.exports import as_json, as_yaml, asyncapi_document, eventcatalog_files, jsonschema_files
from tests.cli.conftest import Run, said
from tests.folders import chain
from tests.test_writing import contents


@pytest.fixture
def schemas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of six versions of an event, and its parent as the current folder."""
    chain(tmp_path / "schemas")
    monkeypatch.chdir(tmp_path)
    return Path("schemas")


def test_asyncapi_is_printed_where_no_file_is_named(run: Run) -> None:
    document = asyncapi_document(Catalog.bundled(), title="Jobarium events")
    assert run("export", "asyncapi").out == as_json(document).decode()
    assert run("export", "asyncapi", "--format", "yaml").out == as_yaml(document).decode()


@pytest.mark.parametrize(
    ("name", "options", "form"),
    [
        ("a.json", [], as_json),
        ("a.yaml", [], as_yaml),
        ("a.yml", [], as_yaml),
        ("a", [], as_json),
        ("a.yml", ["--format", "json"], as_json),
        ("a.json", ["--format", "yaml"], as_yaml),
    ],
)
def test_asyncapi_is_written_in_the_form_of_the_files_name(run: Run, schemas: Path, name, options, form) -> None:
    ended = run("export", "asyncapi", schemas, "-o", name, *options)
    assert ended == (0, f"{name}: 1 channel, 4 messages, 2 operations\n", "")
    assert Path(name).read_bytes() == form(asyncapi_document(Catalog.load(schemas)))


def test_options_of_asyncapi(run: Run, schemas: Path) -> None:
    options = ["--title", "Things", "--service", "taker", "--drafts", "--retired"]
    document = json.loads(run("export", "asyncapi", schemas, *options).out)
    assert document == asyncapi_document(
        Catalog.load(schemas), title="Things", service="taker", drafts=True, retired=True
    )


def test_a_service_that_there_is_not(run: Run, schemas: Path) -> None:
    ended = run("export", "asyncapi", schemas, "--service", "nobody")
    assert ended.code == 2
    assert ended.err == "Error: service 'nobody' neither sends nor reads an event; there are: maker, taker\n"


def test_checking_asyncapi(run: Run, schemas: Path) -> None:
    command = ["export", "asyncapi", schemas, "-o", "the api.yaml", "--service", "maker", "--title", "T", "--retired"]
    again = "run: jobarium-events export asyncapi schemas -o 'the api.yaml' --service maker --title T --retired\n"
    told = run(*command, "--check")
    assert told == (1, f"the api.yaml: missing\n1 file out of date; {again}", "")
    assert not Path("the api.yaml").exists()
    run(*command)
    assert run(*command, "--check") == (0, "1 file up to date\n", "")
    Path("the api.yaml").write_text("changed")
    assert run(*command, "--check") == (1, f"the api.yaml: different\n1 file out of date; {again}", "")
    assert Path("the api.yaml").read_text() == "changed"


def test_there_is_nothing_to_check_without_a_file(run: Run) -> None:
    ended = run("export", "asyncapi", "--check")
    assert ended.code == 2
    assert "there is nothing to check; name the file with -o FILE" in said(ended.err)


FOLDERS = {
    "jsonschema": (jsonschema_files, ["--closed", "--drafts"], {"closed": True, "drafts": True}),
    "eventcatalog": (eventcatalog_files, ["--domain", "Things", "--retired"], {"domain": "Things", "retired": True}),
}


@pytest.mark.parametrize("what", FOLDERS)
def test_a_folder_is_written_and_checked(run: Run, schemas: Path, what: str) -> None:
    files_of, options, chosen = FOLDERS[what]
    listed = f".jobarium-events-{what}.json"
    command = ["export", what, schemas, "-o", "out", *options]
    files = files_of(Catalog.load(schemas), **chosen)
    again = f"run: jobarium-events export {what} schemas -o out {' '.join(options)}\n"
    ended = run(*command, "--check")
    assert (ended.code, ended.out.splitlines()[-1] + "\n") == (1, f"{len(files)} files out of date; {again}")
    assert not Path("out").exists()
    told = f"out: {len(files)} files, {len(files)} of them new or changed\n"
    assert run(*command) == (0, told, "")
    found = contents(Path("out"))
    assert json.loads(found.pop(listed))["files"] == sorted(files)
    assert found == files
    assert run(*command, "--check") == (0, f"{len(files)} files up to date\n", "")
    one, *_ = files
    (Path("out") / one).write_text("changed")
    assert run(*command, "--check") == (1, f"out/{one}: different\n1 file out of date; {again}", "")
    run(*command)
    (Path("out") / listed).write_text(json.dumps({"about": "", "files": []}))
    assert run(*command, "--check") == (1, f"out/{listed}: different\n1 file out of date; {again}", "")


def test_stale_files_are_named_and_removed(run: Run, schemas: Path) -> None:
    run("export", "jsonschema", schemas, "-o", "out", "--drafts")
    Path("out/README.md").write_text("mine")
    ended = run("export", "jsonschema", schemas, "-o", "out", "--check")
    assert ended.out.splitlines() == [
        "out/thing.made/v4.json: stale",
        "1 file out of date; run: jobarium-events export jsonschema schemas -o out",
    ]
    told = "out: 4 files, 0 of them new or changed, 1 stale one removed\n"
    assert run("export", "jsonschema", schemas, "-o", "out").out == told
    assert {"README.md", "thing.made/v1.json"} < contents(Path("out")).keys()
    assert not Path("out/thing.made/v4.json").exists()


def test_files_of_somebody_else_are_left_alone(run: Run, schemas: Path) -> None:
    Path("out/thing.made").mkdir(parents=True)
    Path("out/thing.made/v1.json").write_text("mine")
    ended = run("export", "jsonschema", schemas, "-o", "out")
    assert ended.code == 2
    # What cannot be mended by writing is no difference to be mended so.
    assert run("export", "jsonschema", schemas, "-o", "out", "--check") == ended
    assert ended.err.startswith("Error: out has files of somebody else where this command writes; move them")
    assert contents(Path("out")) == {"thing.made/v1.json": b"mine"}


def test_two_exports_may_share_a_folder(run: Run, schemas: Path) -> None:
    for _ in range(2):
        for what in FOLDERS:
            assert run("export", what, schemas, "-o", "out").code == 0
    for what in FOLDERS:
        assert run("export", what, schemas, "-o", "out", "--check").code == 0


@pytest.mark.parametrize("check", [[], ["--check"]], ids=["written", "checked"])
@pytest.mark.parametrize(
    ("what", "output"),
    [
        ("asyncapi", "schemas/asyncapi.json"),
        ("asyncapi", "schemas/catalog.toml"),
        ("jsonschema", "schemas/out"),
        ("eventcatalog", "elsewhere/../schemas"),
    ],
)
def test_nothing_is_exported_into_the_catalog_itself(
    run: Run, schemas: Path, what: str, output: str, check: list[str]
) -> None:
    before = contents(schemas)
    kind = "file" if what == "asyncapi" else "folder"
    told = f"Error: {output} lies within the catalog schemas, which would take it for an event; "
    ended = run("export", what, schemas, "-o", output, *check)
    assert ended == (2, "", f"{told}name a {kind} outside of it\n")
    assert contents(schemas) == before


def test_the_domain_of_the_bundled_catalog(run: Run, tmp_path: Path) -> None:
    run("export", "eventcatalog", "-o", tmp_path / "out")
    page = (tmp_path / "out/domains/Jobarium-events/index.mdx").read_text(encoding="utf-8")
    assert yaml.safe_load(page.split("---\n")[1])["name"] == "Jobarium events"


def test_a_folder_with_mistakes(run: Run, schemas: Path) -> None:
    (schemas / "thing.made/v1.json").write_text("{")
    for what in ("asyncapi", *FOLDERS):
        ended = run("export", what, schemas, "-o", "out")
        assert ended.code == 1
        assert "thing.made/v1.json: is no valid JSON" in ended.err
    assert not Path("out").exists()
