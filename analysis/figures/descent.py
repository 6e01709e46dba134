"""Gradient descent from zero ends in the minimum-norm solution (the paper's Appendix A): how far off it is, by steps."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from draw import layout, style, views
from draw.layout import Options
from draw.row import Caption, Found, Row
from figures import factors
from read.results import QUANTILES, Curve, Dataset, Notes, Variant

BANDS = (layout.Band(*style.INNER, 0.18),)
ROUNDING = np.finfo(float).eps
NOTE_REACH = 1e-12  # a note below would cover lines that go further down
FLOOR = ROUNDING / 30  # where distances that are zero to the last bit are drawn
ABLATION = "gradient_descent"
PEAK = 1.1  # times the lower of its surroundings, for a median to count as one

TITLE = "Gradient descent from zero ends in the minimum-norm solution"


def _caption(datasets: list[Dataset], options: Options) -> Caption:
    see = (
        "Distance of the solution after t steps from the least-squares solution, for N < P the one of minimum norm, "
        "divided by the length of the latter. Each mode comes nearer by the factor 1 − ησ² per step, so that the last one takes "
        f"about (σ_max/σ_min)² steps (dotted).{_slowest(datasets)} Below the thin line both agree to rounding."
    )
    return Caption(TITLE, see, "Distance against the number of steps on log axes, one line for each of a few N.")


def _slowest(datasets: list[Dataset]) -> str:
    """A sentence: at which N the last mode takes longest."""
    said = []
    for dataset in datasets:
        ratios = [_squared_condition(dataset, i) or 0.0 for i in range(len(dataset.n_train))]
        if len(_steps(dataset)) > 1 and max(ratios) > 0:
            said.append(f"N = {dataset.n_train[int(np.argmax(ratios))]:.0f} of {layout.title_of(dataset)}")
    return f" That is longest at {', '.join(said)}." if said else ""


def rows(found: Found) -> list[Row]:
    """What this file draws."""
    return [Row("descent", descent, _caption), Row("descent_error", descent_error, _error_caption, told=False)]


def descent(datasets: list[Dataset], options: Options, notes: Notes) -> Figure | None:
    """A panel per dataset: distance against steps, a line per regime of N."""
    shown = [d for d in datasets if len(_steps(d)) > 1 and any(_curve(d, i) is not None for i in factors.regimes(d, options))]
    if not shown:
        return None
    y_label = "distance from the solution (over its length)"
    page = layout.sheet(len(shown), TITLE, "steps t of gradient descent", y_label)
    for axes, dataset in zip(page.panels, shown):
        _panel(axes, dataset, options)
    page.handles = factors.handles(list(dict.fromkeys(r for d in shown for r in factors.regimes(d, options).values())))
    if any(d.repeats != 1 for d in shown):
        page.handles += layout.band_handles(style.UNABLATED, BANDS)
    page.handles.append(
        layout.line_handle(style.QUIET_TEXT, r"$t = (\sigma_{\max}/\sigma_{\min})^2$, median", linestyle=":", linewidth=1.2)
    )
    page.handles.append(layout.line_handle(style.THRESHOLD, "rounding of double precision; below: equal", linewidth=0.8))
    return layout.finish(page)


def _steps(dataset: Dataset) -> list[Variant]:
    """The variants of the commonest rate; others would be another curve."""
    variants = dataset.of(ABLATION)
    kinds = [v.options for v in variants]
    return [v for v in variants if v.options == max(kinds, key=kinds.count)]


def _curve(dataset: Dataset, index: int, variable: str = "distance") -> Curve | None:
    """Against the steps, at one N."""
    found = [dataset.curve(variable, variant) for variant in _steps(dataset)]
    if any(curve is None for curve in found) or not np.isfinite([curve.median[index] for curve in found]).any():
        return None
    at = {q: np.array([curve.quantiles[q][index] if q in curve.quantiles else np.nan for curve in found]) for q in QUANTILES}
    return Curve(np.array([curve.median[index] for curve in found]), at, None)


def _panel(axes: Axes, dataset: Dataset, options: Options) -> None:
    steps = np.array([variant.parameter for variant in _steps(dataset)])
    lowest = 1.0
    for index, regime in factors.regimes(dataset, options).items():
        values = _curve(dataset, index)
        if values is None:
            continue
        raised = Curve(_raised(values.median), {q: _raised(v) for q, v in values.quantiles.items()}, None)
        lowest = min(lowest, np.nanmin(raised.quantiles[style.INNER[0]]))
        bands = BANDS if dataset.repeats != 1 else ()
        layout.curve(axes, steps, raised, regime.colour, bands, marker=regime.marker, markersize=3.5, linewidth=1.3)
    beyond = _mark_conditions(axes, dataset, steps.max(), options)
    if beyond and lowest > NOTE_REACH:
        text = r"$(\sigma_{\max}/\sigma_{\min})^2$ is beyond these steps:" + "\n" + ", ".join(beyond)
        layout.bottom_note(axes, text, True, style.TEXT)
    axes.axhline(ROUNDING, color=style.THRESHOLD, linewidth=0.8, zorder=1.5)
    layout.y_axis(axes, FLOOR / 2, 3)
    axes.set_xscale("log")
    axes.set_xlim(steps.min() / 1.3, steps.max() * 1.3)
    layout.log_ticks(axes.xaxis, *axes.get_xlim(), whole=True)
    sizes = ", ".join(f"{dataset.n_train[i]:.0f}" for i in sorted(factors.regimes(dataset, options)))
    axes.set_title(f"{layout.title_of(dataset)}: {dataset.size()}, N = {sizes}")


def _mark_conditions(axes: Axes, dataset: Dataset, last: float, options: Options) -> list[str]:
    """Where the slowest mode comes nearer; what is not in view, in words."""
    beyond = []
    for index, regime in sorted(factors.regimes(dataset, options).items()):
        ratio = _squared_condition(dataset, index)
        if ratio is None or ratio <= 1:
            continue
        if ratio <= last:
            axes.axvline(ratio, color=regime.colour, linestyle=":", linewidth=1.2)
        else:
            beyond.append(f"$10^{{{np.log10(ratio):.0f}}}$ at N = {dataset.n_train[index]:.0f}")
    return beyond


def _raised(values: np.ndarray) -> np.ndarray:
    return np.where(values < FLOOR, FLOOR, values)  # NaN stays


def _squared_condition(dataset: Dataset, index: int) -> float | None:
    """The number of steps in which the slowest mode comes nearer by a factor e, at step size 1 / sigma_max^2."""
    low, high = dataset.curve("sigma_min"), dataset.curve("sigma_max")
    if low is None or high is None or not low.median[index] > 0:
        return None
    return float((high.median[index] / low.median[index]) ** 2)


# ---- the error against steps --------------------------------------------------------------------------------------

ERROR_TITLE = "The test error step by step"


def _error_caption(datasets: list[Dataset], options: Options) -> Caption:
    said = [text for d in datasets if len(_steps(d)) > 1 for text in _turns(d, options)]
    turns = f" {'; '.join(said)}." if said else ""
    see = (
        "The test error after t steps of gradient descent from zero, at a few N. Modes of the larger scales are learned first: "
        "the error changes scale by scale. It may rise while one scale is learned, with what the next one says as noise, and "
        f"fall again when that is learned, too: double descent in time, of the same cause.{turns}"
    )
    return Caption(ERROR_TITLE, see, f"Median test error against the number of steps, one line for each of a few N.{turns}")


def _turns(dataset: Dataset, options: Options) -> list[str]:
    """Of each N that has a peak within the steps, where it is."""
    steps, said = [v.parameter for v in _steps(dataset)], []
    for index in sorted(factors.regimes(dataset, options)):
        curve = _curve(dataset, index, "test_mse")
        inside = np.arange(1, len(steps) - 1)
        peaks = [i for i in inside if curve is not None and _is_peak(curve.median, int(i))]
        if peaks:
            at = " and ".join(style.number(steps[i]) for i in peaks)
            said.append(f"at N = {dataset.n_train[index]:.0f} of {layout.title_of(dataset)} it has a peak after {at} steps")
    return said


def _is_peak(values: np.ndarray, i: int) -> bool:
    """Above both neighbours, and by a tenth above what is lowest on either side."""
    return bool(values[i] == max(values[i - 1 : i + 2]) and values[i] > PEAK * max(np.min(values[:i]), np.min(values[i:])))


def descent_error(datasets: list[Dataset], options: Options, notes: Notes) -> Figure | None:
    """A panel per dataset: test error against steps, a line per regime of N."""
    shown = [d for d in datasets if len(_steps(d)) > 1 and any(_curve(d, i, "test_mse") for i in factors.regimes(d, options))]
    if not shown:
        return None
    page = layout.sheet(len(shown), ERROR_TITLE, "steps t of gradient descent", f"test {style.ERROR_LABEL}")
    for axes, dataset in zip(page.panels, shown):
        _error_panel(axes, dataset, options)
    page.handles = factors.handles(list(dict.fromkeys(r for d in shown for r in factors.regimes(d, options).values())))
    if any(d.repeats != 1 for d in shown):
        page.handles += layout.band_handles(style.UNABLATED, BANDS)
    return layout.finish(page)


def _error_panel(axes: Axes, dataset: Dataset, options: Options) -> None:
    steps = np.array([variant.parameter for variant in _steps(dataset)])
    curves = []
    for index, regime in factors.regimes(dataset, options).items():
        values = _curve(dataset, index, "test_mse")
        if values is None:
            continue
        curves.append(values)
        bands = BANDS if dataset.repeats != 1 else ()
        layout.curve(axes, steps, values, regime.colour, bands, marker=regime.marker, markersize=3.5, linewidth=1.3)
    view = views.around(*curves)
    layout.y_axis(axes, view.low, view.high)
    layout.log_x_axis(axes, steps.min() / 1.3, steps.max() * 1.3)
    sizes = ", ".join(f"{dataset.n_train[i]:.0f}" for i in sorted(factors.regimes(dataset, options)))
    axes.set_title(f"{layout.title_of(dataset)}: {dataset.size()}, N = {sizes}")
