#!/usr/bin/python3
"""Runs analysis/timeline.py on files made here, and looks at the bars of its figure.

    /usr/bin/python3 tests/analysis/test_timeline.py
"""

from __future__ import annotations

import json
import unittest
from pathlib import Path

from drawing import MISSING, DrawingTest, keep_font_cache, png_size

if not MISSING:
    import netCDF4
    import numpy as np

LISTS = ("dataset", "n_features", "rank", "ranks", "start", "seconds")
GROUPS = ("large", "small")
# Static: ranks 0 and 1 have all that is large. As rows of LISTS.
STATIC = [(0, 30, rank, 1, 2.0 * i, 2.0) for rank in (0, 1) for i in range(3)]
STATIC += [(1, 3, rank, 1, 0.5 * i, 0.5) for rank in (2, 3) for i in range(3)]
BUSY = (6.0, 6.0, 1.5, 1.5)


def made(**changes: object) -> dict:
    """What --timeline writes of these tasks."""
    tasks = [
        dict(zip(("group", *LISTS[1:]), (GROUPS[row[0]], *row[1:])), kind="curve", n_train=9, repeat=0, repeats=1)
        for row in STATIC
    ]
    words = {"title": "Two sizes", "schedule": "static", "order": "given", "chunk": 0, "slept": False, "ranks": 4}
    times = {"began": 1000.0, "seconds": 6.1, "imbalance": 6 / 3.75, "processor_share": 0.9, "rank_busy_seconds": BUSY}
    return {**words, **times, "tasks": tasks, **changes}


def setUpModule() -> None:
    keep_font_cache()


@unittest.skipIf(MISSING, MISSING)
class TimelineTest(DrawingTest):
    program = "timeline.py"

    def write(self, name: str, **changes: object) -> Path:
        path = self.folder / name
        path.write_text(json.dumps(made(**changes)))
        return path

    def write_results(self, name: str, **changes: object) -> Path:
        """The same as a results file."""
        path = self.folder / name
        values = {f"task_{key}": np.array(column, float) for key, column in zip(LISTS, zip(*STATIC))}
        values |= {"ranks": 4.0, "compute_began": 1000.0, "compute_seconds": 6.1, "load_imbalance": 6 / 3.75}
        values |= {"schedule": "static", "order": "given", **changes}
        with netCDF4.Dataset(path, "w") as root:
            root.title = "Two sizes"
            root.settings = "".join(f"{group}/source: csv\n" for group in GROUPS)
            for group in sorted(GROUPS):
                root.createGroup(group)
            root.createGroup("provenance").setncatts({key: value for key, value in values.items() if value is not None})
        return path

    def figure(self, *paths: Path, clock: bool = False):  # of matplotlib
        from read import timelines
        from speed import timeline

        return timeline.timeline([timelines.read(path) for path in paths], clock)

    def bars(self, axes) -> list[tuple[float, ...]]:
        """Left, right, top row and rows of each bar, sorted."""
        boxes = [path.get_extents() for bars in axes.collections for path in bars.get_paths()]
        return sorted((round(b.x0, 6), round(b.x1, 6), round(b.y0 + 0.43, 6), round(b.height + 0.14, 6)) for b in boxes)


