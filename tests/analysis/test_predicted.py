#!/usr/bin/python3
"""Runs analysis/predicted.py on what `ridgeless plan --scaling --json` prints, and on what that could print.

    /usr/bin/python3 tests/analysis/test_predicted.py
"""

from __future__ import annotations

import json
import os
import subprocess
import unittest
from pathlib import Path

from drawing import MISSING, DrawingTest, keep_font_cache, png_size

ROOT = Path(__file__).resolve().parents[2]
BOUNDS = "compute", "memory speed", "messages", "band", "few tasks", "rank 0", "file", "start"


def setUpModule() -> None:
    keep_font_cache()


@unittest.skipIf(MISSING, MISSING)
class PredictedTest(DrawingTest):
    program = "predicted.py"

    def write(self, name: str = "study", fewest: int = 4, **changes: object) -> Path:
        """As printed of a study that four ranks hold in 16 s, half of it shared, up to 64 ranks."""
        points: list[dict] = []
        for ranks in (1, 2, 4, 8, 16, 32, 64):
            seconds = {"compute": 32 / ranks, "band": 8.0}
            total = sum(seconds.values())
            point = {"ranks": ranks, "holds": True, "nodes": 1, "seconds": total, "efficiency": 64 / ranks / total}
            point |= {"memory_per_rank_bytes": 2**32 / ranks, "bound_by": max(seconds, key=seconds.get)}
            point |= {"seconds_by_bound": dict.fromkeys(BOUNDS, 0.0) | seconds}
            points.append(point if ranks >= fewest else {"ranks": ranks, "holds": False})
        printed = {"title": "Half", "predicted": True, "rates": "some", "cores_per_node": 64, "scaling": points}
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps(printed | {"pays_up_to_ranks": 8} | changes))
        return path


class WhatIsDrawn(PredictedTest):
    def figure(self, *paths: Path):
        from draw import style
        from read import predictions
        from speed import predicted

        style.apply()
        return predicted.predicted([predictions.read(path) for path in paths])

    def test_a_row_of_four_panels_with_the_numbers_printed(self) -> None:
        seconds, efficiency, memory, shares = self.figure(self.write()).axes
        for axes, wanted in (
            (seconds, [16, 12, 10, 9, 8.5]),
            (efficiency, [1, 2 / 3, 0.4, 2 / 9, 2 / 17]),
            (memory, [1024, 512, 256, 128, 64]),
        ):
            (line,) = [line for line in axes.lines if line.get_linestyle() == "-"]
            self.assertEqual(list(line.get_xdata()), [4, 8, 16, 32, 64])
            for found, expected in zip(line.get_ydata(), wanted):
                self.assertAlmostEqual(found, expected)
        heights = [bar.get_height() for bars in shares.containers for bar in bars]
        for found, expected in zip(heights, [8 / 16, 4 / 12, 2 / 10, 1 / 9, 0.5 / 8.5, 8 / 16, 8 / 12, 8 / 10, 8 / 9]):
            self.assertAlmostEqual(found, expected)

    def test_points_have_the_colour_of_what_takes_most(self) -> None:
        figure = self.figure(self.write())
        colours = [tuple(colour) for colour in figure.axes[0].collections[0].get_facecolors()]
        self.assertEqual(len(set(colours)), 2)
        self.assertEqual(len(set(colours[1:])), 1)  # compute on four ranks, of as much as the band; then the band

    def test_up_to_where_it_pays_and_what_holds_no_study(self) -> None:
        for fewest, grey in ((4, True), (1, False)):
            figure = self.figure(self.write(fewest=fewest))
            texts = [text.get_text() for text in figure.legends[0].get_texts()]
            self.assertIn("up to here more ranks pay", texts)
            self.assertEqual("too few ranks to hold the study" in texts, grey)
            self.assertIn(8, [line.get_xdata()[0] for line in figure.axes[0].lines])

    def test_it_says_that_nothing_was_measured(self) -> None:
        figure = self.figure(self.write(), self.write("other", fewest=1))
        self.assertEqual(len(figure.axes), 8)
        self.assertTrue(any("Predicted, not measured" in text.get_text() for text in figure.texts))


class WhatIsSaid(PredictedTest):
    def test_what_the_program_prints(self) -> None:
        command = [os.environ["RIDGELESS_PROGRAM"], "plan", ROOT / "jobs" / "scaling.yaml", "--scaling", "--json"]
        printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        (self.folder / "printed.json").write_text(printed)
        paths, messages = self.run_figures("printed.json", "-o", "out", "--format", "png,pdf")
        self.assertEqual([str(path) for path in paths], ["out/predicted.png", "out/predicted.pdf"])
        self.assertEqual(messages, [])
        self.assertGreater(png_size(self.folder / paths[0])[0], 1000)
        self.assertEqual(tuple(json.loads(printed)["scaling"][0]["seconds_by_bound"]), BOUNDS)

    def test_what_is_refused(self) -> None:
        other = self.folder / "other.json"
        other.write_text('{"producers": []}')
        for path, why in (
            (other, "expected what `ridgeless plan --scaling --json` prints"),
            (self.folder / "none.json", "No such file"),
            (self.write("small", fewest=128), "no number of ranks holds the study"),
            (self.write("odd", scaling=[{"ranks": 1, "holds": True}]), "expected what"),
        ):
            paths, messages = self.run_figures(path, "-o", "out", status=2)
            self.assertEqual((paths, len(messages)), ([], 1), messages)
            self.assert_one_line(messages, path.name, why)


if __name__ == "__main__":
    unittest.main()
