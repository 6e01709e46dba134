"""`--dataset`, the scripts of jobs/ and `plan --sbatch`, without Slurm: its programs are played by a few lines of shell."""
import json
import os
import pathlib
import re
import stat
import subprocess
import tempfile
import unittest

from program import PROGRAM, SOURCE, data_groups, run

SCRIPTS = [SOURCE / "jobs" / f"{name}.sbatch" for name in ("one-node", "many-nodes", "array")]
STUDY = """repeats: 3
n_train: [5, 10, 15]
ablations: [none, no_residuals]
datasets:
  - diabetes
  - {source: student-teacher, name: made, rows: 60, features: 8, hidden_features: 12}
"""
HOSTILE = (
    "it's",
    'a "b" c',
    "$(touch hacked)",
    "`touch hacked`",
    "a; touch hacked",
    "a\nb",
    "#SBATCH --nodes=9",
    "\\'; touch hacked #",
    "a\n#SBATCH --nodes=9\nb",
    "*",
    "-o",
    "${HOME}",
    "ü\x7f",
    "a\ttab",
)
# What the script under test is told by Slurm, and what it tells Slurm.
PLAYED = {
    "srun": """while [ "${1#--}" != "$1" ]; do shift; done
[ -n "$STATUS" ] || exec "$@"
[ -z "$BEFORE" ] || "$@" >&2
exit $STATUS
""",
    "squeue": 'case $* in *%L) echo NOT_SET ;; *) echo "${STATE:-RUNNING}" ;; esac\n',
    "scontrol": 'echo "$*" >> scontrol-calls\n',
    "sleep": "exit 0\n",
    "program": f'exec "{PROGRAM}" "$@"\n',
}
# Another that only notes with which words it was started.
RECORDER = """if [ "$1" = status ]; then echo '  "spectra_missing": 1'; else printf '%s\\0' "$@" > words; fi
"""


def lower_part(text):
    """From the line on below which nothing is to be edited."""
    return text[text.index("\n# ---- Nothing to edit from here on") :]


