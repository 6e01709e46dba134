"""Tables in NetCDF files through the whole program: the numbers of the same table as text, files of every shape that xarray,
HDF5, R and MATLAB write, bad files, tables read by blocks."""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import h5py
import netCDF4
import numpy as np
import xarray

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
        def infinite(file):
            file["x"][7, 2] = -np.inf

        def unwritten(file):
            file["x"][7, 2] = np.ma.masked

        def cut(file):
            file.createDimension("other", ROWS - 1)
            file.renameVariable("y", "z")
            file.createVariable("y", "f8", ("other",))[:] = 1

        place = "variable `x`: feature 3 of row 8 (counted from 1)"
        cases = {
            "infinite": ({"change": infinite}, ["study.yaml:5: ", "t.nc", place, "-inf", "expected a finite number"]),
            "unwritten": ({"change": unwritten}, ["t.nc", place, "the library's default fill value", "`missing: ["]),
            "unwritten, classic": ({"change": unwritten, "form": "NETCDF3_CLASSIC"}, [place, "default fill value"]),
            "target of another length": ({"change": cut}, ["study.yaml:5: ", "key `features`", "`y` double(39)"]),
            "no target": (
                {"change": lambda file: file.renameVariable("y", "z")},
                ["key `target` (line 5)", "no variable `y`; expected one of `x`, `z`"],
            ),
        }
        self.write_study()
        for what, (table, words) in cases.items():
            with self.subTest(what):
                self.write_table(**table)
                self.refused(words, ranks=2 if what == "unwritten" else None)

    def test_files_that_are_none(self):
        self.write_study()
        self.refused(["study.yaml:5: ", "key `file`", "t.nc: not found"])
        (self.at / "t.nc").write_text("1,2,3\n")
        self.refused(["t.nc: is not a NetCDF file, expected NetCDF-4, HDF5 or classic"])
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


READER = os.environ["RIDGELESS_READ_TABLES"]
NO_LOCKS = os.environ["RIDGELESS_NO_LOCKS"]


