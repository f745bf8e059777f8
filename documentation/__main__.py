"""``python -m documentation``: bring the pages of the command line up to date, and build the site."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from documentation.building import build
from documentation.commands import write_command_pages
from documentation.sources import ROOT, NotBuilt


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the site and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m documentation", description="Build the site of docs/.")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "docs", help="the folder of the site")
    output: Path = parser.parse_args(arguments).output
    write_command_pages(ROOT / "docs" / "cli")
    try:
        build(output.resolve())
    except NotBuilt as not_built:
        sys.stderr.write(f"{not_built.problem}\n")
        return 1
    sys.stdout.write(f"{output / 'index.html'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
