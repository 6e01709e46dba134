"""What a run takes in memory is what `plan` says, and what its batch script asks for is enough: in a control group of just
as much."""
import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import netCDF4

import launcher
import tier
from program import PROGRAM, run

# P = 5, 10 N, 5 variants: 50 cells per curve.
CURVES = """repeats: {repeats}
n_train: [2, 3, 4, 5, 6, 7, 8, 10, 12, 15]
ablations: [none, cutoff: [0.1, 0.5], leading_modes: [1, 2]]
datasets: [{{source: student-teacher, rows: 60, features: 5, hidden_features: 8}}]
"""
LONG_CURVES = """repeats: {repeats}
n_train: {{range: [1, 60]}}
ablations: [none, cutoff: [0.1, 0.5], leading_modes: 1]
datasets: [{{source: student-teacher, rows: 100, features: 5, hidden_features: 8}}]
"""
TWICE = LONG_CURVES.replace("}}]", "}}, {{source: student-teacher, name: other, rows: 100, features: 5, hidden_features: 8}}]")
SUMMARY = "keep: summary\n" + CURVES
ON_GRID = """repeats: 1
n_train: [2000]
ablations: [none]
datasets: [{source: student-teacher, rows: 2500, features: 2000, hidden_features: 2000, draw: fresh, producer: two-stage,
            ranks_per_case: all}]
"""
SHIPPED_RATES = {"RIDGELESS_RATES": "", "XDG_CONFIG_HOME": "", "HOME": ""}
LIBRARIES = 8e6  # what those of another release take more, or less, than the shipped rates say
IN_GROUP = 'echo $$ > "$0/cgroup.procs" && exec "$@"'
V1, V2 = pathlib.Path("/sys/fs/cgroup/memory"), pathlib.Path("/sys/fs/cgroup")


def made_group(test):
    """A control group of our own and the file of its limit; a machine may have none, or let nobody make one."""
    own = pathlib.Path("/proc/self/cgroup").read_text()
    v1 = re.search(r"^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$", own, re.MULTILINE)
    parent = V1 if v1 else V2
    group = parent / f"ridgeless-{os.getpid()}-{test.id().rsplit('.', 1)[-1]}"
    try:
        if not v1 and "memory" not in (parent / "cgroup.subtree_control").read_text():
            (parent / "cgroup.subtree_control").write_text("+memory")
        group.mkdir()
    except OSError as error:
        raise unittest.SkipTest(f"no control group can be made here: {error}")
    test.addCleanup(group.rmdir)
    limit = group / ("memory.limit_in_bytes" if v1 else "memory.max")
    if not os.access(limit, os.W_OK) or not os.access(group / "cgroup.procs", os.W_OK):
        raise unittest.SkipTest("a control group made here cannot be given a limit")
    return group, limit


