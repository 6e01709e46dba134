"""Bad input: one line that names file, line or key and what was expected, exit status 2, printed once on many ranks, nothing
left behind."""
import os
import pathlib
import tempfile
import unittest

from program import SOURCE, run

GOOD = """repeats: 2
n_train: [1, 2]
ablations: [none]
datasets:
  - {source: csv, name: mine, file: mine.csv, target: y}
"""
TABLE = "a,b,y\n" + "".join(f"{i},{i * i % 7},{i % 5}\n" for i in range(20))

# what is wrong: study text, table text, words that the message must have
CASES = {
    "ragged row": (GOOD, TABLE + "1,2\n", ["mine.csv:22", "3"]),
    "text in a number": (GOOD, TABLE + "1,two,3\n", ["mine.csv:22", "b", "two"]),
    "a column of text": (
        GOOD,
        TABLE.replace("\n", ",\n").replace("y,", "y,colour", 1) + "1,2,3,white\n",
        ["mine.csv:22: column `colour`: `white` is not a number", "; `except: [colour]` leaves the column out"],
    ),
    "a mistyped column": (GOOD.replace("target: y", "target: why"), TABLE.replace("y", "whey", 1), ["did you mean `whey`?"]),
    "a mistyped value": (GOOD.replace("target: y", "target: y, standardize: zscore"), TABLE, ["did you mean `z-score`?"]),
    "a mistyped ablation": (GOOD.replace("[none]", "[cutof: 1]"), TABLE, ["did you mean `cutoff`?", "`ridgeless ablations`"]),
    "nan": (GOOD, TABLE.replace("3,2,3", "3,inf,3"), ["mine.csv:5", "inf"]),
    "too large for a double": (GOOD, TABLE + "1,1e400,3\n", ["mine.csv:22", "1e400"]),
    "empty table": (GOOD, "", ["mine.csv", "empty"]),
    "header alone": (GOOD, "a,b,y\n", ["mine.csv"]),
    "binary junk": (GOOD, "a,b,y\n\x00\x01\x02\x7f\n", ["mine.csv"]),
    "missing column": (GOOD.replace("target: y", "target: z"), TABLE, ["z", "`a`, `b`, `y`"]),
    "target among features": (GOOD.replace("target: y", "target: y, features: [a, y]"), TABLE, ["y", "features"]),
    "N = 0": (GOOD.replace("[1, 2]", "[0, 2]"), TABLE, ["study.yaml:2", "n_train", "0"]),
    "N beyond the rows": (GOOD.replace("[1, 2]", "[1, 500]"), TABLE, ["study.yaml:2", "500", "20"]),
    "no test rows left": (GOOD.replace("[1, 2]", "[1, 20]"), TABLE, ["study.yaml:2", "20"]),
    "negative repeats": (GOOD.replace("repeats: 2", "repeats: -2"), TABLE, ["study.yaml:1", "repeats", "-2"]),
    "repeats as text": (GOOD.replace("repeats: 2", "repeats: many"), TABLE, ["study.yaml:1", "repeats", "many"]),
    "unknown dataset": (GOOD.replace("source: csv", "source: boston"), TABLE, ["study.yaml:5", "boston", "diabetes"]),
    "unknown ablation": (GOOD.replace("[none]", "[lasso]"), TABLE, ["study.yaml:3", "lasso", "ridge"]),
    "unknown key": (GOOD + "repeat: 3\n", TABLE, ["study.yaml:6", "repeat", "repeats"]),
    "duplicate key": (GOOD + "repeats: 3\n", TABLE, ["study.yaml:6", "repeats"]),
    "no repeats": (GOOD.replace("repeats: 2\n", ""), TABLE, ["study.yaml", "repeats"]),
    "tab": (GOOD + "\tseed: 1\n", TABLE, ["study.yaml:6"]),
    "unclosed": (GOOD + "seed: [1, 2\n", TABLE, ["study.yaml:"]),
    "binary study": ("\x00\x01\x02\x03", TABLE, ["study.yaml"]),
    "empty study": ("", TABLE, ["study.yaml"]),
    "a list for a study": ("- 1\n- 2\n", TABLE, ["study.yaml:1"]),
    "table is missing": (GOOD.replace("mine.csv", "no-such.csv"), TABLE, ["no-such.csv"]),
    "table is a directory": (GOOD.replace("mine.csv", "folder"), TABLE, ["folder", "directory"]),
    "parameter missing": (GOOD.replace("[none]", "[cutoff]"), TABLE, ["study.yaml:3", "cutoff"]),
    "parameter not wanted": (GOOD.replace("[none]", "[none: 3]"), TABLE, ["study.yaml:3", "none"]),
    "negative cutoff": (GOOD.replace("[none]", "[cutoff: -1]"), TABLE, ["study.yaml:3", "cutoff", "-1"]),
    "variant twice": (GOOD.replace("[none]", "[none, none]"), TABLE, ["study.yaml:3", "none"]),
    "unknown map": (GOOD.replace("target: y", "target: y, map: wavelets"), TABLE, ["study.yaml:5", "wavelets", "legendre"]),
    "map without n_features": (GOOD.replace("target: y", "target: y, map: random-relu"), TABLE, ["study.yaml:5", "n_features"]),
    "map of one input": (
        GOOD.replace("target: y", "target: y, map: legendre, n_features: 3"),
        TABLE,
        ["study.yaml:5", "legendre", "1 input", "there are 2"],
    ),
    "more features than there are": ("n_features: [1, 3]\n" + GOOD, TABLE, ["study.yaml:6", "n_features", "3"]),
    "inputs out of bounds": (
        GOOD.replace("target: y", "target: y, features: [a], map: chebyshev, n_features: 3"),
        TABLE,
        ["study.yaml:5", "chebyshev", "[-1, 1]"],
    ),
    "option of another map": (
        GOOD.replace("target: y", "target: y, map: {name: legendre, bias: 1}, n_features: 3"),
        TABLE,
        ["study.yaml:5", "bias"],
    ),
    "predictions without test points": ("keep: predictions\n" + GOOD, TABLE, ["study.yaml", "keep", "predictions"]),
    "steps on process grids": (
        "producer: two-stage\n" + GOOD.replace("[none]", "[gradient_descent_run: 3]"),
        TABLE,
        ["study.yaml:6", "gradient_descent_run", "one rank"],
    ),
    "constant column": (
        GOOD.replace("target: y", "target: y, standardize: unit-norm"),
        "a,b,y\n" + "1,2,3\n" * 9,
        ["mine.csv", "feature 1", "every row"],
    ),
}


