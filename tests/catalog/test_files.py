"""A catalog's files are the same to the loader, wherever they are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobarium_events.catalog.files import FolderFiles, KeptFiles
from jobarium_events.catalog.loading import load_files, load_folder
from jobarium_events.errors import CatalogError
from tests.folders import TEXT, schema, table, write


def kept(folder: Path) -> KeptFiles:
    """The files of a folder, in memory."""
    files = FolderFiles(folder)
    return KeptFiles({path: files.read(path) for path in files.paths()})


def test_files_in_memory_are_read_as_those_of_a_folder(tmp_path: Path) -> None:
    write(tmp_path, table("thing.made", {"v1": 'key = "k:{id}"'}), {"thing.made/v1.json": schema({"id": TEXT})})
    (manifest, entries), (other, others) = load_folder(tmp_path), load_files(kept(tmp_path), "memory")
    assert manifest == other
    assert [each.contract.schema for each in entries] == [each.contract.schema for each in others]


def test_the_mistakes_are_the_same_as_well(tmp_path: Path) -> None:
    schemas = {"thing.made/v1.json": "{", "thing.made/one.json": "{}", "stray.json": "{}", ".git/x/v1.json": "{}"}
    write(tmp_path, table("thing.made", {"v2": 'key = "k:{id}"'}), schemas)
    raised = []
    for load in (lambda: load_folder(tmp_path), lambda: load_files(kept(tmp_path), str(tmp_path))):
        with pytest.raises(CatalogError) as error:
            load()
        raised.append(error.value)
    assert raised[0] == raised[1]
    assert {each.file for each in raised[0].problems} >= {"stray.json", "thing.made/one.json", "catalog.toml"}


def test_a_manifest_can_be_missing_in_memory_too() -> None:
    with pytest.raises(CatalogError, match=r"the catalog memory has 1 mistake:\n  - catalog.toml: is missing"):
        load_files(KeptFiles({}), "memory")


def test_a_file_that_is_not_there_is_no_file() -> None:
    with pytest.raises(FileNotFoundError):
        KeptFiles({}).read("catalog.toml")
