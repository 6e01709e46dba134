"""What the READMEs show is done as it stands there: every block of commands, the shortest study, one's own tables, the new
ablation, the new feature map."""
import pathlib
import re
import subprocess
import tempfile
import unittest

import netCDF4

import readme
from program import SOURCE, run
from source_copy import SourceCopy

README, FIT, DATA = ((SOURCE / folder / "README.md").read_text() for folder in (".", "src/fit", "src/data"))


def block(document, language, word):
    """The fenced block of that language which has the word."""
    found = [text for text in re.findall(rf"```{language}\n(.*?)```", document, re.S) if word in text]
    assert len(found) == 1, f"{len(found)} {language} blocks have `{word}`"
    return found[0]


class Commands(unittest.TestCase):
    """Each block of each README, in order, as pasted; stand-ins are in tests/readme.py."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.reader = readme.Reader(pathlib.Path(folder.name))

    def test_each_block_does_what_it_says(self):
        files, done = [], 0
        for name in readme.names():
            if name == readme.PAGE:
                self.reader.begin_anew()
            for line, language, text in readme.blocks(name):
                if language == "c" or text.startswith('"""'):
                    files.append((name, language))
                    continue
                with self.subTest(f"{name}:{line}"):
                    self.assertIn(language, ("sh", "yaml", "python"))
                    said = self.reader.paste(language, text)
                    self.assertEqual(said.returncode, 0, f"{text}\n{said.stdout}")
                done += 1
        self.assertEqual(files, readme.FILES)
        self.assertGreater(done, 20)


class Studies(unittest.TestCase):
    """Those of the first page, which are planned above, are run here."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.at = pathlib.Path(folder.name)

    def groups(self, text):
        (self.at / "s.yaml").write_text(text)
        run("run", "s.yaml", "-q", cwd=self.at, check=0)
        with netCDF4.Dataset(self.at / "s.nc") as file:
            return sorted(file.groups)

    def test_shortest_study(self):
        self.assertEqual(self.groups(block(README, "yaml", "datasets: [diabetes]")), ["diabetes", "provenance"])

    def test_tables_of_ones_own(self):
        readme.write_tables(self.at)
        text = readme.whole_study(block(README, "yaml", "wine"))
        self.assertEqual(self.groups(text), ["provenance", "spectra", "wine"])


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
        named = "rl_ablation_none"
        copy.add("src/fit/even_modes.c", text)
        copy.replace("src/fit/filter.h", f"{named},", f"{named}, rl_ablation_even_modes,")
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
