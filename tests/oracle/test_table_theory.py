"""What second moments predict (`theory: table`) against the mean and the median of thousands of splits of real tables, and
against an implementation of its own in NumPy. Data sets that do not ship are skipped by name."""
import os
import pathlib
import tempfile
import unittest

import netCDF4
import numpy as np

import tier
from program import SOURCE, run

DATA = pathlib.Path(os.environ.get("RIDGELESS_DATA", "/nowhere"))
MEAN, MEDIAN = "theory_table_test_mse", "theory_table_test_mse_median"


class TableTheory(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.at = pathlib.Path(folder.name)

    def run_study(self, dataset, n_train, ablations, repeats):
        """Of each variant, by its label: mean, standard error, median, and both predictions, by N."""
        text = f"seed: 1\nrepeats: {repeats}\nn_train: {list(n_train)}\nablations: {ablations}\ntheory: table\n"
        (self.at / "study.yaml").write_text(text + f"datasets:\n  - {{{dataset}, name: it}}\n")
        run("run", "study.yaml", "-q", "--fresh", "-o", "study.nc", cwd=self.at, check=0)
        names = ("test_mse_mean", "test_mse_standard_error", "test_mse_median", MEAN, MEDIAN)
        with netCDF4.Dataset(self.at / "study.nc") as file:
            table = np.array([np.ma.filled(file["it"][name][:, 0], np.nan) for name in names])
            return {label: dict(zip(n_train, table[:, i].T)) for i, label in enumerate(file["it"]["variant"][:])}

    def check_ridge(self, found, p):
        for n, (mean, _, _, predicted, _) in found.items():
            if abs(n - p) >= 2:
                self.assertAlmostEqual(predicted / mean, 1, delta=0.025, msg=f"N = {n}")

    def test_diabetes(self):
        n_train = (2, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 20, 40)
        found = self.run_study("source: diabetes", n_train, "[none, ridge: 0.1]", 2000)
        self.check_ridge(found["ridge=0.1"], 10)
        for n, (_, _, median, _, predicted) in found["none"].items():
            factor = 1.15 if abs(n - 10) >= 4 else 1.5
            self.assertLess(abs(np.log(predicted / median)), np.log(factor), f"N = {n}: {predicted / median}")

    @tier.in_all_alone
    @unittest.skipUnless((DATA / "cal_housing.data").exists(), "cal_housing.data is not there")
    def test_california(self):
        n_train = (2, 4, 5, 6, 7, 8, 9, 10, 12, 14, 20, 39)
        found = self.run_study("source: california, standardize: z-score", n_train, "[none, ridge: 100]", 2000)
        self.check_ridge(found["ridge=100"], 8)
        raw = self.run_study("source: california", n_train, "[none]", 2000)
        for n, (_, _, median, _, predicted) in [*found["none"].items(), *raw["none"].items()]:
            if n >= 4:
                self.assertLess(abs(np.log(predicted / median)), np.log(1.65), f"N = {n}: {predicted / median}")

    @tier.in_all_alone
    @unittest.skipUnless((DATA / "life_expectancy_who_rajarshi.csv").exists(), "life_expectancy_who_rajarshi.csv is not there")
    def test_who(self):
        found = self.run_study("source: who, standardize: z-score", (2, 8, 15, 19, 24, 39), "[ridge: 100]", 2000)
        self.check_ridge(found["ridge=100"], 17)

    @tier.in_all_alone
    def test_three_scales_have_three_peaks(self):
        far, peaks = (1, 2, 3, 40, 44, 48), (8, 16, 24)
        near = [n + beside for n in peaks for beside in (-3, 0, 3)]
        scales = "design: scales, scales: [100, 1, 0.01], scale_features: [8, 8, 8], noise: 300"
        source = f"source: student-teacher, draw: fresh, rows: 150, features: 24, hidden_features: 24, {scales}"
        none = self.run_study(source, sorted({*far, *near}), "[none]", 4000)["none"]
        for n in peaks:
            for beside in (n - 3, n + 3):
                self.assertGreater(none[n][2], 1.5 * none[beside][2])
        for n in far:
            mean, error, _, predicted, _ = none[n]
            self.assertLess(abs(predicted / mean - 1), 0.02 + 3 * error / mean, f"N = {n}")
        for n, (_, _, median, _, predicted) in none.items():
            self.assertLess(abs(np.log(predicted / median)), np.log(1.25), f"N = {n}")

    def test_small_features_descend_again_in_time(self):
        """Heckel and Yilmaz 2021: noise is fitted before the small features are learned."""
        run("run", SOURCE / "jobs" / "descent-in-time.yaml", "-q", "-o", "study.nc", cwd=self.at, check=0)
        with netCDF4.Dataset(self.at / "study.nc") as file:
            error = file["two-speeds"]["test_mse_median"][1:, 0, 0]  # by steps, after least squares
        top = int(np.argmax(error))
        first, last = error[:top].min(), error[top:].min()
        self.assertLess(first, error[0])
        self.assertGreater(error[top], 1.3 * first)
        self.assertLess(last, first)

    def test_numbers_of_ridge(self):
        """Hastie, Montanari, Rosset and Tibshirani 2022, arXiv:1903.08560, with one eigenvalue problem."""
        x, y = self.diabetes()
        s, v = np.linalg.eigh(x.T @ x / len(x))
        best = np.linalg.lstsq(x, y, rcond=None)[0]
        b, noise = v.T @ best, np.mean((y - x @ best) ** 2)
        found = self.run_study("source: diabetes", (3, 10, 30), "[ridge: [0.001, 0.1, 3]]", 1)
        for label, by_n in found.items():
            penalty = float(label.split("=")[1])
            for n, numbers in by_n.items():
                low, high = -80.0, 80.0
                for _ in range(200):
                    kappa = np.exp((low + high) / 2)
                    above = (s / (s + kappa)).sum() + penalty / kappa > n
                    low, high = ((low + high) / 2, high) if above else (low, (low + high) / 2)
                df2 = (s**2 / (s + kappa) ** 2).sum()
                expected = (kappa**2 * (s * b**2 / (s + kappa) ** 2).sum() + noise) / (1 - df2 / n)
                self.assertAlmostEqual(numbers[3] / expected, 1, delta=1e-9, msg=f"{label}, N = {n}")

    @staticmethod
    def diabetes():
        x = np.loadtxt(SOURCE / "jobs" / "data" / "diabetes_data_raw.csv.gz")
        x = x - x.mean(axis=0)
        return x / np.sqrt((x**2).sum(axis=0)), np.loadtxt(SOURCE / "jobs" / "data" / "diabetes_target.csv.gz")

    def test_rank_below_the_features(self):
        """A column that others add up to: s^2 (N - 1) / (N - rank - 1), with s of the best linear model."""
        rng = np.random.default_rng(3)
        x = rng.standard_normal((200, 3))
        x = np.c_[x, x[:, 0] + x[:, 1]]
        y = x @ [1, 2, 3, 4] + rng.standard_normal(200)
        np.savetxt(self.at / "table.csv", np.c_[x, y], delimiter=",", header="a,b,c,d,y", comments="", fmt="%.17g")
        found = self.run_study("source: csv, file: table.csv, target: y", (1, 2, 3, 4, 5, 9), "[none, no_residuals]", 50)
        noise = np.mean((y - x @ np.linalg.lstsq(x, y, rcond=None)[0]) ** 2)
        for n in (5, 9):
            self.assertAlmostEqual(found["none"][n][3] / (noise * (n - 1) / (n - 4)), 1, delta=1e-9)
            self.assertLess(found["no_residuals"][n][3], 1e-20)
        for n in (2, 3, 4):
            self.assertTrue(np.isinf(found["none"][n][3]) and np.isfinite(found["none"][n][4]))
        self.assertTrue(np.isfinite(found["none"][1][3]))


if __name__ == "__main__":
    unittest.main()
