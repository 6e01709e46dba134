#!/usr/bin/python3
"""Runs analysis/figures.py on sweeps over the number of features and on gradient descent: which figures come, which numbers of
features the others show, and what curves against P are made of.

    /usr/bin/python3 tests/analysis/test_sweeps.py
"""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

from drawing import MISSING, keep_font_cache
from test_figures import SMALL, FiguresTest, Group, put, write_results

if not MISSING:
    import netCDF4
    import numpy as np

NOT_ASKED = 4
P = (2, 4, 6, 9, 13)
SWEEP = ["error_against_features", "ablations_against_features"]


def setUpModule() -> None:
    keep_font_cache()


def leave_out(path: Path, group: str, asked: dict[int, list[int]]) -> None:
    """Of each P every N but these are flagged as not asked for, with no value."""
    with netCDF4.Dataset(path, "a") as root:
        to = root[group]
        n_train = to["n_train"][:].tolist()
        for i, p in enumerate(to["n_features"][:].tolist()):
            for j, n in enumerate(n_train):
                if n not in asked[p]:
                    to["status"][i, j] = NOT_ASKED
                    to["sigma_min"][i, j] = np.nan
                    for name in ("test_mse", "train_mse"):
                        for variable in (f"{name}", f"{name}_median", f"{name}_mean", f"{name}_quantile"):
                            to[variable][:, i, j] = np.nan


def add_theory(path: Path, group: str, name: str) -> None:
    with netCDF4.Dataset(path, "a") as root:
        to = root[group]
        values = np.ones(tuple(len(to.dimensions[d]) for d in ("variant", "n_features", "n_train")))
        n, p = to["n_train"][:], to["n_features"][:]
        values[:, p[:, None] == n] = np.inf
        values[1:] = np.nan
        put(to, name, ("variant", "n_features", "n_train"), values)


def add_predictions(path: Path, group: str, rows: int) -> None:
    with netCDF4.Dataset(path, "a") as root:
        to = root[group]
        for name, length in (("point", 50), ("predicted_repeat", 2), ("training_row", rows)):
            to.createDimension(name, length)
        x = np.linspace(-1, 1, 50)
        train = np.random.default_rng(1).uniform(-1, 1, (len(to["n_features"]), 2, rows))
        put(to, "point", ("point",), x)
        put(to, "point_target", ("point",), x**2)
        put(to, "training_input", ("n_features", "predicted_repeat", "training_row"), train)
        put(to, "training_target", ("n_features", "predicted_repeat", "training_row"), train**2)
        shape = tuple(len(to.dimensions[d]) for d in ("variant", "n_features", "n_train", "predicted_repeat"))
        said = np.broadcast_to(1e3 * x**2, (*shape, 50))
        put(to, "prediction", ("variant", "n_features", "n_train", "predicted_repeat", "point"), said.copy())


