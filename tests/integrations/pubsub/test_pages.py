"""The programs of the page run as it shows them."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integrations.fake_pubsub import FakePubSub
from tests.integrations.pubsub.conftest import PATIENCE


def page_files(project: str) -> dict[str, str]:
    page = (Path(__file__).parents[3] / "docs/brokers/pubsub.md").read_text(encoding="utf-8")
    blocks = re.findall(r'^```python title="([^"]+)"\n(.*?)^```$', page, re.DOTALL | re.MULTILINE)
    return {name: body.replace("jobarium-local", project) for name, body in blocks}


@pytest.mark.parametrize("server", ["in this process", "emulator"])
def test_the_programs_of_the_page_run(server, request, tmp_path):
    fake = FakePubSub() if server == "in this process" else None
    host, project = (fake.host, "local") if fake else request.getfixturevalue("pubsub")
    for name, body in page_files(project).items():
        (tmp_path / name).write_text(body, encoding="utf-8")
    environment = {**os.environ, "PUBSUB_EMULATOR_HOST": host, "PYTHONPATH": os.pathsep.join(sys.path[1:])}

    def start(name: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, name], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, encoding="utf-8"
        )

    for name, printed in {"create.py": "created\n", "publish.py": "published\n"}.items():
        assert start(name).communicate(timeout=PATIENCE)[0] == printed
    receiving = start("receive.py")
    try:
        assert [receiving.stdout.readline() for _ in range(3)] == [f"j-7 version {each}\n" for each in (1, 2, 3)]
        receiving.send_signal(signal.SIGINT)
        assert receiving.communicate(timeout=PATIENCE)[0] == "stopped\n"
    finally:
        receiving.kill()
    if fake:
        assert not fake.subscriptions[f"projects/{project}/subscriptions/matching-service"].out
        fake.close()
