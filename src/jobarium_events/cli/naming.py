"""How a command is told of something in a service's own modules: ``package.module:name``."""

import importlib
import inspect
import re
import sys
import traceback
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any

from jobarium_events.errors import DeclarationError
from jobarium_events.extras import MissingExtra

__all__ = ["TARGET", "imported", "named", "needs_arguments", "refuse_missing_client", "told"]

TARGET = re.compile(r"(?P<module>[^\W\d]\w*(?:\.[^\W\d]\w*)*):(?P<name>[^\W\d]\w*(?:\.[^\W\d]\w*)*)")
_FASTSTREAMS_ADVICE = re.compile(r"pip install \"faststream\[(?P<extra>confluent|kafka|mqtt|nats|rabbit|redis)\]")


def imported(name: str) -> ModuleType:
    """Import a module, with the current folder on the path.

    Raises:
        DeclarationError: If that fails, whatever the module raises.
        MissingExtra: If it fails as the client of a broker is not installed.
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
        refuse_missing_client(error)
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


def needs_arguments(function: Callable[..., Any]) -> bool:
    """Whether a function cannot be called without arguments; calling tells, where a function of C does not."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return False
    try:
        signature.bind()
    except TypeError:
        return True
    return False


def refuse_missing_client(error: BaseException) -> None:
    """Raise if an error is FastStream's of a broker's client that is missing, which names FastStream's own extra.

    Raises:
        MissingExtra: Naming the one of the same name here.
    """
    if not isinstance(error, ImportError) or (advice := _FASTSTREAMS_ADVICE.search(str(error))) is None:
        return
    missing = getattr(error.__cause__, "name", None) or advice["extra"]
    raise MissingExtra(advice["extra"], missing.partition(".")[0]) from None


def told(error: BaseException) -> str:
    """Return an error of the service's own in one line, with the place where it was raised."""
    if isinstance(error, SyntaxError):
        return f"{error.msg} ({error.filename}, line {error.lineno})"
    text = f"{type(error).__name__}: {error}".removesuffix(": ")
    frames = traceback.extract_tb(error.__traceback__)
    where = next((frame for frame in reversed(frames) if not frame.filename.startswith("<")), None)
    return f"{text} ({where.filename}, line {where.lineno})" if where else text
