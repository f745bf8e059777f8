"""AsyncAPI's official parser, which runs on Node.js: found under ``build``, or else installed there by npm."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from tests.servers import Missing

ROOT = Path(__file__).parents[2]
SOURCE = Path(__file__).parent / "asyncapi_parser"
INSTALL = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"]
# Severities of the parser's diagnostics; below these there are information and hints.
ERROR, WARNING = 0, 1


class AsyncApiParser:
    """A process that parses one document after the other."""

    def __init__(self, node: str, folder: Path) -> None:
        self.process = subprocess.Popen(
            [node, "parse.mjs"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
        )

    def parse(self, text: str) -> dict[str, Any]:
        """Return what the parser says of a document, and what it found in it."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(text) + "\n")
        self.process.stdin.flush()
        found: dict[str, Any] = json.loads(self.process.stdout.readline())
        return found

    def end(self) -> None:
        """End the process."""
        self.process.communicate()


@cache
def installed() -> tuple[str, Path]:
    """Return the path of Node.js, and the folder that the parser is installed in."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise Missing("AsyncAPI's parser: there is no node, or no npm to install it with")
    package = json.loads((SOURCE / "package.json").read_text(encoding="utf-8"))
    [(name, version)] = package["dependencies"].items()
    folder = ROOT / "build" / f"asyncapi-parser-{version}"
    if not folder.exists():
        _install(npm, folder, f"{name} {version}")
    shutil.copy(SOURCE / "parse.mjs", folder)
    return node, folder


def _install(npm: str, folder: Path, what: str) -> None:
    folder.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        made = Path(temporary) / "made"
        shutil.copytree(SOURCE, made)
        done = subprocess.run([npm, *INSTALL], cwd=made, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode:
            raise Missing(f"AsyncAPI's parser: npm could not install {what}: {done.stderr.strip()[-300:]}")
        try:
            made.rename(folder)
        except OSError:  # another process was faster
            if not folder.exists():
                raise
