"""Other words for the same meaning: somebody answers for it, and the lock says who, when and why."""

from __future__ import annotations

import datetime
from pathlib import Path

import msgspec

from jobarium_events.evolution.lock import Rewording, lock_bytes
from jobarium_events.evolution.meanings import MeaningChange, meaning_changes, publish
from jobarium_events.evolution.refusals import EditError
from jobarium_events.evolution.state import State
from jobarium_events.writing import write_files

__all__ = ["reword"]


def reword(
    folder: Path, event: str, version: str, pointer: str, *, who: str, why: str, today: datetime.date | None = None
) -> tuple[Rewording, ...]:
    """Accept that a released meaning is said in other words.

    Args:
        folder: The catalog's folder.
        event: The event's name.
        version: Such as ``"v1"``.
        pointer: JSON Pointer to the subschema that says it; ``""`` is the payload itself.
        who: Who answers for it.
        why: Why the meaning is still the same.
        today: The day; by default today.

    Returns:
        What was accepted.

    Raises:
        CatalogError: If the contracts have mistakes.
        LockError: If the lock cannot be used.
        EditError: If nothing was reworded there, or more than words were changed.
    """
    today = today or datetime.datetime.now(tz=datetime.UTC).date()
    state = State.of(folder, today=today)
    contract = state.contract(event, version)
    published = state.lock.baseline().contracts.get((event, version)) if state.lock else None
    if state.lock is None or published is None:
        raise EditError(f"{contract.name} has not been released; its meanings may be changed as you like")
    if not who.strip() or not why.strip():
        raise EditError("a rewording needs to say who answers for it, and why the meaning is still the same")
    changes = [
        each for each in meaning_changes(published, publish(contract)) if not state.lock.accepts(event, version, each)
    ]
    accepted = tuple(
        Rewording(
            event=event,
            version=version,
            pointer=pointer,
            keyword=each.keyword,
            old=each.old,
            new=each.new,
            after=state.lock.releases[-1],
            who=who.strip(),
            when=today.isoformat(),
            why=why.strip(),
        )
        for each in changes
        if each.pointer == pointer and each.is_in_words
    )
    if not accepted:
        raise EditError(_nothing_to_accept(contract.name, pointer, changes))
    lock = msgspec.structs.replace(state.lock, rewordings=(*state.lock.rewordings, *accepted))
    write_files({state.lock_path: lock_bytes(lock)})
    return accepted


def _nothing_to_accept(contract: str, pointer: str, changes: list[MeaningChange]) -> str:
    here = pointer or '""'
    exact = [each.keyword for each in changes if each.pointer == pointer]
    if exact:
        return (
            f"{contract} has changed its {', '.join(exact)} at {here}, which is more than a rewording; have a decision "
            "name it in `meanings`, or introduce a new version"
        )
    others = dict.fromkeys(each.pointer or '""' for each in changes if each.is_in_words)
    known = f"it is reworded at {', '.join(others)}" if others else "nothing in it is reworded"
    return f"{contract} says the same at {here} as when it was released; {known}"
