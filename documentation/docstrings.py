"""Docstrings as the pages of the reference need them: a block of text is announced in Markdown's way."""

from __future__ import annotations

import re
from typing import Any

import griffe

__all__ = ["InMarkdown"]

_ANNOUNCED = re.compile(r"(?<=\S)::$", re.MULTILINE)
_ALONE = re.compile(r"^ *::$", re.MULTILINE)


class InMarkdown(griffe.Extension):
    """Takes the two colons from a line that announces a block, which Markdown knows by its indentation."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite the docstring of one object."""
        if obj.docstring:
            obj.docstring.value = _ANNOUNCED.sub(":", _ALONE.sub("", obj.docstring.value))
