"""Which engine serves a schema that the typed one does not, and confirms and explains what that one rejects."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from jobarium_events.errors import SchemaError, Violation
from jobarium_events.validation.dialects import DRAFT_7

if TYPE_CHECKING:
    from collections.abc import Callable

    from jobarium_events.validation.preparing import Prepared

__all__ = ["UNEXPLAINED", "Checker", "checker", "rust_available"]

UNEXPLAINED = Violation("", "schema")
"""Said of a document that an engine rejects where ``jsonschema`` finds nothing: the verdict stands all the same."""


class Checker(Protocol):
    """One engine with one compiled schema."""

    name: str

    def accepts(self, document: Any) -> bool:
        """Whether the document is valid."""

    def first(self, document: Any) -> Violation | None:
        """The first violation, or None if the document is valid."""


def checker(prepared: Prepared, explain: Callable[[Any], list[Violation]]) -> Checker:
    """Return the first engine that is exact for a schema.

    Args:
        prepared: The schema.
        explain: Gives all violations of an invalid document, for an engine that cannot.
    """
    # The engines are imported here, each when it is first needed: they are what is slow to import.
    if prepared.dialect == DRAFT_7 and prepared.simple:
        from jobarium_events.validation.engines.fastjsonschema import FastJsonSchema  # noqa: PLC0415

        try:
            return FastJsonSchema(prepared, explain)
        except SchemaError:
            pass  # a few schemas are beyond it, as a few are beyond the next one
    if rust_available():
        from jobarium_events.validation.engines.jsonschema_rs import JsonSchemaRs  # noqa: PLC0415

        try:
            return JsonSchemaRs(prepared, explain)
        except SchemaError:
            pass
    from jobarium_events.validation.engines.jsonschema import JsonSchema  # noqa: PLC0415

    return JsonSchema(prepared)


@cache
def rust_available() -> bool:
    """Whether the extra ``rs`` is installed."""
    try:
        import jsonschema_rs  # noqa: F401, PLC0415
    except ImportError:
        return False
    return True
