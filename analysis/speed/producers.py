"""One large spectrum by each producer, as `ridgeless bench spectrum --json` measured it: seconds by phase, and GFlop/s."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from draw import layout, style
from draw.row import Caption, Found, Row
from read.benches import COMPUTED, OTHER, Bench

FRAME = layout.Frame(left=1.15, right=1.35, top=0.9, gap_x=2.6, gap_y=0.95)
COLOURS = (style.LINES[0], style.LINES[2], style.LINES[4], style.UNABLATED)

CAPTION = Caption(
    "One large spectrum by each producer",
    "Seconds of the median round, in parts per phase, from a matrix that has been generated on; dots are the rounds. GFlop/s "
    "counts the operations of the reference, so that a faster algorithm has a higher rate.",
    "A bar per producer of its seconds by phase.",
)


def rows(found: Found) -> list[Row]:
    """Of what --bench names."""
    return [Row("producers", lambda *_: producers(found.benches), CAPTION, own=True)] if found.benches else []


def producers(benches: list[Bench]) -> Figure:
    """A panel per file: a bar per producer, in parts per phase; dots are its rounds."""
    columns = min(len(benches), 2)
    rows = math.ceil(len(benches) / columns)
    page, grid = layout.table(rows, columns, "One large spectrum by each producer", "seconds", FRAME)
    panels = [axes for row in grid for axes in row]
    for axes in panels[len(benches) :]:
        axes.remove()
    for axes, bench in zip(panels, benches):
        _panel(axes, bench)
    colours = dict(zip((*COMPUTED, OTHER), COLOURS))
    drawn = [name for name in colours if any(p.phases[name] > 0 for b in benches for p in b.producers)]
    page.handles = [layout.patch_handle(colours[name], name) for name in drawn]
    page.handles.append(layout.line_handle(style.TEXT, "each round", linestyle="", marker="o", markersize=3.5))
    return layout.finish(page)


def _panel(axes: Axes, bench: Bench) -> None:
    longest = max(max(p.seconds, p.rounds.max(initial=0)) for p in bench.producers)
    for place, producer in enumerate(bench.producers):
        left = 0.0
        for colour, seconds in zip(COLOURS, producer.phases.values()):
            axes.barh(place, seconds, left=left, color=colour, height=0.62)
            left += seconds
        axes.plot(producer.rounds, np.full(producer.rounds.size, place), "o", color=style.TEXT, markersize=3.5)
        text = f"{producer.seconds:.3g} s, {producer.gflops:.3g} GFlop/s"
        end = (max(left, producer.rounds.max(initial=0)), place)
        axes.annotate(text, end, xytext=(6, 0), textcoords="offset points", va="center", fontsize=8.5)
    axes.set_yticks(range(len(bench.producers)), [p.name for p in bench.producers])
    axes.invert_yaxis()
    axes.grid(False, axis="y")
    axes.set_xlim(0, longest * 1.05)
    axes.set_title(bench.title)
