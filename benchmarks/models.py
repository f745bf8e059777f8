"""The measured events as pydantic models and as Structs, as one would write them by hand for one event each."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Generic, Literal, TypeVar
from uuid import UUID

import msgspec
from annotated_types import Ge, Le, MaxLen
from pydantic import AwareDatetime, BaseModel

__all__ = ["MODELS", "STRUCTS", "AssessedModel"]

P = TypeVar("P")
_Moment = Annotated[datetime, msgspec.Meta(tz=True)]
_Policy = Literal["likely_self_authored", "mixed_assistance", "heavy_assistance_suspected"]
_Reason = Literal["event_triggered", "hourly_refresh"]


class ExpiredModel(BaseModel):
    invite_id: str
    job_id: str
    candidate_id: str
    expired_at: AwareDatetime


class AssessedModel(BaseModel):
    session_id: str
    candidate_id: str
    job_id: str
    policy_result: _Policy
    authenticity_score: Annotated[float, Ge(0), Le(100)]
    confidence: Annotated[float, Ge(0), Le(1)]
    model_version: str
    assessed_at: AwareDatetime
    reason_codes: Annotated[list[str], MaxLen(3)] | None = None


class ShortlistModel(BaseModel):
    job_id: str
    shortlist_version: int
    entered_candidates: list[str]
    exited_candidates: list[str]
    computed_at: AwareDatetime
    reason: _Reason | None = None


class EventModel(BaseModel, Generic[P]):
    event_name: str
    event_version: str
    event_id: UUID
    occurred_at: AwareDatetime
    producer: str
    trace_id: str
    idempotency_key: str
    tenant_id: str | None = None
    correlation_id: str | None = None
    schema_ref: str | None = None
    payload: P


class ExpiredStruct(msgspec.Struct):
    invite_id: str
    job_id: str
    candidate_id: str
    expired_at: _Moment


class AssessedStruct(msgspec.Struct):
    session_id: str
    candidate_id: str
    job_id: str
    policy_result: _Policy
    authenticity_score: Annotated[float, msgspec.Meta(ge=0, le=100)]
    confidence: Annotated[float, msgspec.Meta(ge=0, le=1)]
    model_version: str
    assessed_at: _Moment
    reason_codes: Annotated[list[str], msgspec.Meta(max_length=3)] | None = None


class ShortlistStruct(msgspec.Struct):
    job_id: str
    shortlist_version: int
    entered_candidates: list[str]
    exited_candidates: list[str]
    computed_at: _Moment
    reason: _Reason | None = None


class EventStruct(msgspec.Struct, Generic[P]):
    event_name: str
    event_version: str
    event_id: UUID
    occurred_at: _Moment
    producer: str
    trace_id: str
    idempotency_key: str
    payload: P
    tenant_id: str | None = None
    correlation_id: str | None = None
    schema_ref: str | None = None


MODELS: dict[str, type[BaseModel]] = {
    "invite.expired": EventModel[ExpiredModel],
    "qa.authenticity.assessed": EventModel[AssessedModel],
    "matching.shortlist.changed": EventModel[ShortlistModel],
}
"""The model of a whole event, by the event's name."""

STRUCTS: dict[str, type[msgspec.Struct]] = {
    "invite.expired": EventStruct[ExpiredStruct],
    "qa.authenticity.assessed": EventStruct[AssessedStruct],
    "matching.shortlist.changed": EventStruct[ShortlistStruct],
}
"""The Struct of a whole event, by the event's name."""
