#!/usr/bin/python3
"""Runs analysis/amdahl.py on reports of runs made here, whose times follow known laws.

    /usr/bin/python3 tests/analysis/test_amdahl.py
"""

from __future__ import annotations

import json
import unittest
from pathlib import Path

from drawing import MISSING, DrawingTest, keep_font_cache, png_size

if not MISSING:
    import numpy as np


def setUpModule() -> None:
    keep_font_cache()


@unittest.skipIf(MISSING, MISSING)
class AmdahlTest(DrawingTest):
    program = "amdahl.py"

    def write(self, ranks: int, total: float, name: str = "", **changes: object) -> Path:
        """What `run --json` prints of so many seconds, of which a quarter was not shared."""
        path = self.folder / (name or f"{ranks}.json")
        work = {"curves": {"asked": 8, "before": 0, "now": 8}}
        report = {"title": "Law", "schedule": "dynamic", "slept": False, "ranks": ranks, "status": "done", "work": work}
        report |= {"seconds": {"total": total}, "compute_seconds": 0.75 * total, "processor_share": 0.97}
        path.write_text(json.dumps(report | changes))
        return path

    def law(self, serial: float, parallel: float, ranks=(1, 2, 4, 8), **changes: object) -> list[Path]:
        title = changes.get("title", "")
        return [self.write(n, serial + parallel / n, f"{title}{n}.json", **changes) for n in ranks]

    def studies(self, paths: list[Path], time: str = "total"):
        from read import reports
        from speed import serial

        notes: list[str] = []
        return serial.studies([reports.read(path) for path in paths], time, notes), notes


class TheLaw(AmdahlTest):
    """Times of exactly Amdahl's law give its numbers back, to rounding."""

    def test_by_fit_by_two_points_and_by_karp_and_flatt(self) -> None:
        for ranks in ((1, 2, 4, 8), (1, 3), (2, 4, 16)):
            ((study,), notes) = self.studies(self.law(0.5, 4.5, ranks))
            self.assertEqual(notes, [])
            np.testing.assert_allclose([study.serial, study.parallel, study.fraction(), study.limit()], [0.5, 4.5, 0.1, 10])
            self.assertAlmostEqual(study.two_points(), 0.1)
            np.testing.assert_allclose(study.karp_flatt()[study.ranks > 1], 0.1, rtol=1e-9)
            np.testing.assert_allclose(study.speedup(), 5 / (0.5 + 4.5 / study.ranks))

    def test_of_the_work_that_ranks_shared(self) -> None:
        ((study,), _) = self.studies(self.law(0.5, 4.5), "compute")
        np.testing.assert_allclose([study.serial, study.parallel], [0.375, 3.375])

    def test_no_part_is_below_nothing(self) -> None:
        quicker = [self.write(n, 4 / n**1.1) for n in (1, 2, 4)]
        ((study,), _) = self.studies(quicker)
        self.assertEqual((study.serial, study.limit()), (0, np.inf))
        slower = [self.write(n, 1 + 0.1 * n) for n in (1, 2, 4)]
        ((study,), _) = self.studies(slower)
        self.assertEqual((study.parallel, study.fraction(), study.limit()), (0, 1, 1))

    def test_the_quickest_of_several_counts(self) -> None:
        paths = [*self.law(0.5, 4.5), self.write(2, 50, "slow.json")]
        ((study,), _) = self.studies(paths)
        self.assertAlmostEqual(study.fraction(), 0.1)

    def test_titles_and_schedules_are_apart(self) -> None:
        paths = self.law(0.5, 4.5) + self.law(1, 1, title="Other")
        self.assertEqual([study.name for study in self.studies(paths)[0]], ["Law", "Other"])
        paths += [self.write(n, 3 / n, f"static{n}.json", schedule="static") for n in (1, 2)]
        self.assertEqual([study.name for study in self.studies(paths)[0]], ["Law, dynamic", "Other", "Law, static"])


class WhatIsSaid(AmdahlTest):
    def test_the_table(self) -> None:
        paths, messages = self.run_figures(*self.law(0.5, 4.5), "-o", "out", "--format", "png,pdf")
        self.assertEqual([str(path) for path in paths], ["out/amdahl.png", "out/amdahl.pdf", "out/amdahl.txt"])
        self.assertEqual(messages, [])
        self.assertGreater(png_size(self.folder / paths[0])[0], 1000)
        lines = (self.folder / "out" / "amdahl.txt").read_text().splitlines()
        self.assertIn(
            "T = 0.5 s + 4.5 s / n; serial fraction 0.1000 by the fit, 0.1000 by 1 and 8 ranks; limit of the speedup 10", lines
        )
        rows = [[float(word) for word in line.split()] for line in lines[-4:]]
        self.assertEqual([row[0] for row in rows], [1, 2, 4, 8])
        self.assertEqual([row[5] for row in rows[1:]], [0.1] * 3)
        self.assertEqual([row[6] for row in rows], [0.97] * 4)

    def test_a_busy_machine_and_another_law_are_said(self) -> None:
        busy = [self.write(1, 4.0), self.write(2, 4.1, processor_share=0.31), self.write(4, 1.0)]
        _, messages = self.run_figures(*busy, "-o", "out")
        self.assertEqual(len(messages), 2)
        self.assert_one_line(messages, "`Law`", "little of a processor (31 % on 2 ranks)")
        self.assert_one_line(messages, "Amdahl's law does not hold", "on 2 ranks")

    def test_ranks_that_slept_need_no_processor(self) -> None:
        _, notes = self.studies(self.law(0.5, 4.5, slept=True, processor_share=0.01))
        self.assertEqual(notes, [])

    def test_what_is_refused(self) -> None:
        other = self.folder / "other.json"
        other.write_text('{"producers": []}')
        begun = {"curves": {"asked": 8, "before": 3, "now": 5}}
        for path, why in (
            (other, "expected what `ridgeless run --json` prints"),
            (self.folder / "none.json", "No such file"),
            (self.write(2, 1.0, status="stopped"), "ended as `stopped`"),
            (self.write(4, 1.0, work=begun), "some of its work in the journal"),
            (self.write(8, 1.0), "on 8 ranks alone"),
        ):
            paths, messages = self.run_figures(path, "-o", "out", status=2)
            self.assertEqual((paths, len(messages)), ([], 1), messages)
            self.assert_one_line(messages, path.name, why)


if __name__ == "__main__":
    unittest.main()
