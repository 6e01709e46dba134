"""What the run took: how evenly the ranks worked, and how fast the tasks of each data set went."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator

from draw import layout, style
from draw.row import Caption, Found, Row
from read import runs
from read.results import ResultsError

MOST_BARS = 64  # ranks; of more the histogram is drawn
FRAME = layout.Frame(left=0.9, top=0.9, gap_x=1.9, gap_y=0.9)

CAPTION = Caption(
    "What the run took",
    "How long each rank worked (imbalance: the busiest over the mean), and how fast each task went: predicted floating-point "
    "operations over its seconds. Small tasks are slower per flop than large ones.",
    "Busy seconds of each rank, and GFlop/s of each data set's tasks.",
)


def rows(found: Found) -> list[Row]:
    """Of studies with data sets."""
    return [Row("cost", lambda *_: cost(found.paths), CAPTION)] if found.datasets else []


def cost(paths: list[Path]) -> Figure | None:
    """A row per results file that has times: busy seconds by rank, and GFlop/s by data set, a dot per task."""
    found = [run for run in map(_read, paths) if run is not None]
    if not found:
        return None
    page, grid = layout.table(len(found), 2, "What the run took", "", FRAME)
    for (left, right), run in zip(grid, found):
        _ranks(left, run)
        _rates(right, run)
    return layout.finish(page)


def _read(path: Path) -> runs.Run | None:
    """None where the run found its work in the journal, and so has no times."""
    try:
        return runs.read(path)
    except ResultsError:
        return None


def _ranks(axes: Axes, run: runs.Run) -> None:
    busy = run.busy
    if busy.size == 0:
        axes.set_axis_off()
        return
    if busy.size <= MOST_BARS:
        axes.bar(np.arange(busy.size), busy, color=style.TEST, width=0.8)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8, min_n_ticks=1))
        axes.set_xlabel("rank")
        axes.set_ylabel("seconds busy")
    else:
        axes.hist(busy, bins=30, color=style.TEST)
        axes.set_xlabel("seconds busy")
        axes.set_ylabel("ranks")
    axes.set_title(f"{run.seconds:.3g} s on {run.ranks} rank{'' if run.ranks == 1 else 's'}, imbalance {run.imbalance:.2f}")


def _rates(axes: Axes, run: runs.Run) -> None:
    names = list(dict.fromkeys(task.dataset for task in run.tasks))
    for place, name in enumerate(names):
        rates = np.array([task.flops / task.seconds / 1e9 for task in run.tasks if task.dataset == name])
        spread = np.linspace(-0.25, 0.25, rates.size) if rates.size > 1 else np.zeros(1)
        axes.plot(rates, place + spread, ".", color=style.UNABLATED, markersize=2.5, rasterized=True)
        axes.plot(np.median(rates), place, "D", color=style.AT_THRESHOLD, markersize=6, markeredgecolor="white")
    axes.set_xscale("log")
    layout.log_ticks(axes.xaxis, *axes.get_xlim())
    axes.yaxis.set_major_locator(FixedLocator(range(len(names))))
    axes.yaxis.set_major_formatter(FixedFormatter([style.dataset_title(name) for name in names]))
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlabel("GFlop/s of a task")
    axes.set_title("one dot per task, in order; diamond: median")
