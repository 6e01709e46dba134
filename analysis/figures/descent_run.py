"""Gradient descent run on the training rows: its errors step by step beside the closed form, and the pace that the smallest
singular value sets.

A figure takes the datasets and gives a matplotlib figure, or None when the study has nothing for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from draw import layout, style
from draw.layout import Options
from draw.row import Caption, Found, Row
from read.results import Dataset, Notes, Variant

RUN, FILTER = "gradient_descent_run", "gradient_descent"
FEW_STEPS = 3  # recorded steps that make a curve
ROUNDING = 1e-12  # of the excess at the first recorded step: below it an excess is zero but for rounding

CAPTION = Caption(
    "Gradient descent, step by step",
    "Dots: gradient descent run on the training rows themselves; lines: the same in closed form. What is missing along a mode "
    "falls by 1 − ησ² per step, so that the train error ends by falling at the pace of the smallest one (dashed), slowest at "
    "the threshold; and there the test error rises for as long.",
    "Test error, and train error above its end, against steps on log axes: dots lie on the lines.",
)


def rows(found: Found) -> list[Row]:
    """What this file draws."""
    return [Row("descent_run", descent, CAPTION, every=True, told=False)]


@dataclass(frozen=True)
class Place:
    """One N of a dataset."""

    index: int
    n_train: int
    colour: str


def descent(datasets: list[Dataset], options: Options, notes: Notes) -> Figure | None:
    """Test error against steps, and how far the training error still is from its end."""
    shown = [d for d in datasets if len(_steps(d, RUN)) >= FEW_STEPS and d.unablated() is not None]
    if not shown:
        return None
    page, grid = layout.table(len(shown), 2, "Gradient descent on the training rows", "steps", _frame())
    for (left, right), dataset in zip(grid, shown):
        _panels(left, right, dataset)
    grid[0][0].set_title("test error (median)", fontsize=10)
    grid[0][1].set_title("train error above its end (median)", fontsize=10)
    page.handles = [
        layout.line_handle(style.TEXT, "run, at the steps recorded", marker="o", markersize=4, linestyle="none"),
        layout.line_handle(style.TEXT, "in closed form"),
        layout.line_handle(style.TEXT, r"pace $(1-\eta\sigma_{\min}^2)^{2t}$", linestyle=layout.THRESHOLD_DASHES, linewidth=1.0),
    ]
    colours = {place.n_train: place.colour for d in shown for place in _places(d)}
    page.handles += [layout.line_handle(colour, f"N = {n}", linewidth=3) for n, colour in sorted(colours.items())]
    return layout.finish(page)


def _frame() -> layout.Frame:
    return layout.Frame(left=1.25, top=0.75, gap_x=0.85, gap_y=0.45)


def _steps(dataset: Dataset, ablation: str) -> list[Variant]:
    """Variants from zero, by steps; of several rates the first."""
    found = [v for v in dataset.of(ablation) if "start=" not in v.options]
    return [v for v in found if v.options == found[0].options]


def _places(dataset: Dataset) -> list[Place]:
    """Few rows, the threshold, many rows."""
    n, t = dataset.n_train, dataset.threshold
    colours = (style.FEW_ROWS, style.AT_THRESHOLD, style.MANY_ROWS)
    wanted = [int(np.argmin(np.abs(np.log(n / (t * ratio))))) for ratio in (0.5, 1, 2)]
    chosen = dict(zip(wanted, colours))
    return [Place(index, int(n[index]), colour) for index, colour in chosen.items()]


def _panels(left: Axes, right: Axes, dataset: Dataset) -> None:
    run, closed = _steps(dataset, RUN), _steps(dataset, FILTER)
    errors, excesses = [], []
    for place in _places(dataset):
        errors.append(_draw(left, dataset, place, run, closed, _test_error))
        excesses.append(_draw(right, dataset, place, run, closed, _excess))
        _draw_pace(right, dataset, place, run)
    steps = [v.parameter for v in run]
    for axes, values in ((left, errors), (right, excesses)):
        layout.log_x_axis(axes, steps[0] / 1.3, steps[-1] * 1.3)
        low, high = _span(values)
        layout.y_axis(axes, low, high)
    left.set_ylabel(layout.describe(dataset, newline=True))


def _draw(axes: Axes, dataset: Dataset, place: Place, run: list[Variant], closed: list[Variant], of) -> np.ndarray:
    values = _above_rounding(np.array([of(dataset, v, place.index) for v in run]))
    axes.plot([v.parameter for v in run], values, "o", color=place.colour, markersize=4, zorder=3)
    if closed and closed[0].options == run[0].options:
        filtered = _above_rounding(np.array([of(dataset, v, place.index) for v in closed]))
        axes.plot([v.parameter for v in closed], filtered, color=place.colour, linewidth=1.4)
    return values


def _test_error(dataset: Dataset, variant: Variant, index: int) -> float:
    return float(dataset.curve("test_mse", variant).median[index])


def _excess(dataset: Dataset, variant: Variant, index: int) -> float:
    """Above the train error of least squares; repeat by repeat where the file has them."""
    end, now = (dataset.cells("train_mse", v) for v in (dataset.unablated(), variant))
    if end is not None and now is not None:
        return float(np.nanmedian(now[index] - end[index]))
    now, end = (dataset.curve("train_mse", v).median[index] for v in (variant, dataset.unablated()))
    return float(now - end)


def _above_rounding(values: np.ndarray) -> np.ndarray:
    """Errors down to where they stop to mean anything."""
    small = np.flatnonzero(~(values > ROUNDING * values[0]))
    kept = values.copy()
    kept[small[0] if small.size else len(values) :] = np.nan
    return kept


def _draw_pace(axes: Axes, dataset: Dataset, place: Place, run: list[Variant]) -> None:
    """The slope of the smallest mode alone, drawn through the last point that is not rounding."""
    low, high = dataset.curve("sigma_min"), dataset.curve("sigma_max")
    values = _above_rounding(np.array([_excess(dataset, v, place.index) for v in run]))
    known = np.flatnonzero(np.isfinite(values))
    if low is None or high is None or "relative=false" in run[0].options or known.size == 0:
        return
    rate = float((re.search(r"rate=(\S+)", run[0].options) or [None, 1])[1])
    pace = 1 - rate * (low.median[place.index] / high.median[place.index]) ** 2
    if not 0 < pace < 1:
        return
    last = run[known[-1]].parameter
    steps = np.geomspace(run[0].parameter, run[-1].parameter, 300)
    line = np.log(values[known[-1]]) + 2 * (steps - last) * np.log(pace)
    there = line < np.log(np.nanmax(values)) + 1
    axes.plot(steps[there], np.exp(line[there]), color=place.colour, linestyle=layout.THRESHOLD_DASHES, linewidth=1.0)


def _span(values: list[np.ndarray]) -> tuple[float, float]:
    known = np.concatenate(values)
    known = known[np.isfinite(known) & (known > 0)]
    if known.size == 0:
        return 0.1, 10
    low, high = max(known.min(), known.max() * 1e-16), known.max()
    margin = max(high / low, 2) ** 0.08
    return low / margin, high * margin
