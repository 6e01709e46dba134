"""The figure of runs on several numbers of ranks: seconds, efficiency, GFlop/s and memory, strong and weak scaling
side by side."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Callable, Iterable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from draw import layout, style
from draw.row import Caption, Found, Row
from speed import speedup
from speed.speedup import MOST_LINES, STRONG, WEAK, WHOLE_RUN, Line, Point, Study

TITLE, X_LABEL = "Scaling with the number of ranks", "ranks"
IDEAL = {"linestyle": (0, (4, 3)), "linewidth": 0.9}
A_RANK = {"linestyle": (0, (1, 1.4)), "linewidth": 1.2, "markersize": 2.5}
SHARE = {"linestyle": (0, (5, 1.5, 1, 1.5)), "linewidth": 1.0}
BAR = {"linewidth": 3, "alpha": 0.4}
MARKER_SIZE = 4.5
RUN_MARKERS = (".", "x", "+")
MEBIBYTE = 2.0**20
FRAME = layout.Frame(left=0.85, top=0.66, gap_x=0.85, gap_y=0.35)
LEAST_ON_LINEAR = 0.2  # efficiency: smaller ones could not be told from nothing, and the axis is a log one
TITLE_PAD = 17  # points above a panel, over the numbers on its upper axis

CAPTION = Caption(
    "How time falls with the number of ranks",
    "The same work on more ranks (strong scaling), and work that grows with them (weak scaling): seconds, parallel "
    "efficiency, GFlop/s and memory per rank.",
    "Seconds, efficiency, rate and memory against the number of ranks.",
)


def rows(found: Found) -> list[Row]:
    """Of what --scaling names."""
    return [Row("scaling", lambda *_: scaling(found.studies), CAPTION, own=True)] if found.studies else []


@dataclass(frozen=True)
class Look:
    """How a line is told apart."""

    label: str
    colour: Any
    marker: str
    width: float


@dataclass
class Panel:
    """One quantity of the studies of one kind. `values` collects what its y axis is to show."""

    axes: Axes
    studies: list[Study]
    looks: dict[Line, Look]
    values: list[float] = field(default_factory=list)

    def lines(self) -> list[Line]:
        """The tasks' and then the whole runs'."""
        return [line for s in self.studies for line in s.lines] + [line for s in self.studies for line in s.wholes]

    def plot(self, x: Iterable[float], y: Iterable[float], colour: Any, **how: Any) -> None:
        """A line whose values the axis will show."""
        y = list(y)
        self.values += y
        self.axes.plot(list(x), y, color=colour, **how)

    def bars(self, x: Iterable[float], low: Iterable[float], high: Iterable[float], colour: Any) -> None:
        """What is measured more than once, from the smallest to the largest."""
        low, high = list(low), list(high)
        self.values += [*low, *high]
        self.axes.vlines(list(x), low, high, color=colour, **BAR)

    def measured(self, line: Line, y: Iterable[float]) -> None:
        """A line with a marker a point, hollow where one rank worked alone."""
        look = self.looks[line]
        x, y = np.array(line.ranks()), np.array(list(y))
        self.plot(x, y, look.colour, marker=look.marker, linewidth=look.width, markersize=MARKER_SIZE)
        alone = np.array([not p.on_grid for p in line.points])
        hollow = {"markersize": MARKER_SIZE, "markerfacecolor": "white", "markeredgecolor": look.colour, "zorder": 2.5}
        self.axes.plot(x[alone], y[alone], look.marker, **hollow)


# ---- panels -----------------------------------------------------------------------------------------------------


def _seconds(panel: Panel) -> None:
    for line in panel.lines():
        colour, points = panel.looks[line].colour, line.points
        panel.plot(line.ranks(), line.ideal(), colour, **IDEAL)
        panel.bars(line.ranks(), [p.seconds.min() for p in points], [p.seconds.max() for p in points], colour)
        panel.measured(line, [p.median() for p in points])


def _efficiency(panel: Panel) -> None:
    panel.axes.axhline(1, color=style.QUIET_TEXT, **IDEAL)
    for line in panel.lines():
        slowest, fastest = ([ideal / f(p.seconds) for ideal, p in zip(line.ideal(), line.points)] for f in (max, min))
        panel.bars(line.ranks(), slowest, fastest, panel.looks[line].colour)
        panel.measured(line, line.efficiency())


def _rate(panel: Panel) -> None:
    """A rank's own of the tasks, and of the whole run where there is nothing else."""
    alone = all(line.name == WHOLE_RUN for line in panel.lines())
    for line in panel.lines():
        look, rates = panel.looks[line], np.array([p.rate() for p in line.points]) / 1e9
        if alone or line.name != WHOLE_RUN:
            panel.plot(line.ranks(), rates / line.ranks(), look.colour, marker=look.marker, **A_RANK)
        panel.measured(line, rates)


