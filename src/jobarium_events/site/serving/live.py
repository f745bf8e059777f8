"""What is shown now: the last site that could be built, and what is wrong since then."""

from __future__ import annotations

import html
import mimetypes
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from urllib.parse import unquote

import msgspec

__all__ = ["Answer", "Live"]

_OWN = "/-/"
"""How the paths of what only the server adds begin; no page of the site does."""

_ASSETS = {name: (Path(__file__).parent / name).read_bytes() for name in ("reload.css", "reload.js")}
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'self'; script-src 'self'">
<title>{title}</title>
</head>
<body class="serve-page">
<main>
<h1>{title}</h1>
{content}
</main>
</body>
</html>
"""
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class Answer(msgspec.Struct, frozen=True):
    """What is answered to a request.

    Attributes:
        status: Of HTTP.
        kind: The type of its content.
        content: All of it.
    """

    status: HTTPStatus
    kind: str
    content: bytes


class _Now(msgspec.Struct, frozen=True):
    """One state of what is shown; it is swapped as a whole, so that no request sees half of one.

    Attributes:
        build: Names the site; a page of another one is out of date.
        files: The site's files by their paths; None if none could be built yet.
        problem: What is wrong with what the site is made of, since it was built.
    """

    build: str
    files: Mapping[str, bytes] | None
    problem: str | None


class Live:
    """The site as it is now, for any number of threads that ask and one that builds.

    Pages get a script that reloads them once there is another site, and that shows what is wrong meanwhile. The built
    files do not have it.

    Example:
        >>> live = Live()
        >>> live.built({"index.html": b"<!doctype html><head></head><h1>Events</h1>"})
        >>> live.answer("/").status
        <HTTPStatus.OK: 200>
        >>> live.answer("/../secret").status
        <HTTPStatus.NOT_FOUND: 404>
    """

    def __init__(self) -> None:
        self._run = secrets.token_hex(4)  # pages of an earlier process on this port are out of date too
        self._count = 0
        self._now = _Now(self._next(), None, None)

    def built(self, files: Mapping[str, bytes], problem: str | None = None) -> bool:
        """Show this site from now on, and return whether that is something else than before.

        Args:
            files: The content of each file by its path in the site, such as `events/job.updated.html`.
            problem: What is wrong all the same, and is said above the pages.
        """
        now = self._now
        if files == now.files and problem == now.problem:
            return False
        self._now = _Now(self._next(), files, problem)
        return True

    def failed(self, problem: str) -> None:
        """Go on with the last site, and say what is wrong."""
        now = self._now
        # Where there is no site yet, the problem is all that is shown, so that another one is another page.
        build = now.build if now.files is not None else self._next()
        self._now = _Now(build, now.files, problem)

    def answer(self, target: str) -> Answer:
        """Return what there is under a request's target, which is nothing but the site's own files."""
        now = self._now
        path = unquote(target.partition("#")[0].partition("?")[0])
        if path.startswith(_OWN):
            return _own(path.removeprefix(_OWN), now)
        if now.files is None:
            text = f"<pre>{html.escape(now.problem or 'It is being built.')}</pre>"
            return _page(now, HTTPStatus.SERVICE_UNAVAILABLE, "There is no site to show yet", text)
        name = path.removeprefix("/") or "index.html"
        if name not in now.files:
            text = f'<p>The site has no <code>{html.escape(path)}</code>. <a href="/">See all events.</a></p>'
            return _page(now, HTTPStatus.NOT_FOUND, "There is no such page", text)
        kind = _kind(name)
        content = now.files[name]
        return Answer(HTTPStatus.OK, kind, _reloading(content, now.build) if kind.startswith("text/html") else content)

    def _next(self) -> str:
        self._count += 1
        return f"{self._run}-{self._count}"


def _own(name: str, now: _Now) -> Answer:
    if name == "state":
        # Where there is no site the page itself says what is wrong.
        state = {"build": now.build, "problem": None if now.files is None else now.problem}
        return Answer(HTTPStatus.OK, "application/json", msgspec.json.encode(state))
    if name in _ASSETS:
        return Answer(HTTPStatus.OK, _kind(name), _ASSETS[name])
    return Answer(HTTPStatus.NOT_FOUND, "text/plain; charset=utf-8", b"There is no such file.\n")


def _page(now: _Now, status: HTTPStatus, title: str, content: str) -> Answer:
    page = _PAGE.format(title=html.escape(title), content=content).encode()
    return Answer(status, _kind(".html"), _reloading(page, now.build))


def _reloading(page: bytes, build: str) -> bytes:
    """Return a page with the script that reloads it, and leave to ask this server whether to."""
    added = (
        f'<link rel="stylesheet" href="{_OWN}reload.css">'
        f'<script src="{_OWN}reload.js" data-build="{build}" defer></script></head>'
    )
    page = page.replace(b"default-src 'none';", b"default-src 'none'; connect-src 'self';", 1)
    return page.replace(b"</head>", added.encode(), 1)


def _kind(name: str) -> str:
    suffix = Path(name).suffix or name
    kind = _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
