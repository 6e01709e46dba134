"""jobs/scaling.sh with a program that only notes how it was started: the study files, the ranks, what is done again."""
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

from launcher import MPIEXEC
from program import SOURCE

SCRIPT = SOURCE / "jobs" / "scaling.sh"
NOTE_TAKER = """#!/bin/sh
# run STUDY -o RESULTS; Open MPI and MPICH tell a rank its number each in its own way
[ "${OMPI_COMM_WORLD_RANK:-$PMI_RANK}" = 0 ] || exit 0
echo "${OMPI_COMM_WORLD_SIZE:-$PMI_SIZE} $OPENBLAS_NUM_THREADS $*" >> calls
[ "$4" != "$FAILING" ] || exit 75
touch "$4" "$4.journal"
"""


class Scaling(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.at = pathlib.Path(folder.name)
        (self.at / "program").write_text(NOTE_TAKER)
        (self.at / "program").chmod(0o755)

    def run_script(self, *arguments, status=0, **environment):
        environment = {**os.environ, "RIDGELESS": str(self.at / "program"), "MPIEXEC": MPIEXEC, **environment}
        for name in [name for name in environment if name.startswith("SLURM_")]:
            del environment[name]
        done = subprocess.run(
            ["bash", SCRIPT, *arguments], cwd=self.at, env=environment, capture_output=True, text=True, timeout=600
        )
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def calls(self):
        path = self.at / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return lines

    def marked(self, name):
        """The values that the script put into a study, by the word in brackets behind them."""
        found = {}
        for value, mark in re.findall(r": (.*) # \[(.*?)\]", (self.at / name).read_text()):
            found.setdefault(mark, set()).add(value)
        return found

    def test_studies_and_ranks(self):
        said = self.run_script("-n", "1 2", "-p", "100", "-o", "out", OPENBLAS_NUM_THREADS="1").stdout
        names = [f"out/{kind}-{ranks}" for kind in ("strong", "weak") for ranks in (1, 2)]
        expected = [f"{name[-1]} 1 run {name}.yaml -o {name}.part.nc" for name in names]
        self.assertEqual(self.calls(), expected)
        self.assertIn("threads per rank: 1", said)
        for name in names:
            p = "126" if name == "out/weak-2" else "100"  # 100 times the cube root of 2
            title = "Strong scaling" if "strong" in name else "Weak scaling"
            self.assertEqual(
                self.marked(f"{name}.yaml"),
                {
                    "title": {title},
                    "ranks": {name[-1]},
                    "P": {p},
                    "P + 500": {str(int(p) + 500)},
                    "2 P + 500": {str(2 * int(p) + 500)},
                },
            )

    def test_only_marked_lines_change(self):
        self.run_script("-n", "1", "-p", "1000", "-o", "out")
        ours = (SOURCE / "jobs" / "scaling.yaml").read_text()
        self.assertEqual((self.at / "out/strong-1.yaml").read_text(), ours.replace("title: Scaling", "title: Strong scaling"))

    def test_growth_by_memory(self):
        self.run_script("-n", "2", "-p", "100", "-g", "memory", "-o", "out")
        self.assertEqual(self.marked("out/weak-2.yaml")["P"], {"141"})

    def test_a_farm_grows_by_repeats(self):
        self.run_script("-f", "farm", "-n", "1 4 2", "-r", "3", "-o", "out")
        self.assertEqual(len(self.calls()), 6)
        ours = (SOURCE / "jobs" / "farm.yaml").read_text()
        for ranks in (1, 2, 4):
            self.assertEqual(self.marked(f"out/weak-{ranks}.yaml"), {"title": {"Weak scaling"}, "repeats": {str(3 * ranks)}})
            self.assertEqual(self.marked(f"out/strong-{ranks}.yaml"), {"title": {"Strong scaling"}, "repeats": {"12"}})
            weak = (self.at / f"out/weak-{ranks}.yaml").read_text()
            changed = [line for line in weak.splitlines() if line not in ours.splitlines()]
            self.assertEqual(changed, ["title: Weak scaling # [title]", f"repeats: {3 * ranks} # [repeats]"])
        said = self.run_script("-f", "farm", "-n", "1 2 4", "-r", "3", "-o", "out").stdout
        self.assertEqual(self.calls(), [])
        self.assertIn("weak scaling, ranks: 2, repeats: 6: out/weak-2.nc is there already", said)

    def test_run_again_does_what_is_missing(self):
        self.run_script("-n", "1 2", "-p", "100")
        self.calls()
        (self.at / "scaling/weak-2.nc").unlink()
        said = self.run_script("-n", "1 2", "-p", "100").stdout
        self.assertEqual(said.count("is there already"), 3)
        self.assertEqual(self.calls(), ["2 1 run scaling/weak-2.yaml -o scaling/weak-2.part.nc"])
        self.run_script("-n", "1 2", "-p", "90")  # another study
        self.assertEqual(len(self.calls()), 4)

    def test_a_run_that_was_cut_off_ends_the_script_and_starts_afresh(self):
        self.run_script("-n", "1 2", "-p", "100", status=75, FAILING="scaling/strong-2.part.nc")
        self.assertEqual(len(self.calls()), 2)
        for name in ("strong-2.part.nc", "strong-2.part.nc.journal"):
            (self.at / "scaling" / name).write_text("half")
        self.run_script("-n", "1 2", "-p", "100")
        self.assertEqual(self.calls()[0], "2 1 run scaling/strong-2.yaml -o scaling/strong-2.part.nc")
        self.assertEqual((self.at / "scaling/strong-2.nc.journal").read_text(), "")
        self.assertEqual(list((self.at / "scaling").glob("*.part.*")), [])

    def test_study_of_ones_own(self):
        study = self.at / "mine.yaml"
        text = "title: {} # [title]\nranks_per_case: 1 # [ranks]\nfeatures: {} # [P]\nrows: {} # [P + 500]\n"
        study.write_text(text.format("Mine", 9, 9))
        self.run_script("-n", "1", "-p", "70", "mine.yaml")
        self.assertEqual((self.at / "scaling/weak-1.yaml").read_text(), text.format("Weak scaling", 70, 570))
        study.write_text("title: Mine # [title]\nfeatures: 9 # [P]\n")
        said = self.run_script("-n", "1", "mine.yaml", status=2).stderr
        self.assertIn("mine.yaml: no line ends in `# [ranks]`", said)

    def test_bad_arguments(self):
        for arguments, words in (
            (("-n", "1 x"), "`x`"),
            (("-p", "0"), "`0`"),
            (("-g", "time"), "work or memory"),
            (("-f", "field"), "expected grids or farm"),
            (("-f", "farm", "-p", "9"), "-p: is not of -f farm"),
            (("-r", "9"), "-r: is not of -f grids"),
            (("-f", "farm", str(SOURCE / "jobs" / "scaling.yaml")), "no line ends in `# [repeats]`; see jobs/farm.yaml"),
            (("a.yaml", "b.yaml"), "2 study files"),
            (("-z",), "usage"),
            (("none.yaml",), "none.yaml"),
        ):
            self.assertIn(words, self.run_script(*arguments, status=2).stderr)
        self.assertIn("set RIDGELESS", self.run_script("-n", "1", status=2, RIDGELESS="/none/ridgeless").stderr)
        self.assertEqual(self.calls(), [])
        self.assertIn("usage", self.run_script("-h").stdout)


if __name__ == "__main__":
    unittest.main()
