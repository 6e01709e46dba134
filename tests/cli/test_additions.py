"""What one more costs: a fourth kind of work is a file in task/, a file in results/ and a row; a seventh method is a file and
a row. Both are added to a copy of the sources as src/README.md says, and the whole difference is shown and held."""
import json
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

import netCDF4
import numpy

from program import SOURCE
from source_copy import SourceCopy

ADDITIONS = SOURCE / "tests" / "cli" / "additions"
MEANS = """seed: 7
repeats: 30
n_train: [1000, 20000, 400000]
ablations: none
datasets: [{source: student-teacher, name: means, rows: 500000, features: 1, draw: fresh}]
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
        cls.copy.build()
        cls.program = cls.copy.tree / "build" / "src" / "cli" / "ridgeless"

    @classmethod
    def add(cls, room, name, file):
        """A file, and its line in Meson's list of the room."""
        cls.copy.add(f"src/{room}/{name}", (ADDITIONS / file).read_text())
        cls.copy.replace(
            f"src/{room}/meson.build", f"static_library('rl_{room}',\n", f"static_library('rl_{room}',\n  '{name}',\n"
        )

    def run_study(self, name, text, *words):
        (self.at / f"{name}.yaml").write_text(text)
        return subprocess.run([self.program, "run", f"{name}.yaml", "-q", *words], cwd=self.at, text=True, capture_output=True)

    def means(self, name):
        with netCDF4.Dataset(self.at / f"{name}.nc") as file:
            return numpy.array(file["means"]["mean"][:])

    def test_the_whole_difference(self):
        command = ["diff", "-r", "-U0", "-x", "build*", "-x", ".git", "-x", "__pycache__", SOURCE / "src", self.copy.tree / "src"]
        lines = subprocess.run(command, capture_output=True, text=True).stdout.splitlines()
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

    def test_means_of_streams(self):
        """Against the law: the mean of k standard normal numbers has the standard deviation 1 / sqrt(k)."""
        done = self.run_study("law", MEANS)
        self.assertEqual(done.returncode, 0, done.stderr)
        means = self.means("law")
        self.assertEqual(means.shape, (3, 30))
        scaled = means * numpy.sqrt([[1000], [20000], [400000]])
        self.assertTrue(numpy.all(numpy.abs(scaled) < 6))
        self.assertLess(abs(scaled.std() - 1), 6 / numpy.sqrt(2 * scaled.size))
        plan = subprocess.run([self.program, "plan", "law.yaml"], cwd=self.at, text=True, capture_output=True)
        self.assertEqual(plan.returncode, 0, plan.stderr)
        status = subprocess.run([self.program, "status", "law.yaml"], cwd=self.at, text=True, capture_output=True)
        self.assertIn("30 of 30 streams", status.stdout)

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
        self.run_study("whole", MEANS)
        self.assertEqual(self.means("killed").tobytes(), self.means("whole").tobytes())

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


if __name__ == "__main__":
    unittest.main()