class BadInput(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.at = pathlib.Path(folder.name)
        (self.at / "folder").mkdir()

    def write(self, study, table):
        (self.at / "study.yaml").write_text(study)
        (self.at / "mine.csv").write_text(table)

    def refused(self, done, words):
        lines = [line for line in done.stderr.splitlines() if line.startswith("ridgeless: ")]
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual(len(lines), 1, done.stderr)
        self.assertEqual(done.stdout, "")
        for word in words:
            self.assertIn(word, lines[0])

    def test_the_good_study_runs(self):
        self.write(GOOD, TABLE)
        run("run", "study.yaml", cwd=self.at, check=0)

    def test_inputs(self):
        for what, (study, table, words) in CASES.items():
            with self.subTest(what):
                self.write(study, table)
                done = run("run", "study.yaml", cwd=self.at)
                self.refused(done, words)
                self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
                self.assertEqual(sorted(os.listdir(self.at)), ["folder", "mine.csv", "study.yaml"])

    def test_once_on_three_ranks(self):
        for what in ("text in a number", "unknown key", "N beyond the rows"):
            with self.subTest(what):
                self.write(*CASES[what][:2])
                self.refused(run("run", "study.yaml", cwd=self.at, ranks=3), CASES[what][2])

    def test_study_files_that_are_none(self):
        self.refused(run("run", "missing.yaml", cwd=self.at), ["missing.yaml"])
        self.refused(run("run", "folder", cwd=self.at), ["folder", "directory"])

    def test_a_results_file_is_no_study(self):
        self.write(GOOD, TABLE)
        run("run", "study.yaml", "-q", cwd=self.at, check=0)
        for command in ("run", "plan", "status"):
            words = ["study.nc: is a results file", "ridgeless show study.nc"]
            self.refused(run(command, "study.nc", "-o", "new.nc", cwd=self.at), words)

    def test_names_without_their_ending(self):
        self.write(GOOD, TABLE)
        run("run", "study.yaml", "-q", cwd=self.at, check=0)
        for command, *arguments in (("run",), ("plan",), ("status",), ("bench", "study"), ("show",), ("diff", "study.nc")):
            name = "study.nc" if command in ("show", "diff") else "study.yaml"
            self.refused(run(command, *arguments, "study", cwd=self.at), [f"study: is not there; did you mean `{name}`?"])
        self.refused(run("run", "stud", cwd=self.at), ["stud: cannot be read"])

    def test_a_mistyped_data_set(self):
        self.write(GOOD, TABLE)
        self.refused(run("run", "study.yaml", "-D", "mien", cwd=self.at), ["`mien`", "did you mean `mine`?"])

    def test_command_lines(self):
        for arguments, words in (
            ([], ["command", "ridgeless init"]),
            (["walk"], ["walk"]),
            (["rnu"], ["`rnu`", "did you mean `run`?"]),
            (["a.yaml"], ["ridgeless run a.yaml"]),
            (["a.nc"], ["ridgeless show a.nc"]),
            (["run"], ["STUDY"]),
            (["run", "a", "b"], ["got 2 arguments", "(a name with a space needs quotes)"]),
            (["my house.yaml"], ["ridgeless run 'my house.yaml'"]),
            (["show", "it's.yaml"], ["ridgeless run 'it'\\''s.yaml'"]),
            (["run", "-n", "4", "my house.yaml"], ["mpirun -n 4 ridgeless run 'my house.yaml'"]),
            (["run", "--outptu", "x", "a"], ["--outptu"]),
            (["run", "--shedule=static", "a"], ["did you mean --schedule?"]),
            (["run", "--quiet=yes", "a"], ["--quiet takes no value"]),
            (["run", "-n", "4", "a.yaml"], ["mpirun -n 4 ridgeless run a.yaml"]),
            (["bench", "-n", "4", "study", "a.yaml"], ["mpirun -n 4 ridgeless bench ..."]),
            (["run", "a.yaml", "-np", "4"], ["mpirun -n N ridgeless run a.yaml"]),
            (["show", "a.yaml"], ["a.yaml: is a study", "ridgeless run a.yaml"]),
            (["run", "-o"], ["FILE"]),
            (["run", "--schedule", "fair", "a"], ["fair", "dynamic"]),
            (["run", "--schedule", "statik", "a"], ["did you mean `static`?"]),
            (["show"], ["FILE"]),
            (["bench", "walk", "a"], ["walk"]),
            (["bench", "calibrat"], ["did you mean `calibrate`?"]),
            (["bench", "spectrum", "9", "-p", "dgesd"], ["did you mean `dgesdd`?"]),
            (["bench", "layout", "x3"], ["bench layout: got `x3`; expected a size"]),
            (["bench", "layout", "9", "--grid", "100x1000"], ["--grid: got 100x1000; expected at most 4096 ranks"]),
            (["bench", "spectrum", "9", "--grid", "2"], ["--grid: got `2`; expected process rows x process columns"]),
            (["bench", "spectrum", "9", "--grid", "2x3"], ["2x3 does not use all of 1 rank; expected 1x1"]),
            (["init", "--target", "y"], ["--csv"]),
            (["ablations", "a"], ["1 argument"]),
            (["bench", "--repeats", "0", "study", "a"], ["0"]),
        ):
            with self.subTest(arguments):
                self.refused(run(*arguments, cwd=self.at), words)

    def test_a_command_line_is_refused_once_on_three_ranks(self):
        self.refused(run("run", "--nonsense", cwd=self.at, ranks=3), ["--nonsense"])

    def test_outputs_that_cannot_be_written(self):
        self.write(GOOD, TABLE)
        self.refused(run("run", "study.yaml", "-o", "no/such/folder/x.nc", cwd=self.at), ["no/such/folder"])
        self.refused(run("run", "study.yaml", "-o", "folder", cwd=self.at), ["folder"])

    def test_output_is_something_else(self):
        self.write(GOOD, TABLE)
        (self.at / "notes.nc").write_text("my notes")
        self.refused(run("run", "study.yaml", "-o", "notes.nc", cwd=self.at), ["notes.nc"])
        self.assertEqual((self.at / "notes.nc").read_text(), "my notes")

    def test_output_is_of_another_study(self):
        self.write(GOOD, TABLE)
        run("run", "study.yaml", "-o", "x.nc", cwd=self.at, check=0)
        before = (self.at / "x.nc").read_bytes()
        (self.at / "study.yaml").write_text(GOOD + "seed: 7\n")
        self.refused(run("run", "study.yaml", "-o", "x.nc", cwd=self.at), ["x.nc"])
        (self.at / "x.nc.journal").unlink()  # a study that only asks for more could go on with that
        (self.at / "study.yaml").write_text(GOOD.replace("[none]", "[none, no_residuals]"))
        self.refused(run("run", "study.yaml", "-o", "x.nc", cwd=self.at), ["x.nc"])
        self.assertEqual((self.at / "x.nc").read_bytes(), before)

    def test_show_of_what_is_no_results_file(self):
        self.write(GOOD, TABLE)
        for path in ("mine.csv", "folder", "missing.nc"):
            self.refused(run("show", path, cwd=self.at), [path])

    def test_missing_data_files_are_all_named(self):
        done = run("run", SOURCE / "jobs" / "paper.yaml", cwd=self.at, env={"RIDGELESS_DATA": ""})
        if done.returncode == 0:
            self.skipTest("the data files are installed")
        self.refused(done, ["data files are missing", "--skip-missing"])
        lines = done.stderr.splitlines()[1:]
        self.assertEqual(len(lines), 2, done.stderr)
        for line, name, file in zip(lines, ("california", "who"), ("cal_housing.data", "life_expectancy_who_rajarshi.csv")):
            self.assertRegex(line, rf"^  `{file}` of the dataset `{name}` \(line \d+\): jobs/download-data.sh")


if __name__ == "__main__":
    unittest.main()
