"""The paper's claims, held against a results file: a number for each, and whether it bears the claim out.

A spike is measured against its flanks: the median test error at the threshold (N = P, or the rank of the features) divided by
the larger of those at N near half of it and near twice it, with an interval. The program works both out when it writes the
file; here they are read, never made again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from draw import style
from read import laws, prediction
from read.results import Dataset, Spike, Variant
from read.threshold import is_zero, place_words

LEFT_AT_MOST = 0.1  # of a spike's height above its flanks, for it to count as removed
RAISED_AT_LEAST = 1.5  # times the error, for an attack to count as one
SMALL_STEP = 1.0  # over a target's root mean square: below, that nothing is raised says little
ROUNDING = 1e-12  # of the largest expectation
NEAR_BY = 2.0  # a factor, for a prediction from second moments to count as near
HIGHEST_SCORE = 4.0  # standard errors, of several dozen independent means at most one in a thousand studies

# How a variant's parameter is said: as it is, and with `relative`.
SETTINGS = {
    "cutoff": ("with cutoff {}", "with cutoff {} σ₁"),
    "leading_modes": ("with {} mode{s}", ""),
    "ridge": ("with λ = {}", "with λ = {} σ₁²"),
    "gradient_descent": ("after {} step{s}", ""),
    "gradient_descent_run": ("after {} step{s}", ""),
    "bagging": ("with subsets of {} row{s}", ""),
    "bagging_limit": ("with subsets of {} row{s}", ""),
    "adversarial_test": ("with a step of {}", "with a step of {} times a feature's root mean square"),
    "adversarial_train": ("with a step of {}", "with a step of {} times a target's root mean square"),
}
ATTACKS = {  # what is moved, and whether it is targets
    "adversarial_test": ("moving test features along the smallest mode", False),
    "adversarial_train": ("moving training targets along the smallest mode", True),
}


@dataclass(frozen=True)
class Finding:
    """A claim of one data set. `holds` is None where the file cannot tell."""

    claim: str
    holds: bool | None
    number: str


@dataclass(frozen=True)
class Left:
    """What a variant of an ablation leaves of the spike. `kept` modes at the threshold, of `modes`; None: it leaves none out."""

    variant: Variant
    spike: Spike
    kept: float | None
    modes: int

    def keeps_something(self) -> bool:
        """Whether there is anything of a fit left in at least half of the repeats."""
        return self.kept is None or self.kept >= 1


@dataclass(frozen=True)
class Attack:
    """How often the unablated error at the threshold an attack's error is, at its worst step."""

    variant: Variant
    times: float
    size: float | None  # the step over a target's root mean square, where targets are moved


@dataclass(frozen=True)
class Agreement:
    """Means against exact expectations, in standard errors."""

    n_means: int
    worst: float
    at_n: int
    rms: float


def spike_text(found: Spike) -> str:
    """5.8 (2.9 to 8.4), as `ridgeless show` writes it."""
    has_interval = not math.isnan(found.low) and not math.isnan(found.high) and found.high != 0
    return style.ratio(found.height) + (f" ({style.ratio(found.low)} to {style.ratio(found.high)})" if has_interval else "")


def setting(variant: Variant) -> str:
    """Which variant it is, in words that follow a number: "with cutoff 0.3 σ₁". Empty without a parameter."""
    if math.isnan(variant.parameter):
        return ""
    absolute, relative = SETTINGS.get(variant.ablation, ("", ""))
    text = {"": absolute, "relative": relative}.get(variant.options, "")
    plural = "" if variant.parameter == 1 else "s"
    return text.format(style.number(variant.parameter), s=plural) if text else f"with {variant.label}"


# ---- numbers ----------------------------------------------------------------------------------------------------------


def spike(dataset: Dataset) -> Spike | None:
    """Of the unablated fit; None where the file has none."""
    variant = dataset.unablated()
    return dataset.spike(variant) if variant is not None else None


def all_left_by(dataset: Dataset, ablation: str) -> list[Left]:
    """Of every variant of an ablation, the one that leaves least of the spike first."""
    at = dataset.threshold_index()
    found = [(variant, dataset.spike(variant)) for variant in dataset.of(ablation)]
    if at is None:
        return []
    modes = min(int(dataset.n_train[at]), dataset.threshold)
    left = [Left(variant, spike, dataset.modes_kept(variant, at), modes) for variant, spike in found if spike is not None]
    return sorted(left, key=lambda one: one.spike.height)


