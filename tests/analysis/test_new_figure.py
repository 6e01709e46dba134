#!/usr/bin/python3
"""A new figure is one new file: the example of analysis/README.md, in a copy of the folder as it is installed.

    /usr/bin/python3 tests/analysis/test_new_figure.py
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

from drawing import ANALYSIS, MISSING, DrawingTest, keep_font_cache, png_size
from test_figures import SMALL, SMALL_FIGURES, Group, write_results


def setUpModule() -> None:
    keep_font_cache()


@unittest.skipIf(MISSING, MISSING)
class NewFigure(DrawingTest):
    def setUp(self) -> None:
        super().setUp()
        self.copy = self.folder / "analysis"
        shutil.copytree(ANALYSIS, self.copy, ignore=shutil.ignore_patterns("gallery", "__pycache__", "*.md", "*.toml"))

    def draw(self, *groups: Group) -> list[Path]:
        """The paths that the copy prints. It says what else there could be, and nothing more."""
        results = write_results(self.folder / "study.nc", *groups)
        command = [sys.executable, str(self.copy / "figures.py"), str(results), "--format", "png", "--verbose"]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=600)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, r"\Afigures\.py: not drawn, .*\n\Z")
        return [Path(line) for line in done.stdout.splitlines()[:-1]]

    def test_example_of_the_readme_is_drawn_and_in_the_report(self) -> None:
        (example,) = re.findall(r"```python\n(.*?)```", (ANALYSIS / "README.md").read_text(encoding="utf-8"), re.S)
        (self.copy / "figures" / "spread.py").write_text(example, encoding="utf-8")
        *figures, report = self.draw(Group(variants=SMALL))
        self.assertEqual([path.stem for path in figures], [*SMALL_FIGURES, "spread"])
        self.assertGreater(png_size(figures[-1])[0], 300)
        page = report.read_text(encoding="utf-8")
        self.assertIn('<figure id="spread">', page)
        self.assertIn("It is largest at the threshold.", page)
        self.assertIn("it peaks at P/N = 1. Data: ", page)

    def test_files_of_the_folder_are_all_that_the_programs_need(self) -> None:
        self.assertEqual([path.stem for path in self.draw(Group(variants=SMALL))], [*SMALL_FIGURES, "report"])


if __name__ == "__main__":
    unittest.main()
