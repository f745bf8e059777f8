"""The pages of the API: which names they hold is read from ``docs/api.md``, what they say comes from docstrings."""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = ["FOLDER", "linked", "public_names", "reference_pages"]

FOLDER = "reference"
_MODULE = re.compile(r"^### `(jobarium_events[\w.]*)`\n(.*?)(?=^#)", re.DOTALL | re.MULTILINE)
_ROW = re.compile(r"^\| (`[\w.]+`(?:, `[\w.]+`)*) \|", re.MULTILINE)
_NAME = re.compile(r"`([\w.]+)`")
_PAGE = """# `{module}`

What each of these is for stands [on the page of the API](../api.md#{anchor}).

::: {module}
    options:
      show_root_heading: false
      show_root_toc_entry: false
      heading_level: 2
      members:
{members}
"""


def public_names(api: str) -> dict[str, list[str]]:
    """Return the names that a page of the API lists, by the module that they are imported from."""
    found: dict[str, list[str]] = {}
    for section, text in _MODULE.findall(api):
        for row in _ROW.findall(text):
            for listed in _NAME.findall(row):
                module, _, name = f"{section}.{listed}".rpartition(".")
                found.setdefault(module, []).append(name)
    return found


def reference_pages(public: Mapping[str, list[str]]) -> dict[str, str]:
    """Return the source of a page for each module, by the page's name."""
    return {
        f"{module}.md": _PAGE.format(
            module=module,
            anchor=_section(module).replace(".", ""),
            members="\n".join(f"        - {name}" for name in names),
        )
        for module, names in public.items()
    }


def _section(module: str) -> str:
    """Return the module under whose heading the page of the API lists another."""
    integrations = "jobarium_events.integrations"
    return integrations if module.startswith(f"{integrations}.") else module


def linked(api: str) -> str:
    """Return a page of the API, each name in its tables of modules with a link to its place in the reference."""

    def in_section(section: re.Match[str]) -> str:
        def with_link(listed: re.Match[str]) -> str:
            name = f"{section[1]}.{listed[1]}"
            return f"[{listed[0]}]({FOLDER}/{name.rpartition('.')[0]}.md#{name})"

        return _ROW.sub(lambda row: row[0].replace(row[1], _NAME.sub(with_link, row[1])), section[0])

    return _MODULE.sub(in_section, api)
