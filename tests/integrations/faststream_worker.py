"""A service that takes an event into its hands and never lets go; for a test to kill."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from jobarium_events import Event  # noqa: TC001 - the consumer reads the annotation
from tests.integrations.faststream_brokers import Place, Recorded


class Stuck(Recorded):
    async def _handle(self, event: Event[Any]) -> None:
        print("handling", event.payload.job_id, flush=True)  # noqa: T201 - for the test
        if event.payload.job_id != "first":
            await asyncio.Event().wait()


async def main(kind: str, url: str, name: str) -> None:
    place = Place(kind, url, name)
    broker = place.broker("consumer")
    place.attach(broker, Stuck(name))
    await broker.start()
    print("started", flush=True)  # noqa: T201 - for the test
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
