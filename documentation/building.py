"""The site built by Zensical, and held to have no link that leads nowhere."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from documentation.links import broken_links
from documentation.sources import ROOT, NotBuilt, write_sources

__all__ = ["build"]

_SITE = "site"
_COLOUR = re.compile(r"\x1b\[[\d;]*m")
# These are for a site that has an address; this one is read from wherever it was put.
_OF_AN_ADDRESS = ("404.html", "sitemap.xml", "sitemap.xml.gz")


def build(output: Path, root: Path = ROOT) -> None:
    """Build the site into a folder, in place of what was there.

    Args:
        output: The folder.
        root: The project whose site it is.

    Raises:
        NotBuilt: Zensical found a mistake, or a link leads nowhere; what was there is left.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{output.name}-", dir=output.parent) as folder:
        configuration = write_sources(Path(folder), _SITE, root)
        done = subprocess.run(  # noqa: S603 - its own Python, and a file that was just written
            [sys.executable, "-m", "zensical", "build", "--clean", "--strict", "--config-file", str(configuration)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )
        if done.returncode:
            raise NotBuilt(_said(done.stdout))
        site = Path(folder) / _SITE
        for name in _OF_AN_ADDRESS:
            (site / name).unlink(missing_ok=True)
        if broken := broken_links(site):
            raise NotBuilt("\n".join(broken))
        shutil.rmtree(output, ignore_errors=True)
        site.rename(output)


def _said(output: str) -> str:
    """Return what Zensical says of the mistakes, without colours and without the place in its own code."""
    return _COLOUR.sub("", output).partition("\nTraceback ")[0].strip()
