"""A dead letter as the message that delivers its event again, once what rejected it is mended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobarium_events.producer import Producer
from jobarium_events.readers import envelope_of, parsed

if TYPE_CHECKING:
    from jobarium_events.catalog import Catalog
    from jobarium_events.deadletters import KeptLetter
    from jobarium_events.envelope import Message

__all__ = ["replay_of"]


def replay_of(letter: KeptLetter, catalog: Catalog) -> Message:
    """Return the message that delivers a letter's event again: same bytes, so same event_id and occurred_at.

    It is checked as its producer would check it, by a catalog that is to be the consumers' own: what they would reject
    again is not worth sending.

    Raises:
        Malformed: If the bytes are no event.
        UnknownContract: If the catalog lacks its contract.
        EmitError: If the contract is retired, or broken by the payload, or another service's than the event says.
    """
    owner = envelope_of(parsed(letter.raw)).producer
    return Producer(catalog, name=owner).prepare_replay(letter.raw, letter.attributes)
