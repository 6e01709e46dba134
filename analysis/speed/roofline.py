"""The roofline of large spectra: flops per second of each phase against its flops per byte, below what the machine can do.

A phase that makes I flops for each byte that goes through memory cannot be faster than min(peak, I x bandwidth) (Williams,
Waterman and Patterson 2009, doi:10.1145/1498765.1498785). Flops and bytes are counted by the program's model of its
algorithms, seconds are measured, peak and bandwidth are the rates of `ridgeless bench calibrate`.
"""

from __future__ import annotations

import math
from typing import Iterator, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from draw import layout, style
from draw.row import Caption, Found, Row
from read.benches import PHASES, Bench, Work

FRAME = layout.Frame(left=1.0, right=0.5, top=0.9, gap_x=1.0, gap_y=0.95)
COLOURS = dict(zip(PHASES, (style.LINES[5], style.LINES[0], style.LINES[2], style.LINES[4])))
ROOF = {"color": style.TEXT, "linewidth": 1.4, "zorder": 2}
CACHE = {"color": style.QUIET_TEXT, "linewidth": 1.0, "linestyle": (0, (4, 3)), "zorder": 2}
SIZE = 7
LEAST_SHARE = 0.01  # of the seconds: phases below are not drawn
BELOW, ABOVE = 4.0, 2.5  # the points, and the peak: room on the axis
HEAD = "producer    phase          seconds     GFlop       GB  flop/byte   GFlop/s      roof   of roof  roof of"

CAPTION = Caption(
    "How close each phase comes to the machine",
    "Flops per second of each phase of one large spectrum against its flops per byte of memory traffic. Just below the slope a "
    "phase waits for memory, just below the flat roof for arithmetic; far below both it waits for something else, as messages.",
    "Points of phases below a roof that rises with flops per byte and then is flat.",
)


def rows(found: Found) -> list[Row]:
    """Of what --bench names, as far as it has roofs."""
    known = [bench for bench in found.benches if bench.roofs is not None]
    return [Row("roofline", lambda *_: roofline(known), CAPTION, own=True)] if known else []


class Point(NamedTuple):
    """A phase of a producer that takes some time, computes, and moves bytes."""

    producer: str
    phase: str
    work: Work
    roof: float  # flops per second that its flops per byte allow
    by_memory: bool

    def share(self) -> float:
        """Of the roof."""
        return self.work.rate() / self.roof


def points(bench: Bench) -> Iterator[Point]:
    """Those of all producers."""
    assert bench.roofs is not None
    for producer in bench.producers:
        for phase, work in producer.work.items():
            if work.flops > 0 and work.bytes > 0 and work.seconds >= LEAST_SHARE * producer.seconds:
                by_memory = work.intensity() * bench.roofs.memory
                roof = min(bench.roofs.flops, by_memory)
                yield Point(producer.name, phase, work, roof, by_memory < bench.roofs.flops)


def roofline(benches: list[Bench]) -> Figure:
    """A panel per file."""
    columns = min(len(benches), 2)
    lines = math.ceil(len(benches) / columns)
    page, grid = layout.table(lines, columns, "Roofline of large spectra", "flops per byte of memory traffic", FRAME)
    panels = [axes for row in grid for axes in row]
    for axes in panels[len(benches) :]:
        axes.remove()
    every = [point for bench in benches for point in points(bench)]
    names = list(dict.fromkeys(point.producer for point in every))
    markers = {name: style.MARKERS[i % len(style.MARKERS)] for i, name in enumerate(names)}
    for axes, bench in zip(panels, benches):
        _panel(axes, bench, markers)
    page.handles = [
        layout.patch_handle(COLOURS[phase], phase) for phase in PHASES if any(point.phase == phase for point in every)
    ]
    dot = {"linestyle": "none", "markersize": SIZE - 1}
    page.handles += [layout.line_handle(style.QUIET_TEXT, name, marker=marker, **dot) for name, marker in markers.items()]
    page.handles.append(
        layout.line_handle(ROOF["color"], "reading a matrix of this size, and arithmetic", linewidth=ROOF["linewidth"])
    )
    page.handles.append(
        layout.line_handle(CACHE["color"], "reading what a cache holds", linewidth=1.0, linestyle=CACHE["linestyle"])
    )
    return layout.finish(page)


def _panel(axes: Axes, bench: Bench, markers: dict[str, str]) -> None:
    found, roofs = list(points(bench)), bench.roofs
    assert roofs is not None
    ridge = roofs.flops / roofs.memory
    x = [point.work.intensity() for point in found] + [ridge]
    low, high = min(x) / BELOW, max(x) * BELOW
    layout.log_x_axis(axes, low, high, whole=False)
    layout.y_axis(axes, min([p.work.rate() for p in found] + [low * roofs.memory]) / BELOW / 1e9, roofs.flops * ABOVE / 1e9)
    along = np.geomspace(*axes.get_xlim(), 400)
    axes.plot(along, np.minimum(roofs.flops, along * roofs.cache) / 1e9, **CACHE)
    axes.plot(along, np.minimum(roofs.flops, along * roofs.memory) / 1e9, **ROOF)
    for point in found:
        at = (point.work.intensity(), point.work.rate() / 1e9)
        axes.plot(*at, markers[point.producer], color=COLOURS[point.phase], markersize=SIZE, zorder=3)
    axes.set_ylabel("GFlop/s")
    rates = f"{roofs.flops / 1e9:.3g} GFlop/s, {roofs.memory / 1e9:.3g} GB/s ({roofs.source})"
    axes.annotate(rates, (0.97, 0.04), xycoords="axes fraction", ha="right", fontsize=8.5)
    axes.set_title(bench.title)


def text(benches: list[Bench]) -> str:
    """The numbers of the figure, a paragraph per file."""
    parts = []
    for bench in benches:
        assert bench.roofs is not None
        lines = [f"{bench.title}; {bench.roofs.flops / 1e9:.4g} GFlop/s, {bench.roofs.memory / 1e9:.4g} GB/s", HEAD]
        for point in points(bench):
            work = point.work
            lines.append(
                f"{point.producer:<11} {point.phase:<11} {work.seconds:10.4g} {work.flops / 1e9:9.4g} {work.bytes / 1e9:8.4g} "
                f"{work.intensity():10.3g} {work.rate() / 1e9:9.4g} {point.roof / 1e9:9.4g} {100 * point.share():7.1f} %  "
                f"{'memory' if point.by_memory else 'arithmetic'}"
            )
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"
