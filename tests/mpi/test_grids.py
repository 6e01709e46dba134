"""Studies on process grids: the numbers of LAPACK on one rank to rounding times condition, for any ranks and groups; who
worked with whom is in the summary; what cannot be is one clear error."""
import pathlib
import tempfile
import unittest

import netCDF4
import numpy as np

import tier
from program import differences, run

ON_GRID = "producer: {producer}, ranks_per_case: {ranks}"
STUDY = """
title: Grids
repeats: 3
seed: 4
keep: {keep}
block: 8
n_train: {{values: [1, 10, 50, 69, 70, 71, 90, 140]}}
ablations: {ablations}
datasets:
  - {{source: student-teacher, name: iso, rows: 200, features: 70, hidden_features: 80, noise: 0.5, draw: fresh, {first}}}
  - {{source: student-teacher, name: law, rows: 200, features: 70, hidden_features: 80, noise: 0.5, draw: fresh,
      design: power-law, exponent: 0.5, {second}}}
  - {{source: diabetes, n_train: [3, 10, 60], {third}}}
"""
MODES = "[none, no_residuals, cutoff: [0.5, 3], leading_modes: [4], ridge: [1], gradient_descent: [20]]"
FITS = "[none, no_residuals]"


def study(first, second, third="producer: lapack", ablations=MODES, keep="[cells, modes]"):
    return STUDY.format(first=first, second=second, third=third, ablations=ablations, keep=keep)


def grid(producer, ranks):
    return ON_GRID.format(producer=producer, ranks=ranks)


def values(group, name):
    return np.ma.filled(group[name][...].astype(float), np.nan)


