"""Where a study has threshold and flanks, and how high its spikes are: by NumPy from each repeat's errors, and by exact sums of
binomial coefficients."""
import fractions
import math

import numpy as np

MISS = fractions.Fraction(1, 30)  # of each of three medians, so that their ratio has at least 90 %
ZERO = 1e-18  # of what predicting nothing costs: below, an error is zero but for rounding


def rank(n, miss=MISS):
    """The largest k for which at most k heads of n coins are as rare as half of `miss`; -1: there is none."""
    below, k = 0, -1
    while 2 * (below + math.comb(n, k + 1)) <= miss * 2**n:
        k += 1
        below += math.comb(n, k)
    return k


def places(n_train, p):
    """Indices of the N at the flank below, at the threshold, and at the flank above; None for each that is not there."""
    n = np.asarray(n_train, dtype=float)
    few, at, many = (int(np.argmin(np.abs(n - size))) for size in (p / 2, p, 2 * p))
    there = (n[few] <= 0.75 * p, abs(n[at] - p) <= 0.02 * p, n[many] >= 1.5 * p)
    return tuple(place if is_there else None for place, is_there in zip((few, at, many), there))


def interval(errors, zero=0.0):
    """Median, and the ends of its interval, of some errors of which NaN are left out."""
    values = np.sort(errors[np.isfinite(errors)])
    if values.size == 0:
        return np.nan, np.nan, np.nan
    k = rank(values.size)
    found = np.array([np.median(values), *((values[k], values[values.size - 1 - k]) if k >= 0 else (np.nan, np.nan))])
    return tuple(np.where(found <= zero, 0, found))


def heights(errors, n_train, p, null=0.0):
    """Height, low, high of errors [n_train, repeat]; `null` is what predicting nothing costs."""
    few, at, many = places(n_train, p)
    if few is None or at is None or many is None:
        return np.nan, np.nan, np.nan
    (a, a_low, a_high), (b, b_low, b_high), (c, c_low, c_high) = (
        interval(errors[place], ZERO * null) for place in (at, few, many)
    )
    if np.isnan([a, b, c]).any() or max(b, c) == 0:
        return np.nan, np.nan, np.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        return a / np.maximum(b, c), a_low / np.maximum(b_high, c_high), a_high / np.maximum(b_low, c_low)
