"""What one more costs: a fourth kind of work is a file in task/, a file in results/ and a row; a seventh method is a file and
a row. Both are added to a copy of the sources as src/README.md says, and the whole difference is shown and held. Then come a
new ablation and a new feature map, as the READMEs of their rooms show them: one build for all, with --all."""
import json
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

import netCDF4
import numpy

import readme
import tier
from program import SOURCE
from source_copy import SourceCopy

ADDITIONS = SOURCE / "tests" / "cli" / "additions"
MEANS = """seed: 7
repeats: 30
n_train: [1000, 20000, 100000]
ablations: none
datasets: [{source: student-teacher, name: means, rows: 120000, features: 1, draw: fresh}]
"""
ANEW = """repeats: 3
n_train: [2, 5, 6, 7, 20]
ablations: [none, cutoff: [0.1]]
datasets: [{source: student-teacher, name: NAME, rows: 40, features: 6, producer: lapack}]
"""


class Additions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.at = pathlib.Path(folder.name)
        cls.copy = SourceCopy(cls.at)
        cls.add("task", "means.c", "means_task.c")
        cls.add("results", "means.c", "means_results.c")
        cls.copy.replace("src/kinds.h", "RL_KINDS(X) ", "RL_KINDS(X) X(means) ")
        cls.add("task", "anew.c", "anew_method.c")
        cls.copy.replace("src/task/methods.c", "METHODS(X) ", "METHODS(X) X(anew) ")
        cls.difference = cls.from_the_sources()
        cls.add_ablation()
        cls.add_map()
        if tier.ALL:
            cls.build()

    @classmethod
    def build(cls):
        cls.copy.build()
        cls.program = cls.copy.tree / "build" / "src" / "cli" / "ridgeless"
        done = cls.run_study("law", MEANS)
        assert done.returncode == 0, done.stderr

    @classmethod
    def add(cls, room, name, file):
        """A file, and its line in Meson's list of the room."""
        cls.copy.add(f"src/{room}/{name}", (ADDITIONS / file).read_text())
        cls.copy.replace(
            f"src/{room}/meson.build", f"static_library('rl_{room}',\n", f"static_library('rl_{room}',\n  '{name}',\n"
        )

    @classmethod
    def from_the_sources(cls):
        command = ["diff", "-r", "-U0", "-x", "build*", "-x", ".git", "-x", "__pycache__", SOURCE / "src", cls.copy.tree / "src"]
        return subprocess.run(command, capture_output=True, text=True).stdout.splitlines()

    @classmethod
    def add_ablation(cls):
        named = "rl_ablation_none"
        cls.copy.add("src/fit/even_modes.c", readme.block("src/fit/README.md", "c", "even_modes"))
        cls.copy.replace("src/fit/filter.h", f"{named},", f"{named}, rl_ablation_even_modes,")
        cls.copy.replace("src/fit/ablation.c", f"&{named},", f"&{named},\n    &rl_ablation_even_modes,")
        cls.copy.replace("src/fit/meson.build", "'ridge.c',", "'ridge.c', 'even_modes.c',")

    @classmethod
    def add_map(cls):
        cls.copy.add("src/data/maps/hat_functions.c", readme.block("src/data/README.md", "c", "hat_functions"))
        cls.copy.replace("src/data/maps/map.h", "rl_map_random_relu;", "rl_map_random_relu, rl_map_hat_functions;")
        cls.copy.replace("src/data/maps/feature_map.c", "&rl_map_random_relu,", "&rl_map_random_relu, &rl_map_hat_functions,")
        cls.copy.replace("src/data/meson.build", "'maps/random_relu.c',", "'maps/random_relu.c', 'maps/hat_functions.c',")

    @classmethod
    def run_study(cls, name, text):
        (cls.at / f"{name}.yaml").write_text(text)
        return subprocess.run([cls.program, "run", f"{name}.yaml", "-q"], cwd=cls.at, text=True, capture_output=True)

    def means(self, name):
        with netCDF4.Dataset(self.at / f"{name}.nc") as file:
            return numpy.array(file["means"]["mean"][:])

    def test_the_whole_difference(self):
        lines = self.difference
        changed = [line for line in lines if line[:1] in "+-" and not line.startswith(("+++", "---"))]
        rows = [
            "+#define RL_KINDS(X) X(means) X(training) X(summary) X(curves)",
            "-#define RL_KINDS(X) X(training) X(summary) X(curves)",
        ]
        methods = "X(grid_nested) X(grid_spectra) X(nested) X(bulk) X(updated) X(spectra)"
        rows += [f"+#define METHODS(X) X(anew) {methods}", f"-#define METHODS(X) {methods}"]
        self.assertEqual(sorted(changed), sorted(rows + ["+  'anew.c',", "+  'means.c',", "+  'means.c',"]), "\n".join(lines))
        new = [line for line in lines if line.startswith("Only in")]
        self.assertEqual(len(new), 3, new)

    @tier.in_all_alone
    def test_means_of_streams(self):
        """Against the law: the mean of k standard normal numbers has the standard deviation 1 / sqrt(k)."""
        means = self.means("law")
        self.assertEqual(means.shape, (3, 30))
        scaled = means * numpy.sqrt([[1000], [20000], [100000]])
        self.assertTrue(numpy.all(numpy.abs(scaled) < 6))
        self.assertLess(abs(scaled.std() - 1), 6 / numpy.sqrt(2 * scaled.size))
        plan = subprocess.run([self.program, "plan", "law.yaml"], cwd=self.at, text=True, capture_output=True)
        self.assertEqual(plan.returncode, 0, plan.stderr)
        status = subprocess.run([self.program, "status", "law.yaml"], cwd=self.at, text=True, capture_output=True)
        self.assertIn("30 of 30 streams", status.stdout)

    @tier.in_all_alone
    def test_kills_lose_nothing(self):
        """Killed in the middle until it is done: what was finished is never computed again, and the bits are the same."""
        (self.at / "killed.yaml").write_text(MEANS)
        journal, kept = self.at / "killed.nc.journal", [0]
        for _ in range(4):
            size = journal.stat().st_size if journal.exists() else 0
            process = subprocess.Popen([self.program, "run", "killed.yaml", "-q"], cwd=self.at, stdout=subprocess.DEVNULL)
            while process.poll() is None and (journal.stat().st_size if journal.exists() else 0) < size + 600:
                time.sleep(0.002)
            process.send_signal(signal.SIGKILL)
            process.wait()
            answer = subprocess.run(
                [self.program, "status", "killed.yaml", "--json"], cwd=self.at, text=True, capture_output=True
            )
            kept.append(json.loads(answer.stdout)["datasets"][0]["done"])
        self.assertEqual(kept, sorted(kept))
        self.assertGreater(kept[1], 0)
        done = self.run_study("killed", MEANS)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.means("killed").tobytes(), self.means("law").tobytes())

    @tier.in_all_alone
    def test_seventh_method(self):
        """Beside the method of which it makes use, on the same rows: the numbers agree to rounding."""
        for name in ("anew", "plain"):
            done = self.run_study(name, ANEW.replace("NAME", name))
            self.assertEqual(done.returncode, 0, done.stderr)
        plan = subprocess.run([self.program, "plan", "anew.yaml"], cwd=self.at, text=True, capture_output=True, check=True)
        self.assertIn("full spectra, each from rows loaded anew", plan.stdout)
        with netCDF4.Dataset(self.at / "anew.nc") as file:
            self.assertTrue(numpy.isfinite(file["anew"]["test_mse"][:]).all())
            self.assertEqual(
                set(
                    numpy.unique(
                        file["provenance"]["task_way"][:]
                        if "task_way" in file["provenance"].variables
                        else file["provenance"].task_way
                    )
                ),
                {99},
            )

    @tier.in_all_alone
    def test_new_ones_are_listed(self):
        for command, example in (("ablations", "even_modes"), ("maps", "{source: function, map: hat-functions")):
            listed = subprocess.run([self.program, command], capture_output=True, text=True, check=True).stdout
            self.assertIn(f" - {example}", listed)

    @tier.in_all_alone
    def test_new_ablation(self):
        done = self.run_study("even", "repeats: 2\nn_train: [5]\nablations: [none, even_modes]\ndatasets: [diabetes]\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        with netCDF4.Dataset(self.at / "even.nc") as file:
            self.assertEqual(file["diabetes"]["variant"][:].tolist(), ["none", "even_modes"])
            errors = file["diabetes"]["train_mse"][:, 0, 0, 0]
            self.assertGreater(errors[1], errors[0])

    def test_a_feature_map_is_short(self):
        text = (SOURCE / "tests" / "cli" / "hat_functions.c").read_text()
        self.assertLess(len(text.splitlines()), 30)
        self.assertIn(text, (SOURCE / "src" / "data" / "README.md").read_text())

    @tier.in_all_alone
    def test_new_feature_map(self):
        study = "repeats: 2\nn_features: [4, 40]\nn_train: [200]\nablations: [none]\ndatasets:\n"
        tents = "  - {source: function, function: sine, map: hat-functions, inputs: equispaced, rows: 200}\n"
        done = self.run_study("hats", study + tents)
        self.assertEqual(done.returncode, 0, done.stderr)
        with netCDF4.Dataset(self.at / "hats.nc") as file:
            few, many = file["function"]["test_mse"][0, :, 0, 0]
        self.assertLess(many, few / 10)  # tents of a twentieth follow a sine better than four do


if __name__ == "__main__":
    unittest.main()
