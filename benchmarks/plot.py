"""Draws the ways to read an event side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from benchmarks.results import PeerRow, Results

__all__ = ["DARK", "LIGHT", "Colours", "draw"]


class Colours(NamedTuple):
    """What a plot is drawn in."""

    ours: str
    others: str
    text: str
    grid: str
    ground: str


LIGHT = Colours(ours="#0b6e99", others="#b8c4cc", text="#24292f", grid="#e4e8eb", ground="white")
DARK = Colours(ours="#4db4e0", others="#57636d", text="#e0e4e8", grid="#343a40", ground="#0b0c0f")


def draw(results: Results, path: Path, colours: Colours) -> None:
    """Write the plot to a file, in the format that its suffix names."""
    import matplotlib as mpl  # noqa: PLC0415 - slow to import, and what is measured comes first

    mpl.use("agg")
    # Nothing in the file but what is drawn: the same results give the same bytes.
    mpl.rcParams.update({"svg.hashsalt": "benchmark", "font.family": "DejaVu Sans", "font.size": 9.5})
    from matplotlib import pyplot  # noqa: PLC0415 - as above

    figure, panels = pyplot.subplots(
        1, len(results.sizes), figsize=(10, 3.5), sharex=True, sharey=True, squeeze=False, layout="constrained"
    )
    for panel, (label, size) in zip(panels[0], results.sizes.items(), strict=True):
        _fill(panel, [(row, row.ratios[label].value) for row in reversed(results.peers)], colours)
        panel.set_title(f"{label}: {size:,} bytes", color=colours.text, fontsize=10)
    first, names = panels[0][0], list(reversed(results.peers))
    first.set_yticks(range(len(names)), [row.name for row in names])  # shared by all panels
    for text, row in zip(first.get_yticklabels(), names, strict=True):
        text.set_fontweight("bold" if row.ours else "normal")
    figure.suptitle("From bytes to a validated event", color=colours.text, fontsize=11.5)
    scale = "times orjson.loads of the same event (logarithmic; less is better)"
    figure.supxlabel(scale, color=colours.text, fontsize=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    metadata = {"Date": None} if path.suffix == ".svg" else None
    figure.savefig(path, facecolor=colours.ground, metadata=metadata, dpi=110)
    pyplot.close(figure)


def _fill(panel: object, rows: list[tuple[PeerRow, float]], colours: Colours) -> None:
    from matplotlib.axes import Axes  # noqa: PLC0415 - as above

    assert isinstance(panel, Axes)
    least = 0.3
    bars = panel.barh(
        range(len(rows)),
        [value - least for _, value in rows],
        left=least,
        color=[colours.ours if row.ours else colours.others for row, _ in rows],
        height=0.68,
    )
    for bar, (row, value) in zip(bars, rows, strict=True):
        text = f"{value:.2f}" if value < 10 else f"{value:,.0f}"
        weight = "bold" if row.ours else "normal"
        middle = bar.get_y() + bar.get_height() / 2
        box = {"facecolor": colours.ground, "edgecolor": "none", "pad": 0.6}
        panel.text(
            value * 1.13, middle, text, va="center", color=colours.text, fontsize=8.5, fontweight=weight, bbox=box
        )
    panel.set_xscale("log")
    panel.set_xlim(least, max(600, 4 * max(value for _, value in rows)))
    panel.set_xticks([1, 10, 100], ["1", "10", "100"])
    panel.minorticks_off()
    panel.axvline(1, color=colours.text, linewidth=0.8, linestyle=(0, (3, 3)))
    panel.grid(axis="x", color=colours.grid)
    panel.set_axisbelow(True)
    panel.tick_params(length=0, colors=colours.text)
    panel.set_facecolor(colours.ground)
    panel.spines[:].set_visible(False)
