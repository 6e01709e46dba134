#!/usr/bin/python3
"""The figure of how far other solvers are off, of a study that the program runs.

    /usr/bin/python3 tests/analysis/test_solvers_figure.py
"""

from __future__ import annotations

import os
import subprocess
import unittest

from drawing import MISSING, DrawingTest, keep_font_cache

STUDY = """repeats: 40
n_train: [10, 20]
ablations: [none, svd, normal_equations, {normal_equations: {precision: float}}]
datasets: [student-teacher]
"""


def setUpModule() -> None:
    keep_font_cache()


@unittest.skipIf(MISSING, MISSING)
class Solvers(DrawingTest):
    program = "figures.py"

    def results(self, text: str):
        (self.folder / "study.yaml").write_text(text)
        subprocess.run(
            [os.environ["RIDGELESS_PROGRAM"], "run", "study.yaml", "-q", "--fresh"],
            cwd=self.folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        from read import results

        return results.read_all([self.folder / "study.nc"])

    def test_points_and_laws(self) -> None:
        import numpy as np

        from draw import style
        from draw.layout import Options
        from figures import solvers

        style.apply()
        datasets, notes = self.results(STUDY)
        figure = solvers.solvers(datasets, Options(), notes)
        [axes] = figure.axes
        clouds = [line.get_xydata() for line in axes.lines if line.get_marker() == "."]
        self.assertEqual([len(cloud) for cloud in clouds], [80] * 3)
        [dataset] = datasets
        distance = [dataset.cells("distance", v).ravel() for name in ("normal_equations", "svd") for v in dataset.of(name)]
        for cloud, expected in zip(clouds, distance):
            self.assertTrue(np.array_equal(cloud[:, 1], np.maximum(expected, solvers.FLOOR)))
        laws = [line.get_xydata() for line in axes.lines if line.get_marker() != "."]
        slopes = sorted(float(np.polyfit(*np.log(law.T), 1)[0].round(6)) for law in laws)
        self.assertEqual(slopes, [1, 1, 2, 2])  # of each precision
        said = [text.get_text() for text in figure.legends[0].get_texts()]
        self.assertEqual(said[:3], ["normal equations, double", "normal equations, float", "SVD, float"])

    def test_a_study_without_solvers_has_none(self) -> None:
        from draw.layout import Options
        from figures import solvers

        datasets, notes = self.results(
            STUDY.replace("none, svd, normal_equations, {normal_equations: {precision: float}}", "none")
        )
        self.assertIsNone(solvers.solvers(datasets, Options(), notes))


if __name__ == "__main__":
    unittest.main()
