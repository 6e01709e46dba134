"""What the program does about the launcher that started it: ranks that outnumber processors, processes that stand alone."""
import concurrent.futures
import os
import shutil
import tempfile
import unittest

import launcher
from program import run

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


if __name__ == "__main__":
    unittest.main()
