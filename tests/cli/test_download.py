"""jobs/download-data.sh where nothing can be fetched: says for each file what to do by hand, and leaves no half file."""
import hashlib
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from program import SOURCE

FILES = ("cal_housing.data", "life_expectancy_who_rajarshi.csv", "life_expectancy_who_fixed.csv")


class Download(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.at = pathlib.Path(folder.name)
        # fetchers that fail, as behind a closed network
        (self.at / "bin").mkdir()
        for name in ("curl", "wget"):
            (self.at / "bin" / name).write_text("#!/bin/sh\nexit 7\n")
            (self.at / "bin" / name).chmod(0o755)

    def download(self):
        path = f"{self.at / 'bin'}:{os.environ['PATH']}"
        return subprocess.run(
            ["bash", SOURCE / "jobs" / "download-data.sh", self.at / "data"],
            text=True,
            timeout=600,
            capture_output=True,
            env={**os.environ, "PATH": path},
        )

    def test_says_what_to_do_by_hand(self):
        done = self.download()
        said = done.stdout + done.stderr
        self.assertNotEqual(done.returncode, 0)
        for name in FILES:
            self.assertIn(name, said)
        self.assertIn(str(self.at / "data"), said)
        self.assertIn("d3d8a1a722ae78f91134862727d27a70b1415e7d512a89140406248687f4b902", said)
        self.assertEqual([name for name in os.listdir(self.at / "data") if name in FILES], [])

    def test_a_wrong_file_is_not_taken(self):
        (self.at / "data").mkdir()
        (self.at / "data" / FILES[0]).write_text("wrong")
        done = self.download()
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(FILES[0], done.stdout + done.stderr)

    def test_files_that_are_there_are_enough(self):
        source = pathlib.Path(os.environ.get("RIDGELESS_DATA") or "/nonexistent")
        if not all((source / name).exists() for name in FILES):
            self.skipTest(f"RIDGELESS_DATA has not {', '.join(FILES)}")
        (self.at / "data").mkdir()
        for name in FILES:
            shutil.copy(source / name, self.at / "data" / name)
        before = {name: hashlib.sha256((self.at / "data" / name).read_bytes()).digest() for name in FILES}
        self.assertEqual(self.download().returncode, 0)
        self.assertEqual(before, {name: hashlib.sha256((self.at / "data" / name).read_bytes()).digest() for name in FILES})


if __name__ == "__main__":
    unittest.main()
