"""Signals, the time left, and ranks that die: what is said, the exit status, what is kept, and that running again ends
in the same bits."""
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time
import unittest

import launcher
from program import PROGRAM, differences, run

# On one rank about 2 s in curves of 10 ms; and 2 s in cases of some 0.1 s on a process grid.
SMALL = """repeats: 200
n_train: {range: [1, 60]}
ablations: [none, no_residuals, cutoff: [0.01, 0.1]]
datasets: [{source: student-teacher, rows: 400, features: 40, hidden_features: 50}]
"""
GRID = """repeats: 3
n_train: [50, 100, 150, 200, 250, 300, 350, 400]
ablations: [none, cutoff: [0.5]]
producer: projected
ranks_per_case: all
datasets: [{source: student-teacher, draw: fresh, rows: 600, features: 300, hidden_features: 320}]
"""
# Two curves, each one factorization on a process grid and then a spectrum here and there.
NESTED = """repeats: 2
n_train: {range: [20, 600, 20]}
full_spectra: {range: [40, 600, 40]}
ablations: [none, cutoff: [0.5]]
producer: projected
ranks_per_case: all
datasets: [{source: student-teacher, draw: fresh, rows: 900, features: 400, hidden_features: 420}]
"""
# One curve that takes minutes: there is nothing to stop at for SIGUSR1.
LONG = """repeats: 1
n_train: {range: [1, 1500]}
ablations: [none, cutoff: [0.01]]
datasets: [{source: student-teacher, rows: 2000, features: 700, hidden_features: 800}]
"""
# One spectrum that takes many seconds, and nothing to stop at within it.
HUGE = """repeats: 1
n_train: [3000]
ablations: [none, cutoff: [0.01]]
producer: PRODUCER
datasets: [{source: student-teacher, draw: fresh, rows: 3100, features: 3000, hidden_features: 3000}]
"""
SANITIZED = "sanitize" in PROGRAM


