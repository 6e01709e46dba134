"""Exact laws of the smallest singular value of N x P independent standard normal numbers, and of the tails it makes."""

from __future__ import annotations

import numpy as np


def edge(n_train: np.ndarray, n_features: int) -> np.ndarray:
    """Where the spectrum begins when both sizes are large (Marchenko and Pastur 1967)."""
    return np.abs(np.sqrt(n_train) - np.sqrt(n_features))


def sigma_min_quantiles(n_train: int, n_features: int, probabilities: np.ndarray) -> np.ndarray | None:
    """Quantiles of sigma_min next to the threshold (Edelman 1988); None further off, where no simple law is known.

    For |N - P| = 1, with n the smaller of the two, n sigma^2 / 2 is exponential, exactly. For N = P = n the law of n
    sigma^2 has the limit 1 - exp(-(x / 2 + sqrt(x))), which is close from n = 10 on.
    """
    levels, size = -np.log1p(-probabilities), min(n_train, n_features)
    if abs(n_train - n_features) == 1:
        return np.sqrt(2 * levels / size)
    if n_train == n_features:
        return (np.sqrt(1 + 2 * levels) - 1) / np.sqrt(size)
    return None


def tail_exponent(n_train: int, n_features: int) -> float:
    """P(error > t) falls as t to minus this: sigma_min^2 has a density that begins as its power (|N - P| - 1) / 2."""
    return (abs(n_train - n_features) + 1) / 2


def has_variance(n_train: np.ndarray, n_features: int) -> np.ndarray:
    """Whether an error that grows as 1 / sigma_min^2 has a variance, so that its mean has a standard error."""
    return np.abs(n_train - n_features) > 3


def has_sure_variance(n_train: np.ndarray, n_features: int) -> np.ndarray:
    """Whether it has a fourth moment, so that the standard error of its mean is itself known from the repeats."""
    return np.abs(n_train - n_features) > 7


def has_mean(n_train: np.ndarray, n_features: int) -> np.ndarray:
    """Whether it has a mean."""
    return np.abs(n_train - n_features) > 1
