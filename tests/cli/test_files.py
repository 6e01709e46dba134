"""Files as systems have them: links, studies from pipes, time stamps."""
import os
import pathlib
import subprocess
import tempfile
import unittest

import netCDF4

import launcher
from program import PROGRAM, differences, run

STUDY = """repeats: 3
n_train: {range: [1, 6]}
ablations: [none, cutoff: 0.1]
datasets:
  - {source: student-teacher, rows: 40, features: 4, hidden_features: 5}
  - {source: csv, name: own, file: own.csv, target: y}
"""
TABLE = "a,b,y\n" + "".join(f"{i},{i * i % 7},{i % 5}\n" for i in range(20))


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.at = pathlib.Path(folder.name)
        self.put(STUDY)
        (self.at / "own.csv").write_text(TABLE)
        (self.at / "far").mkdir()

    def put(self, text):
        (self.at / "study.yaml").write_text(text)

    def compute(self, *options, check=0):
        return run("run", "study.yaml", "-q", *options, cwd=self.at, check=check)

    # ---- links

    def link(self, name, to):
        (self.at / name).symlink_to(to)

    def test_a_link_stays_and_what_it_leads_to_is_replaced(self):
        """As from a home folder to a scratch file system."""
        self.compute("-o", "plain.nc")
        self.link("study.nc", "far/there.nc")
        self.compute()  # nothing is there yet
        with open(self.at / "far/there.nc", "rb") as first:  # its number is not given to another while it is open
            number = os.fstat(first.fileno()).st_ino
            self.put(STUDY.replace("repeats: 3", "repeats: 2"))
            self.compute()
            self.assertNotEqual((self.at / "far/there.nc").stat().st_ino, number, "it is replaced as a whole")
        self.put(STUDY)
        self.compute()
        self.assertTrue((self.at / "study.nc").is_symlink())
        self.assertEqual(differences(self.at / "plain.nc", self.at / "far/there.nc"), [])
        self.assertEqual(sorted(os.listdir(self.at / "far")), ["there.nc", "there.nc.journal"])
        self.compute("-o", "far/there.nc")  # by its own name: the same file, the same journal
        self.assertEqual(sorted(os.listdir(self.at / "far")), ["there.nc", "there.nc.journal"])

    def test_a_journal_beside_a_link_is_not_forgotten(self):
        """As somebody leaves it who has moved the results file alone, and put a link in its place."""
        self.compute()
        (self.at / "study.nc").rename(self.at / "far/there.nc")
        self.link("study.nc", "far/there.nc")
        said = self.compute(check=2).stderr
        self.assertEqual(said.count("\n"), 1, said)
        self.assertIn("study.nc.journal: lies beside a link", said)
        self.assertIn("move it to far/there.nc.journal", said)
        (self.at / "study.nc.journal").rename(self.at / "far/there.nc.journal")
        self.assertIn("up to date", run("run", "study.yaml", cwd=self.at, check=0).stderr)

    def test_what_killed_runs_left_beside_the_target_goes(self):
        self.link("study.nc", "far/there.nc")
        (self.at / "far/there.nc.tmp.999999").write_text("half")
        self.compute()
        self.assertEqual(sorted(os.listdir(self.at / "far")), ["there.nc", "there.nc.journal"])

    def test_starting_over_keeps_the_link(self):
        self.link("study.nc", "far/there.nc")
        self.compute()
        self.compute("--fresh")
        self.assertEqual(os.readlink(self.at / "study.nc"), "far/there.nc")
        self.assertEqual(sorted(os.listdir(self.at / "far")), ["there.nc", "there.nc.journal"])

    def test_links_that_lead_nowhere_are_refused(self):
        self.link("study.nc", "round.nc")
        self.link("round.nc", "study.nc")
        self.link("lost.nc", "no-such-folder/there.nc")
        for name in ("study.nc", "lost.nc"):
            said = self.compute("-o", name, check=2).stderr
            self.assertEqual((said.count("\n"), f"{name}: cannot be written" in said), (1, True), said)
            self.assertFalse((self.at / f"{name}.journal").exists())

    # ---- studies from pipes

    def piped(self, text, *arguments, shell="", check=0):
        """What a command said that reads the text from standard input, or as the shell words say."""
        command = [PROGRAM, *arguments] if not shell else ["bash", "-c", f'"$0" {shell}', PROGRAM]
        done = subprocess.run(command, input=text, cwd=self.at, capture_output=True, text=True)
        self.assertEqual(done.returncode, check, done.stderr)
        return done.stdout + done.stderr

    def test_a_study_comes_from_wherever_it_is(self):
        """Relative files are looked for in the current folder."""
        self.compute("-o", "plain.nc")
        os.mkfifo(self.at / "far/fifo")
        for i, shell in enumerate(
            (
                "run - -q -o piped.nc",
                "run /dev/stdin -q -o piped.nc",
                "run /dev/stdin -q -o piped.nc <study.yaml",
                "run /proc/self/fd/0 -q -o piped.nc",
                "run <(cat study.yaml) -q -o piped.nc",
                "run far/fifo -q -o piped.nc & cat study.yaml >far/fifo; wait $!",
            )
        ):
            with self.subTest(shell):
                self.piped(STUDY, shell=f"{shell} --fresh" if i < 5 else shell.replace("-q", "-q --fresh"))
                self.assertEqual(set(differences(self.at / "plain.nc", self.at / "piped.nc")), {"@title"})

    def test_rank_0_reads_it_for_all(self):
        with open(self.at / "study.yaml") as file:
            command = "run - -q -o ranks.nc"
            ranks = launcher.on_ranks(2, [PROGRAM, *command.split()])
            done = subprocess.run(ranks, stdin=file, cwd=self.at, capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.compute()
        self.assertEqual(differences(self.at / "study.nc", self.at / "ranks.nc"), ["@title"])

    def test_it_goes_on_and_is_asked_about(self):
        self.piped(STUDY, "run", "-", "-q", "-o", "x.nc")
        self.assertIn("6 of 6 curves done", self.piped(STUDY, "status", "-", "-o", "x.nc"))
        self.assertIn("x.nc is up to date", self.piped(STUDY, "run", "-", "-o", "x.nc"))
        self.assertIn("-o FILE names it", self.piped(STUDY, "plan", "-"))
        self.assertIn('"output": null', self.piped(STUDY, "plan", "-", "--json"))

    def test_what_makes_no_sense_is_refused(self):
        for command in ("run", "retry", "assemble", "status"):
            said = self.piped(STUDY, command, "-", check=2)
            self.assertIn("standard input: the study has no name, and so the results file has none; expected -o FILE", said)
        self.assertIn("expected the name of a file", self.piped(STUDY, "plan", "-", "--sbatch", check=2))
        self.assertIn("expected the name of a file", self.piped(STUDY, "run", "-", "-o", "-", check=2))
        self.assertIn("standard input:1: key `repeats`: got `x`", self.piped("repeats: x\n", "plan", "-", check=2))
        self.assertIn("pipe:1: key `repeats`", self.piped("", shell="plan <(echo repeats: x)", check=2))
        self.assertIn("standard input:1: the file is empty", self.piped("", "plan", "-", check=2))
        self.assertIn("standard input: cannot be read", self.piped("", shell="plan - <&-", check=2))
        self.assertEqual(sorted(os.listdir(self.at)), ["far", "own.csv", "study.yaml"])

    # ---- time stamps

    def test_a_file_that_is_up_to_date_gets_the_time_of_now(self):
        """make and Snakemake start what makes a file as long as that is older than what it is made of."""
        self.compute()
        output = self.at / "study.nc"
        content = output.read_bytes()
        os.utime(output, (1, 1))
        self.compute()
        self.assertGreaterEqual(output.stat().st_mtime, (self.at / "study.yaml").stat().st_mtime)
        self.assertEqual(output.read_bytes(), content)
        output.chmod(0o444)
        os.utime(output, (1, 1))
        self.compute()
        self.assertGreater(output.stat().st_mtime, 1)

    def test_a_file_of_a_study_that_is_not_done_keeps_its_time(self):
        self.put(STUDY.replace("repeats: 3", "repeats: 2"))
        self.compute()
        self.put(STUDY)
        run("assemble", "study.yaml", "-q", cwd=self.at, check=75)
        os.utime(self.at / "study.nc", (1, 1))
        run("assemble", "study.yaml", "-q", cwd=self.at, check=75)
        self.assertEqual((self.at / "study.nc").stat().st_mtime, 1)

    # ---- what the results file keeps

    def test_modes_alone_leave_the_errors_of_each_repeat_out(self):
        """As ridgeless-study(5) says of `keep`; medians over the repeats stay."""
        self.put("keep: modes\n" + STUDY)
        self.compute()
        with netCDF4.Dataset(self.at / "study.nc") as file:
            names = set(file["own"].variables)
        self.assertIn("test_mse_median", names)
        self.assertIn("sigma", names)
        self.assertNotIn("test_mse", names)
        self.assertIn("own", run("show", "study.nc", cwd=self.at, check=0).stdout)


if __name__ == "__main__":
    unittest.main()
