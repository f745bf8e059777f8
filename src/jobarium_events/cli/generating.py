"""`generate`: payload classes for a service's own catalog."""

from pathlib import Path
from typing import Annotated

import typer

from jobarium_events.catalog import Catalog
from jobarium_events.cli.output import console, counted
from jobarium_events.generation import Style
from jobarium_events.generation import generate as generated
from jobarium_events.writing import write_files

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
    write_files({output: source.encode()})
    console().print(f"{output}: {counted(len(entries), 'contract')}, style {style}")
