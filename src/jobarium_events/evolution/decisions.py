"""The decision log: the entries of ``decisions/``, and every mistake in them.

A decision is a Markdown file, ``decisions/DEC-0001.md``: front matter in TOML between lines of ``+++``, for what the
check reads, and sections, for what people read. An entry is superseded by a later one, and never deleted.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.catalog.manifest import read
from jobarium_events.evolution.decision import (
    DECISIONS,
    SECTIONS,
    Allowed,
    AllowedColumns,
    Decision,
    Status,
    Timeline,
    decision_path,
)
from jobarium_events.evolution.findings import Finding, Severity
from jobarium_events.evolution.frontmatter import FrontMatterError, Page, parse
from jobarium_events.evolution.lifecycle import WINDOW
from jobarium_events.evolution.moves import Releases

if TYPE_CHECKING:
    from jobarium_events.evolution.lock import Lock, LockedDecision

__all__ = ["MOVES", "read_decisions"]

_ID = re.compile(r"DEC-[0-9]{4,}")
_README = "README.md"

_TABLES: Mapping[str, type[Allowed | AllowedColumns | Timeline]] = {
    "allows": Allowed,
    "columns": AllowedColumns,
    "timeline": Timeline,
}
_KEYS: Mapping[str, tuple[type, str]] = {
    "id": (str, 'a text, as in "DEC-0001"'),
    "title": (str, "a text in one line"),
    "date": (datetime.date, "a date, as in 2026-10-05"),
    "status": (Status, f"one of {', '.join(Status)}"),
    "owner": (str, "the service or the person who answers for it"),
    "review": (datetime.date, "a date, as in 2027-04-01"),
}
_SUPERSEDED_BY = "superseded_by"
MOVES = {
    Status.ACCEPTED: (Status.ACCEPTED, Status.SUPERSEDED),
    Status.SUPERSEDED: (Status.SUPERSEDED,),
    Status.REJECTED: (Status.REJECTED,),
}
"""Where a status of the last release may lead."""


def read_decisions(
    folder: Path,
    *,
    lock: Lock | None = None,
    known: Collection[tuple[str, str]] | None = None,
    today: datetime.date | None = None,
) -> tuple[dict[str, Decision], list[Finding]]:
    """Read the decision log of a catalog's folder.

    Args:
        folder: The catalog's folder.
        lock: Its lock: what was decided at the last release is still held against the log.
        known: Event and version of each contract; by default those of the folder's manifest.
        today: The day by which a review has passed; by default today.

    Returns:
        The decisions whose front matter is right, by id, and every mistake in the log.
    """
    findings: list[Finding] = []
    decisions: dict[str, Decision] = {}
    ids: dict[str, str] = {}
    for path in sorted((folder / DECISIONS).glob("*.md")):
        if path.name == _README:
            continue
        entry = _Entry(path)
        decision = entry.read()
        findings += entry.findings
        if entry.id and entry.id in ids:
            text = f"has the id {entry.id}, as {ids[entry.id]} has"
            findings.append(_error("decision-id-repeated", entry.file, "id", text, "give it the next free id"))
        elif decision is not None:
            decisions[decision.id] = decision
        ids.setdefault(entry.id, entry.file)
    releases = None
    if decisions:
        manifest, problems = read(folder)
        # A manifest with mistakes may lack releases; those who load it are told what is wrong with it.
        releases = None if problems else Releases.of(manifest)
        if known is None:
            known = {(event, version) for event, declared in manifest.events.items() for version in declared.versions}
    for decision in decisions.values():
        findings += _between(decision, decisions, ids)
        findings += _about_contracts(decision, known or ())
        findings += decision.lacks()
        if releases is not None:
            findings += _timelines(decision, releases)
        findings += _review(decision, today or datetime.datetime.now(tz=datetime.UTC).date())
    findings += _since_the_last_release(decisions, ids, lock.decisions if lock else {})
    return decisions, findings


class _Entry:
    """One file of the log."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = decision_path(path.stem)
        self.findings: list[Finding] = []
        # One that cannot be read, or has no id, is there all the same, and goes by the name of its file.
        self.id = path.stem if _ID.fullmatch(path.stem) else ""

    def read(self) -> Decision | None:
        """Return the decision, or None if its front matter has a mistake."""
        try:
            page = parse(self.path.read_text(encoding="utf-8"))
        except (FrontMatterError, UnicodeDecodeError) as error:
            text = str(error) if isinstance(error, FrontMatterError) else f"is not UTF-8, at byte {error.start}"
            self._mistake("decision-unreadable", "", text)
            return None
        decision = self._decision(page)
        self._sections(page, Status.PROPOSED if decision is None else decision.status)
        return decision

    def _decision(self, page: Page) -> Decision | None:
        before = len(self.findings)
        values: dict[str, Any] = {"sections": page.sections}
        for key, (kind, should) in _KEYS.items():
            if key not in page.tables:
                self._mistake("decision-key-missing", key, f"has no {key}; write {should}")
                continue
            try:
                values[key] = msgspec.convert(page.tables[key], kind)
            except msgspec.ValidationError:
                rule = "decision-status-unknown" if key == "status" else "decision-key-wrong"
                self._mistake(rule, key, f"has {_one(key)} that is not {should}")
            else:
                if values[key] == "":
                    self._mistake("decision-key-wrong", key, f"has an empty {key}; write {should}")
        values["allowed"] = self._tables(page, "allows")
        values["columns"] = self._tables(page, "columns")
        values["timeline"] = self._tables(page, "timeline")
        values[_SUPERSEDED_BY] = superseded_by = page.tables.get(_SUPERSEDED_BY)
        if not isinstance(superseded_by, str | None):
            self._mistake("decision-key-wrong", _SUPERSEDED_BY, "has a superseded_by that is not the id of a decision")
        known = [*_KEYS, _SUPERSEDED_BY, *_TABLES]
        for key in page.tables:
            if key not in known:
                text = f"has the key {key}, which means nothing here; the keys: {', '.join(known)}"
                self._mistake("decision-key-unknown", key, text)
        self._named(values.get("id"))
        return Decision(**values) if len(self.findings) == before else None

    def _named(self, id_: object) -> None:
        if not isinstance(id_, str) or not id_:
            return
        self.id = id_
        if not _ID.fullmatch(id_):
            self._mistake("decision-key-wrong", "id", f"has the id {id_!r}; an id is written as DEC-0001")
        elif id_ != self.path.stem:
            self._mistake("decision-misnamed", "id", f"has the id {id_}; rename the file to {id_}.md, or mend the id")

    def _tables(self, page: Page, key: str) -> tuple[Any, ...]:
        tables = page.tables.get(key, [])
        if not isinstance(tables, list):
            self._mistake("decision-key-wrong", key, f"has {_one(key)} that is no list of tables; write [[{key}]]")
            return ()
        found = []
        for number, table in enumerate(tables):
            try:
                found.append(msgspec.convert(table, _TABLES[key]))
            except msgspec.ValidationError as error:
                self._mistake("decision-key-wrong", f"{key}[{number}]", f"has a table [[{key}]] that is wrong: {error}")
        return tuple(found)

    def _sections(self, page: Page, status: Status) -> None:
        severity = Severity.WARNING if status is Status.PROPOSED else Severity.ERROR
        for name in SECTIONS:
            text = page.sections.get(name)
            if text is None:
                self._mistake("section-missing", f"## {name}", f"has no section ## {name}", severity)
            elif not text:
                self._mistake("section-empty", f"## {name}", f"says nothing in its section ## {name}", severity)
        for name in page.repeated:
            self._mistake("section-repeated", f"## {name}", f"has the section ## {name} twice; put them together")

    def _mistake(self, rule: str, place: str, text: str, severity: Severity = Severity.ERROR) -> None:
        self.findings.append(Finding(rule=rule, severity=severity, file=self.file, pointer=place, text=text))


