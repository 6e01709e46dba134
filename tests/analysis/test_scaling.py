#!/usr/bin/python3
"""Runs analysis/scaling.py on small results files made here, whose times follow known laws.

    /usr/bin/python3 tests/analysis/test_scaling.py
"""

from __future__ import annotations

import unittest
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Callable

from drawing import MISSING, DrawingTest, keep_font_cache, png_size, tier

if not MISSING:
    import netCDF4
    import numpy as np

RATE = 2e9  # flops per second of one rank
LISTS = ("dataset", "n_features", "n_train", "sizes", "repeat", "ranks", "seconds", "flops", "way")


@dataclass(frozen=True)
class Curve:
    """A made-up data set of a study: all training set sizes up to ratio * P."""

    name: str = "spectrum"
    ratio: float = 1.0
    sizes: int = 1
    nested: bool = False


FULL, CURVE = "full spectrum, N = P", "nested curve, N up to 2 P"  # as the legend and the table say it
SPECTRUM, NESTED = Curve(), Curve("curve", 2.0, 20, True)


@dataclass(frozen=True)
class Made:
    """A made-up run: where the ranks work together they do at the given efficiency."""

    ranks: int
    p: int = 1000
    title: str = "Strong scaling"
    curves: tuple[Curve, ...] = (SPECTRUM, NESTED)
    repeats: int = 3
    efficiency: Callable[[int], float] = lambda ranks: 1 / (1 + 0.1 * np.log2(ranks))
    together: bool = True  # else each rank by itself on tasks of its own
    producer: str = "auto"
    memory: bool = True
    lists_as_variables: bool = False
    change: dict = field(default_factory=dict)  # of provenance, in the end; None leaves it out

    def tasks(self) -> list[tuple[float, ...]]:
        """In the order of LISTS. Repeats take 0, 1, 2, ... hundredths longer."""
        rows = []
        for repeat in range(self.repeats):
            for i, curve in enumerate(self.curves):
                ranks = self.ranks if self.together else 1
                n, flops = round(curve.ratio * self.p), 3.0 * self.p**2 * round(curve.ratio * self.p)
                seconds = flops / (RATE * ranks * self.efficiency(ranks)) * (1 + 0.01 * repeat)
                way = int(curve.nested) + (2 if ranks > 1 else 0)
                rows.append((i, self.p, n, curve.sizes, repeat, ranks, seconds, flops, way))
        return rows

    def write(self, path: Path) -> Path:
        rows = self.tasks()
        seconds = sum(row[6] for row in rows) / (1 if self.together else self.ranks)
        values = {f"task_{name}": np.array(column, float) for name, column in zip(LISTS, zip(*rows))}
        values |= {"ranks": self.ranks, "compute_seconds": seconds, "load_imbalance": 1.25, "producer": self.producer}
        if self.memory:
            values["peak_memory_bytes"] = (80 + 400 / self.ranks + np.arange(self.ranks)) * 2**20
        with netCDF4.Dataset(path, "w") as root:
            root.title = self.title
            root.settings = "seed: 0\n" + "".join(f"{c.name}/source: csv\n{c.name}/rows: 9\n" for c in self.curves)
            for name in sorted(curve.name for curve in self.curves):  # as HDF5 lists them
                root.createGroup(name)
            self.write_provenance(root.createGroup("provenance"), values | self.change)
        return path

    def write_provenance(self, to: netCDF4.Group, values: dict) -> None:
        for name, value in values.items():
            if value is None:
                continue
            if self.lists_as_variables and name.startswith("task_"):
                to.createDimension(f"{name}_index", len(value))
                to.createVariable(name, "f8", (f"{name}_index",))[:] = value
            else:
                to.setncattr(name, value)


def weak(ranks: int, **more: object) -> Made:
    """P grows with the cube root of the ranks: the same work per rank."""
    return Made(ranks, round(1000 * ranks ** (1 / 3)), title="Weak scaling", **more)


def setUpModule() -> None:
    keep_font_cache()


