#!/usr/bin/python3
"""Runs analysis/roofline.py on what `ridgeless bench spectrum --json` prints, and on what that could print.

    /usr/bin/python3 tests/analysis/test_roofline.py
"""

from __future__ import annotations

import json
import os
import subprocess
import unittest
from pathlib import Path

from drawing import MISSING, DrawingTest, keep_font_cache, png_size

PHASES = ("generate", "reduce", "project", "diagonalize")
ROOFS = {"flops_per_second": 10e9, "memory_bytes_per_second": 5e9, "cache_bytes_per_second": 20e9}


def setUpModule() -> None:
    keep_font_cache()


@unittest.skipIf(MISSING, MISSING)
class RooflineTest(DrawingTest):
    program = "roofline.py"

    def write(self, name: str = "bench", parts: dict | None = None, **changes: object) -> Path:
        """A reduction that reads at the speed of memory, and a projection at half of the peak."""
        entry = {f"{phase}_seconds": 1.0 for phase in PHASES} | {"producer": "projected", "seconds": 4.0, "rounds": [4.0]}
        if parts is None:
            parts = {phase: {"seconds": 1.0, "flops": 0.0, "memory_bytes": 9e9, "message_bytes": 0.0} for phase in PHASES}
            parts["reduce"] |= {"flops": 1e9, "memory_bytes": 5e9}
            parts["project"] |= {"flops": 5e9, "memory_bytes": 1e8}
        printed = {"n_train": 9, "n_features": 9, "ranks": 1, "rates": "/home/me/rates.json", "roofs": ROOFS}
        path = self.folder / f"{name}.json"
        producers = [entry | {"gflops": 1.0, "parts": parts}]
        path.write_text(json.dumps(printed | {"producers": producers} | changes))
        return path


class WhatIsDrawn(RooflineTest):
    def test_points_and_roofs(self) -> None:
        from draw import style
        from read import benches
        from speed import roofline

        style.apply()
        [axes] = roofline.roofline([benches.read_with_roofs(self.write())]).axes
        lines = [line.get_xydata() for line in axes.lines]
        points = sorted(tuple(data[0].round(9)) for data in lines if len(data) == 1)
        self.assertEqual(points, [(0.2, 1.0), (50.0, 5.0)])
        for data, bandwidth in zip([data for data in lines if len(data) > 1], (20, 5)):
            for flops_per_byte, rate in data:
                self.assertAlmostEqual(rate, min(10, flops_per_byte * bandwidth))
        self.assertEqual([text.get_text() for text in axes.texts], ["10 GFlop/s, 5 GB/s (rates.json)"])
        for x, y in points:
            self.assertTrue(axes.get_xlim()[0] < x < axes.get_xlim()[1] and axes.get_ylim()[0] < y < axes.get_ylim()[1])


class Program(RooflineTest):
    def test_figure_and_table(self) -> None:
        paths, messages = self.run_figures(self.write(), self.write("more"), self.write("most"), "-o", self.folder / "out")
        self.assertEqual(([path.name for path in paths], messages), (["roofline.png", "roofline.txt"], []))
        self.assertGreater(min(png_size(paths[0])), 300)
        rows = [line.split() for line in paths[1].read_text().splitlines() if line.startswith("projected")]
        self.assertEqual(rows[0], "projected reduce 1 1 5 0.2 1 1 100.0 % memory".split())
        self.assertEqual(rows[1], "projected project 1 5 0.1 50 5 10 50.0 % arithmetic".split())

    def test_refusals(self) -> None:
        bare = json.loads(self.write().read_text())
        del bare["roofs"]
        (self.folder / "old.json").write_text(json.dumps(bare))
        wrong = ROOFS | {"memory_bytes_per_second": 0}
        for path, words in (
            (self.folder / "old.json", "says nothing of the machine"),
            (self.write("none", parts={}), "counts no work"),
            (self.write("zero", roofs=wrong), "expected what `ridgeless bench spectrum --json` prints"),
            (self.folder / "nowhere.json", "No such file"),
        ):
            _, messages = self.run_figures(path, status=2)
            self.assertEqual(len(messages), 1)
            self.assertIn(words, messages[0])

    @unittest.skipUnless("RIDGELESS_PROGRAM" in os.environ, "no program")
    def test_of_a_bench(self) -> None:
        command = [os.environ["RIDGELESS_PROGRAM"], "bench", "spectrum", "120", "-p", "projected", "--json"]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        (self.folder / "real.json").write_text(printed)
        paths, _ = self.run_figures(self.folder / "real.json", "-o", self.folder / "real")
        self.assertIn("projected   reduce", paths[1].read_text())


if __name__ == "__main__":
    unittest.main()
