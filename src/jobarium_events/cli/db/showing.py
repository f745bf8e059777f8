"""How the commands show what is planned, and how applying goes."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Self

from jobarium_events.cli.output import console, counted, printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from jobarium_events.migrations.applying.applying import News
    from jobarium_events.migrations.applying.planning import Plan, Planned
    from jobarium_events.migrations.backfills.checkpoints import Progress as Backfilled

__all__ = ["Progress", "figures", "in_line", "marks", "show_plan"]

_PRINT_EVERY = 10.0  # seconds between two lines on a backfill where there is no terminal
_LONGEST = 60  # characters of a statement


class Progress:
    """Shows how applying goes: a line for each step, and of a backfill a bar in a terminal or a line at times.

    Attributes:
        has_begun: Whether anything was told of.
    """

    def __init__(self) -> None:
        from rich.progress import BarColumn, TextColumn  # noqa: PLC0415 - only where something is applied
        from rich.progress import Progress as Bar  # noqa: PLC0415

        self._to = console()
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[text]}", markup=False))
        self._bar = Bar(*columns, console=self._to, transient=True)
        self._task = self._bar.add_task("", total=1.0, text="", visible=False)
        self._printed = float("-inf")
        self._left = self._waited_for = ""
        self.has_begun = False

    def __enter__(self) -> Self:
        if self._to.is_terminal:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._to.is_terminal:
            self._bar.stop()
        if self._left:
            self._to.print(self._left)

    def say(self, text: str) -> None:
        """Say what is no news of the work: above the bar where there is one, and else beside what is printed."""
        to = self._to if self._to.is_terminal else console(stderr=True)
        to.print(text)

    def watch(self, news: News) -> None:
        """Show what is told."""
        from jobarium_events.migrations.applying.stepping import StepNews  # noqa: PLC0415 - the extra was there

        self.has_begun = True
        if isinstance(news, StepNews):
            place = f"{news.migration}  {news.direction} {news.number} of {news.count}, line {news.line}"
            end = "done" if news.is_done else f"again: {news.problem}" if news.problem else "..."
            self._to.print(printable(f"{place}  {end}"))
            return
        text = figures(news)
        if self._to.is_terminal:
            is_going = not news.is_complete
            self._bar.update(self._task, description=news.migration, completed=news.share, text=text, visible=is_going)
        is_due = not self._to.is_terminal and (self._waits_anew(news) or monotonic() - self._printed > _PRINT_EVERY)
        self._left = "" if news.is_complete else f"{news.migration}  backfill  {text}"
        if news.is_complete or is_due:
            self._printed = monotonic()
            self._to.print(f"{news.migration}  backfill  {text}")
            self._left = ""

    def _waits_anew(self, news: Backfilled) -> bool:
        """Whether something is waited for now that was not before; how far a replica is behind changes each time."""
        before, self._waited_for = self._waited_for, news.waits_for
        return bool(news.waits_for) and not before


def figures(found: Backfilled) -> str:
    """Return how far a backfill has come, how fast it goes, and what it waits for."""
    parts = [f"{found.share:.1%}", f"{found.passed:,} rows visited, {found.rows:,} changed"]
    if found.rate is not None:
        parts.append(f"{found.rate:,.0f}/s")
    if found.eta and not found.is_paused:
        parts.append(f"{_lasting(found.eta)} left")
    if found.waits_for:
        parts.append(f"waits for {found.waits_for}")
    return "  ".join(parts)


def _lasting(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def show_plan(plan: Plan) -> None:
    """Print what applying would do."""
    to = console()
    for problem in plan.problems:
        to.print("Error: ", style="bold red", end="")
        to.print(printable(problem))
    if not plan.migrations:
        if not plan.problems:
            to.print("nothing to apply")
        return
    for planned in plan.migrations:
        _show(to, planned, asked=plan.asked)
    to.print(f"{counted(len(plan.migrations), 'migration')}, expected to take {plan.estimated_runtime}")


def _show(to: Console, planned: Planned, *, asked: bool) -> None:
    stage = "begun" if planned.stage.value == "applying" else planned.stage.value
    begun = "" if stage == "pending" else f", {stage}"
    to.print(f"{planned.id}", style="bold", end="")
    to.print(f"  {planned.category}, {planned.risk} risk, expected to take {planned.estimated_runtime}{begun}")
    if planned.problem:
        to.print(f"  stopped: {printable(in_line(planned.problem))}")
    if planned.note:
        to.print(f"  note: {printable(planned.note)}")
    for step in planned.steps:
        locks = ", ".join(f"{lock.mode.words} on {lock.table}" for lock in step.locks)
        how = "done" if step.is_done else locks or "no lock on a table"
        alone = "" if step.in_transaction else "; in no transaction"
        to.print(printable(f"  line {step.line}  {_shortened(step.text)}  ({how}{alone})"))
    if planned.has_backfill:
        to.print("  then its backfill, in batches")
    marks(to, ((gate.name, gate.passed, gate.text) for gate in planned.gates), indent="  ")
    if not asked:
        held = (
            f"it would be held for: {', '.join(planned.elsewhere)}" if planned.elsewhere else "it would pass them all"
        )
        to.print(f"  gates are not asked here; where they are, {held}")
    to.print()


def in_line(problem: str) -> str:
    """Return a problem that may have several lines as one."""
    head, *rest = problem.split("\n  - ")
    return f"{head} {'; '.join(rest)}" if rest else head


def marks(to: Console, rows: Iterable[tuple[str, bool, str]], indent: str = "") -> None:
    """Print what is done and what is not, a line each."""
    for name, done, text in rows:
        to.print(f"{indent}[{'x' if done else ' '}] ", style="green" if done else "yellow", end="")
        to.print(f"{name}: {printable(in_line(text))}")


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 3]}..."
