"""What a change to a contract can be, and one change with what it breaks."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from jobarium_events.evolution.findings import Severity
from jobarium_events.evolution.verdicts import Containment, Reader, Verdict

__all__ = ["Break", "Change", "ChangeKind"]


class ChangeKind(StrEnum):
    """The kinds of change. Narrowed and widened are proven, by containment of what the place itself says.

    A kind says what was done, not whether it breaks a reader: that is judged on the whole contract, each time.
    """

    FIELD_ADDED_OPTIONAL = "field-added-optional"
    """An optional field is new: ``note`` comes into ``properties``."""
    FIELD_ADDED_REQUIRED = "field-added-required"
    """A required field is new: ``note`` comes into ``properties`` and ``required``."""
    FIELD_REMOVED = "field-removed"
    """An optional field is gone: ``note`` leaves ``properties``."""
    FIELD_REMOVED_REQUIRED = "field-removed-required"
    """A required field is gone: ``note`` leaves ``properties`` and ``required``."""
    BECAME_REQUIRED = "became-required"
    """A field that was optional is required: ``note`` comes into ``required``."""
    BECAME_OPTIONAL = "became-optional"
    """A field that was required is optional: ``note`` leaves ``required``."""
    TYPE_NARROWED = "type-narrowed"
    """Fewer types: ``number`` becomes ``integer``."""
    TYPE_WIDENED = "type-widened"
    """More types: ``string`` becomes ``["string", "null"]``."""
    TYPE_CHANGED = "type-changed"
    """Other types: ``string`` becomes ``integer``."""
    RANGE_NARROWED = "range-narrowed"
    """Fewer numbers: ``maximum`` 100 becomes 10."""
    RANGE_WIDENED = "range-widened"
    """More numbers: ``minimum`` 0 goes away."""
    RANGE_CHANGED = "range-changed"
    """Other numbers: ``multipleOf`` 2 becomes 3."""
    LENGTH_NARROWED = "length-narrowed"
    """Fewer lengths of a text, a list or an object: ``maxLength`` 80 becomes 40."""
    LENGTH_WIDENED = "length-widened"
    """More lengths of a text, a list or an object: ``minItems`` 1 goes away."""
    PATTERN_NARROWED = "pattern-narrowed"
    """Fewer texts: ``^[a-z]+$`` becomes ``^[a-f]+$``."""
    PATTERN_WIDENED = "pattern-widened"
    """More texts: ``^[a-f]+$`` becomes ``^[a-z]+$``."""
    PATTERN_CHANGED = "pattern-changed"
    """Other texts: ``^[a-f]+$`` becomes ``^[0-9]+$``."""
    FORMAT_ADDED = "format-added"
    """A text has a format that is checked: ``uuid`` comes."""
    FORMAT_REMOVED = "format-removed"
    """A text has no format that is checked any more: ``uuid`` goes away."""
    FORMAT_CHANGED = "format-changed"
    """A text has another format that is checked: ``date`` becomes ``date-time``."""
    ENUM_NARROWED = "enum-narrowed"
    """Fewer values: ``["open", "shut"]`` becomes ``["open"]``."""
    ENUM_WIDENED = "enum-widened"
    """More values: ``["open"]`` becomes ``["open", "shut"]``."""
    ENUM_CHANGED = "enum-changed"
    """Other values: ``["open"]`` becomes ``["opened"]``."""
    ENUM_OPENED = "enum-opened"
    """A closed list is extensible: ``enum`` becomes ``x-extensible-enum``."""
    ENUM_CLOSED = "enum-closed"
    """An extensible list is closed: ``x-extensible-enum`` becomes ``enum``."""
    EXTENSIBLE_ENUM_NARROWED = "extensible-enum-narrowed"
    """Producers emit fewer values: one goes away from ``x-extensible-enum``."""
    EXTENSIBLE_ENUM_WIDENED = "extensible-enum-widened"
    """Producers emit more values: one comes into ``x-extensible-enum``."""
    EXTENSIBLE_ENUM_CHANGED = "extensible-enum-changed"
    """Producers emit other values: one is renamed in ``x-extensible-enum``."""
    ITEMS_NARROWED = "items-narrowed"
    """Fewer lists: ``uniqueItems`` comes."""
    ITEMS_WIDENED = "items-widened"
    """More lists: ``items`` goes away."""
    ITEMS_CHANGED = "items-changed"
    """Other lists: ``items`` for every item becomes a list of one schema for each."""
    MAP_CLOSED = "map-closed"
    """An object admits fewer additional fields: ``additionalProperties`` becomes false, or a schema."""
    MAP_OPENED = "map-opened"
    """An object admits more additional fields: ``additionalProperties`` false goes away."""
    ALTERNATIVES_NARROWED = "alternatives-narrowed"
    """Fewer alternatives: a branch of ``oneOf`` or ``anyOf`` goes away."""
    ALTERNATIVES_WIDENED = "alternatives-widened"
    """More alternatives: a branch of ``oneOf`` or ``anyOf`` comes."""
    ALTERNATIVES_CHANGED = "alternatives-changed"
    """Other alternatives: one branch of ``oneOf`` or ``anyOf`` goes away, and two others come."""
    OTHER = "other"
    """A change that has no finer kind: ``propertyNames`` comes, or a rule under ``not`` or ``if`` goes away."""
    KEY_TEMPLATE_CHANGED = "key-template-changed"
    """The idempotency key is made otherwise: ``{job_id}`` becomes ``{job_id}:{job_version}``."""
    ORDERING_CHANGED = "ordering-changed"
    """What is stale is told otherwise: ``by`` is another field."""
    MEANING_CHANGED = "meaning-changed"
    """A field means something else, or says so: the description "0 to 100" becomes "0 to 1"."""


class Break(msgspec.Struct, frozen=True):
    """How a change breaks one reader, or may break it.

    Attributes:
        reader: Whom it breaks.
        proof: The containment that fails, with a minimal witness: a whole payload; or that could not be proven. None
            where no payload can show it.
        explanation: What each side says of the witness, as pairs of a side and its verdict.
    """

    reader: Reader
    proof: Containment | None = None
    explanation: tuple[tuple[str, str], ...] = ()


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One change to a contract.

    Attributes:
        kind: What was done.
        pointer: JSON Pointer into the new schema, or into the old one for what is gone: ``/properties/note`` for a
            whole field, ``/properties/note/type`` for a keyword, ``/required/note`` for whether a field is required,
            and for a meaning the subschema that has it. For key template and ordering, their key in the manifest.
            Empty for what has no place of its own.
        text: What was done, in words.
        advice: What to do instead; empty where there is nothing to mend.
        severity: How much it weighs.
        breaks: The readers whom it breaks, each with its witness.
        doubts: The readers of whom it is not proven that it leaves them whole.
    """

    kind: ChangeKind
    pointer: str
    text: str
    advice: str = ""
    severity: Severity = Severity.NOTE
    breaks: tuple[Break, ...] = ()
    doubts: tuple[Break, ...] = ()

    @property
    def readers(self) -> tuple[Reader, ...]:
        """The readers whom it breaks."""
        return tuple(each.reader for each in self.breaks)

    @property
    def verdict(self) -> Verdict:
        """``contained`` if it is proven to break nobody, ``not-contained`` if it breaks somebody, or ``unproven``."""
        if self.breaks:
            return Verdict.NOT_CONTAINED
        return Verdict.UNPROVEN if self.doubts else Verdict.CONTAINED

    @property
    def witness(self) -> Any:
        """A payload that shows the first break; UNSET where there is none."""
        return next((each.proof.witness for each in self.breaks if each.proof is not None), msgspec.UNSET)
