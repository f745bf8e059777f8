"""The names that are API, and what importing them costs."""

import subprocess
import sys

import pytest

import jobarium_events
from jobarium_events import errors, evolution, testing

NAMES = {
    jobarium_events: [
        "Catalog", "Consumed", "Consumer", "Contract", "DeadLetter", "Emitted", "Event", "Hooks", "JobariumEventsError",
        "Lifecycle", "MaybeAbsent", "Message", "Outcome", "Producer", "Violation",
    ],
    errors: [
        "CatalogError", "ConsumptionGap", "DeclarationError", "EmitError", "EmitRetired", "ForeignEvent",
        "HandlerFailed", "InvalidPayload", "InvalidUpcast", "JobariumEventsError", "Malformed", "PayloadRefused",
        "Problem", "Rejection", "RetiredVersion", "SchemaError", "UndeclaredVersion", "UnexpectedProducer",
        "UnknownContract", "UnknownEvent", "UnknownVersion", "ViewError", "Violation",
    ],
    evolution: [
        "Change", "ChangeKind", "Comparison", "Containment", "Finding", "Mode", "Reader", "Report", "Severity",
        "Verdict", "check", "compare", "is_subset", "plain",
    ],
    testing: ["Delivery", "InMemoryInbox", "InMemoryTransport", "captured"],
}  # fmt: skip
LATE = ["asyncio", "fastjsonschema", "jsonschema", "jsonschema_rs", "logging", "pydantic", "rich", "typer"]


@pytest.mark.parametrize("module", NAMES, ids=lambda module: module.__name__)
def test_the_names_are_these(module):
    assert module.__all__ == NAMES[module]
    assert all(hasattr(module, name) for name in module.__all__)


def loaded(code: str) -> str:
    program = f"{code}\nimport sys\nprint(*sorted(set({LATE!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_importing_is_cheap():
    assert loaded("import jobarium_events, jobarium_events.payloads") == ""


def test_emitting_loads_no_more():
    code = """
from datetime import UTC, datetime
from jobarium_events import Catalog, Consumer, Producer
from jobarium_events.payloads import JobUpdatedV1
catalog = Catalog.bundled()
producer = Producer(catalog, name="job-service")
payload = JobUpdatedV1(job_id="a", job_version=1, status="active", updated_at=datetime.now(UTC))
assert producer.prepare(payload).ordering_key == "a"
Consumer(catalog, name="taker").on(JobUpdatedV1)(print)
"""
    assert loaded(code) == ""
