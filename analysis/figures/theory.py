"""What is known exactly of independent standard normal features, over what was measured: the expected error with its bias
and its variance, and the smallest singular value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from draw import layout, style, views
from draw.layout import Options
from draw.row import Caption, Found, Row
from read import laws
from read.results import Curve, Dataset, Notes, Variant

SQUARES = layout.Band(*style.OUTER, 0.14), layout.Band(*style.INNER, 0.3)
WHISKERS = (0.05, 0.25, 0.5, 0.75, 0.95)
ERRORS_SHOWN = 2  # standard errors of a mean

THEORY_ERROR_CAPTION = Caption(
    "The expected error, exactly",
    "For independent standard normal features the expectation of the error is known at every N and P. Lines are that formula, "
    "dots the means over the repeats. Within one row of the threshold (grey) the error has no mean, so that there is nothing "
    "to draw. Within three rows it has a mean, but its variance is infinite (hollow dots): the mean of the repeats is then "
    "usually too small, as the rare repeats that make up for it are not among them.",
    "Exact expected error, bias and variance as lines against P/N, with measured means as dots on them.",
)
THEORY_SIGMA_MIN_CAPTION = Caption(
    "The smallest singular value, measured and known",
    "Of independent standard normal features. Dashed: where the spectrum begins in the limit of large N and P (Marchenko and "
    "Pastur). Black: the law at the threshold and next to it (Edelman), exact at N = P ± 1 and a limit that is close from P = "
    "10 on at N = P.",
    "Measured quantiles of the smallest singular value against P/N with the known law at three N and the limiting edge.",
)


def rows(found: Found) -> list[Row]:
    """What this file draws."""
    return [
        Row("theory_error", risk, THEORY_ERROR_CAPTION),
        Row("theory_sigma_min", smallest, THEORY_SIGMA_MIN_CAPTION),
    ]


# ---- expected error ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """A part of the expected error: exact and measured, arrays along n_train (NaN where there is none)."""

    name: str
    colour: str
    exact: np.ndarray
    mean: np.ndarray
    standard_error: np.ndarray


def risk(datasets: list[Dataset], options: Options, notes: Notes) -> Figure | None:
    """The exact expectation of the error, its bias and its variance, through the means of the repeats."""
    shown = [(d, parts) for d in datasets if (parts := expected_parts(d))]
    if not shown:
        return None
    title = "Expected error: exact formula and mean over repeats"
    page = layout.sheet(len(shown), title, layout.x_label(options, [d for d, _ in shown]), f"expected {style.ERROR_LABEL}")
    for axes, (dataset, parts) in zip(page.panels, shown):
        _risk_panel(axes, dataset, parts, options)
    for part in max((parts for _, parts in shown), key=len):
        page.handles.append(layout.line_handle(part.colour, f"{part.name}, exact"))
    dots = {"linestyle": "", "marker": "o", "markersize": 4}
    page.handles.append(layout.line_handle(style.TEXT, f"mean of repeats ± {ERRORS_SHOWN} standard errors", **dots))
    page.handles.append(layout.line_handle(style.TEXT, "mean, its variance infinite", markerfacecolor="white", **dots))
    page.handles.append(layout.patch_handle(style.NOTHING, "no mean exists"))
    page.handles.append(layout.threshold_handle())
    return layout.finish(page)


def expected_parts(dataset: Dataset) -> list[Part]:
    """The whole error; and where the study has the fit without residuals, which is the bias, both parts of it."""
    none, ideal = dataset.unablated(), next(iter(dataset.of("no_residuals")), None)
    whole = _part("whole error", style.TEST, dataset, none)
    if whole is None:
        return []
    bias = _part("bias", style.BIAS, dataset, ideal)
    if bias is None:
        return [whole]
    first, second = (dataset.cells("population_mse", v) for v in (none, ideal))
    if first is None or second is None:
        return [whole, bias]
    mean, error = _mean(first - second)
    return [whole, bias, Part("variance", style.FEW_ROWS, whole.exact - bias.exact, mean, error)]


def _part(name: str, colour: str, dataset: Dataset, variant: Variant | None) -> Part | None:
    """The mean of the population error, whose expectation is the same as the test error's and which varies less."""
    if variant is None:
        return None
    exact = dataset.reduced("theory_test_mse", variant)
    mean = dataset.reduced("population_mse_mean", variant)
    error = dataset.reduced("population_mse_standard_error", variant)
    return None if exact is None or mean is None or error is None else Part(name, colour, exact, mean, error)