class Memory(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def write(self, text, **numbers):
        (self.folder / "s.yaml").write_text(text.format(**numbers))

    def predicted(self):
        answer = run("plan", "s.yaml", "--ranks", "1", "--json", cwd=self.folder, check=0)
        return json.loads(answer.stdout)["memory_per_rank_bytes"]

    def asked_for(self):
        script = run("plan", "s.yaml", "-o", "s.nc", "--ranks", "1", "--sbatch", cwd=self.folder, check=0).stdout
        return int(re.search(r"--mem-per-cpu=(\d+)M$", script, re.MULTILINE).group(1)) << 20

    def peak(self, command):
        """Of the process, as the system has it, and as it says itself, its results file included."""
        words = PROGRAM, command, "-q", "--json", "s.yaml", "-o", "s.nc"
        process = subprocess.Popen(words, cwd=self.folder, stdout=subprocess.PIPE)
        with process.stdout as answer:
            told = json.load(answer)["peak_memory_bytes"]["max"]
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, 0)
        self.assertLess(abs(told / (used.ru_maxrss * 1024) - 1), 0.15)
        return used.ru_maxrss * 1024

    def check_prediction(self):
        predicted = self.predicted()
        for command in ("run", "assemble"):
            (self.folder / "s.nc").unlink(missing_ok=True)
            measured = self.peak(command)
            print(f"# {command}: predicted {predicted / 1e6:.1f} MB, measured {measured / 1e6:.1f} MB", flush=True)
            self.assertLess(abs(predicted - measured), 0.15 * measured + LIBRARIES)

    def check_in_group(self, limit):
        """Computes, writes, writes anew, and finds all done."""
        group, limit_file = made_group(self)
        limit_file.write_text(str(int(limit)))
        for command in ("run", "assemble", "run"):
            if command == "assemble":
                (self.folder / "s.nc").unlink()
            run(command, "-q", "s.yaml", "-o", "s.nc", cwd=self.folder, before=["sh", "-c", IN_GROUP, str(group)], check=0)

    def test_prediction_of_curves(self):
        self.write(CURVES, repeats=20000)
        self.check_prediction()

    def test_prediction_of_a_summary(self):
        self.write(SUMMARY, repeats=tier.of(5000, 50000))
        self.check_prediction()

    def test_prediction_of_what_ranks_share(self):
        """Rank 0 has two slabs where others help it to write them; of more repeats, which wait on disk, one."""
        for repeats in (2000, tier.of(5000, 15000)):
            self.write(TWICE, repeats=repeats)
            words = "s.yaml", "-q", "--json", "-o", f"{repeats}.nc"
            measured = json.loads(run("run", *words, ranks=2, cwd=self.folder, check=0).stdout)["peak_memory_bytes"]["max"]
            answer = json.loads(run("plan", *words, "--ranks", "2", cwd=self.folder, check=0).stdout)
            predicted = answer["memory_per_rank_bytes"]
            print(f"# {repeats}: predicted {predicted / 1e6:.1f} MB, measured {measured / 1e6:.1f} MB", flush=True)
            self.assertLess(measured, 1.15 * predicted + LIBRARIES)
            self.assertLess(measured, 200e6)

    @tier.in_all_alone
    def test_prediction_of_long_curves(self):
        self.write(LONG_CURVES, repeats=15000)
        self.check_prediction()

    @tier.in_all_alone
    def test_more_repeats_than_a_slab_holds_take_no_more(self):
        peaks = {}
        for repeats in (4500, 15000):
            self.write(LONG_CURVES, repeats=repeats)
            (self.folder / "s.nc").unlink(missing_ok=True)
            (self.folder / "s.nc.journal").unlink(missing_ok=True)
            peaks[repeats] = self.peak("run")
        print(f"# {peaks}", flush=True)
        self.assertLess(peaks[15000], peaks[4500] + 3e5)

    def test_as_much_as_is_predicted_is_enough(self):
        self.write(CURVES, repeats=20000)
        self.check_in_group(1.15 * self.predicted())

    @tier.in_all_alone
    def test_as_much_as_the_script_asks_for_is_enough(self):
        self.write(CURVES, repeats=100000)
        self.check_in_group(self.asked_for())

    @tier.in_all_alone
    def test_as_much_as_the_script_of_a_summary_asks_for_is_enough(self):
        self.write(SUMMARY, repeats=50000)
        self.check_in_group(self.asked_for())

    @tier.in_all_alone
    def test_ranks_of_a_process_grid(self):
        """The largest rank falls to what each has of its own, and stays there. On one node MPI maps memory for each neighbour
        beside it, 10 MB at 64 ranks."""
        if launcher.version()[0] != "openmpi":
            self.skipTest("64 ranks on a few cores take minutes with this MPI")
        self.write(ON_GRID.replace("{", "{{").replace("}", "}}"))
        peaks = {}
        for ranks in (2, 8, 32, 64):
            words = "s.yaml", "-q", "-o", f"{ranks}.nc"
            answer = run("plan", *words, "--ranks", str(ranks), "--json", env=SHIPPED_RATES, cwd=self.folder, check=0)
            predicted = json.loads(answer.stdout)["memory_per_rank_bytes"]
            run("run", *words, ranks=ranks, cwd=self.folder, check=0)
            with netCDF4.Dataset(self.folder / f"{ranks}.nc") as file:
                peaks[ranks] = max(file["provenance"].peak_memory_bytes)
            print(f"# {ranks} ranks: predicted {predicted / 1e6:.1f} MB, measured {peaks[ranks] / 1e6:.1f} MB", flush=True)
            self.assertLess(abs(predicted / peaks[ranks] - 1), 0.35)
        self.assertLess(max(peaks[ranks] for ranks in (8, 32, 64)), 0.85 * peaks[2])

    def test_what_does_not_fit_is_refused_before_work(self):
        self.write(CURVES, repeats=1000000)
        for command, status in (("run", 1), ("plan", 2)):
            said = run(command, "s.yaml", "-o", "s.nc", "--memory", "100M", cwd=self.folder, check=status).stderr
            self.assertEqual(len(said.splitlines()), 1)
            self.assertRegex(said, r"write the results file, .* there are .*`keep: summary`")
        self.assertFalse((self.folder / "s.nc").exists())


if __name__ == "__main__":
    unittest.main()
