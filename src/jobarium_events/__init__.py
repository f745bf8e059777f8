"""Versioned events for Jobarium's services: typed, validated, evolvable without an outage."""

from jobarium_events.catalog import Catalog
from jobarium_events.consumer import Consumer
from jobarium_events.contract import Contract, Lifecycle
from jobarium_events.deadletters import DeadLetter
from jobarium_events.envelope import Event, MaybeAbsent, Message, Outcome
from jobarium_events.errors import JobariumEventsError, Violation
from jobarium_events.observing import Consumed, Emitted, Hooks
from jobarium_events.producer import Producer

__all__ = [
    "Catalog",
    "Consumed",
    "Consumer",
    "Contract",
    "DeadLetter",
    "Emitted",
    "Event",
    "Hooks",
    "JobariumEventsError",
    "Lifecycle",
    "MaybeAbsent",
    "Message",
    "Outcome",
    "Producer",
    "Violation",
]
