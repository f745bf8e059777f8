"""The catalog: an immutable set of contracts."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from jobarium_events.catalog.bundled import bundled_entries
from jobarium_events.catalog.loading import clashes, load_entries
from jobarium_events.contract import Contract, Lifecycle, contract_of, version_number
from jobarium_events.errors import CatalogError, Problem, UnknownContract

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping

    from jobarium_events.catalog.entry import Entry

__all__ = ["Catalog"]


class Catalog:
    """An immutable set of contracts, safe to share between threads and tasks.

    Make one by `Catalog.bundled`, `Catalog.load` or `with_`. A contract is compiled when it is first used.
    """

    __slots__ = ("_by_event", "_entries", "_releases")

    def __init__(self, entries: Iterable[Entry], releases: Iterable[str] = ()) -> None:
        self._entries = {(entry.contract.event, entry.contract.version): entry for entry in entries}
        self._releases = tuple(releases)
        by_event: dict[str, list[Contract]] = {}
        for entry in self._entries.values():
            by_event.setdefault(entry.contract.event, []).append(entry.contract)
        self._by_event = {
            event: tuple(sorted(contracts, key=lambda each: version_number(each.version)))
            for event, contracts in by_event.items()
        }

    @classmethod
    def bundled(cls) -> Catalog:
        """Return Jobarium's own catalog, which comes with this library."""
        return cls(*bundled_entries())

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Catalog:
        """Read a folder of schemas with its manifest: ``<event name>/<version>.json`` and ``catalog.toml``.

        Raises:
            CatalogError: With every mistake in the folder.
        """
        return cls(*load_entries(folder))

    def with_(self, *others: Catalog) -> Catalog:
        """Return a catalog of this one's contracts and the others'. Its releases are this one's.

        Raises:
            CatalogError: If two of them have an event of the same name, or payload classes of the same name.
        """
        entries = dict(self._entries)
        events = set(self._by_event)
        problems = []
        for other in others:
            problems += [
                Problem("catalog", event, "is an event of two catalogs; rename one of them")
                for event in other.events
                if event in events
            ]
            events.update(other.events)
            entries.update(other.entries)
        problems += clashes(entry.contract for entry in entries.values())
        if problems:
            raise CatalogError("of several", problems)
        return Catalog(entries.values(), self._releases)

    @property
    def entries(self) -> Mapping[tuple[str, str], Entry]:
        """The contracts with their compiled forms, by name and version."""
        return MappingProxyType(self._entries)

    @property
    def events(self) -> tuple[str, ...]:
        """The names of the events, in the manifest's order."""
        return tuple(self._by_event)

    @property
    def releases(self) -> tuple[str, ...]:
        """The names of the releases so far, in order; the last is the current one."""
        return self._releases

    def contract(self, event: str | type, version: str | None = None) -> Contract:
        """Look up a contract by name and version, or by its payload class.

        Args:
            event: The event's name, or a generated payload class (which needs no version).
            version: Such as ``"v1"``.

        Raises:
            UnknownContract: If the catalog has no such contract.
            DeclarationError: If the class was generated from another schema than the catalog holds.
        """
        return self.entry(event, version).contract

    def versions(self, event: str) -> tuple[Contract, ...]:
        """Return the contracts of an event, oldest version first.

        Raises:
            UnknownContract: If the catalog has no such event.
        """
        try:
            return self._by_event[event]
        except KeyError:
            raise UnknownContract(event, None, self._by_event) from None

    def newest(self, event: str) -> Contract | None:
        """Return the newest active contract of an event, or None if none is active.

        Raises:
            UnknownContract: If the catalog has no such event.
        """
        active = [each for each in self.versions(event) if each.lifecycle is Lifecycle.ACTIVE]
        return active[-1] if active else None

    def entry(self, event: str | type, version: str | None = None) -> Entry:
        """Look up a contract with its compiled forms; parameters and errors are those of `contract`."""
        payload_class: Any = None
        if isinstance(event, type):
            payload_class = event
            event, version = contract_of(payload_class)
        elif version is None:
            raise TypeError("a look-up by name needs a version as well")
        entry = self._entries.get((event, version))
        if entry is None:
            raise UnknownContract(event, version, [each.version for each in self.versions(event)])
        if payload_class is not None:
            entry.agreed(payload_class)
        return entry

    def __contains__(self, key: object) -> bool:
        if isinstance(key, Contract):
            entry = self._entries.get((key.event, key.version))
            return entry is not None and entry.contract is key
        if isinstance(key, type):
            return getattr(key, "__contract__", (None, None))[:2] in self._entries
        return key in self._entries or key in self._by_event

    def __iter__(self) -> Iterator[Contract]:
        return (entry.contract for entry in self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"<Catalog of {len(self)} contracts of {len(self._by_event)} events>"
