"""Files that others move, remove, replace or lock while the program works with them; names that lead elsewhere; and texts of
users that a terminal would obey."""
import json
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import tempfile
import time
import unittest

import netCDF4

from program import PROGRAM, differences, run, start

# A few milliseconds per curve, and more curves than any of these tests waits for.
LONG = """repeats: 100000
n_train: {range: [1, 60]}
ablations: [none]
producer: lapack
datasets: [{source: student-teacher, rows: 300, features: 40, hidden_features: 50}]
"""
SHORT = LONG.replace("100000", "3").replace("60]", "4]")
HANGS = 300  # seconds, for what takes a few
HOLD = os.environ["RIDGELESS_HOLD_RENAME"]


def until(what):
    end = time.monotonic() + HANGS
    while not what():
        if time.monotonic() > end:
            raise AssertionError("it did not come")
        time.sleep(0.02)


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.at = pathlib.Path(folder.name)

    def folder(self, name, text=SHORT):
        (self.at / name).mkdir()
        (self.at / name / "s.yaml").write_text(text)
        return self.at / name

    def started(self, at, *words, ranks=None):
        """A run that has some curves in its journal, under the name that /proc has for open files."""
        process = start(self, "run", "s.yaml", *words, cwd=at, ranks=ranks)
        until(lambda: (at / "s.nc.journal").exists() and (at / "s.nc.journal").stat().st_size > 20000)
        return process

    def one_error(self, process, *words):
        said = process.communicate(timeout=HANGS)[1]
        lines = [line for line in said.splitlines() if line.startswith("ridgeless: s.nc")]
        self.assertEqual((process.returncode, len(lines)), (1, 1), said)
        for word in words:
            self.assertIn(word, lines[0])

    def done(self, at, name="s.nc"):
        said = run("status", "s.yaml", "-o", name, "--json", cwd=at, check=None)
        return json.loads(said.stdout)["done"] if said.returncode == 0 else None


class Journals(Folder):
    def test_whatever_happens_to_a_journal_nothing_is_lost(self):
        def move(at):
            (at / "s.nc.journal").rename(at / "far")

        def replace(at):
            move(at)
            (at / "s.nc.journal").write_text("another")

        def overwrite(at):
            (at / "other").write_text("another")
            (at / "other").rename(at / "s.nc.journal")

        def grow(at):
            with open(at / "s.nc.journal", "ab") as file:
                file.write(b"x")

        def cut(at):
            os.truncate(at / "s.nc.journal", 15000)

        def move_folder(at):
            at.rename(at.with_name("elsewhere"))

        attacks = {  # what is done, where the curves are afterwards, and words of the message
            "move": (move, "move/far", ["was moved", "/far: move that back"]),
            "replace": (replace, "replace/far", ["was moved", "another file is in its place", "/far: move that back"]),
            "overwrite": (overwrite, "overwrite/s.nc.journal.saved1", ["was removed", "s.nc.journal.saved1: move that back"]),
            "grow": (grow, "grow/s.nc.journal", ["another process has changed it", "run again"]),
            "cut": (cut, "cut/s.nc.journal", ["another process has changed it", "15000 bytes", "run again"]),
            "folder": (move_folder, "elsewhere/s.nc.journal", []),
        }
        runs = {}
        for name, (attack, _, _) in attacks.items():
            at = self.folder(name, LONG)
            words = ("-o", str(at / "s.nc")) if name == "folder" else ()
            runs[name] = self.started(at, *words)
            attack(at)
        for name, (_, left, words) in attacks.items():
            with self.subTest(name):
                if name == "folder":
                    said = runs[name].communicate(timeout=HANGS)[1]
                    self.assertEqual(runs[name].returncode, 1, said)
                    self.assertIn("elsewhere/s.nc.journal: move that back", said)
                else:
                    self.one_error(runs[name], *words)
                at = (self.at / left).parent
                if name == "replace":
                    self.assertEqual((at / "s.nc.journal").read_text(), "another")
                (self.at / left).rename(at / "back.nc.journal")
                self.assertGreater(self.done(at, "back.nc"), 0)
                self.assertFalse((at / "s.nc").exists())

    def test_a_journal_that_is_removed_is_written_anew(self):
        at = self.folder("a", LONG)
        process = self.started(at)
        (at / "s.nc.journal").chmod(0o640)
        (at / "s.nc.journal").unlink()
        until(lambda: (at / "s.nc.journal").exists())
        self.assertEqual(stat.S_IMODE((at / "s.nc.journal").stat().st_mode), 0o640)
        before = (at / "s.nc.journal").stat().st_size
        until(lambda: (at / "s.nc.journal").stat().st_size > before + 20000)
        second = run("run", "s.yaml", cwd=at, check=2)
        self.assertIn("another run is writing it", second.stderr)
        process.kill()
        said = process.communicate()[1]
        self.assertEqual(said.count("was removed while the run works; it is written anew, with all that is done"), 1, said)
        (at / "s.yaml").write_text(LONG.replace("100000", "3"))
        self.assertIn("3 of 3 curves are in the journal", run("run", "s.yaml", cwd=at, check=0).stderr)
        fresh = self.folder("fresh", LONG.replace("100000", "3"))
        run("run", "s.yaml", "-q", cwd=fresh, check=0)
        self.assertEqual(differences(at / "s.nc", fresh / "s.nc"), [])

    def test_with_its_folder_it_is_gone_and_that_is_said(self):
        at = self.folder("a", LONG)
        process = self.started(at)
        shutil.rmtree(at)
        self.one_error(process, "was removed", "cannot be written anew: No such file or directory")

    def test_two_runs_never_share_an_output(self):
        at = self.folder("a", LONG)
        (at / "b").mkdir()
        (at / "link.nc").symlink_to("s.nc")
        (at / "b/up.nc").symlink_to("../link.nc")
        first = self.started(at)
        for name in ("s.nc", "./s.nc", "b/../s.nc", "link.nc", "b/up.nc", str(at / "s.nc")):
            said = run("run", "s.yaml", "-o", name, cwd=at, check=2).stderr
            self.assertEqual((said.count("\n"), "another run is writing it" in said), (1, True), said)
        (at / "s.nc.journal").rename(at / "moved")
        second = self.started(at)
        self.one_error(first, "was moved", "moved: move that back")
        second.send_signal(signal.SIGUSR1)
        self.assertEqual(second.wait(HANGS), 75)
        self.assertTrue((at / "s.nc").exists())

    def test_what_is_no_file_is_refused(self):
        at = self.folder("a")
        os.mkfifo(at / "pipe")
        os.mkfifo(at / "x.nc.journal")
        (at / "folder.nc").mkdir()
        (at / "loop.nc").symlink_to("loop.nc")
        for name in ("/dev/null", "/dev/stdout", "/dev/fd/1", "pipe", "x.nc", "folder.nc", "loop.nc", "n" * 250 + ".nc"):
            for command in ("run", "assemble"):
                said = run(command, "s.yaml", "-o", name, cwd=at, check=2)
                self.assertEqual((said.stderr.count("\n"), said.stdout), (1, ""), (name, said.stderr))
                self.assertNotIn("remove it", said.stderr)
        self.assertEqual(sorted(os.listdir(at)), ["folder.nc", "loop.nc", "pipe", "s.yaml", "x.nc.journal"])


