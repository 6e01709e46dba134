"""The results file: opened by xarray without any argument more, described by ncdump, reduced values as NumPy has them."""
import pathlib
import subprocess
import tempfile
import unittest

import netCDF4
import numpy as np
import xarray

import manual
import spike
from program import SOURCE, run

STUDY = """title: Layout
repeats: 9
keep: [cells, modes]
n_train: [1, 5, 10, 11, 30]
ablations: [none, cutoff: [0.01, 0.1], leading_modes: 3, no_residuals]
datasets:
  - diabetes
  - {source: student-teacher, name: fresh, rows: 50, features: 4, hidden_features: 6, noise: 0.5, draw: fresh}
"""
EVERYTHING = """repeats: 3
n_train: [2, 4]
ablations: [none, ridge: 0.1, cutoff: 0.1]
datasets:
  - {source: gaussian, covariance: [2, 0.5, 0.5, 1], rows: 20, keep: [cells, directions]}
  - {source: function, map: legendre, n_features: [2, 3], keep: [cells, predictions]}
  - {source: sphere, map: random-relu, n_features: [4], rows: 30, inputs: 3}
  - {source: student-teacher, draw: fresh, features: 4, rows: 30, measures: [gcv, loo, worst_share]}
  - {source: diabetes, keep: summary, intercept: true}
  - {source: csv, name: apart, file: apart.csv, target: y}
  - {source: student-teacher, name: steps, draw: fresh, design: scales, scales: [9, 1], scale_features: [2, 4], features: 4,
     hidden_features: 6, rows: 30, theory: table}
  - {source: csv, name: classes, file: classes.csv, target: y, measures: zero_one}
  - {source: student-teacher, name: grids, features: 8, rows: 30, producer: two-stage, keep: [cells, modes]}
autoencoders:
  - {n_features: 20, sparsity: 0.9, hidden: 2, n_train: 10, steps: 5}
"""
CELLS = ("variant", "n_features", "n_train", "repeat")
SPECTRA = ("n_features", "n_train", "repeat")


