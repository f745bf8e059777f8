"""A Pub/Sub of its own: a gRPC server in this process that speaks the real protocol, so that the real client runs.

It holds topics and subscriptions, delivers a message until it is acknowledged, keeps the order of each ordering key,
and counts how much is outstanding. It can be told to refuse what it is sent.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.protobuf import empty_pb2
from google.pubsub_v1 import types as pubsub

Refusal = Callable[[pubsub.PubsubMessage], grpc.StatusCode | None]


class Subscription:
    """The messages that one subscription has not acknowledged, in order, and those that are out."""

    def __init__(self) -> None:
        self.waiting: list[pubsub.PubsubMessage] = []
        self.out: dict[str, pubsub.PubsubMessage] = {}
        self.attempts: dict[str, int] = {}
        self.most_out = 0


class FakePubSub:
    """The server; `host` is where it listens."""

    def __init__(self) -> None:
        self.subscriptions: dict[str, Subscription] = {}
        self.topics: dict[str, list[str]] = {}
        self.published: list[pubsub.PubsubMessage] = []
        self.batches: list[int] = []
        self.refuse: Refusal = lambda message: None
        self.ended = threading.Event()
        self._changed = threading.Condition()
        self._ids = itertools.count(1)
        self._server = grpc.server(ThreadPoolExecutor(20))
        for service, methods in {
            "Publisher": {"CreateTopic": self.create_topic, "Publish": self.publish},
            "Subscriber": {
                "CreateSubscription": self.create_subscription,
                "Acknowledge": self.acknowledge,
                "ModifyAckDeadline": self.modify,
                "StreamingPull": self.pull,
            },
        }.items():
            handlers = {name: self._handler(name, method) for name, method in methods.items()}
            generic = grpc.method_handlers_generic_handler(f"google.pubsub.v1.{service}", handlers)
            self._server.add_generic_rpc_handlers((generic,))
        self.host = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def close(self) -> None:
        self.ended.set()
        with self._changed:
            self._changed.notify_all()
        self._server.stop(None).wait()

    @staticmethod
    def _handler(name: str, method: Any) -> Any:
        requests = {
            "CreateTopic": pubsub.Topic,
            "Publish": pubsub.PublishRequest,
            "CreateSubscription": pubsub.Subscription,
            "Acknowledge": pubsub.AcknowledgeRequest,
            "ModifyAckDeadline": pubsub.ModifyAckDeadlineRequest,
            "StreamingPull": pubsub.StreamingPullRequest,
        }
        kind = grpc.stream_stream_rpc_method_handler if name == "StreamingPull" else grpc.unary_unary_rpc_method_handler

        def serialized(response: Any) -> bytes:
            made = response if isinstance(response, empty_pb2.Empty) else type(response).pb(response)
            return made.SerializeToString()

        return kind(method, request_deserializer=requests[name].deserialize, response_serializer=serialized)

    def create_topic(self, request: pubsub.Topic, _: Any) -> pubsub.Topic:
        self.topics[request.name] = []
        return request

    def create_subscription(self, request: pubsub.Subscription, _: Any) -> pubsub.Subscription:
        self.subscriptions[request.name] = Subscription()
        self.topics[request.topic].append(request.name)
        return request

    def publish(self, request: pubsub.PublishRequest, context: grpc.ServicerContext) -> pubsub.PublishResponse:
        if request.topic not in self.topics:
            context.abort(grpc.StatusCode.NOT_FOUND, f"Topic not found (resource={request.topic}).")
        self.batches.append(len(request.messages))
        for message in request.messages:
            status = self.refuse(message)
            if status is not None:
                context.abort(status, "as the test asks for")
        with self._changed:
            for message in request.messages:
                message.message_id = str(next(self._ids))
                self.published.append(message)
                for name in self.topics[request.topic]:
                    self.subscriptions[name].waiting.append(message)
            self._changed.notify_all()
        return pubsub.PublishResponse(message_ids=[message.message_id for message in request.messages])

    def acknowledge(self, request: pubsub.AcknowledgeRequest, _: Any) -> empty_pb2.Empty:
        with self._changed:
            for ack_id in request.ack_ids:
                self.subscriptions[request.subscription].out.pop(ack_id, None)
            self._changed.notify_all()
        return empty_pb2.Empty()

    def modify(self, request: pubsub.ModifyAckDeadlineRequest, _: Any) -> empty_pb2.Empty:
        subscription = self.subscriptions[request.subscription]
        with self._changed:
            for ack_id in request.ack_ids if request.ack_deadline_seconds == 0 else ():
                message = subscription.out.pop(ack_id, None)
                if message is not None:
                    subscription.waiting.insert(0, message)
            self._changed.notify_all()
        return empty_pb2.Empty()

    def pull(self, requests: Iterator[Any], context: grpc.ServicerContext) -> Iterator[pubsub.StreamingPullResponse]:
        first = next(requests)
        if first.subscription not in self.subscriptions:
            context.abort(grpc.StatusCode.NOT_FOUND, "no such subscription")
        threading.Thread(target=_drained, args=(requests,), daemon=True).start()
        subscription, limit = self.subscriptions[first.subscription], first.max_outstanding_messages
        while context.is_active() and not self.ended.is_set():
            with self._changed:
                message = self._deliverable(subscription, limit)
                if message is None:
                    self._changed.wait(0.05)
                    continue
                ack_id = f"ack-{next(self._ids)}"
                subscription.out[ack_id] = message
                subscription.most_out = max(subscription.most_out, len(subscription.out))
                attempt = subscription.attempts[message.message_id] = (
                    subscription.attempts.get(message.message_id, 0) + 1
                )
            received = pubsub.ReceivedMessage(ack_id=ack_id, message=message, delivery_attempt=attempt)
            yield pubsub.StreamingPullResponse(
                received_messages=[received],
                subscription_properties=pubsub.StreamingPullResponse.SubscriptionProperties(
                    message_ordering_enabled=True
                ),
            )

    @staticmethod
    def _deliverable(subscription: Subscription, limit: int) -> pubsub.PubsubMessage | None:
        if limit and len(subscription.out) >= limit:
            return None
        busy = {message.ordering_key for message in subscription.out.values()} - {""}
        for place, message in enumerate(subscription.waiting):
            if message.ordering_key not in busy:
                return subscription.waiting.pop(place)
            busy.add(message.ordering_key)
        return None


def _drained(requests: Iterator[Any]) -> None:
    try:
        for _ in requests:
            pass
    except grpc.RpcError:
        return
    except Exception as error:
        if type(error) is not Exception:
            raise
