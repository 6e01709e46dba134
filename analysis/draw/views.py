"""Which part of the error axis a panel shows: the same for a dataset in all figures that are to be compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from draw import style
from read.results import Curve, Dataset, Variant

ROUNDING = 1e-12  # of the dataset's scale: an error below it is zero but for rounding
OUTER_REACH = 1e3  # how far above the inner bands the view follows the outer ones
TRAIN_REACH = 1e2  # how far below the test errors it follows the train error
NOTE_STRIP = 0.1  # of the panel's height, kept free of curves at the bottom for a note
SAME_LEVEL = 0.02  # relative difference of two lines that are drawn as one
RUNAWAY = 1e12  # how far above the unablated fit's errors the view follows a fit that diverges


@dataclass(frozen=True)
class View:
    """Limits of a log axis, and the error below which a value is zero to rounding."""

    low: float
    high: float
    rounding: float


def null_levels(dataset: Dataset) -> list[float]:
    """What it costs to predict nothing, and to predict the mean; one of them where the two are as good as equal."""
    nothing, mean = dataset.null_mse, dataset.target_variance
    levels = [level for level in (nothing, mean) if level is not None and style.EXTREMES[0] < level < style.EXTREMES[1]]
    return levels[:1] if len(levels) == 2 and abs(levels[0] / levels[1] - 1) < SAME_LEVEL else levels


def spike(dataset: Dataset) -> View:
    """The view of the test errors of the unablated fit and of the paper's ablations that keep the residual errors.

    It does not depend on which figure asks, so that a spike that an ablation removes is seen to be gone.
    """
    inner, _, rounding = _test_errors(dataset, style.SPIKE_ABLATIONS)
    return _span(inner, [], rounding)


def comparable(dataset: Dataset) -> View:
    """The same with the train error and the fit without residual errors, which both go far down."""
    inner, outer, rounding = _test_errors(dataset, style.PAPER_ABLATIONS)
    unablated = dataset.unablated()
    train = dataset.curve("train_mse", unablated) if unablated else None
    if train is not None:
        floor = _above(inner, rounding).min(initial=np.inf) / TRAIN_REACH
        inner.append(np.maximum(train.median, floor)[train.median > rounding])
    return _span(inner, outer, rounding)


def beside_unablated(dataset: Dataset, ablation: str) -> View:
    """The view of one other ablation's test errors and the unablated fit's."""
    inner, _, rounding = _test_errors(dataset, (ablation,))
    view = _span(inner, [], rounding)
    if dataset.unablated() is None:
        return view
    highest = RUNAWAY * _span(*_test_errors(dataset, ())).high
    return View(view.low, min(view.high, highest), view.rounding)


def of_train(dataset: Dataset, ablation: str) -> View:
    """The view of the train errors of an ablation and of the unablated fit, as far down as they mean something."""
    variants = [v for name in ("none", ablation) for v in dataset.of(name)]
    curves = [c for v in variants if (c := dataset.curve("train_mse", v)) is not None]
    return _down_to_reach([c.median for c in curves], [], ROUNDING * _scale(dataset))


def of_bias(dataset: Dataset, bias: Curve, test: Curve | None) -> View:
    """The view of the bias, as far down as it means something, and of the test error."""
    return _down_to_reach([bias.median], _edges(test, style.INNER)[:1] if test else [], ROUNDING * _scale(dataset))


def _down_to_reach(deep: list[np.ndarray], others: list[np.ndarray], rounding: float) -> View:
    """Of values some of which fall to rounding: those are followed by TRAIN_REACH below the middle of the rest."""
    known = _above(deep, rounding)
    floor = np.median(known) / TRAIN_REACH if known.size else 0.0
    return _span([known[known >= floor], *others], [], rounding)


def _test_errors(dataset: Dataset, ablations: tuple[str, ...]) -> tuple[list[np.ndarray], list[np.ndarray], float]:
    """Inner edges of the unablated fit and of the ablations, outer ones of the unablated, and what counts as zero."""
    inner, outer = [], []
    for variant in (v for name in ("none", *ablations) for v in dataset.of(name)):
        errors = dataset.curve("test_mse", variant)
        inner += _edges(errors, style.INNER)
        outer += _edges(errors, style.OUTER) if variant.ablation == "none" else []
    inner.append(np.array(null_levels(dataset)))
    return inner, outer, ROUNDING * _scale(dataset)


def around(*curves: Curve, outer: bool = True) -> View:
    """The view of curves that need no comparison: medians and inner bands whole, the outer ones within reason."""
    core = _above([edge for c in curves for edge in _edges(c, style.INNER)], 0.0)
    if core.size == 0:
        return _span([], [], 0.0)
    low, high = core.min(), core.max()
    tails = _above([edge for c in curves for edge in _edges(c, style.OUTER)], 0.0)
    if outer and tails.size:
        low, high = max(tails.min(), low / OUTER_REACH), min(tails.max(), high * OUTER_REACH)
    margin = 10 ** (0.05 * max(style.decades(low, high), 0.18))
    return View(low / margin, high * margin, 0.0)


def sides(dataset: Dataset) -> tuple[str, str]:
    """The few and the many rows, the threshold itself included in both."""
    threshold = "rank" if dataset.has_low_rank() else "P"
    return f"N ≤ {threshold}", f"N ≥ {threshold}"


def zero_at(dataset: Dataset, curves: list[Curve], view: View) -> str | None:
    """Where some of the medians are zero to rounding, as a condition on N for a person; None when none is."""
    if not curves:
        return None
    medians = np.array([c.median for c in curves])
    zero, known = (medians <= view.rounding).any(axis=0), np.isfinite(medians).any(axis=0)  # NaN is not zero
    if not zero.any():
        return None
    few, many = sides(dataset)
    for side, name in ((dataset.n_train <= dataset.threshold, few), (dataset.n_train >= dataset.threshold, many)):
        if zero[side & known].all() and not zero[~side].any():
            return name
    first, last = int(dataset.n_train[zero].min()), int(dataset.n_train[zero].max())
    return f"N = {first}" if first == last else f"some N from {first} to {last}"


def _scale(dataset: Dataset) -> float:
    """The size of an error that means something: that of the smallest training set, which explains next to nothing.

    The target's own mean square is not in the file. A spike or an exact fit would not do as a scale.
    """
    variant: Variant | None = dataset.unablated() or next(iter(dataset.variants), None)
    errors = dataset.curve("test_mse", variant) if variant else None
    if errors is None:
        return 0.0
    known = np.flatnonzero(np.isfinite(errors.median))
    return float(errors.median[known[np.argmin(dataset.n_train[known])]])


def _edges(errors: Curve, quantiles: tuple[float, float]) -> list[np.ndarray]:
    return [errors.median, *(errors.band(*quantiles) or ())]


def _span(inner: list[np.ndarray], outer: list[np.ndarray], rounding: float) -> View:
    core = _above(inner, rounding)
    if core.size == 0:  # an exact fit everywhere, or nothing at all
        unit = max(rounding, 1e-30)
        return View(unit / 10, unit * 10, rounding)
    low, high = core.min(), core.max()
    tails = _above(outer, rounding)
    if tails.size:
        high = max(high, min(tails.max(), high * OUTER_REACH))
    decades = max(style.decades(low, high), 0.5)
    return View(low / 10 ** (decades * NOTE_STRIP + 0.05), high * 10 ** (decades * 0.04), rounding)


def _above(arrays: list[np.ndarray], floor: float) -> np.ndarray:
    values = np.concatenate(arrays) if arrays else np.array([])
    return np.minimum(values[values > max(floor, style.EXTREMES[0])], style.EXTREMES[1])  # NaN is not above anything
