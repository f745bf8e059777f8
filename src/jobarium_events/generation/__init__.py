"""Prints the payload classes of a catalog as a Python module, in one of three styles."""

from jobarium_events.generation.module import Style, generate

__all__ = ["Style", "generate"]
