"""How far off the predictions are that are made of a table's second moments alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from read.results import Dataset, Variant

MEAN, MEDIAN = "theory_table_test_mse", "theory_table_test_mse_median"


@dataclass(frozen=True)
class Off:
    """A prediction over what was measured, [n_train], NaN where either is absent."""

    variant: Variant
    what: str  # mean or median
    ratio: np.ndarray

    @property
    def span(self) -> tuple[float, float]:
        """The smallest and the largest ratio."""
        return float(np.nanmin(self.ratio)), float(np.nanmax(self.ratio))

    @property
    def furthest(self) -> int:
        """The index in n_train where it is furthest off."""
        return int(np.nanargmax(np.abs(np.log(self.ratio))))

    @property
    def factor(self) -> float:
        """By which it is off there, above 1 whichever way."""
        ratio = float(self.ratio[self.furthest])
        return max(ratio, 1 / ratio)


def predicted(dataset: Dataset, variant: Variant, what: str) -> np.ndarray | None:
    """The predicted mean or median, [n_train]; infinite means are absent."""
    values = dataset.reduced(MEAN if what == "mean" else MEDIAN, variant)
    return None if values is None else np.where(np.isfinite(values) & (values > 0), values, np.nan)


def off(dataset: Dataset, variant: Variant, what: str) -> Off | None:
    """Of a variant; None where there is nothing to compare."""
    values, curve = predicted(dataset, variant, what), dataset.curve("test_mse", variant)
    measured = None if curve is None else curve.mean if what == "mean" else curve.median
    if values is None or measured is None:
        return None
    ratio = values / np.where(measured > 0, measured, np.nan)
    return Off(variant, what, ratio) if np.isfinite(ratio).any() else None


def of_least_squares(dataset: Dataset) -> Off | None:
    """The median of the unablated fit: near the threshold it has no mean."""
    variant = dataset.unablated()
    return off(dataset, variant, "median") if variant is not None else None


def of_ridge(dataset: Dataset) -> list[Off]:
    """The means of ridge regression, which always exist."""
    found = [off(dataset, variant, "mean") for variant in dataset.of("ridge")]
    return [one for one in found if one is not None]
