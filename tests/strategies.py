"""Hypothesis strategies made from a catalog: payloads of any contract, events around them, and what spoils them."""

import copy
import os
import string
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from jobarium_events import Catalog, Contract

BUNDLED = Catalog.bundled()
CONTRACTS = tuple(BUNDLED)
NAMES = [contract.name for contract in CONTRACTS]

EXAMPLES = int(os.environ.get("EXAMPLES", "0"))
"""How many examples to try in each test, at random. Where it is not told, a few, the same each time."""


def examples(count: int) -> settings:
    """How a test tries `count` examples. A first use compiles, so a deadline would only measure the machine."""
    return settings(
        max_examples=EXAMPLES or count,
        derandomize=not EXAMPLES,
        deadline=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )


few = examples(15)
some = examples(40)
many = examples(150)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
# Their years leave room for every offset.
moments = st.datetimes(
    min_value=datetime(2, 1, 1),  # noqa: DTZ001 - the strategy adds the offset
    max_value=datetime(9998, 1, 1),  # noqa: DTZ001 - as above
    timezones=offsets,
)
scalars = st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.floats(-1e9, 1e9), texts)
documents = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=6,
)
"""Any JSON."""


def values(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:  # noqa: C901 - a case for each kind of schema
    """JSON values that a schema accepts, for the keywords that the bundled schemas use."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema["type"]:
        case "string" if schema.get("format") == "date-time":
            return moments.map(lambda moment: moment.isoformat())
        case "string" if "pattern" in schema:
            return st.from_regex(schema["pattern"].replace("$", r"\Z"), fullmatch=True, alphabet=string.printable)
        case "string":
            return texts
        case "integer":
            return st.integers(schema.get("minimum", -(2**63)), schema.get("maximum", 2**63 - 1))
        case "number":
            lowest, highest = schema.get("minimum", -1e300), schema.get("maximum", 1e300)
            return st.one_of(st.floats(lowest, highest), st.integers(max(-99, int(lowest)), min(99, int(highest))))
        case "boolean":
            return st.booleans()
        case "array":
            return st.lists(values(schema["items"]), max_size=min(3, schema.get("maxItems", 3)))
        case "object" if "properties" in schema:
            return objects(schema)
        case "object":
            return st.dictionaries(texts, documents, max_size=3)
        case other:
            raise NotImplementedError(other)


def objects(schema: Mapping[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with every required field of a schema and any of the optional ones."""
    fields = {name: values(inner) for name, inner in schema["properties"].items()}
    required = schema.get("required", ())
    return st.fixed_dictionaries(
        {name: fields[name] for name in required},
        optional={name: field for name, field in fields.items() if name not in required},
    )


def payloads(contract: Contract) -> st.SearchStrategy[dict[str, Any]]:
    """Valid payloads of a contract."""
    return objects(contract.schema)


def full_payloads(contract: Contract) -> st.SearchStrategy[dict[str, Any]]:
    """Valid payloads of a contract, with every optional field."""
    return st.fixed_dictionaries({name: values(inner) for name, inner in contract.schema["properties"].items()})


def optional_fields(contract: Contract) -> list[str]:
    """The names of a contract's optional fields."""
    return [name for name in contract.schema["properties"] if name not in contract.schema["required"]]


def misfits(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """JSON values of a type that a schema does not have."""
    types = {"string": str, "integer": int, "number": (int, float), "array": list, "object": dict, "boolean": bool}
    kind = types[schema["type"]]
    whole = schema["type"] in ("integer", "number")
    return documents.filter(
        lambda value: (
            not isinstance(value, kind)
            or (whole and isinstance(value, bool))
            or (schema["type"] == "integer" and isinstance(value, float))
        )
    ).filter(lambda value: not (whole and isinstance(value, float) and value.is_integer()))


@st.composite
def mutated(draw: Any, contract: Contract) -> dict[str, Any]:
    """Payloads of a contract with up to three fields taken out, replaced or added; they may still be valid."""
    payload = copy.deepcopy(draw(payloads(contract)))
    names = [*contract.schema["properties"], "unknown"]
    for _ in range(draw(st.integers(0, 3))):
        name = draw(st.sampled_from(names))
        match draw(st.sampled_from(["drop", "replace", "respell"])):
            case "drop":
                payload.pop(name, None)
            case "replace":
                payload[name] = draw(documents)
            case _ if isinstance(payload.get(name), str):
                payload[name] = draw(st.sampled_from([payload[name] + "\n", payload[name].lower(), payload[name][:-1]]))
            case _ if type(payload.get(name)) is int:
                payload[name] = float(payload[name])
    return payload


def event_of(contract: Contract, payload: Any, **fields: Any) -> dict[str, Any]:
    """A valid event of a contract as a document, but for what is given."""
    return {
        "event_name": contract.event,
        "event_version": contract.version,
        "event_id": "0197f2a0-0000-7000-8000-000000000001",
        "occurred_at": "2026-03-01T12:00:00Z",
        "producer": contract.owner,
        "trace_id": "trace",
        "idempotency_key": "key",
        "payload": payload,
    } | fields


def sample(contract: Contract) -> dict[str, Any]:
    """One valid payload of a contract, with every field, always the same."""
    return {name: _sample(name, inner) for name, inner in contract.schema["properties"].items()}


def _sample(name: str, schema: Mapping[str, Any]) -> Any:
    if "enum" in schema:
        return schema["enum"][0]
    match schema["type"]:
        case "string" if schema.get("format") == "date-time":
            return "2026-03-01T12:00:00Z"
        case "string" if "pattern" in schema:
            return "2026-03"
        case "string":
            return f"some {name}"
        case "array":
            return [_sample(name, schema["items"])]
        case "object":
            return {"inner": [1, None]}
        case _:
            return 1


def required_only(contract: Contract) -> dict[str, Any]:
    """`sample` without the optional fields."""
    return _without(sample(contract), optional_fields(contract))


def _without(payload: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: value for name, value in payload.items() if name not in set(names)}
