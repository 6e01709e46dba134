"""Two ranks under valgrind's memcheck: no invalid access, no use of what was never set."""
import os
import pathlib
import subprocess
import tempfile
import unittest

from program import PROGRAM

# Open MPI's own, as its packagers list them.
SUPPRESSIONS = pathlib.Path("/usr/share/openmpi/openmpi-valgrind.supp")
STUDY = """repeats: 2
keep: [cells, modes]
n_train: [1, 9, 10, 11, 30]
ablations: [none, cutoff: 0.1, leading_modes: 2, no_residuals, adversarial_test: 1, adversarial_train: 1, ridge: 0.1,
            gradient_descent: 5]
datasets: [diabetes, {source: student-teacher, rows: 40, features: 4, hidden_features: 5, draw: fresh}]
"""


class Valgrind(unittest.TestCase):
    def test_two_ranks(self):
        with tempfile.TemporaryDirectory() as folder:
            at = pathlib.Path(folder)
            (at / "study.yaml").write_text(STUDY)
            valgrind = ["valgrind", "-q", "--error-exitcode=99", "--log-file=valgrind.%p"]
            if SUPPRESSIONS.exists():
                valgrind.append(f"--suppressions={SUPPRESSIONS}")
            valgrind.append(f"--suppressions={pathlib.Path(__file__).with_name('valgrind.supp')}")
            done = subprocess.run(["mpirun", "-n", "2", *valgrind, PROGRAM, "run", "study.yaml"], cwd=at, text=True,
                                  capture_output=True, timeout=500, env={**os.environ, "OPENBLAS_CORETYPE": "Haswell"})
            said = "".join(path.read_text() for path in sorted(at.glob("valgrind.*")))
            self.assertEqual(done.returncode, 0, done.stderr + said)


if __name__ == "__main__":
    unittest.main()
