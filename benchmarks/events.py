"""The events that are measured: of bundled contracts, as our own producer writes them."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from jobarium_events import Catalog, Contract, Producer
from jobarium_events.catalog import SCHEMAS

__all__ = [
    "TRACE",
    "Sample",
    "broken",
    "catalog",
    "foreign",
    "four",
    "large",
    "medium",
    "reordered",
    "small",
    "whole_schema",
]

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
_ID = UUID("0198a3a6-7c4e-7e30-8a1f-3b5f0c9d2e11")
_MOMENT = datetime(2026, 3, 14, 15, 9, 26, 535897, tzinfo=UTC)
_TIME = "2026-03-14T15:09:26Z"

_ASSESSED = {
    "session_id": "sess-12345",
    "candidate_id": "cand-12345",
    "job_id": "job-12345",
    "policy_result": "mixed_assistance",
    "authenticity_score": 73.5,
    "confidence": 0.82,
    "model_version": "m-2026-1",
    "assessed_at": _TIME,
    "reason_codes": ["paste", "style"],
}


@dataclass(frozen=True)
class Sample:
    """One event.

    Attributes:
        label: What the tables call it.
        contract: Its contract.
        payload: Its payload, as a service would hand it in.
        raw: The event as our producer writes it.
    """

    label: str
    contract: Contract
    payload: dict[str, Any]
    raw: bytes

    @property
    def document(self) -> dict[str, Any]:
        """The event as a new JSON document."""
        document: dict[str, Any] = orjson.loads(self.raw)
        return document


@cache
def catalog() -> Catalog:
    """Return the bundled catalog."""
    return Catalog.bundled()


def _sample(label: str, event: str, payload: dict[str, Any]) -> Sample:
    contract = catalog().contract(event, "v1")
    producer = Producer(catalog(), name=contract.owner)
    raw = producer.prepare(event, payload, event_id=_ID, occurred_at=_MOMENT, trace_id=TRACE).body
    return Sample(label, contract, payload, raw)


@cache
def small() -> Sample:
    """Return an event of four short fields."""
    payload = {"invite_id": "inv-12345", "job_id": "job-12345", "candidate_id": "cand-12345", "expired_at": _TIME}
    return _sample("small", "invite.expired", payload)


@cache
def medium() -> Sample:
    """Return the event of about 550 bytes, for which the bounds are set."""
    return _sample("medium", "qa.authenticity.assessed", _ASSESSED)


@cache
def large() -> Sample:
    """Return an event of about 20 KB: hundreds of entries."""
    names = [f"cand-{UUID(int=number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128)}" for number in range(440)]
    payload = {
        "job_id": "job-12345",
        "shortlist_version": 18,
        "entered_candidates": names[:250],
        "exited_candidates": names[250:],
        "computed_at": _TIME,
        "reason": "hourly_refresh",
    }
    return _sample("large", "matching.shortlist.changed", payload)


@cache
def foreign() -> Sample:
    """Return the event of 550 bytes with text beyond ASCII."""
    codes = {"reason_codes": ["Einfügen in Schüben", "文体の変化", "смена стиля"]}
    return _sample("non-ASCII", "qa.authenticity.assessed", {**_ASSESSED, **codes})


@cache
def four() -> tuple[Sample, ...]:
    """Return four different events, as a mixed stream has them."""
    ids = {"session_id": "sess-12345", "invite_id": "inv-12345", "job_id": "job-12345", "candidate_id": "cand-12345"}
    submitted = {**ids, "submitted_at": _TIME, "answer_count": 7}
    invited = {name: ids[name] for name in ("invite_id", "job_id", "candidate_id")}
    created = {**invited, "expires_at": _TIME, "created_at": _TIME, "channel_preferences": ["email"]}
    return (
        medium(),
        small(),
        _sample("submitted", "qa.submitted", submitted),
        _sample("created", "invite.created", created),
    )


def reordered(sample: Sample) -> bytes:
    """Return the event with its envelope's fields the other way round, as another library may well write it."""
    return orjson.dumps(dict(reversed(sample.document.items())))


def whole_schema(contract: Contract) -> dict[str, Any]:
    """Return one schema of envelope and payload together, for the libraries that know no envelope."""
    schema: dict[str, Any] = orjson.loads(Path(SCHEMAS, "envelope.json").read_bytes())
    schema["properties"]["payload"] = dict(contract.schema)
    return schema


def broken(sample: Sample) -> dict[str, bytes]:
    """Return the event with one thing wrong at a time, by what is wrong."""
    properties = sample.contract.schema["properties"]
    text = next(name for name, schema in properties.items() if schema["type"] == "string")
    moment = next(name for name, schema in properties.items() if schema.get("format") == "date-time")
    variants = {what: copy.deepcopy(sample.document) for what in ("missing", "type", "date-time", "envelope")}
    del variants["missing"]["payload"][text]
    variants["type"]["payload"][text] = 7
    variants["date-time"]["payload"][moment] = "yesterday"
    del variants["envelope"]["producer"]
    return {what: orjson.dumps(document) for what, document in variants.items()}
