#!/usr/bin/python3
"""Runs analysis/values.py and analysis/chart.py on small files made here: what they print, draw and refuse."""

from __future__ import annotations

import unittest

from drawing import ANALYSIS, MISSING, DrawingTest, keep_font_cache, run_in_child, tier

try:
    import netCDF4
except ImportError:
    pass


def setUpModule() -> None:
    keep_font_cache()


class TableTest(DrawingTest):
    def run_program(self, *arguments: object) -> tuple[int, str, str]:
        """Exit status, standard output and standard error."""
        return run_in_child(ANALYSIS / self.program, [*map(str, arguments)], self.folder, 600)


@unittest.skipIf(MISSING, MISSING)
class Values(TableTest):
    program = "values.py"

    def setUp(self) -> None:
        super().setUp()
        with netCDF4.Dataset(self.folder / "s.nc", "w") as file:
            group = file.createGroup("d")
            for name, size in {"variant": 2, "n_features": 1, "n_train": 2}.items():
                group.createDimension(name, size)
            group.createVariable("variant", str, ("variant",))
            group["variant"][0], group["variant"][1] = "none", "cutoff=1"
            group.createVariable("n_features", "i4", ("n_features",))[:] = [3]
            group.createVariable("n_train", "i4", ("n_train",))[:] = [2, 5]
            group.createVariable("test_mse_mean", "f8", ("variant", "n_features", "n_train"))[:] = [[[1.5, 2]], [[3, 4]]]
            group.createVariable("sigma_min_mean", "f8", ("n_features", "n_train"))[:] = [[0.1, 0.2]]

    def test_a_row_per_n(self) -> None:
        status, out, err = self.run_program(self.folder / "s.nc", "-v", "test_mse_mean,sigma_min_mean")
        self.assertEqual((status, err), (0, ""))
        names = "file,dataset,variant,n_features,n_train,test_mse_mean,sigma_min_mean"
        self.assertEqual(out.split(), [names, "s,d,none,3,2,1.5,0.1", "s,d,none,3,5,2,0.2"])

    def test_what_is_chosen(self) -> None:
        words = "-v", "test_mse_mean", "--variant", "cutoff=1", "--n-train", "5"
        self.assertEqual(
            self.run_program(self.folder / "s.nc", *words)[1].split()[1:],
            ["s,d,cutoff=1,3,5,4"],
        )

    def test_what_is_not_there(self) -> None:
        for words, said in (
            (
                ("-v", "mse"),
                "no `mse` with one number per N; there are sigma_min_mean, test_mse_mean",
            ),
            (
                ("-v", "test_mse_mean", "--variant", "ridge"),
                "no variant `ridge`; there are none, cutoff=1",
            ),
            (("-v", "test_mse_mean", "--n-train", "4"), "no N = 4; there are 2, 5"),
        ):
            status, out, err = self.run_program(self.folder / "s.nc", *words)
            self.assertNotEqual(status, 0)
            self.assertEqual(out, "")
            self.assertIn(said, err)


@unittest.skipIf(MISSING, MISSING)
class Chart(TableTest):
    program = "chart.py"

    def draw(self, text: str, *words: str) -> tuple[int, str]:
        (self.folder / "t.csv").write_text(text)
        status, _, err = self.run_program(self.folder / "t.csv", *words, "-o", self.folder / "t.png")
        return status, err

    def test_lines_and_bars(self) -> None:
        for text, words in (
            (
                "n,s,i\n1,4,4\n2,2.1,2\n",
                ("-x", "n", "-y", "s", "--dashed", "i", "--log", "xy"),
            ),
            ("n,s,how\n1,4,a\n2,2,a\n1,3,b\n", ("-x", "n", "-y", "s", "--by", "how")),
            ("how,s\nstatic,2\ncyclic,1\n", ("-x", "how", "-y", "s")),
        ):
            (self.folder / "t.png").unlink(missing_ok=True)
            self.assertEqual(self.draw(text, *words), (0, ""))
            self.assertGreater((self.folder / "t.png").stat().st_size, tier.of(1500, 5000))

    def test_tables_that_are_none(self) -> None:
        for text, said in (
            ("n,s\n", "expected a line of names and below it at least one of values"),
            ("n,s\n1\n", "line 2: 1 values, expected 2"),
            ("n,s\n1,x\n", "line 2: got `x` in the column `s`, expected a number"),
            ("n,t\n1,2\n", "no column `s`; there are n, t"),
        ):
            status, err = self.draw(text, "-x", "n", "-y", "s")
            self.assertNotEqual(status, 0)
            self.assertIn(said, err)


if __name__ == "__main__":
    unittest.main()
