"""How often errors are large: the share of repeats beyond a value, from each repeat's error or from counts in buckets, the
power law that it falls as, and where it leaves that."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from read import laws
from read.results import Dataset

LEAST_REPEATS = 200  # for a tail to be seen: of fewer its end is a step or two of single repeats
LEAST_FITTED = 100  # repeats that a slope is fitted to
FAR, NEAR = 0.01, 0.1  # the upper part of the repeats that is the tail: the smaller one where it has enough of them
ENOUGH = 1000
WINDOW, STEP = 0.5, 0.25  # decades: what a local slope is taken over, and from one to the next
LEAST_BEYOND = 400  # repeats beyond a window: its slope is then known to 0.03
LEFT_BY = 0.1  # a local slope this far from the law's has left it


@dataclass(frozen=True)
class Survival:
    """`above[i]` of `total` repeats have an error of at least `edge[i]` (ascending, in units of the median); `middle[i]`
    stands for the `count[i]` that are below the next edge."""

    edge: np.ndarray
    middle: np.ndarray
    count: np.ndarray
    above: np.ndarray
    total: int
    median: float
    largest: float  # in units of the median, as edge and middle

    def share(self) -> np.ndarray:
        """P(error >= edge)."""
        return self.above / self.total

    def beyond(self, value: float) -> int:
        """Repeats with an error of at least the value, which counts as the next edge."""
        i = int(np.searchsorted(self.edge, value))
        return int(self.above[i]) if i < self.above.size else 0


@dataclass(frozen=True)
class Fit:
    """P(error > t) falls as t to minus `exponent` from `low` to `high` (in medians), by maximum likelihood of a power law
    with these ends; `error` is the standard error of the exponent."""

    exponent: float
    error: float
    low: float
    high: float
    repeats: int


@dataclass(frozen=True)
class Tail:
    """Of the unablated fit's test error at one N."""

    n_train: int
    survival: Survival
    law: float  # exponent for independent normal features
    fit: Fit | None
    bend: float | None  # where a finite table leaves the law for good, in medians
    followed: tuple[float, float] | None  # from where to where local slopes are the law's


def tails(dataset: Dataset, offsets: tuple[int, ...] = (-1, 0, 1)) -> dict[int, Tail]:
    """By N minus the threshold: the tails that the data set has."""
    found = {}
    for offset in offsets:
        place = np.flatnonzero(dataset.n_train == dataset.threshold + offset)
        survival = _survival(dataset, int(place[0])) if place.size else None
        if survival is not None:
            found[offset] = _tail(dataset, dataset.threshold + offset, survival)
    return found


def _tail(dataset: Dataset, n_train: int, survival: Survival) -> Tail:
    law = laws.tail_exponent(n_train, dataset.threshold)
    bend, followed = (None, None) if dataset.is_isotropic() else _bend(survival, law)
    return Tail(n_train, survival, law, _fit(survival, bend), bend, followed)


# ---- shares -----------------------------------------------------------------------------------------------------------


def _survival(dataset: Dataset, place: int) -> Survival | None:
    variant = dataset.unablated()
    if variant is None:
        return None
    cells, buckets = dataset.cells("test_mse", variant), dataset.buckets("test_mse", variant)
    if cells is not None:
        values = np.sort(cells[place][np.isfinite(cells[place])])
        return _of_values(values) if values.size >= LEAST_REPEATS and np.median(values) > 0 else None
    if buckets is None or buckets.count[place].sum() < LEAST_REPEATS or not buckets.median[place] > 0:
        return None
    there = buckets.count[place] > 0
    median, largest = buckets.median[place], buckets.maximum[place]
    edge, upper = buckets.lower[there] / median, buckets.upper[there] / median
    return _make(edge, np.sqrt(edge * upper), buckets.count[place][there], median, largest / median)


def _of_values(values: np.ndarray) -> Survival:
    """Each value is a bucket of its own."""
    median = float(np.median(values))
    distinct, count = np.unique(values, return_counts=True)
    return _make(distinct / median, distinct / median, count, median, float(values[-1]) / median)


def _make(edge: np.ndarray, middle: np.ndarray, count: np.ndarray, median: float, largest: float) -> Survival:
    above = np.cumsum(count[::-1])[::-1]
    return Survival(edge, middle, count, above, int(above[0]), float(median), float(largest))


# ---- slopes -----------------------------------------------------------------------------------------------------------


def start(survival: Survival) -> int:
    """The first edge of the tail."""
    part = FAR if FAR * survival.total >= ENOUGH else NEAR
    return min(int(np.searchsorted(-survival.above, -part * survival.total)), survival.edge.size - 1)


def _fit(survival: Survival, bend: float | None) -> Fit | None:
    """Over the tail; of one that bends, from its upper tenth to the bend."""
    s = survival
    first = start(s) if bend is None else int(np.searchsorted(-s.above, -NEAR * s.total))
    last = s.edge.size if bend is None else int(np.searchsorted(s.edge, bend))
    if first >= last:
        return None
    count, low = s.count[first:last], s.edge[first]
    n, width = int(count.sum()), np.inf if bend is None else np.log(s.edge[last - 1] / low)
    mean = float((count * np.log(s.middle[first:last] / low)).sum() / n)
    if n < LEAST_FITTED or not 0 < mean < width / 2:
        return None
    exponent = _most_likely(mean, width)
    high = s.largest if bend is None else bend
    return Fit(exponent, float(np.sqrt(_variance(exponent, width) / n)), float(low), float(high), n)


def _most_likely(mean: float, width: float) -> float:
    """The exponent whose power law has this mean logarithm between its ends, `width` apart in logarithm (Hill 1975 for
    no upper end; Aban, Meerschaert and Panorska 2006 for one)."""
    low, high = 1e-6, 1 / mean
    if np.isinf(width):
        return high
    for _ in range(100):
        middle = (low + high) / 2
        expected = 1 / middle - width / np.expm1(middle * width)
        low, high = (middle, high) if expected > mean else (low, middle)
    return (low + high) / 2


def _variance(exponent: float, width: float) -> float:
    """Of the exponent from one repeat: one over the Fisher information."""
    if np.isinf(width):
        return exponent**2
    half = exponent * width / 2
    return 1 / (1 / exponent**2 - (width / (2 * np.sinh(half))) ** 2)


def local_slopes(survival: Survival) -> tuple[np.ndarray, np.ndarray]:
    """The exponent of P(error > t) over each half decade from the median on, as long as enough repeats are beyond it: at
    the middles of the windows."""
    middles, slopes = [], []
    for at in np.arange(0, np.log10(survival.largest), STEP) if survival.largest > 1 else ():
        near, far = survival.beyond(10**at), survival.beyond(10 ** (at + WINDOW))
        if far < LEAST_BEYOND:
            break
        middles.append(10 ** (at + WINDOW / 2))
        slopes.append(np.log10(near / far) / WINDOW)
    return np.array(middles), np.array(slopes)


def _bend(survival: Survival, law: float) -> tuple[float | None, tuple[float, float] | None]:
    """The smallest value beyond which all local slopes are off the law's; and from where to where they are not."""
    middles, slopes = local_slopes(survival)
    near = np.flatnonzero(np.abs(slopes - law) <= LEFT_BY)
    if near.size == 0:
        return None, None
    last = near[-1]
    followed = (float(middles[near[0]]), float(middles[last]))
    return (float(middles[last + 1]) if last + 1 < middles.size else None), followed
