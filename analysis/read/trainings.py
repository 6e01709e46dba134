"""Reads the groups of a results file that hold trainings of autoencoders: what their figures need."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from read import results
from read.results import AUTOENCODER, QUANTILES, STATUS_DONE, STATUS_MISSING, Curve, ResultsError

if TYPE_CHECKING:
    import xarray as xr

INFINITE = 2147483647  # the n_train of trainings that draw fresh examples for each step
BEYOND = 5.0  # times the largest finite T: where such trainings are shown
NEEDED = {
    "n_hidden": ("n_hidden",),
    "n_train": ("n_train",),
    "status": ("n_hidden", "n_train", "repeat"),
    "train_relative_loss": ("n_hidden", "n_train", "repeat", "step"),
    "test_relative_loss": ("n_hidden", "n_train", "repeat", "step"),
    "feature_dimension": ("n_hidden", "n_train", "repeat", "feature"),
    "example_dimension": ("n_hidden", "n_train", "repeat", "example"),
}


class Autoencoder:
    """One autoencoder of the results file at one number of hidden dimensions m."""

    def __init__(self, group: str, data: xr.Dataset, hidden_index: int):
        self.group = group
        self.n_train = np.asarray(data["n_train"].values, dtype=int)
        self.infinite = self.n_train == INFINITE
        self.n_hidden = int(data["n_hidden"].values[hidden_index])
        self.n_features = int(data.sizes["feature"])
        self.repeats = int(data.sizes["repeat"])
        self.alone = data.sizes["n_hidden"] == 1  # the only m of its group
        self._data = data.isel(n_hidden=hidden_index)

    def places(self) -> np.ndarray:
        """Where each T is on a logarithmic axis: the infinite one to the right of the others."""
        finite = self.n_train[~self.infinite]
        return np.where(self.infinite, BEYOND * finite.max(initial=1), self.n_train).astype(float)

    def examples_text(self, index: int) -> str:
        """T as it is written."""
        return "∞" if self.infinite[index] else f"{self.n_train[index]:,}"

    def what_was_run(self) -> str:
        """One sentence with the sizes of the trainings that are there."""
        status, attributes = self._data["status"].values, self._data.attrs
        count, last = len(self.n_train), self.examples_text(len(self.n_train) - 1)
        numbers = {"sparsity": "with a sparsity of {:g}", "steps": "{:,.0f} steps each"}
        of = {name: text.format(float(attributes[name])) for name, text in numbers.items() if name in attributes}
        parts = [f"{self.n_features:,} features {of.get('sparsity', '')}".strip()]
        parts.append(f"T = {self.examples_text(0)}" + (f" to {last} ({count} values)" if count > 1 else ""))
        parts.append(f"{(status == STATUS_DONE).sum()} of {status.size} trainings")
        return "Run: " + ", ".join([*parts, *([of["steps"]] if "steps" in of else [])]) + "."

    def loss(self, which: str) -> Curve:
        """`train` or `test` loss at the end against T, relative to predicting nothing."""
        return _reduced(self._data[f"{which}_relative_loss"].isel(step=-1).transpose("n_train", "repeat").values)

    def largest_dimension(self, kind: str) -> Curve:
        """The largest fractional dimension of any `feature` or `example` of a training, against T."""
        return _reduced(_skipping(np.nanmax, self._all(f"{kind}_dimension")))

    def has_embeddings(self) -> bool:
        """Whether there is a plane to show them in."""
        return self.n_hidden == 2 and "feature_embedding" in self._data and "example_embedding" in self._data

    def embedding(self, kind: str, index: int) -> np.ndarray:
        """[2, n]: columns of W by `feature` or hidden vectors by `example`, of the first finished training at one T."""
        return self._first(f"{kind}_embedding", index)

    def incomplete(self) -> str | None:
        """One line that counts the trainings that are not there, or None when all are."""
        status = self._data["status"].values
        missing, failed = int((status == STATUS_MISSING).sum()), int((status > STATUS_MISSING).sum())
        if missing + failed == 0:
            return None
        return (
            f"{self.group}, m = {self.n_hidden}: of {status.size} trainings {missing} are missing and {failed} diverged; "
            "the figure shows the others"
        )

    def _all(self, name: str) -> np.ndarray:
        return np.asarray(self._data[name].transpose("n_train", "repeat", ...).values, dtype=float)

    def _first(self, name: str, index: int) -> np.ndarray:
        done = np.flatnonzero(self._data["status"].transpose("n_train", "repeat").values[index] == STATUS_DONE)
        if done.size == 0:
            return np.empty((2, 0))
        values = np.asarray(self._data[name].isel(n_train=index, repeat=int(done[0])).values, dtype=float)
        return values[:, np.isfinite(values).all(axis=0)]


def read_all(paths: list[Path]) -> list[Autoencoder]:
    """All autoencoders of several results files, one for each m, in the files' order."""
    found: list[Autoencoder] = []
    for path in paths:
        for group in results.group_names(path):
            data = results.open_group(path, group)
            if data.attrs.get("kind") != AUTOENCODER:
                continue
            for name, dimensions in NEEDED.items():
                if name not in data or set(data[name].dims) != set(dimensions):
                    raise ResultsError(f"{path}: group {group} has no {name} over {', '.join(dimensions)}")
            found += [Autoencoder(group, data, i) for i in range(data.sizes["n_hidden"])]
    return found


def _reduced(cells: np.ndarray) -> Curve:
    """Over the repeats, the last axis."""
    table = _skipping(np.nanquantile, cells, QUANTILES)
    return Curve(table[2], dict(zip(QUANTILES, table)), _skipping(np.nanmean, cells))


def _skipping(function: object, cells: np.ndarray, *more: object) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a T that no repeat has finished
        return function(cells, *more, axis=-1)
