"""plan, status, show, datasets, ablations, maps, bench, --help and --version, as text and as JSON."""
import json
import os
import pathlib
import re
import shlex
import subprocess
import tempfile
import unittest

import netCDF4

import launcher
from program import PROGRAM, SOURCE, commands, copy_group, run

STUDY = """title: A small study
repeats: 4
n_train: {range: [5, 15]}
ablations: [none, cutoff: 0.1, leading_modes: 2, no_residuals]
datasets: [diabetes]
"""


class Commands(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.at = pathlib.Path(cls.folder.name)
        (cls.at / "study.yaml").write_text(STUDY)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_help_and_version_everywhere(self):
        self.assertIn("Commands:", run("--help", check=0).stdout)
        self.assertRegex(run("--version", check=0).stdout, r"^ridgeless \d+\.\d+\.\d+ \(.+\)\n$")
        for command in commands():
            done = run(command, "--help", check=0)
            self.assertIn(f"Usage: ridgeless {command}", done.stdout)
            self.assertIn("--help", done.stdout)
            self.assertEqual(done.stderr, "")
            self.assertIn("ridgeless ", run(command, "--version", check=0).stdout)

    def test_help_fits_on_a_terminal_speaks_of_its_command_alone_and_ends_with_an_example(self):
        for command in ([], *([name] for name in commands())):
            lines = run(*command, "--help", check=0).stdout.splitlines()
            self.assertEqual([line for line in lines if len(line) > 100], [])
            self.assertRegex(lines[-1], r"^  (mpirun -n \d+ (--oversubscribe )?)?ridgeless " + "".join(command))
        self.assertNotIn("bench calibrate the rates", run("plan", "--help", check=0).stdout)
        self.assertNotIn("--ranks", run("run", "--help", check=0).stdout)

    def test_help_is_printed_once_on_ranks(self):
        self.assertEqual(run("run", "--help", ranks=3, check=0).stdout.count("Usage:"), 1)
        self.assertEqual(run("datasets", ranks=2, check=0).stdout.count("Efron"), 1)

    def test_plan_then_run_then_status_and_show(self):
        def answer(*arguments):
            return json.loads(run(*arguments, "--json", cwd=self.at, check=0).stdout)

        plan = answer("plan", "study.yaml")
        self.assertEqual((plan["cells"], plan["spectra"], plan["curves"], plan["curves_done"]), (4 * 11 * 4, 44, 4, 0))
        self.assertEqual(plan["datasets"][0]["n_train"], list(range(5, 16)))
        self.assertGreater(plan["flops"], 0)
        self.assertFalse((self.at / "study.nc.journal").exists())
        self.assertEqual(answer("status", "study.yaml")["done"], 0)
        done = run("run", "study.yaml", cwd=self.at, check=0)
        self.assertEqual(done.stdout, "study.nc\n")
        self.assertIn("computed 176 errors of 44 training sets in ", done.stderr)
        self.assertEqual(answer("status", "study.yaml")["done"], 4)
        self.assertEqual(answer("plan", "study.yaml")["curves_done"], 4)
        self.assertIn("4 of 4 curves done", run("status", "study.yaml", cwd=self.at, check=0).stdout)
        shown = answer("show", "study.nc")
        self.assertEqual(shown["title"], "A small study")
        rows = {row["variant"]: row for row in shown["datasets"][0]["variants"]}
        self.assertGreater(rows["none"]["spike_height"], 1)
        self.assertEqual(rows["none"]["of_unablated"], 1)
        self.assertLess(rows["cutoff=0.1"]["of_unablated"], 1)
        self.assertEqual(rows["no_residuals"]["of_unablated"], 0)
        self.assertEqual((rows["leading_modes=2"]["modes_kept"], rows["none"]["modes_kept"]), (2, None))
        self.assertEqual((rows["none"]["role"], rows["no_residuals"]["role"]), ("fit", "factor"))
        text = run("show", "study.nc", cwd=self.at, check=0).stdout
        for word in ("diabetes", "P = 10", "N = 10", "leading_modes=2", "height", "2 of 10"):
            self.assertIn(word, text)

    def show(self, study, name):
        (self.at / f"{name}.yaml").write_text(study)
        run("run", f"{name}.yaml", "-q", cwd=self.at, check=0)
        text = run("show", f"{name}.nc", cwd=self.at, check=0).stdout
        return text, json.loads(run("show", f"{name}.nc", "--json", cwd=self.at, check=0).stdout)["datasets"][0]

    def test_show_groups_ablations_and_multiplies(self):
        study = STUDY.replace("[5, 15]", "[5, 20]").replace("repeats: 4", "repeats: 20")
        text, data = self.show(study.replace("no_residuals]", "no_residuals, ridge: 1, adversarial_test: 1]"), "grouped")
        table = text.split("\nmedian test error at N:")[0]
        heads = [line.strip() for line in table.splitlines() if re.match(r"  [a-z]", line)]
        self.assertEqual([head.split()[0] for head in heads], ["predicting", "median", "the", "the", "cures:", "attacks:"])
        self.assertEqual(heads[0], "predicting nothing: 2.9e4; predicting the mean: 5.9e3")
        self.assertRegex(heads[1], r"^median test error at +N = 5 +N = 10 +N = 20 +spike height +times `none` +modes kept$")
        rows = {row["variant"]: row for row in data["variants"]}
        for label, kept in (("none", "-"), ("leading_modes=2", "2 of 10"), ("cutoff=0.1", r"[\d.]+ of 10")):
            self.assertRegex(text, rf"(?m)^    {label} .* [\d.]+ \([\d.]+ to [\d.]+\) +[\d.]+ +{kept}$")
        self.assertRegex(text, r"(?m)^    no_residuals .*  0 +0 +-$")
        times = rows["adversarial_test=1"]["of_unablated"]
        self.assertGreater(times, 100)
        self.assertIn(f" {times:.0f} ", text)
        self.assertNotIn("%", table)
        errors = [rows["none"][key] for key in ("median_at_threshold", "median_at_flanks")]
        self.assertEqual(rows["none"]["spike_height"], errors[0] / max(errors[1]))
        largest = rows["none"]["median_at_largest_n"]
        self.assertRegex(
            table,
            rf"(?m)^  `none` at the largest N = {data['largest_n']}: [\d.e]+; at the threshold {errors[0] / largest:.2g} times",
        )
        self.assertLess(rows["none"]["spike_height_low"], rows["none"]["spike_height"])

    def test_show_compares_nothing_with_rounding(self):
        study = STUDY.replace("diabetes", "{source: student-teacher, features: 10, hidden_features: 10, rows: 60}")
        text, data = self.show(study.replace("[5, 15]", "[5, 20]"), "exact")
        self.assertIn("(the unablated error at N = 10 is zero but for rounding: no error is compared with it)", text)
        self.assertEqual({row["of_unablated"] for row in data["variants"]}, {None})
        self.assertEqual(data["variants"][0]["spike_height"], 0)
        self.assertRegex(text, r"(?m)^    none .*  0 +- +-$")

    def test_show_without_flanks_and_of_an_older_file(self):
        text, data = self.show(STUDY.replace("{range: [5, 15]}", "[9, 10]"), "narrow")
        self.assertIn("(no spike height: the study does not have N near P/2, P and 2P)", text)
        self.assertEqual((data["flank_n"], data["variants"][0]["spike_height"]), ([None, None], None))
        new = {"role", "flank", "null_mse", "target_variance", "threshold_n_train", "flank_n_train", "modes_kept_median"}
        with netCDF4.Dataset(self.at / "narrow.nc") as source, netCDF4.Dataset(self.at / "older.nc", "w") as to:
            copy_group(source, to, lambda name: name in new or name.startswith("spike_"))
        text = run("show", "older.nc", cwd=self.at, check=0).stdout
        self.assertIn("(an older version wrote this file: no spike heights, no flanks and no modes are in it)", text)
        self.assertRegex(text, r"(?m)^  cures:|^  the three factors")
        self.assertIn("N = 10", text)

    def test_plan_text(self):
        text = run("plan", SOURCE / "jobs" / "quickstart.yaml", cwd=self.at, check=0).stdout
        for word in ("errors", "training sets", "24 ablations", "memory per rank", "estimated time", "advised", "Use 1 rank"):
            self.assertIn(word, text)

    def test_datasets(self):
        listed = json.loads(run("datasets", "--json", check=0).stdout)
        rows = {row["name"]: row for row in listed["datasets"]}
        self.assertEqual(
            set(rows),
            {"student-teacher", "gaussian", "california", "diabetes", "who", "who-fixed", "csv", "netcdf", "function", "sphere"},
        )
        self.assertEqual((rows["diabetes"]["rows"], rows["diabetes"]["threshold"]), (442, 10))
        for name, n_rows, n_features in (("california", 20640, 8), ("who", 1649, 17), ("who-fixed", 2864, None)):
            if rows[name]["available"]:
                self.assertEqual(rows[name]["rows"], n_rows)
                self.assertIn(rows[name]["n_features"], (n_features, rows[name]["threshold"]))
            else:
                self.assertTrue(rows[name]["missing_file"])
        text = run("datasets", check=0).stdout
        self.assertIn("442 rows, 10 features: threshold at N = 10", text)
        self.assertIn(" 1 feature: threshold at N = 1\n", text)
        self.assertIn("ridgeless maps", text)

    def listed(self, command, names):
        """The rows of a listing, which has the same lines to paste as text."""
        rows = json.loads(run(command, "--json", check=0).stdout)[command]
        self.assertEqual([row["name"] for row in rows], names)
        text = run(command, check=0).stdout
        for row in rows:
            self.assertIn(row["summary"].split()[0], text)
            self.assertIn(f" - {row['example']}\n", text)
        return {row["name"]: row for row in rows}

    def test_ablations_can_be_pasted(self):
        names = ["none", "cutoff", "leading_modes", "no_residuals", "adversarial_test", "adversarial_train", "ridge"]
        names += ["ridge_best", "ridge_gcv", "ridge_loo", "gradient_descent", "gradient_descent_best", "gradient_descent_run"]
        rows = self.listed("ablations", [*names, "bagging", "bagging_limit", "normal_equations", "svd"])
        heads = re.findall(r"(?m)^(?!Lines)[a-z].*$", run("ablations", check=0).stdout)
        self.assertEqual([head.split()[0] for head in heads], ["the", "the", "cures:", "attacks:", "solvers:"])
        self.assertEqual(
            [rows[name]["role"] for name in ("none", "no_residuals", "ridge", "adversarial_test", "svd")],
            ["fit", "factor", "cure", "attack", "solver"],
        )
        self.assertIsNone(rows["none"]["parameter"])
        self.assertIn("singular value", rows["cutoff"]["parameter"]["meaning"])
        self.assertEqual([option["key"] for option in rows["cutoff"]["options"]], ["relative"])
        lines = "".join(f"  - {row['example']}\n" for row in rows.values())
        (self.at / "all.yaml").write_text(f"repeats: 1\nn_train: [9]\ndatasets: diabetes\nablations:\n{lines}")
        run("run", "all.yaml", "-q", cwd=self.at, check=0)

    def test_maps_can_be_pasted(self):
        rows = self.listed("maps", ["identity", "legendre", "chebyshev", "random-fourier", "random-relu"])
        self.assertEqual([option["key"] for option in rows["random-relu"]["options"]], ["weights", "bias", "draw"])
        for name, row in rows.items():
            (self.at / "map.yaml").write_text(f"repeats: 1\nn_train: [9]\nablations: none\ndatasets:\n  - {row['example']}\n")
            run("run", "map.yaml", "-q", "-o", f"{name}.nc", cwd=self.at, check=0)

    def test_missing_files_are_looked_for_by_name(self):
        text = run("datasets", "--data", self.at, env={"RIDGELESS_DATA": "/nowhere/else"}, check=0).stdout
        if "missing: cal_housing.data" not in text:
            self.skipTest("california is installed")
        self.assertIn(str(self.at), text)
        self.assertIn("/nowhere/else", text)

    def test_plan_of_process_grids(self):
        """A study that no test could run: how many ranks, with how much memory, and what is too few."""
        (self.at / "large.yaml").write_text(
            "repeats: 2\nn_train: {ratios: [0.5, 1, 2]}\nablations: [none, cutoff: 0.1]\n"
            "datasets: [{source: student-teacher, draw: fresh, rows: 40500, features: 20000, hidden_features: 20000}]\n"
        )
        options = ["plan", "large.yaml", "--memory", "64GiB", "--json"]
        plan = json.loads(run(*options, cwd=self.at, check=0).stdout)
        large = plan["datasets"][0]
        self.assertEqual((large["way"], large["producer"]), ("full spectra on process grids", "two-stage"))
        self.assertEqual(plan["curves"], 6)
        share = 8 * 40500 * 20000 / large["ranks_per_case"]
        self.assertGreater(large["bytes_per_rank_of_largest_case"], share)
        self.assertLess(large["bytes_per_rank_of_largest_case"], 3 * share)
        more = json.loads(run(*options, "--ranks", 64, cwd=self.at, check=0).stdout)
        self.assertEqual(more["datasets"][0]["groups"] * more["datasets"][0]["ranks_per_case"] <= 64, True)
        self.assertLess(more["seconds"], plan["seconds_on_fewest_ranks"])
        for words, reason in ((["--ranks", 2], "pdgemr2d"), (["--ranks", 8, "--memory", "1GiB"], "GiB per rank")):
            done = run(*options, *words, cwd=self.at, check=2)
            self.assertEqual(len(done.stderr.splitlines()), 1)
            self.assertIn(reason, done.stderr)
            self.assertRegex(done.stderr, r"large.yaml: dataset `student-teacher`: N = \d+, P = 20000 .* use at least \d+ ranks")
        done = run("run", "large.yaml", "--memory", "1GiB", cwd=self.at, ranks=2, check=2)
        self.assertIn("use at least", done.stderr)

    def test_bench(self):
        speed = json.loads(run("bench", "study", "study.yaml", "--repeats", "20", "--json", cwd=self.at, check=0).stdout)
        self.assertEqual((speed["spectra"], speed["ranks"]), (220, 1))
        self.assertGreater(speed["cells_per_second"], 0)
        speed = json.loads(run("bench", "study", "study.yaml", "--repeats", "3", "--json", cwd=self.at, ranks=2, check=0).stdout)
        self.assertEqual((speed["spectra"], speed["ranks"]), (33, 2))

    def test_bench_layout(self):
        """Against the definition: block (i, j) lies on process (i mod R, j mod C), ranks row by row."""
        for size, block, rows, columns in (("12", 2, 2, 3), ("13x7", 3, 3, 2), ("5", 8, 2, 2), ("40x9", 1, 1, 4)):
            words = ("bench", "layout", size, "-b", block, "--grid", f"{rows}x{columns}")
            answer, text = json.loads(run(*words, "--json", check=0).stdout), run(*words, check=0).stdout
            m, n = int(size.split("x")[0]), int(size.split("x")[-1])
            owner = [[i // block % rows * columns + j // block % columns for j in range(n)] for i in range(m)]
            owners = [row[::block][:24] for row in owner[::block][:24]]
            self.assertEqual(answer["owners"], owners)
            drawn = re.findall(r"^ *\d[-\d]*  +([\d ]+)(?: \.\.\.)?$", text.split("\n\n")[1], re.M)
            self.assertEqual([[int(o) for o in row.split()] for row in drawn], owners)
            for key, first in (("entries", (0, 0)), ("entries_of_last_half", (m // 2, n // 2))):
                entries = [0] * (rows * columns)
                for row in owner[first[0] :]:
                    for o in row[first[1] :]:
                        entries[o] += 1
                self.assertEqual([rank[key] for rank in answer["of_ranks"]], entries)
                name = "load_imbalance" + key.removeprefix("entries")
                self.assertAlmostEqual(answer[name], max(entries) * len(entries) / sum(entries))
        self.assertIn("grid of 1 x 2, 2 ranks", run("bench", "layout", "9", ranks=2, check=0).stdout)

    def test_bench_spectrum(self):
        answer = json.loads(run("bench", "spectrum", "90x60", "-t", "20", "-b", "16", "--json", ranks=2, check=0).stdout)
        self.assertEqual((answer["n_train"], answer["n_features"], answer["ranks"]), (90, 60, 2))
        rows = {row["producer"]: row for row in answer["producers"]}
        self.assertEqual(set(rows), {"pdgesvd", "projected", "two-stage", "dgesdd"})
        for row in rows.values():
            self.assertAlmostEqual(row["sigma_min"] / rows["dgesdd"]["sigma_min"], 1, delta=1e-12)
            self.assertAlmostEqual(row["sigma_max"] / rows["dgesdd"]["sigma_max"], 1, delta=1e-13)
        self.assertEqual((answer["grid_rows"], answer["grid_columns"], answer["threads"]), (1, 2, 1))
        self.assertTrue(all(answer["roofs"][f"{name}_per_second"] > 0 for name in ("flops", "memory_bytes", "cache_bytes")))
        for name in ("pdgesvd", "projected", "two-stage"):
            parts, predicted = rows[name]["parts"], rows[name]["predicted"]
            self.assertEqual(list(parts), ["generate", "reduce", "project", "diagonalize"])
            self.assertAlmostEqual(sum(part["flops"] for part in parts.values()) / predicted["flops"], 1)
            for part, said in parts.items():
                self.assertEqual(said["seconds"], rows[name][f"{part}_seconds"])
            self.assertGreater(sum(part["message_bytes"] for part in parts.values()), 0)
            rest = [f"{part}_seconds" for part in parts if part != "generate"]  # generating is told beside the seconds
            self.assertAlmostEqual(predicted["seconds"], sum(predicted[part] for part in rest), delta=1e-9)
            self.assertGreaterEqual(rows[name]["seconds"], sum(rows[name][part] for part in rest))
        self.assertNotIn("parts", rows["dgesdd"])
        tall = run("bench", "spectrum", "90x60", "-t", "20", "-b", "16", "-p", "two-stage", "--grid", "2x1", "--json", ranks=2)
        tall = json.loads(tall.stdout)
        self.assertEqual((tall["grid_rows"], tall["grid_columns"]), (2, 1))
        self.assertAlmostEqual(tall["producers"][0]["sigma_min"] / rows["dgesdd"]["sigma_min"], 1, delta=1e-12)
        self.assertIn("projected", run("bench", "spectrum", "30", "-p", "projected", check=0).stdout)
        rounds = json.loads(run("bench", "spectrum", "30", "-r", "3", "--json", check=0).stdout)["producers"]
        for producer in rounds:
            self.assertEqual(len(producer["rounds"]), 3)
            self.assertEqual(sorted(producer["rounds"])[1], producer["seconds"])
        self.assertEqual(
            (rows["dgesdd"]["threads"], rows["dgesdd"]["stands_for_ranks"]), (min(2, len(os.sched_getaffinity(0))), 2)
        )
        for words in (["spectrum", "0"], ["spectrum", "3x"], ["spectrum", "many"], ["spectrum", "9", "-p", "magic"]):
            self.assertEqual(run("bench", *words).returncode, 2)

    def test_bench_spectrum_gives_dgesdd_the_processors_of_all_ranks(self):
        def processors(ranks):
            bound = "--bind-to core".split() if launcher.version()[0] == "openmpi" else "-bind-to core".split()
            command = [launcher.MPIEXEC, *bound, "-n", str(ranks), PROGRAM, "bench", "spectrum", "30", "-p", "dgesdd", "--json"]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            (row,) = json.loads(done.stdout)["producers"]
            self.assertEqual((row["threads"], row["stands_for_ranks"]), (ranks, ranks))
            return row["processors"]

        if len(os.sched_getaffinity(0)) < 2:
            self.skipTest("two ranks that are bound to a core each want two processors")
        one = processors(1)
        self.assertGreater(processors(2), one)

    def test_bench_spectrum_says_once_how_dgesdd_failed(self):
        failing = {"LD_PRELOAD": os.environ["RIDGELESS_NO_CONVERGENCE"]}
        done = run("bench", "spectrum", "30", "-p", "dgesdd", ranks=2, env=failing, check=1)
        self.assertEqual(done.stderr.count("ridgeless: dgesdd in a process of its own: LAPACK dgesdd: info = 1"), 1)
        self.assertEqual(done.stdout, "")

    def answers(self):
        """A command line for each command, and for each other thing that is asked for on standard output."""
        run("run", "study.yaml", "-q", "-o", "there.nc", cwd=self.at, check=0)
        asked = {
            "init": [["init", "new"]],
            "run": [["run", "study.yaml", "-o", "there.nc"]],
            "retry": [["retry", "study.yaml", "-o", "there.nc"]],
            "assemble": [["assemble", "study.yaml", "-o", "there.nc"]],
            "plan": [["plan", "study.yaml"], ["plan", "study.yaml", "--sbatch"], ["plan", "study.yaml", "--compare", "there.nc"]],
            "status": [["status", "study.yaml"]],
            "show": [["show", "there.nc"]],
            "diff": [["diff", "there.nc", "there.nc"]],
            "bench": [["bench", "spectrum", "20"], ["bench", "study", "study.yaml"]],
        }
        lists = [line for command in commands() for line in asked.get(command, [[command]])]
        json_too = [[*line, "--json"] for line in lists if line[0] != "init" and "--sbatch" not in line]
        return [*lists, *json_too, ["--help"], ["--version"], *([command, "--help"] for command in commands())]

    def answer_to(self, line, shell):
        """The exit status and the errors, where standard output is what the shell says."""
        (self.at / "new.yaml").unlink(missing_ok=True)
        command = f"{shlex.join(map(str, [PROGRAM, *line]))} {shell}"
        done = subprocess.run(["bash", "-c", command], cwd=self.at, stderr=subprocess.PIPE, text=True)
        return done.returncode, [text for text in done.stderr.splitlines() if "standard output" in text]

    def test_an_answer_that_cannot_be_written_is_an_error_of_every_command(self):
        """Reported of many programs, as of GNU's before they closed standard output themselves."""
        for line in self.answers():
            with self.subTest(" ".join(line)):
                wanted = ["ridgeless: standard output: cannot be written: No space left on device"]
                self.assertEqual(self.answer_to(line, ">/dev/full"), (1, wanted))
        for line in (["datasets"], ["run", "study.yaml", "-o", "there.nc"], ["init", "new"]):
            wanted = ["ridgeless: standard output: cannot be written: it is closed"]
            self.assertEqual(self.answer_to(line, ">&-"), (1, wanted))
        self.assertEqual((self.at / "new.yaml").read_text().count("Next:"), 0, "the answer went into a file")

    def test_a_reader_that_has_gone_ends_a_command_by_the_usual_signal(self):
        status, said = self.answer_to(["datasets"], "| true; (exit ${PIPESTATUS[0]})")
        self.assertIn(status, (0, 141), said)  # 0: it was done before
        self.assertEqual(said, [])

    def test_errors_that_cannot_be_written_leave_the_exit_status(self):
        """Where the run ends well, that messages are lost on a full disk is an error; that nobody wants any is none."""
        for line, status, of_full in (
            (["show", "study.yaml"], 2, 2),
            (["nope"], 2, 2),
            (["run", "study.yaml", "-o", "there.nc"], 0, 1),
        ):
            self.assertEqual(self.answer_to(line, "2>/dev/full >/dev/null"), (of_full, []))
            self.assertEqual(self.answer_to(line, "2>&- >/dev/null"), (status, []))

    def test_quiet_says_nothing(self):
        done = run("run", "study.yaml", "-q", "-o", "quiet.nc", cwd=self.at, check=0)
        self.assertEqual((done.stdout, done.stderr), ("quiet.nc\n", ""))

    def test_verbose_says_where_data_come_from(self):
        said = run("run", "study.yaml", "-v", "-o", "verbose.nc", cwd=self.at, check=0).stderr
        self.assertRegex(said, r"diabetes: 442 rows, 10 features, from .*diabetes_data_raw\.csv\.gz")
        for phase in (
            "start of MPI",
            "study, data sets and journal",
            "computing",
            "waiting, or serving",
            "records into the journal",
            "results: writing",
        ):
            self.assertRegex(said, rf"  {phase} +\d+\.\d\d\d\n")
        self.assertRegex(said, r"a rank had \d+ % of a processor")
        self.assertNotIn("442 rows", run("run", "study.yaml", "-o", "plain.nc", cwd=self.at, check=0).stderr)


if __name__ == "__main__":
    unittest.main()