class ResultsFile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.at = pathlib.Path(cls.folder.name)
        (cls.at / "study.yaml").write_text(STUDY)
        run("run", "study.yaml", "-q", cwd=cls.at, check=0)
        cls.path = cls.at / "study.nc"

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def open(self, group="diabetes"):
        dataset = xarray.open_dataset(self.path, group=group)
        self.addCleanup(dataset.close)
        return dataset

    def test_dimensions_and_coordinates(self):
        d = self.open()
        self.assertEqual(
            dict(d.sizes) | {"mode": d.sizes["mode"]},
            {"variant": 5, "n_features": 1, "n_train": 5, "repeat": 9, "quantile": 5, "flank": 2, "mode": 10},
        )
        self.assertEqual(d.variant.values.tolist(), ["none", "cutoff=0.01", "cutoff=0.1", "leading_modes=3", "no_residuals"])
        self.assertEqual(d.ablation.values.tolist(), ["none", "cutoff", "cutoff", "leading_modes", "no_residuals"])
        self.assertTrue(np.array_equal(d.parameter.values, [np.nan, 0.01, 0.1, 3, np.nan], equal_nan=True))
        self.assertIn("ablation", d.test_mse.coords)
        self.assertEqual(d.role.values.tolist(), ["fit", "factor", "factor", "factor", "factor"])
        self.assertEqual(d.flank.values.tolist(), [0.5, 2])
        self.assertEqual(d.n_train.values.tolist(), [1, 5, 10, 11, 30])
        self.assertEqual(d.n_features.values.tolist(), [10])
        self.assertEqual(d["quantile"].values.tolist(), [0.05, 0.25, 0.5, 0.75, 0.95])
        self.assertEqual(d["repeat"].values.tolist(), list(range(9)))

    def test_variables_have_their_dimensions_and_types(self):
        d = self.open()
        for name in ("test_mse", "train_mse"):
            self.assertEqual((d[name].dims, d[name].dtype), (CELLS, np.float64), name)
        for name in ("sigma_min", "sigma_max", "test_bias_sq", "test_bias_mse"):
            self.assertEqual((d[name].dims, d[name].dtype), (SPECTRA, np.float64), name)
        for name in ("sigma", "test_projection_rms", "residual_projection"):
            self.assertEqual(d[name].dims, (*SPECTRA, "mode"), name)
        self.assertEqual(d.status.dims, SPECTRA)
        self.assertTrue((d.status == 0).all())
        self.assertTrue((d["rank"] == np.minimum(d.n_train, 10)).all())
        self.assertNotIn("population_mse", d)
        self.assertTrue(np.isfinite(self.open("fresh").population_mse).all())

    def test_theory_stands_beside_what_was_measured(self):
        """Belkin, Hsu and Xu 2020 (arXiv:1903.07571), theorem 1: 4 features seen of 6, noise 0.5."""
        d = self.open("fresh")
        self.assertNotIn("theory_test_mse", self.open())
        self.assertEqual(d.theory_test_mse.dims, ("variant", "n_features", "n_train"))
        none = d.theory_test_mse.sel(variant="none", n_features=4)
        v = none.sel(n_train=30).item() * (30 - 4 - 1) / (30 - 1)
        b = float((d.attrs["beta_star"] ** 2).sum())
        self.assertGreater(v, 0.25)
        self.assertAlmostEqual(none.sel(n_train=1).item(), b * (1 - 1 / 4) + v * (1 + 1 / (4 - 1 - 1)), delta=1e-9 * b)
        self.assertEqual(none.sel(n_train=5).item(), np.inf)
        self.assertAlmostEqual(d.theory_test_mse.sel(variant="no_residuals", n_train=1).item(), b * 0.75, delta=1e-9 * b)
        self.assertTrue(np.isnan(d.theory_test_mse.sel(variant="leading_modes=3")).all())

    def test_theory_of_a_cutoff(self):
        """One training row: sigma^2 is chi-square with 4 degrees of freedom. A cutoff makes the mean exist at N = 5."""
        d = self.open("fresh")
        b = float((d.attrs["beta_star"] ** 2).sum())
        v = d.theory_test_mse.sel(variant="none", n_features=4, n_train=30).item() * 25 / 29
        for cutoff in (0.01, 0.1):
            theory = d.theory_test_mse.sel(variant=f"cutoff={cutoff}", n_features=4)
            kept = np.exp(-(cutoff**2) / 2)
            expected = b * (1 - kept * (1 + cutoff**2 / 2) / 4) + v * (1 + kept / 2)
            self.assertAlmostEqual(theory.sel(n_train=1).item(), expected, delta=1e-12 * expected)
            self.assertTrue(np.isfinite(theory).all())
        relative = self.at / "relative.yaml"
        relative.write_text(STUDY.replace("cutoff: [0.01, 0.1]", "cutoff: {values: [0.1], relative: true}"))
        run("run", relative, "-q", cwd=self.at, check=0)
        with xarray.open_dataset(self.at / "relative.nc", group="fresh") as d:
            self.assertTrue(np.isnan(d.theory_test_mse[d.ablation == "cutoff"]).all())

    def test_one_cell_by_its_labels(self):
        d = self.open()
        value = d.test_mse.sel(variant="cutoff=0.1", n_train=10, repeat=3).item()
        self.assertEqual(value, d.test_mse.values[2, 0, 2, 3])
        self.assertGreater(value, 0)

    def test_everything_is_described(self):
        with netCDF4.Dataset(self.path) as file:
            for name in ("Conventions", "title", "program", "study_text", "study_hash", "settings"):
                self.assertTrue(getattr(file, name), name)
            self.assertEqual(file.study_text, STUDY)
            for group in (file["diabetes"], file["fresh"]):
                for name, variable in group.variables.items():
                    self.assertTrue(variable.long_name, name)
                    if variable.dtype is str:
                        continue
                    self.assertTrue(variable.units, name)
                    if variable.dtype == np.float64 and name not in (*group.dimensions, "parameter"):
                        self.assertIn("_FillValue", variable.ncattrs(), name)
                self.assertEqual(group["status"].flag_meanings.split()[0], "done")
            self.assertIn("blas", file["provenance"].ncattrs())
            self.assertIn("rank_busy_seconds", file["provenance"].ncattrs())
            self.assertIn("not exist", file["diabetes"]["test_mse_mean"].comment)

    def test_reduced_values_are_numpys(self):
        d = self.open()
        x = d.test_mse.values
        self.assertTrue(np.allclose(d.test_mse_mean, x.mean(-1), rtol=1e-13))
        self.assertTrue(np.allclose(d.test_mse_standard_error, x.std(-1, ddof=1) / 3, rtol=1e-12))
        self.assertTrue(np.array_equal(d.test_mse_median, np.median(x, -1)))
        self.assertTrue(np.allclose(d.test_mse_geometric_mean, np.exp(np.log(x).mean(-1)), rtol=1e-12))
        quantiles = np.moveaxis(np.quantile(x, d["quantile"].values, axis=-1), 0, -1)
        self.assertTrue(np.allclose(d.test_mse_quantile, quantiles, rtol=1e-14))
        self.assertTrue(np.array_equal(d.sigma_min_median, np.median(d.sigma_min.values, -1)))

    def test_spikes_are_those_of_the_values(self):
        more = STUDY.replace("[1, 5, 10, 11, 30]", "[2, 4, 5, 8, 10, 21]").replace("repeats: 9", "repeats: 25")
        (self.at / "spikes.yaml").write_text(more)
        run("run", "spikes.yaml", "-q", cwd=self.at, check=0)
        for group, p, flanks in (("diabetes", 10, [5, 21]), ("fresh", 4, [2, 8])):
            with xarray.open_dataset(self.at / "spikes.nc", group=group) as d:
                self.assertEqual((d.threshold_n_train.item(), d.flank_n_train.values[0].tolist()), (p, flanks))
                for v, errors in enumerate(d.test_mse.values[:, 0]):
                    expected = spike.heights(errors, d.n_train.values, p, d.null_mse.item())
                    got = [d[f"spike_height{end}"].values[v, 0] for end in ("", "_low", "_high")]
                    self.assertEqual(got, list(expected), d.variant.values[v])
                self.assertGreater(d.spike_height_high.values[0, 0], d.spike_height.values[0, 0])
                self.assertEqual(d.spike_height.sel(variant="no_residuals").item(), 0)

    def test_without_flanks_there_is_no_spike(self):
        d, fresh = self.open(), self.open("fresh")
        self.assertEqual((d.threshold_n_train.item(), d.flank_n_train.values[0, 0]), (10, 5))
        self.assertTrue(np.isnan(d.flank_n_train.values[0, 1]))  # 11 is nearest to 20
        self.assertTrue(np.isnan(fresh.threshold_n_train.item()))  # 5 is nearest to 4
        for group in (d, fresh):
            self.assertTrue(np.isnan(group.spike_height.values).all() and np.isnan(group.spike_height_low.values).all())

    def test_what_predictions_without_a_fit_cost(self):
        d = self.open()
        y = np.loadtxt(SOURCE / "jobs" / "data" / "diabetes_target.csv.gz")
        self.assertAlmostEqual(d.null_mse.item(), (y**2).mean(), delta=1e-9 * (y**2).mean())
        self.assertAlmostEqual(d.target_variance.item(), y.var(), delta=1e-9 * y.var())
        self.assertIn("of all rows", d.null_mse.comment)
        fresh = self.open("fresh")
        drawn = fresh.theory_test_mse.sel(variant="none", n_train=30).item() * 25 / 29 + (fresh.attrs["beta_star"] ** 2).sum()
        self.assertAlmostEqual(fresh.null_mse.item(), drawn, delta=1e-12 * drawn)
        self.assertEqual(fresh.null_mse.item(), fresh.target_variance.item())
        self.assertIn("of the population", fresh.null_mse.comment)

    def test_modes_kept_are_those_of_the_singular_values(self):
        d = self.open()
        sigma = d.sigma.values[0]  # (n_train, repeat, mode), NaN where there is no mode
        modes = np.isfinite(sigma).sum(-1)
        expected = {f"cutoff={c}": (sigma >= c).sum(-1) for c in (0.01, 0.1)} | {"leading_modes=3": np.minimum(modes, 3)}
        for label in d.variant.values:
            got = d.modes_kept_median.sel(variant=label).values[0]
            if label in expected:
                self.assertEqual(got.tolist(), np.median(expected[label], -1).tolist(), label)
            else:
                self.assertTrue(np.isnan(got).all(), label)
        self.assertNotIn("modes_kept", d)

    def test_modes_are_filled_up_to_the_rank(self):
        d = self.open()
        known = np.isfinite(d.sigma.values).sum(-1)
        self.assertTrue((known == np.minimum(d.n_train.values, 10)[None, :, None]).all())
        smallest = np.nanmin(d.sigma.values, -1)
        self.assertTrue(np.array_equal(smallest, d.sigma_min.values))

    def test_modes_are_compressed_where_they_are_many(self):
        text = STUDY.replace("repeats: 9", "random: philox\nrepeats: 3000").replace("keep: [cells, modes]", "keep: modes")
        (self.at / "many.yaml").write_text(text)
        run("run", "many.yaml", "-q", cwd=self.at, check=0)
        with netCDF4.Dataset(self.at / "many.nc") as file:
            sigma = file["diabetes"]["sigma"]  # 5 N x 3000 x 10 modes: 1.2 MB
            filters = sigma.filters()
            self.assertTrue(filters["zlib"] and filters["shuffle"] and filters["complevel"] == 1, filters)
            self.assertEqual(file["fresh"]["sigma"].chunking(), "contiguous")
            known = np.isfinite(np.ma.filled(sigma[:], np.nan)).sum(-1)
            self.assertTrue((known == np.minimum(file["diabetes"]["n_train"][:], 10)[None, :, None]).all())
            smallest = np.nanmin(np.ma.filled(sigma[:], np.nan), -1)
            self.assertTrue(np.array_equal(np.median(smallest, -1), file["diabetes"]["sigma_min_median"][:]))

    def test_ncdump_reads_it(self):
        text = subprocess.run(["ncdump", "-h", self.path], check=True, capture_output=True, text=True).stdout
        for words in (
            "group: diabetes {",
            "group: provenance {",
            "double test_mse(variant, n_features, n_train, repeat) ;",
            "string variant(variant) ;",
            "byte status(n_features, n_train, repeat) ;",
        ):
            self.assertIn(words, text)

    def test_modes_alone_leave_the_cells_out(self):
        (self.at / "modes.yaml").write_text(STUDY.replace("keep: [cells, modes]", "keep: modes"))
        run("run", "modes.yaml", "-q", cwd=self.at, check=0)
        with xarray.open_dataset(self.at / "modes.nc", group="diabetes") as d:
            self.assertNotIn("test_mse", d)
            self.assertIn("sigma", d)
            self.assertTrue(np.array_equal(d.test_mse_median, self.open().test_mse_median))


