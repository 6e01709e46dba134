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
from read.results import Notes, ResultsError

MOST_BARS = 64  # ranks; of more the histogram is drawn
LEAST_SECONDS = 1.0  # of work, all ranks together: of less the times say next to nothing
TICKS = 4  # on the axis of rates
FRAME = layout.Frame(left=0.9, top=0.9, gap_x=1.9, gap_y=0.9)

CAPTION = Caption(
    "What the run took",
    "Left: how long each rank worked, and in grey how long it had nothing to do until the last one ended (imbalance: the busiest "
    "over the mean). Right: how fast each task went, predicted floating-point operations over its seconds.",
    "Busy and idle seconds of each rank, and GFlop/s of each data set's tasks.",
)


def rows(found: Found) -> list[Row]:
    """Of studies with data sets."""
    return [Row("cost", lambda _d, _o, notes: cost(found.paths, notes), CAPTION, told=False)] if found.datasets else []


def cost(paths: list[Path], notes: Notes) -> Figure | None:
    """A row per results file that has times: busy seconds by rank, and GFlop/s by data set, a dot per task."""
    timed = [run for run in map(_read, paths) if run is not None]
    found = [run for run in timed if _work(run) >= LEAST_SECONDS]
    if timed and not found:
        notes.append(f"cost: not drawn, as the ranks worked for less than {LEAST_SECONDS:g} s in all")
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


def _work(run: runs.Run) -> float:
    """Seconds, of all ranks together."""
    return float(run.busy.sum()) if run.busy.size else run.seconds * run.ranks


def _ranks(axes: Axes, run: runs.Run) -> None:
    busy = run.busy
    if busy.size == 0:
        axes.set_axis_off()
        return
    if busy.size <= MOST_BARS:
        axes.bar(np.arange(busy.size), busy, color=style.TEST, width=0.8, label="busy")
        idle = np.maximum(run.seconds - busy, 0)
        axes.bar(np.arange(busy.size), idle, bottom=busy, color=style.NOTHING, width=0.8, label="idle")
        axes.set_ylim(0, 1.25 * max(run.seconds, busy.max()))  # room for the legend
        axes.legend(loc="upper right", ncol=2)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8, min_n_ticks=1))
        axes.set_xlabel("rank")
        axes.set_ylabel("seconds")
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
    layout.log_ticks(axes.xaxis, *axes.get_xlim(), at_most=TICKS)
    axes.yaxis.set_major_locator(FixedLocator(range(len(names))))
    axes.yaxis.set_major_formatter(FixedFormatter([style.dataset_title(name) for name in names]))
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlabel("GFlop/s of a task")
    axes.set_title("each task; diamond: median")
