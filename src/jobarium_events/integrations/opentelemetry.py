"""OpenTelemetry: one trace from emit over the relay to every consumer, and metrics of what becomes of events.

The trace travels as ``traceparent`` and ``tracestate`` (W3C Trace Context) among a message's attributes, beside the
fields of the envelope. The envelope's own ``trace_id`` is that of the trace in which the event was made.

Spans and metrics hold names, versions, outcomes, reasons and ids; never a payload, and no exception's text, since that
may quote one. Names are those of OpenTelemetry's conventions for messaging, as far as these have one; the library's
own begin with ``jobarium.``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from time import perf_counter
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from jobarium_events.consumer import Consumer
from jobarium_events.envelope import REPLAY, Message, Outcome
from jobarium_events.errors import DeclarationError, EmitError, Rejection
from jobarium_events.extras import extra
from jobarium_events.producer import Producer

with extra("otel"):
    from opentelemetry import metrics, trace
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

if TYPE_CHECKING:
    from opentelemetry.context import Context

    from jobarium_events.contract import Contract
    from jobarium_events.observing import Consumed, Emitted

__all__ = ["Telemetry"]

T = TypeVar("T")
P = ParamSpec("P")

_SCOPE = "jobarium_events"
_EVENT = "jobarium.event.name"
_VERSION = "jobarium.event.version"
_OUTCOME = "jobarium.outcome"
_REASON = "jobarium.reason"
_REPLAY = "jobarium.replay"
_ERROR = "error.type"

_OTHER = "_OTHER"
"""What conventions say in place of a value that is not among those known, lest there be no end of them."""

_FAILED_ON_THE_WAY = "error"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)

_w3c = TraceContextTextMapPropagator()
_processing: ContextVar[trace.Span | None] = ContextVar("jobarium_events.processing", default=None)


class Telemetry:
    """Counts as one of the `hooks` of producers and consumers, and traces what `instrument` is given.

    A transport that is instrumented is counted too, by the operation ``publish``: it has no hooks.

    Args:
        contracts: The contracts to tell apart, such as a catalog. Whatever else arrives is ``_OTHER``: what anybody
            may write into a message must not make metrics without end.
        system: What carries the messages, as conventions name it: ``kafka``, ``rabbitmq``, ``gcp_pubsub``.
        tracer_provider: Without one, the global one.
        meter_provider: Without one, the global one.

    Example:
        >>> telemetry = Telemetry(catalog)
        >>> consumer = telemetry.instrument(Consumer(catalog, name="matching-service", hooks=[telemetry]))
    """

    def __init__(
        self,
        contracts: Iterable[Contract],
        *,
        system: str = _SCOPE,
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: metrics.MeterProvider | None = None,
    ) -> None:
        self._known = {(each.event, each.version) for each in contracts}
        self._system = {"messaging.system": system}
        self._tracer = trace.get_tracer(_SCOPE, tracer_provider=tracer_provider)
        meter = metrics.get_meter(_SCOPE, meter_provider=meter_provider)
        self._sent = meter.create_counter(
            "messaging.client.sent.messages", "{message}", "Messages that a producer or a transport tried to send."
        )
        self._prepared = meter.create_counter(
            "jobarium.client.prepared.messages", "{message}", "Messages that a producer made for others to send."
        )
        self._refused = meter.create_counter(
            "jobarium.client.refused.messages", "{message}", "Messages that a producer refused, and did not send."
        )
        self._consumed = meter.create_counter(
            "messaging.client.consumed.messages", "{message}", "Messages that were delivered to a consumer."
        )
        self._operation = meter.create_histogram(
            "messaging.client.operation.duration",
            "s",
            "How long it took to emit, prepare or publish an event.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
        self._process = meter.create_histogram(
            "messaging.process.duration",
            "s",
            "How long it took to consume an event, the handler included.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )

    # -- counting ----------------------------------------------------------------------------------------------

    def emitted(self, details: Emitted) -> None:
        """Count an attempt to emit or to prepare."""
        contract = self._contract(details.event, details.version)
        operation = _operation("prepare", "create") if details.prepared else _operation("emit", "send")
        if details.reason not in (None, _FAILED_ON_THE_WAY):
            counter = self._refused
        else:
            counter = self._prepared if details.prepared else self._sent
        self._count(counter, {**operation, **contract, **_failure(details.reason)}, details.seconds)

    def _count(self, counter: metrics.Counter, facts: dict[str, str], seconds: float) -> None:
        labels = {**self._system, **facts}
        counter.add(1, labels)
        self._operation.record(seconds, labels)

    def consumed(self, details: Consumed) -> None:
        """Count an event that was consumed."""
        facts = {**self._contract(details.event, details.version)}
        if details.outcome is not None:
            facts[_OUTCOME] = details.outcome.value
        if details.outcome in (None, Outcome.DEAD_LETTERED):
            facts.update(_failure(details.reason))
        elif details.reason is not None:
            facts[_REASON] = details.reason
        labels = {
            **self._system,
            **_operation("consume", "process"),
            "messaging.consumer.group.name": details.consumer,
            **facts,
        }
        self._consumed.add(1, labels)
        self._process.record(details.seconds, labels)
        span = _processing.get()
        if span is not None:
            span.update_name(_name("consume", facts))
            span.set_attributes(facts)
            if _ERROR in facts:
                span.set_status(trace.StatusCode.ERROR)

    # -- tracing -----------------------------------------------------------------------------------------------

    def instrument(self, subject: T) -> T:
        """Trace what a producer, a consumer or a transport does from now on, and return it.

        A producer's messages carry the trace on, whether it sends them or only prepares them for an outbox. A
        transport is traced for the relay, which publishes outside the trace of the event; trace it before its
        `asend` is given to anybody. A consumer goes on with the trace of each event; for a replay it begins one
        that is linked to the old.

        Raises:
            DeclarationError: If it is none of these.
        """
        if isinstance(subject, Producer):
            self._trace_producer(subject)
        elif isinstance(subject, Consumer):
            _replace(subject, "consume", self._consuming)
            _replace(subject, "aconsume", self._aconsuming)
        elif callable(getattr(subject, "asend", None)):
            _replace(subject, "asend", self._publishing)
        else:
            raise DeclarationError("give a Producer, a Consumer, or a transport with an asend")
        return subject

    def _trace_producer(self, producer: Producer) -> None:
        send = producer.send
        if send is not None:
            producer.send = lambda message: send(_carrying_on(message))
        for name in ("prepare", "prepare_replay"):
            _replace(producer, name, self._preparing)
        for name in ("emit", "replay"):
            _replace(producer, name, self._emitting)
        for name in ("aemit", "areplay"):
            _replace(producer, name, self._aemitting)

    def _preparing(self, prepare: Callable[P, Message]) -> Callable[P, Message]:
        @wraps(prepare)
        def traced(*args: P.args, **fields: P.kwargs) -> Message:
            with self._span("prepare", "create", trace.SpanKind.PRODUCER) as span:
                message = _carrying_on(prepare(*args, **fields))
                self._describe(span, "prepare", message.attributes, message.body)
                return message

        return traced

    def _emitting(self, emit: Callable[P, Message]) -> Callable[P, Message]:
        @wraps(emit)
        def traced(*args: P.args, **fields: P.kwargs) -> Message:
            with self._span("emit", "send", trace.SpanKind.PRODUCER) as span:
                message = emit(*args, **fields)
                self._describe(span, "emit", message.attributes, message.body)
                return message

        return traced

    def _aemitting(self, aemit: Callable[P, Awaitable[Message]]) -> Callable[P, Awaitable[Message]]:
        @wraps(aemit)
        async def traced(*args: P.args, **fields: P.kwargs) -> Message:
            with self._span("emit", "send", trace.SpanKind.PRODUCER) as span:
                message = await aemit(*args, **fields)
                self._describe(span, "emit", message.attributes, message.body)
                return message

        return traced

    def _publishing(self, asend: Callable[[Message], Awaitable[None]]) -> Callable[[Message], Awaitable[None]]:
        @wraps(asend)
        async def traced(message: Message) -> None:
            parent = _carried(message.attributes)
            # The span whose context a message carries is its producer; any other that sends it is a client.
            kind = trace.SpanKind.PRODUCER if parent is None else trace.SpanKind.CLIENT
            failed: str | None = _FAILED_ON_THE_WAY
            start = perf_counter()
            try:
                with self._span("publish", "send", kind, parent) as span:
                    self._describe(span, "publish", message.attributes, message.body)
                    await asend(_carrying_on(message) if parent is None else message)
                failed = None
            finally:
                contract = self._contract(message.attributes.get("event_name"), message.attributes.get("event_version"))
                facts = {**_operation("publish", "send"), **contract, **_failure(failed)}
                self._count(self._sent, facts, perf_counter() - start)

        return traced

    def _consuming(self, consume: Callable[..., Outcome]) -> Callable[..., Outcome]:
        @wraps(consume)
        def traced(raw: bytes, attributes: Mapping[str, str] | None = None) -> Outcome:
            with self._consumption(raw, attributes or {}) as span:
                outcome = consume(raw, attributes)
                span.set_attribute(_OUTCOME, outcome.value)
                return outcome

        return traced

    def _aconsuming(self, aconsume: Callable[..., Awaitable[Outcome]]) -> Callable[..., Awaitable[Outcome]]:
        @wraps(aconsume)
        async def traced(raw: bytes, attributes: Mapping[str, str] | None = None) -> Outcome:
            with self._consumption(raw, attributes or {}) as span:
                outcome = await aconsume(raw, attributes)
                span.set_attribute(_OUTCOME, outcome.value)
                return outcome

        return traced

    @contextmanager
    def _consumption(self, raw: bytes, attributes: Mapping[str, str]) -> Iterator[trace.Span]:
        carried = _carried(attributes)
        replayed = attributes.get(REPLAY) == "true"
        around = trace.get_current_span().get_span_context()
        parent, linked = (None, carried) if replayed else (carried, around if carried else None)
        links = [trace.Link(linked)] if linked is not None and linked.is_valid else []
        with self._span("consume", "process", trace.SpanKind.CONSUMER, parent, links) as span:
            self._describe(span, "consume", attributes, raw)
            if replayed:
                span.set_attribute(_REPLAY, True)  # noqa: FBT003 - a signature of OpenTelemetry's
            token = _processing.set(span)
            try:
                yield span
            finally:
                _processing.reset(token)

    @contextmanager
    def _span(
        self,
        operation: str,
        kind_of_operation: str,
        kind: trace.SpanKind,
        parent: trace.SpanContext | None = None,
        links: Iterable[trace.Link] = (),
    ) -> Iterator[trace.Span]:
        with self._tracer.start_as_current_span(
            operation,
            _context(parent),
            kind,
            {**self._system, **_operation(operation, kind_of_operation)},
            tuple(links),
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield span
            except Exception as error:
                if isinstance(error, EmitError | Rejection):
                    facts = self._contract(error.event, error.version)
                    span.update_name(_name(operation, facts))
                    span.set_attributes({**facts, **_failure(error.reason)})
                else:
                    span.set_attribute(_ERROR, type(error).__qualname__)
                span.set_status(trace.StatusCode.ERROR)
                raise

    def _describe(self, span: trace.Span, operation: str, attributes: Mapping[str, str], body: bytes) -> None:
        facts = self._contract(attributes.get("event_name"), attributes.get("event_version"))
        if "event_id" in attributes:
            facts["messaging.message.id"] = attributes["event_id"]
        if "correlation_id" in attributes:
            facts["messaging.message.conversation_id"] = attributes["correlation_id"]
        span.update_name(_name(operation, facts))
        span.set_attributes({**facts, "messaging.message.body.size": len(body)})

    def _contract(self, event: str | None, version: str | None) -> dict[str, str]:
        if event is None or version is None or (event, version) not in self._known:
            return {_EVENT: _OTHER, _VERSION: _OTHER}
        return {_EVENT: event, _VERSION: version}


def _replace(subject: object, name: str, around: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    setattr(subject, name, around(getattr(subject, name)))


def _operation(name: str, kind: str) -> dict[str, str]:
    return {"messaging.operation.name": name, "messaging.operation.type": kind}


def _failure(reason: str | None) -> dict[str, str]:
    return {} if reason is None else {_REASON: reason, _ERROR: reason}


def _name(operation: str, facts: Mapping[str, str]) -> str:
    return operation if facts[_EVENT] == _OTHER else f"{operation} {facts[_EVENT]}"


def _context(parent: trace.SpanContext | None) -> Context | None:
    return None if parent is None else trace.set_span_in_context(trace.NonRecordingSpan(parent))


def _carried(attributes: Mapping[str, str]) -> trace.SpanContext | None:
    """Return the span that the attributes of a message name, if they do."""
    context = trace.get_current_span(_w3c.extract(attributes, _context(trace.INVALID_SPAN_CONTEXT)))
    return context.get_span_context() if context.get_span_context().is_valid else None


def _carrying_on(message: Message) -> Message:
    """Return a message that carries the running trace; another that it carried before, as a replay does, is linked."""
    span, before = trace.get_current_span(), _carried(message.attributes)
    running = span.get_span_context()
    if not running.is_valid or (before is not None and before.trace_id == running.trace_id):
        return message
    if before is not None:
        span.add_link(before)
    attributes = {name: value for name, value in message.attributes.items() if name not in _w3c.fields}
    _w3c.inject(attributes)
    return Message(message.body, attributes, message.ordering_key)