class Grids(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.at = pathlib.Path(cls.folder.name)
        cls.compute("lapack", study("producer: lapack", "producer: lapack"))

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @classmethod
    def compute(cls, name, text, ranks=None, check=0):
        (cls.at / f"{name}.yaml").write_text(text)
        words = "-v" if check == 0 else "-q"  # who worked together; an error alone
        return run("run", f"{name}.yaml", words, "-o", f"{name}.nc", ranks=ranks, cwd=cls.at, check=check)

    def agree(self, name, reference="lapack", skip=()):
        """To 1e-12 x condition of what the numbers are made of: the errors' and targets' own size."""
        with netCDF4.Dataset(self.at / f"{name}.nc") as got, netCDF4.Dataset(self.at / f"{reference}.nc") as expected:
            for group in ("iso", "law", "diabetes"):
                a, b = got[group], expected[group]
                sigma_max, sigma_min = values(b, "sigma_max"), values(b, "sigma_min")
                bound = 1e-12 * sigma_max / sigma_min  # (n_features, n_train, repeat)
                self.assertTrue(np.array_equal(values(a, "status"), values(b, "status")))
                self.assertTrue(np.array_equal(values(a, "rank"), values(b, "rank")))
                kept = [values(g, "modes_kept_median") for g in (a, b) if "modes_kept_median" in g.variables]
                self.assertTrue(len(kept) == 0 or np.array_equal(*kept, equal_nan=True), f"{group}: other modes are kept")
                for variable in (
                    "test_mse",
                    "train_mse",
                    "population_mse",
                    "sigma_min",
                    "sigma_max",
                    "test_bias_mse",
                    "sigma",
                    "test_projection_rms",
                ):
                    if variable in skip or variable not in b.variables:
                        continue
                    x, y = values(a, variable), values(b, variable)
                    self.assertTrue(np.array_equal(np.isnan(x), np.isnan(y)), f"{group}/{variable}: missing values differ")
                    size = np.nanmax(values(b, "test_mse"), axis=0) if variable.endswith("_mse") else sigma_max
                    limit = bound * size
                    if variable in ("sigma", "test_projection_rms"):
                        limit, x, y = limit[..., None], np.nan_to_num(x), np.nan_to_num(y)
                    if variable == "test_projection_rms":  # modes that are nearly equal turn into each other
                        x, y, limit = (x**2).sum(-1), (y**2).sum(-1), limit[..., 0] * sigma_max
                    worst = np.nanmax(np.abs(x - y) / limit)
                    self.assertLessEqual(worst, 1, f"{group}/{variable}: {worst} bounds off")

    def test_every_producer_on_1_to_5_ranks(self):
        whole = ((1, "two-stage"), (2, "projected"), (3, "two-stage"), (4, "pdgesvd"), (5, "two-stage"))
        for ranks, producer in tier.of(((2, "two-stage"), (3, "pdgesvd")), whole):
            name = f"{producer}-{ranks}"
            done = self.compute(name, study(grid(producer, "all"), grid(producer, "all"), grid(producer, "all")), ranks)
            self.agree(name)
            self.assertRegex(done.stderr, rf"on 1 process grid of {ranks} ranks?, ")

    def test_nested_factorization_on_1_to_5_ranks(self):
        self.compute("fits", study("producer: lapack", "producer: lapack", ablations=FITS, keep="cells"))
        for ranks in tier.of((2, 3), (1, 2, 3, 4, 5)):
            name, on_grid = f"nested-{ranks}", grid("auto", "all")
            self.compute(name, study(on_grid, on_grid, ablations=FITS, keep="cells"), ranks)
            self.agree(name, "fits")
            with netCDF4.Dataset(self.at / f"{name}.nc") as file:
                self.assertEqual(list(file["provenance"].task_way).count(3), 6)

    def test_chosen_sizes(self):
        """Singular values where they are asked for, and full spectra of both sides of the threshold beside a nested curve."""
        text = study(grid("auto", 2), grid("projected", 2), ablations=MODES, keep="cells")
        text += "full_spectra: [3, 50, 90]\nsingular_values: {values: [3], ratios: [1]}\n"
        self.compute("chosen", text, 4)
        with netCDF4.Dataset(self.at / "chosen.nc") as got, netCDF4.Dataset(self.at / "lapack.nc") as expected:
            for name in ("iso", "law"):
                a, b = got[name], expected[name]
                n_train, variants = values(a, "n_train"), list(a["variant"][:])
                full, sigma = np.isin(n_train, (50, 90)), np.isin(n_train, (50, 70, 90))
                self.assertTrue(np.array_equal(~np.isnan(values(a, "sigma_min")).all((0, 2)), sigma))
                close = np.abs(values(a, "sigma_min") / values(b, "sigma_min") - 1)[:, sigma]
                self.assertLess(close.max(), 1e-10)
                for v, variant in enumerate(variants):
                    x, y = values(a, "test_mse")[v, 0], values(b, "test_mse")[v, 0]
                    known = np.ones_like(full) if variant in ("none", "no_residuals") else full
                    self.assertTrue(np.array_equal(~np.isnan(x).all(-1), known), f"{name}/{variant}")
                    size = values(b, "test_mse").max((0, 1))
                    self.assertLess((np.abs(x - y) / size)[known].max(), 1e-8, f"{name}/{variant}")

    def test_unequal_groups_and_ranks_left_over(self):
        done = self.compute("groups", study("producer: two-stage, grid: 2x1", grid("projected", 3)), 5)
        self.agree("groups")
        self.assertIn("24 cases on 2 process grids of 2 ranks, 2 x 1", done.stderr)
        self.assertIn("24 cases on 1 process grid of 3 ranks, 1 x 3", done.stderr)
        self.assertRegex(done.stderr, r"ranks? left over did (\d+ other curves?|nothing) meanwhile")
        with netCDF4.Dataset(self.at / "groups.nc") as file:
            p = file["provenance"]
            self.assertEqual(sorted(set(p.task_ranks)), [1, 2, 3])
            self.assertEqual(len(p.task_seconds), 24 + 24 + 3)
            self.assertEqual(sum(np.asarray(p.task_way) == 2), 48)
            self.assertTrue((np.asarray(p.task_flops) > 0).all() and (np.asarray(p.task_seconds) > 0).all())
            self.assertEqual(len(p.peak_memory_bytes), 5)
            self.assertTrue((np.asarray(p.peak_memory_bytes) > 1e6).all())

    def test_groups_repeat_bit_for_bit_under_every_schedule(self):
        text = study(grid("two-stage", 2), grid("two-stage", 2))
        self.compute("first", text, 4)
        for schedule in tier.of(("static", "dynamic"), ("static", "cyclic", "dynamic")):
            (self.at / "again.yaml").write_text(text)
            run("run", "again.yaml", "-q", "-o", f"{schedule}.nc", "--schedule", schedule, ranks=4, cwd=self.at, check=0)
            self.assertEqual(differences(self.at / "first.nc", self.at / f"{schedule}.nc"), [])

    def test_each_size_is_kept_as_it_finishes(self):
        """Of a study whose last size was not done, that alone is missing; more repeats extend it."""
        text = study(grid("two-stage", "all"), grid("two-stage", "all"))
        self.compute("extended", text.replace("repeats: 3", "repeats: 2"), 2)
        done = self.compute("extended", text, 3)
        self.assertIn("34 of 51 curves are in the journal already", done.stderr)
        self.agree("extended")

    def test_more_ranks_a_case_than_there_are(self):
        done = self.compute("few", study(grid("two-stage", 3), grid("two-stage", 2)), 2, check=2)
        lines = [line for line in done.stderr.splitlines() if line.startswith("ridgeless:")]
        self.assertEqual(
            lines,
            [
                "ridgeless: few.yaml:10: key `ranks_per_case`: `iso` takes 3 ranks per case, but the run has 2; start it "
                "with at least 3"
            ],
        )

        done = self.compute("few", study("producer: two-stage, grid: 3x2", grid("two-stage", 2)), 2, check=2)
        self.assertIn(
            "ridgeless: few.yaml:10: key `grid`: `iso` is on 3x2 = 6 ranks, but the run has 2; expected rows x columns that "
            "make at most 2, or a start with at least 6\n",
            done.stderr,
        )


if __name__ == "__main__":
    unittest.main()