PAGE = "ridgeless-results.5"
ENTRIES = [entry for entry in manual.entries(PAGE) if entry.facts]
VARIABLE_FACTS, ATTRIBUTE_FACTS = ["Dimensions", "Type", "Unit", "When"], ["Type", "When"]
PROVENANCE = "THE GROUP PROVENANCE"
OF_AUTOENCODERS = ("Attributes of autoencoders", "Coordinates of autoencoders", "Trainings")
REDUCED = "those of the value without repeat"


def stored_type(dtype):
    return "text" if dtype is str else "number" if dtype == np.float64 else "integer"


class ResultsPage(unittest.TestCase):
    """ridgeless-results(5) against files of every kind of study: what is in them is in it, and the other way round."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.at = pathlib.Path(folder.name)
        (cls.at / "everything.yaml").write_text(EVERYTHING)
        (cls.at / "apart.csv").write_text("x,z,y\n" + "".join(f"{i}e9,{i * i % 5}e-8,{i}\n" for i in range(1, 9)))
        (cls.at / "classes.csv").write_text("x,z,y\n" + "".join(f"{i},{i * i % 5},{i % 2}\n" for i in range(1, 9)))
        run("run", "everything.yaml", "-q", "--chunk", "2", cwd=cls.at, check=0)
        cls.file = netCDF4.Dataset(cls.at / "everything.nc")
        cls.addClassCleanup(cls.file.close)
        cls.groups = [group for name, group in cls.file.groups.items() if name != "provenance"]

    def variable_entries(self, group):
        """By name: a name may have several, as `status` has."""
        trained = getattr(group, "kind", "") == "autoencoder"
        found = {}
        for entry in ENTRIES:
            if "Dimensions" in entry.facts and (entry.section in OF_AUTOENCODERS) == trained:
                found.setdefault(entry.key, []).append(entry)
        return found

    def entries_of(self, name, entries):
        """With the dimensions that they state; those of reduced values from the entry of the ending and of the value."""
        for entry in entries.get(name, ()):
            yield entry, entry.facts["Dimensions"]
        for ending, (entry, *_) in entries.items():
            if ending.startswith("_") and name.endswith(ending):
                for value in entries.get(name.removesuffix(ending), ()):
                    own = value.facts["Dimensions"].removesuffix(", repeat")
                    yield entry, entry.facts["Dimensions"].replace(REDUCED, own)

    def attributes(self, *sections):
        return {entry.key for entry in ENTRIES if entry.section in sections and "Dimensions" not in entry.facts}

    def test_each_entry_states_all_facts_in_order(self):
        for entry in ENTRIES:
            of_variables = VARIABLE_FACTS if "Dimensions" in entry.facts else ATTRIBUTE_FACTS
            self.assertEqual(list(entry.facts), VARIABLE_FACTS[1:] if entry.section == PROVENANCE else of_variables, entry)
        self.assertEqual(len({(entry.section, entry.key) for entry in ENTRIES}), len(ENTRIES))

    def test_variables_are_those_of_the_page(self):
        used = set()
        for group in self.groups:
            entries = self.variable_entries(group)
            for name, variable in group.variables.items():
                there = (", ".join(variable.dimensions), stored_type(variable.dtype))
                found = reversed(list(self.entries_of(name, entries)))  # its own first
                stated = {(dimensions, entry.facts["Type"]): entry for entry, dimensions in found}
                self.assertIn(there, stated, f"{group.name}: {name}")
                used.add((stated[there].section, stated[there].key))
        unused = [(e.section, e.key) for e in ENTRIES if "Dimensions" in e.facts and (e.section, e.key) not in used]
        self.assertEqual(unused, [])

    def test_attributes_are_those_of_the_page(self):
        self.assertEqual(set(self.file.ncattrs()), self.attributes("THE WHOLE FILE"))
        of_data, of_variables = set(), set()
        for group in self.groups:
            of_variables.update(name for variable in group.variables.values() for name in variable.ncattrs())
            if getattr(group, "kind", "") == "autoencoder":
                self.assertEqual(set(group.ncattrs()), self.attributes(*OF_AUTOENCODERS))
            else:
                of_data.update(group.ncattrs())
        self.assertEqual(of_data, self.attributes("Attributes of data sets"))
        self.assertEqual(of_variables, self.attributes("ATTRIBUTES OF VARIABLES"))

    def test_provenance_is_that_of_the_page(self):
        names = {name for name in self.file["provenance"].ncattrs() if not name.startswith("origin_")}
        self.assertEqual(names, self.attributes(PROVENANCE) - {"origin_NAME"})
        for entry in ENTRIES:
            if entry.section == PROVENANCE and entry.key in names:
                value = self.file["provenance"].getncattr(entry.key)
                self.assertEqual(isinstance(value, str), entry.facts["Type"] == "text", entry.key)

    def test_flags_are_those_of_the_page(self):
        for group in self.groups:
            status = group["status"]
            flags = [f'.RB "{value} " {word}\n' for value, word in zip(status.flag_values, status.flag_meanings.split())]
            (entry,) = (e for e in self.variable_entries(group)["status"] if ".RS" in e.text)
            self.assertEqual([f"{line}\n" for line in entry.text.splitlines() if line.startswith('.RB "')], flags)

    def test_examples_run(self):
        shell, python = manual.examples(PAGE)
        (self.at / "my-study.yaml").write_text(STUDY)
        run("run", "my-study.yaml", "-q", cwd=self.at, check=0)
        for command in (["bash", "-ec", shell], ["/usr/bin/python3", "-c", python]):
            done = subprocess.run(command, cwd=self.at, capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("n_train", done.stdout)


if __name__ == "__main__":
    unittest.main()
