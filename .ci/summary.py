"""``python3 .ci/summary.py REPORT.xml ...``: name each test that failed, and end with the counts of all.

What failed comes last, as logs are often cut before their end.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

LINES = 12
"""So many lines of a failure are shown: the last ones, which name what was raised."""


def main(paths: list[str]) -> None:
    """Print what failed, then one line ``N passed, N failed, N skipped``."""
    counts: Counter[str] = Counter()
    for path in map(Path, paths):
        for name, outcome, text in _tests(path):
            counts[outcome] += 1
            if outcome == "failed":
                print(f"FAILED on {path.stem}: {name}")
                print(*(f"    {line}" for line in text.rstrip().splitlines()[-LINES:]), sep="\n")
    print(", ".join(f"{counts[outcome]} {outcome}" for outcome in ("passed", "failed", "skipped")))


def _tests(path: Path) -> Iterator[tuple[str, str, str]]:
    """Each test's name, its outcome and what it printed as it failed.

    A file that cannot be read, as its run was ended midway, is told as one failure.
    """
    try:
        tree = ElementTree.parse(path)
    except (OSError, ElementTree.ParseError) as error:
        yield str(path), "failed", f"no report of the tests: {error}"
        return
    for test in tree.iter("testcase"):
        name = f"{test.get('classname')}::{test.get('name')}"
        bad = [found for kind in ("failure", "error") for found in test.iter(kind)]
        if bad:
            yield name, "failed", "\n".join(found.text or found.get("message") or "" for found in bad)
        else:
            yield name, "skipped" if test.find("skipped") is not None else "passed", ""


if __name__ == "__main__":
    main(sys.argv[1:])
