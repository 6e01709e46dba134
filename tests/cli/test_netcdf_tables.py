"""Tables in NetCDF files through the whole program: the numbers of the same table as text, bad files, tables read by blocks."""
import json
import os
import pathlib
import tempfile
import unittest

import netCDF4
import numpy as np

from program import data_groups, run

STUDY = """repeats: 3
n_train: {{range: [1, 12]}}
ablations: [none, cutoff: 0.1, no_residuals]
datasets:
  - {{name: mine, {source}, target: y, standardize: {standardize}}}
"""
ROWS, FEATURES = 40, 6


def values():
    generator = np.random.default_rng(3)
    return generator.standard_normal((ROWS, FEATURES)), generator.standard_normal(ROWS)


class NetcdfTables(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.at = pathlib.Path(folder.name)

    def write_study(self, source="source: netcdf, file: t.nc", standardize="none"):
        (self.at / "study.yaml").write_text(STUDY.format(source=source, standardize=standardize))

    def write_table(self, form="NETCDF4", x_type="f8", change=None, **encoding):
        """`change` may spoil the open file's values or attributes."""
        x, y = values()
        with netCDF4.Dataset(self.at / "t.nc", "w", format=form) as file:
            file.createDimension("row", ROWS)
            file.createDimension("feature", FEATURES)
            file.createVariable("x", x_type, ("row", "feature"), **encoding)[:] = x
            file.createVariable("y", "f8", ("row",))[:] = y
            if change is not None:
                change(file)

    def refused(self, words, ranks=None):
        done = run("run", "study.yaml", cwd=self.at, ranks=ranks)
        lines = [line for line in done.stderr.splitlines() if line.startswith("ridgeless: ")]
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual(len(lines), 1, done.stderr)
        for word in words:
            self.assertIn(word, lines[0])
        self.assertFalse((self.at / "study.nc").exists())

    def test_the_numbers_of_the_same_table_as_text(self):
        x, y = values()
        rows = [",".join(map(repr, map(float, [*x[i], y[i]]))) for i in range(ROWS)]
        (self.at / "t.csv").write_text("a,b,c,d,e,f,y\n" + "\n".join(rows) + "\n")
        for standardize, encoding in (("none", {"zlib": True}), ("z-score", {"form": "NETCDF3_CLASSIC"})):
            with self.subTest(standardize=standardize, **encoding):
                self.write_table(**encoding)
                found = []
                for source in ("source: csv, file: t.csv", "source: netcdf, file: t.nc"):
                    self.write_study(source, standardize)
                    run("run", "study.yaml", "-o", f"{standardize}{len(found)}.nc", cwd=self.at, check=0)
                    found.append(data_groups(self.at / f"{standardize}{len(found)}.nc"))
                self.assertEqual(found[0].keys(), found[1].keys())
                self.assertTrue(np.isfinite(np.frombuffer(found[1]["mine/test_mse"][1])).all())
                changed = {name for name in found[0] if found[0][name] != found[1][name]}
                self.assertEqual(changed, {"@settings", "@study_text", "@study_hash", "mine/@source"})

    def test_bad_tables(self):
        def nan(file):
            file["x"][7, 2] = np.nan

        def masked(file):
            file["x"][7, 2] = np.ma.masked

        def cut(file):
            file.createDimension("other", ROWS - 1)
            file.renameVariable("y", "z")
            file.createVariable("y", "f8", ("other",))[:] = 1

        place = "variable `x`: feature 3 of row 8 (counted from 1)"
        cases = {
            "not a number": ({"change": nan}, ["study.yaml:5: ", "t.nc", place, "nan"]),
            "masked": ({"change": masked}, ["study.yaml:5: ", "t.nc", place, "missing"]),
            "masked, classic": ({"change": masked, "form": "NETCDF3_CLASSIC"}, ["t.nc", place, "missing"]),
            "target of another length": ({"change": cut}, ["study.yaml:5: ", "key `target`", "39 values", "40 rows"]),
            "no target": (
                {"change": lambda file: file.renameVariable("y", "z")},
                ["key `target`", "no variable `y`", "`x` double(40, 6), `z` double(40)"],
            ),
        }
        self.write_study()
        for what, (table, words) in cases.items():
            with self.subTest(what):
                self.write_table(**table)
                self.refused(words, ranks=2 if what == "masked" else None)

    def test_files_that_are_none(self):
        self.write_study()
        self.refused(["study.yaml:5: ", "key `file`", "t.nc: not found"])
        (self.at / "t.nc").write_text("1,2,3\n")
        self.refused(["t.nc: is not a NetCDF file, expected NetCDF-4 or classic"])
        for form in ("NETCDF4", "NETCDF3_CLASSIC"):
            self.write_table(form)
            os.truncate(self.at / "t.nc", os.path.getsize(self.at / "t.nc") - 1)
            self.refused(["t.nc"])
        (self.at / "t.nc").unlink()
        (self.at / "t.nc").mkdir()
        self.refused(["t.nc: is a directory"])

    def test_blocks(self):
        self.write_table()
        blocks = "source: netcdf, file: t.nc, load: blocks"
        self.write_study(blocks, "z-score")
        self.refused(["study.yaml:5: ", "key `standardize` (line 5)", "`z-score`", "load: whole"])
        self.write_study(blocks)
        (self.at / "study.yaml").write_text((self.at / "study.yaml").read_text() + "random: numpy\n")
        self.refused(["key `load` (line 5)", "`random: numpy`"])
        self.write_study("source: netcdf, file: t.nc, load: some")
        self.refused(["study.yaml:5", "load", "some", "expected one of auto, whole, blocks"])
        self.write_study(blocks)
        (self.at / "study.yaml").write_text((self.at / "study.yaml").read_text() + "producer: lapack\n")
        self.refused(["study.yaml:5: ", "dataset `mine`", "`producer: lapack`", "load: whole"])

    def test_rows_in_blocks_give_the_numbers_of_rows_in_memory(self):
        """By another producer and another beta*: to rounding times condition, about 10 here, 1e4 at the threshold."""
        self.write_table(zlib=True)
        self.write_study()
        run("run", "study.yaml", "-o", "whole.nc", cwd=self.at, check=0)
        self.write_study("source: netcdf, file: t.nc, load: blocks")
        for ranks in (None, 2, 3):
            name = f"blocks-{ranks}.nc"
            run("run", "study.yaml", "-o", name, ranks=ranks, cwd=self.at, check=0)
            with netCDF4.Dataset(self.at / "whole.nc") as whole, netCDF4.Dataset(self.at / name) as blocks:
                np.testing.assert_allclose(blocks["mine"].beta_star, whole["mine"].beta_star, rtol=1e-11)
                for variable in ("test_mse", "train_mse", "sigma_min", "test_bias_mse"):
                    np.testing.assert_allclose(blocks["mine"][variable][:], whole["mine"][variable][:], rtol=1e-9, atol=1e-12)

    def test_blocks_are_not_in_memory(self):
        self.write_table()
        memory = []
        for load, producer in (("whole", "two-stage"), ("blocks", "auto")):
            self.write_study(f"source: netcdf, file: t.nc, load: {load}, producer: {producer}")
            plan = json.loads(run("plan", "study.yaml", "--json", cwd=self.at, check=0).stdout)
            memory.append(plan["memory_per_rank_bytes"])
        self.assertEqual(memory[0] - memory[1], 8 * ROWS * FEATURES)


if __name__ == "__main__":
    unittest.main()
