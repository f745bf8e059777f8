"""The schemas of events for FastStream's AsyncAPI page: the envelope around the payload of each contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from pydantic import BaseModel
from pydantic_core import core_schema

from jobarium_events.contract import Lifecycle
from jobarium_events.envelope import Event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from jobarium_events.consumer import Consumer
    from jobarium_events.contract import Contract

__all__ = ["consumed_by", "described"]

# Pydantic keeps the schemas that others refer to under this name, and FastStream moves them from there.
_SCHEMAS = "$defs"
# What a contract keeps under it stays there, so it needs another: FastStream replaces the name in every reference.
_INNER = "x-definitions"


def described(contracts: Callable[[], Iterable[Contract]]) -> type[BaseModel]:
    """Return a type for FastStream whose schema is that of some contracts' events, and which accepts anything.

    Args:
        contracts: Asked when the page is made, as a consumer may get handlers until then.
    """

    class Described(BaseModel):
        @classmethod
        def __get_pydantic_core_schema__(cls, *_: object) -> core_schema.CoreSchema:
            return core_schema.any_schema()

        @classmethod
        def model_json_schema(cls, *_: object, **__: object) -> dict[str, Any]:
            return _one_of(contracts())

    return Described


def consumed_by(consumer: Consumer, destination: object) -> list[Contract]:
    """Return the contracts whose events reach a handler, at a destination that is named after an event only its own."""
    router = consumer._router  # noqa: SLF001 - the same package; no service needs to know
    found = [
        contract
        for contract in consumer.catalog
        if contract.event in router.events
        and contract.lifecycle is not Lifecycle.RETIRED
        and router.made(contract.event, contract.version) is not None
    ]
    return [contract for contract in found if contract.event == destination] or found


def _one_of(contracts: Iterable[Contract]) -> dict[str, Any]:
    schemas = {contract.class_name: _event_schema(contract) for contract in contracts}
    if len(schemas) == 1:
        return {"title": next(iter(schemas)), **next(iter(schemas.values()))}
    title = "EventOf" + "Or".join(schemas) if schemas else "NoEvent"
    return {"title": title, "oneOf": [{"$ref": f"#/{_SCHEMAS}/{name}"} for name in schemas], _SCHEMAS: schemas}


def _event_schema(contract: Contract) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    envelope = msgspec.json.schema(Event)["$defs"]["Event"]
    for name, schema in envelope["properties"].items():
        properties[name] = {key: value for key, value in schema.items() if key != "default"}
    properties["event_name"] = {"const": contract.event}
    properties["event_version"] = {"const": contract.version}
    properties["producer"] = {"const": contract.owner}
    where = f"#/{_SCHEMAS}/{contract.class_name}/properties/payload"
    schema = {key: value for key, value in contract.schema.items() if key not in ("$schema", "$id")}
    properties["payload"] = _moved(schema, where)
    return {"title": contract.class_name, "type": "object", "required": envelope["required"], "properties": properties}


def _moved(schema: Any, where: str) -> Any:
    """Return a schema as it reads where another holds it: its references start from there."""
    if isinstance(schema, list):
        return [_moved(each, where) for each in schema]
    if not isinstance(schema, dict):
        return schema
    moved = {}
    for key, value in schema.items():
        if key == "$ref" and isinstance(value, str) and value.startswith("#"):
            moved[key] = where + value[1:].replace(f"/{_SCHEMAS}/", f"/{_INNER}/")
        else:
            moved[_INNER if key == _SCHEMAS else key] = _moved(value, where)
    return moved
