"""The texts of the files that are begun by a command and finished by hand."""

from __future__ import annotations

import datetime
import json
from string import Template
from typing import TYPE_CHECKING, Any

from jobarium_events.evolution.decision import MIGRATION_PLAN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["decision_text", "upcast_test_text", "upcast_text"]

_REVIEW = datetime.timedelta(days=182)

_HINTS = {
    "Context": "What is so today, and what is wrong with it?",
    "Decision": "What is done? Write sentences that can be held against the schemas, or the tables.",
    MIGRATION_PLAN: "Who moves when, consumers before the producer? How does one go back? Drop it if nothing breaks.",
    "Alternatives": "What else could be done, and what speaks against each?",
    "Why": "What made the difference?",
    "Consequences": "What gets easier, what gets harder, and what has to be watched?",
}

_UPCAST = Template('''"""The upcast of $event from $old to $new."""

from __future__ import annotations

from typing import Any


def upcast_$function(payload: dict[str, Any]) -> dict[str, Any]:
    """Return what a payload of $event $old is in $new.

    Every consumer of $event registers it, and then needs a handler of $new only:

        consumer.upcast("$event", "$old", "$new")(upcast_$function)

    It is a pure function: the same payload always gives the same result. It may take the event as a second parameter,
    and raise where a payload of $old says nothing that $new could say; such an event goes to the dead letters.
    """
    raise NotImplementedError("write the upcast of $event from $old to $new")
''')

_TEST = Template('''"""The upcast of $event from $old to $new gives payloads that $new accepts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from $module import upcast_$function

from jobarium_events import Catalog

CATALOG = Catalog.load(Path(__file__).resolve().parent / "$schemas")

# Payloads of $old. Add those that are hard to upcast: with optional fields and without, at the limits of each range.
EXAMPLES: list[dict[str, Any]] = [$example]


def test_every_example_becomes_a_payload_of_$new() -> None:
    old, new = CATALOG.entry("$event", "$old"), CATALOG.entry("$event", "$new")
    assert EXAMPLES, "give at least one payload of $old"
    for payload in EXAMPLES:
        assert not list(old.open.violations(payload)), f"{payload} is no payload of $old"
        assert not list(new.closed.violations(upcast_$function(payload))), f"{payload} becomes no payload of $new"
''')


def decision_text(
    id_: str,
    title: str,
    *,
    owner: str,
    today: datetime.date,
    allows: Mapping[str, str] | None = None,
    timeline: Sequence[Mapping[str, str]] = (),
    replaced: str = "v1",
) -> str:
    """Return the text of a new decision: proposed, with its sections to be written.

    Args:
        id_: Its id.
        title: What it is about.
        owner: The service or the person who answers for it.
        today: The day on which it is begun.
        allows: Event and version of the contract that it is for, if it is for a new version.
        timeline: The older versions: event, version, and the releases deprecated and retired as far as they are known.
        replaced: The version that is replaced, where there is no timeline yet.
    """
    front = [
        f"id = {_toml(id_)}",
        f"title = {_toml(title)}",
        f"date = {today}",
        'status = "proposed"  # then accepted or rejected; later perhaps superseded',
        f"owner = {_toml(owner)}",
        f"review = {today + _REVIEW}",
        "",
    ]
    if allows is None:
        front += [
            "# What it allows, once it is accepted: a table for each contract. What it does not allow is left out.",
            "# [[allows]]",
            '# event = "job.updated"',
            '# version = "v1"',
            "# breaking = []      # JSON Pointers of the changes that may break a consumer",
            "# meanings = []      # JSON Pointers of the meanings that may change",
            "# retirement = true  # it may be retired without evidence that it is no longer seen",
            '# owner = "team"     # the service that may become the owner of the event',
            "",
            "# The same for the tables of a database: one for each whose columns come to mean something else.",
            "# [[columns]]",
            '# table = "job"',
            "# meanings = []      # the columns",
        ]
    else:
        front += ["[[allows]]", *(f"{key} = {_toml(value)}" for key, value in allows.items())]
        front += ["breaking = []  # JSON Pointers of the changes that break a consumer of the version before"]
    if allows is not None and not timeline:
        front += [
            "",
            "# When the older version goes; it is retired at least 2 releases after it is deprecated.",
            "# [[timeline]]",
            f"# event = {_toml(allows['event'])}",
            f"# version = {_toml(replaced)}",
            '# deprecated = "2026.4"',
            '# retired = "2026.6"',
        ]
    for table in timeline:
        front += ["", "[[timeline]]", *(f"{key} = {_toml(value)}" for key, value in table.items())]
    body = "\n\n".join(f"## {name}\n\n<!-- {hint} -->" for name, hint in _HINTS.items())
    return "+++\n" + "\n".join(front) + f"\n+++\n\n{body}\n"


def upcast_text(event: str, old: str, new: str) -> str:
    """Return the source of an upcast that is still to be written."""
    return _UPCAST.substitute(event=event, old=old, new=new, function=f"{old}_to_{new}")


def upcast_test_text(
    event: str, old: str, new: str, *, module: str, schemas: str, example: Mapping[str, Any] | None
) -> str:
    """Return the source of the test of an upcast.

    Args:
        event: The event's name.
        old: The version that the upcast takes.
        new: The version that it returns.
        module: The upcast's module.
        schemas: The catalog's folder, relative to the test.
        example: A payload of the old version, or None if none is at hand.
    """
    return _TEST.substitute(
        event=event,
        old=old,
        new=new,
        function=f"{old}_to_{new}",
        module=module,
        schemas=schemas,
        example="" if example is None else f"\n    {{\n{_lines(example)}    }},\n",
    )


def _lines(example: Mapping[str, Any]) -> str:
    return "".join(f"        {name!r}: {value!r},\n" for name, value in example.items())


def _toml(text: str) -> str:
    """Return a text as a string of TOML; JSON writes it the same way."""
    return json.dumps(text, ensure_ascii=False)
