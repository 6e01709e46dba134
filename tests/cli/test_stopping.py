"""Signals, the time left, and ranks that die: what is said, the exit status, what is kept, and that running again ends
in the same bits."""
import contextlib
import json
import os
import pathlib
import random
import re
import shutil
import signal
import tempfile
import time
import unittest

import launcher
import tier
from program import PROGRAM, differences, in_terminal, run, start

SANITIZED = "sanitize" in PROGRAM
# On one rank about 1 s in curves of some milliseconds; and 1 s in cases of some 40 ms on a process grid.
REPEATS = 120 if SANITIZED else 720
SMALL = f"""repeats: {REPEATS}
n_train: {{range: [1, 60]}}
ablations: [none, no_residuals, cutoff: [0.01, 0.1]]
datasets: [{{source: student-teacher, rows: 400, features: 40, hidden_features: 50}}]
"""
GRID = """repeats: 3
n_train: [50, 100, 150, 175, 200, 225, 250, 300]
ablations: [none, cutoff: [0.5]]
producer: projected
ranks_per_case: all
datasets: [{source: student-teacher, draw: fresh, rows: 400, features: 200, hidden_features: 220}]
"""
# Two curves, each one factorization on a process grid and then a spectrum here and there.
NESTED = """repeats: 2
n_train: {range: [20, 400, 20]}
full_spectra: {range: [40, 400, 40]}
ablations: [none, cutoff: [0.5]]
producer: projected
ranks_per_case: all
datasets: [{source: student-teacher, draw: fresh, rows: 600, features: 240, hidden_features: 260}]
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
SILENCE = 3  # seconds after which these tests have a rank called silent
HANGS = 600  # seconds, for a run that takes a few


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
        return start(self, "run", f"{study}.yaml", "-o", output, *options, ranks=ranks, cwd=self.at)

    def struck(self, study, output, strike, *options, ranks=None, size=3000, statuses=(75,)):
        """What a run said that strike(process, pids of the ranks) met when its journal had so many bytes. Nothing that was
        finished then is lost, and running again ends in the same bits. A run that ended first, as happens on a busy machine,
        is begun again."""
        for _ in range(50):
            process = self.launch(study, output, *options, ranks=ranks)
            self.wait_for_journal(output, process, size)
            pids = launcher.ranks_in(self.at)
            if process.poll() is None and len(pids) == (ranks or 1):
                shutil.copy(self.at / f"{output}.journal", self.at / "before.nc.journal")
                with contextlib.suppress(ProcessLookupError):
                    strike(process, pids)
            _, err = process.communicate(timeout=HANGS)
            if process.returncode != 0:
                self.assertIn(process.returncode, statuses, err)
                self.goes_on(study, output, self.done(study, "before.nc"))
                return err
            for path in self.at.glob(f"{output}*"):
                path.unlink()
        raise AssertionError("50 runs ended before they could be stopped")

    def wait_for_journal(self, output, process, size=1):
        journal = self.at / f"{output}.journal"
        while process.poll() is None and not (journal.exists() and journal.stat().st_size >= size):
            time.sleep(0.002)

    def wait_for_word(self, process, word):
        """What the process says until then."""
        said = ""
        while word not in said and (line := process.stderr.readline()):
            said += line
        self.assertIn(word, said)
        return said

    def wait_for_factorization(self, process):
        """All that is to be allocated is, and the processors have worked for longer than it takes to draw the numbers."""
        sizes, ticks = [0], 0
        while process.poll() is None and not (
            len(sizes) > 4 and 100e6 < sizes[-5] == sizes[-1] and ticks > 1.5 * os.sysconf("SC_CLK_TCK")
        ):
            time.sleep(0.3)
            folders = [pathlib.Path(f"/proc/{pid}") for pid in launcher.ranks_in(self.at)]
            sizes.append(sum(4096 * int((each / "statm").read_text().split()[1]) for each in folders))
            ticks = sum(int((each / "stat").read_text().rpartition(")")[2].split()[11]) for each in folders)

    def ends(self, process, *statuses):
        out, err = process.communicate(timeout=HANGS)
        self.assertIn(process.returncode, statuses, err)
        return out, err

    def done(self, study, output):
        told = json.loads(run("status", f"{study}.yaml", "-o", output, "--json", cwd=self.at, check=0).stdout)
        return sum(d["done"] for d in told["datasets"])

    def spectra(self, output):
        told = json.loads(run("status", "long.yaml", "-o", output, "--json", cwd=self.at, check=0).stdout)
        return sum(d["spectra"] - d["spectra_missing"] for d in told["datasets"])

    def goes_on(self, study, output, before, ranks=2):
        kept = self.done(study, output)
        self.assertGreaterEqual(kept, before)
        done = run("run", f"{study}.yaml", "-o", output, ranks=ranks, cwd=self.at, timeout=HANGS, check=0)
        self.assertEqual("curves are in the journal already" in done.stderr, kept > 0, done.stderr)
        self.assertEqual(differences(self.at / f"{study}-whole.nc", self.at / output), [])
        self.assertEqual(self.temporaries(output), [])

    def temporaries(self, output):
        """What a run leaves half written when it is killed, until the next one with that output takes it away."""
        return [path.name for path in self.at.glob(f"{output}.tmp.*")]

    def wait_until_gone(self):
        """No rank lives: whether somebody has waited for it, is not asked."""
        deadline = time.monotonic() + HANGS
        while launcher.ranks_in(self.at):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)

    def hung(self, study, output, pick, *options, size=3000, **ranks):
        """A run of which one rank was stopped in the middle, once that has been named; the rank; what was said. One that ended
        first is begun again."""
        words = ("run", f"{study}.yaml", "-o", output, "--silence", f"{SILENCE}s", *options)
        for _ in range(50):
            process = start(self, *words, cwd=self.at, **ranks)
            self.wait_for_journal(output, process, size)
            pids = launcher.ranks_in(self.at)
            if process.poll() is None and len(pids) == sum(ranks.get("nodes", [ranks.get("ranks")])):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pick(pids), signal.SIGSTOP)
                    said = self.wait_for_word(process, "has not been heard of")
                    return process, pick(pids), said
            process.communicate(timeout=HANGS)
            for path in self.at.glob(f"{output}*"):
                path.unlink()
        raise AssertionError("50 runs ended before they could be stopped")

    def ends_without(self, study, output, **ranks):
        """Of a run in which a rank hangs, asked to stop: the results of what there is, by the others."""
        process, _, said = self.hung(study, output, max, **ranks)
        self.assertRegex(said, r"rank \d has not been heard of for \d+ s while (computing `|between two|preparing).*SIGUSR1 ends")
        process.send_signal(signal.SIGUSR1)
        out, err = self.ends(process, 75)
        self.assertRegex(err, r"the run ends without rank \d: not heard of any more")
        self.assertRegex(err, r"stopped by SIGUSR1: \d+ of \d+ curves are done")
        self.assertEqual((out, launcher.ranks_in(self.at)), (f"{output}\n", []))
        self.assertTrue((self.at / output).exists())
        self.goes_on(study, output, self.done(study, output))

    def test_a_rank_that_hangs_is_named_and_goes_on(self):
        process, pid, said = self.hung("small", "hung.nc", max, ranks=2)
        self.assertRegex(said, r"rank 1 has not been heard of for \d+ s while ")
        os.kill(pid, signal.SIGCONT)
        _, err = self.ends(process, 0)
        self.assertEqual((err.count("rank 1 is heard of again"), err.count("has not been heard of")), (1, 0), err)
        self.assertEqual(differences(self.at / "small-whole.nc", self.at / "hung.nc"), [])

    def test_usr1_does_not_wait_for_a_rank_that_hangs(self):
        self.ends_without("small", "without.nc", ranks=2)

    @tier.in_all_alone
    def test_usr1_does_not_wait_for_ranks_that_hang_elsewhere(self):
        self.ends_without("grid", "grid-without.nc", ranks=2)
        self.ends_without("small", "nodes-without.nc", nodes=[1, 1])
        self.ends_without("small", "shared-without.nc", nodes=[1, 2])

    @tier.in_all_alone
    def test_the_time_left_does_not_wait_for_a_rank_that_hangs(self):
        (self.at / "timed.yaml").write_text(SMALL.replace(f"repeats: {REPEATS}", "repeats: 30000"))
        process, _, _ = self.hung("timed", "timed.nc", max, "--time-left", "15s", ranks=2)
        _, err = self.ends(process, 75)
        self.assertIn("the run ends without rank 1", err)
        self.assertTrue((self.at / "timed.nc").exists())

    @tier.in_all_alone
    def test_rank_0_hangs(self):
        process, _, said = self.hung("small", "zero-hung.nc", min, ranks=2)
        self.assertRegex(said, "rank 0 has not been heard of .* only SIGTERM ends it")
        process.send_signal(signal.SIGTERM)
        self.ends(process, *launcher.TERMINATED, 128 + signal.SIGKILL)
        self.goes_on("small", "zero-hung.nc", self.done("small", "zero-hung.nc"))

    @tier.in_all_alone
    def test_a_suspended_run_names_nobody(self):
        process = self.launch("small", "suspended.nc", "--silence", f"{SILENCE}s", ranks=3)
        self.wait_for_journal("suspended.nc", process, 3000)
        pids = launcher.ranks_in(self.at)
        for number, pause in ((signal.SIGSTOP, 2 * SILENCE), (signal.SIGCONT, 0)):
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            time.sleep(pause)
        _, err = self.ends(process, 0)
        self.assertNotIn("heard of", err)

    @unittest.skipUnless(launcher.lets_the_living_speak(), "the launcher ends the others at once")
    def test_a_dead_rank_of_a_launcher_that_hangs(self):
        """Nobody has waited for it yet: it is dead all the same."""

        def strike(process, pids):
            process.send_signal(signal.SIGSTOP)
            os.kill(max(pids), signal.SIGKILL)
            self.wait_until_gone()
            process.send_signal(signal.SIGCONT)

        err = self.struck("small", "zombie.nc", strike, ranks=2, statuses=launcher.of_a_dead_rank(signal.SIGKILL))
        self.check_named(err, "rank 1 died")

    def test_usr1_on_all_ranks(self):
        for study, ranks in (("small", None), ("small", 3), ("grid", 2))[tier.of(1, 0) :]:
            with self.subTest(study=study, ranks=ranks):
                output = f"usr1-{study}-{ranks}.nc"
                err = self.struck(study, output, lambda process, _: process.send_signal(signal.SIGUSR1), ranks=ranks)
                self.assertEqual(err.count("stopped by SIGUSR1"), 1, err)

    def test_usr1_on_one_rank_stops_all(self):
        err = self.struck("small", "one.nc", lambda _, pids: os.kill(max(pids), signal.SIGUSR1), ranks=2)
        self.assertEqual(err.count("stopped by"), 1, err)

    @tier.in_all_alone
    def test_a_fixed_schedule_stops(self):
        self.struck("small", "static.nc", lambda _, pids: os.kill(min(pids), signal.SIGUSR1), "--schedule", "static", ranks=3)

    def test_term_leaves_between_two_pieces(self):
        err = self.struck("small", "term.nc", lambda process, _: process.send_signal(signal.SIGTERM))
        self.assertIn("stopped by SIGTERM", err)

    def test_term_of_mpirun_loses_nothing(self):
        self.struck(
            "small", "mpirun.nc", lambda process, _: process.send_signal(signal.SIGTERM), ranks=2, statuses=launcher.TERMINATED
        )

    @unittest.skipUnless(launcher.version()[0] == "openmpi", "MPICH hands the interrupt on to the ranks")
    def test_control_c_under_mpirun(self):
        """Its ranks get SIGTERM a second later, and have another one: on a busy machine they are killed while they write the
        results. Whatever they get done, the last line says how to go on, and nothing half written is left once that is done.
        Open MPI 5 waits a quarter of both, and shows nothing that they say then."""
        (self.at / "much.yaml").write_text(SMALL.replace(f"repeats: {REPEATS}", "repeats: 3000"))
        journal = self.at / "much.nc.journal"
        status, said = in_terminal(
            *launcher.on_ranks(2, [PROGRAM, "run", "much.yaml"]),
            cwd=self.at,
            keys=b"\x03",
            after=lambda: journal.exists() and journal.stat().st_size >= 3000,
        )
        self.assertIn(status, launcher.TERMINATED, said)
        ours = [line for line in said.splitlines() if "ridgeless: " in line]
        if launcher.version() < ("openmpi", 5):
            self.assertRegex(ours[-1], "SIGTERM.*run again to go on", said)
            self.assertEqual((self.at / "much.nc").exists(), ", written to " in said, said)
        run("assemble", "much.yaml", "-q", cwd=self.at, check=75)
        self.assertEqual(self.temporaries("much.nc"), [])
        self.assertGreater(self.done("much", "much.nc"), 0)

    @unittest.skipIf(SANITIZED, "the plain build's alone: the same again takes minutes")
    @tier.in_all_alone
    def test_term_in_the_middle_of_a_long_spectrum(self):
        for producer, ranks in (("lapack", 1), ("pdgesvd", 2)):
            (self.at / "huge.yaml").write_text(HUGE.replace("PRODUCER", producer))
            output = f"{producer}.nc"
            process = self.launch("huge", output, ranks=ranks)
            self.wait_for_journal(output, process)
            self.wait_for_factorization(process)
            for pid in launcher.ranks_in(self.at):
                os.kill(pid, signal.SIGTERM)
            _, err = self.ends(process, 75)
            self.assertIn("SIGTERM: left while computing `student-teacher`, P = 3000, repeat 0, N = 3000", err)
            self.assertEqual(self.done("huge", output), 0)

    def test_term_within_a_curve_on_a_process_grid(self):
        def terminate(_, pids):
            time.sleep(random.uniform(0, 0.7))
            for pid in pids:
                os.kill(pid, signal.SIGTERM)

        self.struck("nested", "nested.nc", terminate, ranks=2, size=1)

    def test_fail_fast(self):
        """LAPACK in which nothing converges, in the place of the library."""
        (self.at / "failing.yaml").write_text(
            "repeats: 3\nn_train: [1, 5]\nablations: [none]\ndatasets: [{source: student-teacher, name: made, rows: 30, "
            "features: 2, producer: lapack}]\n"
        )
        failing = {"LD_PRELOAD": os.environ["RIDGELESS_NO_CONVERGENCE"]}
        done = run("run", "failing.yaml", "-q", "--fail-fast", ranks=2, cwd=self.at, env=failing, check=1)
        self.assertRegex(done.stderr, r"`made`, P = 2, repeat \d, N = 1 ... 5: no spectrum at N = 1: LAPACK did not converge")
        done = run("run", "failing.yaml", "-q", ranks=2, cwd=self.at, env=failing, check=1)
        self.assertIn("6 of 6 spectra could not be computed", done.stderr)

    @tier.in_all_alone  # test_streams.py sends each signal, too
    def test_interrupts(self):
        err = self.struck("small", "int.nc", lambda process, _: process.send_signal(signal.SIGINT))
        self.assertIn("stopped by SIGINT", err)

    def test_second_interrupt_leaves_at_once(self):
        process = self.launch("long", "long.nc")
        self.wait_for_journal("long.nc", process)
        process.send_signal(signal.SIGINT)
        self.wait_for_word(process, "finishes what is under way")
        self.assertIsNone(process.poll(), "the first one lets the curve finish")
        process.send_signal(signal.SIGINT)
        _, err = self.ends(process, 75)
        self.assertIn("left at once", err)
        self.assertEqual(self.done("long", "long.nc"), 0)

    @unittest.skipIf(SANITIZED, "the plain build's alone: the same again takes minutes")
    def test_time_left(self):
        flops = [f"{name}_flops_per_second" for name in ("gemm", "narrow", "triangle", "outputs", "panel")]
        tables = [f"{name}_flops_per_second" for name in ("dense", "updates", "lanes")]
        others = """normals_per_second word_blocks_per_second gemv_alone_bytes_per_second tridiagonal_seconds
            bidiagonal_seconds rotations_per_second pdgesvd_rotations_per_second band_seconds band_rotations_per_second
            column_seconds message_seconds message_bytes_per_second start_seconds launch_seconds process_bytes group_seconds
            record_seconds""".split()
        rates = {"host": "test", "blas": "test", "date": "2026-01-01", "cores": 2, "gemv_bytes_per_second": [[1e6, 1e9]]}
        rates |= {f"{name}_bytes_per_second": 1e9 for name in ("journal", "results", "packing")} | {other: 1 for other in others}
        for name, rate in (("slow", 1), ("fast", 1e18)):
            made = {**rates, "cell_seconds": 1 / rate, **{key: rate for key in flops}}
            made |= {key: [[8, rate]] for key in tables}
            (self.at / f"{name}.json").write_text(json.dumps(made))
        kept = 0
        for ranks in tier.of((2,), (1, 2)):
            with self.subTest("nothing that cannot finish is begun", ranks=ranks):
                done = run(
                    "run",
                    "small.yaml",
                    "-o",
                    "slow.nc",
                    "--time-left",
                    "1:00:00",
                    ranks=ranks,
                    cwd=self.at,
                    env={"RIDGELESS_RATES": "slow.json"},
                    check=75,
                )
                self.assertIn(f"0 of {REPEATS} curves are done", done.stderr)
                self.assertIn("time left", done.stderr)
            with self.subTest("a curve is left between two spectra when the time is over", ranks=ranks):
                err = self.run_out_of_time("fast.nc", max(kept, 1), ranks, {"RIDGELESS_RATES": "fast.json"})
                self.assertIn("0 of 1 curves are done", err)
                kept = self.spectra("fast.nc") + 1
        run("run", "small.yaml", "-o", "slow.nc", "-q", "--time-left", "UNLIMITED", ranks=2, cwd=self.at, check=0)
        self.assertEqual(differences(self.at / "small-whole.nc", self.at / "slow.nc"), [])

    def run_out_of_time(self, output, least, ranks, env):
        """What a run of the long study said that left its curve with so many finished spectra; how much time that takes depends
        on how soon the machine lets it begin."""
        seconds = 3
        while True:
            done = run(
                "run", "long.yaml", "-o", output, "--time-left", f"{seconds}s", ranks=ranks, cwd=self.at, env=env, check=75
            )
            if self.spectra(output) >= least:
                return done.stderr
            seconds *= 2

    def test_wrong_times_are_refused(self):
        for text in ("", "5", "5 min", "1:2:3:4", "1-00:10", "-5s", "10:", ":10", "inf", "1e3s", "5m"):
            done = run("run", "small.yaml", "--time-left", text, cwd=self.at, check=2)
            self.assertIn("--time-left", done.stderr)

    def check_named(self, err, what):
        self.assertEqual(
            len(
                re.findall(
                    rf"ridgeless: {what} while (computing `student-teacher`, P = 40, repeat \d+|between two "
                    r"curves|preparing)",
                    err,
                )
            ),
            1,
            err,
        )

    def test_a_rank_that_dies_is_named(self):
        for number, word in ((signal.SIGKILL, "died"), (signal.SIGSEGV, "crashed (SIGSEGV)")):
            with self.subTest(word):
                err = self.struck(
                    "small",
                    f"{word.split()[0]}.nc",
                    lambda _, pids: os.kill(max(pids), number),
                    ranks=3,
                    statuses=launcher.of_a_dead_rank(number),
                )
                if number == signal.SIGSEGV or launcher.lets_the_living_speak():
                    self.check_named(err, rf"rank \d {re.escape(word)}.*")

    def test_rank_0_dies(self):
        err = self.struck(
            "small",
            "zero.nc",
            lambda _, pids: os.kill(min(pids), signal.SIGKILL),
            ranks=2,
            statuses=launcher.of_a_dead_rank(signal.SIGKILL),
        )
        if launcher.lets_the_living_speak():
            self.check_named(err, "rank 0 died")


if __name__ == "__main__":
    unittest.main()
