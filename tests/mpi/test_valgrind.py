"""Two ranks under valgrind's memcheck: no invalid access, no use of what was never set. Full spectra and nested
factorization, on one rank and on a process grid, repeats side by side, spectra updated row by row, summaries, and going
on after a torn record."""
import os
import pathlib
import subprocess
import tempfile
import unittest

import launcher
import tier
from program import PROGRAM

# Open MPI's own, as its packagers list them.
SUPPRESSIONS = [pathlib.Path("/usr/share/openmpi/openmpi-valgrind.supp"), pathlib.Path(__file__).with_name("valgrind.supp")]
VALGRIND = [
    "valgrind",
    "-q",
    "--error-exitcode=99",
    "--log-file=valgrind.%p",
    *(f"--suppressions={path}" for path in SUPPRESSIONS if path.exists()),
]
SPECTRA = """repeats: 2
block: 4
keep: [cells, modes]
n_train: [1, 9, 10, 11, 30]
ablations: [none, cutoff: 0.1, leading_modes: 2, no_residuals, adversarial_test: 1, adversarial_train: 1, ridge: 0.1,
            gradient_descent: 5]
datasets:
  - {source: diabetes, producer: lapack}
  - {source: student-teacher, rows: 40, features: 4, hidden_features: 5, draw: fresh}
  - {source: student-teacher, name: summed, rows: 40, features: 4, hidden_features: 5, draw: fresh, keep: summary}
  - {source: student-teacher, name: on_grid, rows: 40, features: 10, hidden_features: 12, n_train: [6, 10, 20], ranks_per_case: 2}
"""
NESTED = """repeats: 2
block: 4
n_train: {values: [1, 11, 12, 13], range: [20, 28]}
ablations: [none, no_residuals]
full_spectra: [12]
datasets:
  - {source: student-teacher, rows: 60, features: 12, hidden_features: 14, draw: fresh}
  - {source: student-teacher, name: on_grid, rows: 60, features: 12, hidden_features: 14, ranks_per_case: 2}
"""
ROW_BY_ROW = """repeats: 2
n_train: {range: [24, 48]}
ablations: [none, cutoff: [0.5, 1], leading_modes: {range: [1, 5]}, no_residuals, ridge: 0.1]
datasets:
  - {source: student-teacher, rows: 80, features: 36, hidden_features: 40}
"""
TORN_BYTES = 100


class Valgrind(unittest.TestCase):
    def run_study(self, study, ways, resume):
        """Once more where asked, from a journal whose last record is torn."""
        with tempfile.TemporaryDirectory() as folder:
            at = pathlib.Path(folder)
            (at / "study.yaml").write_text(study)
            plan = subprocess.run([PROGRAM, "plan", "study.yaml"], cwd=at, text=True, capture_output=True, check=True).stdout
            for way in ways:
                self.assertIn(way, plan)
            self.run_under_valgrind(at)
            if not resume:
                return
            journal = at / "study.nc.journal"
            os.truncate(journal, journal.stat().st_size - TORN_BYTES)
            self.assertIn("are in the journal already", self.run_under_valgrind(at))

    def run_under_valgrind(self, at):
        done = subprocess.run(
            launcher.on_ranks(2, [*VALGRIND, PROGRAM, "run", "study.yaml"]),
            cwd=at,
            text=True,
            capture_output=True,
            timeout=1500,
            env={**os.environ, "OPENBLAS_CORETYPE": "Haswell"},
        )
        said = "".join(path.read_text() for path in sorted(at.glob("valgrind.*")))
        self.assertEqual(done.returncode, 0, done.stderr + said)
        return done.stderr

    def test_full_spectra_and_going_on(self):
        self.run_study(SPECTRA, ["full spectra\n", "repeats side by side", "full spectra on process grids"], resume=tier.ALL)

    @tier.in_all_alone
    def test_spectra_updated_row_by_row(self):
        self.run_study(ROW_BY_ROW, ["updated row by row"], resume=False)

    @tier.in_all_alone
    def test_nested_factorization(self):
        self.run_study(NESTED, ["nested factorization\n", "nested factorization on process grids"], resume=False)


if __name__ == "__main__":
    unittest.main()
