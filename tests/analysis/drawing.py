"""What the tests of the drawing programs share: running one as a user would, and looking at what came out."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ANALYSIS = Path(__file__).resolve().parents[2] / "analysis"
sys.path.insert(0, str(ANALYSIS))

try:
    import matplotlib  # noqa: F401  (the programs under test need it)
    import netCDF4  # noqa: F401
    import numpy  # noqa: F401
    import xarray  # noqa: F401
except ImportError as error:
    MISSING = str(error)
else:
    MISSING = ""


def keep_font_cache() -> None:
    """One font cache for all runs of a module, here and in the programs started."""
    folder = tempfile.TemporaryDirectory(prefix="ridgeless-matplotlib-")
    unittest.addModuleCleanup(folder.cleanup)
    os.environ["MPLCONFIGDIR"] = folder.name


def png_size(path: Path) -> tuple[int, int]:
    head = path.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n", f"{path} is no PNG"
    return struct.unpack(">II", head[16:24])


class DrawingTest(unittest.TestCase):
    """Runs `program` in a folder of its own."""

    program = ""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="ridgeless-figures-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def run_figures(self, *arguments: object, status: int = 0) -> tuple[list[Path], list[str]]:
        """The paths on standard output and the lines on standard error."""
        done = subprocess.run(
            [sys.executable, str(ANALYSIS / self.program), *map(str, arguments)],
            capture_output=True, text=True, cwd=self.folder, timeout=120,
        )  # fmt: skip
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertNotIn("Traceback", done.stderr)
        self.assertNotIn("Warning", done.stderr)
        return [Path(line) for line in done.stdout.splitlines()], done.stderr.splitlines()

    def assert_one_line(self, messages: list[str], *parts: str) -> None:
        """Exactly one of the messages has all the parts."""
        found = [line for line in messages if all(part in line for part in parts)]
        self.assertEqual(len(found), 1, messages)
        self.assertTrue(found[0].startswith(f"{self.program}: "), found[0])
