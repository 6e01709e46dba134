"""diff: two results files compared, variable by variable, at the coordinates that both have."""
import contextlib
import json
import pathlib
import shutil
import tempfile
import unittest

import journal
import netCDF4
import numpy as np
from program import copy_group, run

STUDY = """repeats: 6
keep: [cells, modes]
n_train: [4, 10, 11, 30]
ablations: [none, cutoff: 0.1, leading_modes: 2, no_residuals]
datasets:
  - diabetes
  - {source: student-teacher, rows: 100, features: 8, hidden_features: 10, draw: fresh, n_train: [4, 8, 16]}
"""
AUTOENCODER = """repeats: 2
autoencoders:
  - {name: toy, n_features: 30, sparsity: 0.9, n_train: [5, 8], hidden: 2, steps: 20, n_test: 10}
"""
SUMMARY = STUDY.replace("[cells, modes]", "summary")


class Diff(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.at = pathlib.Path(cls.folder.name)
        cls.compute("one.nc", STUDY)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @classmethod
    def compute(cls, name, text, ranks=None):
        (cls.at / "study.yaml").write_text(text)
        run("run", "study.yaml", "-q", "-o", name, cwd=cls.at, ranks=ranks, check=0)

    @contextlib.contextmanager
    def changed(self, name, of="one.nc"):
        """A copy of a results file, to be changed; it has no seal."""
        with netCDF4.Dataset(self.at / of) as old, netCDF4.Dataset(self.at / name, "w") as new:
            copy_group(old, new)
            yield new

    def diff(self, left, right, check):
        return run("diff", left, right, cwd=self.at, check=check)

    def answer(self, left, right, check):
        return json.loads(run("diff", left, right, "--json", cwd=self.at, check=check).stdout)

    def differing(self, left, right):
        return {(d["group"], d["variable"]): d for d in self.answer(left, right, 1)["differences"]}

    def test_the_same_study_on_one_and_two_ranks(self):
        self.compute("two.nc", STUDY, ranks=2)
        done = self.diff("one.nc", "two.nc", 0)
        with netCDF4.Dataset(self.at / "one.nc") as file:
            n = len(file["diabetes"].variables) + len(file["student-teacher"].variables)
        self.assertEqual(done.stdout, f"the same bits in all {n} variables of 2 groups (provenance left out)\n")
        self.assertEqual(done.stderr, "")

    def test_another_producer_differs_by_rounding(self):
        """A few units of eps x condition, whatever the relative difference of errors that are zero but for rounding."""
        self.compute("lapack.nc", "producer: lapack\n" + STUDY)
        done = self.diff("one.nc", "lapack.nc", 1)
        self.assertIn("ridgeless: one.nc and lapack.nc differ\n", done.stderr)
        self.assertRegex(done.stdout, r"diabetes: test_mse: \d+ of 96 values differ\n  largest relative difference \S+ at ")
        self.assertRegex(done.stdout, r"  at most \S+ eps x condition")
        self.assertRegex(done.stdout, r"diabetes: and \d+ variables made of these, like medians over the repeats\n")
        self.assertRegex(done.stdout, r"texts that differ, which do not count: .*study_text")
        found = self.differing("one.nc", "lapack.nc")
        self.assertGreater(len(found), 8)
        for (group, variable), d in found.items():
            if d["unit"] == "eps x condition":
                self.assertLess(d["largest_in_units"]["size"], 100, f"{group}/{variable}")
        self.assertEqual(found["diabetes", "sigma_min"]["unit"], "eps x condition")
        self.assertEqual(found["diabetes", "test_mse_median"]["unit"], "last place")
        self.assertTrue(found["diabetes", "test_mse_median"]["follows"])

    def test_one_value_is_found_and_measured(self):
        """The units by hand: those of a squared error, a singular value, and a variable without a known one."""
        with self.changed("touched.nc") as file:
            data = file["diabetes"]
            data["test_mse"][1, 0, 2, 3] *= 1 + 1e-9
            data["sigma"][0, 3, 5, 7] *= 1 + 1e-12
            data["test_projection_rms"][0, 3, 5, 7] *= 1 + 2.0**-40
        found = self.differing("one.nc", "touched.nc")
        self.assertEqual(set(variable for _, variable in found), {"test_mse", "sigma", "test_projection_rms"})
        error = found["diabetes", "test_mse"]
        self.assertEqual((error["values"], error["values_that_differ"], error["follows"]), (96, 1, False))
        self.assertEqual(error["largest_relative"]["at"], {"variant": "cutoff=0.1", "n_features": 10, "n_train": 11, "repeat": 3})
        self.assertAlmostEqual(error["largest_relative"]["size"] / 1e-9, 1, delta=1e-6)
        with netCDF4.Dataset(self.at / "one.nc") as file:
            data = file["diabetes"]
            kappa = data["sigma_max"][0] / data["sigma_min"][0]
            squares = np.sqrt(np.asarray(data["test_mse"][:, 0, 2, 3]))
        moved = 2.0**-52 * kappa[2, 3] * squares.max()
        unit = moved * (2 * squares[1] + moved)
        self.assertAlmostEqual(error["largest_in_units"]["size"], 1e-9 * squares[1] ** 2 / unit, delta=1e-5 * 1e-9 / 2**-52)
        sigma = found["diabetes", "sigma"]["largest_in_units"]["size"]
        self.assertAlmostEqual(sigma / (1e-12 / 2.0**-52 / kappa[3, 5]), 1, delta=1e-3)
        other = found["diabetes", "test_projection_rms"]
        self.assertEqual(other["unit"], "last place")
        self.assertTrue(2**12 <= other["largest_in_units"]["size"] <= 2**13 + 1)

    def test_what_follows_from_nothing_is_told_by_itself(self):
        with self.changed("median.nc") as file:
            file["diabetes"]["test_mse_median"][0, 0, 0] += 1
        said = self.diff("one.nc", "median.nc", 1).stdout
        self.assertIn("diabetes: test_mse_median: 1 of 16 values differ\n", said)
        self.assertIn("units in the last place", said)

    def test_missing_cells_and_codes(self):
        with self.changed("holes.nc") as file:
            file["diabetes"]["test_mse"][2, 0, 1, 4] = np.nan
            file["diabetes"]["status"][0, 1, 4] = 1
        found = self.differing("one.nc", "holes.nc")
        error, status = found["diabetes", "test_mse"], found["diabetes", "status"]
        self.assertEqual((error["values_that_differ"], error["values_of_one_file"], error["largest_relative"]), (1, 1, None))
        self.assertEqual((status["values_that_differ"], status["unit"], status["largest_relative"]), (1, "none", None))
        self.diff("holes.nc", "holes.nc", 0)

    def test_what_one_file_alone_has_is_named(self):
        with self.changed("more.nc") as file:
            file["diabetes"].createVariable("mine", "f8", ("n_train",))[:] = 1
            file["diabetes"].data_checksum = "0"
            file["diabetes"]["test_mse"].units = "m"
            file["diabetes"]["test_mse"].long_name = "other words"
            file.createGroup("new").createDimension("n_train", 1)
        done = self.diff("one.nc", "more.nc", 1)
        for line in (
            "diabetes: only more.nc has the variable `mine`",
            "diabetes: the attribute `data_checksum` differs",
            "diabetes: the attribute `test_mse:units` differs",
            "only more.nc has the group `new`",
            "texts that differ, which do not count: long_name",
        ):
            self.assertIn(line + "\n", done.stdout)
        self.assertIn("what both have: the same bits in all ", done.stdout)

    def test_texts_alone_do_not_count(self):
        with self.changed("texts.nc") as file:
            file.title = "another title"
        self.assertIn("texts that differ, which do not count: title\n", self.diff("one.nc", "texts.nc", 0).stdout)

    def test_an_extended_study_has_what_was_there(self):
        for ending in ("", ".journal"):
            shutil.copyfile(self.at / f"one.nc{ending}", self.at / f"grown.nc{ending}")
        self.compute("grown.nc", STUDY.replace("repeats: 6", "repeats: 8").replace("[4, 10, 11, 30]", "[4, 10, 11, 20, 30]"))
        done = self.diff("one.nc", "grown.nc", 1)
        for line in (
            "diabetes: only grown.nc has n_train 20\n",
            "diabetes: only grown.nc has repeat 6, 7 (2 values)\n",
            "student-teacher: only grown.nc has repeat 6, 7 (2 values)\n",
        ):
            self.assertIn(line, done.stdout)
        self.assertRegex(done.stdout, r"other repeats or N: \d+ variables that tell of all of them together are left out\n")
        self.assertRegex(done.stdout, r"what both have: the same bits in all \d+ variables of 2 groups")
        answer = self.answer("grown.nc", "one.nc", 1)
        self.assertEqual((answer["same"], answer["common_part_same"]), (False, True))
        named = [(m["name"], m["only_in"], m["n"], m["values"]) for m in answer["mismatches"]]
        self.assertIn(("repeat", "grown.nc", 2, "6, 7"), named)

    def test_other_n_and_ablations_are_compared_where_both_have_them(self):
        """The places of N and ablations in the arrays differ: each P, N and ablation is computed by full spectra alone."""
        text = "producer: lapack\n" + STUDY
        self.compute("all.nc", text)
        self.compute("some.nc", text.replace("cutoff: 0.1, ", "").replace("[4, 10, 11, 30]", "[10, 30]"))
        done = self.diff("all.nc", "some.nc", 1)
        self.assertIn("diabetes: only all.nc has n_train 4, 11 (2 values)\n", done.stdout)
        self.assertIn("diabetes: only all.nc has variant cutoff=0.1\n", done.stdout)
        with self.changed("touched-some.nc", "some.nc") as file:
            file["diabetes"]["test_mse"][1, 0, 1, 2] *= 2
        at = self.differing("all.nc", "touched-some.nc")["diabetes", "test_mse"]["largest_relative"]["at"]
        self.assertEqual(at, {"variant": "leading_modes=2", "n_features": 10, "n_train": 30, "repeat": 2})

    def test_half_a_study_lacks_values_and_has_no_others(self):
        kept, of = journal.keep(self.at / "one.nc.journal", self.at / "half.nc.journal", lambda record: record.repeat < 3)
        self.assertTrue(0 < kept < of)
        (self.at / "study.yaml").write_text(STUDY)
        run("assemble", "study.yaml", "-q", "-o", "half.nc", cwd=self.at, check=75)
        said = self.diff("one.nc", "half.nc", 1).stdout
        self.assertIn("diabetes: test_mse: 48 of 96 values differ; 48 of them are in one file alone\n", said)

    def test_summaries_and_autoencoders(self):
        for name, text in (("summary", SUMMARY), ("toy", AUTOENCODER)):
            self.compute(f"{name}.nc", text)
            self.compute(f"{name}2.nc", text, ranks=2)
            self.assertIn("the same bits in all", self.diff(f"{name}.nc", f"{name}2.nc", 0).stdout)
        self.compute("summary3.nc", SUMMARY.replace("repeats: 6", "repeats: 7"))
        said = self.diff("summary.nc", "summary3.nc", 1).stdout
        self.assertIn("diabetes: the attribute `n_repeats` differs\n", said)
        self.assertIn("what both have: the same bits", said)
        with self.changed("toy3.nc", "toy.nc") as file:
            file["toy"]["test_mse"][0, 1, 1, 0] *= 2
        self.assertIn("at m = 2, T = 8, repeat 1, step 0: ", self.diff("toy.nc", "toy3.nc", 1).stdout)

    def test_files_of_other_data_sets(self):
        for name in ("diabetes", "student-teacher"):
            run("run", "study.yaml", "-q", "--dataset", name, "-o", f"{name}.nc", cwd=self.at, check=0)
        said = self.diff("diabetes.nc", "student-teacher.nc", 1).stdout.splitlines()
        self.assertEqual(said[-1], "they have no group in common")
        self.assertIn("only diabetes.nc has the group `diabetes`", said)

    def test_what_cannot_be_compared(self):
        (self.at / "notes.nc").write_text("no results")
        with netCDF4.Dataset(self.at / "foreign.nc", "w") as file:
            file.createDimension("x", 1)
        with self.changed("typed.nc") as file:
            file["diabetes"].createVariable("mine", "f4", ("n_train",))[:] = 1
        (self.at / "cut.nc").write_bytes((self.at / "one.nc").read_bytes()[:20000])
        one = bytearray((self.at / "one.nc").read_bytes())
        one[len(one) // 2] ^= 1
        (self.at / "byte.nc").write_bytes(one)
        for path, reason in (
            ("nowhere.nc", "nowhere.nc: "),
            ("byte.nc", "byte.nc: is damaged"),
            ("notes.nc", "is not NetCDF-4"),
            ("foreign.nc", "not a results file of ridgeless"),
            ("cut.nc", "cut.nc: "),
        ):
            done = self.diff("one.nc", path, 2)
            self.assertEqual((done.stdout, len(done.stderr.splitlines())), ("", 1), done.stderr)
            self.assertIn(reason, done.stderr)
        self.assertIn("notes.nc: is not NetCDF-4", self.diff("notes.nc", "one.nc", 2).stderr)
        said = self.diff("typed.nc", "typed.nc", 2).stderr
        self.assertIn("variable `mine` of group `diabetes` has another shape or type", said)
        self.assertIn("expected: ridgeless diff FILE FILE", run("diff", "one.nc", cwd=self.at, check=2).stderr)


if __name__ == "__main__":
    unittest.main()
