"""A copy of the sources, for tests that add to the program as a user would, build it and run it."""
import shutil
import subprocess

from program import SOURCE


class SourceCopy:
    """In a folder `tree` below `at`."""

    def __init__(self, at):
        self.at, self.tree = at, at / "tree"
        shutil.copytree(SOURCE, self.tree, ignore=shutil.ignore_patterns("build*", ".git", "quickstart"))

    def add(self, path, text):
        (self.tree / path).write_text(text)

    def replace(self, path, old, new):
        text = (self.tree / path).read_text()
        assert old in text, f"{old} is not in {path}"
        (self.tree / path).write_text(text.replace(old, new))

    def build(self):
        """Without debugging information and optimization, which take most of a compiler's time."""
        for command in (["meson", "setup", "build", "-Dtests=false", "-Dbuildtype=plain"], ["ninja", "-C", "build"]):
            done = subprocess.run(command, cwd=self.tree, capture_output=True, text=True)
            assert done.returncode == 0, done.stdout + done.stderr
