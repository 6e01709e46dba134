"""What the READMEs show is run as it stands there: the shortest study, one's own tables, the Python lines, the
new ablation, the new feature map."""
import pathlib
import re
import subprocess
import tempfile
import unittest

import netCDF4

from program import SOURCE, run
from source_copy import SourceCopy

README, FIT, DATA = ((SOURCE / folder / "README.md").read_text() for folder in (".", "src/fit", "src/data"))


def block(readme, language, word):
    """The fenced block of that language which has the word."""
    found = [text for text in re.findall(rf"```{language}\n(.*?)```", readme, re.S) if word in text]
    assert len(found) == 1, f"{len(found)} {language} blocks have `{word}`"
    return found[0]


class Readme(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.at = pathlib.Path(folder.name)

    def test_shortest_study_and_python_lines(self):
        (self.at / "my-study.yaml").write_text(block(README, "yaml", "datasets: [diabetes]"))
        run("run", "my-study.yaml", "-q", cwd=self.at, check=0)
        before, after = 'import matplotlib\nmatplotlib.use("Agg")\n', "\nprint(d.test_mse_median.dims)\n"
        lines = before + block(README, "python", "xarray") + after
        done = subprocess.run(["/usr/bin/python3", "-c", lines], cwd=self.at, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("n_train", done.stdout)

    def test_tables_of_ones_own(self):
        wine = "acid,sugar,quality\n" + "".join(f"{i % 5},{i * i % 11},{i % 3}\n" for i in range(30))
        (self.at / "wine.csv").write_text(wine)
        with netCDF4.Dataset(self.at / "spectra.nc", "w") as file:
            file.createDimension("sample", 30)
            file.createDimension("wavelength", 2)
            file.createVariable("absorbance", "f4", ("sample", "wavelength"))[:] = [[i % 5, i * i % 11] for i in range(30)]
            file.createVariable("moisture", "f8", ("sample",))[:] = [i % 3 for i in range(30)]
        (self.at / "s.yaml").write_text("repeats: 2\nn_train: [1, 2, 3]\nablations: [none]\n" + block(README, "yaml", "wine"))
        run("run", "s.yaml", "-q", cwd=self.at, check=0)
        with netCDF4.Dataset(self.at / "s.nc") as file:
            self.assertEqual(sorted(file.groups), ["provenance", "spectra", "wine"])


class OnesOwnCode(unittest.TestCase):
    """A new ablation and a new feature map, as the READMEs of their rooms show them: one build for both."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.at = pathlib.Path(folder.name)
        cls.copy = SourceCopy(cls.at)
        cls.add_ablation(cls.copy, block(FIT, "c", "even_modes"))
        cls.add_map(cls.copy, block(DATA, "c", "hat_functions"))
        cls.copy.build()

    @staticmethod
    def add_ablation(copy, text):
        named = "rl_ablation_gradient_descent_run"
        copy.add("src/fit/even_modes.c", text)
        copy.replace("src/fit/filter.h", f"{named};", f"{named}, rl_ablation_even_modes;")
        copy.replace("src/fit/ablation.c", f"&{named},", f"&{named},\n    &rl_ablation_even_modes,")
        copy.replace("src/fit/meson.build", "'ridge.c',", "'ridge.c', 'even_modes.c',")

    @staticmethod
    def add_map(copy, text):
        copy.add("src/data/maps/hat_functions.c", text)
        copy.replace("src/data/maps/map.h", "rl_map_random_relu;", "rl_map_random_relu, rl_map_hat_functions;")
        copy.replace("src/data/maps/feature_map.c", "&rl_map_random_relu,", "&rl_map_random_relu, &rl_map_hat_functions,")
        copy.replace("src/data/meson.build", "'maps/random_relu.c',", "'maps/random_relu.c', 'maps/hat_functions.c',")

    def test_new_ones_are_listed(self):
        program = self.copy.tree / "build" / "src" / "cli" / "ridgeless"
        for command, example in (("ablations", "even_modes"), ("maps", "{source: function, map: hat-functions")):
            listed = subprocess.run([program, command], capture_output=True, text=True, check=True).stdout
            self.assertIn(f" - {example}", listed)

    def test_new_ablation(self):
        (self.at / "s.yaml").write_text("repeats: 2\nn_train: [5]\nablations: [none, even_modes]\ndatasets: [diabetes]\n")
        self.copy.run("s.yaml")
        with netCDF4.Dataset(self.at / "s.nc") as file:
            self.assertEqual(file["diabetes"]["variant"][:].tolist(), ["none", "even_modes"])
            errors = file["diabetes"]["train_mse"][:, 0, 0, 0]
            self.assertGreater(errors[1], errors[0])

    def test_new_feature_map(self):
        text = (SOURCE / "tests" / "cli" / "hat_functions.c").read_text()
        self.assertLess(len(text.splitlines()), 30)
        self.assertIn(text, DATA)
        study = "repeats: 2\nn_features: [4, 40]\nn_train: [200]\nablations: [none]\ndatasets:\n"
        tents = "  - {source: function, function: sine, map: hat-functions, inputs: equispaced, rows: 200}\n"
        (self.at / "hats.yaml").write_text(study + tents)
        self.copy.run("hats.yaml")
        with netCDF4.Dataset(self.at / "hats.nc") as file:
            few, many = file["function"]["test_mse"][0, :, 0, 0]
        self.assertLess(many, few / 10)  # tents of a twentieth follow a sine better than four do


if __name__ == "__main__":
    unittest.main()
