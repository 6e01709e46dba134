"""Numbers at the edges of what doubles can say, and training sets in which there is little or nothing: against NumPy's
pseudoinverse, or by hand."""
import pathlib
import tempfile
import unittest

import numpy as np
import xarray

import tier
from program import run

EPS = np.finfo(float).eps
DONE = 0
# What numpy.linalg.pinv makes of these ablations, at a cutoff in units of the largest singular value.
PLAIN = "[none, {cutoff: {values: [0.3], relative: true}}, {leading_modes: [1]}, {ridge: {values: [0.1], relative: true}}]"


def normal(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape)


def split(order, n):
    """Rows of the training set of n rows, and all others: `random: numpy` reads NumPy's own permutation from its end."""
    return order[::-1][:n], order[: len(order) - n]


def fit(x, y, variant):
    """Parameters by NumPy alone, and those that training errors are of."""
    u, sigma, vt = np.linalg.svd(x, full_matrices=False)
    kept = sigma > max(x.shape) * EPS * sigma[0]
    name, _, parameter = variant.partition("=")
    if name == "ridge":
        unit = 2.0 ** np.floor(np.log2(sigma[0])) if sigma[0] > 0 else 1
        ratio = sigma[kept] / unit / (np.square(sigma[kept] / unit) + 0.1 * np.square(sigma[0] / unit)) / unit
        beta = vt[kept].T @ (ratio * (u.T @ y)[kept])
        return beta, beta
    whole = np.linalg.pinv(x, max(x.shape) * EPS) @ y
    if name == "cutoff":
        cut = np.linalg.pinv(x, max(0.3 - 1e-12, max(x.shape) * EPS)) @ y
        return cut, cut
    if name == "leading_modes":
        return vt[:1].T @ (vt[:1] @ whole), whole
    return whole, whole


def mean_square(x, y, beta):
    return np.mean(np.square(x @ beta - y))