def _one(key: str) -> str:
    return f"{'an' if key[0] in 'aeiou' else 'a'} {key}"


def _error(rule: str, file: str, place: str, text: str, advice: str = "") -> Finding:
    return Finding(rule=rule, severity=Severity.ERROR, file=file, pointer=place, text=text, advice=advice)


def _between(decision: Decision, decisions: Mapping[str, Decision], ids: Collection[str]) -> Iterator[Finding]:
    """Yield what is wrong between a decision and the one that supersedes it."""
    rule = "decision-superseded-wrongly"
    by = decision.superseded_by
    if decision.status is Status.SUPERSEDED and by is None:
        advice = 'add superseded_by = "..." with the id of the decision that has taken its place'
        yield _error(rule, decision.file, "status", f"{decision.id} is superseded, and does not say by what", advice)
    elif by is not None and decision.status is not Status.SUPERSEDED:
        advice = 'set status = "superseded", or remove superseded_by'
        text = f"{decision.id} names {by} as what supersedes it, and is {decision.status}"
        yield _error(rule, decision.file, _SUPERSEDED_BY, text, advice)
    elif by is not None and by not in ids:
        text = f"{decision.id} is superseded by {by}, which is not in the log"
        yield _error(rule, decision.file, _SUPERSEDED_BY, text, f"write {decision_path(by)}, or name another decision")
    elif by is not None and _in_a_circle(decision, decisions):
        text = f"{decision.id} is superseded by {by}, which leads back to it"
        yield _error(rule, decision.file, _SUPERSEDED_BY, text, "name the decision that holds now")


