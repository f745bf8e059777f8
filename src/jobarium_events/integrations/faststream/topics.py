"""What Kafka's two clients have in common."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from jobarium_events.errors import DeclarationError
from jobarium_events.integrations.faststream.dialects import JSON, Dialect, correlation_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jobarium_events.consumer import Consumer
    from jobarium_events.envelope import Message

__all__ = ["NOT_ALL_ACKS", "Topics"]

NOT_ALL_ACKS = "this broker would confirm what not all replicas have; make it KafkaBroker(acks='all')"


class Topics(Dialect):
    """Topics, whose partitions keep the order of the events with one key."""

    server = "Kafka"

    def subscribers(self, broker: Any, consumer: Consumer, destination: Any, options: dict[str, Any]) -> Sequence[Any]:
        """Return a subscriber that commits each event by itself."""
        if options.get("max_workers", 1) != 1:
            raise DeclarationError("max_workers: a commit would cover events that are not handled; use more processes")
        chosen = {"group_id": consumer.name, "auto_offset_reset": "earliest", "parser": self.parsed, **options}
        return [broker.subscriber(destination, **chosen)]

    async def publish(self, broker: Any, destination: str, message: Message, options: Mapping[str, Any]) -> None:
        """Publish a message by its ordering key, so that one partition has all that have this key."""
        key = None if message.ordering_key is None else message.ordering_key.encode()
        headers = {"content-type": JSON, **message.attributes}
        chosen = {"key": key, "headers": headers, "correlation_id": correlation_of(message), **options}
        await broker.publish(message.body, destination, **chosen)

    def show(self, broker: Any, destination: str, options: Mapping[str, Any], **shown: Any) -> None:
        """Show a topic."""
        broker.publisher(destination, **shown)

    @staticmethod
    @abstractmethod
    async def parsed(record: Any, parse: Any) -> Any:
        """Parse a record with FastStream's parser; a header that is no text does not lose it."""
