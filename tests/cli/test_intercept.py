"""Fits with an intercept through the whole program: against numpy.linalg.lstsq with a column of ones, by every method; what does
not change it, and what people are told of it."""
import json
import pathlib
import re
import tempfile
import unittest

import netCDF4
import numpy as np

import tier
from program import data_groups, run

EPS = np.finfo(float).eps
ROWS, REPEATS = 110, 3
TABLES = {"few": 6, "many": 40}  # features
SIZES = {"few": [1, 3, 5, 6, 7, 8, 12, 40], "many": [2, 20, 39, 40, 41, 42, 60, 90]}
ALL = "[none, no_residuals, cutoff: 0.3, leading_modes: 4, ridge: 0.5]"
FITS = "[none, no_residuals]"
STUDY = """repeats: {repeats}
keep: {keep}
block: 4
ablations: {ablations}
datasets:
"""
TABLE = "  - {{source: csv, file: {table}.csv, name: {table}, target: y, n_train: {n_train}, intercept: true{more}}}\n"
BLOCKS = TABLE.replace("csv", "netcdf", 1).replace(".csv", ".nc").replace("true", "true, load: blocks")


def table(name):
    """Far from the origin, in several units, with targets far from zero."""
    generator, p = np.random.default_rng(len(name)), TABLES[name]
    x = generator.standard_normal((ROWS, p)) * generator.uniform(0.5, 2, p) + generator.uniform(-2, 2, p)
    return x, x @ generator.standard_normal(p) + 20 + generator.standard_normal(ROWS)


def write_tables(at):
    for name, p in TABLES.items():
        x, y = table(name)
        header = ",".join([*(f"x{j}" for j in range(p)), "y"])
        np.savetxt(at / f"{name}.csv", np.c_[x, y], "%.17g", ",", header=header, comments="")
        with netCDF4.Dataset(at / f"{name}.nc", "w") as file:
            file.createDimension("row", ROWS)
            file.createDimension("feature", p)
            file.createVariable("x", "f8", ("row", "feature"))[:] = x
            file.createVariable("y", "f8", ("row",))[:] = y


def filtered(ones, y, n, label):
    """The coefficients of a variant, from the decomposition of the first n rows by numpy.linalg."""
    if label in ("none", "no_residuals"):
        return np.linalg.lstsq(ones[:n], y[:n], rcond=None)[0]
    u, s, vt = np.linalg.svd(ones[:n], full_matrices=False)
    f = {
        "cutoff=0.3": np.where(s >= 0.3, 1 / s, 0),
        "leading_modes=4": np.where(np.arange(len(s)) < 4, 1 / s, 0),
        "ridge=0.5": s / (s**2 + 0.5),
    }[label]
    return vt.T @ (f * (u.T @ y[:n]))


