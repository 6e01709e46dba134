"""A sheet of panels on log axes: sizes, ticks, curves with quantile bands, the threshold, the legend below.

Nothing here knows which quantity is drawn.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from draw import style
from read.results import Curve, Dataset

BAND_LAYER = 1.2  # below every line
UPPER_TICKS = 18  # points, that the scale on top of a panel takes up
CORNER = 0.03  # of the y axis, at its top: a number there would touch the name of the scale above
MEAN_DASHES = (0, (3, 1.5))
THRESHOLD_DASHES = (0, (4, 3))
STEP_DOTS = (0, (1, 2))


@dataclass(frozen=True)
class Options:
    """What the command line may ask of every figure."""

    x: str = "ratio"  # P/N; or "n_train", N
    mean: bool = False
    sizes: tuple[int, ...] = ()  # N of the figures by mode and by steps; empty: before, at and after the threshold
    repeats: tuple[int, ...] = ()  # of the figures by mode; empty: all


@dataclass(frozen=True)
class Band:
    """A quantile band and its opacity."""

    low: float
    high: float
    opacity: float


@dataclass
class Sheet:
    """A figure with its panels in place, and the legend entries that `finish` will put below them."""

    figure: Figure
    panels: list[Axes]
    handles: list[Any] = field(default_factory=list)


@dataclass(frozen=True)
class Frame:
    """Lengths in inches around the panels. Fixed, so that figures of one study match and none needs a layout solver."""

    left: float = 1.12
    right: float = 0.2
    top: float = 0.88  # the figure's title, and the top row's titles and upper ticks
    bottom: float = 0.56  # the x label
    gap_x: float = 0.72
    gap_y: float = 0.85
    plain_top: float = 0.66  # at most, where no panel has ticks above it
    legend: float = 0.3  # with one row
    legend_row: float = 0.2  # for each further one
    colour_bar: float = 1.15


FRAME = Frame()


def sheet(n_panels: int, title: str, x_label: str, y_label: str, with_colour_bar: bool = False) -> Sheet:
    """Panels in rows as even as they get: 1, 2, 3, 2 + 2, 3 + 2, 3 + 3, 4 + 3, 4 + 4, ..."""
    square = math.ceil(math.sqrt(n_panels))
    columns = n_panels if n_panels <= 3 else min(square, square + 1, key=lambda c: -n_panels % c)
    rows = math.ceil(n_panels / columns)
    panel = style.SINGLE_PANEL if n_panels == 1 else style.PANEL
    figure, grid = _grid(rows, columns, panel, FRAME, FRAME.colour_bar if with_colour_bar else 0.0)
    for axes in grid[n_panels:]:
        axes.remove()
    _label(figure, title, x_label, y_label)
    return Sheet(figure, grid[:n_panels])


TABLE_FRAME = Frame(left=1.25, top=0.75, gap_y=0.4)


def table(n_rows: int, n_columns: int, title: str, x_label: str, frame: Frame = TABLE_FRAME) -> tuple[Sheet, list[list[Axes]]]:
    """Panels in rows and columns that mean something of their own."""
    figure, grid = _grid(n_rows, n_columns, style.TABLE_PANEL, frame, 0.0)
    _label(figure, title, x_label, "")
    return Sheet(figure, grid), [grid[i * n_columns : (i + 1) * n_columns] for i in range(n_rows)]


def finish(page: Sheet) -> Figure:
    """Adds a strip at the bottom for the legend, as wide as fits, where it can cover nothing; takes away at the top what
    no ticks need."""
    figure = page.figure
    _resize(figure, -_spare_at_the_top(figure), _add_legend(page))
    return figure


def _spare_at_the_top(figure: Figure) -> float:
    """Inches that no ticks need."""
    flat = [axes for axes in figure.axes if axes.name != "3d"]
    if not flat or any(axes.xaxis.get_ticks_position() == "top" for axes in flat):
        return 0.0
    top = figure.get_size_inches()[1] * (1 - max(axes.get_position().y1 for axes in flat))
    return max(top - FRAME.plain_top, 0.0)


def _add_legend(page: Sheet) -> float:
    """The height that it needs."""
    figure = page.figure
    if not page.handles:
        return 0.0
    renderer = figure.canvas.get_renderer()
    for rows in range(1, len(page.handles) + 1):
        columns = math.ceil(len(page.handles) / rows)
        legend = figure.legend(handles=page.handles, loc="lower center", ncol=columns)
        if legend.get_window_extent(renderer).width <= 0.97 * figure.bbox.width or columns == 1:
            break
        legend.remove()
    return FRAME.legend + FRAME.legend_row * (rows - 1)


def _grid(rows: int, columns: int, panel: tuple[float, float], frame: Frame, bar: float) -> tuple[Figure, list[Axes]]:
    inner_width = columns * panel[0] + (columns - 1) * frame.gap_x
    inner_height = rows * panel[1] + (rows - 1) * frame.gap_y
    width = frame.left + inner_width + frame.right + bar
    height = frame.top + inner_height + frame.bottom
    figure = plt.figure(figsize=(width, height))
    panels = []
    for i in range(rows * columns):
        x = frame.left + (i % columns) * (panel[0] + frame.gap_x)
        y = frame.bottom + (rows - 1 - i // columns) * (panel[1] + frame.gap_y)
        panels.append(figure.add_axes((x / width, y / height, panel[0] / width, panel[1] / height)))
    return figure, panels


TITLE_NAME = "title"  # by which it is known among a figure's texts


def _resize(figure: Figure, above: float, below: float) -> None:
    """Makes the figure taller at both ends, by inches; panels keep their size, the title its distance from the top."""
    width, height = figure.get_size_inches()
    whole = height + above + below
    figure.set_size_inches(width, whole)
    boxes = [(axes, axes.get_position(original=True)) for axes in figure.axes]  # setting one moves its twin as well
    for axes, box in boxes:
        axes.set_position((box.x0, (height * box.y0 + below) / whole, box.width, height / whole * box.height))
    for text in figure.texts:
        shift = below + (above if text.get_gid() == TITLE_NAME else 0.0)
        text.set_y((height * text.get_position()[1] + shift) / whole)


def _label(figure: Figure, title: str, x_label: str, y_label: str) -> None:
    """The title in the middle of the page; axis labels in that of the panels."""
    width, height = figure.get_size_inches()
    boxes = [axes.get_position() for axes in figure.axes]
    middle_x = (min(b.x0 for b in boxes) + max(b.x1 for b in boxes)) / 2
    low, high = min(b.y0 for b in boxes), max(b.y1 for b in boxes)
    add_title(figure, title)
    text = figure.text(middle_x, 0.08 / height, x_label, ha="center", va="bottom", fontsize=style.LABEL_SIZE)
    _shrink(text, 0.97 * width)
    upright = {"rotation": "vertical", "multialignment": "center"}
    text = figure.text(0.1 / width, (low + high) / 2, y_label, ha="left", va="center", fontsize=style.LABEL_SIZE, **upright)
    if text.get_window_extent().height > (high - low) * figure.bbox.height:
        text.set_text(y_label.replace(" (", "\n("))  # short axes, short lines


def add_title(figure: Figure, title: str) -> None:
    """In the middle of the page, as large as fits."""
    width, height = figure.get_size_inches()
    words = {"ha": "center", "va": "top", "fontsize": style.TITLE_SIZE, "gid": TITLE_NAME}
    _shrink(figure.text(0.5, 1 - 0.12 / height, title, **words), 0.97 * width)


def _shrink(text: Any, inches: float) -> None:
    """To that width at most."""
    wide = text.get_window_extent().width / text.figure.dpi
    text.set_fontsize(text.get_fontsize() * min(1.0, inches / max(wide, 1e-9)))


def title_above_ticks(axes: Axes, text: str) -> None:
    """The title of a panel with a second scale on top."""
    axes.set_title(text, pad=UPPER_TICKS)


def title_of(dataset: Dataset) -> str:
    """Its name, with its source where that is not the name."""
    return style.dataset_title(dataset.group, dataset.source)


def describe(dataset: Dataset, newline: bool = False) -> str:
    """Name, P, rank where it is lower, repeats; how many of them when not all are done."""
    text = dataset.size()
    if dataset.repeats:
        done = dataset.repeats_done()
        count = f"{dataset.repeats:,}" if done == dataset.repeats else f"{done:,} of {dataset.repeats:,}"
        text += f", {count} repeat" + ("" if dataset.repeats == 1 else "s")
    separator = "\n" if newline else ": "
    return f"{title_of(dataset)}{separator}{text}"


# ---- x axis -----------------------------------------------------------------------------------------------------


def x_label(options: Options, shown: Sequence[Dataset] = ()) -> str:
    """The label of the axis that all panels share."""
    ratio = style.RANK_RATIO_LABEL if any(d.has_low_rank() for d in shown) else style.RATIO_LABEL
    return ratio if options.x == "ratio" else style.N_LABEL


def directions(options: Options) -> str:
    """The first sentence of captions: which way the axis goes."""
    ends = ("many training rows", "few") if options.x == "ratio" else ("few training rows", "many")
    return f"Left: {ends[0]}; right: {ends[1]}. "


def x_values(dataset: Dataset, options: Options) -> np.ndarray:
    """The training sizes on the axis asked for."""
    return dataset.threshold / dataset.n_train if options.x == "ratio" else dataset.n_train


def threshold_in_view(dataset: Dataset) -> bool:
    """Whether the study comes near enough to the threshold to mark it; further off it would only waste the panel."""
    return dataset.n_train.min() / 4 <= dataset.threshold <= dataset.n_train.max() * 4


def x_axis(axes: Axes, dataset: Dataset, options: Options) -> None:
    """A log axis with the threshold marked, and the other way to say the same (N for P/N, P/N for N) on top."""
    x = x_values(dataset, options)
    low, high = float(np.min(x)), float(np.max(x))
    if threshold_in_view(dataset):
        threshold = 1.0 if options.x == "ratio" else float(dataset.threshold)
        low, high = min(low, threshold), max(high, threshold)
        threshold_line(axes, threshold)
    for step in dataset.scale_steps:
        at = dataset.threshold / step if options.x == "ratio" else float(step)
        if low < at < high:
            axes.axvline(at, color=style.THRESHOLD, linestyle=STEP_DOTS, linewidth=1.0, zorder=1.5)
    margin = max((high / low) ** 0.03, 1.4 if low == high else 1.0)
    low, high = low / margin, high * margin
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    log_ticks(axes.xaxis, low, high, whole=options.x == "n_train")
    _opposite_axis(axes, dataset, options)


def log_x_axis(axes: Axes, low: float, high: float, whole: bool = True) -> None:
    """A log axis of its own, of numbers that are whole or not."""
    low, high = style.log_limits(low, high)
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    log_ticks(axes.xaxis, low, high, whole)


def threshold_line(axes: Axes, at: float) -> None:
    """The threshold, upright."""
    axes.axvline(at, color=style.THRESHOLD, linestyle=THRESHOLD_DASHES, linewidth=1.0, zorder=1.5)


def _opposite_axis(axes: Axes, dataset: Dataset, options: Options) -> None:
    low, high = axes.get_xlim()
    limits = dataset.threshold / low, dataset.threshold / high
    top = upper_axis(axes, limits, "N" if options.x == "ratio" else "rank/N" if dataset.has_low_rank() else "P/N")
    log_ticks(top.xaxis, limits[1], limits[0], whole=options.x == "ratio")


def upper_axis(axes: Axes, limits: tuple[float, float], name: str) -> Axes:
    """Another log scale for the x axis, on top and quiet; its ticks are the caller's to set."""
    top = axes.twiny()
    top.set_xscale("log")
    top.set_xlim(*limits)
    top.grid(False)
    top.set_zorder(axes.get_zorder() - 1)  # behind, so that it hides no data
    axes.patch.set_visible(False)
    top.tick_params(labelsize=9, colors=style.TEXT, length=2.5, pad=1.5)
    words = {"ha": "right", "va": "bottom", "fontsize": 9.5, "color": style.TEXT}
    axes.annotate(f"{name} =", (0, 1), xycoords="axes fraction", xytext=(-6, 3), textcoords="offset points", **words)
    return top


