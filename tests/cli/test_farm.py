"""How ranks share tasks that each takes by itself: who computed what and when."""
import pathlib
import tempfile
import unittest

import netCDF4
import numpy as np

from program import run

RANKS = 3
STUDY = """title: Farm
repeats: 6
seed: 5
n_train: {range: [1, 30]}
ablations: [none, ridge: 0.1]
datasets:
  - diabetes
  - {source: student-teacher, name: wide, rows: 100, features: 60, hidden_features: 70, producer: lapack}
  - {source: student-teacher, name: counted, rows: 100, features: 8, hidden_features: 10, keep: summary}
autoencoders:
  - {name: toy, n_features: 30, sparsity: 0.9, n_train: [5, 8, 9], hidden: [2, 3], steps: 5, n_test: 10}
"""
OF_DATA, OF_TRAININGS = "task_", "training_task_"


def lists(path, prefix):
    """The lists of a results file's provenance, by their names without the prefix; and its numbers."""
    with netCDF4.Dataset(path) as file:
        of = {name: np.atleast_1d(file["provenance"].getncattr(name)) for name in file["provenance"].ncattrs()}
    return {name[len(prefix) :]: values for name, values in of.items() if name.startswith(prefix)}, of


class Farm(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.at = pathlib.Path(folder.name)
        (cls.at / "study.yaml").write_text(STUDY)
        run("run", "study.yaml", "-q", "-o", "farm.nc", ranks=RANKS, cwd=cls.at, check=0)

    def test_each_task_has_its_rank_and_its_time(self):
        """What one rank computed does not overlap, and is what it was busy with."""
        tasks, numbers = lists(self.at / "farm.nc", OF_DATA)
        trainings, _ = lists(self.at / "farm.nc", OF_TRAININGS)
        self.assertEqual({values.size for values in tasks.values()}, {6 + 6 + 1})
        self.assertEqual({values.size for values in trainings.values()}, {6 * 3 * 2})
        self.assertEqual(sorted(set(tasks["dataset"])), [0, 1, 2])
        self.assertEqual(set(trainings["autoencoder"]), {0})
        sizes = sorted(set(zip(trainings["n_hidden"], trainings["n_train"])))
        self.assertEqual(sizes, [(m, t) for m in (2, 3) for t in (5, 8, 9)])
        both = [np.concatenate([tasks[name], trainings[name]]) for name in ("rank", "start", "seconds")]
        pieces = np.concatenate([tasks["repeats"], np.ones(36)])
        slack = 1e-3 + 0.01 * numbers["compute_seconds"][0]  # clocks are two, and read one after the other
        for rank in range(RANKS):
            mine = both[0] == rank
            start, seconds = (values[mine] for values in both[1:])
            order = np.argsort(start)
            self.assertGreaterEqual(start.min(), 0)
            self.assertLessEqual((start + seconds).max(), numbers["compute_seconds"][0] + slack)
            self.assertTrue((start[order][1:] >= (start + seconds)[order][:-1] - slack).all())
            self.assertEqual(pieces[mine].sum(), numbers["rank_curves"][rank])
            self.assertAlmostEqual(seconds.sum(), numbers["rank_busy_seconds"][rank], delta=slack)

    def test_runs_that_go_on_stand_on_one_axis(self):
        (self.at / "more.yaml").write_text(STUDY)
        run("run", "more.yaml", "-q", "-o", "more.nc", ranks=2, cwd=self.at, check=0)
        _, first = lists(self.at / "more.nc", OF_DATA)
        (self.at / "more.yaml").write_text(STUDY.replace("repeats: 6", "repeats: 9"))
        run("run", "more.yaml", "-q", "-o", "more.nc", cwd=self.at, check=0)
        tasks, second = lists(self.at / "more.nc", OF_DATA)
        self.assertEqual(set(tasks["repeat"][tasks["dataset"] < 2]), {6, 7, 8})
        self.assertEqual(set(tasks["rank"]), {0})
        self.assertGreaterEqual(second["compute_began"][0], first["compute_began"][0] + first["compute_seconds"][0])
        self.assertLess(second["compute_began"][0] - first["compute_began"][0], 3600)


if __name__ == "__main__":
    unittest.main()
