"""Makes the Python type that a shape describes, by running its printed source."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from jobarium_events.validation.source import STRUCT_IMPORTS, annotation, struct_source

if TYPE_CHECKING:
    from jobarium_events.validation.shapes import Shape

__all__ = ["materialized"]


def materialized(shape: Shape) -> Any:
    """Return the type. The same shape gives the same classes, in whichever schema it was read."""
    source = f"{STRUCT_IMPORTS}\n{struct_source(shape)}\n\n_ROOT = {annotation(shape)}\n"
    name = f"{__name__}.generated_{_digest(source)}"
    module = sys.modules.get(name)
    if module is None:
        module = ModuleType(name)
        # Not inheriting this module's own future: msgspec is to see the types themselves, not their names.
        code = compile(source, f"<{name}>", "exec", dont_inherit=True)
        exec(code, vars(module))  # noqa: S102 - this package's own source
        # msgspec looks a recursive class up in its module, and pickle any class.
        module = sys.modules.setdefault(name, module)
    return module._ROOT  # noqa: SLF001 - written above


def _digest(source: str) -> str:
    from hashlib import blake2s  # noqa: PLC0415 - OpenSSL is slow to load

    return blake2s(source.encode(), digest_size=8).hexdigest()