@unittest.skipIf(MISSING, MISSING)
class ScalingTest(DrawingTest):
    program = "scaling.py"

    def write(self, *made: Made) -> list[Path]:
        return [one.write(self.folder / f"run{i}.nc") for i, one in enumerate(made)]

    def draw(self, *made: Made) -> tuple[dict[str, list[list[float]]], list[str]]:
        """The rows of the table's paragraphs by name, and the messages."""
        paths, messages = self.run_figures(*self.write(*made), "-o", "out")
        self.assertEqual([str(path) for path in paths], ["out/scaling.png", "out/scaling.txt"])
        self.assertGreater((self.folder / paths[0]).stat().st_size, tier.of(5000, 20000))
        return self.table(), messages

    def table(self) -> dict[str, list[list[float]]]:
        found: dict[str, list[list[float]]] = {}
        for paragraph in (self.folder / "out" / "scaling.txt").read_text().strip().split("\n\n"):
            name, *lines = paragraph.splitlines()
            if name == "runs" or not lines:
                continue
            key = name if name not in found else f"{name} again"
            found[key] = [[float(word) for word in line.split()] for line in lines[1:]]
        return found

    def size(self) -> tuple[int, int]:
        return png_size(self.folder / "out" / "scaling.png")


class WhatIsDrawn(ScalingTest):
    def test_strong(self) -> None:
        table, messages = self.draw(*(Made(ranks) for ranks in (1, 2, 4, 8)))
        self.assertEqual(messages, [])
        self.assertEqual(list(table), [FULL, CURVE, "whole run"])
        for lg, row in enumerate(table[FULL]):
            ranks, p, n, times, median, low, high, efficiency, rate, a_rank = row
            self.assertEqual((ranks, p, n, times), (2**lg, 1000, 1000, 3))
            self.assertAlmostEqual(low, 1.5 / ranks * (1 + 0.1 * lg), delta=1e-3 * low)
            self.assertAlmostEqual(median, 1.01 * low, delta=1e-3 * low)
            self.assertAlmostEqual(high, 1.02 * low, delta=1e-3 * low)
            self.assertAlmostEqual(efficiency, 1 / (1 + 0.1 * lg), delta=0.0051)
            self.assertAlmostEqual(rate, 3 / median, delta=0.005 * rate)
            self.assertAlmostEqual(a_rank, rate / ranks, delta=0.006 * a_rank)
        self.assertEqual([row[2] for row in table[CURVE]], [2000] * 4)
        whole = table["whole run"]
        self.assertAlmostEqual(whole[0][4], 3 * 1.01 * 4.5, delta=0.01)  # three repeats of 1.5 s and of 3 s
        self.assertEqual([row[7] for row in whole], [round(1 / (1 + 0.1 * lg), 2) for lg in range(4)])

    def test_weak(self) -> None:
        table, messages = self.draw(*(weak(ranks, efficiency=lambda _: 0.7) for ranks in (1, 2, 4, 8)))
        self.assertEqual(messages, [])
        spectrum = table[FULL]
        self.assertEqual([row[1] for row in spectrum], [1000, 1260, 1587, 2000])
        for row in spectrum + table[CURVE] + table["whole run"]:
            self.assertEqual(row[7], 1)
        self.assertAlmostEqual(spectrum[3][4], spectrum[0][4], delta=1e-3 * spectrum[0][4])

    def test_weak_by_memory(self) -> None:
        """More work per rank takes longer and is no loss."""
        made = [replace(weak(ranks), p=1000 * root) for ranks, root in ((1, 1), (4, 2), (16, 4))]
        table, _ = self.draw(*(replace(one, efficiency=lambda ranks: 0.5 if ranks == 16 else 1) for one in made))
        self.assertEqual([row[7] for row in table[FULL]], [1, 1, 0.5])
        self.assertAlmostEqual(table[FULL][1][4], 2 * 1.515, delta=0.002)

    def test_weak_by_repeats(self) -> None:
        """A farm: as many curves per rank, each by one rank alone."""
        made = [Made(ranks, title="Weak scaling", repeats=2 * ranks, together=False) for ranks in (1, 2, 4)]
        table, messages = self.draw(*made)
        self.assertIn("Weak scaling", (self.folder / "out" / "scaling.txt").read_text())
        self.assert_one_line(messages, "Weak scaling", "the whole run alone")
        self.assertEqual(len(messages), 1)
        for row in table["whole run"]:
            self.assertAlmostEqual(row[7], 1, delta=0.04)  # later repeats take hundredths longer

    def test_side_by_side(self) -> None:
        sizes = []
        strong, growing = [Made(ranks) for ranks in (1, 2)], [weak(ranks) for ranks in (1, 2)]
        for made in (strong, growing, strong + growing):
            table, _ = self.draw(*made)
            sizes.append(self.size())
        self.assertEqual(sizes[0], sizes[1])
        self.assertGreater(sizes[2][1], 1.5 * sizes[0][1])  # four rows, not two
        self.assertIn("whole run again", table)

    def test_without_memory(self) -> None:
        self.draw(Made(1), Made(2))
        width = self.size()[0]
        self.draw(Made(1, memory=False), Made(2, memory=False))
        self.assertGreater(self.size()[0], 1.3 * width)  # three panels in a row, not two

    def test_runs_of_the_table(self) -> None:
        self.draw(Made(1), Made(2), Made(4, memory=False, change={"load_imbalance": None}))
        runs = (self.folder / "out" / "scaling.txt").read_text().split("runs\n")[1].splitlines()[1:]
        words = [line.split() for line in runs]
        self.assertEqual([w[0] for w in words], ["1", "2", "4"])
        self.assertEqual([w[2] for w in words], ["1.25", "1.25", "nan"])
        self.assertEqual([w[3] for w in words], ["nan", "nan", "nan"])
        self.assertEqual([w[4:6] for w in words], [["480", "480"], ["281", "280"], ["nan", "nan"]])

    def test_processor_share_is_said(self) -> None:
        self.draw(*(Made(ranks, change={"processor_share": share}) for ranks, share in ((1, 0.98), (2, 0.31))))
        runs = (self.folder / "out" / "scaling.txt").read_text().split("runs\n")[1].splitlines()[1:]
        self.assertEqual([line.split()[3] for line in runs], ["0.98", "0.31"])

    def test_a_low_efficiency_is_seen(self) -> None:
        from speed import scaling, speedup
        from read import runs

        for least, kind in ((0.01, "log"), (0.7, "linear")):
            made = Made(1), Made(2, efficiency=lambda ranks: least if ranks > 1 else 1.0)
            paths = [one.write(self.folder / f"{kind}{one.ranks}.nc") for one in made]
            figure = scaling.scaling(speedup.studies([runs.read(path) for path in paths], []))
            self.assertEqual(figure.axes[1].get_yscale(), kind)
            self.assertLess(figure.axes[1].get_ylim()[0], least)

    def test_long_lists_are_variables(self) -> None:
        pictures = []
        for as_variables in (False, True):
            self.draw(*(Made(ranks, lists_as_variables=as_variables) for ranks in (1, 2)))
            pictures.append((self.folder / "out" / "scaling.png").read_bytes())
        self.assertEqual(pictures[0], pictures[1])

    def test_any_order_of_files_and_two_of_one_number(self) -> None:
        table, _ = self.draw(Made(4), Made(1), Made(2), Made(2))
        self.assertEqual([row[0] for row in table[FULL]], [1, 2, 4])
        self.assertEqual([row[3] for row in table[FULL]], [3, 6, 3])
        self.assertEqual([row[3] for row in table["whole run"]], [1, 2, 1])

    def test_one_repeat(self) -> None:
        table, messages = self.draw(Made(1, repeats=1), Made(2, repeats=1))
        self.assertEqual([row[3] for row in table[FULL]], [1, 1])
        self.assertEqual(messages, [])

    def test_producers_that_were_compared(self) -> None:
        made = [Made(ranks, producer=name) for name in ("pdgesvd", "two-stage") for ranks in (1, 2)]
        table, _ = self.draw(*made)
        self.assertEqual(list(table)[:2], [f"{FULL}, by pdgesvd", f"{CURVE}, by pdgesvd"])
        self.assertEqual(list(table)[2:4], [f"{FULL}, by two-stage", f"{CURVE}, by two-stage"])

    def test_memory_of_some_producers(self) -> None:
        made = [Made(1, memory=False), Made(2, memory=False), Made(2, producer="lapack")]
        table, _ = self.draw(*made)
        self.assertIn("whole run", table)

    def test_producer_that_the_ranks_choose(self) -> None:
        table, _ = self.draw(Made(1, producer="lapack"), Made(2, producer="two-stage"))
        self.assertEqual(list(table)[0], FULL)
        self.assertEqual([row[0] for row in table[FULL]], [1, 2])

    def test_several_p(self) -> None:
        made = [Made(ranks, p, title=f"P {p}") for p in (1000, 2000) for ranks in (1, 2)]
        table, _ = self.draw(*made)
        self.assertIn(f"{FULL}, P = 1000", table)
        self.assertIn(f"{FULL}, P = 2000", table)

    def test_lines_of_one_name(self) -> None:
        """Data sets in the study's order, which is not that of their names."""
        curves = (Curve("spiked"), Curve("plain"), Curve("wide", 0.5))
        table, _ = self.draw(Made(1, curves=curves), Made(2, curves=curves))
        self.assertEqual(list(table)[:3], [f"{FULL}, spiked", f"{FULL}, plain", "full spectrum, N = 0.5 P, wide"])

    def test_tasks_of_one_rank_each(self) -> None:
        table, messages = self.draw(*(Made(ranks, together=False) for ranks in (1, 2, 4)))
        self.assertEqual(list(table), ["whole run"])
        self.assertEqual([row[7] for row in table["whole run"]], [1, 1, 1])
        self.assertEqual(len(messages), 1)
        self.assert_one_line(messages, "Strong scaling", "the whole run alone")

    def test_more_tasks_than_colours(self) -> None:
        curves = tuple(Curve(f"set{i}", 1 + i / 4) for i in range(9))
        table, messages = self.draw(Made(1, curves=curves), Made(2, curves=curves))
        self.assertEqual(list(table), [f"full spectrum, N = {1 + i / 4:.2g} P" for i in range(3, 9)] + ["whole run"])
        self.assert_one_line(messages, "9 kinds of tasks", "the 6 that took longest")

    def test_run_that_was_resumed(self) -> None:
        table, messages = self.draw(Made(1), Made(2, repeats=2))
        self.assert_one_line(messages, "run1.nc", "times of 4 curves", "have 6")
        self.assertEqual([row[7] for row in table["whole run"]], [1, 0.91])

    def test_formats_and_bytes(self) -> None:
        files = self.write(Made(1), Made(2))
        paths, _ = self.run_figures(*files, "-o", "a/new/folder", "--format", "png,pdf")
        self.assertEqual([path.name for path in paths], ["scaling.png", "scaling.pdf", "scaling.txt"])
        again, _ = self.run_figures(*files, "-o", "b", "--format", "png,pdf")
        for path, other in zip(paths, again):
            content = (self.folder / path).read_bytes()
            self.assertEqual(content, (self.folder / other).read_bytes(), f"{path}: other bytes the second time")
        self.assertTrue((self.folder / paths[1]).read_bytes().startswith(b"%PDF"))


