"""init: a study to start from, and one for a table of the user's own, which runs without an edit."""
import os
import pathlib
import random
import re
import shlex
import tempfile
import unittest

import netCDF4

from program import SOURCE, run

COLOURS = ("red", "green", "blue")


def table(n_rows, n_features, delimiter=",", header=True, change=lambda row: row, names=()):
    """A linear target of normal features, after a number, a text and a constant, as text; with columns that `change` adds."""
    draw = random.Random(7)
    lines = [delimiter.join(["id", "colour", *(f"x{j}" for j in range(n_features)), "unit", "price", *names])] if header else []
    for i in range(n_rows):
        x = [draw.gauss(0, 1) * 10**j for j in range(n_features)]
        y = sum(v / 10**j for j, v in enumerate(x)) + draw.gauss(0, 1)
        row = [str(i + 1), COLOURS[i % 3], *(f"{v:.6g}" for v in x), "7", f"{y:.6g}"]
        lines.append(delimiter.join(change(row)))
    return "\n".join(lines) + "\n"


class Init(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.at = pathlib.Path(folder.name)

    def init(self, *arguments, check=0):
        return run("init", *arguments, cwd=self.at, check=check)

    def refused(self, *arguments):
        """The one line that says why; nothing is written."""
        before = sorted(os.listdir(self.at))
        done = self.init(*arguments, check=2)
        self.assertEqual(done.stdout, "")
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertEqual(sorted(os.listdir(self.at)), before)
        return done.stderr

    def run_study(self, study):
        """The data set of the results, the features' number and the numbers of rows."""
        run("plan", study, cwd=self.at, check=0)
        run("run", study, "-q", "-o", "out.nc", "--fresh", cwd=self.at, check=0)
        with netCDF4.Dataset(self.at / "out.nc") as file:
            (name,) = set(file.groups) - {"provenance"}
            group = file[name]
            self.assertTrue((group["status"][:] == 0).all())
            return name, int(group["n_features"][0]), group["n_train"][:].tolist()

    def of_table(self, text, *options, target="price"):
        (self.at / "own.csv").write_text(text)
        (self.at / "own.yaml").unlink(missing_ok=True)
        self.init("own", "--csv", "own.csv", "--target", target, *options)
        return (self.at / "own.yaml").read_text(), self.run_study("own.yaml")

    def test_a_column_that_is_constant_in_complete_rows(self):
        """But for rounding: 0.1 + 0.2 and 0.3. The first row lacks a value of another column."""

        def change(row):
            first = row[0] == "1"
            row[2] = "" if first else row[2]
            return [*row, "9.5" if first else ("0.30000000000000004", "0.3")[int(row[0]) % 2]]

        study, (_, p, _) = self.of_table(table(40, 3, change=change, names=["sum"]))
        self.assertEqual(p, 3)
        self.assertNotIn("[sum", study)

    def test_very_many_columns(self):
        """60,000 columns, half of them called the same: what is written and told stays short."""
        n = 30000
        names = ",".join([*(f"gene{j}" for j in range(n)), *["same"] * n, "y"])
        rows = [",".join([*(f"{(i * 7 + j) % 11}.5" for j in range(2 * n)), f"{i}"]) for i in range(8)]
        (self.at / "own.csv").write_text("\n".join([names, *rows]) + "\n")
        done = self.init("own", "--csv", "own.csv", "--target", "y")
        self.assertIn("of 60001 columns are features, 8 of 8 rows", done.stdout)
        self.assertLess(len(done.stdout), 2000)
        self.assertLess((self.at / "own.yaml").stat().st_size, 12000)
        self.run_study("own.yaml")

    def test_rows_that_do_not_go_on_as_they_begin(self):
        """More than a mebibyte of rows goes well with commas, and the last row with semicolons alone."""
        rows = [f"some,words,and,more;{i % 89};{i % 83}" for i in range(50000)]
        (self.at / "own.csv").write_text("\n".join(["p,q,r,s;x;y", *rows, "words;2;3"]) + "\n")
        self.init("own", "--csv", "own.csv", "--target", "y")
        self.assertIn("delimiter: semicolon", (self.at / "own.yaml").read_text())

    def test_first_study(self):
        said = self.init().stdout
        self.assertEqual((self.at / "my-study.yaml").read_text(), (SOURCE / "jobs" / "first-study.yaml").read_text())
        lines = said.splitlines()
        self.assertEqual(lines[:2], ["my-study.yaml: a first study, to be read and changed.", "Next:"])
        self.assertEqual(lines[2:4], ["  ridgeless run my-study.yaml", "  ridgeless show my-study.nc"])
        for line in lines[2:4]:
            run(*line.split()[1:], cwd=self.at, check=0)
        python, figures, results = lines[4].split()
        self.assertEqual((python, results, len(lines)), ("/usr/bin/python3", "my-study.nc", 5))
        self.assertEqual(pathlib.Path(figures).read_text(), (SOURCE / "analysis" / "figures.py").read_text())

    def test_names(self):
        (self.at / "studies").mkdir()
        for name, path in (("wine", "wine.yaml"), ("b.yml", "b.yml"), ("studies/c.d", "studies/c.d.yaml")):
            self.init(name)
            self.assertTrue((self.at / path).is_file(), path)
        self.assertIn("nowhere/x.yaml: cannot be written", self.refused("nowhere/x"))

    def test_nothing_is_overwritten(self):
        (self.at / "my-study.yaml").write_text("mine\n")
        self.assertIn("my-study.yaml: is there already", self.refused())
        self.assertEqual((self.at / "my-study.yaml").read_text(), "mine\n")

    def test_names_with_spaces_can_be_pasted_into_a_shell(self):
        (self.at / "own.csv").write_text(table(40, 2))
        said = self.init("it's my house", "--csv", "own.csv", "--target", "price").stdout
        told = [shlex.split(line)[-1] for line in said.split("Next:\n")[1].splitlines()]
        self.assertEqual(told, ["it's my house.yaml", "it's my house.nc", "it's my house.nc"])

    def test_what_is_left_out_is_said_at_once(self):
        def change(row):
            i = int(row[0])
            return [*row[:2], "n.a." if i < 6 else row[2], "" if i % 10 == 0 else row[3], *row[4:]]

        (self.at / "own.csv").write_text(table(100, 4, change=change))
        said = self.init("own", "--csv", "own.csv", "--target", "price").stdout
        self.assertIn(
            "own.yaml: a study of own.csv, to be read and changed. 3 of 8 columns are features, 90 of 100 rows are complete. "
            "Left out: id (numbers the rows), colour (text), x0 (text in 5 cells), unit (the same number in every row). "
            "More in own.yaml. Next: ",
            " ".join(said.split()),
        )
        self.assertIn("# The fit has no intercept", (self.at / "own.yaml").read_text())

    def test_an_intercept_is_offered(self):
        study, (_, p, _) = self.of_table(table(60, 4))
        self.assertEqual(study.count("    # intercept: true # "), 1)
        (self.at / "own.yaml").write_text(study.replace("    # intercept", "    intercept"))
        plan = run("plan", "own.yaml", cwd=self.at, check=0).stdout
        self.assertIn(f"P = {p + 1} ({p} features and the intercept)", plan)

    def test_table_with_text_and_holes(self):
        def change(row):
            i = int(row[0])
            return [*(row[:3] + [""] + row[4:] if i % 20 == 0 else row), "" if i % 5 else row[0], "" if i % 2 else "oops", ""]

        study, (name, p, n_train) = self.of_table(table(200, 6, change=change, names=("rare", "note", "void")))
        self.assertEqual((name, p), ("own", 6))
        self.assertEqual(n_train, list(range(1, 25)))
        self.assertIn("features: [x0, x1, x2, x3, x4, x5]\n", study)
        self.assertIn("190 rows without a missing value and P = 6 features", study)
        for column, words in {
            "id": "numbers the rows",
            "colour": "text in 200 cells, the first is `red` in line 2",
            "x0": "numbers",
            "x1": "missing in 10 rows",
            "unit": "the same number",
            "price": "the target",
            "rare": "missing in 160 rows",
            "note": "text in 100 cells, the first is `oops` in line 3",
            "void": "has no value",
        }.items():
            self.assertRegex(study, rf"  # +\d+  {column} +.*{words}")

    def test_words_for_missing_values_are_those_of_the_manual(self):
        page = (SOURCE / "src" / "cli" / "ridgeless-study.5").read_text()
        lines = page.split("holds one of these words:\n")[1].split("They are those")[0].replace("\\-", "-")
        words = ["", *(word for word in re.findall(r'"([^"]*)"', lines) if word not in (", ", "."))]
        self.assertEqual(len(words), 20)
        holes = dict(zip(range(3, 200, 5), words))
        others = {1: "NAN", 2: "none", 6: "-", 7: "na"}  # capitals matter, and a dash is a text

        def change(row):
            i = int(row[0])
            row[3] = holes.get(i, row[3])
            return [*row, holes.get(i, "1" if i % 2 else "2"), others.get(i, "1")]

        study, _ = self.of_table(table(200, 2, change=change, names=("rare", "words")))
        self.assertIn("180 rows without a missing value and P = 3 features", study)
        for column, said in {
            "x1": "numbers; missing in 20 rows",
            "rare": "numbers; missing in 20 rows",
            "words": "text in 4 cells",
        }.items():
            self.assertRegex(study, rf"  # +\d+  {column} +.*{said}")

    def test_names_that_yaml_would_take_amiss(self):
        names = ["a: b", "it's #1", "'\"[x]\"'", "9", "true", "x\u00e9", "-", "same", "same"]
        rows = "".join(",".join(f"{(i * (j + 3)) % 11 + i % 2}" for j in range(len(names) + 2)) + "\n" for i in range(60))
        header = ",".join('"' + name.replace('"', '""') + '"' for name in ["", *names, "y"]) + "\n"
        study, (_, p, _) = self.of_table(header + rows, target="y")
        self.assertEqual(p, 9)
        self.assertIn("'it''s #1'", study)
        self.assertRegex(study, r"  # +9  same +left out: neither its name nor its number is its own")

    def test_other_separators_and_no_header(self):
        for delimiter, word in ((";", "semicolon"), ("\t", "tab"), ("|", "pipe"), (" ", "space")):
            study, (_, p, _) = self.of_table(table(40, 3, delimiter))
            self.assertEqual(p, 3)
            self.assertIn(f"    delimiter: {word}\n", study)
        study, (_, p, _) = self.of_table(table(40, 3, header=False, change=lambda row: row[2:]), target="5")
        self.assertEqual(p, 3)
        self.assertIn("header: false", study)
        self.assertIn("40 rows", study)

    def test_more_columns_than_rows(self):
        study, (_, p, n_train) = self.of_table(table(60, 300, change=lambda row: [cell[:12] for cell in row]))
        self.assertEqual(p, 20)
        self.assertLessEqual({19, 20, 21, 40}, set(n_train))
        self.assertIn("and 244 columns more", study)
        self.assertRegex(study, r"  x20 +numbers; left out: 60 rows allow 20 features, so that N can go beyond P\n")
        said = self.init("again", "--csv", "own.csv", "--target", "price").stdout
        self.assertIn("x20 (60 rows allow 20 features, so that N can go beyond P),", " ".join(said.split()))
        self.assertIn(" and 275 more.", " ".join(said.split()))

    def test_few_rows(self):
        for n_rows in (4, 5, 9):
            with self.subTest(n_rows):
                self.assertLess(max(self.of_table(table(n_rows, 2))[1][2]), n_rows)
        (self.at / "own.csv").write_text(table(3, 2))
        self.assertIn("3 rows", self.refused("few", "--csv", "own.csv", "--target", "price"))

    def test_the_table_is_found_from_where_the_study_lies(self):
        (self.at / "tables").mkdir()
        (self.at / "studies").mkdir()
        (self.at / "tables" / "own.csv").write_text(table(50, 3))
        self.init("studies/one", "--csv", "tables/own.csv", "--target", "price")
        self.init("two", "--csv", "tables/own.csv", "--target", "price")
        for path in ("studies/one.yaml", "two.yaml"):
            self.assertEqual(self.run_study(path)[:2], ("own", 3))

    def test_refusals(self):
        (self.at / "own.csv").write_text(table(20, 2))
        self.assertIn("`id`, `colour`, `x0`, `x1`, `unit`, `price`", self.refused("--csv", "own.csv"))
        self.assertIn("did you mean `price`?", self.refused("--csv", "own.csv", "--target", "prise"))
        self.assertIn("own.csv:2: `red`", self.refused("--csv", "own.csv", "--target", "colour"))
        self.assertIn("no.csv: cannot be read", self.refused("--csv", "no.csv", "--target", "y"))
        (self.at / "own.csv").write_text("a,y\nx,1\ny,2\nz,3\nw,4\n")
        self.assertIn(
            "own.csv:2: `x` in column 1, a is not a number; no column", self.refused("--csv", "own.csv", "--target", "y")
        )
        (self.at / "own.csv").write_text("a,y\n3,1\n3,2\n3,3\n3,4\n")
        self.assertIn("no column is left", self.refused("--csv", "own.csv", "--target", "y"))
        (self.at / "own.csv").write_text("a,price eur\n1,1\n3,2\n3,3\n3,4\n")
        self.assertIn("did you mean `price eur`?", self.refused("--csv", "own.csv", "--target", "price"))


if __name__ == "__main__":
    unittest.main()
