"""What is on its way out: which versions and fields, since when, until when, and what is still to do for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from shlex import quote
from typing import TYPE_CHECKING

import msgspec

from jobarium_events.contract import Contract, Lifecycle, successor, version_number
from jobarium_events.evolution.decision import Decision
from jobarium_events.evolution.evidence import FRESH, UNSEEN, moment, unseen_by
from jobarium_events.evolution.lifecycle import WINDOW
from jobarium_events.evolution.lock import Retirement
from jobarium_events.evolution.moves import Releases
from jobarium_events.evolution.refusals import EvidenceError
from jobarium_events.fields import FieldRow, fields_of
from jobarium_events.site.shown import Shown, named
from jobarium_events.site.wording import listed

if TYPE_CHECKING:
    from jobarium_events.counters import Counters

__all__ = ["Deprecations", "LeavingField", "LeavingVersion", "Overdue", "Seen", "deprecations_of"]

_BY_DEFAULT = ("", "schemas")
"""The folders that a command takes where it is given none."""


class Seen(msgspec.Struct, frozen=True):
    """What the counters of one service say of a version that is to go.

    Attributes:
        service: The service.
        role: What it does with the event: ``"sends it"``, ``"reads it"`` or both; that it has seen it if it is not
            known to do either.
        problem: What they do not show; "" if the service is shown to have moved.
        unseen: From when to when it has not seen the version, in words; None if that is not shown.
    """

    service: str
    role: str
    problem: str
    unseen: tuple[str, str] | None


class LeavingVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A version that is deprecated, or is to be.

    Attributes:
        contract: The version.
        successor: The newer version to move to; None if none is active.
        no_successor: Why there is none, in words.
        is_deprecated: Whether it is deprecated already.
        earliest: The first release that may retire it; None if no such release is planned yet.
        decision: The decision that says when it goes, if one does.
        evidence: Why it may be retired, if that has been shown.
        services: Who sends and who reads it, with what their counters say.
        has_counters: Whether counters were given.
        command: What to run next; "" if that is no command.
        next: What is next, in words.
    """

    contract: Contract
    successor: Contract | None
    no_successor: str
    is_deprecated: bool
    earliest: str | None
    decision: Decision | None
    evidence: Retirement | None
    services: tuple[Seen, ...]
    has_counters: bool
    command: str
    next: str


class LeavingField(msgspec.Struct, frozen=True):
    """A field that is marked ``"deprecated": true``.

    Attributes:
        contract: The contract that has it.
        name: The field's name.
        anchor: What it is called in the anchors of the event's page.
        since: The release that deprecated it, or why none has, in words.
        earliest: When it may go, in words.
        to_do: What is still to do, in words.
        command: What begins it; "" if that is no command.
    """

    contract: Contract
    name: str
    anchor: str
    since: str
    earliest: str
    to_do: str
    command: str


class Overdue(msgspec.Struct, frozen=True):
    """A version that has an active successor, and whose end nobody has planned.

    Attributes:
        contract: The version.
        successor: The newer version.
        next: What is next, in words.
        command: What binds its end to a release; "" if no release is planned.
    """

    contract: Contract
    successor: Contract
    next: str
    command: str


class Deprecations(msgspec.Struct, frozen=True):
    """All that is on its way out.

    Attributes:
        leaving: The versions that are deprecated, and those that are to be.
        overdue: The versions whose end is to be planned.
        fields: The deprecated fields.
        retired: The versions that are retired, each with why it might be.
        window: In how many releases at least a deprecated version is still read.
        days: For how many days a version has to be unseen.
        counted: Up to when the counters count, such as ``"2026-11-20"``; "" without counters.
    """

    leaving: tuple[LeavingVersion, ...]
    overdue: tuple[Overdue, ...]
    fields: tuple[LeavingField, ...]
    retired: tuple[tuple[Contract, Retirement | None], ...]
    window: int
    days: int
    counted: str

    def of(self, event: str) -> list[LeavingVersion]:
        """Return the versions of one event that are on their way out."""
        return [each for each in self.leaving if each.contract.event == event]


def deprecations_of(shown: Shown) -> Deprecations:
    """Return all that is on its way out."""
    retired = [each for each in shown.catalog if each.lifecycle is Lifecycle.RETIRED]
    until = max((each.until for each in shown.counters), default=None)
    return Deprecations(
        leaving=tuple(_leaving(shown)),
        overdue=tuple(_overdue(shown)),
        fields=tuple(_fields(shown)),
        retired=tuple((each, _evidence(shown, each)) for each in retired),
        window=WINDOW,
        days=UNSEEN.days,
        counted=until.date().isoformat() if until else "",
    )