class Shapes(unittest.TestCase):
    """Each table is what was put into its file, by NumPy; what kind of report it stands for is said. Many tables are read by one
    start of a reader that calls the program's library."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.at = pathlib.Path(folder.name)
        self.x, self.y = values()

    def read(self, *entries, env=None):
        """Of each entry (x, y, n_dropped), or the line that refuses it."""
        lines = "".join(f"  - {{source: netcdf, name: t{i}, {entry}}}\n" for i, entry in enumerate(entries))
        (self.at / "study.yaml").write_text(f"repeats: 1\nn_train: [1]\nablations: [none]\ndatasets:\n{lines}")
        for answer in [*self.at.glob("t*.txt"), *self.at.glob("t*.bin")]:
            answer.unlink()
        command = [READER, self.at / "study.yaml", self.at]
        subprocess.run(command, check=True, timeout=300, env={**os.environ, **(env or {})})
        return [self.answer(f"t{i}") for i in range(len(entries))]

    def answer(self, name):
        if (self.at / f"{name}.txt").exists():
            return (self.at / f"{name}.txt").read_text()
        n_rows, n_features, n_dropped = np.fromfile(self.at / f"{name}.bin", "i4", 3)
        numbers = np.fromfile(self.at / f"{name}.bin", "f8", offset=12)
        return numbers[n_rows:].reshape(n_rows, n_features), numbers[:n_rows], n_dropped

    def reads(self, x, y, *entries, n_dropped=0, env=None):
        for entry, answer in zip(entries, self.read(*entries, env=env)):
            with self.subTest(entry):
                self.assertNotIsInstance(answer, str, answer)
                np.testing.assert_array_equal(answer[0], x)
                np.testing.assert_array_equal(answer[1], y)
                self.assertEqual(answer[2], n_dropped)

    def refuses(self, words_of, env=None):
        for (entry, words), answer in zip(words_of.items(), self.read(*words_of, env=env)):
            with self.subTest(entry):
                self.assertIsInstance(answer, str)
                self.assertEqual(answer.count("\n"), 1)
                self.assertLess(len(answer), 1024)
                for word in words:
                    self.assertIn(word, answer)

    def write_columns(self, path="t.nc"):
        """As pandas' DataFrame.to_xarray().to_netcdf() writes a frame: "why is each column a variable of its own"."""
        columns = {f"x{j}": ("index", self.x[:, j]) for j in range(FEATURES)}
        data = xarray.Dataset({**columns, "y": ("index", self.y)}, coords={"index": np.arange(ROWS)})
        data.to_netcdf(self.at / path)

    def test_a_variable_per_column(self):
        self.write_columns()
        table = "file: t.nc, target: y"
        self.reads(self.x, self.y, table, f"{table}, load: blocks", f"{table}, features: numeric")
        self.reads(self.x[:, [4, 0]], self.y, f"{table}, features: [x4, x0]", f"{table}, features: ['5', '1']")
        self.reads(self.x[:, [0, 1, 3, 4, 5]], self.y, f"{table}, except: x2", f"{table}, features: ['1-2', '4-6']")
        named = np.column_stack([np.arange(ROWS), self.x[:, 1]])
        self.reads(named, self.y, f"{table}, features: [index, x1], load: blocks")
        self.refuses(
            {
                f"{table}, features: [x0, y]": ["key `features`", "`y` is the target, expected other variables"],
                f"{table}, features: [x0, x]": ["no variable `x`", "`x0`"],
                f"{table}, features: [x0, x0]": ["named twice"],
            }
        )

    def test_what_is_left_out_is_said(self):
        self.write_columns()
        (self.at / "s.yaml").write_text(STUDY.format(source="source: netcdf, file: t.nc", standardize="none"))
        done = run("run", "-v", "s.yaml", cwd=self.at, check=0)
        self.assertIn("mine: 40 rows, 6 features, from ./t.nc, without the coordinate `index`", done.stderr)

    def test_rows_and_features_in_either_order(self):
        """MATLAB and R write columns first: "my data are transposed in Python"."""
        for name, dimensions, x in (("t", ("f", "row"), self.x.T), ("u", ("row", "f"), self.x)):
            data = xarray.Dataset({"X": (dimensions, x), "y": ("row", self.y), "w": (("k", "row"), self.x.T[:3])})
            data.drop_vars("w").to_netcdf(self.at / f"{name}.nc")
            data.drop_vars("y").to_netcdf(self.at / f"{name}w.nc")
        self.reads(self.x, self.y, "file: t.nc, target: y", "file: t.nc, target: y, first_dimension: features")
        self.reads(self.x, self.y, "file: t.nc, target: y, load: blocks", "file: u.nc, target: y, first_dimension: rows")
        self.reads(self.x, self.x[:, 1], "file: tw.nc, target: w, target_column: 2", "file: uw.nc, target: w, target_column: 2")
        self.refuses(
            {
                "file: t.nc, target: y, first_dimension: rows, features: X": ["`X` is double(6, 40), expected 40 rows"],
                "file: tw.nc, target: w": ["key `target` (", "`w` is double(3, 40)", "`target_column`"],
                "file: tw.nc, target: w, target_column: 4": ["key `target_column` (", "`w` has 3 columns"],
                "file: t.nc, target: y, target_column: 2": ["key `target_column`", "`y` has 1 column,"],
            }
        )

    def test_a_square_needs_a_key_where_names_do_not_tell(self):
        square = np.arange(1600.0).reshape(40, 40)
        with h5py.File(self.at / "s.h5", "w") as file:
            file["X"], file["y"] = square, self.y
        xarray.Dataset({"X": (("f", "row"), square), "y": ("row", self.y)}).to_netcdf(self.at / "named.nc")
        self.refuses(
            {"file: s.h5, target: y": ["key `first_dimension`", "`first_dimension: rows` or `first_dimension: features`"]}
        )
        self.reads(square, self.y, "file: s.h5, target: y, first_dimension: rows")
        self.reads(square.T, self.y, "file: s.h5, target: y, first_dimension: features", "file: named.nc, target: y")

    def test_one_matrix_of_everything(self):
        """np.save-like files: all columns in one array, and which of them is the target."""
        both = np.column_stack([self.x[:, :2], self.y, self.x[:, 2:]])
        with h5py.File(self.at / "t.h5", "w") as file:
            file["data"], file["turned"] = both, both.T
        one = "target_column: 3, load: blocks"
        self.reads(self.x, self.y, f"file: t.h5, target: data, features: data, {one}, first_dimension: rows")
        self.reads(self.x, self.y, f"file: t.h5, target: turned, features: turned, {one}, first_dimension: features")

    def test_hdf5_files_that_netcdf_did_not_write(self):
        """h5py and MATLAB -v7.3: no dimension scales, user blocks of 512 bytes and more, targets of one column, both orders of
        bytes: "NetCDF: Unknown file format"."""
        for block in (0, 512, 1024, 4096):
            with h5py.File(self.at / f"b{block}.h5", "w", userblock_size=block) as file:
                file["X"], file["Y"] = self.x.astype(">f8"), self.y.reshape(1, ROWS)
            with open(self.at / f"b{block}.h5", "r+b") as file:
                file.write(b"MATLAB 7.3 MAT-file"[: min(block, 19)])
        self.reads(self.x, self.y, *(f"file: b{block}.h5, target: Y" for block in (0, 512, 1024, 4096)))

    def test_groups(self):
        """ "How do I read a variable in a group": by its path, as h5py and xarray's open_dataset(group=...) name it."""
        with h5py.File(self.at / "g.h5", "w") as file:
            file["train/X"], file["train/y"], file["test/deep/X"] = self.x, self.y, self.x[::-1]
        self.reads(self.x, self.y, "file: g.h5, target: train/y", "file: g.h5, target: /train/y, features: [/train/X]")
        self.reads(self.x[::-1], self.y, "file: g.h5, target: train/y, features: test/deep/X, load: blocks")
        self.refuses({"file: g.h5, target: y": ["no variable `y`", "`train/y`"]})

    def test_missing_values_are_left_out_and_counted(self):
        """NaN, as CSV; xarray writes _FillValue = NaN for each float."""
        x, y = self.x.copy(), self.y.copy()
        x[3, 2], x[17, 0], y[30] = np.nan, np.nan, np.nan
        kept = ~np.isnan(np.column_stack([x, y])).any(axis=1)
        xarray.Dataset({"X": (("row", "f"), x), "y": ("row", y)}).to_netcdf(self.at / "t.nc")
        table = "file: t.nc, target: y"
        self.reads(x[kept], y[kept], table, f"{table}, load: blocks", n_dropped=3)
        xarray.Dataset({"X": (("row", "f"), x * np.nan), "y": ("row", y)}).to_netcdf(self.at / "none.nc")
        none = "no row is left: each of the 40 has a missing value"
        self.refuses({"file: none.nc, target: y": [none], "file: none.nc, target: y, load: blocks": [none]})

    def test_rows_left_out_of_blocks_leave_the_numbers_of_whole_tables(self):
        x, y = self.x.copy(), self.y.copy()
        x[3, 2], x[17, 0], y[30] = np.nan, np.nan, np.nan
        xarray.Dataset({"X": (("f", "row"), x.T), "y": ("row", y)}).to_netcdf(self.at / "t.nc")
        for load, ranks in (("whole", None), ("blocks", None), ("blocks", 2)):
            source = f"source: netcdf, file: t.nc, load: {load}"
            (self.at / "s.yaml").write_text(STUDY.format(source=source, standardize="none"))
            run("run", "s.yaml", "-o", f"{load}{ranks}.nc", ranks=ranks, cwd=self.at, check=0)
        with netCDF4.Dataset(self.at / "wholeNone.nc") as whole:
            self.assertEqual(whole["mine"].n_rows_dropped, 3)
            for name in ("blocksNone.nc", "blocks2.nc"):
                with netCDF4.Dataset(self.at / name) as blocks:
                    self.assertEqual(blocks["mine"].n_rows_dropped, 3)
                    np.testing.assert_allclose(blocks["mine"]["test_mse"][:], whole["mine"]["test_mse"][:], rtol=1e-9, atol=1e-10)

    def test_default_fill_values_are_a_question(self):
        """xarray takes -32767 for a number, netCDF4-python for a missing value: nothing in the file says which."""
        x = np.arange(ROWS * FEATURES, dtype="i2").reshape(ROWS, FEATURES)
        x[0, 0] = -32767
        with netCDF4.Dataset(self.at / "t.nc", "w") as file:
            file.createDimension("row", ROWS)
            file.createDimension("f", FEATURES)
            variable = file.createVariable("X", "i2", ("row", "f"))
            variable.set_auto_maskandscale(False)
            variable[:] = x
            file.createVariable("y", "f8", ("row",))[:] = self.y
        table = "file: t.nc, target: y"
        said = ["feature 1 of row 1", "-32767, the library's default fill value", "`missing: [-32767]`", "`missing: NaN`"]
        self.refuses({table: said, f"{table}, load: blocks": said})
        self.reads(x, self.y, f"{table}, missing: NaN")
        self.reads(x[1:], self.y[1:], f"{table}, missing: [-32767]", f"{table}, missing: -32767, load: blocks", n_dropped=1)

    def test_what_xarray_stores_otherwise(self):
        """Booleans (i1, dtype = bool), times (numbers since a day), packed integers with and without sign."""
        days = np.array("2020-01-01", "M8[ns]") + np.arange(ROWS) * np.timedelta64(36, "h")
        packed = {"dtype": "u1", "scale_factor": 0.5, "add_offset": 7.0, "_FillValue": 255}
        data = xarray.Dataset({"b": ("row", self.y > 0), "t": ("row", days), "p": ("row", np.arange(ROWS) * 3.0 + 7)})
        data = data.assign(y=("row", self.y))
        for form, encoding in (("NETCDF4", packed), ("NETCDF3_CLASSIC", {**packed, "dtype": "i1", "_Unsigned": "true"})):
            data.to_netcdf(
                self.at / f"{form}.nc", format=form, encoding={"p": encoding, "t": {"units": "hours since 2020-01-01"}}
            )
        x = np.column_stack([self.y > 0, 36.0 * np.arange(ROWS), np.arange(ROWS) * 3.0 + 7])
        files = [f"file: {form}.nc, target: y" for form in ("NETCDF4", "NETCDF3_CLASSIC")]
        self.reads(x, self.y, *(f"{file}, features: [b, t, p]" for file in files))

    def test_whole_numbers_that_a_double_does_not_hold(self):
        ids = np.arange(ROWS) + 2**53 - ROWS + 1
        xarray.Dataset({"n": ("row", ids), "m": ("row", ids + 1), "y": ("row", self.y)}).to_netcdf(self.at / "t.nc")
        self.reads(ids[:, None], self.y, "file: t.nc, target: y, features: n")
        words = ["variable `m`: row 40", "expected whole numbers up to 2^53"]
        self.refuses({"file: t.nc, target: y, features: m": words, "file: t.nc, target: y, load: blocks": words})

    def test_variables_that_are_no_numbers(self):
        with netCDF4.Dataset(self.at / "t.nc", "w") as file:
            file.createDimension("row", 3)
            file.createVariable("y", "f8", ("row",))[:] = 1
            kinds = {
                "c": "S1",
                "s": str,
                "e": file.createEnumType("i1", "E", {"a": 0, "b": 1}),
                "k": file.createCompoundType(np.dtype([("a", "f8")]), "K"),
                "v": file.createVLType("i4", "V"),
            }
            for name, kind in kinds.items():
                file.createVariable(name, kind, ("row",))
        expected = "(3), expected numbers (row, feature) or (row)"
        types = {"c": "char", "s": "string", "e": "E", "k": "K", "v": "V"}
        self.refuses({f"file: t.nc, target: y, features: {name}": [f"`{name}` is {types[name]}{expected}"] for name in kinds})
        self.refuses({"file: t.nc, target: s": ["key `target`", "`s` is string(3), expected numbers (row)"]})
        self.refuses({"file: t.nc, target: y": ["no variable of numbers has the rows of the target", "`c` char(3)"]})

    def test_filters_that_are_not_there_are_named(self):
        """ "NetCDF: Filter error": h5py's lzf; zstd and blosc stand as ids of filters in the file."""
        with h5py.File(self.at / "t.h5", "w") as file:
            file["y"] = self.y
            file.create_dataset("X", data=self.x, compression="lzf")
        said = ["variable `X` is compressed by lzf (filter 32000 of HDF5), which is not installed here", "h5repack"]
        self.refuses({"file: t.h5, target: y": said, "file: t.h5, target: y, load: blocks": said})

    def test_files_of_other_kinds_are_named(self):
        (self.at / "a.gz").write_bytes(b"\x1f\x8b" + bytes(600))
        (self.at / "b.mat").write_bytes(b"MATLAB 5.0 MAT-file" + bytes(600))
        (self.at / "c.npz").write_bytes(b"PK\3\4" + bytes(600))
        (self.at / "d.npy").write_bytes(b"\x93NUMPY" + bytes(600))
        words = {"a.gz": "gzip: unpack it", "b.mat": "save it with `-v7.3`", "c.npz": "a zip archive", "d.npy": "NumPy"}
        self.refuses({f"file: {name}, target: y": ["is not a NetCDF file but", word] for name, word in words.items()})

    def test_file_systems_without_locks(self):
        """ "NetCDF: HDF error" on Lustre and NFS: a library that stands in for a kernel whose locks fail."""
        self.write_columns()
        env = {"LD_PRELOAD": NO_LOCKS}
        self.refuses({"file: t.nc, target: y": ["t.nc: cannot be locked: No locks", "HDF5_USE_FILE_LOCKING=FALSE"]}, env=env)
        self.reads(self.x, self.y, "file: t.nc, target: y", env={**env, "HDF5_USE_FILE_LOCKING": "FALSE"})

    def test_a_file_that_is_being_written_is_named(self):
        with netCDF4.Dataset(self.at / "t.nc", "w") as file:
            file.createDimension("row", 3)
            file.sync()
            self.refuses({"file: t.nc, target: y": ["another program has locked it"]})

    def test_many_variables(self):
        """Messages do not grow with the table; one key leaves out the one that is text."""
        n, rows = 3000, 20
        with netCDF4.Dataset(self.at / "t.nc", "w", format="NETCDF3_CLASSIC") as file:
            file.createDimension("row", rows)
            file.createVariable("id", "S1", ("row",))
            for j in range(n):
                file.createVariable(f"x{j}", "f4", ("row",))
            file.createVariable("y", "f8", ("row",))[:] = self.y[:rows]
            for j in range(n):
                file[f"x{j}"][:] = j
        x = np.tile(np.arange(n, dtype="f8"), (rows, 1))
        table = "file: t.nc, target: y"
        self.reads(x, self.y[:rows], table, f"{table}, except: id", f"{table}, features: numeric, load: blocks")
        self.refuses({"file: t.nc, target: z": ["no variable `z`", "(3002 variables)"]})


if __name__ == "__main__":
    unittest.main()
