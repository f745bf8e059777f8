"""``python -m benchmarks.automata``: the walk over automata against greenery, which builds them. Needs greenery.

Each pair of patterns asks for a text that the one matches and the other does not, as containment does.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from time import perf_counter

from benchmarks.processes import ROOT
from jobarium_events.evolution.containment import regular, words

__all__ = ["PAIRS", "main", "ours"]

_HEX = "[0-9a-f]"
_UUID = f"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}"
_UUID_4 = f"{_HEX}{{8}}-{_HEX}{{4}}-4{_HEX}{{3}}-[89ab]{_HEX}{{3}}-{_HEX}{{12}}"
PAIRS = {
    "UUIDs that are not version 4": (_UUID, _UUID_4),
    "version 4 that are no UUIDs": (_UUID_4, _UUID),
    "(a|b)*a(a|b){9} minus (b|a)*a(b|a){9}": ("(a|b)*a(a|b){9}", "(b|a)*a(b|a){9}"),
    ".{0,100} minus .{0,99}": (".{0,100}", ".{0,99}"),
    ".{0,1000} minus .{0,999}": (".{0,1000}", ".{0,999}"),
}
_SECONDS = 60
"""So long may one take."""


def main(arguments: Sequence[str] = ()) -> int:
    """Time each pair in a process of its own, since it may not come to an end; or, with arguments, one of them."""
    if arguments:
        name, which = arguments
        print(min(_timed({"ours": ours, "greenery": greenerys}[which], *PAIRS[name]) for _ in range(2)))
        return 0
    print(f"{'':40}{'ours':>14}{'greenery':>14}")
    for name in PAIRS:
        print(f"{name:40}" + "".join(f"{_apart(name, which):>14}" for which in ("ours", "greenery")), flush=True)
    return 0


def ours(one: str, other: str) -> str | None:
    """Return a text of the one pattern and not of the other, if there is any."""
    for known in (regular.requirements, words._product, words._letters):  # noqa: SLF001 - as in a fresh process
        known.cache_clear()
    (held,), (failed,) = (regular.requirements(f"^(?:{pattern})$") or () for pattern in (one, other))
    required = [held, regular.Requirement(failed.automaton, holds=False)]
    texts, _ = words.words(required, 0, None, 1, without=frozenset(), spend=lambda _: None)
    return texts[0] if texts else None


def greenerys(one: str, other: str) -> bool:
    """Whether greenery finds that there is any. It is not asked which: it would list all beginnings of texts first."""
    from greenery import parse  # noqa: PLC0415 - not among the dependencies

    return not (parse(one).to_fsm() - parse(other).to_fsm()).empty()


def _timed(find: Callable[[str, str], object], one: str, other: str) -> float:
    start = perf_counter()
    find(one, other)
    return perf_counter() - start


def _apart(name: str, which: str) -> str:
    command = [sys.executable, "-m", "benchmarks.automata", name, which]
    try:
        run = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=2 * _SECONDS)
    except subprocess.TimeoutExpired:
        return f"over {_SECONDS} s"
    except subprocess.CalledProcessError as error:
        return error.stderr.strip().splitlines()[-1]
    return f"{1000 * float(run.stdout):,.1f} ms"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
