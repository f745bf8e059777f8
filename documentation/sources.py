"""All pages put together for Zensical, with its configuration."""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tomlkit

from documentation.reference import FOLDER, linked, public_names, reference_pages

__all__ = ["ROOT", "NotBuilt", "write_sources"]

ROOT = Path(__file__).parents[1]
_HERE = Path(__file__).parent
_CONFIGURATION = "zensical.toml"
_PAGES = "pages"
# Pages that stand at the root of the project, where everybody looks for them, and what they are called on the site.
_AT_THE_ROOT = {"CHANGELOG.md": "changelog.md", "README.md": "index.md"}
_CODE_WITH_A_BAR = re.compile(r"`[^`\n]*\\\|[^`\n]*`")
_FENCED = re.compile(r"^( *```).*?^\1$", re.DOTALL | re.MULTILINE)


class NotBuilt(Exception):
    """The site cannot be built as the pages are.

    Attributes:
        problem: Why not, and what to do.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


def write_sources(folder: Path, site: str, root: Path = ROOT) -> Path:
    """Write what Zensical reads into a folder.

    Args:
        folder: Where it is written.
        site: What the folder of the built site is called, within that folder.
        root: The project.

    Returns:
        The file of the configuration.

    Raises:
        NotBuilt: A page is in no section of the navigation, or one that is there is not among the pages.
    """
    pages = folder / _PAGES
    shutil.copytree(root / "docs", pages)
    changelog = (root / "CHANGELOG.md").read_text(encoding="utf-8").replace("](docs/", "](")
    (pages / _AT_THE_ROOT["CHANGELOG.md"]).write_text(changelog, encoding="utf-8")
    shutil.copytree(_HERE / "assets", pages / "assets")
    api = (pages / "api.md").read_text(encoding="utf-8")
    (pages / "api.md").write_text(linked(api), encoding="utf-8")
    for page in pages.rglob("*.md"):
        page.write_text(_as_read_here(page.read_text(encoding="utf-8")), encoding="utf-8")
    (pages / FOLDER).mkdir()
    for name, source in reference_pages(public_names(api)).items():
        (pages / FOLDER / name).write_text(source, encoding="utf-8")
    configuration = folder / _CONFIGURATION
    configuration.write_text(tomlkit.dumps(_configuration(pages, site, root)), encoding="utf-8")
    return configuration


def _as_read_here(text: str) -> str:
    """Return a page as Zensical has to be given it.

    In a table a bar within code is written with a backslash, which Python's Markdown would show.
    """
    parts = []
    end = 0
    for fence in _FENCED.finditer(text):
        parts += [_prose(text[end : fence.start()]), fence[0]]
        end = fence.end()
    return "".join([*parts, _prose(text[end:])])


def _prose(text: str) -> str:
    text = _CODE_WITH_A_BAR.sub(lambda code: code[0].replace("\\|", "|"), text)
    for name, to in _AT_THE_ROOT.items():
        text = re.sub(rf"\]\((?:\.\./)?((?:\.\./)*){re.escape(name)}(?=[#)])", rf"](\1{to}", text)
    return text


def _configuration(pages: Path, site: str, root: Path) -> dict[str, Any]:
    read = tomllib.loads((_HERE / _CONFIGURATION).read_text(encoding="utf-8"))
    project = read["project"]
    project["docs_dir"] = _PAGES
    project["site_dir"] = site
    python = project["plugins"]["mkdocstrings"]["handlers"]["python"]
    python["paths"] = [str(root / "src")]
    python["options"]["extensions"] = [str(_HERE / "docstrings.py")]
    project["nav"] = [_filled(each, pages) for each in project["nav"]]
    listed = set(_listed(project["nav"]))
    there = {page.relative_to(pages).as_posix() for page in pages.rglob("*.md")}
    problems = [f"docs/{each} is in no section of the navigation" for each in sorted(there - listed)]
    problems += [f"the navigation has {each}, which is no page" for each in sorted(listed - there)]
    if problems:
        raise NotBuilt("\n".join([*problems, f"mend `nav` in {_HERE.name}/{_CONFIGURATION}"]))
    return read


def _filled(entry: dict[str, Any], pages: Path) -> dict[str, Any]:
    """Return an entry of the navigation; of one that names a folder, with all pages of that."""
    [(title, to)] = entry.items()
    if isinstance(to, list):
        return {title: [_filled(each, pages) for each in to]}
    if to.endswith("/"):
        names = sorted(page.name for page in (pages / to).glob("*.md"))
        names.sort(key=lambda name: name not in ("index.md", "jobarium_events.md"))
        return {title: [to + name if name == "index.md" else {_title(name): to + name} for name in names]}
    return entry


def _title(name: str) -> str:
    return name.removesuffix(".md").removeprefix("jobarium_events.")


def _listed(entries: list[Any]) -> Iterator[str]:
    """Yield the pages that a navigation leads to."""
    for each in entries:
        to = next(iter(each.values())) if isinstance(each, dict) else each
        if isinstance(to, list):
            yield from _listed(to)
        else:
            yield to
