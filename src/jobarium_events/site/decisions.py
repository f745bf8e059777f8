"""The decision log: a list, and a page for each decision, with links to what it is about."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from jobarium_events.evolution.decision import DECISIONS, Decision

if TYPE_CHECKING:
    from jobarium_events.site.shown import Shown

__all__ = ["DecisionShown", "Link", "decision_links", "decisions_of"]

_DECISION = re.compile(rf"{DECISIONS}/(DEC-[0-9]+)\.md")
_SCHEMA = re.compile(r"([^/]+)/(v[0-9]+)\.json")


class Link(msgspec.Struct, frozen=True):
    """A contract that a decision names.

    Attributes:
        event: The event's name.
        version: Such as ``"v2"``.
        is_known: Whether the catalog has it, and thus the site a page of it.
    """

    event: str
    version: str
    is_known: bool


class DecisionShown(msgspec.Struct, frozen=True, kw_only=True):
    """One decision.

    Attributes:
        decision: The decision.
        contracts: The contracts that it names.
        supersedes: The decisions whose place it has taken.
        sections: Heading and text of each section that says something, in their order.
    """

    decision: Decision
    contracts: tuple[Link, ...]
    supersedes: tuple[str, ...]
    sections: tuple[tuple[str, str], ...]


def decisions_of(shown: Shown) -> Iterator[DecisionShown]:
    """Yield the decisions, in the order of their ids."""
    for id_, decision in sorted(shown.decisions.items()):
        named = [(each.event, each.version) for each in decision.allowed]
        named += [(each.event, each.version) for each in decision.timeline]
        yield DecisionShown(
            decision=decision,
            contracts=tuple(Link(*key, key in shown.catalog) for key in dict.fromkeys(named)),
            supersedes=tuple(sorted(key for key, each in shown.decisions.items() if each.superseded_by == id_)),
            sections=tuple((name, text) for name, text in decision.sections.items() if text),
        )


def decision_links(shown: Shown, target: str) -> str | None:
    """Return where a link within a decision leads in the site, seen from a decision's page; None if to nowhere.

    Args:
        shown: What the site shows.
        target: The link as the decision has it: relative to its own file.
    """
    if re.match(r"https?://", target, re.IGNORECASE):
        return target
    place = posixpath.normpath(posixpath.join(DECISIONS, target.partition("#")[0]))
    if (found := _DECISION.fullmatch(place)) and found[1] in shown.decisions:
        return f"{found[1]}.html"
    if (found := _SCHEMA.fullmatch(place)) and (found[1], found[2]) in shown.catalog:
        return f"../events/{found[1]}.html#{found[2]}"
    return None
