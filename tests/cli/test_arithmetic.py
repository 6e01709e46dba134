"""Which bits depend on the arithmetic (the kernels of the BLAS library and its threads), and what is said where they do."""
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import tempfile
import unittest
import unittest.mock

import journal
import launcher
import netCDF4
import numpy as np
from program import PROGRAM, differences, run

KERNELS = ("Haswell", "SkylakeX", "Prescott")  # of OpenBLAS, for processors with AVX2, with AVX-512, and older ones


def covariance(n):
    """Of n features; it is not diagonal, so that its principal axes have to be worked out."""
    return [n - abs(i - j) + 3 * (i == j) + i * j / 8 for i in range(n) for j in range(n)]


SIDE_BY_SIDE = f"""repeats: 12
n_train: {{range: [1, 40]}}
keep: [cells, modes]
ablations: [none, no_residuals, cutoff: 0.1, leading_modes: 2, ridge: 0.1, gradient_descent: 10, adversarial_test: 0.1]
datasets:
  - diabetes
  - {{source: diabetes, name: with-ones, intercept: true}}
  - {{source: student-teacher, rows: 300}}
  - {{source: student-teacher, name: fresh, rows: 300, features: 7, draw: fresh, design: power-law, noise: 0.3}}
  - {{source: gaussian, name: axes, rows: 300, covariance: {covariance(9)}}}
"""


def arithmetic_of(path):
    """What the results file says of the BLAS library that computed it."""
    with netCDF4.Dataset(path) as file:
        return file["provenance"].getncattr("blas")


def without_arithmetic(path):
    """Rewrites a journal as older programs left it: no record declares settings, and all are under those of the header."""
    header, records = journal.read(path)
    content = header
    for record in records:
        head = list(journal.HEAD.unpack_from(record.data))
        head[1] &= 0xFFFF
        if head[1] == 0:
            continue
        head[-1] = journal.checksum(journal.HEAD.pack(*head)[:-8])
        body = journal.HEAD.pack(*head) + record.data[journal.HEAD.size : -8]
        content += body + struct.pack("<Q", journal.checksum(body))
    path.write_bytes(content)


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


THROUGH_BLAS = """repeats: 6
n_train: {range: [30, 50]}
ablations: [none, cutoff: 0.1]
datasets: [{source: student-teacher, rows: 120, features: 40, hidden_features: 50, producer: lapack}]
"""


class ThroughBlas(Case):
    """Curves by LAPACK: numbers of two kernels differ, and that is said."""

    ONE, OTHER = "Haswell", "Prescott"  # the first one is skipped where the processor has no AVX2
    WARNING = "values agree to rounding, not to the bit"

    def uses(self, name):
        """{kernel: spectra} as the provenance has them; "not" stands for those not known."""
        with netCDF4.Dataset(self.at / name) as file:
            group = file["provenance"]
            names = group.getncattr("arithmetic").replace("; probe", ", probe").split("; ")
            spectra = np.atleast_1d(group.getncattr("arithmetic_spectra"))
        return {("not" if n == "not known" else re.match(r"\S+ \S+ (\w+)", n)[1]): int(k) for n, k in zip(names, spectra)}

    def half(self, text=THROUGH_BLAS):
        return text.replace("repeats: 6", "repeats: 3")

    def test_going_on_with_another_kernel_is_said(self):
        self.compute("own.nc", self.half(), self.ONE)
        said = self.compute("own.nc", THROUGH_BLAS, self.OTHER).stderr
        self.assertEqual(said.count(self.WARNING), 1, said)
        self.assertRegex(said, f"begun with OpenBLAS .*{self.ONE}.*, goes on with OpenBLAS .*{self.OTHER}")
        self.assertEqual(self.uses("own.nc"), {self.ONE: 63, self.OTHER: 63})
        again = run("run", "study.yaml", "-o", "own.nc", cwd=self.at, check=0).stderr  # there is nothing to do
        self.assertNotIn(self.WARNING, again)

    def test_going_on_with_the_same_is_not(self):
        self.compute("own.nc", self.half(), self.ONE)
        said = self.compute("own.nc", THROUGH_BLAS, self.ONE).stderr
        self.assertNotIn(self.WARNING, said)
        self.assertEqual(self.uses("own.nc"), {self.ONE: 126})

    def test_rows_that_are_drawn_do_not_depend_on_it(self):
        drawn = f"{{source: gaussian, name: axes, rows: 120, covariance: {covariance(40)}, producer: lapack}}"
        text = re.sub(r"datasets: .*", f"datasets: [{drawn}]", THROUGH_BLAS)
        self.compute("own.nc", self.half(text), self.ONE)
        self.compute("own.nc", text, self.OTHER)
        self.assertEqual(self.uses("own.nc"), {self.ONE: 63, self.OTHER: 63})

    def test_other_threads_are_another_arithmetic(self):
        self.compute("own.nc", self.half(), self.ONE)
        self.assertIn("goes on with", self.compute("own.nc", THROUGH_BLAS, self.ONE, threads=2).stderr)

    def test_ranks_that_differ_are_told(self):
        self.compute("alone.nc", THROUGH_BLAS, self.ONE)
        (self.at / "study.yaml").write_text(THROUGH_BLAS)
        command = [PROGRAM, "run", "study.yaml", "-o", "own.nc", "--schedule", "cyclic"]
        of_rank = f'[ "${{OMPI_COMM_WORLD_RANK:-$PMI_RANK}}" = 0 ] && kernel={self.ONE} || kernel={self.OTHER}'
        words = ["sh", "-c", f'{of_rank}; OPENBLAS_CORETYPE=$kernel exec "$@"', "sh", *command]
        done = subprocess.run(launcher.on_ranks(2, words), cwd=self.at, capture_output=True, text=True, timeout=600)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, f"rank 0 with OpenBLAS .*{self.ONE}.*, rank 1 with OpenBLAS .*{self.OTHER}")
        self.assertEqual(done.stderr.count("the same command may give other bits"), 1)
        self.assertEqual(self.uses("own.nc"), {self.ONE: 63, self.OTHER: 63})
        told = run("diff", "alone.nc", "own.nc", cwd=self.at, check=1).stdout
        self.assertRegex(told, f"own.nc was computed with OpenBLAS .*{self.ONE}.*; OpenBLAS .*{self.OTHER}")

    def test_program_and_json_agree(self):
        self.compute("own.nc", self.half(), self.ONE)
        env = {"OPENBLAS_CORETYPE": self.OTHER}
        (self.at / "study.yaml").write_text(THROUGH_BLAS)
        done = run("run", "study.yaml", "-o", "own.nc", "--json", cwd=self.at, env=env, check=0)
        listed = json.loads(done.stdout)["arithmetic"]
        self.assertEqual([use["spectra"] for use in listed], [63, 63])
        self.assertIn(self.ONE, listed[0]["name"])

    def test_journals_without_arithmetic_go_on(self):
        """As older programs left them: each record under the settings of the header."""
        self.compute("own.nc", self.half(), self.ONE)
        without_arithmetic(self.at / "own.nc.journal")
        said = self.compute("own.nc", THROUGH_BLAS, self.ONE).stderr
        self.assertNotIn(self.WARNING, said)
        self.assertIn("3 of 6 curves are in the journal already", said)
        self.assertEqual(self.uses("own.nc"), {"not": 63, self.ONE: 63})
        self.compute("alone.nc", THROUGH_BLAS, self.ONE)
        self.assertEqual(differences(self.at / "own.nc", self.at / "alone.nc"), [])