class WhatIsDrawn(TimelineTest):
    def test_a_bar_per_task_in_the_row_of_its_rank(self) -> None:
        expected = sorted((start, start + seconds, rank, 1) for _, _, rank, _, start, seconds in STATIC)
        for path in (self.write("a.json"), self.write_results("a.nc")):
            (axes,) = self.figure(path).axes
            self.assertEqual(self.bars(axes), expected)
            self.assertEqual(axes.get_ylim(), (3.5, -0.5))
            self.assertEqual(
                axes.get_title(loc="left"), "static, as given; 4 ranks: T = 6.1 s, imbalance 1.60, T/imbalance = 3.81 s"
            )

    def test_colours_are_those_of_data_sets(self) -> None:
        figure = self.figure(self.write("a.json"))
        colours = {tuple(bars.get_facecolor()[0]) for bars in figure.axes[0].collections}
        self.assertEqual(len(colours), 2)
        self.assertEqual([text.get_text() for text in figure.legends[0].get_texts()][:2], list(GROUPS))

    def test_sizes_of_one_group_have_their_own(self) -> None:
        tasks = made()["tasks"]
        for task in tasks:
            task["group"] = "swept"
        names = [text.get_text() for text in self.figure(self.write("a.json", tasks=tasks)).legends[0].get_texts()]
        self.assertEqual(names[:2], ["swept, P = 30", "swept, P = 3"])

    def test_more_groups_than_colours(self) -> None:
        tasks = [dict(made()["tasks"][0], group=f"g{i}", seconds=2.0 - 0.1 * i) for i in range(9)]
        names = [text.get_text() for text in self.figure(self.write("a.json", tasks=tasks)).legends[0].get_texts()]
        self.assertEqual(names[:7], [*(f"g{i}" for i in range(6)), "all others"])

    def test_ranks_that_work_together_share_a_bar(self) -> None:
        tasks = [dict(made()["tasks"][0], rank=1, ranks=3)]
        self.assertEqual(self.bars(self.figure(self.write("a.json", tasks=tasks)).axes[0]), [(0, 2, 1, 3)])

    def test_several_files_stand_on_one_axis(self) -> None:
        later = {"began": 1007.0, "seconds": 3.0, "schedule": "dynamic"}
        paths = self.write("a.json"), self.write("b.json", **later)
        figure = self.figure(*paths)
        self.assertEqual(len({axes.get_xlim() for axes in figure.axes}), 1)
        self.assertEqual([min(self.bars(axes))[0] for axes in figure.axes], [0, 0])
        figure = self.figure(*paths, clock=True)
        self.assertEqual([min(self.bars(axes))[0] for axes in figure.axes], [0, 7])
        self.assertGreaterEqual(figure.axes[0].get_xlim()[1], 13)

    def test_runs_that_are_alike_are_told_apart(self) -> None:
        figure = self.figure(self.write("a.json"), self.write("b.json", ranks=5), self.write("c.json", chunk=3, slept=True))
        titles = [axes.get_title(loc="left").split(": ")[0] for axes in figure.axes]
        self.assertEqual(titles, ["a.json", "b.json", "static, as given, chunks of 3; 4 ranks, asleep"])

    def test_the_program(self) -> None:
        files = self.write("a.json"), self.write_results("b.nc")
        paths, messages = self.run_figures(*files, "-o", "out", "--format", "png,pdf")
        self.assertEqual(([str(path) for path in paths], messages), (["out/timeline.png", "out/timeline.pdf"], []))
        width, height = png_size(self.folder / paths[0])
        self.run_figures(files[0], "-o", "one")
        self.assertGreater(height, 1.2 * png_size(self.folder / "one" / "timeline.png")[1])
        self.assertEqual(width, png_size(self.folder / "one" / "timeline.png")[0])


class Refused(TimelineTest):
    def assert_refused(self, path: Path, *parts: str) -> None:
        paths, messages = self.run_figures(path, "-o", "out", status=2)
        self.assertEqual((paths, len(messages)), ([], 1), messages)
        self.assert_one_line(messages, path.name, *parts)

    def test_files_of_something_else(self) -> None:
        study = self.folder / "study.yaml"
        study.write_text("datasets: [diabetes]\n")
        self.assert_refused(study, "NetCDF")
        other = self.folder / "other.json"
        other.write_text('{"weather": [1, 2]}')
        self.assert_refused(other, "--timeline")
        self.assert_refused(self.folder / "none.json", "no such file")

    def test_results_of_an_older_program(self) -> None:
        self.assert_refused(self.write_results("old.nc", task_start=None), "older program")

    def test_runs_without_tasks(self) -> None:
        self.assert_refused(self.write("a.json", tasks=[]), "has no tasks")

    def test_tasks_of_ranks_that_are_none(self) -> None:
        self.assert_refused(self.write("a.json", ranks=3), "whose ranks or times are none")


if __name__ == "__main__":
    unittest.main()
