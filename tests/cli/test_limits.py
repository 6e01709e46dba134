"""Limits of memory and of processes: every command works, or ends soon with one line that says what it lacks."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time
import unittest

import launcher
import tier
from program import PROGRAM, data_groups, run

STUDY = """repeats: 3
n_train: {range: [1, 60]}
ablations: [none, no_residuals, cutoff: [0.01, 0.1]]
datasets: [{source: student-teacher, rows: 400, features: 40, hidden_features: 50PRODUCER}]
"""
COMMANDS = {
    "run": ["run", "small.yaml", "-o", "new.nc"],
    "lapack": ["run", "lapack.yaml", "-o", "lapack.nc"],
    "plan": ["plan", "small.yaml"],
    "status": ["status", "small.yaml"],
    "assemble": ["assemble", "small.yaml"],
    "show": ["show", "small.nc"],
    "diff": ["diff", "small.nc", "small.nc"],
    "datasets": ["datasets"],
    "init": ["init", "--csv", "table.csv", "--target", "y", "made"],
}
TOO_SOON = r"error while loading shared libraries: .*"  # of the loader: the program has not begun
SOON = 60  # seconds; ten would do on a machine of one's own


@unittest.skipUnless(shutil.which("prlimit"), "prlimit is not here")
class Memory(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.at = pathlib.Path(cls.folder.name)
        (cls.at / "small.yaml").write_text(STUDY.replace("PRODUCER", ""))
        (cls.at / "lapack.yaml").write_text(STUDY.replace("PRODUCER", ", producer: lapack"))
        (cls.at / "table.csv").write_text("a,b,y\n1,2,3\n2,3,5\n4,1,2\n5,5,5\n6,2,1\n")
        for name in ("small", "lapack"):
            run("run", f"{name}.yaml", "-q", cwd=cls.at, check=0)
        cls.bytes = (cls.at / "small.nc").read_bytes()

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def run_limited(self, name, *limits, ranks=None, env=None):
        for old in ("new.nc", "new.nc.journal", "lapack.nc", "lapack.nc.journal", "made.yaml"):
            (self.at / old).unlink(missing_ok=True)
        command = launcher.on_ranks(ranks, ["prlimit", *limits, PROGRAM, *COMMANDS[name]])
        began = time.monotonic()
        done = run_command(command, self.at, env)
        self.assertLess(time.monotonic() - began, SOON)
        return done

    def check_one(self, name, limit, ranks=None, env=None):
        """Whether the command worked. Else it said one thing, and left alone what was there."""
        done = self.run_limited(name, limit, ranks=ranks, env=env)
        said = [line for line in done.stderr.splitlines() if "ridgeless: " in line]
        if done.returncode == 0:
            return True
        if all(re.search(TOO_SOON, line) for line in said):
            self.assertEqual(done.returncode, 127, done.stderr)
        else:
            self.assertEqual((done.returncode, len(said)), (1, 1), done.stderr)
            self.assertIn("out of memory", said[0])
            self.assertNotIn("remove it", said[0])
        self.assertEqual((self.at / "small.nc").read_bytes(), self.bytes)
        return False

    def test_address_space(self):
        """Too little for the loader, for the BLAS, for MPI, for NetCDF; and enough."""
        for size in tier.of([140, 240, 320], range(100, 401, 40)):
            for name in tier.of(["run", "plan", "assemble", "show"], list(COMMANDS)):
                with self.subTest(name, size=size):
                    self.check_one(name, f"--as={size}000000")

    def test_address_space_on_two_ranks(self):
        for size in tier.of([340], range(100, 461, 80)):
            for name in tier.of(["run"], ["run", "plan"]):
                with self.subTest(name, size=size):
                    self.check_one(name, f"--as={size}000000", ranks=2)

    def test_data(self):
        for size in tier.of([20, 100], range(10, 260, 40)):
            for name in ["run"]:
                with self.subTest(name, size=size):
                    self.check_one(name, f"--data={size}000000")

    def test_what_is_said_to_be_enough_is(self):
        for ranks in (None, 2):
            with self.subTest(ranks=ranks):
                said = self.run_limited("run", "--as=250000000", ranks=ranks).stderr
                enough = 1024 * int(re.search(r"expected at least `ulimit -v (\d+)`", said)[1])
                self.assertTrue(self.check_one("run", f"--as={enough}", ranks=ranks))
                self.assertEqual(data_groups(self.at / "new.nc").keys(), data_groups(self.at / "small.nc").keys())

    def test_several_threads_of_the_blas(self):
        """Each wants a buffer and a stack of its own; the environment may ask for more than there are processors."""
        for size in tier.of([240], [140, 240, 340, 440, 540, 900]):
            with self.subTest(size=size):
                self.check_one("run", f"--as={size}000000", env={"OPENBLAS_NUM_THREADS": "4"})

    def test_no_thread(self):
        """Root is not limited."""
        done = self.run_limited("run", "--nproc=1")
        if done.returncode != 0:
            said = [line for line in done.stderr.splitlines() if "ridgeless: " in line]
            self.assertEqual((done.returncode, len(said)), (1, 1), done.stderr)
            self.assertIn("ulimit -u", said[0])


def run_command(command, at, env):
    return subprocess.run(
        command,
        cwd=at,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "", **(env or {})},
        text=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=600,
    )


if __name__ == "__main__":
    unittest.main()