class Results(Folder):
    def held(self, at, *words, name="held"):
        """A command that waits before it puts its file in place, and what lets it go on."""
        mark = at / name
        process = subprocess.Popen(
            [PROGRAM, *words],
            cwd=at,
            env={**os.environ, "LD_PRELOAD": HOLD, "RIDGELESS_HELD": str(mark)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(lambda: (mark.unlink(missing_ok=True), process.poll() is None and process.kill(), process.communicate()))
        until(mark.exists)

        def go_on():
            mark.unlink()
            said = process.communicate(timeout=HANGS)[1]
            return process.returncode, said

        return go_on

    def grow(self, at, repeats):
        (at / "s.yaml").write_text(SHORT.replace("repeats: 3", f"repeats: {repeats}"))

    def test_older_results_never_replace_newer_ones(self):
        at = self.folder("a")
        run("run", "s.yaml", "-q", cwd=at, check=0)
        self.grow(at, 6)
        first = self.held(at, "assemble", "s.yaml", name="first")
        (temporary,) = [name for name in os.listdir(at) if ".tmp." in name]
        second = self.held(at, "assemble", "s.yaml", name="second")
        run("run", "s.yaml", "-q", cwd=at, check=0)
        self.assertIn(temporary, os.listdir(at))  # of a process that lives
        newest = (at / "s.nc").read_bytes()
        for go_on in (second, first):
            status, said = go_on()
            self.assertEqual((status, "a newer file there" in said), (75, True), said)
            self.assertEqual((at / "s.nc").read_bytes(), newest)
        self.assertEqual(sorted(os.listdir(at)), ["s.nc", "s.nc.journal", "s.yaml"])

    def test_of_two_that_assemble_the_newer_one_stays(self):
        at = self.folder("a")
        run("run", "s.yaml", "-q", cwd=at, check=0)
        self.grow(at, 6)
        older = self.held(at, "assemble", "s.yaml")
        run("run", "s.yaml", "-q", cwd=at, check=0)
        (at / "s.nc").unlink()
        run("assemble", "s.yaml", "-q", cwd=at, check=0)
        newest = (at / "s.nc").read_bytes()
        self.assertEqual(older()[0], 75)
        self.assertEqual((at / "s.nc").read_bytes(), newest)

    def test_a_study_that_was_started_over_is_not_overwritten(self):
        at = self.folder("a")
        run("run", "s.yaml", "-q", cwd=at, check=0)
        self.grow(at, 2)
        go_on = self.held(at, "assemble", "s.yaml")
        run("run", "s.yaml", "-q", "--fresh", cwd=at, check=0)
        newest = (at / "s.nc").read_bytes()
        go_on()
        self.assertEqual((at / "s.nc").read_bytes(), newest)

    def test_a_directory_in_its_place_and_a_folder_that_is_gone(self):
        at = self.folder("a")
        go_on = self.held(at, "run", "s.yaml", "-q")
        (at / "s.nc").mkdir()
        status, said = go_on()
        self.assertEqual((status, said.count("\n")), (1, 1), said)
        self.assertEqual(sorted(os.listdir(at)), ["s.nc", "s.nc.journal", "s.yaml"])
        at = self.folder("b")
        (at / "far").mkdir()
        (at / "s.nc.journal").symlink_to("kept")
        go_on = self.held(at, "run", "s.yaml", "-q", "-o", "far/s.nc")
        shutil.rmtree(at / "far")
        status, said = go_on()
        self.assertEqual((status, said.count("\n")), (1, 1), said)

    def test_mode_and_group_stay(self):
        at = self.folder("a")
        before = os.umask(0o077)
        try:
            run("run", "s.yaml", "-q", cwd=at, check=0)
            self.assertEqual(stat.S_IMODE((at / "s.nc").stat().st_mode), 0o600)
            (at / "s.nc").chmod(0o664)
            groups = [group for group in os.getgroups() if group != (at / "s.nc").stat().st_gid]
            if os.getuid() == 0:
                groups = [4711]
            if groups:
                os.chown(at / "s.nc", -1, groups[0])
            self.grow(at, 5)
            run("run", "s.yaml", "-q", cwd=at, check=0)
            now = (at / "s.nc").stat()
            self.assertEqual(stat.S_IMODE(now.st_mode), 0o664)
            self.assertEqual(now.st_gid, groups[0] if groups else now.st_gid)
        finally:
            os.umask(before)

    @unittest.skipIf(os.getuid() == 0, "root may write everywhere")
    def test_only_the_folder_of_the_target_is_written_to(self):
        at = self.folder("a")
        (at / "closed").mkdir()
        (at / "closed/link.nc").symlink_to("../s.nc")
        (at / "closed").chmod(0o555)
        self.addCleanup((at / "closed").chmod, 0o755)
        run("run", "s.yaml", "-q", "-o", "closed/link.nc", cwd=at, check=0)
        said = run("run", "s.yaml", "-q", "-o", "closed/x.nc", cwd=at, check=2).stderr
        self.assertEqual((said.count("\n"), "cannot be written: Permission denied" in said), (1, True), said)


class Texts(Folder):
    HARM = "\x1b[31m\x1b]0;evil\x07\u202e\u2028\x9b"

    def harmless(self, text):
        for c in text:
            self.assertTrue(c == "\n" or c == "\t" or c.isprintable() or c == "\ufffd", repr(text))

    def test_no_command_prints_what_a_terminal_obeys(self):
        name = f"a{self.HARM}'b"
        at = self.folder("a")
        (at / f"{name}.yaml").write_text(SHORT)
        (at / "t.csv").write_text(f"x{self.HARM},y\n1,2\n{self.HARM},3\n")
        commands = [
            ["run", f"{name}.yaml"],
            ["run", f"{name}.yaml"],
            ["status", f"{name}.yaml"],
            ["plan", f"{name}.yaml"],
            ["plan", f"{name}.yaml", "--json"],
            ["plan", f"{name}.yaml", "--sbatch"],
            ["show", f"{name}.nc"],
            ["show", name],
            ["run", f"{name}.nc"],
            [name],
            ["run", f"--{name}"],
            ["init", name, "--csv", "t.csv", "--target", "y"],
            ["init", name, "--csv", "t.csv", "--target", name],
        ]
        for words in commands:
            with self.subTest(words):
                done = run(*words, cwd=at)
                self.harmless(done.stdout + done.stderr)
        script = run("plan", f"{name}.yaml", "--sbatch", cwd=at, check=0).stdout
        line = [line for line in script.splitlines() if line.startswith("study=(")][0]
        said = subprocess.run(["bash", "-c", f'{line}; printf %s "${{study[0]}}"'], capture_output=True, text=True).stdout
        self.assertEqual(pathlib.Path(said).name, f"{name}.yaml")
        answer = json.loads(run("plan", f"{name}.yaml", "--json", cwd=at, check=0).stdout)
        self.assertEqual(answer["output"], f"{name}.nc")

    def test_what_a_results_file_says_of_itself(self):
        at = self.folder("a")
        run("run", "s.yaml", "-q", cwd=at, check=0)
        shutil.copy(at / "s.nc", at / "t.nc")
        with netCDF4.Dataset(at / "t.nc", "a") as file:
            file.title = f"a\n{self.HARM}b"
            group = file.groups["student-teacher"]
            group.variables["variant"][0] = f"none\n{self.HARM}"
        for words in (["show", "t.nc"], ["show", "t.nc", "--json"], ["diff", "s.nc", "t.nc"], ["run", "s.yaml", "-o", "t.nc"]):
            with self.subTest(words):
                done = run(*words, cwd=at)
                self.assertNotEqual(done.stdout + done.stderr, "")
                self.harmless(done.stdout + done.stderr)
        self.assertEqual(run("show", "t.nc", cwd=at, check=0).stdout.splitlines()[0].count("evil"), 1)


if __name__ == "__main__":
    unittest.main()
