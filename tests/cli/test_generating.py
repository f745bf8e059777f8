"""`jobarium-events generate`; what is generated, `tests/test_generation.py` has."""

import os
import stat
from pathlib import Path

import pytest

from jobarium_events import Catalog
from jobarium_events.generation import Style, generate
from tests.cli.conftest import Run


@pytest.mark.parametrize("style", list(Style))
def test_it_writes_the_module_in_the_style_that_is_asked_for(
    run: Run, folder: Path, tmp_path: Path, style: Style
) -> None:
    output = tmp_path / "payloads.py"
    assert run("generate", folder, "-o", output, "--style", style) == (0, f"{output}: 1 contract, style {style}\n", "")
    entry = Catalog.load(folder).entry("order.placed", "v1")
    assert output.read_text(encoding="utf-8") == generate([entry], style=style, source="the catalog in shop")


def test_struct_is_the_style_if_none_is_asked_for(run: Run, folder: Path, tmp_path: Path) -> None:
    assert run("generate", folder, "--output", tmp_path / "x.py").out.endswith("style struct\n")


def test_no_path_of_this_machine_is_in_it(
    run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    run("generate", ".", "-o", tmp_path / "x.py")
    text = (tmp_path / "x.py").read_text()
    assert "the catalog in shop," in text
    assert str(tmp_path) not in text


def test_a_module_is_replaced_and_keeps_its_mode(run: Run, folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "payloads.py"
    output.write_text("old")
    output.chmod(0o640)
    run("generate", folder, "-o", output)
    assert "old" not in output.read_text()
    assert stat.S_IMODE(output.stat().st_mode) == 0o640


def test_a_failure_leaves_the_old_module_and_nothing_else(
    run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "out" / "payloads.py"
    output.parent.mkdir()
    output.write_text("old")

    def fail(*_: object) -> None:
        raise OSError(28, os.strerror(28), "payloads.py")

    monkeypatch.setattr(Path, "replace", fail)
    ended = run("generate", folder, "-o", output)
    assert (ended.code, ended.err) == (2, f"Error: {output}: No space left on device\n")
    assert [(each.name, each.read_text()) for each in output.parent.iterdir()] == [("payloads.py", "old")]


def test_the_folder_of_the_module_is_made(run: Run, folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "src" / "shop" / "payloads.py"
    assert run("generate", folder, "-o", output).code == 0
    assert "class OrderPlacedV1" in output.read_text(encoding="utf-8")


def test_a_place_that_cannot_be_written_is_misuse(run: Run, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    output = tmp_path / "file" / "payloads.py"
    assert run("generate", folder, "-o", output) == (2, "", f"Error: {output}: Not a directory\n")


@pytest.mark.parametrize("options", [[], ["-o", "x.py", "--style", "dataclass"]])
def test_an_option_that_is_missing_or_unknown_is_misuse(run: Run, folder: Path, options: list[str]) -> None:
    assert run("generate", folder, *options).code == 2