class Kernels(Case):
    """OpenBLAS that is older than the processor falls back to the kernels of an old one."""

    SAID = re.compile(r"OpenBLAS does not know this processor, .*: set OPENBLAS_CORETYPE=(Haswell|SkylakeX) for all ranks")

    def setUp(self):
        super().setUp()
        chosen = unittest.mock.patch.dict(os.environ)  # somebody may have chosen kernels for this machine
        chosen.start()
        self.addCleanup(chosen.stop)
        os.environ.pop("OPENBLAS_CORETYPE", None)
        if "avx2" not in pathlib.Path("/proc/cpuinfo").read_text():
            self.skipTest("a processor without AVX2 has no faster kernels")
        (self.at / "old.c").write_text('char *openblas_get_corename(void) { return "Prescott"; }\n')
        compiler = shutil.which("cc") or self.skipTest("no C compiler")
        subprocess.run([compiler, "-shared", "-fPIC", "-o", "old.so", "old.c"], cwd=self.at, check=True)
        (self.at / "large.yaml").write_text(
            "ablations: [none]\nn_train: [600]\nrepeats: 900\n"
            "datasets: [{source: student-teacher, rows: 700, features: 600, hidden_features: 600}]\n"
        )
        (self.at / "small.yaml").write_text(THROUGH_BLAS)

    def said(self, *command, check=0, **env):
        return run(*command, cwd=self.at, env={"LD_PRELOAD": str(self.at / "old.so"), **env}, check=check).stderr

    def test_a_run_with_much_to_do_and_a_measurement_tell(self):
        self.compute("small.nc", THROUGH_BLAS)
        if "kernel" not in arithmetic_of(self.at / "small.nc"):
            self.skipTest("a BLAS that does not tell its kernels")
        self.assertRegex(self.said("bench", "spectrum", "40", "-p", "two-stage"), self.SAID)
        self.assertRegex(self.said("run", "large.yaml", "--time-left", "1s", check=75), self.SAID)

    def test_little_to_do_is_no_reason_to_tell(self):
        self.assertNotRegex(self.said("run", "small.yaml"), self.SAID)

    def test_who_chose_kernels_is_not_told(self):
        chosen = {"OPENBLAS_CORETYPE": "Prescott"}
        self.assertNotRegex(self.said("bench", "spectrum", "40", "-p", "two-stage", **chosen), self.SAID)


class OfOwn(Case):
    def test_side_by_side_nothing_is_said(self):
        self.compute("own.nc", SIDE_BY_SIDE.replace("repeats: 12", "repeats: 5"), "Haswell")
        said = self.compute("own.nc", SIDE_BY_SIDE, "Prescott").stderr
        self.assertNotIn("to the bit", said)
        with netCDF4.Dataset(self.at / "own.nc") as file:
            self.assertNotIn("arithmetic", file["provenance"].ncattrs())

    def test_rounding_is_to_nearest(self):
        """A library that is loaded before may have set another mode."""
        source = self.at / "upward.c"
        source.write_text("#include <fenv.h>\n__attribute__((constructor)) static void up(void) { fesetround(FE_UPWARD); }\n")
        compiler = shutil.which("cc") or self.skipTest("no C compiler")
        subprocess.run([compiler, "-shared", "-fPIC", "-o", "upward.so", "upward.c", "-lm"], cwd=self.at, check=True)
        self.compute("one.nc", THROUGH_BLAS)
        run("run", "study.yaml", "-o", "other.nc", cwd=self.at, env={"LD_PRELOAD": str(self.at / "upward.so")}, check=0)
        self.assertEqual(differences(self.at / "one.nc", self.at / "other.nc"), [])


if __name__ == "__main__":
    unittest.main()
