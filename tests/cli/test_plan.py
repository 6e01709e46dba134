"""`plan`: its advice, `--compare` with what runs measured, and batch scripts for what Slurm, played by a line of shell, says."""
import json
import os
import pathlib
import re
import stat
import tempfile
import time
import unittest

import netCDF4
from program import copy_group, run, seal

STUDY = """repeats: 400
n_train: [5, 10, 15]
ablations: [none, no_residuals]
datasets:
  - diabetes
  - {source: student-teacher, name: made, rows: 60, features: 8, hidden_features: 12}
"""
GRIDS = STUDY.replace("hidden_features: 12}", "hidden_features: 12, producer: projected, ranks_per_case: 3}")
LARGE = """repeats: 1
n_train: [6000]
ablations: [none, cutoff: 1]
producer: projected
datasets: [{source: student-teacher, rows: 6500, features: 6000, hidden_features: 6000, draw: fresh}]
"""
TRAININGS = """repeats: 2
autoencoders: [{name: toy, n_features: 20, sparsity: 0.9, hidden: 2, n_train: [5, 10], n_test: 20, steps: 10}]
"""
NUMBERS = """normals word_blocks gemm_flops narrow_flops packing_bytes triangle_flops outputs_flops panel_flops gemv_alone_bytes
rotations pdgesvd_rotations band_rotations message_bytes journal_bytes results_bytes""".split()
SECONDS = "cell tridiagonal bidiagonal band column message start launch group record".split()
RANKS = [str(2**i) for i in range(13)]
TABLES = ("gemv_bytes", "dense_flops", "updates_flops", "lanes_flops")
# Two nodes of eight cores, one of sixteen; and a partition that is not the default one.
SINFO = "small*|1:00:00|1-infinite|2|2|4|16000\\nsmall*|1:00:00|1-infinite|1|2|8|32000\\nlong|infinite|1-2|9|1|4|8000\\n"


def make_rates(flops, journal=1e18):
    """So many flops per second in all spectra, and next to no time for all else."""
    return {
        **{"host": "test", "blas": "test", "date": "2026-01-01", "cores": 1, "process_bytes": 1},
        **{f"{name}_per_second": 1e18 for name in NUMBERS},
        **{f"{name}_seconds": 1e-18 for name in SECONDS},
        **{f"{name}_per_second": [[8, flops]] for name in TABLES},
        "journal_bytes_per_second": journal,
    }


