"""The paper's claims, held against a results file: a number for each, and whether it bears the claim out.

A spike is measured against its flanks: the median test error at N = P over the larger of those at N near P / 2 and at N
near 2 P. Medians, since means do not exist there; their uncertainty by resampling the repeats.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from draw import style
from read import laws
from read.results import Dataset, Variant

RESAMPLES = 400
SEED = 1  # of the resampling: the same file gives the same report
INTERVAL = (5, 95)  # percent
LEFT_AT_MOST = 0.1  # of a spike's height above its flanks, for it to count as removed
ROUNDING = 1e-12  # of the largest expectation
HIGHEST_SCORE = 4.0  # standard errors, of several dozen independent means at most one in a thousand studies


@dataclass(frozen=True)
class Finding:
    """A claim of one data set. `holds` is None where the file cannot tell."""

    claim: str
    holds: bool | None
    number: str


@dataclass(frozen=True)
class Spike:
    """Height over the flanks with its interval (NaN without repeats to resample), and where the curve is highest."""

    height: float
    low: float
    high: float
    highest_n: int  # of the whole curve
    highest_near_n: int  # from P / 2 to 2 P
    at_n: int

    def text(self) -> str:
        """For people."""
        return ratio(self.height) + ("" if np.isnan(self.low) else f" ({ratio(self.low)} to {ratio(self.high)})")


@dataclass(frozen=True)
class Left:
    """What the best variant of an ablation leaves of the spike."""

    variant: Variant
    height: float


@dataclass(frozen=True)
class Agreement:
    """Means against exact expectations, in standard errors."""

    n_means: int
    worst: float
    at_n: int
    rms: float


def ratio(value: float) -> str:
    """7.9, 0.06, 1e-28."""
    return f"{value:.1e}" if value < 1e-3 else f"{value:.2g}" if value < 100 else f"{value:.0f}"


# ---- numbers ----------------------------------------------------------------------------------------------------------


def _places(dataset: Dataset) -> tuple[int, int, int] | None:
    """Indices of N near P / 2, P and 2 P; None where the study does not have the three."""
    n, p = dataset.n_train, dataset.n_features
    few, at, many = (int(np.argmin(np.abs(n - size))) for size in (p / 2, p, 2 * p))
    apart = n[few] < n[at] < n[many] and abs(n[at] - p) <= 0.02 * p
    return (few, at, many) if apart and n[few] <= 0.75 * p and n[many] >= 1.5 * p else None


def _height(medians: np.ndarray, places: tuple[int, int, int]) -> float:
    few, at, many = places
    flank = np.fmax(medians[few], medians[many])
    return float(medians[at] / flank) if flank > 0 else np.nan


def spike(dataset: Dataset) -> Spike | None:
    """Of the unablated fit; None where the study does not reach from one flank to the other."""
    places, variant = _places(dataset), dataset.unablated()
    if places is None or variant is None:
        return None
    medians = dataset.curve("test_mse", variant).median
    if not np.isfinite(medians[list(places)]).all():
        return None
    n, p = dataset.n_train, dataset.n_features
    near = np.where((n >= p / 2) & (n <= 2 * p), medians, np.nan)
    low, high = _interval(dataset, variant, places)
    highest = [int(n[np.nanargmax(values)]) for values in (medians, near)]
    return Spike(_height(medians, places), low, high, *highest, int(n[places[1]]))


def _interval(dataset: Dataset, variant: Variant, places: tuple[int, int, int]) -> tuple[float, float]:
    cells = dataset.cells("test_mse", variant)
    if cells is None or cells.shape[1] < 5:
        return np.nan, np.nan
    cells = cells[:, np.isfinite(cells[list(places)]).all(axis=0)]
    if cells.shape[1] < 5:
        return np.nan, np.nan
    drawn = np.random.default_rng(SEED).integers(cells.shape[1], size=(RESAMPLES, cells.shape[1]))
    few, at, many = (np.median(cells[place][drawn], axis=1) for place in places)
    low, high = np.percentile(at / np.maximum(few, many), INTERVAL)
    return float(low), float(high)


def left_by(dataset: Dataset, ablation: str) -> Left | None:
    """Of the variant that leaves least."""
    places = _places(dataset)
    if places is None:
        return None
    found = []
    for variant in dataset.of(ablation):
        height = _height(dataset.curve("test_mse", variant).median, places)
        if np.isfinite(height):
            found.append(Left(variant, height))
    return min(found, key=lambda left: left.height, default=None)


def agreement(dataset: Dataset) -> Agreement | None:
    """Of every mean whose standard error the repeats can tell with its exact expectation, over N and variants."""
    scores: list[np.ndarray] = []
    for variant in dataset.variants:
        exact = dataset.reduced("theory_test_mse", variant)
        mean = dataset.reduced("population_mse_mean", variant)
        error = dataset.reduced("population_mse_standard_error", variant)
        if exact is None or mean is None or error is None:
            continue
        certain = error > ROUNDING * np.nanmax(exact)  # else there is nothing random about it
        certain &= laws.has_sure_variance(dataset.n_train, dataset.n_features)
        scores.append(np.where(certain, (mean - exact) / np.where(certain, error, 1), np.nan))
    table = np.array(scores)
    if not np.isfinite(table).any():
        return None
    worst = np.unravel_index(np.nanargmax(np.abs(table)), table.shape)
    known = table[np.isfinite(table)]
    return Agreement(known.size, float(table[worst]), int(dataset.n_train[worst[1]]), float(np.sqrt(np.mean(known**2))))


# ---- claims -----------------------------------------------------------------------------------------------------------

UNKNOWN = "the study does not have N near P/2, P and 2 P"


def findings(dataset: Dataset) -> list[Finding]:
    """All claims that can be made of a data set, in the order of the paper."""
    found = spike(dataset)
    claims = [_spike_claim(found), _highest_claim(found)]
    claims += [_removal_claim(dataset, name, found) for name in style.PAPER_ABLATIONS if dataset.of(name)]
    return claims + [_smallest_claim(dataset), *_theory_claims(dataset)]


def _spike_claim(found: Spike | None) -> Finding:
    claim = "the test error spikes at N = P"
    if found is None:
        return Finding(claim, None, UNKNOWN)
    above = found.height if np.isnan(found.low) else found.low
    number = f"median error at N = {found.at_n} is {found.text()} times that of its flanks"
    return Finding(claim, bool(above > 1), number)


def _highest_claim(found: Spike | None) -> Finding:
    claim = "the test error is largest at N = P"
    if found is None:
        return Finding(claim, None, UNKNOWN)
    number = f"largest median at N = {found.highest_n}"
    if found.highest_n != found.at_n:
        number += f"; between P/2 and 2 P at N = {found.highest_near_n}"
    return Finding(claim, found.highest_n == found.at_n, number)


def _removal_claim(dataset: Dataset, ablation: str, found: Spike | None) -> Finding:
    claim = f"{style.words(ablation).claim} removes the spike"
    left = left_by(dataset, ablation)
    if found is None or left is None:
        return Finding(claim, None, UNKNOWN)
    if found.height <= 1:
        return Finding(claim, None, "there is no spike to remove")
    share = max(left.height - 1, 0) / (found.height - 1)
    number = f"{ratio(left.height)} times the flanks is left, by {left.variant.label}, of {ratio(found.height)}"
    return Finding(claim, bool(share <= LEFT_AT_MOST), number)


def _smallest_claim(dataset: Dataset) -> Finding:
    claim = "the smallest non-zero singular value is smallest at N = P"
    curve = dataset.curve("sigma_min")
    if curve is None or not (dataset.n_train == dataset.n_features).any() or len(dataset.n_train) < 3:
        return Finding(claim, None, "the study has no N = P, or no singular values")
    n = int(dataset.n_train[np.nanargmin(curve.median)])
    return Finding(claim, n == dataset.n_features, f"smallest median, {np.nanmin(curve.median):.3g}, at N = {n}")


def _theory_claims(dataset: Dataset) -> list[Finding]:
    found = agreement(dataset)
    if found is None:
        return []
    number = (
        f"of {found.n_means} means the furthest is {abs(found.worst):.1f} standard errors off (N = {found.at_n}); "
        f"root mean square {found.rms:.2f}"
    )
    return [Finding("mean errors are the exact expectations", abs(found.worst) <= HIGHEST_SCORE, number)]