@unittest.skipIf(MISSING, MISSING)
class WhatIsDrawn(FiguresTest):
    def names(self, *arguments: str) -> tuple[list[str], list[str]]:
        paths, messages = self.run_figures(self.results, *arguments)
        for path in paths:
            self.assertGreater(path.stat().st_size, 5000, path)
        return [path.stem for path in paths if path.suffix == ".png"], messages

    def test_one_n_at_many_p(self) -> None:
        write_results(self.results, Group("poly", n_features=P, n_train=(6,), variants=SMALL))
        names, messages = self.names()
        self.assertEqual(names, SWEEP)
        self.assertEqual(messages, ["figures.py: no figures against N: every data set has one N at each of its P"])

    def test_fitted_curves(self) -> None:
        for repeats in (1, 7):
            write_results(self.results, Group("poly", n_features=P, n_train=(6,), variants=SMALL, repeats=repeats))
            add_predictions(self.results, "poly", 6)
            self.assertEqual(self.names()[0], [*SWEEP, "fitted_curves"])

    def test_surface(self) -> None:
        write_results(self.results, Group("relu", n_features=P, n_train=P, variants=SMALL))
        add_theory(self.results, "relu", "theory_asymptotic_test_mse")
        names, messages = self.names()
        self.assertEqual(names, ["error", "cutoff", "cutoff_train", "sigma_min", *SWEEP, "surface"])
        self.assert_one_line(messages, "relu: figures against N show P = 2, 4, 9, 13 of 5 values")

    def test_unablated_sweep_alone(self) -> None:
        write_results(self.results, Group("relu", n_features=P, n_train=(6,), variants=SMALL[:1], cells=False))
        self.assertEqual(self.names()[0], SWEEP[:1])

    def test_beside_another_dataset(self) -> None:
        write_results(self.results, Group("poly", n_features=P, n_train=(6,), variants=SMALL), Group(variants=SMALL))
        names, _ = self.names()
        self.assertEqual(names, ["error", "cutoff", "cutoff_train", "sigma_min", *SWEEP])

    def test_few_p_are_no_sweep(self) -> None:
        write_results(self.results, Group("two", n_features=(2, 4), variants=SMALL))
        names, messages = self.names()
        self.assertEqual(names, ["error", "cutoff", "cutoff_train", "sigma_min"])
        self.assertEqual(len(messages), 1)

    def test_cells_that_are_not_asked_for(self) -> None:
        asked = {p: [p // 2, p, 2 * p] for p in (2, 4, 8, 16)}
        sizes = tuple(sorted({n for of_p in asked.values() for n in of_p}))
        write_results(self.results, Group("relu", n_features=tuple(asked), n_train=sizes, variants=SMALL))
        leave_out(self.results, "relu", asked)
        names, messages = self.names()
        self.assertEqual(names, ["error", "cutoff", "cutoff_train", "sigma_min", *SWEEP])
        self.assertEqual([line for line in messages if "missing" in line or "failed" in line], [])

    def test_gradient_descent(self) -> None:
        steps = [(name, t) for name in ("gradient_descent_run", "gradient_descent") for t in (1, 10, 100, 1000)]
        write_results(self.results, Group(variants=[("none", None), *steps]))
        with netCDF4.Dataset(self.results, "a") as root:
            to = root["diabetes"]
            put(to, "sigma_max", ("n_features", "n_train", "repeat"), to["sigma_min"][:] * 5)
            put(to, "sigma_max_median", ("n_features", "n_train"), to["sigma_min_median"][:] * 5)
        self.assertIn("descent_run", self.names()[0])
        self.assertIn("gradient_descent_run", self.names()[0])


@unittest.skipIf(MISSING, MISSING)
class Curves(unittest.TestCase):
    """What curves against P are made of, asked of the module itself."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="ridgeless-figures-")
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "study.nc"

    def sweep(self, group: Group, asked: dict[int, list[int]] | None = None):
        from read import results, sweeps

        write_results(self.path, group)
        if asked:
            leave_out(self.path, group.name, asked)
        return sweeps.sweeps(results.read(self.path)[0])[0]

    def test_values_are_those_of_the_file(self) -> None:
        sweep = self.sweep(Group("s", n_features=P, n_train=(3, 6), variants=SMALL))
        with netCDF4.Dataset(self.path) as root:
            medians, table = root["s"]["test_mse_median"][:], root["s"]["test_mse_quantile"][:]
        for j, n in enumerate((3, 6)):
            curve = sweep.curve("test_mse", "cutoff", n)
            np.testing.assert_array_equal(curve.median, medians[1, :, j])
            np.testing.assert_array_equal(curve.quantiles[0.25], table[1, :, j, 1])
            np.testing.assert_array_equal(sweep.labelled("test_mse", "cutoff=0.1", n).median, medians[1, :, j])
        self.assertIsNone(sweep.curve("test_mse", "ridge", 3))
        self.assertEqual((sweep.sizes(), sweep.middle_size()), ([3, 6], 6))

    def test_what_is_not_asked_is_no_n_of_its_p(self) -> None:
        asked = {2: [2, 6], 4: [4, 6], 6: [6, 12], 9: [9], 13: [13]}
        sweep = self.sweep(Group("s", n_features=P, n_train=(2, 4, 6, 9, 12, 13), variants=SMALL), asked)
        self.assertEqual([d.n_train.tolist() for d in sweep.datasets], list(asked.values()))
        self.assertEqual(sweep.sizes(), [6])
        curve = sweep.curve("test_mse", "none", 6)
        self.assertEqual(np.isfinite(curve.median).tolist(), [True, True, True, False, False])
        self.assertTrue(all(d.incomplete() is None for d in sweep.datasets))


if __name__ == "__main__":
    unittest.main()