def log_ticks(axis: Any, low: float, high: float, whole: bool = False, at_most: int = 8) -> None:
    """Round numbers on a log axis; whole ones alone where others mean nothing."""
    ticks = [t for t in style.decade_ticks(low, high, at_most) if not whole or abs(t - round(t)) < 1e-9 * t]
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_major_formatter(FixedFormatter(style.tick_texts(ticks)))
    axis.set_minor_locator(NullLocator())


# ---- y axis -----------------------------------------------------------------------------------------------------


def y_axis(axes: Axes, low: float, high: float) -> None:
    """A log axis; ticks at 1, 2, 5 too where it spans few decades."""
    low, high = style.log_limits(low, high)
    axes.set_yscale("log")
    axes.set_ylim(low, high)
    log_ticks(axes.yaxis, low, high ** (1 - CORNER) * low**CORNER)


# ---- curves -----------------------------------------------------------------------------------------------------


def curve(axes: Axes, x: np.ndarray, values: Curve, colour: Any, bands: Sequence[Band], **line: Any) -> None:
    """The median on its quantile bands (widest first). A point whose neighbours are missing stays visible."""
    alone = _isolated(values.median)
    for band in bands:
        edges = values.band(band.low, band.high)
        if edges is None:
            continue
        low, high = (_drawable(edge) for edge in edges)
        fill = {"color": colour, "alpha": band.opacity}
        axes.fill_between(x, low, high, linewidth=0, zorder=BAND_LAYER, **fill)
        axes.vlines(x[alone], low[alone], high[alone], linewidth=6, zorder=BAND_LAYER, **fill)
    axes.plot(x, _drawable(values.median), color=colour, **line)
    axes.plot(x[alone], _drawable(values.median)[alone], "o", color=colour, markersize=4)