def _in_a_circle(decision: Decision, decisions: Mapping[str, Decision]) -> bool:
    seen: set[str] = set()
    each: Decision | None = decision
    while each is not None and each.id not in seen:
        seen.add(each.id)
        each = decisions.get(each.superseded_by or "")
    return each is not None and each.id == decision.id


def _about_contracts(decision: Decision, known: Collection[tuple[str, str]]) -> Iterator[Finding]:
    """Yield each contract that a decision names and that there is not; one that is not accepted may be ahead of it."""
    if decision.status in (Status.PROPOSED, Status.REJECTED):
        return
    named: dict[str, tuple[Allowed | Timeline, ...]] = {"allows": decision.allowed, "timeline": decision.timeline}
    for key, tables in named.items():
        for number, each in enumerate(tables):
            if (each.event, each.version) not in known:
                versions = ", ".join(sorted(version for event, version in known if event == each.event))
                yield _error(
                    "decision-names-unknown-contract",
                    decision.file,
                    f"{key}[{number}]",
                    f"{decision.id} names {each.event} {each.version}, which is not in the manifest",
                    f"the versions of {each.event} are {versions}" if versions else "mend the name of the event",
                )


def _timelines(decision: Decision, releases: Releases) -> Iterator[Finding]:
    """Yield where a timeline names a release that there is not, or leaves too little time between its two."""
    if decision.status not in (Status.PROPOSED, Status.ACCEPTED):
        return
    severity = Severity.WARNING if decision.status is Status.PROPOSED else Severity.ERROR
    for number, each in enumerate(decision.timeline):
        for rule, text, advice in _untimely(each, releases):
            yield Finding(
                rule=rule,
                severity=severity,
                file=decision.file,
                pointer=f"timeline[{number}]",
                text=f"{decision.id} has {each.event} {each.version} {text}",
                advice=advice,
            )


def _untimely(agreed: Timeline, releases: Releases) -> Iterator[tuple[str, str, str]]:
    """Yield each rule that one timeline breaks, with what is wrong and what to do."""
    for what, release in (("deprecated", agreed.deprecated), ("retired", agreed.retired)):
        if releases.place(release) is None:
            advice = "name one of its releases, or add this one to `planned`"
            if releases.planned:
                advice += f"; the releases to come are {', '.join(releases.planned)}"
            yield "timeline-release-unknown", f"{what} in {release}, which is not in the manifest", advice
    lasts = releases.apart(agreed.deprecated, agreed.retired)
    if lasts is not None and lasts < WINDOW:
        text = f"deprecated in {agreed.deprecated} and retired in {agreed.retired}"
        yield "timeline-too-short", text, f"have it retired {WINDOW} releases after it is deprecated, or later"


def _review(decision: Decision, today: datetime.date) -> Iterator[Finding]:
    if decision.is_accepted and decision.review < today:
        yield Finding(
            rule="decision-review-passed",
            severity=Severity.WARNING,
            file=decision.file,
            pointer="review",
            text=f"{decision.id} was to be looked at again on {decision.review}",
            advice="look whether it still holds; then set the next day, or supersede it",
        )


def _since_the_last_release(
    decisions: Mapping[str, Decision], ids: Collection[str], locked: Mapping[str, LockedDecision]
) -> Iterator[Finding]:
    """Yield what has become of the decisions of the last release that may not become of a decision."""
    for id_, before in locked.items():
        if id_ in decisions:
            yield from _changed(decisions[id_], before)
        elif id_ not in ids:
            text = f"{id_} is gone, and was {before.status} at the last release"
            yield _error("decision-deleted", decision_path(id_), "", text, "restore it; an entry is superseded instead")


def _changed(decision: Decision, locked: LockedDecision) -> Iterator[Finding]:
    if decision.status not in MOVES[Status(locked.status)]:
        text = f"{decision.id} is {decision.status}, and was {locked.status} at the last release"
        advice = "write another decision that supersedes it"
        yield _error("decision-reversed", decision.file, "status", text, advice)
    elif decision.digest != locked.digest:
        text = (
            f"{decision.id} does not say what it said at the last release; "
            f"only its status, superseded_by and review may change"
        )
        advice = "restore the text; what is decided otherwise is another decision, which may supersede this one"
        yield _error("decision-changed", decision.file, "", text, advice)
