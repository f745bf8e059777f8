"""`verify` finds a service's consumers, and says what each of them leaves unconsumed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Run, process

SERVICE = """
import os
from jobarium_events import Catalog, Consumer

catalog = Catalog.bundled()
consumer = Consumer(catalog, name="matching-service")
consumer.on("job.updated", "v1")(print)

half = Consumer(catalog, name="billing-service")
half.on("billing.usage.updated", "v2")(print)


class App:
    consumer = consumer


def make():
    return consumer


def make_nothing():
    return None


def make_of(settings):
    return consumer


def fail():
    return os.environ["NO_SUCH_VARIABLE"]


async def make_later():
    return consumer


version = 3
"""


@pytest.fixture(autouse=True)
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A service's package in the current folder, which is on no path."""
    package = tmp_path / "matching"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "app.py").write_text(SERVICE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [each for each in sys.path if each])
    yield package
    for name in [name for name in sys.modules if name.partition(".")[0] == "matching"]:
        del sys.modules[name]


@pytest.mark.parametrize("name", ["consumer", "App.consumer", "make"])
def test_a_complete_consumer_is_said_to_be_complete(run: Run, name: str) -> None:
    ended = run("verify", f"matching.app:{name}")
    assert ended == (0, f"matching.app:{name} (matching-service): complete\n", "")


def test_what_is_not_consumed_is_listed(run: Run) -> None:
    ended = run("verify", "matching.app:consumer", "matching.app:half")
    assert ended.code == 1
    assert ended.out == (
        "matching.app:consumer (matching-service): complete\n"
        "matching.app:half (billing-service): incomplete, 1 gap\n"
        "  - billing.usage.updated v1 is deprecated and nothing consumes it; "
        "add a handler, or an upcast to a version that has one\n"
    )


def test_a_machine_gets_json(run: Run) -> None:
    ended = run("verify", "matching.app:consumer", "matching.app:half", "--json")
    assert ended.code == 1
    told = json.loads(ended.out)
    assert told["ok"] is False
    assert [(each["consumer"], each["ok"], len(each["gaps"])) for each in told["consumers"]] == [
        ("matching-service", True, 0),
        ("billing-service", False, 1),
    ]


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("matching.app", "write package.module:name"),
        ("matching.app:", "write package.module:name"),
        ("matching/app.py:consumer", "write package.module:name"),
        ("matchin.app:consumer", "there is no module matchin;"),
        ("matching.main:consumer", "there is no module matching.main;"),
        ("matching.app:consumr", "has no consumr; did you mean consumer"),
        ("matching.app:App.consumr", "has no App.consumr; did you mean"),
        ("matching.app:version", "is no Consumer, nor a function that makes one, but of type int"),
        ("matching.app:make_of", "needs arguments"),
        ("matching.app:make_later", "is async"),
        ("matching.app:make_nothing", "made no Consumer, but of type NoneType"),
        ("matching.app:fail", "made no consumer: KeyError: 'NO_SUCH_VARIABLE' ("),
    ],
)
def test_what_is_no_consumer_is_misuse_and_said_so(run: Run, target: str, said: str) -> None:
    ended = run("verify", target)
    assert ended.code == 2
    assert said in ended.err
    assert ended.out == ""


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import no_such_dependency", "ModuleNotFoundError: No module named 'no_such_dependency' ("),
        ("raise RuntimeError('no settings')", "RuntimeError: no settings ("),
        ("import sys\nsys.exit(3)", "SystemExit: 3 ("),
        ("def f(:\n", "invalid syntax ("),
    ],
)
def test_a_module_that_cannot_be_imported_is_named_with_the_place(
    run: Run, service: Path, source: str, said: str
) -> None:
    (service / "broken.py").write_text(source)
    ended = run("verify", "matching.broken:consumer")
    assert ended.code == 2
    assert f"matching.broken cannot be imported: {said}" in ended.err
    assert "broken.py, line" in ended.err


def test_a_brokers_client_that_is_missing_is_named_with_the_extra_that_brings_it(run: Run, service: Path) -> None:
    advice = 'You should use the next command: `pip install "faststream[kafka]"`'
    (service / "broken.py").write_text(
        f"try:\n    import aiokafca\nexcept ImportError as e:\n    raise ImportError({advice!r}) from e"
    )
    ended = run("verify", "matching.broken:consumer")
    assert ended == (2, "", "Error: aiokafca is missing: pip install 'jobarium-events[kafka]'\n")


def test_it_runs_as_a_process_of_its_own() -> None:
    done = process("verify", "matching.app:half")
    assert done.returncode == 1
    assert b"incomplete" in done.stdout
    assert b"Traceback" not in done.stderr
