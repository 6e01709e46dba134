"""The figures of a sweep over the number of features: the error against P, and fitted curves under, at and over the threshold.

A figure takes the datasets and gives a matplotlib figure, or None when the study has nothing for it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from draw import layout, style, views
from draw.layout import Band, Options
from draw.row import Caption, Found, Row
from read.results import Curve, Dataset, Notes, Predictions
from read.sweeps import Sweep, sweeps

BANDS = (Band(*style.OUTER, 0.14), Band(*style.INNER, 0.3))
CHOSEN_RATIOS = (0.35, 1, 2, 14)  # P / N of fitted curves, as near as the study has them
THEORIES = (  # what a legend calls them: neither passes for the other
    ("theory_test_mse", "exact expectation"),
    ("theory_features_test_mse", "theory at this size (asymptotic), mean"),
    ("theory_asymptotic_test_mse", "limit of many inputs, mean"),
)
LIMIT_LINE = {"linestyle": (0, (1, 2)), "linewidth": 1.4}

ABLATIONS_AGAINST_FEATURES_CAPTION = Caption(
    "Ablations against the number of features",
    "The thick grey line is the unablated fit; each other line takes something away from it, or adds a penalty. Without residual "
    "errors bias alone is left, and that only where there are more features than rows.",
    "Test error against the number of features, one line per ablation, with the unablated fit behind.",
)
FITTED_CURVES_CAPTION = Caption(
    "Fitted curves under, at and over the threshold",
    "The same target fitted with few features, with as many as rows, and with more. At the threshold there is one curve "
    "through the rows, whatever it does between them; beyond there are many, and the shortest is a tame one. Each panel has "
    "rows of its own.",
    "Target, training rows and fitted curve in panels of growing numbers of features; the curve at P = N leaves its panel "
    "between the rows.",
)


def rows(found: Found) -> list[Row]:
    """What this file draws."""
    return [
        Row("error_against_features", error, _error_caption, every=True, told=False),
        Row("ablations_against_features", ablations, ABLATIONS_AGAINST_FEATURES_CAPTION, every=True, told=False),
        Row("fitted_curves", fitted_curves, FITTED_CURVES_CAPTION, every=True, told=False),
    ]


def _error_caption(datasets: list[Dataset], options: Options) -> Caption:
    said = []
    for sweep in sweeps(datasets):
        n = sweep.middle_size()
        test = sweep.curve("test_mse", "none", n) if n is not None else None
        if test is not None:
            largest = sweep.n_features[int(np.nanargmax(test.median))]
            said.append(f"P = {largest} ({style.dataset_title(sweep.group)}, N = {n})")
    peak = f" The test error is largest at {', '.join(said)}." if said else ""
    see = (
        "Here the number of training rows N stays and the number of features P grows. Up to P = N, the dashed line, least "
        "squares has one solution; beyond, of all fits that go through the rows the shortest is taken. A dashed green line is "
        f"theory: exact where it says so, else a limit that finite sizes come near to; dotted, that of many inputs.{peak}"
    )
    alt = f"Median test and train error against the number of features on log axes.{peak}"
    return Caption("Test and train error against the number of features", see, alt)


# ---- error against P ----------------------------------------------------------------------------------------------


def error(datasets: list[Dataset], options: Options, notes: Notes) -> Figure | None:
    """Test and train error of the unablated fit against the number of features, at a fixed number of rows."""
    shown = [(s, s.middle_size()) for s in sweeps(datasets)]
    shown = [(s, n) for s, n in shown if n is not None and s.curve("test_mse", "none", n) is not None]
    if not shown:
        return None
    page = layout.sheet(len(shown), "Error against the number of features", style.P_LABEL, style.ERROR_LABEL)
    for axes, (sweep, n) in zip(page.panels, shown):
        _error_panel(axes, sweep, n)
    many = any(d.repeats != 1 for s, _ in shown for d in s.datasets)
    median = " (median)" if many else ""
    page.handles = [
        layout.line_handle(style.TEST, f"test error{median}"),
        layout.line_handle(style.TRAIN, f"train error{median}"),
    ]
    for variable, name in THEORIES:
        if any(s.plain(variable, "none", n) is not None for s, n in shown):
            page.handles.append(layout.line_handle(style.THEORY, name, **_theory_line(variable)))
    page.handles += layout.band_handles(style.UNABLATED, BANDS) if many else []
    page.handles.append(layout.threshold_handle())
    return layout.finish(page)


def _error_panel(axes: Axes, sweep: Sweep, n: int) -> None:
    p = sweep.n_features
    test, train = sweep.curve("test_mse", "none", n), sweep.curve("train_mse", "none", n)
    bands = BANDS if any(d.repeats != 1 for d in sweep.datasets) else ()
    if train is not None:
        layout.curve(axes, p, train, style.TRAIN, bands)
    layout.curve(axes, p, test, style.TEST, bands)
    for variable, _ in THEORIES:
        values = sweep.plain(variable, "none", n)
        if values is not None:
            axes.plot(p, values, color=style.THEORY, zorder=3, **_theory_line(variable))
    low, high = _view(test, train)
    layout.y_axis(axes, low, high)
    _feature_axis(axes, sweep, n)
    if train is not None and (train.median < low).any():
        layout.bottom_note(axes, "train error zero to rounding", False, style.TRAIN)


def _theory_line(variable: str) -> dict[str, Any]:
    return LIMIT_LINE if "asymptotic" in variable else style.THEORY_LINE


def _feature_axis(axes: Axes, sweep: Sweep, n: int) -> None:
    """P from left to right with the threshold, and the panel's title."""
    p, threshold = sweep.n_features, sweep.threshold(n)
    marked = [p[0], p[-1]] if threshold is None else [p[0], p[-1], threshold]
    margin = (max(marked) / min(marked)) ** 0.03
    layout.log_x_axis(axes, min(marked) / margin, max(marked) * margin)
    if threshold is not None:
        layout.threshold_line(axes, threshold)
    repeats = sweep.datasets[0].repeats
    said = f", {repeats} repeat" + ("" if repeats == 1 else "s") if repeats else ""
    axes.set_title(f"{style.dataset_title(sweep.group)} (N = {n}{said})")


