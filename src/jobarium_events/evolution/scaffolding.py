"""Begins what people then finish: a new version of an event, and a decision."""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from jobarium_events.catalog.loading import schema_path
from jobarium_events.contract import Contract, Lifecycle, version_number
from jobarium_events.evolution.containment import some_document
from jobarium_events.evolution.decision import DECISIONS, decision_path
from jobarium_events.evolution.editing import ManifestEdit
from jobarium_events.evolution.lifecycle import WINDOW
from jobarium_events.evolution.lock import Lock, read_lock
from jobarium_events.evolution.moves import Releases
from jobarium_events.evolution.refusals import EditError
from jobarium_events.evolution.state import State
from jobarium_events.evolution.templates import decision_text, upcast_test_text, upcast_text
from jobarium_events.writing import write_files

__all__ = ["NewVersion", "new_decision", "new_version"]

_NUMBER = re.compile(r"DEC-([0-9]+)")


class NewVersion(msgspec.Struct, frozen=True):
    """A version that has been begun.

    Attributes:
        event: The event's name.
        old: The version that it was begun from.
        new: The new version.
        decision: Id of the decision that was begun for it.
        written: The files that were written.
    """

    event: str
    old: str
    new: str
    decision: str
    written: tuple[Path, ...]


def new_version(
    folder: Path,
    event: str,
    *,
    release: str | None = None,
    upcasts: Path | None = None,
    today: datetime.date | None = None,
) -> NewVersion:
    """Begin the next version of an event: its schema, its table in the manifest, a decision, an upcast with its test.

    The schema is the newest one's, to be changed by hand.

    Args:
        folder: The catalog's folder.
        event: The event's name.
        release: The planned release that is to introduce it; by default none yet.
        upcasts: The folder for the upcast and its test; by default ``upcasts`` beside the catalog's folder.
        today: The day; by default today.

    Raises:
        CatalogError: If the contracts have mistakes.
        EditError: If there is no such event or release, the newest version is a draft, or a file is there already.
    """
    today = today or datetime.datetime.now(tz=datetime.UTC).date()
    state = State.of(folder, today=today)
    newest = _newest(state, event)
    if release is not None:
        state.planned(release)
    old, new = newest.version, f"v{version_number(newest.version) + 1}"
    decision = _next_id(folder, state.lock)
    edit = ManifestEdit(folder)
    edit.add_version(event, new, _entry(newest, decision, release))
    upcasts = upcasts or _beside(folder) / "upcasts"
    module = f"{re.sub(r'[^0-9A-Za-z]+', '_', event)}_{old}_to_{new}"
    files = {
        folder / schema_path(event, new): (folder / schema_path(event, old)).read_bytes(),
        folder / decision_path(decision): decision_text(
            decision,
            f"{event} {new}",
            owner=newest.owner,
            today=today,
            allows={"event": event, "version": new},
            timeline=list(_timelines(state, newest, release)),
            replaced=old,
        ).encode(),
        upcasts / f"{module}.py": upcast_text(event, old, new).encode(),
        upcasts / f"test_{module}.py": upcast_test_text(
            event,
            old,
            new,
            module=module,
            schemas=Path(os.path.relpath(folder.resolve(), upcasts.resolve())).as_posix(),
            example=_example(newest),
        ).encode(),
    }
    _see_that_none_is_there(files)
    write_files({**files, edit.path: edit.text.encode()})
    return NewVersion(event=event, old=old, new=new, decision=decision, written=(*files, edit.path))


def new_decision(folder: Path, title: str, *, owner: str, today: datetime.date | None = None) -> Path:
    """Begin a decision, and return its file.

    Args:
        folder: The catalog's folder.
        title: What it is about, in one line.
        owner: The service or the person who answers for it.
        today: The day; by default today.

    Raises:
        LockError: If the lock cannot be used.
        EditError: If the title or the owner is no line of text.
    """
    for what, text in (("a title", title), ("an owner", owner)):
        if not text.strip() or not text.isprintable():
            raise EditError(f"a decision has {what} of one line of text")
    today = today or datetime.datetime.now(tz=datetime.UTC).date()
    id_ = _next_id(folder, read_lock(folder))
    path = folder / decision_path(id_)
    write_files({path: decision_text(id_, title.strip(), owner=owner.strip(), today=today).encode()})
    return path


def _beside(folder: Path) -> Path:
    """Return the folder that a folder stands in; relative if that one is, as all paths that are written are."""
    # Resolved first: the parent of "." or of a link is not what its path says.
    parent = folder.resolve().parent
    if folder.is_absolute():
        return parent
    try:
        return Path(os.path.relpath(parent))
    except ValueError:  # on another drive
        return parent


def _newest(state: State, event: str) -> Contract:
    """Return the version to go on from."""
    versions = [contract for (name, _), contract in state.contracts.items() if name == event]
    if not versions:
        events = ", ".join(dict.fromkeys(name for name, _ in state.contracts))
        raise EditError(f"{state.folder} has no event {event}; it has {events or 'none'}")
    newest = max(versions, key=lambda each: version_number(each.version))
    if newest.lifecycle is Lifecycle.DRAFT:
        raise EditError(f"{newest.name} is a draft: nobody depends on it, so change that instead")
    return newest


def _entry(newest: Contract, decision: str, release: str | None) -> dict[str, Any]:
    entry: dict[str, Any] = {"key": newest.key.text}
    if newest.ordering is not None:
        entry["ordering"] = {"per": newest.ordering.per, "by": newest.ordering.by}
    if release is not None:
        entry["introduced"] = release
    entry["decision"] = decision
    return entry


def _timelines(state: State, newest: Contract, release: str | None) -> Iterator[dict[str, str]]:
    """Yield when the older versions go, as far as that is not decided yet and the planned releases reach."""
    releases = Releases.of(state.manifest)
    event = newest.event
    for contract in (each for (name, _), each in state.contracts.items() if name == event):
        decided = any(each.timeline_of(event, contract.version) for each in state.decisions.values())
        if contract.lifecycle in (Lifecycle.DRAFT, Lifecycle.RETIRED) or (decided and contract is not newest):
            continue
        deprecated = contract.deprecated or release
        at = releases.place(deprecated)
        later = releases.every[max(at + WINDOW, len(releases.past)) :] if at is not None else ()
        retired = contract.retired or (later[0] if later else None)
        if deprecated is not None and retired is not None:
            yield {"event": event, "version": contract.version, "deprecated": deprecated, "retired": retired}


def _next_id(folder: Path, lock: Lock | None) -> str:
    """Return the id after all that there are, and that there were."""
    ids = [path.stem for path in (folder / DECISIONS).glob("*.md")] + list(lock.decisions if lock else ())
    numbers = [int(found[1]) for found in map(_NUMBER.fullmatch, ids) if found]
    return f"DEC-{max(numbers, default=0) + 1:04}"


def _example(contract: Contract) -> Any:
    """Return a payload of a contract; None if none is found."""
    witness = some_document(contract.schema).witness
    return None if witness is msgspec.UNSET else witness


def _see_that_none_is_there(files: Iterable[Path]) -> None:
    for path in files:
        if path.exists():
            raise EditError(f"{path} is there already; move it away, or name another folder")
