"""`compile_schema`: a schema to a compiled validator. Everything that checks a payload stands on it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.errors import SchemaError, Violation
from jobarium_events.validation.checking import Checker, checker
from jobarium_events.validation.closing import closed as closed_form
from jobarium_events.validation.dialects import DRAFT_7, Schema, dialect_of, escape
from jobarium_events.validation.documents import DEEPEST, too_deep
from jobarium_events.validation.materializing import materialized
from jobarium_events.validation.metaschemas import check_schema
from jobarium_events.validation.preparing import Prepared
from jobarium_events.validation.reading import Reading, read
from jobarium_events.validation.references import endless, has_only_pointers, walk
from jobarium_events.validation.shapes import AnyValue, holds_any, keeps_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Validator", "compile_schema"]


def compile_schema(schema: Schema, *, closed: bool = False, name: str = "Payload") -> Validator:
    """Compile a JSON Schema.

    Args:
        schema: A draft-07 (the default), 2019-09 or 2020-12 schema, as ``$schema`` says. It is not changed.
        closed: Compile the closed form, by which producers validate: see `jobarium_events.validation.closing`.
        name: For the class of a payload, in what the typed engine generates.

    Raises:
        SchemaError: If the schema is not valid, or a ``$ref`` leads out of it (nothing is ever fetched).
    """
    mistakes = check_schema(schema)
    if mistakes:
        raise SchemaError(mistakes[0].explanation, mistakes[0].pointer)
    validator = Validator(schema, closed=closed, name=name)
    _ = validator.engine  # what is made when it is first needed is made now, and whatever is wrong with it is known
    return validator


class Validator:
    """A compiled schema; safe to share between threads.

    The engine is the first that is exact for the schema: ``msgspec`` (types), ``fastjsonschema`` (draft-07),
    ``jsonschema-rs`` (if installed) or ``jsonschema``. It is made when it is first needed, since most of a catalog is
    never used by one service. How deep a document may be, `jobarium_events.validation.documents` says.

    Attributes:
        dialect: Of the schema: ``"draft-07"``, ``"2019-09"`` or ``"2020-12"``.
        closed: Whether it is the closed form that is compiled.
    """

    def __init__(self, schema: Schema, *, closed: bool = False, name: str = "Payload") -> None:
        self.dialect = dialect_of(schema)
        self.closed = closed
        self._given = schema
        self._name = name
        self._simple = has_only_pointers(schema)
        # The validators of single fields, made when an event is rejected for one.
        self._fields: dict[str, Validator | None] = {}
        if closed and not self._simple:
            raise SchemaError("only a schema whose references are all '#/...' pointers has a closed form")

    @property
    def schema(self) -> Schema:
        """The schema that is compiled: closed if asked for, with the formats that are checked."""
        return self._prepared.schema

    @property
    def has_closed_form(self) -> bool:
        """Whether the schema can be compiled closed: whether all its references are pointers."""
        return self._simple

    @cached_property
    def engine(self) -> str:
        """Name of the engine that serves the schema."""
        return "msgspec" if self.reading.exact else self._exact.name

    @cached_property
    def reading(self) -> Reading:
        """The schema as a shape, and whether the shape is exact."""
        if not self._simple:
            return Reading(AnyValue(), exact=False)
        return read(self._prepared.python, self._name)

    @cached_property
    def type(self) -> Any:
        """The Python type of a valid document: generated classes where the schema has objects with properties."""
        return materialized(self.reading.shape)

    @cached_property
    def free_form(self) -> bool:
        """Whether a part of a document may be any JSON at all."""
        return holds_any(self.reading.shape)

    @cached_property
    def keeps_all(self) -> bool:
        """Whether a value of `type` holds everything that a valid document may say."""
        return self.reading.exact and keeps_all(self.reading.shape)

    def is_valid(self, document: Any) -> bool:
        """Whether a JSON document (dicts, lists, strings, numbers, booleans, None) is valid."""
        if self.follows_on and too_deep(document):
            return False
        if self.reading.exact:
            try:
                msgspec.convert(document, self.type)
            except (msgspec.ValidationError, UnicodeEncodeError):
                pass  # the typed engine is right about what it accepts; the exact one has a last look at the rest
            else:
                return True
        return self._accepts(document)

    def violations(self, document: Any) -> list[Violation]:
        """Every violation in a document, in the order of their pointers; none if it is valid."""
        first = self.first_violation(document)
        if first is None or first is _TOO_DEEP:
            return [] if first is None else [first]
        try:
            return self._explain(document) or [first]
        except RecursionError:
            return [first]

    def first_violation(self, document: Any, near: str | None = None) -> Violation | None:
        """One of the violations, the first that is found; None if the document is valid. Faster than `violations`.

        Args:
            document: A JSON document.
            near: A field of the document to look at first, for one who knows where the typed engine stumbled.
        """
        if self.follows_on and too_deep(document):
            return _TOO_DEEP
        try:
            return (near and self._violation_at(near, document)) or self._exact.first(document)
        except RecursionError:
            return None if self._accepts(document) else _TOO_DEEP

    def _violation_at(self, name: str, document: Any) -> Violation | None:
        """Return a violation of one field of a document, judged by that field's schema alone, if there is one."""
        schema = self._prepared.schema
        if not isinstance(document, dict) or not isinstance(schema, Mapping) or "$ref" in schema:
            return None
        if name not in document:
            return Violation(f"/{escape(name)}", "required") if name in schema.get("required", ()) else None
        if name not in self._fields:
            inner = schema.get("properties", {}).get(name)
            alone = isinstance(inner, Mapping) and self.dialect == DRAFT_7 and not _refers(inner)
            self._fields[name] = Validator(inner) if alone else None
        field = self._fields[name]
        violation = field.first_violation(document[name]) if field is not None else None
        if violation is None or violation is _TOO_DEEP:
            return None
        return Violation(f"/{escape(name)}{violation.pointer}", violation.rule, violation.limit)

    def convert(self, document: Any, kind: Any = None) -> Any:
        """Return a valid document as a value of `type`, or of another class that was generated from this schema.

        Raises:
            msgspec.ValidationError: If no Python value of that type can hold it, as no float holds ``10**400``.
        """
        kind = self.type if kind is None else kind
        try:
            try:
                return msgspec.convert(document, kind)
            except msgspec.ValidationError:
                # JSON Schema has 1.0 for an integer; msgspec does not.
                return msgspec.convert(_integral(document), kind)
        except UnicodeEncodeError:
            raise msgspec.ValidationError("Expected text that UTF-8 can hold") from None

    def _accepts(self, document: Any) -> bool:
        try:
            return self._exact.accepts(document)
        except RecursionError:
            return False

    def _explain(self, document: Any) -> list[Violation]:
        """Return every violation of an invalid document."""
        found = {(each.pointer, each.rule, repr(each.limit)): each for each in self._explainer(document)}
        return [found[key] for key in sorted(found)]

    @cached_property
    def _explainer(self) -> Callable[[Any], Iterator[Violation]]:
        from jobarium_events.validation.engines.jsonschema import JsonSchema  # noqa: PLC0415 - slow to import

        return JsonSchema(self._prepared).violations

    @cached_property
    def _exact(self) -> Checker:
        """The engine that confirms and explains a rejection."""
        return checker(self._prepared, self._explain)

    @cached_property
    def _prepared(self) -> Prepared:
        whole = closed_form(self._given) if self.closed else self._given
        return Prepared(whole, self.dialect, simple=self._simple)

    @cached_property
    def follows_on(self) -> bool:
        """Whether the schema follows a document down however deep that is: see `documents`."""
        return not self._simple or endless(self._prepared.schema)


_TOO_DEEP = Violation("", "depth", DEEPEST)


def _refers(schema: Schema) -> bool:
    return any(isinstance(each, Mapping) and "$ref" in each for _, each in walk(schema))


def _integral(document: Any, levels: int = DEEPEST) -> Any:
    """Return the document with ``1`` for ``1.0``, as far down as a type can ask for an integer."""
    if isinstance(document, float) and document.is_integer():
        return int(document)
    if levels and isinstance(document, dict):
        return {key: _integral(value, levels - 1) for key, value in document.items()}
    if levels and isinstance(document, list):
        return [_integral(value, levels - 1) for value in document]
    return document
