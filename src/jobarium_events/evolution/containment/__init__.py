"""Whether all documents of one JSON Schema are documents of another: proofs and witnesses.

``a`` is contained in ``b`` exactly if no document satisfies ``a`` and fails ``b``. So a document is sought that does:

1. `nodes` gives every subschema that means the same one node; `formulas` reads what it says of a value of one JSON type
   as a formula of `atoms`, each of which can be denied.
2. `expanding` takes a goal (schemas to satisfy, schemas to fail) apart into alternatives, each a set of atoms about one
   type, as an analytic tableau does; what is settled is used before a choice is made.
3. `numbers`, `strings` (with `regular`, `words` and `formats`), `arrays` and `objects` find values for a set of atoms:
   intervals and multiples in exact fractions, lengths and patterns as a walk over automata, and goals of their own for
   items and members.
4. `solver` remembers what each goal has, and ends where a goal is met inside itself: a least value holds no other.
5. `subset` hands what is found to the compiled validators, whose word counts; finding nothing is a proof only where
   nothing was left out. The search is bounded in steps, and a bound that is reached is ``unproven``.
"""

from jobarium_events.evolution.containment.subset import is_subset, some_document

__all__ = ["is_subset", "some_document"]
