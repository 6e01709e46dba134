"""Features of a lower rank than their number, as dummy variables and copied columns make them (reported of many tables): every
way of computing against NumPy's pinv, and where each command says that the threshold is. All expectations are NumPy's."""
import json
import pathlib
import shutil
import tempfile
import unittest

import netCDF4
import numpy as np
import xarray

import tier
from program import run

EPS = np.finfo(float).eps
ZERO = 1e-20  # of the mean square target
ROWS, NUMBERS, LEVELS = 90, 15, (6, 6, 6, 6)
WAYS = [  # what the study says beside, on how many ranks, and how it is computed then
    (", producer: lapack", "", None, "full spectra"),
    ("", "", None, "full spectra, updated row by row"),
    ("", "full_spectra: {around_threshold: 0}\n", None, "nested factorization"),
    (", ranks_per_case: 2", "", 2, "nested factorization on process grids"),
    (", producer: pdgesvd", "", None, "full spectra on process grids"),
    (", producer: projected, ranks_per_case: 2", "", 2, "full spectra on process grids"),
    (", producer: two-stage", "", None, "full spectra on process grids"),
]


def dummies(rows, numbers, levels, seed=0):
    """Normal numbers, and for each category a column per level: every category's columns add up to one."""
    generator = np.random.default_rng(seed)
    x = generator.standard_normal((rows, numbers))
    for n in levels:
        x = np.hstack([x, np.eye(n)[generator.permutation(np.arange(rows) % n)]])
    return x, x @ generator.standard_normal(x.shape[1]) + generator.standard_normal(rows)


def errors(x, targets, order, n):
    """Mean squared test errors with N rows of least squares to each of the targets."""
    train, test = order[:n], order[n:]
    inverse = np.linalg.pinv(x[train], rcond=max(n, x.shape[1]) * EPS)
    return [np.mean((x[test] @ (inverse @ t[train]) - t[test]) ** 2) for t in targets]


class Tables(unittest.TestCase):
    """Tables of a study each, in a folder that is gone afterwards."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.at = pathlib.Path(folder.name)

    def table(self, x, y, name="t.csv"):
        head = ",".join([*(f"x{j}" for j in range(x.shape[1])), "y"])
        np.savetxt(self.at / name, np.c_[x, y], delimiter=",", header=head, comments="", fmt="%.17g")

    def study(self, n_train, ablations, beside="", top="", repeats=3):
        source = f"{{source: csv, name: t, file: t.csv, target: y{beside}}}"
        text = f"repeats: {repeats}\n{top}n_train: {n_train}\nablations: {ablations}\ndatasets: [{source}]\n"
        for old in self.at.glob("s.nc*"):
            old.unlink()
        (self.at / "s.yaml").write_text(text)

    def results(self, ranks=None):
        run("run", "s.yaml", "-q", "--fresh", cwd=self.at, ranks=ranks, check=0)
        d = xarray.load_dataset(self.at / "s.nc", group="t")
        return d.isel(n_features=0)

    def answer(self, command, path):
        return json.loads(run(command, path, "--json", cwd=self.at, check=0).stdout)["datasets"]

    def said(self, *arguments):
        done = run(*arguments, cwd=self.at, check=0)
        return done.stdout + done.stderr

    def orders(self, x, repeats=3):
        """The row orders of this data set's repeats, from the first features of its training rows, which differ."""
        self.study(f"[{len(x) - 5}]", "[none]", ", keep: [cells, directions]", repeats=repeats)
        place = {value: i for i, value in enumerate(x[:, 0])}
        train = [[place[value] for value in rows] for rows in self.results().training_row.values[:, :, 0]]
        return [np.array([*rows, *(set(range(len(x))) - set(rows))]) for rows in train]

    def hold(self, x, y, d, orders):
        """Every error against NumPy's, to rounding; that of the best linear model is zero where NumPy's is."""
        scale, rank = np.mean(y**2), np.linalg.matrix_rank(x)
        best = x @ (np.linalg.pinv(x, rcond=max(x.shape) * EPS) @ y)
        for i, n in enumerate(d.n_train.values):
            for r, order in enumerate(orders):
                expected = errors(x, (y, best), order, int(n))
                for variant, value in zip(("none", "no_residuals"), expected):
                    found = float(d.test_mse.sel(variant=variant).values[i, r])
                    message = f"{variant}, N = {n}, repeat {r}: {found}, not {value}"
                    self.assertLess(abs(found - value), 1e-9 * value + ZERO * scale, message)
                if np.linalg.matrix_rank(x[order[:n]]) == rank:
                    self.assertLess(float(d.test_mse.sel(variant="no_residuals").values[i, r]), ZERO * scale)


