"""jobs/scaling.sh with the program itself, at a P small for it: results files of 1 and 2 ranks, and the figure of them."""
import os
import pathlib
import subprocess
import tempfile
import unittest

import netCDF4
import numpy as np

from launcher import MPIEXEC
from program import PROGRAM, SOURCE


class ScalingRun(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.at = pathlib.Path(folder.name)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SLURM_")}
        cls.done = subprocess.run(
            ["bash", SOURCE / "jobs" / "scaling.sh", "-n", "1 2", "-p", "300", "-o", "out"],
            cwd=cls.at,
            env={**environment, "RIDGELESS": PROGRAM, "MPIEXEC": MPIEXEC},
            capture_output=True,
            text=True,
            timeout=1200,
        )

    def test_figure(self):
        self.assertEqual(self.done.returncode, 0, self.done.stdout + self.done.stderr)
        self.assertNotIn("scaling.py:", self.done.stderr)
        for name in ("scaling.png", "scaling.pdf", "scaling.txt"):
            self.assertGreater((self.at / "out" / name).stat().st_size, 1000, name)
        table = (self.at / "out" / "scaling.txt").read_text()
        for words in ("Strong scaling", "Weak scaling", "full spectrum, N = P", "nested curve, N up to 2 P", "whole run"):
            self.assertIn(words, table)

    def test_times_of_tasks(self):
        runs = (("strong", 1, 300), ("strong", 2, 300), ("weak", 1, 300), ("weak", 2, 378))
        for kind, ranks, p in runs:
            with netCDF4.Dataset(self.at / "out" / f"{kind}-{ranks}.nc") as file:
                provenance = file["provenance"]
                lists = {
                    name: np.atleast_1d(provenance.getncattr(name)) for name in provenance.ncattrs() if name.startswith("task_")
                }
                self.assertEqual(set(file.groups), {"spectrum", "curve", "provenance"})
            self.assertEqual({values.size for values in lists.values()}, {2 * 5}, lists.keys())
            self.assertEqual(set(lists["task_n_features"]), {p})
            self.assertEqual(set(lists["task_ranks"]), {ranks})
            for index, (n_train, sizes) in enumerate(((p, 1), (2 * p, 20))):
                mine = lists["task_dataset"] == index
                self.assertEqual(sorted(lists["task_repeat"][mine]), list(range(5)))
                self.assertEqual(set(lists["task_n_train"][mine]), {n_train})
                self.assertEqual(set(lists["task_sizes"][mine]), {sizes})
                self.assertEqual(set(lists["task_way"][mine] % 2), {index})
            self.assertTrue((lists["task_seconds"] > 0).all() and (lists["task_flops"] > 0).all())

    def test_same_errors_on_any_number_of_ranks(self):
        """Two ways to the same spectrum: to rounding, times the condition of the training sets away from the threshold."""
        with netCDF4.Dataset(self.at / "out/strong-1.nc") as one, netCDF4.Dataset(self.at / "out/strong-2.nc") as two:
            n_train = one["curve"]["n_train"][:]
            away = np.abs(n_train - 300) > 50
            left, right = (file["curve"]["test_mse"][:, 0, away] for file in (one, two))
            np.testing.assert_allclose(left, right, rtol=1e-9)


if __name__ == "__main__":
    unittest.main()
