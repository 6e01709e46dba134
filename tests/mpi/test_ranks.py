"""The same bits in all data groups for any number of ranks, any schedule and any interruption."""
import pathlib
import tempfile
import unittest

import netCDF4

import tier
from program import SOURCE, data_groups, differences, run

STUDY = """
title: Ranks
repeats: 7
seed: 11
keep: [cells, modes, predictions]
n_train: {range: [1, 24], ratios: [2.5]}
ablations: [none, no_residuals, cutoff: {logspace: [-3, 0, 4]}, leading_modes: [1, 5], adversarial_test: [-1, 1],
            adversarial_train: [2], ridge: [0.1], gradient_descent: [3, 100], gradient_descent_run: {values: [3, 40], start: 1}]
datasets:
  - diabetes
  - {source: student-teacher, rows: 200}
  - {source: student-teacher, name: fresh, rows: 60, features: 5, hidden_features: 9, noise: 0.3, draw: fresh}
  - {source: sphere, rows: 60, inputs: 6, noise: 0.2, map: random-relu, n_features: [4, 9]}
  - {source: function, map: chebyshev, rows: 60, test_points: 20, n_features: [3, 20]}
"""

# Repeats side by side, more than registers hold: truncations alone, of many rows, of few and of fresh ones.
BULK = """
title: Side by side
repeats: 40
seed: 12
n_train: {range: [1, 15], ratios: [2.5]}
ablations: [none, no_residuals, cutoff: {logspace: [-3, 0, 4]}, leading_modes: [1, 5]]
datasets:
  - diabetes
  - {source: student-teacher, name: few, rows: 27, features: 8, hidden_features: 9}
  - {source: student-teacher, name: fresh, rows: 60, features: 5, hidden_features: 9, noise: 0.3, draw: fresh}
"""

# Row by row, past a size that starts anew; rows that come again leave some sizes to the dense producer.
UPDATED = """
title: Row by row
repeats: 5
seed: 13
n_train: {range: [1, 70], values: [90, 91, 92]}
ablations: [none, no_residuals, cutoff: {logspace: [-3, 0, 4]}, leading_modes: [1, 5], adversarial_test: [1], ridge: [0.1]]
datasets:
  - {source: csv, name: again, file: again.csv, target: y}
  - {source: student-teacher, name: fresh, rows: 120, features: 40, hidden_features: 44, noise: 0.3, draw: fresh}
"""


