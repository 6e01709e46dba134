"""Which bits depend on the arithmetic (the kernels of the BLAS library and its threads), and what is said where they do."""
import pathlib
import tempfile
import unittest

import netCDF4
from program import differences, run

KERNELS = ("Haswell", "SkylakeX", "Prescott")  # of OpenBLAS, for processors with AVX2, with AVX-512, and older ones
SIDE_BY_SIDE = """repeats: 12
n_train: {range: [1, 40]}
keep: [cells, modes]
ablations: [none, no_residuals, cutoff: 0.1, leading_modes: 2, ridge: 0.1, gradient_descent: 10, adversarial_test: 0.1]
datasets:
  - diabetes
  - {source: diabetes, name: with-ones, intercept: true}
  - {source: student-teacher, rows: 300}
  - {source: student-teacher, name: fresh, rows: 300, features: 7, draw: fresh, design: power-law, noise: 0.3}
"""


def arithmetic_of(path):
    """What the results file says of the BLAS library that computed it."""
    with netCDF4.Dataset(path) as file:
        return file["provenance"].getncattr("blas")


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.at = pathlib.Path(folder.name)

    def compute(self, name, text, kernel=None, threads=1, **how):
        """Runs a study; skips the test where this processor or this library has no such kernel."""
        (self.at / "study.yaml").write_text(text)
        env = {"OPENBLAS_NUM_THREADS": str(threads), **({"OPENBLAS_CORETYPE": kernel} if kernel else {})}
        done = run("run", "study.yaml", "-o", name, cwd=self.at, env=env, check=0, **how)
        if kernel and f"kernel {kernel}," not in arithmetic_of(self.at / name):
            self.skipTest(f"no OpenBLAS that runs its kernels for {kernel} here")
        return done


class SideBySide(Case):
    """Curves side by side come by arithmetic of the program's own, from the table to the errors."""

    def test_kernels_and_threads_change_no_bit(self):
        self.compute("one.nc", SIDE_BY_SIDE)
        for kernel in KERNELS:
            with self.subTest(kernel):
                self.compute("other.nc", SIDE_BY_SIDE, kernel)
                self.assertEqual(differences(self.at / "one.nc", self.at / "other.nc"), [])
                (self.at / "other.nc").unlink()
                (self.at / "other.nc.journal").unlink()
        self.compute("two.nc", SIDE_BY_SIDE, threads=2)
        self.assertEqual(differences(self.at / "one.nc", self.at / "two.nc"), [])

    def test_published_study_too(self):
        text = SIDE_BY_SIDE.replace("repeats: 12", "repeats: 12\nrandom: numpy").replace("[cells, modes]", "cells")
        text = text[: text.index("  - {source: student-teacher, name: fresh")]
        text = text.replace(", ridge: 0.1, gradient_descent: 10, adversarial_test: 0.1", "")
        self.compute("one.nc", text)
        for kernel in KERNELS:
            with self.subTest(kernel):
                self.compute(f"{kernel}.nc", text, kernel)
                self.assertEqual(differences(self.at / "one.nc", self.at / f"{kernel}.nc"), [])


if __name__ == "__main__":
    unittest.main()