def left_by(dataset: Dataset, ablation: str) -> Left | None:
    """Of the variant that leaves least of the spike and something of the fit; of any, where none keeps a mode."""
    found = all_left_by(dataset, ablation)
    return next((left for left in found if left.keeps_something()), found[0] if found else None)


def attack(dataset: Dataset, ablation: str) -> Attack | None:
    """Of the step that raises the error most; None where the file has no such error, or nothing to compare it with."""
    at, unablated = dataset.threshold_index(), dataset.unablated()
    if at is None or unablated is None or dataset.null_mse is None:
        return None
    error = dataset.curve("test_mse", unablated).median[at]
    found = [(dataset.curve("test_mse", variant).median[at] / error, variant) for variant in dataset.of(ablation)]
    found = [one for one in found if np.isfinite(one[0])]
    if not found or is_zero(dataset, error):
        return None
    times, variant = max(found, key=lambda one: one[0])
    unit = 1.0 if variant.options == "relative" else math.sqrt(dataset.null_mse)
    return Attack(variant, float(times), abs(variant.parameter) / unit if ATTACKS[ablation][1] else None)


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


def scales_note(dataset: Dataset) -> str:
    """What to do about a rank that is low because columns are in units far apart; else empty."""
    if not dataset.has_scales_apart():
        return ""
    name = style.dataset_title(dataset.group, dataset.source)
    return f"The columns of {name} are in units so far apart that the smaller ones are lost in rounding: see `standardize`."


# ---- claims -----------------------------------------------------------------------------------------------------------

UNKNOWN = "the study does not have N near P/2, P and 2 P"
UNKNOWN_OF_RANK = "the study does not have N near half the rank, the rank and twice the rank"
OLDER = "an older program wrote the file: no `spike_height` is in it"


def _unknown(dataset: Dataset) -> str:
    if not dataset.has_spikes():
        return OLDER
    return UNKNOWN_OF_RANK if dataset.has_low_rank() else UNKNOWN


def findings(dataset: Dataset) -> list[Finding]:
    """All claims that can be made of a data set, in the order of the paper."""
    claims = [_spike_claim(dataset), _highest_claim(dataset)]
    claims += [_removal_claim(dataset, name) for name in style.PAPER_ABLATIONS if dataset.of(name)]
    claims += [_attack_claim(dataset, name) for name in ATTACKS if dataset.of(name)]
    return claims + [_smallest_claim(dataset), *_prediction_claims(dataset), *_theory_claims(dataset)]


def _spike_claim(dataset: Dataset) -> Finding:
    claim, found, at = f"the test error spikes at {place_words(dataset)}", spike(dataset), dataset.threshold_index()
    if found is None or at is None:
        return Finding(claim, None, _unknown(dataset))
    number = f"spike height {spike_text(found)} at N = {dataset.n_train[at]:.0f}"
    if found.low <= 1 < found.height:
        return Finding(claim, None, f"{number}: too few repeats to tell it from 1")
    return Finding(claim, bool(found.height > 1), number)


def _highest_claim(dataset: Dataset) -> Finding:
    claim, at = f"the test error is largest at {place_words(dataset)}", dataset.threshold_index()
    if spike(dataset) is None or at is None:
        return Finding(claim, None, _unknown(dataset))
    n, t, medians = dataset.n_train, dataset.threshold, dataset.curve("test_mse", dataset.unablated()).median
    near = np.where((n >= t / 2) & (n <= 2 * t), medians, np.nan)
    highest, highest_near = int(np.nanargmax(medians)), int(np.nanargmax(near))
    number = f"largest median at N = {n[highest]:.0f}"
    if highest != at:
        number += (
            f"; between {'half the rank and twice it' if dataset.has_low_rank() else 'P/2 and 2 P'} at N = {n[highest_near]:.0f}"
        )
    return Finding(claim, highest == at, number)


