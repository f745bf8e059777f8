"""``python -m benchmarks.containment [FILE]``: score the answers to a containment suite, pair by pair.

A file has a pair of schemas a line: ``id``, ``schema1``, ``schema2``, and in ``tests`` whether the one's documents are
all documents of the other. Where the answer is not the label's, a document may show that it is the label that is wrong;
such a document is judged by the compiled validators and, apart from them, by `jsonschema`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

from jsonschema import Draft7Validator
from jsonschema_specifications import REGISTRY
from referencing.exceptions import Unresolvable

from jobarium_events.errors import SchemaError
from jobarium_events.evolution.containment import is_subset
from jobarium_events.evolution.verdicts import Containment, Verdict
from jobarium_events.validation import compile_schema

__all__ = ["SUITE", "Outcome", "Scored", "main", "score"]

SUITES = Path(os.environ.get("JOBARIUM_SUITES") or Path(__file__).parents[2] / "shared" / "suites")
SUITE = SUITES / "containment-draft7.jsonl"

ANSWERED = 0.9
"""The least share of the verdicts that has to be given."""
SECONDS = 1.0
"""The longest that a pair may take."""

_DIRECTIONS = {"s1SubsetEqOfs2": ("schema1", "schema2"), "s2SubsetEqOfs1": ("schema2", "schema1")}


class Outcome(StrEnum):
    """How an answer compares with its label."""

    RIGHT = "right"
    """They agree."""
    WRONG = "wrong"
    """They do not, and the label stands."""
    MISLABELLED = "label wrong"
    """They do not, and a document shows that the label is wrong."""
    UNANSWERED = "unanswered"
    """There is none: it is unproven, or a schema cannot be used."""


class Scored(NamedTuple):
    """One answer, and what became of it.

    Attributes:
        name: Of the pair, and which way round it was asked.
        outcome: What became of it.
        seconds: How long it took.
        detail: Why there is no answer, or what the answer is where it is not the label's.
    """

    name: str
    outcome: Outcome
    seconds: float
    detail: str = ""

    @property
    def file(self) -> str:
        """The file of the suite that the pair was made from, which is named for a keyword."""
        return self.name.partition("#")[0].rpartition("/")[2]

    @property
    def family(self) -> str:
        """The way in which the pair was made from it."""
        return self.name.partition("/")[0] if "/" in self.name.partition("#")[0] else ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Score a suite, print what came out, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.containment",
        description="Score the answers to a containment suite; fail for a wrong one, a slow one, or too few of them.",
    )
    parser.add_argument("file", nargs="?", type=Path, default=SUITE, help="one pair a line (default: %(default)s)")
    file = parser.parse_args(arguments).file
    if not file.is_file():
        print(f"there is no suite at {file}; name one, or its folder by JOBARIUM_SUITES", file=sys.stderr)
        return 2
    with file.open(encoding="utf-8") as lines:
        scored = list(score(json.loads(line) for line in lines if line.strip()))
    print(_printed(scored))
    failed = _failures(scored)
    for failure in failed:
        print(f"FAILS: {failure}", file=sys.stderr)
    return 1 if failed else 0


def score(pairs: Iterable[dict[str, Any]]) -> Iterator[Scored]:
    """Yield what becomes of each label."""
    for pair in pairs:
        for direction, (one, other) in _DIRECTIONS.items():
            if direction in pair["tests"]:
                name = f"{pair['id']} {one} in {other}"
                yield _scored(name, pair[one], pair[other], label=pair["tests"][direction])


def _scored(name: str, a: Any, b: Any, *, label: bool) -> Scored:
    start = perf_counter()
    try:
        answer = is_subset(a, b)
    except SchemaError as error:
        return Scored(name, Outcome.UNANSWERED, perf_counter() - start, str(error))
    seconds = perf_counter() - start
    if answer.verdict is Verdict.UNPROVEN:
        return Scored(name, Outcome.UNANSWERED, seconds, answer.reason)
    if answer.holds is label:
        return Scored(name, Outcome.RIGHT, seconds)
    shown = _refuted(a, b, answer)
    if shown is None:
        return Scored(name, Outcome.WRONG, seconds, f"answered {answer.verdict}, labelled {label}")
    return Scored(name, Outcome.MISLABELLED, seconds, f"labelled {label}, but {shown}")


def _refuted(a: Any, b: Any, answer: Containment) -> str | None:
    """Return what shows that a label is wrong; None if nothing does."""
    if answer.verdict is Verdict.NOT_CONTAINED:
        if not (_accepts(a, answer.witness) is True and _accepts(b, answer.witness) is False):
            return None
        return f"the one accepts and the other rejects {json.dumps(answer.witness)}"
    listed = _only_documents(a)
    if not listed or any(_accepts(a, each) is not False and _accepts(b, each) is not True for each in listed):
        return None
    return f"all that the one accepts is accepted by the other: {json.dumps(listed)[1:-1]}"


def _only_documents(schema: Any) -> list[Any]:
    """Return the documents that a schema lists, if it lists them; it accepts no others."""
    if not isinstance(schema, dict) or "$ref" in schema:
        return []
    return [schema["const"]] if "const" in schema else list(schema.get("enum", ()))


def _accepts(schema: Any, document: Any) -> bool | None:
    """Whether a document is valid, if all validators agree on it."""
    oracle = Draft7Validator(schema, registry=REGISTRY, format_checker=Draft7Validator.FORMAT_CHECKER)
    try:
        verdicts = {oracle.is_valid(document), compile_schema(schema).is_valid(document)}
    except (Unresolvable, SchemaError):
        return None
    return verdicts.pop() if len(verdicts) == 1 else None


def _failures(scored: Sequence[Scored]) -> list[str]:
    failed = [f"{each.name}: {each.detail}" for each in scored if each.outcome is Outcome.WRONG]
    failed += [f"{each.name}: {each.seconds:.2f} s" for each in scored if each.seconds > SECONDS]
    answered = _share(scored)
    if answered < ANSWERED:
        failed.append(f"{answered:.1%} answered; {ANSWERED:.0%} are asked for")
    return failed


def _share(scored: Sequence[Scored]) -> float:
    return sum(each.outcome is not Outcome.UNANSWERED for each in scored) / max(len(scored), 1)


def _printed(scored: Sequence[Scored]) -> str:
    parts = [
        _table("keyword file", ((each.file, each.outcome) for each in scored)),
        _table("made to be", ((each.family, each.outcome) for each in scored)),
        *filter(None, (_listed(scored, outcome) for outcome in Outcome if outcome is not Outcome.RIGHT)),
    ]
    if scored:
        slowest = max(scored, key=lambda each: each.seconds)
        total = sum(each.seconds for each in scored)
        parts.append(
            f"{len(scored):,} labels, {_share(scored):.1%} answered, in {total:.1f} s; "
            f"the slowest, {slowest.name}, in {1000 * slowest.seconds:.0f} ms"
        )
    return "\n\n".join(parts)


def _table(heading: str, rows: Iterable[tuple[str, Outcome]]) -> str:
    counted: dict[str, Counter[Outcome]] = defaultdict(Counter)
    total: Counter[Outcome] = Counter()
    for name, outcome in rows:
        counted[name][outcome] += 1
        total[outcome] += 1
    lines = [f"{heading:30}" + "".join(f"{outcome:>13}" for outcome in Outcome)]
    for name, counts in [*sorted(counted.items()), ("total", total)]:
        lines.append(f"{name:30}" + "".join(f"{counts[outcome] or '-':>13}" for outcome in Outcome))
    return "\n".join(lines)


def _listed(scored: Sequence[Scored], outcome: Outcome) -> str:
    lines = [f"  {each.name}: {each.detail}" for each in scored if each.outcome is outcome]
    return "\n".join([f"{outcome}:", *lines]) if lines else ""


if __name__ == "__main__":
    sys.exit(main())
