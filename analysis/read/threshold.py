"""What stands at the threshold N = P, in numbers for sentences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from read.results import Dataset, Variant

NEAR = 0.02  # of P: how far the nearest N may be to stand for it


@dataclass(frozen=True)
class Peak:
    """The largest median test error of the unablated fit from P/2 to 2 P, and the quartiles there."""

    n_train: int
    low: float
    high: float


def peak(dataset: Dataset) -> Peak | None:
    """None where there are no two N to choose from."""
    variant, n, p = dataset.unablated(), dataset.n_train, dataset.n_features
    if variant is None:
        return None
    curve = dataset.curve("test_mse", variant)
    near = np.where((n >= p / 2) & (n <= 2 * p), curve.median, np.nan)
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
    """Index of the N that stands for P: the file's own, else the nearest; None where the study has none so near."""
    told = dataset.threshold_index()
    if told is not None:
        return told
    nearest = int(np.argmin(np.abs(dataset.n_train - dataset.n_features)))
    return nearest if abs(dataset.n_train[nearest] - dataset.n_features) <= NEAR * dataset.n_features else None


def over_unablated(dataset: Dataset, variant: Variant, variable: str = "test_mse") -> float | None:
    """The variant's median error there, over that of the unablated fit."""
    index, none = place(dataset), dataset.unablated()
    curve, behind = dataset.curve(variable, variant), dataset.curve(variable, none) if none else None
    if index is None or curve is None or behind is None or not behind.median[index] > 0:
        return None
    ratio = float(curve.median[index] / behind.median[index])
    return ratio if np.isfinite(ratio) else None
