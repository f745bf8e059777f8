"""The answers that the proofs give, and who is hurt by a change."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

__all__ = ["Containment", "Reader", "Verdict"]


class Verdict(StrEnum):
    """Whether every document that one schema accepts is accepted by another."""

    CONTAINED = "contained"
    """Proven: there is no document that the first accepts and the second rejects."""
    NOT_CONTAINED = "not-contained"
    """Shown by a witness, which both compiled validators have judged."""
    UNPROVEN = "unproven"
    """Neither; never to be taken for safe."""


class Reader(StrEnum):
    """The consumers whom a change breaks."""

    NEW = "new consumers"
    """They have the new contract, and read what was emitted under the old one: in flight, stored or replayed."""
    OLD = "old consumers"
    """They have the old contract, or were rolled back to it, and read what is emitted under the new one."""


class Containment(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer to whether one schema's documents are a subset of another's.

    Attributes:
        verdict: The answer.
        witness: Where it is ``not-contained``, a document that the first schema accepts and the second rejects;
            otherwise UNSET (None is a document).
        reason: Where it is ``unproven``, why.
    """

    verdict: Verdict
    witness: Any = msgspec.UNSET
    reason: str = ""

    @property
    def holds(self) -> bool:
        """Whether it is proven that they are."""
        return self.verdict is Verdict.CONTAINED
