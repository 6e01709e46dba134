"""What a run says of itself: what it is to compute, what it has computed, and all of that as JSON."""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

from program import run

STUDY = """repeats: 100
n_train: {range: [1, 40]}
ablations: [none, cutoff: 0.1, leading_modes: 2, no_residuals, ridge: 0.1]
datasets: [diabetes]
"""
SEVERAL = """repeats: 2
n_train: [4, 8]
ablations: [none]
datasets:
  - diabetes
  - {source: function, map: legendre, n_features: [3, 4, 5]}
  - {source: function, name: own, map: legendre, n_features: [2, 5], n_train: {around_threshold: 2}}
  - {source: student-teacher, name: counted, rows: 100, features: 8, hidden_features: 10, keep: summary}
autoencoders:
  - {name: toy, n_features: 30, sparsity: 0.9, n_train: [5, 8, 9], hidden: [2, 3], steps: 5, n_test: 10}
"""
NO_CONVERGENCE = 2


class RunReport(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.at = pathlib.Path(folder.name)
        self.write(STUDY)

    def write(self, text):
        (self.at / "study.yaml").write_text(text)

    def run_here(self, command, *options, ranks=None, check=0):
        return run(command, "study.yaml", *options, cwd=self.at, ranks=ranks, check=check)

    def answer(self, command, *options, ranks=None, check=0):
        done = self.run_here(command, *options, "--json", "-q", ranks=ranks, check=check)
        return json.loads(done.stdout)

    def test_the_first_and_last_lines(self):
        done = self.run_here("run", ranks=2)
        self.assertEqual(done.stdout, "study.nc\n")
        said = [line for line in done.stderr.splitlines() if line.startswith("ridgeless: ") and " share " not in line]
        self.assertEqual(said[0], "ridgeless: diabetes: 100 repeats x 40 N x 5 ablations = 20,000 errors, by 2 ranks")
        self.assertRegex(said[1], "computed 20,000 errors of 4,000 training sets in .*, written to study.nc$")
        again = self.run_here("run").stderr
        self.assertIn("100 of 100 curves are in the journal already (a curve: all N of one repeat)", again)
        self.assertNotIn("computed", again)

    def test_ranks_are_told_of_with_verbose(self):
        said = self.run_here("run", "-v", ranks=2).stderr
        self.assertRegex(said, r"imbalance \d+\.\d\d: the busiest rank computed ")
        self.assertRegex(said, r"rank 1: \d+ curves?, computed .*, at most .* of memory")
        self.assertRegex(said, r"  computing +\d+\.\d{3} on rank 0, \d+\.\d{3} on average, \d+\.\d{3} to \d+\.\d{3}\n")

    def test_each_group_has_its_product(self):
        self.write(SEVERAL)
        said = self.run_here("run").stderr
        for line in (
            "diabetes: 2 repeats x 2 N x 1 ablation = 4 errors",
            "function: 2 repeats x 3 P x 2 N x 1 ablation = 12 errors",
            "counted: 2 repeats x 2 N x 1 ablation = 4 errors, kept as summaries",
            "toy: 2 repeats x 2 m x 3 T = 12 trainings",
        ):
            self.assertIn(f"ridgeless: {line}\n", said)
        self.assertRegex(said, r"own: 2 repeats x \d+ pairs of P and N x 1 ablation = \d+ errors\n")
        self.assertRegex(said, r"12 trainings and \d+ errors in all, by 1 rank\n")
        self.assertRegex(said, r"computed .* training sets and 12 trainings in ")

    def test_json(self):
        answer = self.answer("run", ranks=2)
        self.assertEqual(
            {key: answer[key] for key in ("output", "status", "exit_status", "message", "ranks")},
            {"output": "study.nc", "status": "done", "exit_status": 0, "message": None, "ranks": 2},
        )
        self.assertEqual(len(answer["hosts"]), 1)
        self.assertEqual(
            answer["work"],
            {
                "curves": {"asked": 100, "before": 0, "now": 100},
                "spectra": {"asked": 4000, "before": 0, "now": 4000, "missing": 0, "failed": 0},
                "cells": {"asked": 20000, "before": 0, "now": 20000},
            },
        )
        seconds = answer["seconds"]
        results = {"collect", "reduce", "write", "verify"}
        self.assertEqual(set(seconds), {"start", "prepare", "compute", "wait", "journal", "other", "total"} | results)
        for phase in set(seconds) - {"total"}:
            self.assertLessEqual(0, seconds[phase]["min"])
            self.assertLessEqual(seconds[phase]["min"], seconds[phase]["mean"] * (1 + 1e-12))
            self.assertLessEqual(seconds[phase]["mean"], seconds[phase]["max"] * (1 + 1e-12))
        for phase in {"prepare", "compute"} | results:
            self.assertGreater(seconds[phase]["min"], 0)
        self.assertEqual(seconds["journal"]["min"], 0)  # of ranks that keep none
        self.assertGreater(seconds["journal"]["rank_0"], 0)
        of_rank_0 = sum(seconds[phase]["rank_0"] for phase in set(seconds) - {"total"})
        self.assertAlmostEqual(of_rank_0, seconds["total"], delta=1e-6 * seconds["total"])
        self.assertGreaterEqual(answer["imbalance"], 1)
        self.assertGreater(answer["processor_share"], 0)
        self.assertGreater(answer["processor_seconds"]["min"], 0)
        self.assertGreaterEqual(answer["compute_seconds"], seconds["compute"]["max"])
        self.assertEqual([answer[key] for key in ("schedule", "order", "slept")], ["dynamic", "costly-first", False])
        self.assertGreater(answer["peak_memory_bytes"]["min"], 1e6)

    def test_json_of_what_was_there_before(self):
        self.write(STUDY.replace("100", "60"))
        self.run_here("run", "-q")
        self.write(STUDY)
        work = self.answer("run")["work"]
        self.assertEqual(work["curves"], {"asked": 100, "before": 60, "now": 40})
        self.assertEqual(work["cells"], {"asked": 20000, "before": 12000, "now": 8000})
        work = self.answer("assemble")["work"]
        self.assertEqual(work["curves"], {"asked": 100, "before": 100, "now": 0})

    def test_json_of_a_stopped_run(self):
        answer = self.answer("run", "--time-left", "1s", check=75)
        self.assertEqual((answer["status"], answer["exit_status"], answer["work"]["curves"]["now"]), ("stopped", 75, 0))
        self.assertIn("0 of 100 curves are done; run again to go on", answer["message"])
        self.assertEqual(answer["work"]["spectra"]["missing"], 4000)

    def test_json_with_failed_spectra(self):
        self.run_here("run", "-q")
        subprocess.run(
            [os.environ["RIDGELESS_FAIL_CELLS"], "study.yaml", "study.nc", "7", "3", str(NO_CONVERGENCE)], cwd=self.at, check=True
        )
        answer = self.answer("run", check=1)
        self.assertEqual((answer["status"], answer["exit_status"]), ("failed", 1))
        self.assertEqual(answer["work"]["spectra"]["failed"], 1)
        self.assertIn("1 of 4,000 spectra could not be computed", answer["message"])
        answer = self.answer("retry")
        self.assertEqual(answer["work"]["spectra"], {"asked": 4000, "before": 3999, "now": 1, "missing": 0, "failed": 0})

    def test_json_of_trainings(self):
        self.write("\n".join(["repeats: 2", *SEVERAL.splitlines()[-2:], ""]))
        work = self.answer("run", ranks=2)["work"]
        self.assertEqual(work, {"trainings": {"asked": 12, "before": 0, "now": 12, "missing": 0, "failed": 0}})

    def test_no_json_after_an_error(self):
        done = run("run", "nowhere.yaml", "--json", cwd=self.at, check=2)
        self.assertEqual(done.stdout, "")
        self.assertEqual(len(done.stderr.splitlines()), 1)


if __name__ == "__main__":
    unittest.main()