def _view(test: Curve, train: Curve | None) -> tuple[float, float]:
    """The test errors whole, within reason; the train error as far down as it means something."""
    view = views.around(test)
    if train is None:
        return view.low, view.high
    means = train.median[train.median > _rounding(test.median)]
    low = min(view.low, max(np.min(means, initial=np.inf), view.low / views.TRAIN_REACH))
    decades = np.log10(view.high / low)
    return low / 10 ** (decades * views.NOTE_STRIP), view.high


def _rounding(medians: np.ndarray) -> float:
    """What is zero to rounding beside the error of the fewest features, which means something."""
    known = medians[np.isfinite(medians)]
    return views.ROUNDING * float(known[0]) if known.size else 0.0


# ---- ablations against P ------------------------------------------------------------------------------------------


def ablations(datasets: list[Dataset], options: Options, notes: Notes) -> Figure | None:
    """Test error of the other variants against the number of features, with the unablated curve behind."""
    shown = [(s, s.middle_size()) for s in sweeps(datasets)]
    shown = [(s, n) for s, n in shown if n is not None and _others(s)]
    if not shown:
        return None
    y_label = f"test {style.ERROR_LABEL}"
    page = layout.sheet(len(shown), "Ablations against the number of features", style.P_LABEL, y_label)
    labels = list(dict.fromkeys(label for sweep, _ in shown for label in _others(sweep)))
    lines = {label: style.LINES[i % len(style.LINES)] for i, label in enumerate(labels)}
    for axes, (sweep, n) in zip(page.panels, shown):
        _ablations_panel(axes, sweep, n, lines)
    page.handles = [layout.line_handle(style.UNABLATED, "unablated", linewidth=3)]
    page.handles += [layout.line_handle(colour, label) for label, colour in lines.items()]
    page.handles.append(layout.threshold_handle())
    return layout.finish(page)


def _others(sweep: Sweep) -> list[str]:
    """Labels of what is not the unablated fit, as many as colours tell apart."""
    labels = [v.label for v in sweep.datasets[-1].variants if v.ablation != "none"]
    return labels[: len(style.LINES)]


