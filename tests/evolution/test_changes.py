import ast
import inspect

import msgspec
import pytest

from jobarium_events.evolution import changes
from jobarium_events.evolution.changes import Break, Change, ChangeKind
from jobarium_events.evolution.findings import Severity
from jobarium_events.evolution.verdicts import Containment, Reader, Verdict

SHOWN = Break(Reader.OLD, Containment(Verdict.NOT_CONTAINED, {"a": 1}))
DOUBT = Break(Reader.NEW, Containment(Verdict.UNPROVEN, reason="too large"))


def change(**fields):
    return Change(kind=ChangeKind.OTHER, pointer="", text="it differs", **fields)


def test_every_kind_is_documented_with_an_example():
    (kinds,) = (
        each for each in ast.parse(inspect.getsource(changes)).body if getattr(each, "name", "") == "ChangeKind"
    )
    body = kinds.body[1:]
    documented = {name.targets[0].id: text.value.value for name, text in zip(body[::2], body[1::2], strict=True)}
    assert list(documented) == list(ChangeKind.__members__)
    assert all(": " in text and text.endswith(".") for text in documented.values())


@pytest.mark.parametrize(
    ("fields", "verdict", "readers"),
    [
        ({}, Verdict.CONTAINED, ()),
        ({"breaks": (SHOWN,)}, Verdict.NOT_CONTAINED, (Reader.OLD,)),
        ({"doubts": (DOUBT,)}, Verdict.UNPROVEN, ()),
        ({"breaks": (SHOWN,), "doubts": (DOUBT,)}, Verdict.NOT_CONTAINED, (Reader.OLD,)),
    ],
)
def test_the_verdict_follows_from_whom_it_breaks(fields, verdict, readers):
    assert change(**fields).verdict is verdict
    assert change(**fields).readers == readers


def test_the_witness_is_that_of_the_first_break():
    assert change(breaks=(Break(Reader.NEW), SHOWN)).witness == {"a": 1}
    assert change(breaks=(Break(Reader.NEW),)).witness is msgspec.UNSET


def test_a_change_is_a_note_unless_told_otherwise():
    assert change().severity is Severity.NOTE