class Stopping(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.at = pathlib.Path(cls.folder.name)
        for name, text in (("small", SMALL), ("grid", GRID), ("nested", NESTED), ("long", LONG)):
            (cls.at / f"{name}.yaml").write_text(text)
        for name in ("small", "grid", "nested"):
            run("run", f"{name}.yaml", "-q", "-o", f"{name}-whole.nc", ranks=2, cwd=cls.at, check=0)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def launch(self, study, output, *options, ranks=None):
        command = launcher.on_ranks(ranks, [PROGRAM, "run", f"{study}.yaml", "-o", output, *options])
        process = subprocess.Popen(command, cwd=self.at, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, start_new_session=True)
        self.addCleanup(lambda: (process.poll() is None and os.killpg(process.pid, signal.SIGKILL), process.communicate()))
        return process

    def start(self, study, output, *options, ranks=None):
        """Starts a run and returns it as soon as its journal has grown; with the pids of its ranks."""
        process = self.launch(study, output, *options, ranks=ranks)
        self.wait_for_journal(output, process, 3000)
        return process, self.pids_of(output)

    def wait_for_journal(self, output, process, size=1):
        journal, deadline = self.at / f"{output}.journal", time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            if journal.exists() and journal.stat().st_size >= size:
                return
            time.sleep(0.005)

    def wait_for_steady_memory(self, output, process):
        """All that is to be allocated is: a factorization is under way."""
        sizes = [0]
        while process.poll() is None and not (len(sizes) > 4 and 100e6 < sizes[-5] == sizes[-1]):
            time.sleep(0.3)
            pages = [pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1] for pid in self.pids_of(output)]
            sizes.append(sum(4096 * int(n) for n in pages))

    def pids_of(self, output):
        listed = subprocess.run(["pgrep", "-f", f"^{re.escape(PROGRAM)} run .*{output}"], text=True, capture_output=True)
        return [int(pid) for pid in listed.stdout.split()]

    def ends(self, process, within, *statuses):
        began = time.monotonic()
        out, err = process.communicate(timeout=60)
        self.assertLess(time.monotonic() - began, within, err)
        self.assertIn(process.returncode, statuses, err)
        return out, err

    def done(self, study, output):
        told = json.loads(run("status", f"{study}.yaml", "-o", output, "--json", cwd=self.at, check=0).stdout)
        return sum(d["done"] for d in told["datasets"])

    def spectra(self, output):
        told = json.loads(run("status", "long.yaml", "-o", output, "--json", cwd=self.at, check=0).stdout)
        return sum(d["spectra"] - d["spectra_missing"] for d in told["datasets"])

    def goes_on(self, study, output, before, ranks=2):
        self.assertGreaterEqual(self.done(study, output), before)
        done = run("run", f"{study}.yaml", "-o", output, ranks=ranks, cwd=self.at, check=0)
        self.assertIn("curves are in the journal already", done.stderr)
        self.assertEqual(differences(self.at / f"{study}-whole.nc", self.at / output), [])
        self.assertEqual([name for name in os.listdir(self.at) if ".tmp." in name], [])

    def test_usr1_on_all_ranks(self):
        for study, ranks in (("small", None), ("small", 3), ("grid", 2)):
            with self.subTest(study=study, ranks=ranks):
                output = f"usr1-{study}-{ranks}.nc"
                process, _ = self.start(study, output, ranks=ranks)
                process.send_signal(signal.SIGUSR1)  # mpirun hands it on to every rank
                _, err = self.ends(process, 20, 75)
                self.assertEqual(err.count("stopped by SIGUSR1"), 1, err)
                self.assertTrue((self.at / output).exists(), "the results file of what is done")
                self.goes_on(study, output, 1)

    def test_usr1_on_one_rank_stops_all(self):
        process, pids = self.start("small", "one.nc", ranks=2)
        os.kill(max(pids), signal.SIGUSR1)
        _, err = self.ends(process, 20, 75)
        self.assertEqual(err.count("stopped by"), 1, err)
        self.goes_on("small", "one.nc", 1)

    def test_a_fixed_schedule_stops(self):
        process, pids = self.start("small", "static.nc", "--schedule", "static", ranks=3)
        os.kill(min(pids), signal.SIGUSR1)
        self.ends(process, 20, 75)
        self.goes_on("small", "static.nc", 1)

    def test_term_leaves_between_two_pieces(self):
        process, _ = self.start("small", "term.nc")
        process.send_signal(signal.SIGTERM)
        _, err = self.ends(process, 5, 75)
        self.assertIn("stopped by SIGTERM", err)
        self.goes_on("small", "term.nc", 1)

    def test_term_of_mpirun_loses_nothing(self):
        process, _ = self.start("small", "mpirun.nc", ranks=2)
        before = self.done("small", "mpirun.nc")
        process.send_signal(signal.SIGTERM)
        self.ends(process, 5, 1, 75)
        self.goes_on("small", "mpirun.nc", before)

    @unittest.skipIf(SANITIZED, "the plain build's alone: the same again takes minutes")
    def test_term_in_the_middle_of_a_long_spectrum(self):
        for producer, ranks in (("lapack", 1), ("pdgesvd", 2)):
            (self.at / "huge.yaml").write_text(HUGE.replace("PRODUCER", producer))
            output = f"{producer}.nc"
            process = self.launch("huge", output, ranks=ranks)
            self.wait_for_journal(output, process)
            self.wait_for_steady_memory(output, process)
            for pid in self.pids_of(output):
                os.kill(pid, signal.SIGTERM)
            _, err = self.ends(process, 6, 75)
            self.assertIn("SIGTERM: left while computing `student-teacher`, P = 3000, repeat 0, N = 3000", err)
            self.assertEqual(self.done("huge", output), 0)

    def test_term_within_a_curve_on_a_process_grid(self):
        process = self.launch("nested", "nested.nc", ranks=2)
        self.wait_for_journal("nested.nc", process)
        time.sleep(0.7)
        for pid in self.pids_of("nested.nc"):
            os.kill(pid, signal.SIGTERM)
        self.ends(process, 6, 75)
        run("run", "nested.yaml", "-q", "-o", "nested.nc", ranks=2, cwd=self.at, check=0)
        self.assertEqual(differences(self.at / "nested-whole.nc", self.at / "nested.nc"), [])

    def test_fail_fast(self):
        (self.at / "zeros.csv").write_text("a,b,y\n" + "0,0,1\n" * 30)
        (self.at / "zeros.yaml").write_text("repeats: 3\nn_train: [1, 5]\nablations: [none]\ndatasets: [{source: csv, name: "
                                            "zeros, file: zeros.csv, target: y, standardize: none}]\n")
        done = run("run", "zeros.yaml", "-q", "--fail-fast", ranks=2, cwd=self.at, check=1)
        self.assertRegex(done.stderr, r"`zeros`, P = 2, repeat \d, N = 1 ... 5: no spectrum at N = 1: the training features "
                                      "are all zero")
        done = run("run", "zeros.yaml", "-q", ranks=2, cwd=self.at, check=1)
        self.assertIn("6 of 6 spectra could not be computed", done.stderr)

    def test_interrupts(self):
        process, _ = self.start("small", "int.nc")
        process.send_signal(signal.SIGINT)
        _, err = self.ends(process, 20, 75)
        self.assertIn("stopped by SIGINT", err)
        self.goes_on("small", "int.nc", 1)

    def test_second_interrupt_leaves_at_once(self):
        process = self.launch("long", "long.nc")
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        self.assertIsNone(process.poll(), "the first one lets the curve finish")
        process.send_signal(signal.SIGINT)
        _, err = self.ends(process, 2, 75)
        self.assertIn("left at once", err)

    @unittest.skipIf(SANITIZED, "the plain build's alone: the same again takes minutes")
    def test_time_left(self):
        rates = {"host": "test", "blas": "test", "date": "2026-01-01", "cores": 2, "gemv_bytes_per_second": [[1e6, 1e9]]}
        others = ["normals_per_second", "gemm_flops_per_second", "gemv_alone_bytes_per_second", "bidiagonal_seconds",
                  "rotations_per_second", "pdgesvd_rotations_per_second", "band_seconds", "band_rotations_per_second",
                  "column_seconds", "message_seconds", "message_bytes_per_second"]
        for name, flops in (("slow", 1), ("fast", 1e18)):
            made = {**rates, **{other: 1 for other in others}, "dense_flops_per_second": [[8, flops]]}
            (self.at / f"{name}.json").write_text(json.dumps(made))
        kept = 0
        for ranks in (1, 2):
            with self.subTest("nothing that cannot finish is begun", ranks=ranks):
                done = run("run", "small.yaml", "-o", "slow.nc", "--time-left", "1:00:00", ranks=ranks, cwd=self.at,
                           env={"RIDGELESS_RATES": "slow.json"}, check=75)
                self.assertIn("0 of 200 curves are done", done.stderr)
                self.assertIn("time left", done.stderr)
            with self.subTest("a curve is left between two spectra when the time is over", ranks=ranks):
                began = time.monotonic()
                done = run("run", "long.yaml", "-o", "fast.nc", "--time-left", "6s", ranks=ranks, cwd=self.at,
                           env={"RIDGELESS_RATES": "fast.json"}, check=75)
                self.assertIn("0 of 1 curves are done", done.stderr)
                self.assertGreaterEqual(self.spectra("fast.nc"), max(kept, 1), "finished spectra of the curve are kept")
                kept = self.spectra("fast.nc")
                self.assertLess(time.monotonic() - began, 15)
        run("run", "small.yaml", "-o", "slow.nc", "-q", "--time-left", "UNLIMITED", ranks=2, cwd=self.at, check=0)
        self.assertEqual(differences(self.at / "small-whole.nc", self.at / "slow.nc"), [])

    def test_wrong_times_are_refused(self):
        for text in ("", "5", "5 min", "1:2:3:4", "1-00:10", "-5s", "10:", ":10", "inf", "1e3s", "5m"):
            done = run("run", "small.yaml", "--time-left", text, cwd=self.at, check=2)
            self.assertIn("--time-left", done.stderr)

    def test_a_rank_that_dies_is_named(self):
        for number, word in ((signal.SIGKILL, "died"), (signal.SIGSEGV, "crashed (SIGSEGV)")):
            output = f"{word.split()[0]}.nc"
            process, pids = self.start("small", output, ranks=3)
            before = self.done("small", output)
            os.kill(max(pids), number)
            _, err = self.ends(process, 10, 1, 2, 137, 139, 128 + number)
            self.assertEqual(len(re.findall(rf"ridgeless: rank \d {re.escape(word)}.* while (computing `student-teacher`, "
                                            r"P = 40, repeat \d+|between two curves)", err)), 1, err)
            self.goes_on("small", output, before)

    def test_rank_0_dies(self):
        process, pids = self.start("small", "zero.nc", ranks=2)
        before = self.done("small", "zero.nc")
        os.kill(min(pids), signal.SIGKILL)
        _, err = self.ends(process, 10, 1, 2, 137)
        self.assertIn("rank 0 died while", err)
        self.goes_on("small", "zero.nc", before)


if __name__ == "__main__":
    unittest.main()