def _ablations_panel(axes: Axes, sweep: Sweep, n: int, lines: dict[str, str]) -> None:
    behind = sweep.curve("test_mse", "none", n)
    curves = {label: sweep.labelled("test_mse", label, n) for label in _others(sweep)}
    if behind is not None:
        layout.curve(axes, sweep.n_features, behind, style.UNABLATED, (), linewidth=3)
    for label, values in curves.items():
        if values is not None:
            layout.curve(axes, sweep.n_features, values, lines[label], ())
    medians = np.concatenate([c.median for c in (behind, *curves.values()) if c is not None])
    floor = _rounding(medians)
    known = medians[np.isfinite(medians) & (medians > floor)]
    low, high = (known.min(), known.max()) if known.size else (0.1, 10)
    strip = max(high / low, 1.5) ** views.NOTE_STRIP
    layout.y_axis(axes, low / strip, high * max(high / low, 1.5) ** 0.05)
    _feature_axis(axes, sweep, n)
    if any(c is not None and (c.median <= floor).any() for c in curves.values()):
        layout.bottom_note(axes, "some zero to rounding", True, style.TEXT)


# ---- fitted curves ------------------------------------------------------------------------------------------------


def fitted_curves(datasets: list[Dataset], options: Options, notes: Notes) -> Figure | None:
    """What the unablated fit of the first repeat says between its rows: under, at and over the threshold."""
    rows = [(s, _chosen(s)) for s in sweeps(datasets)]
    rows = [(s, chosen) for s, chosen in rows if len(chosen) >= 2]
    if not rows:
        return None
    most = max(len(chosen) for _, chosen in rows)
    page, grid = layout.table(len(rows), most, "Fitted curves under, at and over the threshold", "input")
    for axes_row, (sweep, chosen) in zip(grid, rows):
        limits = _limits([said for _, _, said in chosen])
        for axes, (p, n, said) in zip(axes_row, chosen):
            _curve_panel(axes, said, limits)
            axes.set_title(f"P = {p}" + (" = N" if p == n else f", N = {n}"))
        for axes in axes_row[len(chosen) :]:
            axes.remove()
        axes_row[0].set_ylabel(style.dataset_title(sweep.group))
    page.handles = [
        layout.line_handle(style.UNABLATED, "target", linewidth=3),
        layout.line_handle(style.TEST, "fit of the first repeat"),
        layout.line_handle(style.THRESHOLD, "training rows", marker="o", markersize=4, linestyle="none"),
    ]
    return layout.finish(page)


def _chosen(sweep: Sweep) -> list[tuple[int, int, Predictions]]:
    """P, N and predictions: under the threshold, at it, over it and far over."""
    n = sweep.middle_size()
    if n is None:
        return []
    found: list[tuple[int, int, Predictions]] = []
    p = sweep.n_features
    wanted = sorted({int(p[np.argmin(np.abs(np.log(p / (n * ratio))))]) for ratio in CHOSEN_RATIOS})
    for dataset in sweep.datasets:
        variant, index = dataset.unablated(), np.flatnonzero(dataset.n_train == n)
        if dataset.n_features not in wanted or variant is None or not index.size:
            continue
        said = dataset.predictions(variant, int(index[0]))
        if said is not None:
            found.append((dataset.n_features, n, said))
    return found


def _limits(said: list[Predictions]) -> tuple[float, float]:
    """The target's range and half of it beyond: a fit that runs away leaves the panel."""
    known = np.concatenate([s.target[np.abs(s.target) <= style.LINEAR] for s in said])
    low, high = (known.min(), known.max()) if known.size else (0.0, 0.0)
    reach = 0.5 * max(high - low, 1e-12)
    return low - reach, high + reach


def _curve_panel(axes: Axes, said: Predictions, limits: tuple[float, float]) -> None:
    axes.plot(said.point, said.target, color=style.UNABLATED, linewidth=3)
    axes.plot(said.point, np.clip(said.prediction, *(10 * np.array(limits))), color=style.TEST, linewidth=1.3)
    axes.plot(said.training_input, said.training_target, "o", color=style.THRESHOLD, markersize=4, zorder=3)
    axes.set_ylim(*limits)
    axes.set_xlim(said.point.min(), said.point.max())
