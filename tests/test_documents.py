"""Payloads of any form as JSON documents, where a form cannot say that a field is absent."""

import dataclasses
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pydantic
import pytest

from jobarium_events.documents import NotJson, document_of, in_payload
from jobarium_events.errors import Violation
from jobarium_events.validation import Validator
from tests import folders

INNER = folders.schema({"must": {"type": ["integer", "null"]}}, may=folders.WHOLE, null={"type": ["integer", "null"]})
SCHEMA = folders.schema(
    {"inner": INNER},
    many={"type": "array", "items": INNER},
    by_name={"type": "object", "additionalProperties": INNER},
    may=folders.TEXT,
)
VALIDATOR = Validator(SCHEMA, closed=True)


@dataclasses.dataclass
class Inner:
    must: int | None = None
    may: int | None = None
    null: int | None = None


@dataclasses.dataclass
class Data:
    inner: Inner
    many: list[Inner] | None = None
    by_name: dict[str, Inner] | None = None
    may: str | None = None


class InnerModel(pydantic.BaseModel):
    must: int | None = None
    may: int | None = None
    null: int | None = None


class Model(pydantic.BaseModel):
    inner: InnerModel
    many: list[InnerModel] | None = None
    by_name: dict[str, InnerModel] | None = None
    maybe: str | None = pydantic.Field(default=None, alias="may")


@pytest.mark.parametrize(("outer", "inner"), [(Data, Inner), (Model, InnerModel)])
def test_none_is_absent_where_the_contract_has_no_null(outer: Any, inner: Any):
    full = {"must": None, "null": None}
    assert document_of(outer(inner=inner()), VALIDATOR) == {"inner": full}
    document = document_of(outer(inner=inner(may=1), many=[inner()], by_name={"x": inner()}, may="m"), VALIDATOR)
    assert document == {"inner": {**full, "may": 1}, "many": [full], "by_name": {"x": full}, "may": "m"}
    assert VALIDATOR.is_valid(document)


def test_a_field_that_the_contract_lacks_is_kept_for_the_validator_to_refuse():
    @dataclasses.dataclass
    class More(Data):
        more: None = None

    document = document_of(More(Inner()), VALIDATOR)
    assert document["more"] is None
    assert [each.pointer for each in VALIDATOR.violations(document)] == ["/more"]


def test_a_recursive_contract():
    node = folders.schema({}, next={"$ref": "#"}, value=folders.WHOLE)

    @dataclasses.dataclass
    class Node:
        next: "Node | None" = None
        value: int | None = None

    assert document_of(Node(Node(None, 1)), Validator(node)) == {"next": {"value": 1}}


def test_a_document_is_the_librarys_own():
    given = {"inner": {"must": [1]}}
    document = document_of(given, VALIDATOR)
    assert document == given
    document["inner"]["must"].append(2)
    assert given == {"inner": {"must": [1]}}


@pytest.mark.parametrize("payload", [None, 1, "text", b"bytes", [{}], Data, object()])
def test_what_is_no_payload(payload):
    with pytest.raises(NotJson) as refused:
        document_of(payload, VALIDATOR)
    assert refused.value.violations == [Violation("", "type", "object")]


def test_pointers_from_the_event():
    assert in_payload(Violation("/a", "type", "x")) == Violation("/payload/a", "type", "x")


# -- what JSON lacks -----------------------------------------------------------------------------------------------

SECRET = "sentinel-7431"


class Odd:
    def __repr__(self):
        return SECRET


def wrong(payload: Any, validator: Validator = VALIDATOR) -> list[tuple[str, str]]:
    with pytest.raises(NotJson) as refused:
        document_of(payload, validator)
    assert SECRET not in f"{refused.value!r}{refused.value.violations}"
    return [(each.pointer, each.rule) for each in refused.value.violations]


@pytest.mark.parametrize(
    ("value", "rule"),
    [(float("nan"), "finite"), (float("-inf"), "finite"), (Decimal(1), "json"), (b"a", "json"), (1j, "json"),
     (timedelta(1), "json"), (Odd(), "json"), ("\ud800", "json")],
)  # fmt: skip
def test_every_place_that_json_lacks_is_told_with_all_else_that_is_wrong(value: Any, rule: str):
    payload = {"may": 7, "inner": {"must": value}, "more": SECRET, "many": [{}, {"must": [1, value], "null": 1.5}]}
    assert wrong(payload) == [
        ("/inner/must", rule), ("/many/0/must", "required"), ("/many/1/must", "type"), ("/many/1/must/1", rule),
        ("/many/1/null", "type"), ("/may", "type"), ("/more", "additionalProperties"),
    ]  # fmt: skip
    assert wrong({"more": value}) == [("/inner", "required"), ("/more", rule)]


@pytest.mark.parametrize("key", [None, True, (1, 2), b"a", Odd(), "\ud800"])
def test_a_key_that_json_lacks_is_told_by_the_object_that_has_it(key: Any):
    assert wrong({"inner": {"must": 1, key: 1}, "may": 7}) == [("/inner", "json"), ("/may", "type")]
    assert wrong({key: 1}) == [("", "json"), ("/inner", "required")]


def test_what_a_schema_says_of_a_whole_is_not_said_of_one_that_is_not_json():
    listed = {"type": "array", "uniqueItems": True, "items": {"enum": [1, 2]}, "contains": {"const": 1}}
    either = {"anyOf": [folders.schema({"a": folders.WHOLE}), folders.schema({"b": folders.WHOLE})]}
    few = {"type": "array", "maxItems": 1}
    validator = Validator(folders.schema({"listed": listed, "either": either, "few": few}), closed=True)
    nan = float("nan")
    assert wrong({"listed": [nan, nan, 3], "either": {"a": nan}, "few": [nan, 1]}, validator) == [
        ("/either/a", "finite"), ("/few", "maxItems"), ("/few/0", "finite"),
        ("/listed/0", "finite"), ("/listed/1", "finite"), ("/listed/2", "enum"),
    ]  # fmt: skip


def test_what_a_dataclass_or_a_model_holds_that_json_lacks():
    class OddModel(pydantic.BaseModel, arbitrary_types_allowed=True):
        inner: Any
        maybe: Any = pydantic.Field(default=None, alias="may")

    assert wrong(Data(Inner(Odd()), may=7)) == [("/inner/must", "json"), ("/may", "type")]  # type: ignore[arg-type]
    assert wrong(OddModel(inner={"must": Odd()}, may=7)) == [("/inner/must", "json"), ("/may", "type")]
    assert wrong(OddModel(inner={"must": b"\xff"}, may=7)) == [("", "json")]


def test_what_a_models_own_code_raises_is_no_fault_of_the_payload():
    failure = TypeError("a bug")

    class Failing(Model):
        @pydantic.field_serializer("maybe")
        def said(self, _: Any) -> str:
            raise failure

    class Computed(Model):
        @pydantic.computed_field
        @property
        def more(self) -> int:
            raise failure

    with pytest.raises(ValueError, match="Error calling function `said`: TypeError: a bug") as raised:
        document_of(Failing(inner=InnerModel(), may="m"), VALIDATOR)
    assert raised.value.__cause__ is failure
    with pytest.raises(TypeError) as bug:
        document_of(Computed(inner=InnerModel()), VALIDATOR)
    assert bug.value is failure