class BatchScripts(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.at = pathlib.Path(folder.name)
        (self.at / "study.yaml").write_text(STUDY)

    def plan(self, *arguments, name="study.yaml", status=0, env=None):
        return run("plan", name, "--sbatch", *arguments, cwd=self.at, env=env, check=status)

    def play(self, script, program=None, **environment):
        """Runs a script as Slurm would; what it said, its exit status, and what it told scontrol."""
        played = self.at / "played"
        played.mkdir(exist_ok=True)
        for name, lines in {**PLAYED, **({"program": program} if program else {})}.items():
            (played / name).write_text(f"#!/bin/bash\n{lines}")
            (played / name).chmod(stat.S_IRWXU)
        environment = {
            **os.environ,
            "PATH": f"{played}:{os.environ['PATH']}",
            "SLURM_SUBMIT_DIR": str(self.at),
            "SLURM_JOB_ID": "7",
            "SLURM_JOB_NODELIST": "n1",
            "STATUS": "",
            "BEFORE": "",
            **environment,
        }
        script = script.replace(f"ridgeless={PROGRAM}", f"ridgeless={played / 'program'}").replace(
            "ridgeless=ridgeless ", f"ridgeless={played / 'program'} "
        )
        done = subprocess.run(["bash", "-c", script], cwd="/", env=environment, capture_output=True, text=True, timeout=600)
        calls = self.at / "scontrol-calls"
        told = calls.read_text().splitlines() if calls.exists() else []
        calls.unlink(missing_ok=True)
        return done.stdout + done.stderr, done.returncode, told

    # ---- --dataset

    def test_datasets_of_a_study(self):
        run("run", "study.yaml", "-q", cwd=self.at, check=0)
        whole = data_groups(self.at / "study.nc")
        for name in ("diabetes", "made"):
            done = run("run", "study.yaml", "-q", "--dataset", name, ranks=2, cwd=self.at, check=0)
            self.assertEqual(done.stdout, f"study-{name}.nc\n")
            part = data_groups(self.at / f"study-{name}.nc")
            self.assertEqual(part, {key: value for key, value in whole.items() if key.startswith(("@", f"{name}/"))})
            answer = json.loads(run("status", "study.yaml", "--dataset", name, "--json", cwd=self.at, check=0).stdout)
            self.assertEqual((answer["curves"], answer["done"]), (3, 3))
        both = json.loads(run("plan", "study.yaml", "-D", "made", "-D", "diabetes", "--json", cwd=self.at, check=0).stdout)
        self.assertEqual([row["name"] for row in both["datasets"]], ["diabetes", "made"])
        self.assertEqual(both["output"], "study-made-diabetes.nc")

    def test_one_data_set_after_the_other_in_one_file(self):
        run("run", "study.yaml", "-q", "-D", "made", "-o", "one.nc", cwd=self.at, check=0)
        said = run("run", "study.yaml", "-o", "one.nc", cwd=self.at, check=0).stderr
        self.assertIn("3 of 6 curves are in the journal already", said)
        run("run", "study.yaml", "-q", "-o", "whole.nc", cwd=self.at, check=0)
        self.assertEqual(data_groups(self.at / "one.nc"), data_groups(self.at / "whole.nc"))

    def test_a_data_set_that_is_left_out_may_be_missing(self):
        (self.at / "study.yaml").write_text(STUDY + "  - who\n")

        def plan(status, *arguments):
            return run("plan", "study.yaml", *arguments, cwd=self.at, env={"RIDGELESS_DATA": ""}, check=status)

        plan(0, "-D", "made")
        self.assertRegex(plan(2, "-D", "made", "-D", "who").stderr, "--skip-missing runs the other.*\n  .* of the dataset `who`")
        self.assertIn("`who` is left out", plan(0, "-D", "made", "-D", "who", "--skip-missing").stderr)
        self.assertNotIn("--skip-missing", plan(2, "-D", "who", "--skip-missing").stderr)

    def test_unknown_data_sets(self):
        said = run("run", "study.yaml", "--dataset", "diabetis", cwd=self.at, check=2).stderr
        self.assertEqual(
            said, "ridgeless: study.yaml: has no dataset `diabetis`; did you mean `diabetes`? expected one of diabetes, made\n"
        )
        self.assertIn("more than 64 times", run("plan", "study.yaml", *["-D", "made"] * 65, cwd=self.at, check=2).stderr)

    # ---- one text

    def test_one_lower_part(self):
        printed = self.plan().stdout
        for script in SCRIPTS:
            self.assertEqual(lower_part(script.read_text()), lower_part(printed), script)

    def test_every_line_to_be_edited_is_filled_in(self):
        printed = self.plan("--ranks", "5", "--memory", "64GiB", "--skip-missing", "-D", "made", "--data", "some where").stdout
        template = SCRIPTS[1].read_text()
        kept = [line for line in template.splitlines() if line not in printed.splitlines()]
        self.assertEqual(
            [re.match(r"#SBATCH [\w-]+=|\w+=|#", line).group() for line in kept[kept.index("#SBATCH --job-name=ridgeless") :]],
            [f"#SBATCH --{name}=" for name in ("job-name", "nodes", "ntasks", "ntasks-per-node", "mem-per-cpu", "time", "signal")]
            + ["study=", "ridgeless="],
        )
        self.assertIn("#SBATCH --ntasks=5\n", printed)
        self.assertIn(
            f"\nstudy=({self.at}/study.yaml -o {self.at}/study-made.nc --data '{self.at}/some where' --skip-missing "
            "--dataset made)\n",
            printed,
        )

    def numbers(self, *arguments):
        found = dict(re.findall(r"^#SBATCH --(\S+?)=(.*)$", self.plan(*arguments).stdout, re.M))
        hours, minutes, _ = map(int, found["time"].split(":"))
        return {
            **{name: int(found[name]) for name in ("nodes", "ntasks", "ntasks-per-node")},
            "minutes": 60 * hours + minutes,
            "lead": int(found["signal"].removeprefix("USR1@")),
            "memory": int(found["mem-per-cpu"].removesuffix("M")),
        }

    def test_numbers(self):
        """Against the plan's own: a small study, and one for process grids that takes days."""
        small = self.numbers()
        self.assertEqual((small["nodes"], small["ntasks"], small["minutes"], small["lead"]), (1, 1, 10, 120))
        large = STUDY.replace("n_train: [5, 10, 15]", "n_train: [15000, 30000]").replace("  - diabetes\n", "")
        large = large.replace(
            "rows: 60, features: 8, hidden_features: 12", "draw: fresh, rows: 31000, features: 20000, hidden_features: 20000"
        )
        (self.at / "study.yaml").write_text(large.replace("no_residuals", "cutoff: 1").replace("repeats: 3", "repeats: 2000"))
        for ranks in (64, 67, 1024):
            plan = json.loads(
                run("plan", "study.yaml", "--json", "--ranks", ranks, "--memory", "256GiB", cwd=self.at, check=0).stdout
            )
            found = self.numbers("--ranks", ranks, "--memory", "256GiB")
            self.assertEqual(found["ntasks"], ranks)
            self.assertGreaterEqual(found["nodes"] * found["ntasks-per-node"], ranks)
            self.assertLess((found["nodes"] - 1) * found["ntasks-per-node"], ranks)
            self.assertGreaterEqual(found["memory"] * 2**20, 1.25 * plan["memory_per_rank_bytes"])
            self.assertLess(found["memory"] * 2**20, 1.25 * plan["memory_per_rank_bytes"] + 320 * 2**20)
            case = plan["datasets"][0]["seconds_of_largest_case"]
            self.assertGreater(60 * found["minutes"] - found["lead"], case)
            self.assertTrue(120 <= found["lead"] <= 15 * found["minutes"], found)
            self.assertGreaterEqual(60 * found["minutes"], min(1.5 * plan["seconds"], 86400))
            restarts = int(
                re.search(r"^most_restarts=(\d+)$", self.plan("--ranks", ranks, "--memory", "256GiB").stdout, re.M).group(1)
            )
            self.assertGreaterEqual(60 * found["minutes"] * restarts, 2 * plan["seconds"])

    def test_not_with_json(self):
        self.assertIn("--sbatch and --json", self.plan("--json", status=2).stderr)

    # ---- whatever the names

    def test_hostile_names_never_become_commands(self):
        for name in HOSTILE:
            with self.subTest(name):
                study, output, data = self.at / name / f"{name}.yaml", pathlib.Path(name) / f"{name}.nc", self.at / f"data {name}"
                study.parent.mkdir()
                study.write_text(STUDY)
                script = self.plan("-o", f"./{output}", "--data", data, name=study).stdout
                directives = [line for line in script[: script.index("\nstudy=(")].splitlines() if line.startswith("#SBATCH")]
                self.assertEqual(len(directives), 11)
                self.assertRegex(directives[0], r"^#SBATCH --job-name=[\w-]+$")
                subprocess.run(["bash", "-n"], input=script, text=True, check=True)
                said, status, told = self.play(script, program=RECORDER)
                self.assertEqual((status, told), (0, []), said)
                words = (self.at / "words").read_text().split("\0")
                self.assertEqual(
                    words, ["run", str(study), "-o", f"{self.at}/./{output}", "--data", str(data), "--time-left", "NOT_SET", ""]
                )
        self.assertEqual(list(self.at.rglob("hacked")), [])

    # ---- what the lower part decides

    def script(self, name="one-node"):
        return (SOURCE / "jobs" / f"{name}.sbatch").read_text().replace("my-study", "study")

    def test_a_study_that_is_done(self):
        said, status, told = self.play(self.script())
        self.assertEqual((status, told), (0, []), said)
        self.assertIn("job 7, start 0: 18 spectra to do, threads per rank: 1, time left NOT_SET, on n1", said)
        self.assertIn("ended with exit status 0", said)

    def test_stopped_after_progress(self):
        said, status, told = self.play(self.script(), STATUS="75", BEFORE="1")
        self.assertEqual((status, told), (75, ["requeue 7"]), said)
        self.assertIn("stopped with 0 spectra to do: starts again", said)

    def test_stopped_without_progress(self):
        said, status, told = self.play(self.script(), STATUS="75")
        self.assertEqual((status, told), (1, []), said)
        self.assertIn("no spectrum was finished since the start (18 are to do)", said)

    def test_stopped_too_often(self):
        said, status, told = self.play(self.script(), STATUS="75", BEFORE="1", SLURM_RESTART_COUNT="20")
        self.assertEqual((status, told), (75, []), said)
        self.assertIn("after 20 restarts, the most allowed", said)

    def test_stopped_since_it_is_cancelled(self):
        said, status, told = self.play(self.script(), STATUS="75", BEFORE="1", STATE="COMPLETING")
        self.assertEqual((status, told), (75, []), said)

    def test_failed(self):
        for code in (1, 2, 137):
            said, status, told = self.play(self.script(), STATUS=str(code), BEFORE="1")
            self.assertEqual((status, told), (code, []), said)

    def test_a_study_that_cannot_be_read(self):
        (self.at / "study.yaml").write_text("repeats: many\n")
        said, status, told = self.play(self.script())
        self.assertEqual((status, told), (2, []), said)

    def test_an_element_of_an_array(self):
        script = self.script("array").replace("(student-teacher california diabetes who)", "(diabetes made)")
        said, status, told = self.play(script, STATUS="75", BEFORE="1", SLURM_ARRAY_JOB_ID="7", SLURM_ARRAY_TASK_ID="1")
        self.assertEqual((status, told), (75, ["requeue 7_1"]), said)
        self.assertTrue((self.at / "study-made.nc").exists())
        said, status, told = self.play(script, SLURM_ARRAY_JOB_ID="7", SLURM_ARRAY_TASK_ID="2")
        self.assertEqual((status, told), (127, []), said)
        self.assertIn("more elements in --array than there are datasets", said)


if __name__ == "__main__":
    unittest.main()
