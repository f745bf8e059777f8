"""The site shown by a small server on this machine, built anew whenever its files change."""

from __future__ import annotations

from jobarium_events.site.serving.answering import PortTaken, Server
from jobarium_events.site.serving.live import Live
from jobarium_events.site.serving.watching import changes

__all__ = ["Live", "PortTaken", "Server", "changes"]
