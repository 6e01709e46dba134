"""The figure of what a study is predicted to take: seconds, efficiency, memory of a rank, and what the time goes into,
against the number of ranks."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from draw import layout, style
from read.predictions import Prediction

TITLE = "Predicted, not measured: what a study takes on more and more ranks"
FRAME = layout.Frame(left=0.85, top=0.95, gap_x=0.72, gap_y=0.62)
COLOURS = (*style.LINES, "#F0E442", style.UNABLATED)  # as many as there are bounds
LINE = {"color": style.QUIET_TEXT, "linewidth": 1.2, "zorder": 2}
IDEAL = {"linestyle": (0, (4, 3)), "linewidth": 0.9}
PAYS = {"linestyle": (0, (1, 1.4)), "linewidth": 1.5}
SIZE = 5.5
BELOW = 8  # times less than the least seconds, at most, down to where the ideal is drawn
EVERY = 2  # numbers of ranks from one text on the axis to the next
BAR = 0.84  # of the way from one number of ranks to the next, in powers of two
MEBIBYTE = 2.0**20


def predicted(studies: list[Prediction]) -> Figure:
    """A row of four panels per study, whose points have the colour of what most of the time goes into."""
    page, grid = layout.table(len(studies), 4, TITLE, "ranks", FRAME)
    looks = _looks(studies)
    for study, row in zip(studies, grid):
        _seconds(row[0], study, looks)
        _efficiency(row[1], study, looks)
        _memory(row[2], study, looks)
        _shares(row[3], study, looks)
        for axes in row:
            _rank_axis(axes, study)
        row[0].set_title(_says(study), loc="left", fontsize=9)
    page.handles = _legend(studies, looks)
    return layout.finish(page)


def _looks(studies: list[Prediction]) -> dict[str, str]:
    """A colour for each bound that any of the studies has, always the same one."""
    names = list(studies[0].points[0].shares)
    used = {name for study in studies for point in study.points for name in point.shares if _share(point, name) > 0.005}
    used |= {point.bound for study in studies for point in study.points}
    return {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(names) if name in used}


def _share(point, name: str) -> float:
    return point.shares.get(name, 0.0) / max(sum(point.shares.values()), 1e-300)


def _says(study: Prediction) -> str:
    cores = f"node{'' if study.cores == 1 else 's'} of {study.cores} core{'' if study.cores == 1 else 's'}"
    return f"{study.title}; {cores}; rates: {study.rates}"


# ---- panels -----------------------------------------------------------------------------------------------------


def _seconds(axes: Axes, study: Prediction, looks: dict[str, str]) -> None:
    x, y = np.array([p.ranks for p in study.points]), np.array([p.seconds for p in study.points])
    ideal = y[0] * x[0] / x
    axes.plot(x, ideal, color=style.QUIET_TEXT, **IDEAL)
    _points(axes, study, y, looks)
    layout.y_axis(axes, max(y.min() / BELOW, ideal.min()) / 1.4, y.max() * 1.4)
    axes.set_ylabel("seconds")


def _efficiency(axes: Axes, study: Prediction, looks: dict[str, str]) -> None:
    """Of the fewest ranks that hold the study it is 1."""
    y = np.array([p.efficiency for p in study.points])
    axes.axhline(1, color=style.QUIET_TEXT, **IDEAL)
    _points(axes, study, y, looks)
    axes.set_ylim(0, max(1.1, 1.05 * y.max()))
    axes.set_ylabel("efficiency")


def _memory(axes: Axes, study: Prediction, looks: dict[str, str]) -> None:
    y = np.array([p.memory for p in study.points]) / MEBIBYTE
    _points(axes, study, y, looks)
    layout.y_axis(axes, y.min() / 1.4, max(y.max() * 1.4, 3 * y.min()))
    axes.set_ylabel("memory per rank, MiB")


def _shares(axes: Axes, study: Prediction, looks: dict[str, str]) -> None:
    below = np.zeros(len(study.points))
    left = np.array([p.ranks * 2 ** (-BAR / 2) for p in study.points])
    width = np.array([p.ranks * 2 ** (BAR / 2) for p in study.points]) - left
    for name, colour in looks.items():
        height = np.array([_share(p, name) for p in study.points])
        axes.bar(left, height, width, below, align="edge", color=colour, linewidth=0)
        below += height
    axes.set_ylim(0, 1)
    axes.set_ylabel("share of the time")


def _points(axes: Axes, study: Prediction, y: np.ndarray, looks: dict[str, str]) -> None:
    x = [p.ranks for p in study.points]
    axes.plot(x, y, **LINE)
    axes.scatter(x, y, SIZE**2, [looks[p.bound] for p in study.points], zorder=3)


def _rank_axis(axes: Axes, study: Prediction) -> None:
    """With what holds no study grey, and a line up to which more ranks pay."""
    every = sorted([*study.too_few, *(p.ranks for p in study.points)])
    fewest = study.points[0].ranks
    axes.set_xscale("log", base=2)
    axes.set_xlim(every[0] / 1.4, every[-1] * 1.4)
    if every[0] < fewest:
        axes.axvspan(every[0] / 1.4, fewest / 2**0.5, color=style.NOTHING, linewidth=0, zorder=0.5)
    axes.axvline(study.pays, color=style.TEXT, **PAYS)
    axes.xaxis.set_major_locator(FixedLocator(every[::EVERY]))
    axes.xaxis.set_major_formatter(FixedFormatter([f"{ranks}" for ranks in every[::EVERY]]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.tick_params(axis="x", labelsize=8)
    axes.spines["top"].set_visible(False)


def _legend(studies: list[Prediction], looks: dict[str, str]) -> list:
    dot = {"linestyle": "none", "marker": "o", "markersize": SIZE}
    made = [layout.patch_handle(colour, name) for name, colour in looks.items()]
    made.append(layout.line_handle(style.QUIET_TEXT, "in the colour of what takes most", **dot))
    made.append(layout.line_handle(style.QUIET_TEXT, "ideal", **IDEAL))
    made.append(layout.line_handle(style.TEXT, "up to here more ranks pay", **PAYS))
    if any(study.too_few and study.too_few[0] < study.points[0].ranks for study in studies):
        made.append(layout.patch_handle(style.NOTHING, "too few ranks to hold the study"))
    return made
