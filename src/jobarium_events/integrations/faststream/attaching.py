"""Attaching a consumer to a broker: each of its outcomes becomes an ack, a nack or a reject."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, Any

from jobarium_events.consumer import Consumer
from jobarium_events.errors import DeclarationError, Rejection
from jobarium_events.extras import extra
from jobarium_events.integrations.faststream.describing import consumed_by, described
from jobarium_events.integrations.faststream.dialects import attributes_of, check_options, dialect_of

with extra("confluent,kafka,mqtt,nats,rabbit,redis"):
    from faststream import AckPolicy

if TYPE_CHECKING:
    from jobarium_events.integrations.faststream.dialects import Dialect

__all__ = ["attach"]

_log = logging.getLogger("jobarium_events")

_OURS = frozenset({"ack_policy", "batch", "codec", "decoder", "no_ack", "no_reply"})


def attach(broker: Any, consumer: Consumer, destination: Any, *, redeliver_after: float = 1.0, **options: Any) -> Any:
    """Have a consumer consume what arrives at a topic, subject, queue or stream.

    An event that was handled, skipped or dead-lettered, or was a duplicate or stale, is acknowledged. One that was
    rejected without dead letters is rejected: it is logged, and never delivered again. One whose handler raised is
    delivered again. What that means in each broker is said in `docs/brokers`.

    Args:
        broker: A broker or router of FastStream's: Kafka (either client), RabbitMQ, NATS, Redis or MQTT.
        consumer: The consumer. Its name is what the broker remembers the place in the stream by: the group of a Kafka
            or Redis consumer, the durable name of a JetStream one, the beginning of a RabbitMQ queue's name.
        destination: What to subscribe to, as text or as the broker's own object for it.
        redeliver_after: How many seconds an event waits after its handler raised.
        options: For FastStream's ``broker.subscriber``, in place of what is chosen here.

    Returns:
        FastStream's subscriber.

    Raises:
        DeclarationError: If the broker would lose events this way, or an option is unknown or not for you to choose.
    """
    if not isinstance(consumer, Consumer):
        raise DeclarationError("attach takes a Consumer: attach(broker, consumer, 'job.updated')")
    seconds: Any = redeliver_after
    if not isinstance(seconds, int | float) or not 0 <= seconds < math.inf:
        raise DeclarationError(f"redeliver_after is a number of seconds, such as 1.0, not {redeliver_after!r}")
    dialect = dialect_of(broker)
    check_options(broker.subscriber, options, ours=_OURS, others=dialect.attaching)
    fixed = {"ack_policy": AckPolicy.MANUAL, "decoder": _undecoded, "no_reply": True}
    subscribers = dialect.subscribers(broker, consumer, destination, {**options, **fixed})
    handle = _handler(consumer, dialect, subscribers[0], redeliver_after)
    handle.__annotations__ = {"message": described(lambda: consumed_by(consumer, destination)), "return": None}
    # FastStream calls the operation by these, in its logs and its AsyncAPI page.
    handle.__name__ = consumer.name.replace("-", "_")
    handle.__doc__ = f"Events for {consumer.name}."
    for subscriber in subscribers:
        subscriber(handle)
    return subscribers[0]


async def _undecoded(message: Any) -> Any:
    """Decode nothing: the handler gets the message itself, with its bytes as they came."""
    return message


def _handler(consumer: Consumer, dialect: Dialect, subscriber: Any, redeliver_after: float) -> Any:
    async def handle(message: Any) -> None:
        attributes = attributes_of(message.headers)
        while True:
            try:
                await consumer.aconsume(message.body, attributes)
            except Rejection as rejection:
                event = attributes.get("event_id", "without an id")
                text = "%s: there are no dead letters, so the broker is told to reject event %s: %s"
                _log.error(text, consumer.name, event, rejection)
                await dialect.reject(message)
                return
            except Exception:
                if not dialect.takes_back:
                    _log.exception("%s: the handler failed; again in %s s", consumer.name, redeliver_after)
                if not await dialect.again(subscriber, message, redeliver_after):
                    raise  # for FastStream's log, and its middlewares
            else:
                await dialect.ack(message)
                return

    return handle
