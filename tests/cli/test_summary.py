"""`keep: summary`: counts in buckets against every repeat's values, the same bits on any number of ranks and however a
study came about, and what is refused."""
import json
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

import netCDF4
import numpy as np
import xarray
from program import PROGRAM, differences, run

import journal
import tier

# Side by side, one by one, and by map; with a sweep over P in which N differ.
STUDY = """repeats: REPEATS
n_train: SIZES
keep: KEEP
ablations: [none, no_residuals, cutoff: [0.5], ridge: [0.1]]
datasets:
  - {source: student-teacher, name: bulk, draw: fresh, rows: 40, features: 4, hidden_features: 6, noise: 0.2}
  - {source: student-teacher, name: single, rows: 60, features: 5, hidden_features: 6, producer: lapack}
  - {source: function, name: mapped, rows: 30, map: legendre, n_features: [3, 5], n_train: {around_threshold: 1}}
"""
MIXED = """repeats: 60
n_train: [2, 4, 9]
ablations: [none]
datasets:
  - {source: student-teacher, name: counted, rows: 60, features: 5, hidden_features: 6, keep: summary}
  - {source: student-teacher, name: kept, rows: 60, features: 5, hidden_features: 6}
"""
LONG = """repeats: 16000
keep: summary
n_train: {range: [1, 30]}
ablations: [none, cutoff: [0.1, 0.5]]
datasets: [{source: student-teacher, rows: 200, features: 10, hidden_features: 12}]
"""
ERROR = np.sqrt(1 + 2**-7) - 1
FIELDS = ("test_mse", "train_mse", "population_mse", "distance", "sigma_min", "sigma_max", "test_bias_sq", "test_bias_mse")


def study(repeats=150, sizes="[1, 3, 4, 9, 20]", keep="summary"):
    return STUDY.replace("REPEATS", str(repeats)).replace("SIZES", sizes).replace("KEEP", keep)


def open_group(path, name):
    with xarray.open_dataset(path, group=name) as data:
        return data.load()


