"""How a command is told of something in a service's own modules: ``package.module:name``."""

import importlib
import re
import sys
import traceback
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any

from jobarium_events.errors import DeclarationError

__all__ = ["TARGET", "imported", "named", "told"]

TARGET = re.compile(r"(?P<module>[^\W\d]\w*(?:\.[^\W\d]\w*)*):(?P<name>[^\W\d]\w*(?:\.[^\W\d]\w*)*)")


def imported(name: str) -> ModuleType:
    """Import a module, with the current folder on the path.

    Raises:
        DeclarationError: If that fails, whatever the module raises.
    """
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and f"{name}.".startswith(f"{error.name}."):
            raise DeclarationError(
                f"there is no module {error.name}; run the command where `import {name}` works, "
                f"or install the service first (looked in {Path.cwd()} and in {sys.prefix})"
            ) from None
        raise DeclarationError(f"{name} cannot be imported: {told(error)}") from None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a service's module may raise anything, or end the process
        raise DeclarationError(f"{name} cannot be imported: {told(error)}") from None


def named(target: str, module: ModuleType, path: str, likely: Iterable[str] = ()) -> Any:
    """Return what a target names in its module.

    Raises:
        DeclarationError: If it is not there; with hints, of which the `likely` names are some.
    """
    found: Any = module
    for name in path.split("."):
        try:
            found = getattr(found, name)
        except AttributeError:
            hints = [*likely, *get_close_matches(name, dir(found), n=1)]
            hint = f"; did you mean {' or '.join(dict.fromkeys(hints))}?" if hints else ""
            raise DeclarationError(f"{target} is not there: {module.__name__} has no {path}{hint}") from None
    return found


def told(error: BaseException) -> str:
    """Return an error of the service's own in one line, with the place where it was raised."""
    if isinstance(error, SyntaxError):
        return f"{error.msg} ({error.filename}, line {error.lineno})"
    text = f"{type(error).__name__}: {error}".removesuffix(": ")
    frames = traceback.extract_tb(error.__traceback__)
    where = next((frame for frame in reversed(frames) if not frame.filename.startswith("<")), None)
    return f"{text} ({where.filename}, line {where.lineno})" if where else text
