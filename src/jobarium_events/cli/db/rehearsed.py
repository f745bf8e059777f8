"""How the report of a rehearsal is printed; to be imported where the extra is needed."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from jobarium_events.cli.output import Column, counted, paragraphs, printable, table
from jobarium_events.migrations.rehearsal.wording import in_bytes, in_time, mode_words

if TYPE_CHECKING:
    from rich.console import Console

    from jobarium_events.migrations.rehearsal.report import ObservedStep, Rehearsal, WayBack

__all__ = ["print_rehearsal"]


def print_rehearsal(to: "Console", rehearsal: "Rehearsal", path: Path) -> None:
    """Print what a rehearsal found: the verdict, what is wrong, and how each step went."""
    look = "bold green" if rehearsal.green else "bold red"
    to.print("green" if rehearsal.green else "red", style=look, end="")
    rows = sum(rehearsal.rows.values())
    to.print(
        f"  {printable(rehearsal.id)} on Postgres {printable(rehearsal.server_version)} with {counted(rows, 'row')}: "
        f"{in_time(rehearsal.seconds)}, estimated {in_time(rehearsal.estimated)}"
    )
    _listed(to, "What is wrong", rehearsal.problems)
    _steps(to, rehearsal.steps)
    _blocked(to, rehearsal)
    _probes(to, rehearsal)
    _back(to, rehearsal.back)
    _listed(to, "To be known", rehearsal.notes)
    to.print()
    to.print(f"written to {path}", style="dim")


def _listed(to: "Console", title: str, sentences: Iterable[str]) -> None:
    found = list(sentences)
    if found:
        to.print()
        to.print(title, style="bold")
    for each in found:
        paragraphs(to, f"- {printable(each)}", "  ")


def _steps(to: "Console", steps: Iterable["ObservedStep"]) -> None:
    rows = []
    for step in steps:
        locks = [
            f"{mode_words(lock.mode)} on {lock.table} {in_time(lock.seconds)}"
            + (f" (waited {in_time(lock.waited)})" if lock.waited else "")
            for lock in step.locks
        ]
        rows.append([str(step.line), step.text, in_time(step.seconds), _else(step), ", ".join(locks) or "none"])
    if rows:
        to.print()
        table(
            to, [Column("Line"), Column("Statement", below=True), Column("Time"), Column("Else"), Column("Locks")], rows
        )


def _else(step: "ObservedStep") -> str:
    said = [f"wrote {name} anew" for name in step.rewrites]
    said += [f"index {each.index} {in_bytes(each.size)} in {in_time(each.seconds)}" for each in step.indexes]
    if step.retries:
        said.append(f"tried {step.retries + 1} times")
    return ", ".join([*said, f"WAL {in_bytes(step.wal)}"])


def _blocked(to: "Console", rehearsal: "Rehearsal") -> None:
    longest: dict[tuple[str, int], tuple[int, float]] = {}
    for wait in rehearsal.blocked:
        count, most = longest.get((wait.probe, wait.line), (0, 0.0))
        longest[wait.probe, wait.line] = count + 1, max(most, wait.seconds)
    if longest:
        to.print()
        rows = [[probe, str(line), str(n), in_time(most)] for (probe, line), (n, most) in sorted(longest.items())]
        table(to, [Column("Blocked probe"), Column("By line"), Column("Times"), Column("At most")], rows)


def _probes(to: "Console", rehearsal: "Rehearsal") -> None:
    def shown(seconds: float | None) -> str:
        return "" if seconds is None else in_time(seconds)

    if rehearsal.probes:
        to.print()
        columns = [
            Column(each) for each in ("Probe", "Code", "Ran", "Failed", "p95 before", "during", "after", "Longest")
        ]
        rows = [
            [
                each.name,
                each.when,
                str(each.count),
                str(each.failed),
                shown(each.idle),
                shown(each.p95),
                shown(each.after),
                shown(each.most),
            ]
            for each in rehearsal.probes
        ]
        table(to, columns, rows)


def _back(to: "Console", back: "WayBack | None") -> None:
    if back is None:
        return
    to.print()
    again = "" if back.again is None else f"; up took {in_time(back.again)} the second time"
    to.print(f"down took {in_time(back.seconds)}, with {counted(back.written, 'row')} written since up{again}")
    schema = "differs" if back.schema else "as before"
    data = "differs" if back.data else "as before"
    removed = f", but for what the migration removes: {', '.join(back.lost)}" if back.lost else ""
    to.print(printable(f"schema {schema}, data {data}{removed}"))
