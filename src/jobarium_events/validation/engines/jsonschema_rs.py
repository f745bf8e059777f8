"""``jsonschema-rs``, where the extra ``rs`` is installed: exact in every dialect, and fast."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from jsonschema_rs import (
    Draft7Validator,
    Draft201909Validator,
    Draft202012Validator,
    ReferencingError,
    ValidationError,
)

from jobarium_events.errors import SchemaError, Violation
from jobarium_events.validation import formats
from jobarium_events.validation.checking import UNEXPLAINED
from jobarium_events.validation.dialects import DRAFT_7, DRAFT_2019_09

if TYPE_CHECKING:
    from collections.abc import Callable

    from jobarium_events.validation.preparing import Prepared

__all__ = ["JsonSchemaRs"]


class _Unsaid:
    """A keyword that asserts nothing."""

    def __init__(self, *_: object) -> None:
        """Take what the keyword says, and where."""

    def validate(self, document: object) -> None:
        """Accept any document."""


# The later dialects have other keywords in its place; here it is checked all the same, unless it is told otherwise.
_DROPPED: dict[str, type[Any]] = {"dependencies": _Unsaid}


class JsonSchemaRs:
    """The engine for the later dialects.

    Raises:
        SchemaError: If it cannot compile the schema, such as for a regular expression that is too large for it.
    """

    name = "jsonschema-rs"

    def __init__(self, prepared: Prepared, explain: Callable[[Any], list[Violation]]) -> None:
        classes = {DRAFT_7: Draft7Validator, DRAFT_2019_09: Draft201909Validator}
        try:
            self._validator: Any = classes.get(prepared.dialect, Draft202012Validator)(
                cast("dict[str, Any] | bool", prepared.portable),
                formats=dict(formats.CHECKS),
                validate_formats=True,
                offline=True,
                keywords=None if prepared.dialect == DRAFT_7 else _DROPPED,
            )
        except (ValidationError, ReferencingError, ValueError) as error:
            raise SchemaError(f"jsonschema-rs cannot compile it: {error}") from None
        self._explain = explain

    def accepts(self, document: Any) -> bool:
        """Whether the document is valid."""
        try:
            return bool(self._validator.is_valid(document))
        except UnicodeEncodeError:  # half of a surrogate pair, for which Rust has no string
            return not self._explain(document)

    def first(self, document: Any) -> Violation | None:
        """The first violation, or None if the document is valid."""
        return None if self.accepts(document) else next(iter(self._explain(document)), UNEXPLAINED)
