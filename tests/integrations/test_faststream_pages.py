"""The brokers' pages work as they are written: a service is started, events are published, and it prints them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.conftest import finished
from tests.integrations.faststream_brokers import PATIENCE
from tests.integrations.test_faststream import place_of

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
    page, url = PAGES[kind]
    place = place_of(kind)
    place.consumer = place.name
    text = (DOCS / page).read_text(encoding="utf-8")
    for name, content in FILE.findall(text):
        assert url in content
        # A stream, a queue and a session of the test's own, in a server that others use as well.
        own = content.replace(url, place.url.split(",")[0]).replace("matching-service", place.name)
        own = own.replace("EVENTS", place.name).replace('"job.updated"', f'"{place.name}"')
        own = own.replace("Transport(broker", f'Transport(broker, destination="{place.name}"')
        own = own.replace("7 * 24 * 3600", "60")
        (tmp_path / name).write_text(own, encoding="utf-8")
    shown = text.split("the service prints:\n\n```text\n")[1].split("```")[0].splitlines()
    service = started(tmp_path, "service.py")
    printed: list[str] = []
    reading = threading.Thread(target=lambda: printed.extend(map(str.rstrip, service.stdout or ())), daemon=True)
    reading.start()
    try:
        until = time.monotonic() + PATIENCE
        while True:  # the service may not be there yet, and RabbitMQ refuses what no queue takes
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


def started(folder: Path, name: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.Popen([sys.executable, name], cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)
