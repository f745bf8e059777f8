"""Events over any broker that FastStream serves: a consumer attached in one call, and a transport for producers.

`attach` and `FastStreamTransport` are the same for Kafka (both clients), RabbitMQ, NATS, Redis and MQTT. What differs
between the brokers stands in one module for each, its dialect, which is imported once a broker of its kind is given.
"""

from jobarium_events.integrations.faststream.attaching import attach
from jobarium_events.integrations.faststream.transport import FastStreamTransport, Unreachable
from jobarium_events.integrations.undeliverable import Undeliverable

__all__ = ["FastStreamTransport", "Undeliverable", "Unreachable", "attach"]
