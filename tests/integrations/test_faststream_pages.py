"""The brokers' pages work as they are written.

A service is started, events are published, and it prints them; and commands publish by a page's module.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg
import pytest

from jobarium_events import DeadLetter
from jobarium_events.errors import UnknownVersion
from jobarium_events.integrations.faststream.rabbit import EVENTS
from jobarium_events.sqlite import SqliteDeadLetters
from tests.conftest import finished
from tests.integrations.faststream_brokers import KINDS, PATIENCE, Place, Recorded, job, until
from tests.integrations.test_faststream import place_of
from tests.postgres.events import outbox_in

DOCS = Path(__file__).parents[2] / "docs/brokers"
PAGES = {
    "kafka": ("kafka.md", "127.0.0.1:9092"),
    "rabbit": ("rabbitmq.md", "amqp://guest:guest@127.0.0.1:5672/"),
    "nats": ("nats.md", "nats://127.0.0.1:4222"),
    "redis": ("redis.md", "redis://127.0.0.1:6379"),
    "mqtt": ("mqtt.md", "mqtt://127.0.0.1:1883"),
}
FILE = re.compile(r'^```python title="([^"]+)"\n(.*?)^```$', re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("kind", PAGES)
def test_a_page_starts_from_nothing_and_ends_with_events(kind, tmp_path):
    place = place_of(kind)
    place.consumer = place.name
    text = written(kind, place, tmp_path)
    shown = text.split("the service prints:\n\n```text\n")[1].split("```")[0].splitlines()
    service = started(tmp_path, "service.py")
    printed: list[str] = []
    reading = threading.Thread(target=lambda: printed.extend(map(str.rstrip, service.stdout or ())), daemon=True)
    reading.start()
    try:
        until = time.monotonic() + PATIENCE
        while True:  # the service may not be there yet, and RabbitMQ takes nothing that no queue takes
            publishing = started(tmp_path, "publish.py")
            out, _ = publishing.communicate(timeout=PATIENCE)
            if publishing.returncode == 0 and set(shown) <= set(printed):
                break
            assert time.monotonic() < until, (out, printed)
            time.sleep(0.5)
    finally:
        service.terminate()
        service.wait(PATIENCE)
        reading.join(PATIENCE)
        service.stdout.close()
        finished(place.remove())
    assert out.splitlines() == ["published"]
    assert service.returncode == 0
    assert [line for line in printed if line in shown][: len(shown)] == shown


@pytest.mark.parametrize("kind", KINDS)
async def test_the_relay_and_a_replay_send_by_the_pages_module_and_leave_nothing_open(kind, postgres, tmp_path):
    place = place_of(kind)
    written(kind, place, tmp_path)
    consumer = Recorded(place.name)
    broker, sender = place.broker("consumer"), place.broker()
    place.attach(broker, consumer, **({"exchange": EVENTS} if kind == "rabbit" else {}))
    outbox = outbox_in(postgres)
    with psycopg.connect(postgres.url) as connection:
        outbox.add(connection, *(job("j-7", version) for version in (1, 2, 3)))
    letters = SqliteDeadLetters(tmp_path / "letters.db")
    letters(DeadLetter.of(UnknownVersion("job.updated", "v1"), job("j-8", 1).body, {}, "matching-service"))
    letters.close()
    try:
        await place.prepare(sender)
        await broker.start()
        relaying = ["outbox", "relay", "--once", "--database", postgres.url, "--schema", postgres.schema]
        assert "3 published" in await sent_by(relaying, tmp_path)
        await until(lambda: consumer.of("j-7") == [1, 2, 3])
        await sent_by(["dead-letters", "replay", "1", "--store", f"sqlite:///{tmp_path}/letters.db"], tmp_path)
        await until(lambda: consumer.of("j-8") == [1])
    finally:
        await broker.stop()
        await sender.stop()
        await place.remove()


async def sent_by(command: list[str], folder: Path) -> str:
    """Run a command that sends by the page's module, and return what it prints."""
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "jobarium_events.cli", *command, "--to", "relaying:transport"),
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, errors = map(bytes.decode, await running.communicate())
    assert running.returncode == 0, out + errors
    assert not re.search("Traceback|pending|Unclosed", errors), errors
    return out


def written(kind: str, place: Place, folder: Path) -> str:
    """Write the files of a page to a folder, and return its text.

    They use a stream, a queue and a session of the test's own, in a server that others use as well.
    """
    page, url = PAGES["kafka" if kind == "confluent" else kind]
    text = (DOCS / page).read_text(encoding="utf-8")
    for name, content in FILE.findall(text):
        assert url in content
        own = content.replace(url, place.url.split(",")[0]).replace("matching-service", place.name)
        own = own.replace("EVENTS", place.name).replace('"job.updated"', f'"{place.name}"')
        own = own.replace("FastStreamTransport(", f'FastStreamTransport(destination="{place.name}", broker=')
        own = own.replace("7 * 24 * 3600", "60").replace("faststream.kafka", f"faststream.{kind}")
        (folder / name).write_text(own, encoding="utf-8")
    return text


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def started(folder: Path, name: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, name], cwd=folder, env=environment(), stdout=subprocess.PIPE, text=True)
