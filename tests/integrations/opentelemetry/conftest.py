"""A Telemetry that is watched, and a producer and a consumer with it."""

import re
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from jobarium_events import Consumer, Message, Producer
from jobarium_events.integrations.opentelemetry import Telemetry
from jobarium_events.payloads import JobUpdatedV1
from tests.strategies import BUNDLED

SECRET = "a-value-of-the-payload"
JOB = {"job_id": SECRET, "job_version": 3, "status": "active", "updated_at": "2026-03-01T12:00:00Z"}


class Watched:
    """A Telemetry, and what it told."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self._reader = InMemoryMetricReader()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        meters = MeterProvider([self._reader])
        self.telemetry = Telemetry(BUNDLED, system="kafka", tracer_provider=self.provider, meter_provider=meters)
        self.tracer = self.provider.get_tracer("the service's own")

    @property
    def spans(self) -> dict[str, Any]:
        return {span.name: span for span in self._exporter.get_finished_spans()}

    @property
    def points(self) -> dict[str, list[Any]]:
        data = self._reader.get_metrics_data()
        scopes = [scope for resource in data.resource_metrics for scope in resource.scope_metrics] if data else []
        return {metric.name: list(metric.data.data_points) for scope in scopes for metric in scope.metrics}

    def counted(self, name: str) -> list[tuple[dict[str, Any], int]]:
        def ours(attributes):
            return {key: value for key, value in attributes.items() if key.startswith(("jobarium.", "error."))}

        return [(ours(point.attributes), point.value) for point in self.points.get(name, ())]


@pytest.fixture
def watched() -> Watched:
    return Watched()


@pytest.fixture
def telemetry(watched) -> Telemetry:
    return watched.telemetry


def taker(telemetry: Telemetry, handler: Any = lambda event: None, **options: Any) -> Consumer:
    consumer = Consumer(BUNDLED, name="taker", hooks=[telemetry], **options)
    consumer.on(JobUpdatedV1)(handler)
    return telemetry.instrument(consumer)


def maker(telemetry: Telemetry, send: Any = None) -> Producer:
    return telemetry.instrument(Producer(BUNDLED, name="job-service", send=send, hooks=[telemetry]))


def context_of(message: Message) -> tuple[str, str]:
    match = re.fullmatch(r"00-([0-9a-f]{32})-([0-9a-f]{16})-0[13]", message.attributes["traceparent"])
    assert match, message.attributes
    return match[1], match[2]


def ids(span: Any) -> tuple[str, str]:
    return format(span.context.trace_id, "032x"), format(span.context.span_id, "016x")
