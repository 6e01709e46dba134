"""What stands at the threshold, N = P or the rank of the features, in numbers for sentences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from read.results import Dataset, Variant

ZERO_PART = 1e-18  # of what predicting nothing costs: at most so much, an error is zero but for rounding
NEAR = 0.02  # of the threshold: how far the nearest N may be to stand for it


@dataclass(frozen=True)
class Peak:
    """The largest median test error of the unablated fit from half of the threshold to twice it, and the quartiles there."""

    n_train: int
    low: float
    high: float


def words(datasets: list[Dataset]) -> str:
    """Where the threshold of all of them is: N = P, the rank or, where they differ, the threshold."""
    low = {dataset.has_low_rank() for dataset in datasets}
    return "the threshold" if len(low) > 1 else "the rank" if True in low else "N = P"


def place_words(dataset: Dataset) -> str:
    """Where the threshold is: N = P, or N = 36, the rank."""
    return f"N = {dataset.threshold}, the rank" if dataset.has_low_rank() else "N = P"


def is_zero(dataset: Dataset, error: float) -> bool:
    """Whether a mean squared error is zero but for rounding, as `ridgeless show` takes it."""
    return not error > ZERO_PART * (dataset.null_mse or 0.0)


def peak(dataset: Dataset) -> Peak | None:
    """None where there are no two N to choose from."""
    variant, n, t = dataset.unablated(), dataset.n_train, dataset.threshold
    if variant is None:
        return None
    curve = dataset.curve("test_mse", variant)
    near = np.where((n >= t / 2) & (n <= 2 * t), curve.median, np.nan)
    if np.isfinite(near).sum() < 2:
        return None
    at = int(np.nanargmax(near))
    low, high = curve.band(0.25, 0.75) or (near, near)
    return Peak(int(n[at]), float(low[at]), float(high[at]))


def smallest(dataset: Dataset, variable: str) -> int | None:
    """The N at which the median is least."""
    curve = dataset.curve(variable)
    return None if curve is None else int(dataset.n_train[np.nanargmin(curve.median)])


def place(dataset: Dataset) -> int | None:
    """Index of the N that stands for the threshold: the file's own, else the nearest; None where the study has none so near."""
    told = dataset.threshold_index()
    if told is not None:
        return told
    distance = np.abs(dataset.n_train - dataset.threshold)
    nearest = int(np.argmin(distance))
    return nearest if distance[nearest] <= NEAR * dataset.threshold else None


def over_unablated(dataset: Dataset, variant: Variant, variable: str = "test_mse") -> float | None:
    """The variant's median error there, over that of the unablated fit: 0 where it is, None where that one is."""
    index, none = place(dataset), dataset.unablated()
    curve, behind = dataset.curve(variable, variant), dataset.curve(variable, none) if none else None
    if index is None or curve is None or behind is None or is_zero(dataset, behind.median[index]):
        return None
    ratio = float(curve.median[index] / behind.median[index])
    if not np.isfinite(ratio):
        return None
    return 0.0 if is_zero(dataset, curve.median[index]) else ratio