def _leaving(shown: Shown) -> Iterator[LeavingVersion]:
    releases = Releases(shown.releases, shown.planned)
    for contract in shown.catalog:
        if contract.deprecated is None or contract.lifecycle is Lifecycle.RETIRED:
            continue
        evidence = _evidence(shown, contract)
        earliest = _after(releases, contract.deprecated)
        seen = tuple(_seen(shown, contract))
        next_, command = _next(shown, contract, earliest, evidence, seen)
        yield LeavingVersion(
            contract=contract,
            successor=successor(contract, shown.catalog.versions(contract.event)),
            no_successor=_no_successor(shown, contract),
            is_deprecated=contract.lifecycle is Lifecycle.DEPRECATED,
            earliest=earliest,
            decision=next((each for each in shown.decisions.values() if _plans(each, contract)), None),
            evidence=evidence,
            services=seen,
            has_counters=bool(shown.counters),
            command=command,
            next=next_,
        )


def _after(releases: Releases, release: str) -> str | None:
    """Return the first release at which what one release deprecates may go; None if it is not planned yet."""
    place = releases.place(release)
    return None if place is None else next(iter(releases.every[place + WINDOW :]), None)


def _no_successor(shown: Shown, contract: Contract) -> str:
    """Return in words why there is no version to move to, or not yet."""
    number = version_number(contract.version)
    for each in shown.catalog.versions(contract.event):
        if version_number(each.version) > number and each.lifecycle is Lifecycle.DRAFT:
            when = f"is to be active in {each.introduced}" if each.introduced else "is a draft"
            return f"nothing yet: {each.version} {when}"
    return "nothing: no newer version is active"


def _plans(decision: Decision, contract: Contract) -> bool:
    return decision.timeline_of(contract.event, contract.version) is not None


def _evidence(shown: Shown, contract: Contract) -> Retirement | None:
    return shown.lock.retirement(contract.event, contract.version) if shown.lock else None


def _next(
    shown: Shown, contract: Contract, earliest: str | None, evidence: Retirement | None, seen: Sequence[Seen]
) -> tuple[str, str]:
    """Return what is next in words, and the command for it."""
    name = f"{contract.event} {contract.version}"
    if contract.retired is None:
        if earliest is None:
            later = f"at least {WINDOW} releases after {contract.deprecated}"
            return f"Plan a release {later}, and bind its retirement to that.", ""
        binds = earliest if earliest in shown.planned else next(iter(shown.planned), None)
        if binds is None:
            return "Plan another release, and bind its retirement to that.", ""
        return "Bind its retirement to a planned release.", _command(shown, f"retire {name} --in {quote(binds)}")
    if evidence is not None:
        text = f"Nothing but to wait: release {contract.retired} retires it."
        return text, _command(shown, f"release {quote(contract.retired)}")
    waiting = _waiting(shown, seen)
    following = next(iter(shown.planned), contract.retired)
    if following != contract.retired:
        taken = f"The evidence is taken right before release {contract.retired}"
        if waiting:
            return f"{waiting} {taken}, once {following} is released.", ""
        return (
            f"Every service has moved. {taken}; {following} comes first.",
            _command(shown, f"release {quote(following)}"),
        )
    if shown.lock is None:
        current = shown.releases[-1]
        again = f"Release {current}, the current one, once more: that writes it."
        text = f"There is no catalog.lock yet, which keeps the evidence. {again}"
        return text, _command(shown, f"release {quote(current)}")
    services = {each.service for each in seen}
    counted = [
        (path, each)
        for path, each in zip(shown.evidence, shown.counters, strict=True)
        if _counts(each, contract) and each.service in services
    ]
    known = {each.service for _, each in counted}
    text = f"{waiting or 'Every service has moved.'} Once nobody sees {contract.version} any more, take the evidence"
    if any(each.service in known and each.unseen is None for each in seen):
        # The command would be refused. Where counters are missing, it is shown: it says whose files it takes.
        return f"{text}.", ""
    missing = [each.service for each in seen if each.service not in known]
    files = "".join(f" --evidence {quote(named(path))}" for path, _ in counted) + " --evidence FILE" * len(missing)
    command = _command(shown, f"retire {name} --in {quote(contract.retired)}", files)
    text += f"; it holds for {FRESH.days} days."
    if missing:
        stands = "FILE stands" if len(missing) == 1 else "Each FILE stands"
        text += f" {stands} for the counters of {listed(missing, 'or')}."
    return text, command


def _waiting(shown: Shown, seen: Sequence[Seen]) -> str:
    """Return in words who comes first; "" if every service is shown to have moved."""
    if not shown.counters:
        return "First, every service has to move."
    services = [each.service for each in seen if each.unseen is None]
    verb = "has" if len(services) == 1 else "have"
    return f"First, it has to be shown that {listed(services)} {verb} moved." if services else ""


