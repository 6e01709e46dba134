"""Standard streams that cannot be written, and signals as a parent leaves them: what a run keeps, what is said, the exit
status."""
import contextlib
import os
import pathlib
import resource
import signal
import subprocess
import tempfile
import time
import unittest

from program import PROGRAM, differences, run

# On one rank about 1 s in curves of 10 ms.
STUDY = """repeats: 120
n_train: {range: [1, 60]}
ablations: [none, no_residuals, cutoff: [0.01, 0.1]]
datasets: [{source: student-teacher, rows: 400, features: 40, hidden_features: 50}]
"""
HANGS = 600  # seconds, for a run that takes a few
SINFO = """#!/bin/sh
grep SigIgn /proc/self/status > "$0.ignored"
echo 'long*|1-00:00:00|4|4|2|32|128000'
"""


def gone():
    """A pipe that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    return writer


def stuffed():
    """A pipe whose reader reads nothing: (its end, the end to write)."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, bytes(4096))
    os.set_blocking(writer, True)
    return reader, writer


class Streams(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.at = pathlib.Path(cls.folder.name)
        (cls.at / "small.yaml").write_text(STUDY)
        (cls.at / "tiny.yaml").write_text(STUDY.replace("120", "2"))
        (cls.at / "much.yaml").write_text(STUDY.replace("120", "20000"))
        run("run", "small.yaml", "-q", "-o", "whole.nc", ranks=2, cwd=cls.at, check=0)
        run("run", "tiny.yaml", "-q", cwd=cls.at, check=0)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def begin(self, *arguments, first=None, out=subprocess.PIPE, err=subprocess.PIPE, env=None):
        """The program, as whatever `first` does in the new process leaves it."""
        process = subprocess.Popen(
            [PROGRAM, *arguments],
            cwd=self.at,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            text=True,
            preexec_fn=first,
            env={**os.environ, **(env or {})},
            restore_signals=first is None,
        )
        self.addCleanup(lambda: (process.poll() is None and process.kill(), process.communicate()))
        for stream in (out, err):
            if stream > 2:
                os.close(stream)
        return process

    def ends(self, process, status):
        out, err = process.communicate(timeout=HANGS)
        self.assertEqual(process.returncode, status, err)
        return out, err

    def strike(self, process, output, number, size=3000):
        """Sends a signal once the journal has so many bytes."""
        journal = self.at / f"{output}.journal"
        until = time.monotonic() + HANGS
        while process.poll() is None and not (journal.exists() and journal.stat().st_size >= size):
            self.assertLess(time.monotonic(), until)
            time.sleep(0.002)
        process.send_signal(number)

    def struck(self, output, begin, *numbers, size=3000):
        """What a run said that these signals met. One that ended first, as happens on a busy machine, is begun again."""
        for _ in range(20):
            process = begin()
            for number in numbers:
                self.strike(process, output, number, size)
            _, err = process.communicate(timeout=HANGS)
            if process.returncode != 0:
                self.assertEqual(process.returncode, 75, err)
                return err
            for path in self.at.glob(f"{output}*"):
                path.unlink()
        raise AssertionError("20 runs ended before they could be stopped")

    def goes_on(self, output):
        """The results of a run that was stopped are there, and running again ends in the same bits."""
        self.assertTrue((self.at / output).exists())
        run("run", "small.yaml", "-q", "-o", output, ranks=2, cwd=self.at, check=0)
        self.assertEqual(differences(self.at / "whole.nc", self.at / output), [])

    def test_an_interrupt_ends_a_run_whose_reader_it_ended_too(self):
        """`run 2>&1 | tee log` and ^C: tee is gone when the run has something to say."""
        self.struck("tee.nc", lambda: self.begin("run", "small.yaml", "-o", "tee.nc", out=gone(), err=gone()), signal.SIGINT)
        self.goes_on("tee.nc")

    def test_a_run_goes_on_when_nobody_reads_its_messages(self):
        for flags in ([], ["-q"], ["--json"]):
            with self.subTest(flags):
                out, _ = self.ends(self.begin("run", "tiny.yaml", "--fresh", *flags, err=gone()), 0)
                self.assertIn("tiny.nc", out)

    def test_a_run_whose_answer_nobody_reads_says_so(self):
        for flags in ([], ["-q"], ["--json"]):
            with self.subTest(flags):
                _, err = self.ends(self.begin("run", "tiny.yaml", "--fresh", *flags, out=gone()), 1)
                self.assertIn("standard output: cannot be written: its reader has gone", err)
                self.assertTrue((self.at / "tiny.nc").exists())

    def test_a_command_that_prints_ends_quietly_by_the_usual_signal(self):
        for line in (["show", "tiny.nc"], ["plan", "tiny.yaml", "--json"], ["run", "--help"], ["--version"]):
            with self.subTest(line):
                _, err = self.ends(self.begin(*line, out=gone()), -signal.SIGPIPE)
                self.assertEqual(err, "")

    def test_where_that_signal_is_ignored_it_is_an_error(self):
        def ignore():
            signal.signal(signal.SIGPIPE, signal.SIG_IGN)

        _, err = self.ends(self.begin("show", "tiny.nc", out=gone(), first=ignore), 1)
        self.assertEqual(err, "ridgeless: standard output: cannot be written: its reader has gone\n")

    def test_messages_that_are_lost_on_a_full_disk_are_an_error(self):
        for line, status in (
            (["run", "tiny.yaml", "--fresh"], 1),
            (["run", "tiny.yaml", "--fresh", "-q"], 0),
            (["show", "tiny.nc"], 0),
            (["show", "none.nc"], 2),
        ):
            with self.subTest(line):
                self.ends(self.begin(*line, err=os.open("/dev/full", os.O_WRONLY)), status)
        self.ends(self.begin("show", "tiny.nc"), 0)

    def test_a_reader_that_reads_nothing_does_not_keep_a_run_that_is_to_stop(self):
        def begin(output):
            reader, writer = stuffed()
            self.addCleanup(os.close, reader)
            return self.begin("run", "small.yaml", "-o", output, err=writer)

        for number in (signal.SIGTERM, signal.SIGUSR1):
            with self.subTest(number):
                output = f"stuffed-{number}.nc"
                self.struck(output, lambda output=output: begin(output), number, size=1)
                self.goes_on(output)

    def test_signals_that_were_blocked_are_taken(self):
        numbers = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGXCPU)

        def block():
            for number in numbers:  # these tests may run under nohup
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())

        def begin():
            (self.at / "blocked.nc.journal").unlink(missing_ok=True)
            return self.begin("run", "small.yaml", "--fresh", "-o", "blocked.nc", first=block)

        for number in numbers:
            with self.subTest(number):
                err = self.struck("blocked.nc", begin, number)
                self.assertIn(f"stopped by {signal.Signals(number).name}", err)
        self.goes_on("blocked.nc")

    def test_interrupts_and_hang_ups_that_were_ignored_stay_so(self):
        def ignore():
            for number in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
                signal.signal(number, signal.SIG_IGN)

        def begin():
            return self.begin("run", "small.yaml", "-o", "ignored.nc", first=ignore)

        err = self.struck("ignored.nc", begin, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)
        self.assertIn("stopped by SIGUSR1", err)
        self.assertNotIn("SIGHUP", err)

    def test_the_processor_time_that_a_limit_allows(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_CPU, (1, resource.RLIM_INFINITY))

        _, err = self.ends(self.begin("run", "much.yaml", "-o", "cpu.nc", first=limit), 75)
        self.assertIn("stopped by SIGXCPU", err)
        self.assertTrue((self.at / "cpu.nc").exists())

    def test_an_alarm_that_was_set_before(self):
        process = self.begin("run", "much.yaml", "-o", "alarm.nc", first=lambda: signal.alarm(5))
        _, err = self.ends(process, 75)
        self.assertIn("SIGALRM", err)

    def test_a_file_that_grows_beyond_a_limit_is_one_error(self):
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
            resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000))

        _, err = self.ends(self.begin("run", "small.yaml", "-q", "-o", "large.nc", first=limit), 1)
        self.assertRegex(err, r"^ridgeless: .*File too large.*\n$")
        self.goes_on_after_error("large.nc")

    def goes_on_after_error(self, output):
        run("run", "small.yaml", "-q", "-o", output, ranks=2, cwd=self.at, check=0)
        self.assertEqual(differences(self.at / "whole.nc", self.at / output), [])

    def test_programs_that_are_asked_are_waited_for_and_get_the_usual_signals(self):
        def ignore():
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)

        folder = self.at / "slurm"
        folder.mkdir()
        (folder / "sinfo").write_text(SINFO)
        (folder / "sinfo").chmod(0o755)
        path = {"PATH": f"{folder}:{os.environ['PATH']}"}
        asked = self.begin("plan", "tiny.yaml", "--sbatch", "--partition", "short", first=ignore, env=path)
        _, err = self.ends(asked, 2)
        self.assertIn("Slurm has no `short`", err)
        ignored = int((folder / "sinfo.ignored").read_text().split()[1], 16)
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            self.assertEqual(ignored >> (number - 1) & 1, 0)

    def test_a_damaged_file_is_told_where_children_are_ignored(self):
        def ignore():
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)

        content = bytearray((self.at / "tiny.nc").read_bytes())
        (self.at / "unsealed.nc").write_bytes(content[:-32])
        status = run("show", "unsealed.nc", cwd=self.at).returncode
        _, err = self.ends(self.begin("show", "unsealed.nc", first=ignore), status)
        self.assertNotIn("crashed", err)


if __name__ == "__main__":
    unittest.main()
