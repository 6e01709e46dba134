"""A copy of the sources, for tests that add to the program as a user would, build it and run it."""
import pathlib
import shutil
import subprocess
import unittest

from program import SOURCE, WRAPPER


class SourceCopy:
    """In a folder `tree` below `at`. Skips the test where the program runs under valgrind or a sanitizer: once is enough."""

    def __init__(self, at):
        if "valgrind" in WRAPPER or "sanitize" in str(pathlib.Path.cwd()):
            raise unittest.SkipTest("a second build, done in the plain suite")
        self.at, self.tree = at, at / "tree"
        shutil.copytree(SOURCE, self.tree, ignore=shutil.ignore_patterns("build*", ".git", "quickstart"))

    def add(self, path, text):
        (self.tree / path).write_text(text)

    def replace(self, path, old, new):
        text = (self.tree / path).read_text()
        assert old in text, f"{old} is not in {path}"
        (self.tree / path).write_text(text.replace(old, new))

    def build_and_run(self, study):
        for command in (["meson", "setup", "build", "-Dtests=false", "-Dbuildtype=debug"], ["ninja", "-C", "build"]):
            done = subprocess.run(command, cwd=self.tree, capture_output=True, text=True)
            assert done.returncode == 0, done.stdout + done.stderr
        subprocess.run([self.tree / "build" / "src" / "cli" / "ridgeless", "run", study, "-q"], cwd=self.at, check=True,
                       stdout=subprocess.DEVNULL)