class Methods(Tables):
    def test_every_way_of_computing_equals_numpy(self):
        x, y = dummies(ROWS, NUMBERS, LEVELS)
        self.table(x, y)
        rank, orders = int(np.linalg.matrix_rank(x)), self.orders(x)
        self.assertEqual((x.shape[1], rank), (39, 36))
        for beside, top, ranks, way in tier.of(WAYS[:4], WAYS):
            with self.subTest(way + beside):
                single = "row by row" in way
                self.study(
                    "{range: [1, 84]}" if single else "{ratios: [0.5, 2], around_threshold: 4}",
                    "[none, no_residuals]",
                    beside,
                    top,
                )
                self.assertEqual(self.answer("plan", "s.yaml")[0]["way"], way)
                d = self.results(ranks)
                if not single:
                    around = [*range(rank - 4, rank + 5)]
                    self.assertEqual(d.n_train.values.tolist(), sorted([rank // 2, *around, 2 * rank]))
                self.hold(x, y, d, orders)

    def test_few_features_side_by_side_equal_numpy(self):
        x, y = dummies(60, 3, (3, 2))
        self.table(x, y)
        self.assertEqual(int(np.linalg.matrix_rank(x)), 7)
        orders = self.orders(x)
        self.study("{range: [1, 40]}", "[none, no_residuals]")
        self.assertEqual(self.answer("plan", "s.yaml")[0]["way"], "full spectra, repeats side by side")
        self.hold(x, y, self.results(), orders)

    def test_published_arithmetic_has_the_same_rank(self):
        """`random: numpy` takes the normal equations, which dummies leave singular but for rounding: dgesv solves them."""
        x, y = dummies(50, 4, (3, 3))
        x[:, 4:] *= 0.1  # no exact cancellation
        self.table(x, y)
        self.study("{range: [1, 40]}", "[none, no_residuals]", top="random: numpy\n")
        orders = [np.random.RandomState(r).permutation(50)[::-1] for r in range(3)]
        self.hold(x, y, self.results(), orders)

    def test_columns_in_units_far_apart(self):
        """A count of 1e9 and a concentration of 1e-8: fits see one of them, and so does the best linear model."""
        generator = np.random.default_rng(0)
        a, b, noise = generator.standard_normal((3, 60))
        x, y = np.c_[1e9 * a, 1e-8 * b], a + b + 0.1 * noise
        self.assertEqual(int(np.linalg.matrix_rank(x)), 1)
        self.table(x, y)
        orders = self.orders(x)
        self.study("{range: [1, 20]}", "[none, no_residuals]")
        d = self.results()
        self.hold(x, y, d, orders)
        self.assertEqual((d.attrs["rank"], d.attrs["threshold"], d.attrs["scales_apart"]), (1, 1, 1))
        apart = "units so far apart that the smaller ones are lost in rounding: see `standardize`"
        for words in (("run", "s.yaml", "--fresh"), ("plan", "s.yaml"), ("show", "s.nc")):
            self.assertIn(apart, self.said(*words))
        self.study("{range: [1, 20]}", "[none, no_residuals]", ", standardize: unit-norm")
        self.assertNotIn("but the features", self.said("run", "s.yaml"))
        self.assertEqual(self.answer("plan", "s.yaml")[0]["threshold"], 2)


class Told(Tables):
    """Where people and programs are told."""

    def test_all_commands_tell_both_numbers(self):
        x, y = dummies(ROWS, NUMBERS, LEVELS)
        self.table(x, y)
        self.study("{ratios: [0.5, 1, 2]}", "[none, no_residuals]")
        both = "P = 39, but the features have rank 36"
        for words in (("run", "s.yaml"), ("plan", "s.yaml")):
            self.assertIn(f"{both}: the threshold is at N = 36", self.said(*words))
        shown = self.said("show", "s.nc")
        self.assertIn(f"t: {both}; 3 repeats", shown)
        self.assertRegex(shown, r"median test error at +N = 18 +N = 36 +N = 72")
        self.assertIn("Where the features have a lower rank, that is the threshold and stands for P.", shown)
        plan, show = self.answer("plan", "s.yaml")[0], self.answer("show", "s.nc")[0]
        self.assertEqual([plan[key] for key in ("n_features", "rank", "threshold", "n_train")], [39, 36, 36, [18, 36, 72]])
        self.assertEqual(
            [show[key] for key in ("n_features", "threshold", "threshold_n", "flank_n", "n_modes")], [39, 36, 36, [18, 72], 36]
        )
        with netCDF4.Dataset(self.at / "s.nc") as file:
            group = file["t"]
            self.assertEqual((group.rank, group.threshold, group["threshold_n_train"][:].tolist()), (36, 36, [36]))
            medians = group["test_mse_median"][0, 0]
            self.assertEqual(group["spike_height"][0, 0], medians[1] / max(medians[0], medians[2]))
            self.assertNotIn("scales_apart", group.ncattrs())

    def test_study_without_the_rank_says_so(self):
        x, y = dummies(ROWS, NUMBERS, LEVELS)
        self.table(x, y)
        self.study("[10, 39]", "none")
        run("run", "s.yaml", "-q", cwd=self.at, check=0)
        shown = self.said("show", "s.nc")
        self.assertIn("(no N = the rank in the study: N = 39 stands for the threshold)", shown)
        self.assertIn("(no spike height: the study does not have N near half the rank, the rank and twice the rank)", shown)

    def test_full_rank_is_not_told(self):
        x, y = dummies(ROWS, NUMBERS, ())
        self.table(x, y)
        self.study("{ratios: [0.5, 1, 2]}", "none")
        for words in (("run", "s.yaml"), ("plan", "s.yaml"), ("show", "s.nc")):
            self.assertNotIn("the features have", self.said(*words))
        self.assertEqual(self.results().attrs["rank"], NUMBERS)

    def test_few_rows_tell_nothing_of_the_rank(self):
        x, y = dummies(20, 30, ())
        self.table(x, y)
        self.study("[5, 10]", "none")
        self.assertEqual([self.answer("plan", "s.yaml")[0][key] for key in ("rank", "threshold")], [20, 30])

    def test_each_number_of_features_has_its_own(self):
        """Copies of the first three columns: of P of them, min(P, 3) are independent."""
        generator = np.random.default_rng(1)
        z = generator.standard_normal((40, 3))
        self.table(np.hstack([z, z, z]), z.sum(axis=1) + generator.standard_normal(40))
        self.study("{ratios: [1, 2]}", "none", ", n_features: [2, 3, 5, 9]")
        run("run", "s.yaml", "-q", cwd=self.at, check=0)
        d = xarray.load_dataset(self.at / "s.nc", group="t")
        self.assertEqual(d.attrs["rank"].tolist(), [2, 3, 3, 3])
        self.assertEqual(d.attrs["threshold"].tolist(), [2, 3, 3, 3])
        self.assertEqual(d.threshold_n_train.values.tolist(), [2, 3, 3, 3])
        told = "from P = 5 on the features have a lower rank"
        for words in (("run", "s.yaml", "--fresh"), ("plan", "s.yaml"), ("show", "s.nc")):
            self.assertIn(told, self.said(*words))

    def test_polynomials_of_few_inputs_have_few_values(self):
        """Of four different inputs, polynomials of any number have rank 4 at most."""
        x = np.tile([-0.9, -0.2, 0.3, 0.8], 10)[:, None]
        self.table(x, np.arange(40.0))
        self.study("{ratios: [1]}", "none", ", map: legendre, n_features: [2, 4, 7]")
        self.assertEqual([d["rank"] for d in self.answer("plan", "s.yaml")], [2, 4, 4])
        self.assertEqual([d["n_train"] for d in self.answer("plan", "s.yaml")], [[2], [4], [4]])

    def test_other_ranks_have_the_same_plan(self):
        x, y = dummies(ROWS, NUMBERS, LEVELS)
        self.table(x, y)
        self.study("{ratios: [0.5, 1, 2]}", "[none, no_residuals]", ", n_features: [10, 30, 39]")
        run("run", "s.yaml", "-q", cwd=self.at, check=0)
        shutil.copy(self.at / "s.nc", self.at / "one.nc")
        run("run", "s.yaml", "-q", "--fresh", cwd=self.at, ranks=3, check=0)
        self.assertIn("the same bits", self.said("diff", "one.nc", "s.nc"))

    def test_init_goes_through_the_rank(self):
        """The study that `init` writes standardizes, which takes a further column: a mean of zero."""
        x, y = dummies(ROWS, 3, (4, 4))
        self.table(x, y)
        rank = int(np.linalg.matrix_rank((x - x.mean(axis=0)) / x.std(axis=0)))
        self.assertEqual((x.shape[1], rank), (11, 9))
        self.assertIn("P = 11, but the features have rank 9.", self.said("init", "own.yaml", "--csv", "t.csv", "--target", "y"))
        self.assertIn("P = 11 features, but the features have rank 9: N goes through N = 9.", (self.at / "own.yaml").read_text())
        plan = self.answer("plan", "own.yaml")[0]
        self.assertEqual((plan["threshold"], max(plan["n_train"])), (9, 36))

    def test_table_in_blocks_must_have_independent_features(self):
        x, y = dummies(ROWS, NUMBERS, LEVELS)
        apart = x[:, :2] * [1e9, 1e-8]
        for features, message in ((x, "depends linearly on those before it"), (apart, "have a lower rank than 2 in the units")):
            with netCDF4.Dataset(self.at / "t.nc", "w") as file:
                file.createDimension("row", len(y))
                file.createDimension("feature", features.shape[1])
                file.createVariable("x", "f8", ("row", "feature"))[:] = features
                file.createVariable("y", "f8", ("row",))[:] = y
            source = "{source: netcdf, file: t.nc, features: x, target: y, load: blocks}"
            (self.at / "s.yaml").write_text(f"repeats: 1\nn_train: [1, 2]\nablations: none\ndatasets: [{source}]\n")
            done = run("run", "s.yaml", cwd=self.at, check=2)
            self.assertIn(message, done.stderr)
            self.assertEqual(done.stderr.count("ridgeless: dataset `netcdf`"), 1, done.stderr)


@tier.in_all_alone
class ManyTables(Tables):
    """Random numbers of categories and levels, with copied and constant columns."""

    def test_ranks_are_numpys(self):
        for seed in range(40):
            generator = np.random.default_rng(seed)
            levels = generator.integers(2, 7, generator.integers(0, 5))
            x, y = dummies(60, int(generator.integers(1, 8)), levels, seed)
            x = np.hstack([x, x[:, : generator.integers(0, 3)], np.ones((60, generator.integers(0, 2)))])
            x = x[:, generator.permutation(x.shape[1])] * 10.0 ** generator.integers(-3, 4, x.shape[1])
            self.table(x, y)
            self.study("[1]", "none")
            self.assertEqual(self.answer("plan", "s.yaml")[0]["rank"], int(np.linalg.matrix_rank(x)), seed)


if __name__ == "__main__":
    unittest.main()
