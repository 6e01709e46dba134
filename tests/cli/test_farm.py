"""How ranks share tasks that each takes by itself: who computed what and when."""
import pathlib
import tempfile
import unittest

import netCDF4
import numpy as np

import tier
from program import differences, run

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
MANY = """repeats: 40
n_train: [60, 70]
ablations: [none]
datasets:
  - {source: student-teacher, rows: 100, features: 60, hidden_features: 70, producer: lapack}
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

    def again(self, name, *options, ranks=RANKS):
        """The study once more, which has the same bits: its lists, and the numbers of its provenance."""
        run("run", "study.yaml", "-q", "-o", name, *options, ranks=ranks, cwd=self.at, check=0)
        self.assertEqual(differences(self.at / "farm.nc", self.at / name), [])
        return lists(self.at / name, OF_DATA)

    def test_any_order(self):
        """On one rank, which takes tasks as they are handed out."""
        for order, sign in (("given", None), ("costly-first", 1), ("cheap-first", -1)):
            for schedule in tier.of(("dynamic",), ("dynamic", "static", "cyclic")):
                tasks, numbers = self.again(f"{order}-{schedule}.nc", "--order", order, "-s", schedule, ranks=None)
                self.assertEqual(numbers["order"], [order])
                if sign is None:
                    self.assertEqual(list(zip(tasks["dataset"], tasks["repeat"])), sorted(zip(tasks["dataset"], tasks["repeat"])))
                else:
                    self.assertTrue((sign * np.diff(tasks["flops"]) <= 0).all(), order)
        self.assertEqual(lists(self.at / "farm.nc", "")[1]["order"], ["costly-first"])
        self.assertEqual(self.again("usual-static.nc", "-s", "static", ranks=None)[1]["order"], ["given"])

    def test_any_chunk(self):
        for chunk in tier.of((3,), (1, 3, 100)):
            _, numbers = self.again(f"chunk-{chunk}.nc", "--chunk", str(chunk))
            self.assertEqual(numbers["chunk"], [chunk])
        self.assertNotIn("chunk", lists(self.at / "farm.nc", "")[1])

    def test_a_chunk_is_what_one_rank_gets_at_once(self):
        """Where the first to ask gets all that is left, the others have what they knew by themselves."""
        (self.at / "many.yaml").write_text(MANY)
        run("run", "many.yaml", "-q", "-o", "many.nc", "--chunk", "1000", ranks=RANKS, cwd=self.at, check=0)
        with netCDF4.Dataset(self.at / "many.nc") as file:
            curves = sorted(int(n) for n in file["provenance"].rank_curves)
        self.assertEqual(curves, [2, 2, 36])

    def test_a_chunk_is_of_the_dynamic_schedule(self):
        done = run("run", "study.yaml", "-o", "none.nc", "--chunk", "2", "-s", "static", cwd=self.at, check=2)
        self.assertRegex(done.stderr, r"--chunk: under the static schedule .* expected --schedule dynamic")
        self.assertFalse((self.at / "none.nc").exists() or (self.at / "none.nc.journal").exists())

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