class Ranks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.at = pathlib.Path(cls.folder.name)
        (cls.at / "study.yaml").write_text(STUDY)
        run("run", "study.yaml", "-q", "-o", "alone.nc", cwd=cls.at, check=0)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def same_as_alone(self, name, ranks, *options):
        run("run", "study.yaml", "-q", "-o", name, *options, ranks=ranks, cwd=self.at, check=0)
        self.assertEqual(differences(self.at / "alone.nc", self.at / name), [])

    def test_comparison_sees_a_difference(self):
        (self.at / "other.yaml").write_text(STUDY.replace("seed: 11", "seed: 12"))
        run("run", "other.yaml", "-q", "-o", "other.nc", cwd=self.at, check=0)
        self.assertIn("diabetes/test_mse", differences(self.at / "alone.nc", self.at / "other.nc"))

    def test_1_2_3_and_7_ranks(self):
        for ranks in tier.of((2, 7), (1, 2, 3, 7)):
            self.same_as_alone(f"ranks-{ranks}.nc", ranks)

    def test_schedules(self):
        for schedule in ("static", "cyclic", "dynamic"):
            self.same_as_alone(f"{schedule}.nc", 3, "--schedule", schedule)

    def test_repeats_side_by_side(self):
        (self.at / "bulk.yaml").write_text(BULK)
        plan = run("plan", "bulk.yaml", cwd=self.at, check=0).stdout
        self.assertEqual(plan.count("full spectra, repeats side by side"), 3)
        run("run", "bulk.yaml", "-q", "-o", "bulk-1.nc", cwd=self.at, check=0)
        for ranks in (2, 3):
            run("run", "bulk.yaml", "-q", "-o", f"bulk-{ranks}.nc", ranks=ranks, cwd=self.at, check=0)
            self.assertEqual(differences(self.at / "bulk-1.nc", self.at / f"bulk-{ranks}.nc"), [])
        (self.at / "bulk.yaml").write_text(BULK.replace("repeats: 40", "repeats: 3"))
        run("run", "bulk.yaml", "-q", "-o", "bulk-more.nc", ranks=2, cwd=self.at, check=0)
        (self.at / "bulk.yaml").write_text(BULK)
        run("run", "bulk.yaml", "-q", "-o", "bulk-more.nc", ranks=3, cwd=self.at, check=0)
        self.assertEqual(differences(self.at / "bulk-1.nc", self.at / "bulk-more.nc"), [])

    def test_row_by_row(self):
        names = [f"x{j}" for j in range(36)]
        rows = [[(i * i * (j + 2) + 7 * j * j + 3 * i) % 101 - 50 for j in range(36)] for i in range(100)]
        lines = [",".join(map(str, [*row, sum(row) + i % 7])) for i, row in enumerate(rows + rows[:20])]
        (self.at / "again.csv").write_text("\n".join([",".join([*names, "y"]), *lines]) + "\n")
        (self.at / "updated.yaml").write_text(UPDATED)
        plan = run("plan", "updated.yaml", cwd=self.at, check=0).stdout
        self.assertEqual(plan.count("full spectra, updated row by row"), 2)
        for ranks in (1, 2, 3):
            run("run", "updated.yaml", "-q", "-o", f"updated-{ranks}.nc", ranks=ranks, cwd=self.at, check=0)
            self.assertEqual(differences(self.at / "updated-1.nc", self.at / f"updated-{ranks}.nc"), [])
        with netCDF4.Dataset(self.at / "updated-1.nc") as file:
            self.assertTrue((file["again"]["rank"][0, 20:36, :] < [[n] for n in range(21, 37)]).any())
            self.assertTrue((file["again"]["status"][...] == 0).all())

    def test_more_ranks_than_curves(self):
        (self.at / "small.yaml").write_text("repeats: 1\nn_train: [5, 10]\nablations: [none]\ndatasets: [diabetes]\n")
        run("run", "small.yaml", "-q", "-o", "small-1.nc", cwd=self.at, check=0)
        for schedule in ("dynamic", "static", "cyclic"):
            name = f"small-{schedule}.nc"
            run("run", "small.yaml", "-q", "-o", name, "--schedule", schedule, ranks=5, cwd=self.at, check=0)
            self.assertEqual(differences(self.at / "small-1.nc", self.at / name), [])

    def test_more_repeats_extend_a_finished_study(self):
        (self.at / "short.yaml").write_text(STUDY.replace("repeats: 7", "repeats: 3"))
        run("run", "short.yaml", "-q", "-o", "extended.nc", ranks=2, cwd=self.at, check=0)
        (self.at / "short.yaml").write_text(STUDY)
        done = run("run", "short.yaml", "-o", "extended.nc", ranks=3, cwd=self.at, check=0)
        self.assertIn("21 of 49 curves are in the journal already", done.stderr)
        self.assertEqual(differences(self.at / "alone.nc", self.at / "extended.nc"), [])

    def test_every_rank_has_its_share_in_provenance(self):
        run("run", "study.yaml", "-q", "-o", "shares.nc", ranks=3, cwd=self.at, check=0)
        with netCDF4.Dataset(self.at / "shares.nc") as file:
            provenance = file["provenance"]
            self.assertEqual(len(provenance.rank_curves), 3)
            self.assertEqual(sum(provenance.rank_curves), 49)
            self.assertTrue(all(curves > 0 for curves in provenance.rank_curves))
            self.assertTrue(all(seconds > 0 for seconds in provenance.rank_busy_seconds))
            self.assertGreaterEqual(provenance.load_imbalance, 1)
            self.assertLessEqual(provenance.load_imbalance, 3)

    def test_results_of_quickstart_do_not_depend_on_ranks(self):
        study = SOURCE / "jobs" / "quickstart.yaml"
        run("run", study, "-q", "-o", "quick-1.nc", cwd=self.at, check=0)
        run("run", study, "-q", "-o", "quick-2.nc", ranks=2, cwd=self.at, check=0)
        self.assertEqual(differences(self.at / "quick-1.nc", self.at / "quick-2.nc"), [])
        self.assertGreater(len(data_groups(self.at / "quick-1.nc")), 50)


if __name__ == "__main__":
    unittest.main()
