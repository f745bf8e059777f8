"""Payloads of any form as JSON documents, where a form cannot say that a field is absent."""

import dataclasses
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
    assert refused.value.violation == Violation("", "type", "object")


def test_pointers_from_the_event():
    assert in_payload(Violation("/a", "type", "x")) == Violation("/payload/a", "type", "x")
