"""What the program does about the launcher that started it: ranks that outnumber processors, processes that stand alone."""
import concurrent.futures
import os
import shlex
import shutil
import tempfile
import unittest

import launcher
from program import PROGRAM, in_terminal, run

STUDY = """repeats: 2
n_train: [5]
ablations: [none]
datasets: [{source: student-teacher, rows: 20, features: 4, hidden_features: 5}]
"""
OPEN_MPI = launcher.version()[0] == "openmpi"
CROWD = "2 ranks share 1 processor of a node"


@unittest.skipUnless(shutil.which("taskset"), "taskset is not installed")
class Crowd(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.at = folder.name
        with open(f"{self.at}/study.yaml", "w") as file:
            file.write(STUDY)
        # A launcher that binds ranks would be refused the processors that it counts and may not use.
        free = {"OMPI_MCA_hwloc_base_binding_policy": "none", "PRTE_MCA_hwloc_default_binding_policy": "none"}
        self.environment = {**os.environ, **free, "OMPI_MCA_mpi_show_mca_params": "environment"}

    def said_on_one_processor(self, *options, **environment):
        first = str(min(os.sched_getaffinity(0)))
        done = run(
            "run",
            "study.yaml",
            "--fresh",
            *options,
            ranks=2,
            before=["taskset", "-c", first],
            cwd=self.at,
            env={**self.environment, **environment},
            check=0,
        )
        return done.stdout + done.stderr

    def test_ranks_that_share_a_processor_are_told_of_once(self):
        self.assertEqual(self.said_on_one_processor().count(CROWD), 1)
        self.assertNotIn("of a node", run("run", "study.yaml", "--fresh", cwd=self.at, check=0).stderr)

    @unittest.skipUnless(OPEN_MPI, "only Open MPI can be asked to yield")
    def test_they_yield_unless_the_user_says_otherwise(self):
        self.assertRegex(self.said_on_one_processor(), r"mpi_yield_when_idle=(1|true)")
        said = self.said_on_one_processor(OMPI_MCA_mpi_yield_when_idle="0")
        self.assertRegex(said, r"mpi_yield_when_idle=(0|false)")
        self.assertNotIn(CROWD, said)


class Alone(unittest.TestCase):
    def test_many_start_at_once(self):
        """Open MPI 4 used to give all of them one folder for their sessions, which one removed under the other's feet."""
        with tempfile.TemporaryDirectory() as at, concurrent.futures.ThreadPoolExecutor(8) as pool:
            with open(f"{at}/study.yaml", "w") as file:
                file.write(STUDY)
            ends = pool.map(lambda i: run("run", "study.yaml", "-q", "-o", f"{i}.nc", cwd=at, env={"TMPDIR": at}), range(24))
            self.assertEqual([end.stderr for end in ends if end.returncode != 0], [])
            if launcher.version() == ("openmpi", 4):  # the folder of Open MPI 5 differs from process to process
                self.assertEqual([name for name in os.listdir(at) if name.startswith("ompi")], [])

    def test_processes_of_another_launcher_are_refused(self):
        """Each of them would be one rank and would do all of the work."""
        others = {"PMI_SIZE": "2", "PMI_RANK": "0"} if OPEN_MPI else {"OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_RANK": "0"}
        with tempfile.TemporaryDirectory() as at:
            with open(f"{at}/study.yaml", "w") as file:
                file.write(STUDY)
            said = run("run", "study.yaml", cwd=at, env=others, check=2).stderr
            self.assertIn("2 processes were started, but each stands alone", said)
            self.assertEqual(os.listdir(at), ["study.yaml"])

    def check_alone(self, environment, *words, ranks=None, arguments=("run", "study.yaml", "-q", "--fresh"), check=0):
        """What it says, and what it leaves."""
        with tempfile.TemporaryDirectory() as at:
            with open(f"{at}/study.yaml", "w") as file:
                file.write(STUDY)
            done = run(*arguments, cwd=at, env=environment, ranks=ranks, check=check)
            for word in words:
                self.assertIn(word, done.stderr)
            return done.stderr, os.listdir(at)

    def test_tasks_of_srun_without_pmi_are_refused_before_mpi_starts(self):
        """Slurm's own names, as srun 22.05 sets them; tests/slurm does it in truth."""
        step = {"SLURM_STEP_ID": "0", "SLURM_STEPID": "0", "SLURM_NODELIST": "here", "SLURM_STEP_NUM_TASKS": "4"}
        mpi = "pmix" if OPEN_MPI else "pmi2"
        words = f"Slurm started 4 tasks, but MPI sees one: use srun --mpi={mpi}, or mpirun"
        said, left = self.check_alone({**step, "SLURM_PROCID": "0"}, words, check=2)
        self.assertEqual((said.count("\n"), left), (1, ["study.yaml"]))
        self.assertEqual(self.check_alone({**step, "SLURM_PROCID": "3"}), ("", ["study.yaml"]))

    def test_one_task_of_slurm_stands_alone(self):
        batch = {"SLURM_JOB_ID": "1", "SLURM_NTASKS": "4", "SLURM_NPROCS": "4", "SLURM_PROCID": "0", "SLURM_NODELIST": "here"}
        step = {**batch, "SLURM_STEPID": "0", "SLURM_STEP_ID": "0"}
        shell = {**step, "SLURM_STEP_NUM_TASKS": "4", "SLURM_PTY_PORT": "999"}
        for environment in (batch, {**step, "SLURM_STEP_NUM_TASKS": "1"}, shell):
            said, left = self.check_alone(environment)
            self.assertEqual((said, sorted(left)), ("", ["study.nc", "study.nc.journal", "study.yaml"]))
        many = {**step, "SLURM_STEP_NUM_TASKS": "4"}
        self.assertEqual(self.check_alone(many, arguments=("plan", "study.yaml"))[0], "")
        self.assertEqual(self.check_alone(many, ranks=2)[0], "")  # mpirun within a step

    def test_no_folder_for_temporary_files_is_needed(self):
        for folder in ("/proc/nowhere", "/dev/null"):
            for arguments in (("run", "study.yaml", "-q"), ("plan", "study.yaml"), ("datasets",)):
                self.assertEqual(self.check_alone({"TMPDIR": folder}, arguments=arguments)[0], "")


# Some seconds on one rank.
LONGER = """repeats: 300
n_train: {range: [1, 60]}
ablations: [none, no_residuals, cutoff: [0.01, 0.1]]
datasets: [{source: student-teacher, rows: 400, features: 40, hidden_features: 50}]
"""


@unittest.skipUnless(OPEN_MPI, "MPICH's ranks are children of a proxy")
class Terminal(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.at = folder.name
        with open(f"{self.at}/study.yaml", "w") as file:
            file.write(LONGER)

    def shown(self, *more):
        command = " ".join(map(shlex.quote, launcher.on_ranks(2, [PROGRAM, "run", "study.yaml", "--fresh"])))
        status, said = in_terminal("bash", "-c", f"{command} {' '.join(more)}", cwd=self.at)
        self.assertEqual(status, 0, said)
        return said

    def test_a_bar_goes_by_way_of_mpirun(self):
        said = self.shown()
        self.assertRegex(said, r"\r\[#*\.*\] +\d+ %  \d+ of 300 curves")
        self.assertRegex(said, r"\r\x1b\[K(ridgeless: |study\.nc)", "it is cleared before the next line")

    def test_no_bar_where_nobody_looks(self):
        self.assertNotIn("curves,", self.shown("2>said"))
        with open(f"{self.at}/said") as file:
            self.assertNotIn("\r", file.read())
        self.assertNotIn("%", self.shown("-q"))


if __name__ == "__main__":
    unittest.main()
