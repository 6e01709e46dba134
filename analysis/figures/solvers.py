"""How far other solvers of least squares are off, against the condition number: eps kappa, or its square."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from draw import layout, style
from draw.layout import Options
from draw.row import Caption, Found, Row
from read.results import Dataset, Notes, Variant

TITLE = "How far other solvers are off"
ABLATIONS = ("normal_equations", "svd")
PRECISIONS = {"float": float(np.finfo(np.float32).eps), "double": float(np.finfo(np.float64).eps)}
USUAL = {"normal_equations": "double", "svd": "float"}
FLOOR = PRECISIONS["double"] / 10  # where distances below are drawn
MOST_POINTS = 4000  # of a variant: more are a blot
LAWS = {1: {"linestyle": (0, (4, 3)), "linewidth": 1.0}, 2: {"linestyle": "-", "linewidth": 1.0}}

CAPTION = Caption(
    TITLE,
    "Distance of the solution from the one by singular values in double precision, over the length of that, against the "
    "condition number κ of the training rows; a point per training set. A decomposition is off by εκ, Cholesky of the normal "
    "equations by up to εκ², with the ε of its precision: near the threshold, where κ is large, that is all digits of a float.",
    "Distance against condition number on log axes: clouds of points about lines of slope 1 and 2.",
)


def rows(found: Found) -> list[Row]:
    """What this file draws."""
    return [Row("solvers", solvers, CAPTION, every=True, told=False)]


def solvers(datasets: list[Dataset], options: Options, notes: Notes) -> Figure | None:
    """A panel per dataset; a colour per solver and precision."""
    shown = [d for d in datasets if any(_points(d, v) is not None for v in _variants(d))]
    if not shown:
        return None
    x_label, y_label = "condition number κ = σ_max / σ_min", "distance from the solution (over its length)"
    page = layout.sheet(len(shown), TITLE, x_label, y_label)
    labels = list(dict.fromkeys(_label(v) for d in shown for v in _variants(d)))
    colours = {label: style.LINES[i % len(style.LINES)] for i, label in enumerate(labels)}
    for axes, dataset in zip(page.panels, shown):
        _panel(axes, dataset, colours)
    dot = {"marker": "o", "linestyle": "none", "markersize": 4}
    page.handles = [layout.line_handle(colour, label, **dot) for label, colour in colours.items()]
    page.handles += [layout.line_handle(style.QUIET_TEXT, f"ε κ{'²' * (power == 2)}", **look) for power, look in LAWS.items()]
    return layout.finish(page)


def _variants(dataset: Dataset) -> list[Variant]:
    return [variant for ablation in ABLATIONS for variant in dataset.of(ablation)]


def _precision(variant: Variant) -> str:
    return next((name for name in PRECISIONS if f"precision={name}" in variant.options), USUAL[variant.ablation])


def _label(variant: Variant) -> str:
    return f"{'SVD' if variant.ablation == 'svd' else 'normal equations'}, {_precision(variant)}"


def _points(dataset: Dataset, variant: Variant) -> tuple[np.ndarray, np.ndarray] | None:
    """Condition numbers and distances of all training sets that have both."""
    found = [dataset.cells("distance", variant), dataset.cells("sigma_max"), dataset.cells("sigma_min")]
    if any(values is None for values in found):
        return None
    distance, high, low = (np.asarray(values, float).ravel() for values in found)
    known = np.isfinite(distance) & np.isfinite(high) & (low > 0)
    if not known.any():
        return None
    every = -(-int(known.sum()) // MOST_POINTS)
    return (high[known] / low[known])[::every], np.maximum(distance[known], FLOOR)[::every]


def _panel(axes: Axes, dataset: Dataset, colours: dict[str, str]) -> None:
    drawn = {v: found for v in _variants(dataset) if (found := _points(dataset, v)) is not None}
    for variant, (kappa, distance) in drawn.items():
        axes.plot(kappa, distance, ".", color=colours[_label(variant)], markersize=2.5, alpha=0.5, zorder=2)
    low, high = min(k.min() for k, _ in drawn.values()), max(k.max() for k, _ in drawn.values())
    x = np.geomspace(max(low, 1) / 1.2, max(high, 1.1) * 1.2, 50)
    for precision in {_precision(variant) for variant in drawn}:
        for power, look in LAWS.items():
            axes.plot(x, PRECISIONS[precision] * x**power, color=style.QUIET_TEXT, zorder=3, **look)
    layout.log_x_axis(axes, x[0], x[-1], whole=False)
    layout.y_axis(axes, FLOOR / 2, 3 * max(d.max() for _, d in drawn.values()))
    axes.set_title(f"{layout.title_of(dataset)}: {dataset.size()}")
