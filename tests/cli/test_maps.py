"""Studies over numbers of features: what plan, status, show and the results file say of them, and how they are extended."""
import json
import pathlib
import tempfile
import unittest

import numpy as np
import xarray

from program import run

STUDY = """title: Surface
repeats: 4
seed: 3
keep: [cells, modes, predictions]
n_features: [2, 5, 9]
n_train: {values: 6, ratios: [1, 2]}
ablations: [none, no_residuals, cutoff: 0.1, gradient_descent: [3, 50], gradient_descent_run: [3, 50]]
datasets:
  - {source: sphere, rows: 60, inputs: 5, noise: 0.3, map: random-relu}
  - {source: student-teacher, name: linear, draw: fresh, rows: 60, features: 9, hidden_features: 12, noise: 0.3}
  - {source: function, rows: 20, test_points: 30, map: chebyshev}
  - {source: diabetes, name: fourier, map: {name: random-fourier, bandwidth: 0.1, draw: once}}
"""
P, ASKED = [2, 5, 9], {2: [2, 4, 6], 5: [5, 6, 10], 9: [6, 9, 18]}
UNION = [2, 4, 5, 6, 9, 10, 18]
NOT_ASKED = 4


class Maps(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.at = pathlib.Path(cls.folder.name)
        (cls.at / "study.yaml").write_text(STUDY)
        run("run", "study.yaml", "-q", cwd=cls.at, check=0)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def open(self, group, path="study.nc"):
        dataset = xarray.open_dataset(self.at / path, group=group)
        self.addCleanup(dataset.close)
        return dataset

    def test_cells_that_another_p_has_are_flagged(self):
        for group in ("sphere", "linear", "function", "fourier"):
            d = self.open(group)
            self.assertEqual(d.n_features.values.tolist(), P)
            self.assertEqual(d.n_train.values.tolist(), UNION)
            for p in P:
                for n in UNION:
                    at, asked = {"n_features": p, "n_train": n}, n in ASKED[p]
                    self.assertTrue((d.status.sel(at) == (0 if asked else NOT_ASKED)).all(), (group, p, n))
                    self.assertEqual(bool(np.isfinite(d.test_mse.sel(at)).all()), asked)
                    self.assertEqual(bool(np.isnan(d.test_mse_median.sel(at)).all()), not asked)
                    self.assertEqual(set(d.test_mse_count.sel(at).values.tolist()), {4 if asked else 0})
                    modes = int(np.isfinite(d.sigma.sel(at).isel(repeat=0)).sum())
                    self.assertEqual(modes, min(n, p) if asked else 0)
        self.assertEqual(d.status.attrs["flag_meanings"].split()[NOT_ASKED], "not_asked")
        self.assertEqual((d.attrs["map"], d.attrs["n_features"].tolist()), ("random-fourier", P))

    def test_theory_says_what_kind_it_is(self):
        linear, sphere = self.open("linear"), self.open("sphere")
        self.assertIn("exact", linear.theory_test_mse.attrs["long_name"])
        self.assertNotIn("theory_asymptotic_test_mse", linear)
        self.assertNotIn("theory_test_mse", sphere)
        self.assertEqual(linear.attrs["design"], "isotropic normal")
        self.assertNotIn("design", sphere.attrs)
        limit = sphere.theory_asymptotic_test_mse
        self.assertIn("not exact at any finite size", limit.attrs["comment"])
        self.assertTrue(np.isinf(limit.sel(variant="none", n_features=5, n_train=5)))
        self.assertTrue(np.isfinite(limit.sel(variant="none", n_features=2, n_train=6)))
        self.assertTrue(np.isnan(limit.sel(variant="cutoff=0.1")).all())
        # The part of the teacher that fewer features see is known at every P.
        beta = self.open("linear").theory_test_mse.sel(variant="no_residuals")
        self.assertTrue(np.isfinite(beta.sel(n_features=9, n_train=6)) and beta.sel(n_features=9, n_train=18) == 0)
        self.assertNotIn("theory_asymptotic_test_mse", self.open("fourier"))

    def test_runs_of_gradient_descent_are_beside_the_filter(self):
        for group in ("sphere", "linear", "function", "fourier"):
            d = self.open(group)
            for steps in (3, 50):
                for error in ("test_mse", "train_mse"):
                    run_, filtered = (
                        d[error].sel(variant=f"{name}={steps}") for name in ("gradient_descent_run", "gradient_descent")
                    )
                    np.testing.assert_allclose(run_, filtered, rtol=1e-10, atol=1e-12 * float(d[error].max()))

    def test_distance_from_least_squares_is_that_of_the_filter(self):
        for group in ("sphere", "linear", "function", "fourier"):
            d = self.open(group)
            condition = float((d.sigma_max / d.sigma_min).max())
            for steps in (3, 50):
                run_, filtered = (
                    d.distance.sel(variant=f"{name}={steps}") for name in ("gradient_descent_run", "gradient_descent")
                )
                np.testing.assert_allclose(run_, filtered, atol=1e-13 * condition)

    def test_predictions_are_those_of_the_errors(self):
        d = self.open("function")
        self.assertEqual(d.prediction.dims, ("variant", "n_features", "n_train", "predicted_repeat", "point"))
        self.assertEqual(d.predicted_repeat.values.tolist(), [0, 1, 2])
        np.testing.assert_allclose(d.point, np.linspace(-1, 1, 30), atol=1e-15)
        np.testing.assert_allclose(d.point_target, 2 * d.point + np.cos(25 * d.point), atol=1e-14)
        np.testing.assert_allclose(d.training_target, 2 * d.training_input + np.cos(25 * d.training_input), atol=1e-14)
        for p, n in ((2, 4), (9, 18), (9, 6)):  # the test rows are the points, and the rows after the first N
            for variant in ("none", "cutoff=0.1", "gradient_descent_run=50"):
                at = {"variant": variant, "n_features": p, "n_train": n, "predicted_repeat": 1}
                degrees = np.arange(1, p + 1)
                matrix = np.cos(np.outer(np.arccos(d.point), degrees))
                beta = np.linalg.lstsq(matrix, d.prediction.sel(at).values, rcond=None)[0]
                x, y = (
                    d[name].sel(n_features=p, predicted_repeat=1).values[n:] for name in ("training_input", "training_target")
                )
                left = np.cos(np.outer(np.arccos(x), degrees)) @ beta - y
                points = d.prediction.sel(at).values - d.point_target.values
                expected = ((left**2).sum() + (points**2).sum()) / (30 + len(x))
                got = d.test_mse.sel(variant=variant, n_features=p, n_train=n, repeat=1)
                np.testing.assert_allclose(got, expected, rtol=1e-9)
        self.assertNotIn("prediction", self.open("sphere"))

    def test_plan_status_and_show(self):
        plan = run("plan", "study.yaml", cwd=self.at, check=0).stdout
        self.assertIn("P = 2 ... 9 (3 values) by random-relu, N = 2 ... 18 (3 values)", plan)
        self.assertIn("P = 2 ... 9 (3 values), N = 2", plan)  # the linear one has no map
        rows = json.loads(run("plan", "study.yaml", "--json", cwd=self.at, check=0).stdout)
        self.assertEqual(
            [(row["name"], row["n_features"], row["n_train"]) for row in rows["datasets"]][:3],
            [("sphere", p, ASKED[p]) for p in P],
        )
        self.assertEqual((rows["spectra"], rows["curves"], rows["curves_done"]), (4 * 4 * 9, 48, 48))
        status = json.loads(run("status", "study.yaml", "--json", cwd=self.at, check=0).stdout)
        self.assertEqual(
            [(row["name"], row["curves"], row["done"]) for row in status["datasets"]],
            [(name, 12, 12) for name in ("sphere", "linear", "function", "fourier")],
        )
        shown = json.loads(run("show", "study.nc", "--json", cwd=self.at, check=0).stdout)
        self.assertEqual(
            [
                (row["n_features"], row["threshold_n"], row["largest_n"], row["spectra_done"], row["spectra_failed"])
                for row in shown["datasets"]
            ][:3],
            [(2, 2, 6, 12, 0), (5, 5, 10, 12, 0), (9, 9, 18, 12, 0)],
        )
        text = run("show", "study.nc", cwd=self.at, check=0).stdout
        self.assertEqual(text.count("P = 2 ... 9 (3 values), 4 repeats, 36 spectra done"), 4)

    def test_more_features_rows_and_repeats_extend_a_study(self):
        small = STUDY.replace("[2, 5, 9]", "[2, 9]").replace("repeats: 4", "repeats: 2").replace("[1, 2]}", "[1]}")
        (self.at / "grown.yaml").write_text(small)
        run("run", "grown.yaml", "-q", "-o", "grown.nc", ranks=2, cwd=self.at, check=0)
        (self.at / "grown.yaml").write_text(STUDY)
        said = run("run", "grown.yaml", "-o", "grown.nc", ranks=3, cwd=self.at, check=0).stderr
        self.assertIn("16 curves are partly done", said)
        self.assertIn("computed 784 errors of 112 training sets", said)  # of 144 there are 2 P x 2 repeats x 2 N of 4 data sets
        grown, whole = (self.open("fourier", path).test_mse for path in ("grown.nc", "study.nc"))
        np.testing.assert_allclose(grown, whole, rtol=1e-9, atol=1e-6)  # no_residuals leaves rounding alone
        again = run("run", "grown.yaml", "-o", "grown.nc", ranks=2, cwd=self.at, check=0).stderr
        self.assertIn("48 of 48 curves are in the journal already", again)

    def test_published_draws_of_another_study_are_refused(self):
        text = "random: numpy\nrepeats: 2\nn_features: [3, 4]\nn_train: 5\nablations: [none]\n"
        text += "datasets: [{source: function, map: legendre}]\n"
        (self.at / "numpy.yaml").write_text(text)
        run("run", "numpy.yaml", "-q", cwd=self.at, check=0)
        for old, new, word in (("repeats: 2", "repeats: 3", "function/repeats"), ("[3, 4]", "[3, 5]", "function/n_features")):
            (self.at / "numpy.yaml").write_text(text.replace(old, new))
            done = run("run", "numpy.yaml", "-q", cwd=self.at)
            self.assertEqual(done.returncode, 2)
            self.assertIn(word, done.stderr)

    def test_every_way_computes_the_same(self):
        study = STUDY.replace("keep: [cells, modes, predictions]\n", "").replace(
            ", cutoff: 0.1, gradient_descent: [3, 50], gradient_descent_run: [3, 50]", ""
        )
        teacher = "name: teacher, draw: fresh, rows: 50, features: 3, hidden_features: 4, map: random-relu"
        study += f"  - {{source: student-teacher, {teacher}}}\n"
        ways = {
            "alone": ("", None),
            "nested": ("full_spectra: [6]\n", None),
            "grids": ("producer: two-stage\nranks_per_case: 2\n", 2),
            "grids-nested": ("ranks_per_case: 3\nfull_spectra: [6]\n", 3),
        }
        for name, (keys, ranks) in ways.items():
            (self.at / f"{name}.yaml").write_text(keys + study)
            run("run", f"{name}.yaml", "-q", ranks=ranks, cwd=self.at, check=0)
        for group in ("sphere", "linear", "function", "fourier", "teacher"):
            alone = self.open(group, "alone.nc")
            condition = float((alone.sigma_max / alone.sigma_min).max())
            for way in list(ways)[1:]:
                other = self.open(group, f"{way}.nc")
                for name in ("test_mse", "train_mse", "sigma_min", "test_bias_mse"):
                    scale = np.nanmax(np.abs(alone[name])) if name != "sigma_min" else 0
                    np.testing.assert_allclose(
                        other[name], alone[name], rtol=1e-12 * condition, atol=1e-12 * scale, err_msg=f"{group} {way} {name}"
                    )


if __name__ == "__main__":
    unittest.main()