def _mean(cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    count = np.maximum(np.isfinite(cells).sum(axis=1), 1)
    mean = np.nansum(cells, axis=1) / count
    squares = np.nansum((cells - mean[:, None]) ** 2, axis=1)
    return mean, np.sqrt(squares / np.maximum(count - 1, 1) / count)


def _risk_panel(axes: Axes, dataset: Dataset, parts: list[Part], options: Options) -> None:
    x, n = layout.x_values(dataset, options), dataset.n_train
    certain, some = laws.has_variance(n, dataset.n_features), laws.has_mean(n, dataset.n_features)
    view = views.around(*(Curve(part.exact, {}, None) for part in parts if part.name != "bias"))
    _mark_no_mean(axes, dataset, options)
    for part in reversed(parts):  # the whole last: nothing hides it
        floor = np.where(part.exact > 0, part.exact, np.nan)
        for side in (n <= dataset.n_features, n >= dataset.n_features):  # no line through what is infinite
            width = 1.4 if part is parts[0] else 3.2  # where the variance is all of it, both are seen
            axes.plot(x[side], floor[side], color=part.colour, linewidth=width)
        size = 3.2 if part is parts[0] else 5.4
        bars = {"color": part.colour, "fmt": "o", "markersize": size, "elinewidth": 0.9, "zorder": 3}
        here = certain & (part.mean > view.low)
        axes.errorbar(x[here], part.mean[here], ERRORS_SHOWN * part.standard_error[here], **bars)
        here = some & ~certain & (part.mean > view.low)
        axes.plot(x[here], part.mean[here], "o", markersize=size + 0.4, color=part.colour, markerfacecolor="white", zorder=3)
    layout.y_axis(axes, view.low, view.high)
    layout.x_axis(axes, dataset, options)
    layout.title_above_ticks(axes, layout.describe(dataset))


def _mark_no_mean(axes: Axes, dataset: Dataset, options: Options) -> None:
    """Half a row beyond the N that have none."""
    p, x = dataset.n_features, layout.x_values(dataset, options)
    beside = np.array([max(p - 1.5, 0.5), p + 1.5])
    low, high = sorted(p / beside if options.x == "ratio" else beside)
    if low < x.max() and high > x.min():
        axes.axvspan(low, high, color=style.NOTHING, linewidth=0, zorder=0.5)


# ---- the smallest singular value ----------------------------------------------------------------------------------


def smallest(datasets: list[Dataset], options: Options, notes: Notes) -> Figure | None:
    """Measured quantiles of sigma_min, exact ones next to the threshold, and the edge of the limiting spectrum."""
    curves = [(d, d.curve("sigma_min")) for d in datasets if d.is_isotropic()]
    shown = [(d, c) for d, c in curves if c is not None]
    if not shown:
        return None
    title = "Smallest non-zero singular value of normal features: measured and known"
    page = layout.sheet(len(shown), title, layout.x_label(options, [d for d, _ in shown]), style.SIGMA_LABEL)
    for axes, (dataset, values) in zip(page.panels, shown):
        _smallest_panel(axes, dataset, values, options)
    page.handles = [layout.line_handle(style.SIGMA, "measured (median)")]
    if any(d.repeats != 1 for d, _ in shown):
        page.handles += layout.band_handles(style.SIGMA, SQUARES)
    page.handles += [
        layout.line_handle(style.TRAIN, "edge of the limiting spectrum, |√N − √P|", linestyle=layout.MEAN_DASHES),
        layout.line_handle(style.THRESHOLD, "law at N = P − 1, P, P + 1: median, 25–75 %, 5–95 %", marker="D", markersize=4),
        layout.threshold_handle(),
    ]
    return layout.finish(page)


def _smallest_panel(axes: Axes, dataset: Dataset, values: Curve, options: Options) -> None:
    x = layout.x_values(dataset, options)
    layout.curve(axes, x, values, style.SIGMA, SQUARES if dataset.repeats != 1 else ())
    limit = laws.edge(dataset.n_train, dataset.n_features)
    axes.plot(x, np.where(limit > 0, limit, np.nan), color=style.TRAIN, linestyle=layout.MEAN_DASHES)
    for place, n in zip(x, dataset.n_train):
        law = laws.sigma_min_quantiles(int(n), dataset.n_features, np.array(WHISKERS))
        if law is not None:
            axes.plot([place, place], law[[0, -1]], color=style.THRESHOLD, linewidth=1.0, zorder=4)
            axes.plot([place, place], law[[1, -2]], color=style.THRESHOLD, linewidth=3.0, zorder=4)
            axes.plot(place, law[2], "D", color=style.THRESHOLD, markersize=4.5, markeredgecolor="white", zorder=5)
    view = views.around(values)
    layout.y_axis(axes, view.low, view.high)
    layout.x_axis(axes, dataset, options)
    layout.title_above_ticks(axes, layout.describe(dataset))