class Summary(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.at = pathlib.Path(folder.name)

    def compute(self, text, output, status=0, **options):
        (self.at / "study.yaml").write_text(text)
        done = run("run", "study.yaml", "-o", output, cwd=self.at, check=status, **options)
        return self.at / output, done.stderr

    def test_counts_are_those_of_the_values(self):
        summary, _ = self.compute(study(), "s.nc")
        cells, _ = self.compute(study(keep="cells"), "c.nc")
        for name in ("bulk", "single", "mapped"):
            counted, kept = open_group(summary, name), open_group(cells, name)
            lower, upper = counted.bucket_lower.values, counted.bucket_upper.values
            self.assertTrue((upper[lower > 0] <= lower[lower > 0] * (1 + 2**-7)).all())
            self.assertTrue((lower[1:] >= upper[:-1]).all())
            self.assertNotIn("repeat", counted.sizes)
            self.assertEqual(counted.attrs["n_repeats"], 150)
            for field in FIELDS:
                self.assertEqual(field in kept, f"{field}_bucket_count" in counted, field)
                if field in kept:
                    self.assert_counts(counted, kept[field].values, field, lower, upper)
            self.assert_spikes(counted, kept)
            status = kept.status.values
            for flag in range(5):
                self.assertTrue(np.array_equal(counted.status_count.values[..., flag], (status == flag).sum(-1)))

    def assert_counts(self, counted, values, field, lower, upper):
        there = np.isfinite(values)
        counts = counted[f"{field}_bucket_count"].values
        for at in np.ndindex(values.shape[:-1]):
            some = values[at][there[at]]
            inside = (some[:, None] >= lower) & (some[:, None] < upper)
            self.assertTrue(np.array_equal(inside.sum(0), counts[at]), (field, at))
            self.assertEqual(counted[f"{field}_count"].values[at], some.size)
            if some.size == 0:
                self.assertTrue(np.isnan(counted[f"{field}_median"].values[at]))
                continue
            self.assertEqual(counted[f"{field}_minimum"].values[at], some.min())
            self.assertEqual(counted[f"{field}_maximum"].values[at], some.max())
            for name, exact in (("mean", some.mean()), ("median", np.median(some))):
                got = counted[f"{field}_{name}"]
                self.assertEqual(got.attrs["relative_error"], ERROR)
                self.assertLessEqual(abs(got.values[at] - exact), ERROR * (1 + 1e-9) * exact)
            exact = np.quantile(some, counted["quantile"].values)
            self.assertTrue((abs(counted[f"{field}_quantile"].values[at] - exact) <= ERROR * (1 + 1e-9) * exact).all())

    def assert_spikes(self, counted, kept):
        """Two medians are in a ratio; whole numbers are exact."""
        for name in ("threshold_n_train", "flank_n_train", "null_mse", "target_variance", "modes_kept_median"):
            self.assertTrue(counted[name].equals(kept[name]), name)
        self.assertNotIn("modes_kept_bucket_count", counted)
        for name in ("spike_height", "spike_height_low", "spike_height_high"):
            got, exact = counted[name].values, kept[name].values
            self.assertTrue(np.array_equal(np.isnan(got), np.isnan(exact)), name)
            self.assertTrue(np.allclose(got, exact, rtol=2.01 * ERROR, atol=0, equal_nan=True), name)

    def test_any_number_of_ranks_and_schedule_gives_the_same_bits(self):
        one, _ = self.compute(study(), "one.nc")
        for ranks in tier.of((2, 3), (1, 2, 3)):
            other, _ = self.compute(study(), f"{ranks}.nc", ranks=ranks)
            self.assertEqual(differences(one, other), [])
        (self.at / "study.yaml").write_text(study())
        run("run", "study.yaml", "-o", "cyclic.nc", "--schedule", "cyclic", cwd=self.at, ranks=2, check=0)
        self.assertEqual(differences(one, self.at / "cyclic.nc"), [])

    def copy(self, path, name):
        for suffix in ("", ".journal"):
            (self.at / (name + suffix)).write_bytes(pathlib.Path(f"{path}{suffix}").read_bytes())

    def test_more_repeats_and_sizes_compute_what_is_missing_alone(self):
        few, _ = self.compute(study(100, "[1, 3, 9]"), "few.nc", ranks=2)
        self.copy(few, "more.nc")
        more, said = self.compute(study(150, "[1, 3, 4, 9, 20]"), "more.nc", ranks=3)
        # of two data sets 5 N of 50 repeats, and 2 N of the 100; `mapped` has 3 N at each of two P
        self.assertIn(f" errors of {2 * (5 * 50 + 2 * 100) + 50 * 6:,} training sets in ", said)
        alone, _ = self.compute(study(150, "[1, 3, 4, 9, 20]"), "alone.nc")
        for name in ("bulk", "single", "mapped"):  # steps depend on the list of N, so that rounding may
            ours, theirs = open_group(more, name), open_group(alone, name)
            self.assertTrue(ours.status_count.equals(theirs.status_count))
            for field in ("test_mse", "sigma_min"):
                np.testing.assert_allclose(ours[f"{field}_median"], theirs[f"{field}_median"], rtol=2 * ERROR, atol=1e-20)
        self.copy(few, "same.nc")
        same, said = self.compute(study(150, "[1, 3, 9]"), "same.nc", ranks=2)
        alone, _ = self.compute(study(150, "[1, 3, 9]"), "alone-few.nc")
        self.assertEqual(differences(same, alone), [])

    def test_fewer_repeats_leave_what_reaches_beyond_alone(self):
        many, _ = self.compute(study(150), "many.nc")
        self.copy(many, "fewer.nc")
        fewer, said = self.compute(study(140), "fewer.nc")
        self.assertEqual(said.count("cannot be taken apart"), 1, said)
        alone, _ = self.compute(study(140), "alone.nc")
        self.assertEqual(differences(fewer, alone), [])
        _, said = self.compute(study(140), "fewer.nc")
        self.assertNotIn("taken apart", said)
        again, said = self.compute(study(150), "fewer.nc")
        self.assertNotIn("computed", said)  # all of it is still there
        self.assertEqual(differences(again, many), [])

    def test_lost_records_are_computed_again(self):
        whole, _ = self.compute(study(), "whole.nc")
        for seed in range(tier.of(1, 3)):
            kept = np.random.default_rng(seed).random(1000) < 0.6
            pieces = iter(kept)
            n, of = journal.keep(f"{whole}.journal", self.at / "part.nc.journal", lambda record: next(pieces))
            self.assertTrue(0 < n < of)
            part, _ = self.compute(study(), "part.nc", ranks=2)
            self.assertEqual(differences(part, whole), [])
            part.unlink()
        self.copy(whole, "hurt.nc")
        (self.at / "hurt.nc").unlink()
        journal.damage(self.at / "hurt.nc.journal", (self.at / "hurt.nc.journal").stat().st_size // 2)
        hurt, said = self.compute(study(), "hurt.nc")
        self.assertIn("damaged bytes", said)
        self.assertEqual(differences(hurt, whole), [])

    def wait_for_records(self, process):
        """Until the run has journaled something of its own."""
        path = self.at / "parts.nc.journal"
        before = path.stat().st_size if path.exists() else 2000  # its header has less
        while process.poll() is None and not (path.exists() and path.stat().st_size > before):
            time.sleep(0.02)

    def test_stopping_in_the_middle_of_spans_loses_nothing_finished(self):
        (self.at / "study.yaml").write_text(LONG)
        whole = run("run", "study.yaml", "-o", "whole.nc", cwd=self.at, ranks=2, check=0)
        self.assertRegex(whole.stderr, r"16,000 repeats x \d+ N x \d+ ablations = [\d,]+ errors, kept as summaries, by 2 ranks")
        done = []
        for kind in (signal.SIGTERM, signal.SIGUSR1, signal.SIGKILL, signal.SIGTERM):
            process = subprocess.Popen(
                [PROGRAM, "run", "study.yaml", "-o", "parts.nc", "-q"],
                cwd=self.at,
                text=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            self.wait_for_records(process)
            process.send_signal(kind)
            _, said = process.communicate(timeout=600)
            self.assertIn(process.returncode, (75, 0) if kind != signal.SIGKILL else (-9, 0), said)
            done.append(json.loads(run("status", "study.yaml", "-o", "parts.nc", "--json", cwd=self.at, check=0).stdout)["done"])
        self.assertEqual(done, sorted(done))
        self.assertGreater(done[0], 0)
        run("run", "study.yaml", "-o", "parts.nc", cwd=self.at, ranks=3, check=0)
        self.assertEqual(differences(self.at / "whole.nc", self.at / "parts.nc"), [])

    def test_the_time_left_ends_a_span_between_two_repeats(self):
        (self.at / "study.yaml").write_text(LONG.replace("16000", "4000000"))
        seconds, status = 3, {"done": 0}
        while status["done"] == 0:  # two seconds are for the results file; how soon a run begins is the machine's affair
            self.assertLess(seconds, 600)
            done = run("run", "study.yaml", "--time-left", f"{seconds}s", cwd=self.at, ranks=2, check=75)
            self.assertIn("of 4,000,000 curves are done", done.stderr)
            status = json.loads(run("status", "study.yaml", "--json", cwd=self.at, check=0).stdout)
            seconds *= 1.5
        self.assertEqual(status["spectra_done"], 30 * status["done"])

    def test_cells_and_summary_in_one_study(self):
        path, _ = self.compute(MIXED, "mixed.nc", ranks=2)
        with netCDF4.Dataset(path) as file:
            self.assertIn("test_mse", file["kept"].variables)
            self.assertNotIn("test_mse", file["counted"].variables)
        status = run("status", "study.yaml", "-o", "mixed.nc", cwd=self.at, check=0).stdout
        self.assertIn("120 of 120 curves done", status)
        plan = json.loads(run("plan", "study.yaml", "-o", "mixed.nc", "--json", cwd=self.at, check=0).stdout)
        self.assertEqual((plan["curves"], plan["curves_done"], plan["spectra"]), (120, 120, 360))
        self.assertIn("summaries of at most", run("plan", "study.yaml", cwd=self.at, check=0).stdout)
        shown = json.loads(run("show", "mixed.nc", "--json", cwd=self.at, check=0).stdout)
        for data in shown["datasets"]:
            self.assertEqual((data["repeats"], data["spectra_done"], data["spectra_missing"]), (60, 180, 0))
        _, said = self.compute(MIXED, "mixed.nc", ranks=2)
        self.assertIn("has all that is in the journal", said)

    def test_an_unfinished_file_says_so(self):
        whole, _ = self.compute(study(), "whole.nc")
        journal.keep(f"{whole}.journal", self.at / "part.nc.journal", lambda record: record.name == "bulk")
        run("assemble", "study.yaml", "-o", "part.nc", cwd=self.at, check=75)
        single = open_group(self.at / "part.nc", "single")
        self.assertTrue((single.status_count.values[..., 1] == 150).all())
        self.assertTrue(np.isnan(single.test_mse_median).all() and (single.test_mse_count == 0).all())
        self.assertTrue(open_group(self.at / "part.nc", "bulk").test_mse_median.equals(open_group(whole, "bulk").test_mse_median))

    def test_what_does_not_go_together_is_refused(self):
        for text, message in (
            (study(keep="[summary, modes]"), "study.yaml:3: key `keep`: got summary and other words"),
            (MIXED.replace("keep: summary", "keep: summary, ranks_per_case: 2"), "whose cases are for process grids"),
        ):
            _, said = self.compute(text, "s.nc", status=2)
            self.assertIn(message, said)

    def test_a_summary_becomes_curves_and_back(self):
        """What was counted cannot be taken apart, and stays where it is."""
        counted, _ = self.compute(MIXED, "s.nc")
        self.copy(counted, "before.nc")
        whole, said = self.compute(MIXED.replace(", keep: summary", ""), "s.nc")
        self.assertIn("`counted`: curves in the journal are without what `keep` asks for, and are computed again", said)
        alone, _ = self.compute(MIXED.replace(", keep: summary", ""), "alone.nc")
        self.assertEqual(differences(whole, alone), [])
        again, said = self.compute(MIXED, "s.nc")
        self.assertNotIn("computed", said)
        self.assertEqual(differences(again, self.at / "before.nc"), [])


if __name__ == "__main__":
    unittest.main()
