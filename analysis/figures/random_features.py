"""The test error as a surface over rows and features, measured and, where it is known, in theory.

A figure takes the datasets and gives a matplotlib figure, or None when the study has nothing for it.
"""

from __future__ import annotations

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from draw import layout, style
from draw.layout import Options
from draw.row import Caption, Found, Row
from figures.polynomial import THEORIES
from read.results import Dataset, Notes
from read.sweeps import FEW_P, Sweep, sweeps

ABOVE_MIDDLE = 30.0  # the colours end so many times above the median error: the peak is a matter of the repeats
FRAME = layout.Frame(left=1.0, top=0.9, gap_x=0.85, gap_y=0.9, colour_bar=1.2)

CAPTION = Caption(
    "Test error over rows and features",
    "Each cell is one number of rows and one of features; the dashed line is N = P, or the "
    "rank of the features where that is less. Colours end below the largest errors, which "
    "the arrow of the colour bar stands for. Theory, where it is known, stands beside what was measured.",
    "Heat map of the median test error over N and P, with the diagonal N = P marked.",
)


def rows(found: Found) -> list[Row]:
    """What this file draws."""
    return [Row("surface", surface, CAPTION, every=True, told=False)]


def surface(datasets: list[Dataset], options: Options, notes: Notes) -> Figure | None:
    """Median test error of the unablated fit over N and P: a ridge along the threshold."""
    shown = [(sweep, sweep.sizes()) for sweep in sweeps(datasets)]
    shown = [(sweep, sizes) for sweep, sizes in shown if len(sizes) >= FEW_P and _table(sweep, sizes) is not None]
    if not shown:
        return None
    panels = [panel for sweep, sizes in shown for panel in _panels(sweep, sizes)]
    page = layout.sheet(len(panels), "Test error over rows and features", style.N_LABEL, style.P_LABEL, True)
    norm = _norm([table for _, _, _, table in panels])
    for axes, (sweep, sizes, what, table) in zip(page.panels, panels):
        _panel(axes, sweep, np.array(sizes, dtype=float), table, norm)
        axes.set_title(f"{style.dataset_title(sweep.group)}: {what}")
    _colour_bar(page, norm)
    page.handles = [layout.threshold_handle()]
    return layout.finish(page)


def _panels(sweep: Sweep, sizes: list[int]) -> list[tuple[Sweep, list[int], str, np.ndarray]]:
    """What was measured, and beside it the theory that there is."""
    median = "median of the repeats" if sweep.datasets[0].repeats != 1 else "one repeat"
    found = [(sweep, sizes, median, _table(sweep, sizes))]
    for variable, name in THEORIES:
        values = [sweep.plain(variable, "none", n) for n in sizes]
        if any(v is not None for v in values):
            absent = np.full(len(sweep.datasets), np.nan)
            table = np.array([absent if v is None else v for v in values]).T
            at_threshold = sweep.n_features[:, None] == np.array(sizes)
            table[at_threshold & np.isnan(table)] = style.EXTREMES[1]  # the one place where theories diverge
            found.append((sweep, sizes, name, table))
    return found


def _table(sweep: Sweep, sizes: list[int]) -> np.ndarray | None:
    """Medians, [P, N]."""
    curves = [sweep.curve("test_mse", "none", n) for n in sizes]
    if all(c is None for c in curves):
        return None
    return np.array([np.full(len(sweep.datasets), np.nan) if c is None else c.median for c in curves]).T


def _norm(tables: list[np.ndarray]) -> LogNorm:
    values = np.concatenate([t[(t > 0) & (t < style.EXTREMES[1])] for t in tables])
    if values.size == 0:
        return LogNorm(0.1, 10)
    low, high = values.min(), min(values.max(), ABOVE_MIDDLE * np.median(values))
    return LogNorm(low, max(high, 1.5 * low))


def _edges(values: np.ndarray) -> np.ndarray:
    """Where cells around these values meet, halfway on a log axis."""
    logs = np.log(values)
    inner = (logs[1:] + logs[:-1]) / 2
    return np.exp([logs[0] - (inner[0] - logs[0]), *inner, logs[-1] + (logs[-1] - inner[-1])])


def _panel(axes: Axes, sweep: Sweep, n: np.ndarray, table: np.ndarray, norm: LogNorm) -> None:
    x, y = _edges(n), _edges(sweep.n_features)
    axes.set_yscale("log")
    layout.log_x_axis(axes, x[0], x[-1])
    axes.pcolormesh(x, y, table, norm=norm, cmap="viridis", rasterized=True)
    low, high = max(x[0], y[0]), min(x[-1], y[-1])
    dashes = {"color": "white", "linestyle": layout.THRESHOLD_DASHES, "linewidth": 1.0}
    if sweep.has_low_rank():
        axes.plot([d.threshold for d in sweep.datasets], sweep.n_features, **dashes)
    elif low < high:
        axes.plot([low, high], [low, high], **dashes)
    layout.y_axis(axes, y[0], y[-1])
    axes.grid(False)


def _colour_bar(page: layout.Sheet, norm: LogNorm) -> None:
    """One for all panels; an arrow where it ends below what there is."""
    width, _ = page.figure.get_size_inches()
    boxes = [axes.get_position() for axes in page.panels]
    low, high = min(b.y0 for b in boxes), max(b.y1 for b in boxes)
    place = page.figure.add_axes((max(b.x1 for b in boxes) + 0.25 / width, low, 0.2 / width, high - low))
    mappable = ScalarMappable(norm=norm, cmap=matplotlib.colormaps["viridis"])
    bar = page.figure.colorbar(mappable, cax=place, extend="max", label="test error (target units squared)")
    ticks = style.decade_ticks(norm.vmin, norm.vmax)
    bar.ax.yaxis.set_major_locator(FixedLocator(ticks))
    bar.ax.yaxis.set_major_formatter(FixedFormatter(style.tick_texts(ticks)))
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.ax.grid(False)
    bar.outline.set_linewidth(0.6)
