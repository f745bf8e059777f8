"""`generate`: payload classes for a service's own catalog."""

import os
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from jobarium_events.catalog import Catalog
from jobarium_events.cli.output import console, counted
from jobarium_events.generation import Style
from jobarium_events.generation import generate as generated

__all__ = ["generate"]


def generate(
    folder: Annotated[
        Path,
        typer.Argument(exists=True, file_okay=False, metavar="FOLDER", help="Folder of schemas with its catalog.toml."),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", dir_okay=False, metavar="FILE", help="The module to write.")
    ],
    style: Annotated[Style, typer.Option(help="What the classes are.")] = Style.STRUCT,
) -> None:
    """Generate payload classes from a folder of schemas.

    The styles: **struct** for msgspec Structs, which are exact and which producers and consumers take as contracts;
    **pydantic** for models; **typeddict** for the types of plain dicts.

    Example: `jobarium-events generate schemas -o src/shop/payloads.py`
    """
    catalog = Catalog.load(folder)
    entries = [catalog.entry(each.event, each.version) for each in catalog]
    source = generated(entries, style=style, source=f"the catalog in {folder.resolve().name}")
    try:
        _write(output, source)
    except OSError as error:  # it may name the temporary file, which nobody asked for
        raise OSError(error.errno, error.strerror, str(output)) from None
    console().print(f"{output}: {counted(len(entries), 'contract')}, style {style}")


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        Path(temporary).chmod(path.stat().st_mode if path.exists() else 0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
