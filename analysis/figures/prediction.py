"""What a table's second moments predict, over what was measured, and how far off that is."""

from __future__ import annotations

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from draw import layout, style, views
from draw.layout import Options
from draw.panels import BOTH_BANDS, Panel
from draw.row import Caption, Found, Row
from read import prediction
from read.prediction import Off
from read.results import Curve, Dataset, Notes

TITLE = "Predicted from second moments alone"
FRAME = layout.Frame(left=1.25)
LEAST_SHOWN = 1.25  # the axis of ratios reaches at least from its inverse to it
MOST_SHOWN = 100.0
GUIDES = (0.5, 2.0)
MOST_RIDGE = 3  # lines of ridge regression that are drawn


def rows(found: Found) -> list[Row]:
    """What this file draws."""
    return [Row("prediction", predictions, _caption, told=False)]


def _caption(datasets: list[Dataset], options: Options) -> Caption:
    shown = [(d, one) for d in datasets if (one := prediction.of_least_squares(d))]
    said = "; ".join(f"{layout.title_of(d)}: {_said(d, one)}" for d, one in shown)
    see = (
        "The dashed green line is made of the second moments of all rows, the best linear model and its residuals alone: no "
        "training set was drawn for it. It is the median of a typical training set, a heuristic: exact for normal rows and "
        "residuals where there are at least as many rows as features, and asymptotic otherwise. The panels below "
        "divide it by the measured median, and the predicted means of ridge regression by the measured ones; 1 is right. "
        f"Prediction over measured median: {said}."
    )
    alt = f"Measured median test error with the predicted one, and below their ratio. {said}."
    return Caption(TITLE, layout.directions(options) + see, alt)


def _said(dataset: Dataset, one: Off) -> str:
    low, high = one.span
    return f"{style.ratio(low)} to {style.ratio(high)}, furthest from 1 at N = {dataset.n_train[one.furthest]:.0f}"


def predictions(datasets: list[Dataset], options: Options, notes: Notes) -> Figure | None:
    """A column for each data set: the errors with what is predicted, and below how far off that is."""
    shown = [d for d in datasets if prediction.of_least_squares(d)]
    if not shown:
        return None
    lines = _ridge_lines(shown)
    page, grid = layout.table(2, len(shown), TITLE, layout.x_label(options, shown), FRAME)
    for dataset, above, below in zip(shown, *grid):
        _error_panel(Panel(above, dataset, options))
        _ratio_panel(below, dataset, options, lines)
    grid[0][0].set_ylabel(f"test {style.ERROR_LABEL}".replace(" (", "\n("))
    grid[1][0].set_ylabel("predicted over\nmeasured")
    page.handles = [
        layout.line_handle(style.TEST, "test error, median"),
        layout.line_handle(style.THEORY, "predicted median (heuristic)", **style.THEORY_LINE),
    ]
    if any(d.repeats != 1 for d in shown):
        page.handles += layout.band_handles(style.TEST, BOTH_BANDS)
    page.handles += [layout.line_handle(colour, label) for label, colour in lines.items()]
    page.handles.append(layout.threshold_handle())
    if any(d.scale_steps for d in shown):
        page.handles.append(layout.step_handle())
    return layout.finish(page)


def _error_panel(panel: Panel) -> None:
    dataset = panel.dataset
    variant = dataset.unablated()
    values = prediction.predicted(dataset, variant, "median")
    test = dataset.curve("test_mse", variant)
    panel.draw_null_lines()
    panel.draw(test, style.TEST, BOTH_BANDS)
    x = layout.x_values(dataset, panel.options)
    panel.axes.plot(x, values, color=style.THEORY, zorder=3, **style.THEORY_LINE)
    panel.dress(views.around(test, Curve(values, {}, None)))


def _ridge_lines(shown: list[Dataset]) -> dict[str, str]:
    """A colour for each variant of ridge regression: what a legend calls it."""
    labels = dict.fromkeys(_ridge_label(one) for d in shown for one in prediction.of_ridge(d)[:MOST_RIDGE])
    return dict(zip(labels, (style.TRAIN, style.POPULATION, style.LINES[4], style.LINES[5])))


def _ridge_label(one: Off) -> str:
    return f"ridge, λ = {style.number(one.variant.parameter)}: mean (asymptotic)"


def _ratio_panel(axes: Axes, dataset: Dataset, options: Options, lines: dict[str, str]) -> None:
    x = layout.x_values(dataset, options)
    ones = [(prediction.of_least_squares(dataset), style.THEORY)]
    ones += [(one, lines[_ridge_label(one)]) for one in prediction.of_ridge(dataset) if _ridge_label(one) in lines]
    axes.axhline(1, color=style.NULL, linewidth=0.8)
    for guide in GUIDES:
        axes.axhline(guide, color=style.NULL, linewidth=0.8, linestyle=(0, (1, 4)))
    for one, colour in reversed(ones):
        axes.plot(x, one.ratio, color=colour, marker="o", markersize=2.5, linewidth=1.2)
    most = max(one.factor for one, _ in ones)
    reach = min(max(most, LEAST_SHOWN), MOST_SHOWN) * math.sqrt(LEAST_SHOWN)
    layout.y_axis(axes, 1 / reach, reach)
    layout.x_axis(axes, dataset, options)
    axes.set_title("")
