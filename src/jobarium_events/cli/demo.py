"""`demo`: the services of `demonstration` at work, and what became of each event."""

from collections import Counter

import typer

from jobarium_events.cli.catalogs import JsonOption
from jobarium_events.cli.demonstration import Seen, demonstrate
from jobarium_events.cli.output import Column, console, counted, print_json, table

__all__ = ["demo"]

_DIFFERS = 1


def demo(*, json: JsonOption = False) -> None:
    """Watch producers emit every bundled event, and a strict consumer handle, upcast or reject each of them.

    It runs in memory and needs no broker. The exit code is 1 if an event does not end as it should.

    Example: `jobarium-events demo`
    """
    seen = demonstrate()
    wrong = [each for each in seen if not each.as_expected]
    counts = Counter(str(each.outcome) for each in seen)
    if json:
        listed = [{**each._asdict(), "expected": each.expected._asdict(), "ok": each.as_expected} for each in seen]
        print_json({"ok": not wrong, "counts": counts, "events": listed})
    else:
        to = console()
        columns = [Column("Event"), Column("Version"), Column("Outcome"), Column("Reason")]
        table(to, columns, [[each.event, each.version, each.outcome, _reason(each)] for each in seen])
        told = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
        to.print(f"\n{counted(len(seen), 'event')}: {told}", style="bold")
        for each in wrong:
            to.print(
                f"{each.event} {each.version} should have been: {' '.join(filter(None, each.expected))}",
                style="bold red",
            )
        if not wrong:
            to.print("Each ended as it should.", style="green")
    if wrong:
        raise typer.Exit(_DIFFERS)


def _reason(seen: Seen) -> str:
    return f"{seen.reason} at {seen.pointer}" if seen.pointer else seen.reason