def _command(shown: Shown, text: str, options: str = "") -> str:
    """Return a command that is run where the site was built, on the same folder."""
    folder = "" if shown.is_bundled else named(shown.folder)
    return f"jobarium-events {text}{'' if folder in _BY_DEFAULT else f' {quote(folder)}'}{options}"


def _counts(counters: Counters, contract: Contract) -> bool:
    return any((each.event, each.version) == (contract.event, contract.version) for each in counters.counts)


def _has_seen(counters: Counters, contract: Contract) -> bool:
    key = (contract.event, contract.version)
    return any((each.event, each.version) == key and each.is_seen for each in counters.counts)


def _seen(shown: Shown, contract: Contract) -> Iterator[Seen]:
    """Yield for each service what its counters show, by the end of the newest ones."""
    roles: dict[str, str] = {contract.owner: "sends it"}
    for consumer in contract.consumers:
        roles[consumer] = "sends and reads it" if consumer == contract.owner else "reads it"
    for counters in shown.counters:
        if _has_seen(counters, contract):
            roles.setdefault(counters.service, "is not known to read it, and has seen it")
    if not shown.counters:
        yield from (Seen(service, role, "", None) for service, role in roles.items())
        return
    now = max(each.until for each in shown.counters)
    for service, role in roles.items():
        files = [path for path, each in zip(shown.evidence, shown.counters, strict=True) if each.service == service]
        alone = msgspec.structs.replace(contract, owner=service, consumers=())
        try:
            unseen = unseen_by(alone, files, now=now)[service]
        except EvidenceError as error:
            yield Seen(service, role, "; ".join(error.problems), None)
        else:
            start, end = (moment(datetime.fromisoformat(each)) for each in unseen.split("/"))
            yield Seen(service, role, "", (start, end))


def _overdue(shown: Shown) -> Iterator[Overdue]:
    for contract in shown.catalog:
        newest = shown.catalog.newest(contract.event)
        if contract.lifecycle is not Lifecycle.ACTIVE or contract.deprecated or newest in (None, contract):
            continue
        release = next(iter(shown.planned), None)
        text, command = "Plan a release, and bind its deprecation to that.", ""
        if release is not None:
            text = "Bind its deprecation to a planned release."
            command = _command(shown, f"deprecate {contract.event} {contract.version} --in {quote(release)}")
        yield Overdue(contract, newest, text, command)


def _fields(shown: Shown) -> Iterator[LeavingField]:
    releases = Releases(shown.releases, shown.planned)
    for contract in shown.catalog:
        if contract.lifecycle is Lifecycle.RETIRED:
            continue
        marked = shown.lock.deprecated.get((contract.event, contract.version), {}) if shown.lock else {}
        for row in fields_of(contract.schema):
            if not row.deprecated:
                continue
            since = marked.get(row.path)
            earliest, to_do, command = _way_out(shown, contract, row, _after(releases, since) if since else None)
            is_draft = contract.lifecycle is Lifecycle.DRAFT
            yield LeavingField(
                contract=contract,
                name=row.name,
                anchor=row.path.removeprefix("/"),
                since=since or ("not released" if is_draft else "the next release"),
                earliest=earliest,
                to_do=to_do if since or is_draft or row.required else "Release the schema that marks it.",
                command=command,
            )


def _way_out(shown: Shown, contract: Contract, row: FieldRow, after: str | None) -> tuple[str, str, str]:
    """Return when a field may go, what is still to do for that, and the command that begins it.

    Args:
        shown: What the site shows.
        contract: The contract that has it.
        row: The field.
        after: The first release that may take an optional field away; None if it is not known yet.
    """
    if contract.lifecycle is Lifecycle.DRAFT:
        return "at any time", f"Take it out: nothing of {contract.version} is released yet.", ""
    if row.required:
        without = _without(shown, contract, row.path)
        if without is not None:
            return (
                f"with {contract.version}",
                f"It goes with {contract.version}: {without.version} does without it.",
                "",
            )
        text = "It is required, so only a new version can do without it."
        return f"with {contract.version}", text, _command(shown, f"new-version {contract.event}")
    earliest = f"in {after}" if after else f"{WINDOW} releases after that"
    if after not in shown.releases:
        return earliest, "Have its consumers stop reading it.", ""
    return earliest, "Take it out of the schema, once no consumer reads it.", ""


def _without(shown: Shown, contract: Contract, path: str) -> Contract | None:
    """Return a newer version, in use or to come, that does without a field."""
    number = version_number(contract.version)
    for each in shown.catalog.versions(contract.event):
        if version_number(each.version) > number and each.lifecycle is not Lifecycle.RETIRED:
            rows = {row.path: row for row in fields_of(each.schema)}
            if path not in rows or not rows[path].required:
                return each
    return None
