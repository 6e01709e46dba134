"""What is in the journal is not computed again, and running again ends in the same bits; tests/fault has the kills."""
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

from program import PROGRAM, differences, run

STUDY = """repeats: 120
n_train: {range: [1, 60]}
ablations: [none, no_residuals, cutoff: [0.01, 0.1]]
datasets: [{source: student-teacher, rows: 400, features: 40, hidden_features: 50}]
"""


class Resume(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.at = pathlib.Path(cls.folder.name)
        (cls.at / "study.yaml").write_text(STUDY)
        run("run", "study.yaml", "-q", "-o", "whole.nc", ranks=2, cwd=cls.at, check=0)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def finish(self, name):
        before = self.journal_size(name)
        done = run("run", "study.yaml", "-o", name, ranks=2, cwd=self.at, check=0)
        self.assertEqual(differences(self.at / "whole.nc", self.at / name), [])
        self.assertEqual([p for p in os.listdir(self.at) if ".tmp." in p], [])
        return before, done.stderr

    def test_a_torn_record_is_cut_off_and_done_again(self):
        run("run", "study.yaml", "-q", "-o", "torn.nc", cwd=self.at, check=0)
        journal = self.at / "torn.nc.journal"
        with open(journal, "r+b") as file:
            file.truncate(journal.stat().st_size - 1000)
        _, said = self.finish("torn.nc")
        self.assertIn("torn.nc.journal", said)
        self.assertIn("119 of 120 curves are in the journal already", said)

    def test_a_finished_study_is_not_computed_again(self):
        run("run", "study.yaml", "-q", "-o", "twice.nc", cwd=self.at, check=0)
        results = (self.at / "twice.nc").read_bytes()
        before, said = self.finish("twice.nc")
        self.assertIn("120 of 120 curves are in the journal already", said)
        self.assertEqual((self.at / "twice.nc.journal").stat().st_size, before)
        self.assertEqual((self.at / "twice.nc").read_bytes(), results)

    def test_results_that_are_not_of_the_journal_are_assembled_again(self):
        run("run", "study.yaml", "-q", "-o", "stale.nc", cwd=self.at, check=0)
        results = self.at / "stale.nc"
        results.unlink()
        self.finish("stale.nc")
        (self.at / "titled.yaml").write_text("title: Another title\n" + STUDY)
        run("run", "titled.yaml", "-o", "stale.nc", cwd=self.at, check=0)
        self.assertIn("@title", differences(self.at / "whole.nc", results))
        self.finish("stale.nc")
        with open(self.at / "stale.nc.journal", "ab") as journal:
            journal.write(b"torn")
        before = results.read_bytes()
        self.finish("stale.nc")  # the journal's end cut off, all is as it was
        self.assertEqual(results.read_bytes(), before)

    def journal_size(self, name):
        journal = self.at / f"{name}.journal"
        return journal.stat().st_size if journal.exists() else 0

    def stopped_run(self, name):
        """A run stopped in the middle of its work: its journal is not empty, so that it is locked already. On a busy machine
        it may have ended before that is seen: then once more."""
        for _ in range(50):
            process = subprocess.Popen([PROGRAM, "run", "study.yaml", "-q", "-o", name], cwd=self.at, stdout=subprocess.DEVNULL)
            while self.journal_size(name) == 0 and process.poll() is None:
                time.sleep(0.005)
            process.send_signal(signal.SIGSTOP)
            if process.poll() is None and not (self.at / name).exists():
                return process
            process.send_signal(signal.SIGCONT)
            process.wait()
            for path in self.at.glob(f"{name}*"):
                path.unlink()
        raise AssertionError("50 runs ended before they could be stopped")

    def test_two_writers_are_refused(self):
        process = self.stopped_run("locked.nc")
        try:
            done = run("run", "study.yaml", "-o", "locked.nc", cwd=self.at)
            self.assertEqual(done.returncode, 2)
            self.assertIn("locked.nc.journal", done.stderr)
        finally:
            process.send_signal(signal.SIGCONT)
            self.assertEqual(process.wait(timeout=600), 0)
        self.finish("locked.nc")


if __name__ == "__main__":
    unittest.main()