def _memory(panel: Panel) -> None:
    """Of the rank with the most, with a bar down to the one with the least."""
    for line in (line for s in panel.studies for line in s.wholes):
        look, known = panel.looks[line], {run.ranks: run for run in line.runs if run.memory.size}
        most = [run.memory.max() / MEBIBYTE for run in known.values()]
        panel.bars(known, [run.memory.min() / MEBIBYTE for run in known.values()], most, look.colour)
        panel.plot(known, most, look.colour, marker=look.marker, linewidth=look.width, markersize=MARKER_SIZE)
        panel.plot(known, [run.share_of_training_set() / MEBIBYTE for run in known.values()], look.colour, **SHARE)


@dataclass(frozen=True)
class Quantity:
    """A row of the figure."""

    label: str
    draw: Callable[[Panel], None]
    log: bool = True


SECONDS = Quantity("seconds", _seconds)
EFFICIENCY = Quantity("parallel efficiency", _efficiency, log=False)
RATE = Quantity("GFlop/s", _rate)
MEMORY = Quantity("peak memory of a rank, MiB", _memory)
KINDS = {STRONG: "Strong scaling", WEAK: "Weak scaling"}


# ---- the figure -------------------------------------------------------------------------------------------------


def scaling(studies: list[Study]) -> Figure:
    """A row a quantity and a column a kind of scaling; of one kind alone, a panel a quantity."""
    quantities = [SECONDS, EFFICIENCY, RATE] + ([MEMORY] if _with_memory(studies) else [])
    by_kind = {kind: [s for s in studies if s.kind == kind] for kind in KINDS}
    by_kind = {kind: some for kind, some in by_kind.items() if some}
    side_by_side = len(by_kind) > 1
    columns = 2 if side_by_side or len(quantities) == 4 else len(quantities)
    rows = len(quantities) * len(by_kind) // columns
    titles = [_title(kind, some) for kind, some in by_kind.items()]
    frame = replace(FRAME, top=FRAME.top + 0.2) if side_by_side else FRAME
    page, grid = layout.table(rows, columns, TITLE if side_by_side else titles[0], X_LABEL, frame)
    looks = _looks(studies)
    for i, quantity in enumerate(quantities):
        axes = grid[i] if side_by_side else [grid[i // columns][i % columns]]
        _row(quantity, [Panel(a, some, looks) for a, some in zip(axes, by_kind.values())], axes[0] in grid[0])
    for axes, title in zip(grid[0], titles if side_by_side else []):
        axes.set_title(title, y=1, pad=TITLE_PAD)
    page.figure.align_ylabels()
    page.handles = _legend(studies, looks)
    return layout.finish(page)


def _with_memory(studies: list[Study]) -> bool:
    return any(run.memory.size for s in studies for line in s.wholes for run in line.runs)


def _title(kind: str, studies: list[Study]) -> str:
    features = sorted({task.n_features for s in studies for run in s.runs for task in run.tasks})
    if kind == WEAK and len(features) == 1:
        repeats = sorted({1 + max(task.repeat for task in run.tasks) for s in studies for run in s.runs})
        return f"{KINDS[kind]}, {repeats[0]} to {repeats[-1]} repeats"
    if kind == WEAK:
        return f"{KINDS[kind]}, P from {features[0]} to {features[-1]}"
    return f"{KINDS[kind]}, P = {', '.join(map(str, features))}" if len(features) <= 3 else KINDS[kind]


def _looks(studies: list[Study]) -> dict[Line, Look]:
    """Lines of one label look the same, in whatever panel they are: tasks coloured, whole runs grey."""
    labels = speedup.labels(studies)
    looks = {}
    for i, label in enumerate(dict.fromkeys(labels[line] for s in studies for line in s.lines)):
        marker = style.MARKERS[(i + i // MOST_LINES) % len(style.MARKERS)]
        looks[label] = Look(label, style.LINES[i % MOST_LINES], marker, 1.7)
    for i, label in enumerate(dict.fromkeys(labels[line] for s in studies for line in s.wholes)):
        grey = style.tint(style.TEXT, max(1 - 0.4 * i, 0.3))
        looks[label] = Look(label, grey, RUN_MARKERS[i % len(RUN_MARKERS)], 1.2)
    return {line: looks[label] for line, label in labels.items()}


def _row(quantity: Quantity, panels: list[Panel], on_top: bool) -> None:
    """Its panels share the y axis, to be compared."""
    for panel in panels:
        quantity.draw(panel)
        _rank_axis(panel, on_top)
    values = [v for panel in panels for v in panel.values]
    margin = max(max(values) / min(values), 1.5) ** 0.06
    for panel in panels:
        if quantity.log or min(values) < LEAST_ON_LINEAR:
            layout.y_axis(panel.axes, min(values) / margin, max(values) * margin)
        else:
            panel.axes.set_ylim(0, max(1.1, 1.05 * max(values)))
    panels[0].axes.set_ylabel(quantity.label)


def _rank_axis(panel: Panel, on_top: bool) -> None:
    """Ticks where there are points; of weak scaling, on top, the P that goes with each."""
    features: dict[int, set[int]] = defaultdict(set)
    repeats: dict[int, set[int]] = defaultdict(set)
    for study in panel.studies:
        for run in study.runs:
            features[run.ranks] |= {task.n_features for task in run.tasks}
            repeats[run.ranks] |= {1 + max(task.repeat for task in run.tasks)}
    name, grows = ("P", features) if len(set().union(*features.values())) > 1 else ("repeats", repeats)
    ranks = sorted({*features, *(r for line in panel.lines() for r in line.ranks())})
    margin = (ranks[-1] / ranks[0]) ** 0.06
    panel.axes.set_xscale("log")
    panel.axes.set_xlim(ranks[0] / margin, ranks[-1] * margin)
    _ticks(panel.axes, {r: str(r) for r in ranks})
    panel.axes.spines["top"].set_visible(False)
    if on_top and panel.studies[0].kind == WEAK and all(len(some) == 1 for some in grows.values()):
        panel.axes.spines["top"].set_visible(True)
        top = layout.upper_axis(panel.axes, panel.axes.get_xlim(), name)
        _ticks(top, {r: str(*some) for r, some in sorted(grows.items())})


def _ticks(axes: Axes, texts: dict[int, str]) -> None:
    """From the left, those whose texts do not touch."""
    low, high = axes.get_xlim()
    apart = (high / low) ** (0.03 * max(map(len, texts.values())) + 0.02)
    shown: list[int] = []
    for ranks in texts:
        if not shown or ranks >= shown[-1] * apart:
            shown.append(ranks)
    axes.xaxis.set_major_locator(FixedLocator(shown))
    axes.xaxis.set_major_formatter(FixedFormatter([texts[r] for r in shown]))
    axes.xaxis.set_minor_locator(NullLocator())


def _legend(studies: list[Study], looks: dict[Line, Look]) -> list[Line2D]:
    """The lines, whole runs last, and then what else there is to see."""
    lines = [line for s in studies for line in s.lines] + [line for s in studies for line in s.wholes]
    points = [p for line in lines for p in line.points]
    handles = {}
    for look in (looks[line] for line in lines):
        how = {"marker": look.marker, "linewidth": look.width, "markersize": MARKER_SIZE}
        handles.setdefault(look.label, layout.line_handle(look.colour, look.label, **how))
    return [*handles.values(), *_remarks(points, _with_memory(studies)), *_processor_share(studies)]


def _processor_share(studies: list[Study]) -> list[Line2D]:
    """How much of a processor ranks had: less than all of one where other programs, or too many ranks, were at work."""
    shares = [run.processor_share for s in studies for run in s.runs if np.isfinite(run.processor_share)]
    if not shares:
        return []
    low, high = (f"{100 * min(share, 1):.0f}" for share in (min(shares), max(shares)))
    said = f"{low} %" if low == high else f"{low} to {high} %"
    return [layout.line_handle("none", f"a rank had {said} of a processor")]


def _remarks(points: list[Point], with_memory: bool) -> list[Line2D]:
    handle = partial(layout.line_handle, style.QUIET_TEXT)
    made = [handle("ideal", **IDEAL), handle("GFlop/s per rank", marker="o", **A_RANK)]
    if with_memory:
        made.append(handle("a rank's share of the training set", **SHARE))
    if any(p.seconds.size > 1 for p in points):
        bar = {"linestyle": "none", "marker": "|", "markersize": 9, "markeredgewidth": BAR["linewidth"]}
        made.append(handle("smallest to largest", alpha=BAR["alpha"], **bar))
    if any(not p.on_grid for p in points):
        hollow = {"linestyle": "none", "marker": "o", "markersize": MARKER_SIZE, "markerfacecolor": "white"}
        made.append(handle("one rank alone", **hollow))
    return made
