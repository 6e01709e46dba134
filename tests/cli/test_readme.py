"""What the README shows is run as it stands there: the shortest study, one's own tables, the Python lines, the
new ablation."""
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import netCDF4

from program import SOURCE, WRAPPER, run

README = (SOURCE / "README.md").read_text()


def block(language, word):
    """The fenced block of that language which has the word."""
    found = [text for text in re.findall(rf"```{language}\n(.*?)```", README, re.S) if word in text]
    assert len(found) == 1, f"{len(found)} {language} blocks have `{word}`"
    return found[0]


class Readme(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.at = pathlib.Path(folder.name)

    def test_shortest_study_and_python_lines(self):
        (self.at / "my-study.yaml").write_text(block("yaml", "datasets: [diabetes]"))
        run("run", "my-study.yaml", "-q", cwd=self.at, check=0)
        lines = 'import matplotlib\nmatplotlib.use("Agg")\n' + block("python", "xarray") + "\nprint(d.test_mse_median.dims)\n"
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
        (self.at / "s.yaml").write_text("repeats: 2\nn_train: [1, 2, 3]\nablations: [none]\n" + block("yaml", "wine"))
        run("run", "s.yaml", "-q", cwd=self.at, check=0)
        with netCDF4.Dataset(self.at / "s.nc") as file:
            self.assertEqual(sorted(file.groups), ["provenance", "spectra", "wine"])

    def test_new_ablation(self):
        if "valgrind" in WRAPPER or "sanitize" in str(pathlib.Path.cwd()):
            self.skipTest("a second build, done in the plain suite")
        tree = self.at / "tree"
        shutil.copytree(SOURCE, tree, ignore=shutil.ignore_patterns("build*", ".git", "quickstart"))
        fit = tree / "src" / "fit"
        (fit / "even_modes.c").write_text(block("c", "even_modes"))
        self.replace(fit / "filter.h", "rl_ablation_gradient_descent_run;", "rl_ablation_gradient_descent_run, rl_ablation_even_modes;")
        self.replace(fit / "ablation.c", "&rl_ablation_gradient_descent_run,", "&rl_ablation_gradient_descent_run,\n    &rl_ablation_even_modes,")
        self.replace(fit / "meson.build", "'ridge.c',", "'ridge.c', 'even_modes.c',")
        for command in (["meson", "setup", "build", "-Dtests=false", "-Dbuildtype=debug"], ["ninja", "-C", "build"]):
            done = subprocess.run(command, cwd=tree, capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        (self.at / "s.yaml").write_text("repeats: 2\nn_train: [5]\nablations: [none, even_modes]\ndatasets: [diabetes]\n")
        subprocess.run([tree / "build" / "src" / "cli" / "ridgeless", "run", "s.yaml", "-q"], cwd=self.at, check=True,
                       stdout=subprocess.DEVNULL)
        with netCDF4.Dataset(self.at / "s.nc") as file:
            self.assertEqual(file["diabetes"]["variant"][:].tolist(), ["none", "even_modes"])
            errors = file["diabetes"]["train_mse"][:, 0, 0, 0]
            self.assertGreater(errors[1], errors[0])

    def replace(self, path, old, new):
        text = path.read_text()
        self.assertIn(old, text)
        path.write_text(text.replace(old, new))


if __name__ == "__main__":
    unittest.main()