class Edges(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.at = pathlib.Path(folder.name)

    def write(self, x, y):
        rows = np.column_stack([x, y])
        head = ",".join([f"x{j}" for j in range(x.shape[1])] + ["y"])
        lines = [",".join(repr(float(value)) for value in row) for row in rows]
        (self.at / "t.csv").write_text("\n".join([head, *lines]) + "\n")

    def study(self, ablations=PLAIN, n_train="[1, 2, 4, 5, 6, 10, 20]", repeats=2, random="numpy", more="", dataset=""):
        (self.at / "s.yaml").write_text(
            f"repeats: {repeats}\nrandom: {random}\nn_train: {n_train}\nablations: {ablations}\n{more}\n"
            f"datasets: [{{source: csv, name: t, file: t.csv, target: y, standardize: none{dataset}}}]\n"
        )
        (self.at / "s.nc").unlink(missing_ok=True)
        (self.at / "s.nc.journal").unlink(missing_ok=True)

    def run_study(self, check=0, ranks=None):
        done = run("run", "s.yaml", cwd=self.at, check=check, ranks=ranks)
        found = xarray.load_dataset(self.at / "s.nc", group="t", engine="netcdf4").isel(n_features=0)
        return done.stderr, found

    def compare(self, x, y, found, tolerance=1e-9):
        """Every error, rank and smallest singular value, against NumPy's to eps x condition^2."""
        for repeat in found.repeat.values:
            order = np.random.RandomState(repeat).permutation(len(y))
            for n in found.n_train.values:
                train, test = split(order, n)
                at = found.sel(n_train=n, repeat=repeat)
                sigma = np.linalg.svd(x[train], compute_uv=False)
                kept = sigma[sigma > max(n, x.shape[1]) * EPS * sigma[0]]
                self.assertEqual(at.status, DONE)
                self.assertEqual(int(at["rank"]), len(kept), (repeat, n))
                if len(kept) == 0:
                    self.assertTrue(np.isnan(at.sigma_min) and at.sigma_max == 0)
                    condition = 1
                else:
                    condition = kept[0] / kept[-1]
                    self.assertLessEqual(abs(at.sigma_min - kept[-1]), 100 * EPS * kept[0])
                errors = np.stack([at.test_mse.values, at.train_mse.values], axis=1)
                for variant, got in zip(found.variant.values, errors):
                    predicting, training = fit(x[train], y[train], variant)
                    expected = mean_square(x[test], y[test], predicting), mean_square(x[train], y[train], training)
                    for error, expected in zip(np.abs(got - expected), expected):
                        size = np.mean(np.square(y)) + expected
                        self.assertLessEqual(error, max(tolerance, 1e4 * EPS * condition**2) * size, (variant, repeat, n))

    # ---- sizes of numbers

    def test_columns_and_targets_of_any_size(self):
        """The unit of features and targets does not matter, by any producer."""
        x, y = normal(1, 40, 5), normal(2, 40)
        for unit in tier.of((1e300, 1e-300), (1e300, 1e200, 1e100, 1e-100, 1e-200, 1e-300)):
            for size in (1e150, 1, 1e-150):
                self.write(x * unit, y * size)
                self.study()
                apart = np.log10(size) - np.log10(unit)
                if not -301 < apart < 270:  # coefficients are no doubles
                    err = run("run", "s.yaml", cwd=self.at, check=2).stderr
                    self.assertIn("such numbers " + ("underflow" if apart < 0 else "overflow") + "; expected units nearer", err)
                    continue
                stderr, found = self.run_study()
                self.assertNotIn("infinite", stderr)
                self.compare(x * unit, y * size, found)

    def test_beside_each_other(self):
        """1e300 beside 1e-300: the small column is nothing beside the large one, as for NumPy."""
        x, y = normal(3, 40, 3) * [1e300, 1e-300, 1e300], normal(4, 40)
        self.write(x, y)
        self.study()
        _, found = self.run_study()
        self.assertEqual(int(found["rank"].max()), 2)
        self.compare(x, y, found)

    def test_methods_agree_on_any_size(self):
        """The methods for one rank and the producers on a grid, against LAPACK on the same rows."""
        ablations = "[none, no_residuals, {cutoff: {values: [0.3], relative: true}}, {ridge: {values: [0.1], relative: true}}, "
        ablations += "{gradient_descent: [10]}]"  # attacks have the sign of a mode, which grids choose otherwise
        for unit in (1e250, 1e-250):
            self.write(normal(5, 60, 6) * unit, normal(6, 60))
            errors = []
            for more in ("producer: lapack", "", "producer: projected", "producer: two-stage", "producer: pdgesvd"):
                self.study(ablations, "[1, 5, 6, 7, 12]", 2, "philox", dataset=f", {more}" if more else "")
                stderr, found = self.run_study()
                self.assertNotIn("infinite", stderr)
                errors.append((found.test_mse, found.train_mse, found.sigma_min / unit))
            for got in errors[1:]:
                for a, b in zip(errors[0], got):
                    np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-20)  # eps x condition^2 at the threshold

    def test_targets_out_of_range_are_refused_by_row(self):
        self.write(normal(7, 12, 2), np.full(12, 1e160))
        self.study(n_train="[2]")
        err = run("run", "s.yaml", cwd=self.at, check=2).stderr
        self.assertIn("the target of row 1 is 1e+160: squared errors of such numbers overflow; expected at most 3e+150", err)
        self.write(normal(7, 12, 2), np.full(12, 1e-200))
        err = run("run", "s.yaml", cwd=self.at, check=2).stderr
        self.assertIn("squared errors of such numbers underflow; expected at least 3e-151", err)

    def test_infinite_errors_are_counted_and_said(self):
        """Descent in steps of 3 / sigma_1^2 multiplies what is left along the first mode by -2 each time: 2^(2 x 1000) times a
        number is no double."""
        self.write(normal(8, 30, 4), normal(9, 30))
        self.study("[none, {gradient_descent: {values: [1000], rate: 3}}]", "[2, 4, 8]")
        for more in ("", "keep: summary"):
            self.study("[none, {gradient_descent: {values: [1000], rate: 3}}]", "[2, 4, 8]", more=more)
            said = "6 of 12 mean errors are infinite, as squares leave the range of numbers (1.8e308): first that of "
            done = run("run", "s.yaml", cwd=self.at, check=0)
            self.assertIn(f"s.nc: {said}`gradient_descent=1000 rate=3` on `t`, P = 4, N = 2", done.stderr)
            self.assertIn(said, run("show", "s.nc", cwd=self.at, check=0).stdout)
            self.assertIn('"infinite_means": 6', run("show", "s.nc", "--json", cwd=self.at, check=0).stdout)
            with xarray.open_dataset(self.at / "s.nc", group="t") as found:
                self.assertTrue(np.isinf(found.test_mse_mean.sel(variant="gradient_descent=1000 rate=3")).all())
                self.assertTrue(np.isfinite(found.test_mse_mean.sel(variant="none")).all())

    # ---- little or nothing

    def test_zero_rows_have_the_solution_zero(self):
        """Sparse rows, most of them zero: whole training sets are. By NumPy, whose pseudoinverse of zeros is zeros."""
        x, y = normal(10, 60, 6) * (np.arange(60) % 9 == 4)[:, None], normal(11, 60)
        self.write(x, y)
        self.study()
        _, found = self.run_study()
        self.assertEqual(int(found["rank"].min()), 0)
        self.compare(x, y, found)

    def test_zero_rows_by_each_method(self):
        """Where no feature is more than 0, both errors are mean squares of targets: together they make up the sum over all rows.
        For no_residuals they are those of y*, which is 0 in training. The first N rows are zero, and later ones are not."""
        p = 40
        x, y = normal(12, 120, p) * (np.arange(120) % 40 == 7)[:, None], normal(13, 120)
        self.write(x, y)
        ideal = x @ (np.linalg.pinv(x, 120 * EPS) @ y)
        truncations = "[none, no_residuals, {cutoff: [0.01]}, {leading_modes: [2]}]"
        every = (
            truncations[:-1] + ", {ridge: [0.1]}, {gradient_descent: [3]}, {gradient_descent_run: [3]}, svd, adversarial_test: 1"
        )
        every += ", adversarial_train: 1]"
        methods = {
            "nested": ("[none, no_residuals]", "philox", ""),
            "updated": (truncations[:-1] + ", ridge: [0.1]]", "philox", ""),
            "spectra": (every, "philox", ", producer: lapack"),
            "numpy": (every, "numpy", ""),
            "nested on grids": ("[none, no_residuals]", "philox", ", ranks_per_case: 2"),
            "projected": (truncations, "philox", ", producer: projected"),
            "two-stage": (truncations, "philox", ", producer: two-stage"),
            "pdgesvd": (truncations, "philox", ", producer: pdgesvd"),
        }
        for name, (ablations, random, dataset) in methods.items():
            short = "[1, 2, 39, 40, 41, 80]" if "producer" in dataset else "{range: [1, 80]}"
            self.study(ablations, short, 3, random, dataset=dataset)
            _, found = self.run_study(ranks=2 if "ranks" in dataset else None)
            self.zeros_are_zero(name, found, x, y, ideal)

    def test_zero_rows_side_by_side(self):
        """The same where the features are so few that repeats go side by side in vector registers."""
        x, y = normal(14, 90, 4) * (np.arange(90) % 30 == 7)[:, None], normal(15, 90)
        self.write(x, y)
        self.study("[none, no_residuals, {cutoff: [0.01]}, {ridge: [1]}]", "{range: [1, 60]}", 9, "philox")
        plan = run("plan", "s.yaml", cwd=self.at, check=0).stdout
        self.assertIn("side by side", plan)
        _, found = self.run_study()
        self.zeros_are_zero("side by side", found, x, y, x @ (np.linalg.pinv(x, 90 * EPS) @ y))

    def zeros_are_zero(self, name, found, x, y, ideal):
        n_rows, zero = len(y), (found["rank"] == 0)
        self.assertTrue((found.status == DONE).all(), name)
        self.assertTrue(zero.any() and (~zero).any(), name)
        self.assertTrue(((found.sigma_max == 0) == zero).all() and (np.isnan(found.sigma_min) == zero).all(), name)
        self.assertTrue(np.isfinite(found.test_mse).all() and np.isfinite(found.train_mse).all(), name)
        for variant in found.variant.values:
            at = found.sel(variant=variant)
            both = at.test_mse * (n_rows - found.n_train) + at.train_mse * found.n_train
            expected = np.sum(np.square(ideal if variant == "no_residuals" else y))
            np.testing.assert_allclose(both.values[zero.values], expected, rtol=1e-12, err_msg=f"{name}, {variant}")
            if variant == "no_residuals":
                self.assertTrue((at.train_mse.values[zero.values] < 1e-25).all())
            if "modes_kept" in found and variant.startswith(("cutoff", "leading")):
                self.assertTrue((found.modes_kept_median.sel(variant=variant) >= 0).all())

    def test_zeros_alone(self):
        """Every feature 0: nothing is learned at any N, and the study is whole."""
        y = normal(16, 20)
        self.write(np.zeros((20, 2)), y)
        self.study("[none, no_residuals, {cutoff: [0.1]}, {ridge: {values: [1], relative: true}}]", "[1, 2, 4]")
        _, found = self.run_study()
        for repeat in found.repeat.values:
            order = np.random.RandomState(repeat).permutation(20)
            for n in found.n_train.values:
                test = split(order, n)[1]
                at = found.test_mse.sel(repeat=repeat, n_train=n)
                np.testing.assert_allclose(at.sel(variant="none"), np.mean(np.square(y[test])), rtol=1e-14)
                self.assertEqual(float(at.sel(variant="no_residuals")), 0)
        run("show", "s.nc", cwd=self.at, check=0)

    def test_one_feature_two_rows_and_rows_that_repeat(self):
        for x in (normal(17, 30, 1), np.repeat(normal(18, 4, 3), 8, axis=0), normal(19, 2, 3), np.ones((25, 1))):
            y = normal(20, len(x))
            self.write(x, y)
            self.study(n_train=str(sorted({1, 2, 3, 4, 5, 12, len(x) - 1} & set(range(1, len(x))))))
            _, found = self.run_study()
            self.compare(x, y, found)

    def test_targets_without_variance(self):
        """Of targets that are all 0 everything is 0, and no height is a number; of constant ones, what NumPy says."""
        x = normal(21, 40, 4)
        for value in (0, 3):
            self.write(x, np.full(40, value))
            self.study()
            stderr, found = self.run_study()
            self.compare(x, np.full(40, float(value)), found)
            shown = run("show", "s.nc", cwd=self.at, check=0).stdout
            self.assertNotIn("nan", shown)
            if value == 0:
                self.assertEqual(float(np.abs(found.test_mse).max()), 0)
                self.assertTrue(np.isnan(found.spike_height).all())

    # ---- columns that are constant

    def test_a_column_constant_to_rounding_is_told_by_name(self):
        x, y = normal(22, 30, 4), normal(23, 30)
        x[:, 2] = np.where(np.arange(30) % 2 == 0, 0.1 + 0.2, 0.3)
        self.write(x, y)
        self.study(dataset="", n_train="[2]")
        text = (self.at / "s.yaml").read_text()
        (self.at / "s.yaml").write_text(text.replace("standardize: none", "standardize: z-score"))
        err = run("run", "s.yaml", cwd=self.at, check=2).stderr
        self.assertIn("t.csv: column `x2` (feature 3) is 0.3 in every row, but for rounding, and cannot be scaled to unit ", err)
        self.assertIn("; leave it out with `except: [x2]`", err)
        (self.at / "s.yaml").write_text(text.replace("standardize: none", "standardize: z-score, except: [x2]"))
        run("run", "s.yaml", cwd=self.at, check=0)

    def test_a_centred_constant_is_nothing(self):
        """Centred, such a column is exactly zero: the errors are those without it, and the rank is one less."""
        x, y = normal(24, 40, 4), normal(25, 40)
        x[:, 1] = np.where(np.arange(40) % 3 == 0, 0.1 + 0.2, 0.3)
        found = []
        for columns in ([0, 1, 2, 3], [0, 2, 3]):
            self.write(x[:, columns], y)
            self.study("[none, no_residuals]", dataset="", n_train="[6, 12]")
            (self.at / "s.yaml").write_text((self.at / "s.yaml").read_text().replace("standardize: none", "standardize: center"))
            found.append(self.run_study()[1])
        self.assertTrue((found[0]["rank"] == 3).all())
        np.testing.assert_allclose(found[0].test_mse, found[1].test_mse, rtol=1e-11, atol=1e-25)