def mean_line(axes: Axes, x: np.ndarray, values: Curve, colour: Any, **line: Any) -> None:
    """The mean as a thin dashed line, where the file has it."""
    if values.mean is None:
        return
    axes.plot(x, _drawable(values.mean), color=colour, linestyle=MEAN_DASHES, linewidth=1.0, **line)


def _drawable(values: np.ndarray) -> np.ndarray:
    """As a log axis can take them: zero far below any view."""
    return np.clip(values, *style.EXTREMES)


def _isolated(values: np.ndarray) -> np.ndarray:
    there = np.concatenate([[False], np.isfinite(values), [False]])
    return there[1:-1] & ~there[:-2] & ~there[2:]


def bottom_note(axes: Axes, text: str, at_left: bool, colour: Any) -> None:
    """A remark in the strip at a panel's bottom that views keep free."""
    x, side = (0.015, "left") if at_left else (0.985, "right")
    words = {"fontsize": 8.5, "color": colour, "va": "bottom"}
    words["bbox"] = {"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.85}
    axes.text(x, 0.02, text, transform=axes.transAxes, ha=side, **words)


def top_note(axes: Axes, text: str, at_left: bool = True) -> None:
    """A remark at a panel's top, for panels that have nothing there."""
    x, side = (0.015, "left") if at_left else (0.985, "right")
    axes.text(x, 0.975, text, transform=axes.transAxes, ha=side, va="top", fontsize=8.5, color=style.TEXT)


def share_left_of_threshold(axes: Axes, dataset: Dataset, options: Options) -> float:
    """How much of the panel's width lies left of the threshold, 0 to 1."""
    low, high = axes.get_xlim()
    threshold = 1.0 if options.x == "ratio" else dataset.threshold
    return min(max(math.log(threshold / low) / math.log(high / low), 0.0), 1.0)


# ---- legend -----------------------------------------------------------------------------------------------------


def line_handle(colour: Any, label: str, **line: Any) -> Line2D:
    """A legend entry for a line."""
    return Line2D([], [], color=colour, label=label, **line)


def band_handles(colour: Any, bands: Sequence[Band]) -> list[Patch]:
    """Legend entries for quantile bands, narrowest first, as dark as they look on the wider ones."""
    handles, strength = [], 0.0
    for band in bands:
        strength += band.opacity * (1 - strength)
        name = f"{100 * band.low:g}–{100 * band.high:g} % of repeats"
        handles.append(Patch(color=style.tint(colour, strength), linewidth=0, label=name))
    return handles[::-1]


def patch_handle(colour: Any, label: str) -> Patch:
    """A legend entry for an area."""
    return Patch(color=colour, linewidth=0, label=label)


def mean_handle() -> Line2D:
    """The legend entry of the lines that mean_line draws."""
    return line_handle(style.TEXT, "mean", linestyle=MEAN_DASHES, linewidth=1.0)


def step_handle() -> Line2D:
    return line_handle(style.THRESHOLD, "as many rows as features of the larger scales", linestyle=STEP_DOTS, linewidth=1.0)


def threshold_handle(colour: Any = style.THRESHOLD) -> Line2D:
    """The legend entry of the line that x_axis draws."""
    return line_handle(colour, style.THRESHOLD_LABEL, linestyle=THRESHOLD_DASHES, linewidth=1.0)


def colour_bar(page: Sheet, scale: style.ParameterScale, label: str) -> None:
    """One colour bar for all panels, one step per parameter."""
    bar = colour_bar_of(page, ScalarMappable(norm=scale.norm, cmap=scale.map), label)
    positions, labels = scale.ticks()
    bar.set_ticks(positions, labels=labels)
    bar.ax.tick_params(length=0)


def colour_bar_of(page: Sheet, mappable: ScalarMappable, label: str) -> Colorbar:
    """One colour bar for all panels, in the room that `sheet` left for it."""
    width, _ = page.figure.get_size_inches()
    boxes = [axes.get_position() for axes in page.panels]
    low, high = min(b.y0 for b in boxes), max(b.y1 for b in boxes)
    place = (max(b.x1 for b in boxes) + 0.25 / width, low, 0.2 / width, high - low)
    bar = page.figure.colorbar(mappable, cax=page.figure.add_axes(place), label=label)
    bar.ax.grid(False)
    bar.minorticks_off()
    bar.outline.set_linewidth(0.6)
    return bar
