"""The figure of Amdahl's law: seconds, speedup, and the serial fraction, against the number of ranks."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator

from draw import layout, style
from read.reports import Report
from speed.serial import TOTAL, Study, seconds_of

TITLE = "Amdahl's law"
FRAME = layout.Frame(left=0.85, top=0.75, gap_x=0.85, gap_y=0.4)
LAW = {"linewidth": 1.4}
IDEAL = {"linestyle": (0, (4, 3)), "linewidth": 0.9}
LIMIT = {"linestyle": (0, (1, 1.6)), "linewidth": 1.3}
SIZE = 5
MOST_TICKS = 9
BEYOND = 2  # times the most ranks, up to where the law is drawn


def amdahl(studies: list[Study], time: str) -> Figure:
    """A line per study in each of three panels."""
    title = f"{TITLE}: T = s + p/n, {'of whole runs' if time == TOTAL else 'of the work that ranks shared'}"
    page, ((left, middle, right),) = layout.table(1, 3, title, "ranks, n", FRAME)
    least, most = min(s.ranks[0] for s in studies), max(s.ranks[-1] for s in studies)
    x = np.geomspace(least, BEYOND * most, 200)
    for i, study in enumerate(studies):
        colour, marker = style.LINES[i % len(style.LINES)], style.MARKERS[i % len(style.MARKERS)]
        _seconds(left, study, x, colour, marker, time)
        _speedup(middle, study, x, colour, marker)
        _fraction(right, study, x, colour, marker)
    middle.plot(x, x, color=style.QUIET_TEXT, **IDEAL)
    lowest = min(min(s.speedup().min(), s.one() / s.predicted(x)[0]) for s in studies)
    limits = [s.limit() for s in studies if s.limit() < BEYOND * most]
    middle.set_ylim(lowest / 1.15, 1.25 * max(most, *limits) if limits else 1.25 * most)
    _dress(left, middle, right, (x[0], x[-1]), sorted({int(n) for s in studies for n in s.ranks}))
    page.handles = _legend(studies)
    return layout.finish(page)


# ---- panels -----------------------------------------------------------------------------------------------------


def _seconds(axes: Axes, study: Study, x: np.ndarray, colour: str, marker: str, time: str) -> None:
    """All runs as small points, the quickest with a marker."""
    axes.plot(x, study.predicted(x), color=colour, **LAW)
    axes.plot(x, study.one() / x, color=colour, **IDEAL)
    every: list[Report] = list(study.runs)
    axes.plot([run.ranks for run in every], [seconds_of(run, time) for run in every], ".", color=colour, markersize=4)
    _points(axes, study, study.seconds, colour, marker)


def _speedup(axes: Axes, study: Study, x: np.ndarray, colour: str, marker: str) -> None:
    axes.plot(x, study.one() / study.predicted(x), color=colour, **LAW)
    if np.isfinite(study.limit()):
        axes.axhline(study.limit(), color=colour, **LIMIT)
    _points(axes, study, study.speedup(), colour, marker)


def _fraction(axes: Axes, study: Study, x: np.ndarray, colour: str, marker: str) -> None:
    """Karp and Flatt's of each number of ranks, and the fit's."""
    axes.axhline(study.fraction(), color=colour, **LAW)
    _points(axes, study, study.karp_flatt(), colour, marker)


def _points(axes: Axes, study: Study, y: np.ndarray, colour: str, marker: str) -> None:
    """Hollow where ranks had less than their share of a processor."""
    busy = study.busy_machine()
    axes.plot(study.ranks[~busy], y[~busy], marker, color=colour, markersize=SIZE)
    axes.plot(study.ranks[busy], y[busy], marker, color=colour, markersize=SIZE, markerfacecolor="white")


def _dress(left: Axes, middle: Axes, right: Axes, limits: tuple[float, float], ranks: list[int]) -> None:
    names = "seconds, T", "speedup, T(1)/T(n)", "serial fraction"
    for axes, name in zip((left, middle, right), names):
        layout.log_x_axis(axes, limits[0] / 1.08, limits[1])
        if len(ranks) <= MOST_TICKS:
            axes.xaxis.set_major_locator(FixedLocator(ranks))
            axes.xaxis.set_major_formatter(FixedFormatter([f"{n}" for n in ranks]))
        axes.set_ylabel(name)
        axes.spines["top"].set_visible(False)
    for axes in (left, middle):
        axes.set_yscale("log")
        layout.log_ticks(axes.yaxis, *axes.get_ylim())
    right.set_title("points: Karp and Flatt's; line: the fit's", fontsize=9)
    low, high = right.get_ylim()
    right.set_ylim(min(low, 0), max(high, 0.02))


def _legend(studies: list[Study]) -> list:
    made = []
    for i, study in enumerate(studies):
        look = {"marker": style.MARKERS[i % len(style.MARKERS)], "markersize": SIZE, **LAW}
        limit = f"at most {study.limit():.3g} times as fast" if np.isfinite(study.limit()) else "no limit"
        name = f"{study.name}: s/(s + p) = {study.fraction():.3g}, {limit}"
        made.append(layout.line_handle(style.LINES[i % len(style.LINES)], name, **look))
    made.append(layout.line_handle(style.QUIET_TEXT, "ideal: T(1)/n", **IDEAL))
    made.append(layout.line_handle(style.QUIET_TEXT, "limit of the speedup", **LIMIT))
    if any(study.busy_machine().any() for study in studies):
        hollow = {"linestyle": "none", "marker": "o", "markersize": SIZE, "markerfacecolor": "white"}
        made.append(layout.line_handle(style.QUIET_TEXT, "ranks had too little of a processor", **hollow))
    return made
