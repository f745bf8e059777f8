"""Google Pub/Sub: messages to a topic, and events from a subscription, pulled or pushed.

Pub/Sub delivers at least once. An event is acknowledged once the consumer has an outcome for it, whichever that is;
where the consumer raises, it is delivered again. What a consumer without dead letters rejects, it raises: a dead-letter
topic of the subscription then takes the message after its attempts.

Publishing and pulling need the extra ``pubsub``. What is pushed needs nothing but this module.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.errors import DeclarationError, Malformed
from jobarium_events.extras import extra
from jobarium_events.integrations.undeliverable import Undeliverable
from jobarium_events.transports import Refused

if TYPE_CHECKING:
    from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient
    from google.cloud.pubsub_v1.subscriber.futures import StreamingPullFuture
    from google.cloud.pubsub_v1.subscriber.message import Message as Pulled
    from google.cloud.pubsub_v1.types import FlowControl

    from jobarium_events.consumer import Consumer
    from jobarium_events.envelope import Message, Outcome

__all__ = ["PubSubTransport", "Push", "Undeliverable", "apush", "asubscribe", "push", "subscribe"]

_log = logging.getLogger("jobarium_events")

# What Pub/Sub takes of a message, in bytes: https://cloud.google.com/pubsub/quotas#resource_limits
_ATTRIBUTES = 100
_NAME = 256
_VALUE = 1024
_ORDERING_KEY = 1024

# Parameters of the client's own publish, which takes attributes as keyword arguments.
_TAKEN = {"self", "topic", "data", "ordering_key", "retry", "timeout"}


class PubSubTransport:
    """Publishes messages to a topic of Pub/Sub, with their attributes and their ordering key.

    Args:
        publisher: Google's client. It sends in batches, by its own settings.
        topic: The topic's whole name, ``projects/.../topics/...``, or a function that gives it for a message.
        ordered: Whether the ordering key is sent; the client has to be made for that.

    Raises:
        DeclarationError: If keys are to be sent and the client is not made for that.
        MissingExtra: If the extra ``pubsub`` is not installed.
    """

    def __init__(
        self, publisher: PublisherClient, *, topic: str | Callable[[Message], str], ordered: bool = True
    ) -> None:
        with extra("pubsub"):
            from google.api_core import exceptions  # noqa: PLC0415 - a service that gets pushes does without
            from google.cloud.pubsub_v1.publisher.exceptions import MessageTooLargeError  # noqa: PLC0415
            from google.pubsub_v1 import PublisherClient as PlainClient  # noqa: PLC0415
            from google.pubsub_v1 import PubsubMessage  # noqa: PLC0415
        if ordered and not publisher.publisher_options.enable_message_ordering:
            raise DeclarationError(
                "the publisher does not order: make it with PublisherOptions(enable_message_ordering=True), "
                "or give the transport ordered=False"
            )
        self._publisher = publisher
        self._topic = topic
        self._ordered = ordered
        self._publish_alone = PlainClient.publish
        self._message = PubsubMessage
        self._too_large = MessageTooLargeError
        self._invalid = exceptions.InvalidArgument
        self._not_found = exceptions.NotFound
        self._denied = exceptions.PermissionDenied

    async def asend(self, message: Message) -> None:
        """Publish a message, and return once Pub/Sub keeps it.

        Raises:
            Refused: If Pub/Sub will never take it: it breaks a limit.
            Undeliverable: If it does not take it for now: the topic is not there, or not allowed.
            Exception: Whatever else the client raises; sending the message again may succeed.
        """
        topic = self._topic if isinstance(self._topic, str) else self._topic(message)
        ordering_key = (message.ordering_key or "") if self._ordered else ""
        _check_limits(message.attributes, ordering_key)
        try:
            await self._published(topic, message, ordering_key)
        except self._too_large as error:
            raise Refused("it is too large for Pub/Sub") from error
        except self._invalid as error:
            raise Refused(f"it is no valid message for {topic}") from error
        except self._not_found as error:
            raise Undeliverable(topic, "there is no such topic") from error
        except self._denied as error:
            raise Undeliverable(topic, "publishing to it is not allowed") from error

    async def _published(self, topic: str, message: Message, ordering_key: str) -> None:
        try:
            sent = self._publisher.publish(topic, message.body, ordering_key=ordering_key, **message.attributes)
            await asyncio.wrap_future(sent)
        except Exception as error:
            if ordering_key:
                # The client has paused the key. What it then cancelled of the same key was not confirmed either.
                with contextlib.suppress(RuntimeError):  # not paused, or no longer
                    self._publisher.resume_publish(topic, ordering_key)
            if type(error) is not self._invalid:
                raise
        else:
            return
        # One invalid message fails its whole batch: sent alone, each is judged for itself.
        alone = self._message(data=message.body, attributes=dict(message.attributes), ordering_key=ordering_key)
        await asyncio.to_thread(self._publish_alone, self._publisher, topic=topic, messages=[alone])


def _check_limits(attributes: Mapping[str, str], ordering_key: str) -> None:
    """Raise if a message breaks a limit: it would fail every message of its batch.

    Raises:
        Refused: Naming the attribute.
    """
    if len(attributes) > _ATTRIBUTES:
        raise Refused(f"it has more than {_ATTRIBUTES} attributes")
    if len(ordering_key.encode()) > _ORDERING_KEY:
        raise Refused(f"its ordering key has more than {_ORDERING_KEY} bytes")
    for name, value in attributes.items():
        if not name or len(name.encode()) > _NAME or name.startswith("goog") or name in _TAKEN:
            raise Refused(f"Pub/Sub takes no attribute of the name {name[:_NAME]!r}")
        if len(value.encode()) > _VALUE:
            raise Refused(f"the attribute {name} has more than {_VALUE} bytes")


def subscribe(
    subscriber: SubscriberClient,
    subscription: str,
    consumer: Consumer,
    *,
    flow_control: FlowControl | None = None,
    threads: int = 10,
) -> StreamingPullFuture:
    """Have a consumer get the events of a subscription, by a streaming pull, in threads.

    Args:
        subscriber: Google's client.
        subscription: Its whole name, ``projects/.../subscriptions/...``.
        consumer: Gets each event; its handlers are sync.
        flow_control: How much may be here at once that is not acknowledged; without it, the client's own.
        threads: How many handlers may run at once.

    Returns:
        What ends when pulling ends: `result` waits for that and raises why, `cancel` ends it once the handlers that
        run are done.

    Raises:
        MissingExtra: If the extra ``pubsub`` is not installed.
    """
    return _pulling(subscriber, subscription, consumer.consume, flow_control, threads)


async def asubscribe(
    subscriber: SubscriberClient,
    subscription: str,
    consumer: Consumer,
    *,
    flow_control: FlowControl | None = None,
    threads: int = 10,
) -> None:
    """Have a consumer get the events of a subscription until this is cancelled; handlers may be async.

    Parameters are those of `subscribe`. When cancelled, the handlers that run are waited for.

    Raises:
        MissingExtra: If the extra ``pubsub`` is not installed.
        Exception: What ended the pulling, such as a subscription that is not there.
    """
    loop = asyncio.get_running_loop()

    def consume(raw: bytes, attributes: Mapping[str, str]) -> Outcome:
        return asyncio.run_coroutine_threadsafe(consumer.aconsume(raw, attributes), loop).result()

    pulling = _pulling(subscriber, subscription, consume, flow_control, threads)
    try:
        await asyncio.wrap_future(pulling)
    finally:
        pulling.cancel()
        await asyncio.to_thread(pulling.exception)


def _pulling(
    subscriber: SubscriberClient,
    subscription: str,
    consume: Callable[[bytes, Mapping[str, str]], Outcome],
    flow_control: FlowControl | None,
    threads: int,
) -> StreamingPullFuture:
    with extra("pubsub"):
        from google.cloud.pubsub_v1.subscriber.scheduler import ThreadScheduler  # noqa: PLC0415 - as above

    def take(message: Pulled) -> None:
        try:
            consume(message.data, dict(message.attributes))
        except DeclarationError:
            raise  # it would be so for every event: the client gives this one back, and the caller is told
        except Exception:  # noqa: BLE001 - whatever a handler raises, the event is delivered again
            _log.exception("the message %s was not consumed and will be delivered again", message.message_id)
            message.nack()
        else:
            message.ack()

    return subscriber.subscribe(
        subscription,
        take,
        flow_control=flow_control or (),
        scheduler=ThreadScheduler(ThreadPoolExecutor(threads, thread_name_prefix="jobarium-events-pubsub")),
        await_callbacks_on_shutdown=True,
    )


class Push(msgspec.Struct, frozen=True):
    """What Pub/Sub pushes: the JSON body of one request.

    Attributes:
        raw: The event.
        attributes: The message's attributes.
        message_id: Pub/Sub's own id of the message.
        ordering_key: None where it has none.
        subscription: The subscription's whole name.
        delivery_attempt: How often the message was delivered, this time included; None where the subscription has
            no dead-letter topic, for which alone Pub/Sub counts.
    """

    raw: bytes
    attributes: dict[str, str]
    message_id: str
    ordering_key: str | None
    subscription: str
    delivery_attempt: int | None

    @classmethod
    def parse(cls, body: bytes) -> Push:
        """Read the body of a request.

        Raises:
            Malformed: If it is no push of Pub/Sub's, such as one that is sent without its wrapper.
        """
        try:
            request = _request(body)
        except RecursionError:
            raise Malformed("no push of Pub/Sub's: nested too deeply") from None
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise Malformed(f"no push of Pub/Sub's: {_place(error)}") from None
        message = request.message
        return cls(
            raw=message.data,
            attributes=message.attributes or {},
            message_id=message.message_id,
            ordering_key=message.ordering_key or None,
            subscription=request.subscription,
            delivery_attempt=request.delivery_attempt,
        )


class _PushMessage(msgspec.Struct, rename="camel"):
    data: bytes = b""  # in base64
    attributes: dict[str, str] | None = None
    message_id: str = ""
    ordering_key: str = ""


class _PushRequest(msgspec.Struct, rename="camel"):
    message: _PushMessage
    subscription: str = ""
    delivery_attempt: int | None = None


_request: Callable[[bytes], Any] = msgspec.json.Decoder(_PushRequest).decode


def _place(error: Exception) -> str:
    """Return what is wrong with the body of a request, and where; the decoder's texts hold no values."""
    return str(error) if isinstance(error, msgspec.MsgspecError) else "not UTF-8"


def push(consumer: Consumer, body: bytes) -> Outcome:
    """Take a pushed event to its handler.

    Answer the request with 204 if this returns. With any status of 400 or more Pub/Sub delivers the event again: 400
    suits `Malformed`, 500 whatever else this raises.

    Args:
        consumer: Gets the event; its handlers are sync.
        body: The body of the request.

    Raises:
        Malformed: If the body is no push of Pub/Sub's.
        Exception: Whatever `Consumer.consume` raises.
    """
    pushed = Push.parse(body)
    return consumer.consume(pushed.raw, pushed.attributes)


async def apush(consumer: Consumer, body: bytes) -> Outcome:
    """Take a pushed event to its handler, sync or async; otherwise as `push`."""
    pushed = Push.parse(body)
    return await consumer.aconsume(pushed.raw, pushed.attributes)