def _removal_claim(dataset: Dataset, ablation: str) -> Finding:
    claim = f"{style.words(ablation).claim} removes the spike"
    found, left = spike(dataset), left_by(dataset, ablation)
    if found is None or left is None:
        return Finding(claim, None, _unknown(dataset))
    if not found.is_sure():
        return Finding(claim, None, f"no sure spike to remove: spike height {spike_text(found)}")
    if not left.keeps_something():
        return Finding(claim, False, f"modes kept: 0 of {left.modes} {setting(left.variant)}, and so nothing of the fit")
    share = max(left.spike.height - 1, 0) / (found.height - 1)
    rest = style.ratio(left.spike.height) if left.spike.height > 0 else "zero but for rounding"
    parts = [f"spike height {style.ratio(found.height)} becomes {rest}", setting(left.variant)]
    kept = f"; modes kept: {style.number(left.kept)} of {left.modes}" if left.kept is not None else ""
    return Finding(claim, bool(share <= LEFT_AT_MOST), " ".join(filter(None, parts)) + kept)


def _attack_claim(dataset: Dataset, ablation: str) -> Finding:
    claim, found = f"{ATTACKS[ablation][0]} raises the test error at {place_words(dataset)}", attack(dataset, ablation)
    if found is None:
        return Finding(claim, None, _not_raised(dataset))
    number = f"the median error is {style.ratio(found.times)} times the unablated one {_step(found)}"
    if found.times >= RAISED_AT_LEAST:
        return Finding(claim, True, number)
    too_small = found.size is not None and found.size < SMALL_STEP
    return Finding(claim, None if too_small else False, number + (": too small a step to tell" if too_small else ""))


def _not_raised(dataset: Dataset) -> str:
    """Why there is nothing to compare an attack's error with."""
    at, unablated = dataset.threshold_index(), dataset.unablated()
    if at is None or unablated is None or not is_zero(dataset, dataset.curve("test_mse", unablated).median[at]):
        return _unknown(dataset)
    return "the unablated error is zero but for rounding: no error is compared with it"


def _step(found: Attack) -> str:
    """In words, and how large it is for the targets that it moves."""
    said = found.size is None or found.variant.options == "relative"
    return setting(found.variant) + ("" if said else f" ({style.ratio(found.size)} times a target's root mean square)")


def _smallest_claim(dataset: Dataset) -> Finding:
    claim = f"the smallest non-zero singular value is smallest at {place_words(dataset)}"
    curve = dataset.curve("sigma_min")
    if curve is None or not (dataset.n_train == dataset.threshold).any() or len(dataset.n_train) < 3:
        where = "rank" if dataset.has_low_rank() else "P"
        return Finding(claim, None, f"the study has no N = {where}, or no singular values")
    n = int(dataset.n_train[np.nanargmin(curve.median)])
    return Finding(claim, n == dataset.threshold, f"smallest median, {style.number(np.nanmin(curve.median))}, at N = {n}")


def _theory_claims(dataset: Dataset) -> list[Finding]:
    found = agreement(dataset)
    if found is None:
        return []
    number = (
        f"of {found.n_means} means the furthest is {abs(found.worst):.1f} standard errors off (N = {found.at_n}); "
        f"root mean square {found.rms:.2f}"
    )
    return [Finding("mean errors are the exact expectations", abs(found.worst) <= HIGHEST_SCORE, number)]


def _prediction_claims(dataset: Dataset) -> list[Finding]:
    """Of the medians of least squares, and of the means of ridge regression, which are asymptotic alone."""
    claims = []
    one, ridge = prediction.of_least_squares(dataset), prediction.of_ridge(dataset)
    if one is not None:
        claim = f"second moments predict the median error within a factor of {NEAR_BY:g}"
        number = f"{_ratio_text(dataset, one)} (a heuristic for a typical training set)"
        claims.append(Finding(claim, one.factor <= NEAR_BY, number))
    if ridge:
        worst = max(ridge, key=lambda found: found.factor)
        claim = f"second moments predict the mean error of ridge regression within a factor of {NEAR_BY:g}"
        number = f"{_ratio_text(dataset, worst)} {setting(worst.variant)} (asymptotic)"
        claims.append(Finding(claim, worst.factor <= NEAR_BY, number))
    return claims


def _ratio_text(dataset: Dataset, one: prediction.Off) -> str:
    low, high = one.span
    at = f"{dataset.n_train[one.furthest]:.0f}"
    return f"predicted over measured {one.what}: {style.ratio(low)} to {style.ratio(high)}, furthest from 1 at N = {at}"
