"""Whether a subschema that only one of two contracts has speaks of values that there are under the other one too.

A branch of ``anyOf`` for a new kind of event says nothing of the kinds that there were; one that they meet does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jobarium_events.errors import SchemaError
from jobarium_events.evolution.containment import is_subset
from jobarium_events.evolution.isolating import standing_alone
from jobarium_events.validation import Validator
from jobarium_events.validation.dialects import ASSERTING, Schema
from jobarium_events.validation.references import has_only_pointers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jobarium_events.validation.places import Place

__all__ = ["reached"]

_ASSERTING = ASSERTING | {"x-extensible-enum"}
_ON_OTHER_PARTS = ("unevaluatedItems", "unevaluatedProperties")  # what they say depends on what else is said


def reached(branch: Place, says: Mapping[str, Any], step: str, place: Place) -> bool:
    """Return whether it is not ruled out that a value that is emitted at a place meets a branch in another contract.

    Args:
        branch: The branch: of ``anyOf``, a ``then``, or whatever else speaks of the same value.
        says: What is said around it.
        step: What leads from there to the branch.
        place: The value's place in a contract that has no such branch.
    """
    if not (_can_stand_alone(branch) and _can_stand_alone(place)):
        return True
    met = {"allOf": [*_beside(says, step), *_asserted(branch)]}
    try:
        emitted = Validator(standing_alone(place.root, [{"allOf": _asserted(place)}]), closed=not place.partial).schema
        return not is_subset(emitted, Validator(standing_alone(branch.root, [{"not": met}])).schema).holds
    except SchemaError:
        # One schema on a shelf of another may be nested more deeply than any schema may be.
        return True


def _can_stand_alone(place: Place) -> bool:
    """Whether what a place says is the same when it is taken out of its schema, part by part."""
    return has_only_pointers(place.root) and not any(
        keyword in _ON_OTHER_PARTS for part in place.parts if not isinstance(part.says, bool) for keyword in part.says
    )


def _asserted(place: Place) -> list[Schema]:
    says = (part.says for part in place.parts)
    return [
        each if isinstance(each, bool) else {key: value for key, value in each.items() if key in _ASSERTING}
        for each in says
    ]


def _beside(says: Mapping[str, Any], step: str) -> list[Schema]:
    """Return what else has to be so for a subschema to be of any account."""
    _, keyword, *names = step.split("/", 2)
    match keyword:
        case "then" if "if" in says:
            return [says["if"]]
        case "else" if "if" in says:
            return [{"not": says["if"]}]
        case "dependencies" | "dependentSchemas":
            return [{"required": [name.replace("~1", "/").replace("~0", "~") for name in names]}]
        case _:
            return []
