"""Says where a run took place, as far as it bears on the numbers; nothing that names a machine."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.results import Environment

__all__ = ["surroundings"]

_PACKAGES = (
    "jobarium-events",
    "msgspec",
    "orjson",
    "uuid-utils",
    "fastjsonschema",
    "jsonschema-rs",
    "jsonschema",
    "pydantic",
    "cloudevents",
)


def surroundings(command: str) -> Environment:
    """Return the environment of a run that was started by a command."""
    return Environment(
        command=command,
        date=datetime.now(UTC).date().isoformat(),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        system=f"{platform.system()} {platform.machine()}",
        cpu=_cpu(),
        cores=os.cpu_count() or 1,
        packages={name: found for name in _PACKAGES if (found := _version(name)) is not None},
    )


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None  # this library itself, run from a checkout


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or "unknown")
