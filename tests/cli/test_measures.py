"""`measures: [gcv, loo]`: the same by every way of computing, whose full spectra unit tests hold to refits; what cannot have
them is refused; journals with them and without go on with each other."""
import json
import math
import pathlib
import tempfile
import unittest

import netCDF4
import numpy as np

from program import data_groups, run

ABLATIONS = "[none, cutoff: 0.5, leading_modes: 3, ridge: [0.1, gcv], bagging_limit: 5]"
WAYS = [  # P, N, what the study says of its data set beside, and how that is computed
    (12, "[1, 5, 11, 12, 13, 30]", "", "full spectra, repeats side by side"),
    (40, "{range: [2, 60]}", "", "full spectra, updated row by row"),
    (40, "[2, 20, 39, 40, 41, 60]", ", producer: two-stage", "full spectra on process grids"),
]


class Measures(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.at = pathlib.Path(folder.name)

    def study(self, name, features, n_train, measures, beside="", ablations=ABLATIONS):
        source = f"{{source: student-teacher, name: t, rows: 120, hidden_features: 50, features: {features}{beside}}}"
        head = f"repeats: 3\nn_train: {n_train}\nablations: {ablations}\n"
        (self.at / name).write_text(f"{head}{f'measures: {measures}' if measures else ''}\ndatasets: [{source}]\n")

    def values(self, name, variable):
        with netCDF4.Dataset(self.at / name) as file:
            return file["t"][variable][:].filled(np.nan)

    def test_every_way_gives_the_same(self):
        for features, n_train, beside, way in WAYS:
            measures = "[gcv, loo]" if features == 12 else "gcv"
            self.study("way.yaml", features, n_train, measures, beside)
            self.study("lapack.yaml", features, n_train, measures, ", producer: lapack")
            (self.at / "way.nc.journal").unlink(missing_ok=True)
            self.assertIn(way, run("plan", "way.yaml", cwd=self.at, check=0).stdout)
            run("run", "way.yaml", "-q", "--fresh", cwd=self.at, check=0)
            run("run", "lapack.yaml", "-q", "--fresh", cwd=self.at, check=0)
            condition = self.values("lapack.nc", "sigma_max") / self.values("lapack.nc", "sigma_min")
            for name in ["gcv", "loo"] if features == 12 else ["gcv"]:
                got, expected = self.values("way.nc", name), self.values("lapack.nc", name)
                self.assertTrue(np.isfinite(expected).all())
                self.assertLess((abs(got / expected - 1) / condition).max(), 1e-10, f"{name}, {way}")

    def test_what_cannot_have_them_is_refused(self):
        self.study("grid.yaml", 12, "[6, 12]", "loo", ", producer: projected")
        done = run("run", "grid.yaml", cwd=self.at)
        self.assertEqual(done.returncode, 2)
        self.assertIn("`measures: loo` needs the training rows on one rank", done.stderr)
        self.study("twice.yaml", 12, "[6]", "[gcv, gcv]")
        self.assertIn("got `gcv` twice", run("run", "twice.yaml", cwd=self.at).stderr)
        self.study("real.yaml", 12, "[6]", "zero_one")
        self.assertIn("targets have not exactly two values", run("run", "real.yaml", cwd=self.at).stderr)
        self.study("none.yaml", 12, "[6]", "aic")
        self.assertIn("expected one of gcv, loo, zero_one, worst_share", run("run", "none.yaml", cwd=self.at).stderr)

    def test_single_test_rows_are_those_of_numpy(self):
        """Two normal classes of means m and -m, with targets 1 and -1. The mean zero-one error is that of Raudys and Duin's
        classifier (1998, Pattern Recognition Letters 19, 385): with N > P it is Phi(-|m| / sqrt(T_mu T_Sigma)), where T_mu =
        1 + P / (N |m|^2) and T_Sigma = N / (N - P) are what means and covariance cost that are estimated."""
        rows, features, size = 3000, 10, 1.2
        generator = np.random.default_rng(1)
        y = np.where(generator.permutation(rows) % 2 == 0, 1.0, -1.0)
        x = generator.standard_normal((rows, features)) + np.outer(y, np.full(features, size / np.sqrt(features)))
        header = ",".join([*(f"x{j}" for j in range(features)), "y"])
        np.savetxt(self.at / "classes.csv", np.c_[x, y], delimiter=",", header=header, comments="", fmt="%.17g")
        sizes = [3, 6, 9, 10, 11, 16, 30, 100]
        (self.at / "study.yaml").write_text(
            f"random: numpy\nrepeats: 40\nn_train: {sizes}\nablations: [none, ridge: 0.5]\nmeasures: [zero_one, worst_share]\n"
            "datasets: [{source: csv, name: t, file: classes.csv, target: y}]\n"
        )
        run("run", "study.yaml", "-q", cwd=self.at, check=0)
        wrong, worst = self.values("study.nc", "zero_one")[:, 0], self.values("study.nc", "worst_share")[:, 0]
        for at, n in enumerate(sizes):
            for repeat in range(40):
                order = np.random.RandomState(repeat).permutation(rows)
                train, test = order[-n:], order[:-n]
                for v, penalty in enumerate((0, 0.5)):
                    u, s, vt = np.linalg.svd(x[train], full_matrices=False)
                    said = x[test] @ (vt.T @ (s / (s * s + penalty) * (u.T @ y[train])))
                    self.assertAlmostEqual(
                        wrong[v, at, repeat], np.mean(np.sign(said) != y[test]), delta=1e-3 if n == features else 1e-12
                    )
                    squares = np.sort((said - y[test]) ** 2)[::-1]
                    self.assertAlmostEqual(
                        worst[v, at, repeat], squares[: -(-len(test) // 100)].sum() / squares.sum(), delta=1e-6
                    )
            if n >= 16:
                spread = np.sqrt((1 + features / (n * size**2)) * n / (n - features))
                expected = 0.5 * math.erfc(size / spread / np.sqrt(2))
                self.assertLess(abs(wrong[0, at].mean() / expected - 1), 0.08, n)
        mean = wrong[0].mean(axis=1)
        self.assertGreater(mean[3], 1.2 * max(mean[1], mean[6]))  # the peak at N = P

    def test_effective_ranks_are_those_of_numpy(self):
        """r_k and R_k of Bartlett, Long, Lugosi and Tsigler 2020 (PNAS 117, 30063, definition 3), and the largest leverage."""
        generator = np.random.default_rng(2)
        x = generator.standard_normal((80, 5)) * [8, 4, 2, 1, 1]
        x[7] *= 30
        head = "a,b,c,d,e,y"
        np.savetxt(self.at / "table.csv", np.c_[x, x.sum(axis=1)], delimiter=",", header=head, comments="", fmt="%.17g")
        (self.at / "study.yaml").write_text(
            "repeats: 2\nn_train: [3, 5, 10]\nablations: [none]\ntheory: table\n"
            "datasets: [{source: csv, name: t, file: table.csv, target: y}]\n"
        )
        run("run", "study.yaml", "-q", cwd=self.at, check=0)
        moments = np.linalg.svd(x, compute_uv=False) ** 2
        leverage = np.einsum("ij,jk,ik->i", x, np.linalg.inv(x.T @ x), x)
        found = json.loads(run("show", "study.nc", "--json", cwd=self.at, check=0).stdout)["datasets"][0]
        self.assertEqual([row["k"] for row in found["effective_ranks"]], [0, 1, 2, 4])
        for row in found["effective_ranks"]:
            rest = moments[row["k"] :]
            self.assertAlmostEqual(row["r"], rest.sum() / rest[0], delta=1e-11 * row["r"])
            self.assertAlmostEqual(row["R"], rest.sum() ** 2 / (rest**2).sum(), delta=1e-11 * row["R"])
        self.assertAlmostEqual(found["leverage_max"], leverage.max() / leverage.mean(), delta=1e-11 * found["leverage_max"])
        self.assertRegex(
            run("show", "study.nc", cwd=self.at).stdout,
            r"effective ranks r_k, R_k: k = 0: .*; largest leverage: \d+ times the mean",
        )

    def test_journals_go_on(self):
        """What has no measures is computed again when they are asked for; what has more of them is not."""
        for measures, computed in (("", True), ("[loo, gcv]", True), ("loo", False), ("", False)):
            self.study("study.yaml", 12, "[6, 12, 24]", measures)
            done = run("run", "study.yaml", "-v", cwd=self.at, check=0)
            self.assertEqual("computed" in done.stderr, computed, done.stderr)
            with netCDF4.Dataset(self.at / "study.nc") as file:
                there = {name for name in ("gcv", "loo") if name in file["t"].variables}
            self.assertEqual(there, set(measures.strip("[]").split(", ")) - {""})

    def test_chosen_parameters_do_not_need_measures(self):
        """And their errors are the same bits on two ranks, whatever is measured beside."""
        ablations = "[none, ridge: [best, gcv, loo], gradient_descent: best, bagging: {size: 4, bags: 7}]"
        self.study("one.yaml", 12, "[6, 12, 24]", "", ablations=ablations)
        run("run", "one.yaml", "-q", "-o", "one.nc", cwd=self.at, check=0)
        run("run", "one.yaml", "-q", "-o", "two.nc", ranks=2, cwd=self.at, check=0)
        self.assertEqual(data_groups(self.at / "one.nc"), data_groups(self.at / "two.nc"))
        self.study("one.yaml", 12, "[6, 12, 24]", "[gcv, loo]", ablations=ablations)
        run("run", "one.yaml", "-q", "-o", "more.nc", cwd=self.at, check=0)
        self.assertTrue((self.values("more.nc", "test_mse") == self.values("one.nc", "test_mse")).all())
        gcv = self.values("more.nc", "gcv")
        self.assertTrue(np.isfinite(gcv[:5]).all() and np.isnan(gcv[5]).all())  # bagging runs on the rows


if __name__ == "__main__":
    unittest.main()