class Refused(ScalingTest):
    def assert_refused(self, files: list[Path], *parts: str) -> None:
        paths, messages = self.run_figures(*files, "-o", "out", status=2)
        self.assertEqual(paths, [])
        self.assertEqual(len(messages), 1, messages)
        self.assert_one_line(messages, *parts)
        self.assertFalse((self.folder / "out").exists())

    def assert_runs_refused(self, made: list[Made], *parts: str) -> None:
        self.assert_refused(self.write(*made), *parts)

    def test_no_results_files(self) -> None:
        files = self.write(Made(1), Made(2))
        study = self.folder / "study.yaml"
        study.write_text("datasets: [diabetes]\n")
        for path, why in ((self.folder / "none.nc", "no such file"), (self.folder, "a folder"), (study, "NetCDF")):
            self.assert_refused([*files, path], str(path), why)

    def test_another_netcdf(self) -> None:
        path = self.folder / "weather.nc"
        with netCDF4.Dataset(path, "w") as root:
            root.createDimension("time", 3)
        self.assert_refused([path, *self.write(Made(1))], "weather.nc", "not a results file")

    def test_one_file(self) -> None:
        self.assert_runs_refused([Made(4)], "run0.nc", "`Strong scaling` on 4 ranks alone", "two numbers of ranks")

    def test_one_number_of_ranks(self) -> None:
        self.assert_runs_refused([Made(1), Made(1)], "`Strong scaling` on 1 rank alone")

    def test_producers_on_one_number_of_ranks_each(self) -> None:
        made = [Made(1, producer="pdgesvd"), Made(1, producer="lapack"), Made(2, producer="two-stage")]
        self.assert_runs_refused(made, "run0.nc", "by pdgesvd on 1 rank alone", "by no other producer")

    def test_a_file_of_another_study(self) -> None:
        made = [Made(1), Made(2), Made(2, title="The published study")]
        self.assert_runs_refused(made, "run2.nc", "`The published study` on 2 ranks alone")

    def test_other_data_sets(self) -> None:
        made = [Made(1), Made(2, curves=(SPECTRUM,))]
        self.assert_runs_refused(made, "run1.nc", "run0.nc", "spectrum, not curve, spectrum")

    def test_two_p_on_one_number_of_ranks(self) -> None:
        made = [Made(1), Made(2), Made(2, p=900)]
        self.assert_runs_refused(made, "run2.nc", "P = 900", "run1.nc", "P = 1000", "the same P in all runs")

    def test_p_that_falls(self) -> None:
        made = [Made(1), Made(2, p=900)]
        self.assert_runs_refused(made, "run1.nc", "P = 900, N = 1800 on 2 ranks", "grows with the ranks")

    def test_other_training_sets(self) -> None:
        made = [Made(1, curves=(SPECTRUM,)), Made(2, curves=(replace(SPECTRUM, ratio=1.5),))]
        self.assert_runs_refused(made, "run1.nc", "P = 1000, N = 1500", "P = 1000, N = 1000")

    def test_provenance_without_times(self) -> None:
        for name in ("task_seconds", "task_way", "ranks", "compute_seconds"):
            made = [Made(1), Made(2, change={name: None})]
            self.assert_runs_refused(made, "run1.nc", f"no {name}", "run the study again")

    def test_nothing_computed(self) -> None:
        empty = {f"task_{name}": np.array([]) for name in LISTS} | {"curves_computed": 0.0}
        absent = {f"task_{name}": None for name in LISTS} | {"curves_computed": 0.0}
        for change in (empty, absent):
            made = [Made(1), Made(2, change=change)]
            self.assert_runs_refused(made, "run1.nc", "all curves in the journal", "run1.nc.journal")

    def test_numbers_that_are_none(self) -> None:
        six = np.ones(6)
        wrong = {"task_seconds": 0 * six, "task_flops": np.nan * six, "task_ranks": -six, "task_n_train": 0 * six}
        wrong |= {"task_dataset": 2 * six, "task_way": 6 * six, "task_repeat": np.inf * six}
        for name, values in wrong.items():
            self.assert_runs_refused([Made(1), Made(2, change={name: values})], "run1.nc", name)

    def test_lists_of_two_lengths(self) -> None:
        made = [Made(1), Made(2, change={"task_seconds": np.ones(5)})]
        self.assert_runs_refused(made, "run1.nc", "not of one length")

    def test_text_for_a_number(self) -> None:
        self.assert_runs_refused([Made(1), Made(2, change={"ranks": "two"})], "run1.nc", "provenance cannot be read")

    def test_truncated(self) -> None:
        files = self.write(Made(1), Made(2))
        files[1].write_bytes(files[1].read_bytes()[:3000])
        self.assert_refused(files, "run1.nc", "cannot be read")

    def test_output_that_cannot_be(self) -> None:
        (self.folder / "taken").write_text("a file")
        paths, messages = self.run_figures(*self.write(Made(1), Made(2)), "-o", "taken", status=2)
        self.assertEqual(paths, [])
        self.assert_one_line(messages, "taken", "cannot be written")

    def test_bad_arguments(self) -> None:
        for arguments in ((), ("run.nc", "--format", "gif"), ("run.nc", "--ranks")):
            paths, messages = self.run_figures(*arguments, status=2)
            self.assertEqual(paths, [])
            self.assertIn("error:", messages[-1])


if __name__ == "__main__":
    unittest.main()