class Plan(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.at = pathlib.Path(folder.name)
        (self.at / "study.yaml").write_text(STUDY)

    def plan(self, *arguments, status=0, **others):
        return run("plan", "study.yaml", *arguments, cwd=self.at, check=status, **others)

    def answer(self, *arguments):
        return json.loads(self.plan(*arguments, "--json").stdout)

    def rates(self, *numbers, **others):
        (self.at / "rates.json").write_text(json.dumps(make_rates(*numbers, **others)))
        return "--rates", "rates.json"

    def rates_for(self, seconds):
        """With which one rank takes so long."""
        at_one = self.answer(*self.rates(1e6), "--ranks", 1)["compute_seconds"]
        return self.rates(1e6 * at_one / seconds)

    # ---- advice

    def test_one_rank_is_advised_for_a_short_study(self):
        plan = self.answer("--rates", self.shipped())
        self.assertEqual((plan["ranks_worth_using"], plan["ranks"], plan["fewest_ranks"]), (1, 1, 1))
        ranks = [choice["ranks"] for choice in plan["choices"]]
        self.assertEqual(ranks, sorted(set(ranks)))
        self.assertIn(plan["cores_per_node"], ranks)
        self.assertRegex(plan["advice"], r"^Use 1 rank: it takes [\d.]+ m?s; more ranks gain (nothing|little)\.$")
        for choice in plan["choices"]:
            parts = [choice[f"{part}_seconds"] for part in ("start", "compute", "results")]
            self.assertGreaterEqual(choice["seconds"], sum(parts))
        self.assertEqual(plan["seconds"], plan["choices"][0]["seconds"])

    def shipped(self):
        """The file of the shipped rates."""
        made = {**make_rates(1e9), "start_seconds": 0.1, "launch_seconds": 0.7}
        (self.at / "shipped.json").write_text(json.dumps(made))
        return "shipped.json"

    def test_no_second_node_while_one_does_it_within_ten_minutes(self):
        cores = self.answer()["cores_per_node"]
        plan = self.answer(*self.rates_for(cores * 500))
        self.assertEqual((plan["ranks_worth_using"], plan["nodes"]), (cores, 1))
        most = plan["choices"][-1]
        self.assertGreater(most["nodes"], 1)
        self.assertIn(f"{most['ranks']} ranks on {most['nodes']} nodes would take", plan["advice"])
        self.assertIn("but one node is fast enough", plan["advice"])

    def test_more_nodes_for_a_long_study_until_ten_minutes(self):
        cores = self.answer()["cores_per_node"]
        plan = self.answer(*self.rates_for(cores * 2000))
        self.assertEqual((plan["ranks"], plan["nodes"]), (4 * cores, 4))
        self.assertLess(plan["seconds"], 600)
        self.assertIn("on 4 nodes", plan["advice"])
        self.assertIn("on one node 33 min", plan["advice"])

    def test_what_rank_0_keeps_does_not_shrink(self):
        plan = self.answer(*self.rates(1e15, journal=1e4))
        self.assertEqual(plan["ranks_worth_using"], 1)
        one, two = (self.answer("--rates", "rates.json", "--ranks", ranks) for ranks in (1, 2))
        self.assertGreater(one["seconds"], 10)
        self.assertAlmostEqual(two["seconds"] / one["seconds"], 1, delta=0.01)

    def test_what_a_variant_takes_side_by_side(self):
        """Beside its flops: nothing where it is a truncation, which all spectra have at hand."""
        (self.at / "rates.json").write_text(json.dumps({**make_rates(1e18), "cell_seconds": 1}))
        words = "--rates", "rates.json", "--ranks", 1
        self.assertLess(self.answer(*words)["compute_seconds"], 1)
        (self.at / "study.yaml").write_text(STUDY.replace("no_residuals]", "no_residuals, ridge: [0.1, 1]]"))
        self.assertAlmostEqual(self.answer(*words)["compute_seconds"], 2 * 400 * 3 * 2, delta=1)

    # ---- scaling

    def scaling(self, *arguments):
        """By the number of ranks, held to what each line says of itself."""
        answer = self.answer("--scaling", *arguments)
        points = answer["scaling"]
        self.assertTrue(answer["predicted"])
        self.assertEqual([p["ranks"] for p in points], [2**i for i in range(13)])
        holding = [p for p in points if p["holds"]]
        first, pays = holding[0], holding[0]
        for p in holding:
            parts = p["seconds_by_bound"]
            self.assertAlmostEqual(sum(parts.values()) / p["seconds"], 1, places=9)
            self.assertEqual(p["bound_by"], max(parts, key=parts.get))
            self.assertAlmostEqual(p["efficiency"], first["seconds"] * first["ranks"] / (p["seconds"] * p["ranks"]), places=9)
        for p in holding[1:]:
            if p["seconds"] >= 0.7 * pays["seconds"]:
                break
            pays = p
        self.assertEqual(answer["pays_up_to_ranks"], pays["ranks"])
        return {p["ranks"]: p for p in points}

    def test_scaling_as_far_as_there_are_tasks(self):
        points = self.scaling(*self.rates_for(1e6))
        self.assertEqual(points[64]["bound_by"], "compute")
        self.assertAlmostEqual(points[64]["efficiency"], 1, delta=0.05)
        self.assertEqual(points[4096]["bound_by"], "few tasks")  # of 800 curves
        self.assertEqual(points[4096]["seconds"], points[2048]["seconds"])

    def test_scaling_where_rank_0_or_the_file_is_slow(self):
        points = self.scaling(*self.rates(1e9, journal=1e3))
        self.assertEqual({points[ranks]["bound_by"] for ranks in points}, {"rank 0"})
        slow = {**make_rates(1e9), "results_bytes_per_second": 1e3}
        (self.at / "rates.json").write_text(json.dumps(slow))
        self.assertEqual(self.scaling("--rates", "rates.json")[8]["bound_by"], "file")
        slow = {**make_rates(1e12), "record_seconds": 10}  # of two data sets
        (self.at / "rates.json").write_text(json.dumps(slow))
        points = self.scaling("--rates", "rates.json")
        self.assertEqual(points[8]["bound_by"], "rank 0")
        self.assertAlmostEqual(points[8]["seconds"], 800 * 10, delta=1)
        slow = {**make_rates(1e12), "launch_seconds": 1e3}
        (self.at / "rates.json").write_text(json.dumps(slow))
        self.assertEqual(self.scaling("--rates", "rates.json")[8]["bound_by"], "start")

    def test_scaling_of_grids_that_few_ranks_do_not_hold(self):
        (self.at / "study.yaml").write_text(GRIDS)
        points = self.scaling("--rates", self.shipped())
        self.assertEqual([points[ranks]["holds"] for ranks in (1, 2, 4)], [False, False, True])
        self.assertEqual(points[4]["efficiency"], 1)

    def test_scaling_in_words(self):
        said = self.plan("--scaling", "--rates", "cluster").stdout
        self.assertIn("\npredicted, not measured\nrates            shipped, of no machine: a typical cluster", said)
        self.assertIn("\nnodes            of 64 cores and 256 GiB\n", said)
        lines = re.findall(
            r"^ +(\d+) +(\d+) +[\d.e+-]+ s +[\d.e+-]+ % +\S+ \S+   (\w[\w ]+?) +([CRMBT0FS]+)$", said, re.MULTILINE
        )
        self.assertEqual([(int(ranks), int(nodes)) for ranks, nodes, _, _ in lines], [(r, -(-r // 64)) for r in map(int, RANKS)])
        legend = re.search(r"^bars: (.*)$", said, re.MULTILINE).group(1)
        self.assertEqual({word[0] for word in legend.split(", ")}, set("".join(bar for _, _, _, bar in lines)))
        self.assertTrue(all(len(bar) == 30 for _, _, _, bar in lines))
        self.assertRegex(said, r"\n\nMore ranks than 1 do not pay: twice as many would take less than three tenths off\.\n$")

    def test_scaling_goes_alone(self):
        for other in (["--sbatch"], ["--ranks", 2], ["--compare", "x.nc"]):
            said = self.plan("--scaling", *other, status=2).stderr
            self.assertEqual(said, f"ridgeless: plan: --scaling and {other[0]} do not go together; expected one of them\n")

    def test_what_is_asked_for_is_a_line_of_the_table(self):
        text = self.plan("--ranks", 3).stdout
        self.assertRegex(text, r"\n +3 +\d+ +\S+ \S+ +\S+ \S+   asked for\n")
        self.assertRegex(text, r"\n +1 +1 .*   advised\n")
        self.assertRegex(text, r"\n\nUse 1 rank: .*\.\n$")

    def test_the_fewest_ranks_that_do(self):
        (self.at / "study.yaml").write_text(GRIDS)
        plan = self.answer()
        self.assertEqual((plan["fewest_ranks"], plan["choices"][0]["ranks"]), (3, 3))
        self.assertIn("Use 3 ranks", plan["advice"])
        self.assertIn("the fewest that do", plan["advice"])
        self.assertIn("the run has 2", self.plan("--ranks", 2, status=2).stderr)
        text = self.plan("--ranks", 6).stdout
        self.assertIn("each training set is on 3 ranks, a process grid of 1 x 3; 2 such groups work at the same time", text)
        self.assertRegex(text, r"the largest training set takes .* per rank, and needs at least 1 rank\n")

    def test_the_shape_of_a_grid(self):
        """A thin grid has larger panels and moves more: its prediction says so."""
        found = {}
        for shape in ("4x4", "1x16", "16x1"):
            (self.at / "study.yaml").write_text(f"grid: {shape}\n" + LARGE)
            found[shape] = self.answer("--rates", "cluster")["datasets"][0]
            self.assertEqual(f"{found[shape]['grid_rows']}x{found[shape]['grid_columns']}", shape)
        for key in ("seconds_of_largest_case", "bytes_per_rank_of_largest_case"):
            self.assertGreater(min(found["1x16"][key], found["16x1"][key]), found["4x4"][key], key)
        self.assertIn("a process grid of 16 x 1", self.plan("--ranks", 16).stdout)

    def test_one_value_is_no_range(self):
        curves = STUDY.replace("repeats: 400\n", "").replace("[5, 10, 15]", "10")
        (self.at / "study.yaml").write_text(TRAININGS.replace("[5, 10]", "10") + curves)
        text = self.plan().stdout
        self.assertIn("  diabetes           P = 10, N = 10, 2 ablations, 2 repeats;", text)
        self.assertIn("m = 2, T = 10, 2 repeats;", text)

    def test_one_case_on_a_process_grid_takes_what_it_takes_among_others(self):
        found = []
        for n_train in ("[400]", "[399, 400]"):
            study = GRIDS.replace("  - diabetes\n", "").replace("[5, 10, 15]", n_train).replace("repeats: 400", "repeats: 2")
            (self.at / "study.yaml").write_text(
                study.replace("rows: 60, features: 8, hidden_features: 12", "rows: 600, features: 400, hidden_features: 400")
            )
            found.append(self.answer()["datasets"][0])
        for key in ("seconds_of_largest_case", "bytes_per_rank_of_largest_case"):
            self.assertEqual(found[0][key], found[1][key], key)

    def test_a_study_that_is_done(self):
        run("run", "study.yaml", "-q", cwd=self.at, check=0)
        self.assertRegex(self.plan().stdout, r"\nrates .*\n\nEverything is computed; nothing to run\.\n$")

    # ---- compare

    def compare(self, *arguments):
        answer = json.loads(self.plan("--compare", "study.nc", "--json", *arguments).stdout)
        return answer, {line["name"]: line for line in answer["compared"]}

    def test_predicted_beside_measured(self):
        run("run", "study.yaml", "-q", ranks=2, cwd=self.at, check=0)
        answer, lines = self.compare()
        self.assertEqual(answer["ranks"], 2)
        for name in ("diabetes", "made", "computing, by the clock", "memory per rank"):
            line = lines[name]
            self.assertGreater(line["predicted"], 0, name)
            self.assertGreater(line["measured"], 0, name)
            self.assertAlmostEqual(line["ratio"], line["measured"] / line["predicted"], places=9)
        text = self.plan("--compare", "study.nc").stdout
        self.assertRegex(text, r"\n +predicted +measured +ratio\nall ranks together:\n  diabetes .*\n  made .*\ncomputing, ")
        self.assertRegex(text, r"\nmemory per rank \(libraries counted\) ")

    def verdict(self, *arguments, **measured):
        """Of `plan --compare`, on a run that measured so."""
        changes = {name: float(value) for name, value in measured.items()}
        with netCDF4.Dataset(self.at / "study.nc") as old, netCDF4.Dataset(self.at / "changed.nc", "w") as new:
            copy_group(old, new)
            new.createGroup("provenance").setncatts({**old["provenance"].__dict__, **changes})
        seal(self.at / "changed.nc")
        text = self.plan("--compare", "changed.nc", *arguments).stdout
        return re.search(r"\n\nThe last run that wrote this file took (.*)\.\n", text)[1]

    def test_verdict_on_predictions(self):
        rates = self.rates_for(1000)
        run("run", "study.yaml", "-q", cwd=self.at, check=0)
        self.assertEqual(self.verdict("--rates", self.shipped(), compute_seconds=0.25), "0.2 s: too short to compare")
        for seconds, share, expected in (
            (1200, 1, "1.20 times as long as predicted: within a factor of 1.5, as it should be"),
            (2000, 1, "2.00 times .*: `ridgeless bench calibrate` measures the rates again, best when the machine is idle"),
            (2000, 0.6, "2.00 times .*: the machine was busy, ranks got 60 % of a core"),
        ):
            self.assertRegex(self.verdict(*rates, compute_seconds=seconds, processor_share=share), f"^{expected}$")
        self.assertIn("on this machine makes predictions better", self.verdict(compute_seconds=1e6, processor_share=1))

    def test_of_a_run_that_went_on_what_it_computed_itself(self):
        rates = self.rates(1e6)
        (self.at / "study.yaml").write_text(STUDY.replace("400", "300"))
        run("run", "study.yaml", "-q", cwd=self.at, check=0)
        _, first = self.compare(*rates)
        (self.at / "study.yaml").write_text(STUDY)
        run("run", "study.yaml", "-q", cwd=self.at, check=0)
        _, second = self.compare(*rates)
        for name in ("diabetes", "made"):
            self.assertAlmostEqual(first[name]["predicted"] / second[name]["predicted"], 3, delta=0.001)

    def test_trainings_are_compared(self):
        (self.at / "study.yaml").write_text(TRAININGS)
        run("run", "study.yaml", "-q", cwd=self.at, check=0)
        _, lines = self.compare()
        self.assertGreater(lines["trainings"]["ratio"], 0)

    def test_nothing_to_compare(self):
        self.assertIn("other.nc", self.plan("--compare", "other.nc", status=2).stderr)
        run("run", "study.yaml", "-q", cwd=self.at, check=0)
        (self.at / "study.nc").unlink()
        run("assemble", "study.yaml", "-q", cwd=self.at, check=0)
        self.assertIn("computed nothing", self.plan("--compare", "study.nc", status=2).stderr)
        (self.at / "study.yaml").write_text(STUDY.replace("rows: 60", "rows: 61"))
        self.assertIn("another study", self.plan("--compare", "study.nc", status=2).stderr)
        (self.at / "study.yaml").write_text(STUDY)
        run("run", "study.yaml", "-q", "--fresh", cwd=self.at, check=0)
        (self.at / "study.yaml").write_text(STUDY.replace("[5, 10, 15]", "[5, 10]"))
        self.assertIn("does not ask for any more", self.plan("--compare", "study.nc", status=2).stderr)
        self.assertIn("--sbatch and --compare", self.plan("--compare", "study.nc", "--sbatch", status=2).stderr)

    # ---- Slurm

    def sbatch(self, sinfo, *arguments, status=0):
        """What is printed or refused where a sinfo of these lines of shell is found first."""
        folder = self.at / "played"
        folder.mkdir(exist_ok=True)
        (folder / "sinfo").write_text(f"#!/bin/sh\n{sinfo}\n")
        (folder / "sinfo").chmod(stat.S_IRWXU)
        done = self.plan("--sbatch", *arguments, status=status, env={"PATH": f"{folder}:{os.environ['PATH']}"})
        return done.stdout if status == 0 else done.stderr

    def test_one_node_unless_ranks_say_more(self):
        long = self.rates_for(1e6)
        self.assertGreater(self.answer(*long)["nodes"], 1)
        script = self.sbatch("exit 1", *long)
        self.assertIn("\n#SBATCH --nodes=1\n", script)
        self.assertNotIn("--partition", script)
        cores = self.answer()["cores_per_node"]
        self.assertIn("\n#SBATCH --nodes=2\n", self.sbatch("exit 1", *long, "--ranks", 2 * cores))

    def test_nodes_as_slurm_has_them(self):
        long = self.rates_for(1e5)
        script = self.sbatch(f"printf '{SINFO}'", *long)
        self.assertIn("\n#SBATCH --nodes=1\n", script)
        self.assertIn("\n#SBATCH --ntasks=16\n", script)
        self.assertIn("\n#SBATCH --time=01:00:00\n", script)
        script = self.sbatch(f"printf '{SINFO}'", *long, "--partition", "long", "--ranks", 8)
        self.assertIn("\n#SBATCH --partition=long\n", script)
        self.assertIn("\n#SBATCH --nodes=2\n", script)

    def test_what_the_partition_cannot_give(self):
        said = self.sbatch(f"printf '{SINFO}'", "--ranks", 64, status=2)
        self.assertEqual(len(said.splitlines()), 1)
        self.assertIn("64 ranks take 4 nodes; the partition `small` gives at most 3 nodes, 16 ranks and 31.2 GiB", said)
        self.assertIn("for 60 min", said)
        said = self.sbatch(f"printf '{SINFO}'", "--partition", "long", "--ranks", 12, status=2)
        self.assertIn("`long` gives at most 2 nodes, 4 ranks", said)
        self.assertIn("for any time", said)
        said = self.sbatch(f"printf '{SINFO}'", *self.rates_for(800 * 3 * 3600), "--ranks", 1, status=2)
        self.assertIn("the longest piece of work may take", said)
        said = self.sbatch("printf 'p*|infinite|1-infinite|2|1|4|100\\n'", "--ranks", 4, status=2)
        self.assertIn("4 ranks need ", said)
        self.assertIn(" per node; the partition `p`", said)
        said = self.sbatch(f"printf '{SINFO}'", "--partition", "lang", status=2)
        self.assertIn("has no `lang`; expected one of small, long; did you mean `long`?", said)

    def test_a_slurm_that_does_not_answer_is_none(self):
        without = self.sbatch("exit 1")
        for sinfo in (
            "echo 'sinfo: error: no'; exit 1",
            "echo nonsense",
            "printf 'p*|x|y|z|a|b|c\\n'",
            "true",
            "printf 'p*||||||\\n'",
        ):
            with self.subTest(sinfo):
                self.assertEqual(self.sbatch(sinfo), without)
        began = time.monotonic()
        self.assertEqual(self.sbatch("sleep 600"), without)
        self.assertLess(time.monotonic() - began, 120)

    def test_partitions_are_of_scripts(self):
        self.assertIn("--sbatch", self.plan("--partition", "long", status=2).stderr)
        self.assertIn("letters, digits", self.sbatch("exit 1", "--partition", "a\n#SBATCH --nodes=9", status=2))


if __name__ == "__main__":
    unittest.main()
