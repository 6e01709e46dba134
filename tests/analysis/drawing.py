"""What the tests of the drawing programs share: running one as a user would, and looking at what came out. Programs run
in children of this process, which has imported the large libraries already: that takes longer than most figures."""

from __future__ import annotations

import gc
import os
import runpy
import signal
import struct
import sys
import tempfile
import traceback
import unittest
from pathlib import Path

ANALYSIS = Path(__file__).resolve().parents[2] / "analysis"
sys.path[:0] = [str(ANALYSIS), str(Path(__file__).resolve().parents[1])]

import tier  # noqa: E402, F401  (for the tests, which find it only after this)

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
    if not MISSING:
        import matplotlib.pyplot  # noqa: F401  (makes the cache)
        from draw import style

        style.PNG_DPI = tier.of(50, style.PNG_DPI)  # dots take half of a figure's time


def run_here(program: Path, arguments: list[str]) -> int:
    """The program's exit status."""
    sys.argv = [str(program), *arguments]
    try:
        runpy.run_path(str(program), run_name="__main__")
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def run_in_child(program: Path, arguments: list[str], folder: Path, seconds: int) -> tuple[int, str, str]:
    """Exit status, standard output and standard error; the status is that of a signal after so many seconds."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        child = os.fork()
        if child == 0:
            status = 1
            try:
                gc.disable()  # most of the objects are the libraries', and the child does not live long
                signal.alarm(seconds)
                os.chdir(folder)
                sys.stdout, sys.stderr = out, err
                os.dup2(out.fileno(), 1)
                os.dup2(err.fileno(), 2)
                status = run_here(program, arguments)
            except BaseException:
                traceback.print_exc()
            finally:
                out.flush()
                err.flush()
                os._exit(status)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return status, *(file.seek(0) or file.read() for file in (out, err))


def png_size(path: Path) -> tuple[int, int]:
    """Width and height, as dots of 1/160 inch, however many the picture has."""
    content = path.read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n", f"{path} is no PNG"
    (dots_per_metre,) = struct.unpack_from(">I", content, content.index(b"pHYs") + 4)
    width, height = (round(n * 160 / (0.0254 * dots_per_metre)) for n in struct.unpack(">II", content[16:24]))
    return width, height


class DrawingTest(unittest.TestCase):
    """Runs `program` in a folder of its own."""

    program = ""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="ridgeless-figures-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def run_figures(self, *arguments: object, status: int = 0) -> tuple[list[Path], list[str]]:
        """The paths on standard output and the lines on standard error, all that there are."""
        verbose = ["--verbose"] if self.program == "figures.py" else []
        found, out, err = run_in_child(ANALYSIS / self.program, [*map(str, arguments), *verbose], self.folder, 600)
        self.assertEqual(found, status, err)
        self.assertNotIn("Traceback", err)
        self.assertNotIn("Warning", err)
        lines = out.splitlines()
        if verbose and status == 0:
            self.assertRegex(lines.pop(), r"^\d+ figures? in ")
        return [Path(line) for line in lines], err.splitlines()

    def assert_one_line(self, messages: list[str], *parts: str) -> None:
        """Exactly one of the messages has all the parts."""
        found = [line for line in messages if all(part in line for part in parts)]
        self.assertEqual(len(found), 1, messages)
        self.assertTrue(found[0].startswith(f"{self.program}: "), found[0])
