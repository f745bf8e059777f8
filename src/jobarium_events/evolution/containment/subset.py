"""`is_subset`: whether all documents of one schema are documents of another, with a proof or a witness.

And `some_document`, which asks whether a schema has documents at all.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from jobarium_events.errors import SchemaError
from jobarium_events.evolution.containment.atoms import Literal
from jobarium_events.evolution.containment.formats import FORMATS, bounds
from jobarium_events.evolution.containment.formulas import fraction
from jobarium_events.evolution.containment.nodes import Nodes
from jobarium_events.evolution.containment.solver import Exhausted, Solver
from jobarium_events.evolution.verdicts import Containment, Verdict
from jobarium_events.validation import Validator, check_schema, compile_schema
from jobarium_events.validation.dialects import Schema, rebuilt
from jobarium_events.validation.formats import CHECKS
from jobarium_events.validation.references import walk

if TYPE_CHECKING:
    from jobarium_events.evolution.containment.found import Goal

__all__ = ["is_subset", "some_document"]

_STEPS = {True: 40_000, False: 20_000}
"""How many steps a search may take, for a proof and then for a witness: about half a second, and a quarter."""
_SECONDS = 3.0
"""How long both may take, for a machine that is several times slower than that; on others the steps are over before."""
_EXACT = 2**53
"""Floats hold all integers up to here, and not all of those beyond."""
_CANDIDATES = 6
"""So many documents are tried where the validators do not confirm the first."""


def is_subset(a: Schema, b: Schema, *, formats: bool = True) -> Containment:
    """Tell whether every document that `a` accepts is accepted by `b`.

    ``contained`` rests on a proof, ``not-contained`` on a document that the compiled validators have judged. The search
    is bounded in steps, which take about half a second and at most about one; where they are over, the answer is
    ``unproven``. A machine that is several times slower is stopped by the clock, after three seconds.

    Args:
        a: A draft-07, 2019-09 or 2020-12 schema; neither is changed.
        b: Another; its dialect may be another one.
        formats: Whether ``format`` asserts something. Then all formats of the dialects do, also those that the
            library's validators take for annotations; a name that no dialect defines never does.

    Raises:
        SchemaError: If one of them is no valid schema, or refers to something outside of it.
    """
    for schema in (a, b):
        mistakes = check_schema(schema)
        if mistakes:
            raise SchemaError(mistakes[0].explanation, mistakes[0].pointer)
    return _Question(a, b, formats=formats).answer()


def some_document(schema: Schema) -> Containment:
    """Find a document that a schema accepts: the witness that it is not contained in the schema that accepts none.

    Args:
        schema: As for `is_subset`, whose bounds hold here too.

    Returns:
        ``not-contained`` with the document; ``contained`` if it is proven that there is none; or ``unproven``.

    Raises:
        SchemaError: If the schema is not valid, or refers to something outside of it.
    """
    return is_subset(schema, {"not": {}})


class _Question:
    def __init__(self, a: Schema, b: Schema, *, formats: bool) -> None:
        self.a = a
        self.b = b
        self.formats = formats
        self.nodes = Nodes(formats=formats)
        self.roots = self.nodes.root(a), self.nodes.root(b)
        self.deadline = time.monotonic() + _SECONDS

    def answer(self) -> Containment:
        if self.roots[0] is self.roots[1]:
            return Containment(Verdict.CONTAINED)
        unclear: set[str] = set()
        # First with every doubt on the side of more documents, for a proof; then on the side of fewer, for a witness.
        for wide in (True, False):
            solver = Solver(self.nodes, steps=_STEPS[wide], deadline=self.deadline, wide=wide)
            if any(root.depends_on_the_way for root in self.roots):
                solver.unclear.add("a dynamic reference")
            try:
                answer = self._searched(solver, proves=wide)
            except Exhausted:
                answer = None
                unclear.add("a search that grew too large")
            except RecursionError:
                answer = None
                unclear.add("schemas that are nested too deeply")
            if answer is not None:
                return answer
            unclear |= solver.unclear
            if not solver.unclear:
                break  # there was no doubt to put on the other side
        what = ", ".join(sorted(unclear)) or "documents that no Python value holds exactly"
        return Containment(Verdict.UNPROVEN, reason=f"neither a proof nor a witness was found; not decided: {what}")

    def _searched(self, solver: Solver, *, proves: bool) -> Containment | None:
        """Return the answer, if a search finds one.

        Args:
            solver: For the search.
            proves: Whether it never leaves out a document, so that finding none is a proof.
        """
        seen = 0
        ruled_out = True
        for count in (1, _CANDIDATES):
            found = solver.solve(self._goal(proves=proves), count)
            for document in found.values[seen:]:
                for spelt in _spellings(document):
                    judged = self._judged(spelt)
                    if judged:
                        return Containment(Verdict.NOT_CONTAINED, witness=spelt)
                    ruled_out &= judged is False
            seen = len(found.values)
            if found.complete:
                # A document that was found without any doubt, and is none to the validators, is no proof either.
                proven = proves and ruled_out and (bool(solver.unclear) or not found.values)
                return Containment(Verdict.CONTAINED) if proven else None
            if seen < count:
                break
        return None

    def _goal(self, *, proves: bool) -> Goal:
        """Return what a witness has to satisfy; for a proof, without what is not the same wherever it stands."""
        one, other = self.roots
        literals = (Literal(one, holds=True), Literal(other, holds=False))
        if not proves:
            return frozenset(literals)
        return frozenset(each for each in literals if not each.node.depends_on_the_way)

    def _judged(self, document: Any) -> bool | None:
        """Whether a document is a witness; None where that depends on what a format is taken to be."""
        verdicts = {a.is_valid(document) and not b.is_valid(document) for a, b in self._judges}
        return verdicts.pop() if len(verdicts) == 1 else None

    @cached_property
    def _judges(self) -> list[tuple[Validator, Validator]]:
        """The validators of both schemas; twice, if a format is only known within bounds."""
        if not self.formats:
            return [(compile_schema(_without_formats(self.a)), compile_schema(_without_formats(self.b)))]
        if not any(_names_unchecked_format(schema) for schema in (self.a, self.b)):
            return [(compile_schema(self.a), compile_schema(self.b))]
        return [(compile_schema(_bounded(self.a, bound)), compile_schema(_bounded(self.b, bound))) for bound in (0, 1)]


def _spellings(document: Any) -> Iterator[Any]:
    """Yield a document, and as Python may hold it too: a large integer can have been read as a float."""
    yield document
    other = _with_floats(document)
    if other != document:
        yield other


def _with_floats(document: Any) -> Any:
    match document:
        case int() if abs(document) > _EXACT:
            try:
                nearest = float(document)
            except OverflowError:
                return document
            return nearest if fraction(nearest) == document else document
        case list():
            return [_with_floats(item) for item in document]
        case dict():
            return {name: _with_floats(value) for name, value in document.items()}
        case _:
            return document


def _without_formats(schema: Schema) -> Schema:
    if not isinstance(schema, Mapping):
        return schema
    return rebuilt(
        {key: value for key, value in schema.items() if key != "format"}, lambda each, _: _without_formats(each)
    )


def _unchecked(schema: Schema) -> str | None:
    """Return the format that a schema names, if it is one that the library's validators do not check."""
    name = schema.get("format") if isinstance(schema, Mapping) else None
    return name if name in FORMATS and name not in CHECKS else None


def _names_unchecked_format(schema: Schema) -> bool:
    return any(_unchecked(each) is not None for _, each in walk(schema))


def _bounded(schema: Schema, bound: int) -> Schema:
    """Return a schema in which a pattern stands for each format: its narrow bound, 0, or its wide one, 1."""
    if not isinstance(schema, Mapping):
        return schema
    copy = dict(rebuilt(schema, lambda each, _: _bounded(each, bound)))  # type: ignore[arg-type]
    name = _unchecked(schema)
    if name is not None:
        pattern = bounds(name)[bound]
        copy["allOf"] = [*copy.get("allOf", ()), {"pattern": "" if pattern is None else pattern}]
    return copy
