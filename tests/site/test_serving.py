"""The server behind `site serve`: what it answers, to whom, and when it notices a change."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from http import HTTPStatus
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events.site.serving import Live, PortTaken, Server, changes
from tests.servers import free_port

PATIENCE = 30.0
PAGE = (
    '<!doctype html><html><head><meta http-equiv="Content-Security-Policy" content="default-src \'none\'; script-src '
    "'self'\"></head><body>{}</body></html>"
)
FILES = {
    "index.html": PAGE.format("all events").encode(),
    "events/job.updated.html": PAGE.format("job.updated").encode(),
    "style.css": b"body { margin: 0 }",
    "search.js": b"'use strict'",
    "icon.svg": b"<svg/>",
    "site.json": b"{}",
    "odd": b"?",
}


@pytest.fixture
def live() -> Live:
    live = Live()
    live.built(FILES)
    return live


def state(live: Live) -> dict[str, str | None]:
    found: dict[str, str | None] = json.loads(live.answer("/-/state").content)
    return found


# ---------------------------------------------------------------- what is shown


@pytest.mark.parametrize(
    ("target", "name", "kind"),
    [
        ("/", "index.html", "text/html; charset=utf-8"),
        ("/index.html", "index.html", "text/html; charset=utf-8"),
        ("/index.html?x=1#owner", "index.html", "text/html; charset=utf-8"),
        ("/events/job%2Eupdated.html", "events/job.updated.html", "text/html; charset=utf-8"),
        ("/style.css", "style.css", "text/css; charset=utf-8"),
        ("/search.js", "search.js", "text/javascript; charset=utf-8"),
        ("/icon.svg", "icon.svg", "image/svg+xml"),
        ("/site.json", "site.json", "application/json"),
        ("/odd", "odd", "application/octet-stream"),
    ],
)
def test_the_sites_files_are_shown(live, target, name, kind):
    found = live.answer(target)
    assert (found.status, found.kind) == (HTTPStatus.OK, kind)
    if kind.startswith("text/html"):
        assert b"</body>" in found.content
    else:
        assert found.content == FILES[name]


def test_only_served_pages_reload_themselves(live):
    served = live.answer("/").content.decode()
    assert f'<script src="/-/reload.js" data-build="{state(live)["build"]}" defer></script></head>' in served
    assert "default-src 'none'; connect-src 'self'; script-src 'self'" in served  # it asks this server, and no other
    assert b"reload" not in FILES["index.html"]
    assert live.answer("/-/reload.js").status == live.answer("/-/reload.css").status == HTTPStatus.OK


@pytest.mark.parametrize("text", ["</head>", "default-src 'none';"])
def test_what_is_added_is_added_once(text):
    live = Live()
    live.built({"index.html": PAGE.format(text).encode()})
    assert live.answer("/").content.decode().endswith(f"<body>{text}</body></html>")


@pytest.mark.parametrize(
    "target",
    [
        "/events",
        "/events/",
        "/nothing.html",
        "/../pyproject.toml",
        "/%2e%2e/pyproject.toml",
        "//etc/passwd",
        "//[",
        "/events/../index.html",
        "/events\\job.updated.html",
        "/-/",
        "/-/live.py",
        "/-/../live.py",
    ],
)
def test_nothing_else_is_shown(live, target):
    assert live.answer(target).status is HTTPStatus.NOT_FOUND


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_whatever_is_asked_for_only_the_sites_files_are_shown(path):
    live = Live()
    live.built(FILES)
    answer = live.answer("/" + path)
    if answer.status is HTTPStatus.OK and answer.kind != "text/html; charset=utf-8":
        assert answer.content in FILES.values()
    else:
        assert answer.status in (HTTPStatus.OK, HTTPStatus.NOT_FOUND)


def test_a_missing_page_names_what_was_asked_for_as_text(live):
    found = live.answer("/%3Cscript%3Ealert(1)%3C/script%3E.html").content
    assert b"<code>/&lt;script&gt;alert(1)&lt;/script&gt;.html</code>" in found
    assert b'data-build="' in found  # it may be there after the next change


def test_a_mistake_leaves_the_last_site_and_is_told(live):
    before = live.answer("/").content
    build = state(live)["build"]
    live.failed("job.updated/v1.json: is no JSON")
    assert live.answer("/").content == before
    assert state(live) == {"build": build, "problem": "job.updated/v1.json: is no JSON"}

    live.built({"index.html": PAGE.format("mended").encode()})
    after = state(live)
    assert after["problem"] is None
    assert after["build"] != build
    assert b"mended" in live.answer("/").content
    assert live.answer("/style.css").status is HTTPStatus.NOT_FOUND  # the new site has none


def test_where_no_site_could_be_built_every_page_says_why():
    live = Live()
    live.failed('catalog.toml: <b>"maker"</b>')
    first, found = state(live), live.answer("/events/job.updated.html")
    assert found.status is HTTPStatus.SERVICE_UNAVAILABLE
    assert b"<pre>catalog.toml: &lt;b&gt;&quot;maker&quot;&lt;/b&gt;</pre>" in found.content
    assert first["problem"] is None  # the page itself says it
    live.failed("another one")
    assert state(live)["build"] != first["build"]  # so that an open page is reloaded, and says it


def test_two_processes_never_show_the_same_site():
    first, second = Live(), Live()
    first.built(FILES)
    second.built(FILES)
    assert state(first)["build"] != state(second)["build"]


# ---------------------------------------------------------------- the server


@pytest.fixture
def server(live) -> Iterator[Server]:
    with Server(live, port=0) as server:
        yield server


def connection(server: Server) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(server.url.removeprefix("http://").rstrip("/"), timeout=PATIENCE)


def asked(server: Server, method: str, path: str = "/", **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
    with closing(connection(server)) as to:
        to.request(method, path, headers=headers)
        response = to.getresponse()
        return response, response.read()


def test_a_page_comes_whole_and_is_not_kept(server, live):
    response, content = asked(server, "GET", "/events/job.updated.html")
    assert (response.status, content) == (200, live.answer("/events/job.updated.html").content)
    assert response.getheader("Cache-Control") == "no-store"
    assert response.getheader("X-Content-Type-Options") == "nosniff"
    assert response.getheader("Content-Security-Policy") == "frame-ancestors 'none'"
    assert "Python" not in (response.getheader("Server") or "")


def test_head_tells_the_length_without_the_content(server, live):
    response, content = asked(server, "HEAD", "/style.css")
    assert (response.status, content, response.getheader("Content-Length")) == (200, b"", "18")


def test_one_connection_serves_many_requests(server):
    with closing(connection(server)) as to:
        for path, status in (("/", 200), ("/nothing", 404), ("/style.css", 200)):
            to.request("GET", path)
            response = to.getresponse()
            response.read()
            assert response.status == status


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_nothing_can_be_sent(server, method):
    response, content = asked(server, method)
    assert (response.status, response.getheader("Allow")) == (405, "GET, HEAD")
    assert content == b"Only GET and HEAD are answered.\n"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("localhost:8000", 200),
        ("127.0.0.1:8000", 200),
        ("[::1]:8000", 200),
        ("elsewhere.example", 421),
        ("elsewhere.example:8000", 421),
        ("127.0.0.1.elsewhere.example", 421),
        ("[", 421),
        ("", 421),
    ],
)
def test_another_name_of_this_machine_is_not_answered(server, host, status):
    response, content = asked(server, "GET", Host=host)
    assert response.status == status
    assert (b"all events" in content) == (status == 200)


def test_a_browser_that_goes_away_is_no_mistake(server, capfd):
    address = server.url.removeprefix("http://").rstrip("/").split(":")
    for said in (b"", b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\n"):
        with socket.create_connection((address[0], int(address[1])), timeout=PATIENCE) as to:
            to.sendall(said)
    assert asked(server, "GET")[0].status == 200
    assert capfd.readouterr() == ("", "")


def test_a_port_that_is_named_has_to_be_free(live):
    with Server(live, port=0) as server:
        port = int(server.url.rstrip("/").rpartition(":")[2])
        with pytest.raises(PortTaken) as caught:
            Server(live, port=port)
    assert str(caught.value) == (
        f"port {port} of 127.0.0.1 is taken; name another one by --port, or leave it out for a free one"
    )


def test_where_none_is_named_the_next_free_one_is_taken(live, monkeypatch):
    port = free_port()
    monkeypatch.setattr("jobarium_events.site.serving.answering.PORT", port)
    with Server(live) as first, Server(live) as second:
        assert first.url == f"http://127.0.0.1:{port}/"
        assert int(second.url.rstrip("/").rpartition(":")[2]) > port
        assert asked(second, "GET")[0].status == 200


def test_where_all_are_taken_the_last_is_named(live, monkeypatch):
    monkeypatch.setattr("jobarium_events.site.serving.answering._TRIED", 1)
    with Server(live, port=0) as server:
        port = int(server.url.rstrip("/").rpartition(":")[2])
        monkeypatch.setattr("jobarium_events.site.serving.answering.PORT", port)
        with pytest.raises(PortTaken, match=f"port {port}"):
            Server(live)


def test_an_address_of_another_machine_is_said(live):
    with pytest.raises(OSError, match="cannot be listened on") as caught:
        Server(live, host="192.0.2.1", port=0)
    assert caught.value.filename == "192.0.2.1"


# ---------------------------------------------------------------- changes


class Watching:
    """Counts the changes, in a thread."""

    def __init__(self, *folders: Path, files: tuple[Path, ...] = ()) -> None:
        self.count = 0
        self._told = threading.Condition()
        self._found = changes(folders, files)
        next(self._found)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._ending = False

    def start(self) -> None:
        self._thread.start()

    def _run(self) -> None:
        for _ in self._found:
            with self._told:
                self.count += 1
                self._told.notify_all()
            if self._ending:
                return

    def await_more_than(self, count: int) -> None:
        with self._told:
            assert self._told.wait_for(lambda: self.count > count, PATIENCE), "the change was not told"

    def end(self, file: Path) -> None:
        self._ending = True
        self._replace(file)
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    @staticmethod
    def _replace(file: Path) -> None:
        """Write it as editors do."""
        file.with_name(".new").write_text("{}")
        file.with_name(".new").replace(file)


def test_changes_are_told(tmp_path):
    schemas, apart = tmp_path / "schemas", tmp_path / "apart"
    (schemas / "thing.made").mkdir(parents=True)
    apart.mkdir()
    schema, counters = schemas / "thing.made" / "v1.json", apart / "counters.json"
    schema.write_text("{}")
    watching = Watching(schemas, files=(counters,))
    schema.write_text("{ }")  # before it is watched: while the first site is built
    watching.start()
    watching.await_more_than(0)
    for change in (
        lambda: schema.write_text("[]"),
        lambda: watching._replace(schema),
        (schemas / "thing.sold").mkdir,
        lambda: (schemas / "thing.sold" / "v1.json").write_text("{}"),
        (schemas / "thing.sold" / "v1.json").unlink,
        lambda: counters.write_text("{}"),
        lambda: watching._replace(counters),
        counters.unlink,
    ):
        before = watching.count
        change()
        watching.await_more_than(before)
    watching.end(schema)


def test_hidden_files_and_those_beside_are_no_change(tmp_path):
    schemas, counters = tmp_path / ".kept" / "schemas", tmp_path / "counters.json"
    schemas.mkdir(parents=True)
    counters.write_text("{}")
    watching = Watching(schemas, files=(counters,))
    watching.start()
    (schemas / "first.json").write_text("{}")
    watching.await_more_than(0)
    before = watching.count
    (schemas / ".swap").write_text("x")
    (schemas / ".git").mkdir()
    (schemas / ".git" / "HEAD").write_text("x")
    (tmp_path / "beside.json").write_text("x")
    os.utime(tmp_path)
    watching._replace(counters)  # told, and the only one that is
    watching.await_more_than(before)
    watching.end(schemas / "last.json")
    assert watching.count == before + 2


def test_what_is_missing_is_said_with_its_extra():
    code = "import sys; sys.modules['watchfiles'] = None; import jobarium_events.site.serving"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert "pip install 'jobarium-events[site]'" in done.stderr
    assert "MissingExtra" in done.stderr
