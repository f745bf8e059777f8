"""The pictures of a catalog as values: where everything is in them, in their own units; the templates draw it."""

from jobarium_events.site.pictures.flow import Flow, flow
from jobarium_events.site.pictures.timeline import Timeline, timeline
from jobarium_events.site.pictures.traffic import Traffic, traffic

__all__ = ["Flow", "Timeline", "Traffic", "flow", "timeline", "traffic"]