class Intercept(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.at = pathlib.Path(cls.folder.name)
        write_tables(cls.at)
        cls.orders = {name: cls.order_of(name) for name in TABLES}

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @classmethod
    def order_of(cls, name):
        """Rows of the table as the repeats take them: each is known by its features, which the results file keeps."""
        text = STUDY.format(repeats=REPEATS, keep="[directions]", ablations="[none]")
        (cls.at / "order.yaml").write_text(text + TABLE.format(table=name, n_train=f"[{ROWS - 1}]", more=""))
        run("run", "order.yaml", "-q", "--fresh", cwd=cls.at, check=0)
        with netCDF4.Dataset(cls.at / "order.nc") as file:
            rows = np.ma.getdata(file[name]["training_row"][...])
            assert file[name]["feature"][0] == 0 and len(file[name]["feature"]) == TABLES[name] + 1
        assert (rows[:, :, 0] == 1).all()
        orders = np.abs(rows[:, :, None, 1:] - table(name)[0][None, None]).sum(axis=-1).argmin(axis=-1)
        return np.c_[orders, [np.setdiff1d(np.arange(ROWS), order)[0] for order in orders]]

    def compute(self, datasets, ablations=ALL, more="", ranks=None):
        """Runs such a study; returns its plan's way of each data set."""
        (self.at / "study.yaml").write_text(STUDY.format(repeats=REPEATS, keep="[cells]", ablations=ablations) + datasets + more)
        run("run", "study.yaml", "-q", "--fresh", cwd=self.at, ranks=ranks, check=0)
        ways = json.loads(run("plan", "study.yaml", "--json", cwd=self.at, check=0).stdout)["datasets"]
        self.assertTrue(all(way["intercept"] for way in ways))
        return {way["name"]: way["way"] for way in ways}

    def agrees(self, name, asked=None):
        """Errors of every variant, N and repeat, to rounding times condition."""
        x, y = table(name)
        ones = np.c_[np.ones(ROWS), x]
        best = ones @ np.linalg.lstsq(ones, y, rcond=None)[0]
        with netCDF4.Dataset(self.at / "study.nc") as file:
            group = file[name]
            group.set_auto_mask(False)
            self.assertEqual((group.intercept, group.n_features), (1, TABLES[name] + 1))
            for v, label in enumerate(group["variant"][:]):
                targets = best if label == "no_residuals" else y
                for i, n in enumerate(group["n_train"][:]):
                    if asked is not None and label not in ("none", "no_residuals") and n not in asked:
                        continue
                    for r, order in enumerate(self.orders[name]):
                        z, t = ones[order], targets[order]
                        fitted = filtered(z, t, n, label)
                        error = np.sqrt(np.mean((z[n:] @ fitted - t[n:]) ** 2))
                        found = np.sqrt(group["test_mse"][v, 0, i, r])
                        allowed = 1e3 * EPS * np.linalg.cond(z[:n]) * (error + np.abs(y).max())
                        self.assertLessEqual(abs(found - error), allowed, (name, label, n, r))
                        if label == "no_residuals" and n > TABLES[name]:
                            self.assertLessEqual(found**2, 1e-20 * np.mean(y**2))

    def test_every_method_on_one_rank(self):
        few, many = ({"table": name, "n_train": SIZES[name]} for name in TABLES)
        ways = self.compute(TABLE.format(more="", **few) + TABLE.format(more=", producer: lapack", **many))
        self.assertEqual(ways, {"few": "full spectra, repeats side by side", "many": "full spectra"})
        for name in TABLES:
            self.agrees(name)
        ways = self.compute(TABLE.format(table="many", n_train="{range: [1, 90]}", more=""))
        self.assertEqual(ways, {"many": "full spectra, updated row by row"})
        self.agrees("many")
        ways = self.compute(TABLE.format(more="", **few) + TABLE.format(more="", **many), more="full_spectra: [12, 60]\n")
        self.assertEqual(set(ways.values()), {"nested factorization"})
        for name in TABLES:
            self.agrees(name, [12, 60])

    def test_process_grids_and_tables_in_blocks(self):
        few, many = ({"table": name, "n_train": SIZES[name]} for name in TABLES)
        for ranks in tier.of((1, 3), (1, 2, 3)):
            with self.subTest(ranks=ranks):
                more = ", ranks_per_case: all"
                ways = self.compute(TABLE.format(more=more, **few) + BLOCKS.format(more=more, **many), ranks=ranks)
                self.assertEqual(set(ways.values()), {"full spectra on process grids"})
                for name in TABLES:
                    self.agrees(name)
                ways = self.compute(BLOCKS.format(more=more, **few) + TABLE.format(more=more, **many), FITS, ranks=ranks)
                self.assertEqual(set(ways.values()), {"nested factorization on process grids"})
                for name in TABLES:
                    self.agrees(name)

    def test_fresh_rows_on_process_grids(self):
        """Of the same draws as without an intercept, and as on one rank."""
        line = (
            "  - {{source: student-teacher, name: {name}, rows: 60, features: 12, hidden_features: 15, noise: 0.5, draw: fresh,\n"
        )
        line += "      design: power-law, n_train: [3, 12, 13, 20, 40], intercept: true, {more}}}\n"
        self.compute(line.format(name="a", more="producer: lapack"))
        with netCDF4.Dataset(self.at / "study.nc") as file:
            one = {name: file["a"][name][...] for name in ("test_mse", "train_mse", "population_mse", "sigma_max")}
            condition = (file["a"]["sigma_max"][...] / file["a"]["sigma_min"][...]).max()
        for ranks in tier.of((2,), (1, 2, 3)):
            for ablations in (ALL, FITS):
                self.compute(line.format(name="a", more="ranks_per_case: all"), ablations, ranks=ranks)
                with netCDF4.Dataset(self.at / "study.nc") as file:
                    for name, values in one.items():
                        found = file["a"][name][...]
                        expected = values[: len(found)] if name.endswith("mse") else values
                        allowed = 1e3 * EPS * condition * np.nanmax(values)
                        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=allowed, err_msg=name)

    def test_fresh_rows_are_those_without_it(self):
        """With a 1 before them: in memory and drawn, by a map and without; and what predictions are kept of."""
        text = STUDY.format(repeats=2, keep="[{keep}]", ablations="[none]") + "  - {{name: a, n_train: [8], {source}{more}}}\n"
        for source in (
            "source: student-teacher, draw: fresh, rows: 30, features: 5, hidden_features: 7, design: spiked",
            "source: student-teacher, draw: pool, rows: 30, features: 5, hidden_features: 7",
            "source: gaussian, rows: 30, covariance: [4, 0, 0, 0.25]",
            "source: sphere, rows: 30, inputs: 4, map: random-relu, n_features: [5]",
            "source: function, map: legendre, rows: 20, n_features: [4]",
            "source: function, map: chebyshev, rows: 20, draw: pool, n_features: [4]",
            "source: diabetes, n_features: [4]",
            "source: diabetes, map: random-fourier, n_features: [4]",
        ):
            with self.subTest(source):
                found = []
                keep = "directions, predictions" if "function" in source else "directions"
                for more in ("", ", intercept: true"):
                    (self.at / "fresh.yaml").write_text(text.format(keep=keep, source=source, more=more))
                    run("run", "fresh.yaml", "-q", "--fresh", cwd=self.at, check=0)
                    with netCDF4.Dataset(self.at / "fresh.nc") as file:
                        found.append({name: np.ma.getdata(v[...]) for name, v in file["a"].variables.items()})
                without, having = found
                np.testing.assert_array_equal(having["training_row"][:, :, 1:], without["training_row"])
                self.assertTrue((having["training_row"][:, :, 0] == 1).all())
                for name in ("point", "point_target", "training_input", "training_target"):
                    self.assertEqual(name in having, "function" in source)
                    if name in having:
                        np.testing.assert_array_equal(having[name], without[name])

    def test_axes_of_the_population(self):
        """E x x^T of rows of mean 0 and covariance diag(4, 1/4), with a 1 before them, is diag(1, 4, 1/4)."""
        source = "  - {source: gaussian, name: a, covariance: [4, 0, 0, 0.25], n_train: [8], intercept: true}\n"
        (self.at / "axes.yaml").write_text(STUDY.format(repeats=1, keep="[directions]", ablations="[none]") + source)
        run("run", "axes.yaml", "-q", cwd=self.at, check=0)
        with netCDF4.Dataset(self.at / "axes.nc") as file:
            np.testing.assert_allclose(file["a"]["population_deviation"][...], [2, 1, 0.5])
            np.testing.assert_allclose(file["a"]["population_direction"][...], [[0, 1, 0], [1, 0, 0], [0, 0, 1]])
            np.testing.assert_array_equal(file["a"]["feature"][...], [0, 1, 2])

    def test_centring_and_scaling_change_no_fit(self):
        """From N = P on, fits with an intercept are those of centred rows: `standardize` leaves the ones alone."""
        few = {"table": "few", "n_train": [7, 8, 12, 40]}
        x, y = table("few")
        for standardize in ("none", "z-score"):
            self.compute(TABLE.format(more=f", standardize: {standardize}", **few), FITS)
            with netCDF4.Dataset(self.at / "study.nc") as file:
                found = file["few"]["test_mse"][0, 0]
            for r, order in enumerate(self.orders["few"]):
                for i, n in enumerate(few["n_train"]):
                    train, test = order[:n], order[n:]
                    mean, level = x[train].mean(axis=0), y[train].mean()
                    slopes = np.linalg.lstsq(x[train] - mean, y[train] - level, rcond=None)[0]
                    error = np.mean((y[test] - level - (x[test] - mean) @ slopes) ** 2)
                    self.assertAlmostEqual(found[i, r] / error, 1, 8)

    def test_theory(self):
        """s^2 (1 + 1/N) (N - 2) / (N - D - 2), see tests/oracle; no formula for a cutoff."""
        source = "source: student-teacher, name: a, draw: fresh, rows: 30, features: 5, hidden_features: 5, noise: 2"
        (self.at / "theory.yaml").write_text(
            STUDY.format(repeats=1, keep="[cells]", ablations="[none, no_residuals, cutoff: 0.1]")
            + f"  - {{{source}, n_train: [4, 5, 6, 7, 8, 20], intercept: true}}\n"
        )
        run("run", "theory.yaml", "-q", cwd=self.at, check=0)
        with netCDF4.Dataset(self.at / "theory.nc") as file:
            theory = np.ma.filled(file["a"]["theory_test_mse"][:, 0], np.nan)
            self.assertFalse(hasattr(file["a"], "design"))
        self.assertTrue(np.isfinite(theory[0, 0]) and np.isinf(theory[0, 1:4]).all())
        np.testing.assert_allclose(theory[0, 4:], [4 * (1 + 1 / n) * (n - 2) / (n - 7) for n in (8, 20)])
        self.assertTrue((theory[1, :2] > 0).all() and (theory[1, 2:] == 0).all())
        self.assertTrue(np.isnan(theory[2]).all())

    def test_without_the_key_nothing_changes(self):
        """`intercept: false` is the study without the key, to the last bit; with `true` it is another one."""
        (self.at / "none.yaml").write_text(
            STUDY.format(repeats=2, keep="[cells]", ablations=ALL) + "  - {source: diabetes, n_train: [9]}\n"
        )
        run("run", "none.yaml", "-q", cwd=self.at, check=0)
        before = data_groups(self.at / "none.nc")
        self.assertNotIn("intercept", str(before))
        (self.at / "none.yaml").write_text((self.at / "none.yaml").read_text().replace("n_train", "intercept: false, n_train"))
        run("assemble", "none.yaml", "-q", cwd=self.at, check=0)
        after = data_groups(self.at / "none.nc")
        self.assertEqual({name for name in after if after[name] != before[name]}, {"@study_text", "@study_hash"})
        (self.at / "none.yaml").write_text((self.at / "none.yaml").read_text().replace("false", "true"))
        done = run("run", "none.yaml", "-q", cwd=self.at, check=2)
        self.assertIn("diabetes/intercept: nothing there, true here", done.stderr)
        (self.at / "none.yaml").write_text((self.at / "none.yaml").read_text().replace("true", "2"))
        done = run("run", "none.yaml", "-q", cwd=self.at, check=2)
        self.assertIn("none.yaml:6: key `intercept`: got `2`; expected true or false", done.stderr)

    def test_the_threshold_is_at_the_rank(self):
        """Dummy variables that sum to one, in every row, are the column of ones: the rank of [1 X] is that of X."""
        generator = np.random.default_rng(5)
        for n_dummies, n_numbers in ((3, 4), (0, 4)):
            dummies = np.eye(3)[generator.integers(0, 3, 60)][:, :n_dummies]
            x = np.c_[generator.standard_normal((60, n_numbers)), dummies]
            y = x @ generator.standard_normal(x.shape[1]) + generator.standard_normal(60)
            header = ",".join([*(f"x{j}" for j in range(x.shape[1])), "y"])
            np.savetxt(self.at / "dummies.csv", np.c_[x, y], "%.17g", ",", header=header, comments="")
            (self.at / "dummies.yaml").write_text(
                STUDY.format(repeats=3, keep="[cells]", ablations=FITS)
                + "  - {source: csv, file: dummies.csv, target: y, n_train: {values: 20, around_threshold: 0}, intercept: true}\n"
            )
            run("run", "dummies.yaml", "-q", "--fresh", cwd=self.at, check=0)
            rank = np.linalg.matrix_rank(np.c_[np.ones(60), x])
            self.assertEqual(rank, x.shape[1] + (n_dummies == 0))
            with netCDF4.Dataset(self.at / "dummies.nc") as file:
                self.assertEqual((file["csv"].n_features, file["csv"].threshold), (x.shape[1] + 1, rank))
                self.assertEqual(file["csv"]["n_train"][:].tolist(), [rank, 20])
                ideal = file["csv"]["test_mse"][1, 0]  # of rank rows, one dummy may be zero in all
                self.assertLessEqual(ideal[1 if n_dummies else 0 :].max(), 1e-20 * np.mean(y**2))

    def test_a_constant_column_in_blocks_is_refused(self):
        """It is the column of ones again, and best linear models of tables in blocks need independent columns."""
        x, y = table("few")
        with netCDF4.Dataset(self.at / "constant.nc", "w") as file:
            file.createDimension("row", ROWS)
            file.createDimension("feature", 6)
            file.createVariable("x", "f8", ("row", "feature"))[:] = np.c_[x[:, :2], np.full(ROWS, 3.0), x[:, 3:]]
            file.createVariable("y", "f8", ("row",))[:] = y
        (self.at / "blocked.yaml").write_text(
            STUDY.format(repeats=1, keep="[cells]", ablations=FITS) + BLOCKS.format(table="constant", n_train="[9]", more="")
        )
        done = run("run", "blocked.yaml", "-q", ranks=2, cwd=self.at, check=2)
        self.assertIn("feature 3 (counted from 1) depends linearly on those before it and the intercept", done.stderr)

    def test_what_people_are_told(self):
        (self.at / "told.yaml").write_text(
            STUDY.format(repeats=3, keep="[cells]", ablations="[none]")
            + "  - {source: diabetes, n_train: [5, 11, 22], intercept: true}\n"
            + "  - {source: function, map: legendre, n_features: [5, 10], n_train: [5, 11, 14], intercept: true}\n"
        )
        one, several = "P = 11 (10 features and the intercept)", "P = 6 ... 11 (2 values), the intercept counted"
        done = run("run", "told.yaml", cwd=self.at, check=0)
        for text in (
            done.stderr,
            run("plan", "told.yaml", cwd=self.at, check=0).stdout,
            run("show", "told.nc", cwd=self.at, check=0).stdout,
        ):
            self.assertRegex(text, f"diabetes:? +{re.escape(one)}")
            self.assertRegex(text, f"function:? +{re.escape(several)}")
        for command in (("plan", "told.yaml"), ("show", "told.nc")):
            listed = json.loads(run(*command, "--json", cwd=self.at, check=0).stdout)["datasets"]
            self.assertEqual([(d["n_features"], d["intercept"]) for d in listed], [(11, True), (6, True), (11, True)])
        with netCDF4.Dataset(self.at / "told.nc") as file:
            self.assertEqual(
                (file["diabetes"].intercept, file["diabetes"].threshold, len(file["diabetes"].beta_star)), (1, 11, 11)
            )
            self.assertEqual(file["function"]["n_features"][...].tolist(), [6, 11])


if __name__ == "__main__":
    unittest.main()
