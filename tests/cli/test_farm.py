"""How ranks share tasks that each takes by itself: who computed what and when."""
import json
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
NAPS = """repeats: 8
n_train: {ratios: [0.5, 1, 2]}
ablations: [none]
datasets:
  - {source: student-teacher, name: large, rows: 800, features: 300, hidden_features: 310, producer: lapack}
  - {source: student-teacher, name: small, rows: 800, features: 60, hidden_features: 70, producer: lapack}
"""
GRIDS = """repeats: 3
n_train: [150, 300]
ablations: [none]
datasets:
  - {source: student-teacher, rows: 800, features: 300, hidden_features: 310, producer: two-stage, ranks_per_case: 2}
  - {source: student-teacher, name: small, rows: 800, features: 60, hidden_features: 70, producer: lapack}
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

    @tier.in_all_alone
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

    @tier.in_all_alone
    def test_a_chunk_is_of_the_dynamic_schedule(self):
        done = run("run", "study.yaml", "-o", "none.nc", "--chunk", "2", "-s", "static", cwd=self.at, check=2)
        self.assertRegex(done.stderr, r"--chunk: under the static schedule .* expected --schedule dynamic")
        self.assertFalse((self.at / "none.nc").exists() or (self.at / "none.nc.journal").exists())

    @tier.in_all_alone
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

    def test_a_timeline_is_what_the_results_file_says(self):
        (self.at / "told.yaml").write_text(STUDY)
        run("run", "told.yaml", "-q", "--timeline", "told.json", ranks=RANKS, cwd=self.at, check=0)
        told = json.loads((self.at / "told.json").read_text())
        self.assertEqual([told[key] for key in ("title", "schedule", "order", "chunk")], ["Farm", "dynamic", "costly-first", 0])
        self.assertEqual((told["ranks"], told["slept"]), (RANKS, False))
        for prefix, kind in ((OF_DATA, "curve"), (OF_TRAININGS, "training")):
            there, numbers = lists(self.at / "told.nc", prefix)
            mine = [task for task in told["tasks"] if task["kind"] == kind]
            self.assertEqual(len(mine), there["start"].size)
            for key in ("n_train", "repeat", "rank", "ranks", "start", "seconds"):
                np.testing.assert_allclose([task[key] for task in mine], there[key], rtol=1e-12, err_msg=key)
            self.assertEqual((told["began"], told["seconds"]), (numbers["compute_began"][0], numbers["compute_seconds"][0]))
        self.assertEqual({task["group"] for task in told["tasks"]}, {"diabetes", "wide", "counted", "toy"})

    @tier.in_all_alone
    def test_a_timeline_that_cannot_be_written_is_found_at_the_start(self):
        (self.at / "untold.yaml").write_text(STUDY)
        done = run("run", "untold.yaml", "--timeline", "no/such/folder.json", cwd=self.at)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("no/such/folder.json", done.stderr)
        self.assertFalse((self.at / "untold.nc").exists())


class Asleep(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.at = pathlib.Path(folder.name)
        (self.at / "naps.yaml").write_text(NAPS)

    def sleep(self, *options, ranks=8, study="naps.yaml"):
        done = run("run", study, "--work", "sleep", "--json", "-q", *options, ranks=ranks, cwd=self.at, check=0)
        return json.loads(done.stdout)

    def test_more_ranks_than_processors_scale(self):
        """And those who wait leave processors alone: relations between times of one run, which load does not change."""
        dynamic, static = (self.sleep("-s", schedule, "--timeline", f"{schedule}.json") for schedule in ("dynamic", "static"))
        for answer in (dynamic, static):
            self.assertEqual([answer[key] for key in ("output", "slept", "status")], [None, True, "done"])
            self.assertEqual(answer["work"]["curves"], {"asked": 16, "before": 0, "now": 16})
            self.assertLess(answer["processor_seconds"]["max"], 0.5 * answer["compute_seconds"])
        self.assertLess(dynamic["imbalance"], 1.2)
        self.assertGreater(static["imbalance"], 1.7)
        self.assertEqual(sorted(path.name for path in self.at.iterdir()), ["dynamic.json", "naps.yaml", "static.json"])
        tasks = json.loads((self.at / "static.json").read_text())["tasks"]
        self.assertEqual({task["rank"] for task in tasks if task["group"] == "large"}, {0, 1, 2, 3})
        self.assertEqual({task["rank"] for task in tasks if task["group"] == "small"}, {4, 5, 6, 7})

    def test_results_are_neither_read_nor_written(self):
        for name in ("naps.nc", "naps.nc.journal"):
            (self.at / name).write_text("not of ridgeless")
        done = run("run", "naps.yaml", "--work", "sleep", cwd=self.at, check=0)
        self.assertRegex(done.stdout, r"^nothing was computed, and no results file is written: 1 rank slept through 16 curves, ")
        self.assertEqual(done.stdout.count("\n"), 1)
        for options in (("-o", "other.nc"), ("--fresh",)):
            done = run("run", "naps.yaml", "--work", "sleep", *options, cwd=self.at, check=2)
            self.assertIn("with --work sleep nothing is computed", done.stderr)
        self.assertEqual((self.at / "naps.nc.journal").read_text(), "not of ridgeless")
        self.assertEqual(len(list(self.at.iterdir())), 3)

    @tier.in_all_alone
    def test_groups_of_ranks_and_trainings(self):
        (self.at / "grids.yaml").write_text(GRIDS + STUDY[STUDY.index("autoencoders:") :])
        answer = self.sleep("--timeline", "grids.json", ranks=5, study="grids.yaml")
        self.assertEqual([answer["work"][noun]["now"] for noun in ("curves", "trainings", "spectra")], [2 * 3 + 3, 18, 0])
        tasks = json.loads((self.at / "grids.json").read_text())["tasks"]
        self.assertEqual({(task["rank"], task["ranks"]) for task in tasks if task["n_features"] == 300} - {(0, 2), (2, 2)}, set())

    @tier.in_all_alone
    def test_no_time_left(self):
        done = run("run", "naps.yaml", "--work", "sleep", "--time-left", "1s", cwd=self.at, check=75)
        self.assertIn("stopped before all tasks had their sleep", done.stderr)


if __name__ == "__main__":
    unittest.main()
