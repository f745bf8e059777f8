"""`verify`: whether a service's consumers are complete, in its CI, before a gap in a dual-consume window ships."""

import inspect
from collections.abc import Iterator
from types import ModuleType
from typing import Annotated, Any, NamedTuple

import typer

from jobarium_events.cli.catalogs import JsonOption
from jobarium_events.cli.naming import TARGET, imported, named, needs_arguments, refuse_missing_client, told
from jobarium_events.cli.output import console, counted, print_json, printable
from jobarium_events.consumer import Consumer
from jobarium_events.errors import ConsumptionGap, DeclarationError

__all__ = ["verify"]

_FOUND = 1


class Verified(NamedTuple):
    """One consumer and what it lacks."""

    target: str
    consumer: str
    gaps: tuple[str, ...]


def verify(
    targets: Annotated[
        list[str],
        typer.Argument(
            metavar="MODULE:CONSUMER...", help="A Consumer, or a function without parameters that makes one."
        ),
    ],
    *,
    json: JsonOption = False,
) -> None:
    """Check that consumers consume every version that may be on the wire, as `Consumer.verify()` does at start-up.

    Each module is imported, with the current folder on the path. The exit code is 1 if a consumer is incomplete, and
    2 if one cannot be found or imported.

    Example: `jobarium-events verify matching.app:consumer`

    Example: `jobarium-events verify matching.app:make_consumer billing.app:consumer --json`
    """
    verified = [_verified(target) for target in targets]
    ok = not any(each.gaps for each in verified)
    if json:
        print_json({"ok": ok, "consumers": [{**each._asdict(), "ok": not each.gaps} for each in verified]})
    else:
        _print(verified)
    if not ok:
        raise typer.Exit(_FOUND)


def _print(verified: list[Verified]) -> None:
    to = console()
    for each in verified:
        to.print(printable(f"{each.target} ({each.consumer}): "), end="")
        if each.gaps:
            to.print(f"incomplete, {counted(len(each.gaps), 'gap')}", style="bold red")
        else:
            to.print("complete", style="bold green")
        for gap in each.gaps:
            to.print(printable(f"  - {gap}"))


def _verified(target: str) -> Verified:
    match = TARGET.fullmatch(target)
    if match is None:
        raise DeclarationError(f"{target!r} names no consumer; write package.module:name, as in matching.app:consumer")
    module = imported(match["module"])
    consumer = _consumer(target, named(target, module, match["name"], _consumers(module)))
    try:
        consumer.verify()
    except ConsumptionGap as gap:
        return Verified(target, consumer.name, gap.gaps)
    return Verified(target, consumer.name, ())


def _consumers(module: ModuleType) -> Iterator[str]:
    return (name for name, value in vars(module).items() if isinstance(value, Consumer))


def _consumer(target: str, found: Any) -> Consumer:
    """Return the consumer that was named, or made by the function that was."""
    if isinstance(found, Consumer):
        return found
    if not callable(found):
        raise DeclarationError(
            f"{target} is no Consumer, nor a function that makes one, but of type {type(found).__name__}"
        )
    if inspect.iscoroutinefunction(found):
        raise DeclarationError(f"{target} is async; name a Consumer, or a plain function that makes one")
    if needs_arguments(found):
        raise DeclarationError(f"{target} needs arguments; name a Consumer, or a function without parameters")
    try:
        made = found()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a service's function may raise anything
        refuse_missing_client(error)
        raise DeclarationError(f"{target} made no consumer: {told(error)}") from None
    if not isinstance(made, Consumer):
        raise DeclarationError(f"{target} made no Consumer, but of type {type(made).__name__}")
    return made
