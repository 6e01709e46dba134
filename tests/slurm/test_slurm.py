"""The scripts of jobs/ under a real Slurm: stopped in the middle in every way that Slurm has, they start themselves again
and end in the same bits as a run that nothing happened to.

All of it happens side by side, for most of the time is Slurm's own; each test then looks at one outcome.
"""
import concurrent.futures
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import cluster
import launcher
import tier
from jobs import PATIENCE, Job, filled, holding, send, starting_again, wait_until
from program import PROGRAM, SOURCE, data_groups, differences, run

SKIP = cluster.why_not() or ("the plain build's alone" if "sanitize" in PROGRAM else "")
CORES = min(2, os.cpu_count())
ON_ONE = ("--ntasks=2",)
ON_TWO = ("--nodes=2", "--ntasks=2", "--ntasks-per-node=1")

STUDY = """repeats: 60
producer: lapack
n_train: {range: [1, 80]}
ablations: [none, no_residuals, cutoff: [0.01, 0.1]]
datasets:
  - {source: student-teacher, name: narrow, rows: 400, features: 40, hidden_features: 50}
  - {source: student-teacher, name: wide, rows: 400, features: 60, hidden_features: 70}
"""
GRIDS = """repeats: 16
n_train: [60, 80, 110]
ablations: [none, no_residuals, cutoff: [0.1]]
producer: two-stage
ranks_per_case: 2
block: 16
datasets: [{source: student-teacher, draw: fresh, rows: 200, features: 80, hidden_features: 100, noise: 1}]
"""
HOSTILE = 'a "study" of $(touch hacked) `touch hacked`; touch hacked #\'s'


class Scenarios:
    """What is done with the jobs, each in a folder of its own; the tests say what each is about."""

    def __init__(self, at, bound, virtual):
        self.at, self.bound, self.virtual = at, bound, virtual
        size = {name: (at / f"{name}.nc.journal").stat().st_size for name in ("whole", "whole_grids")}
        # By how much a journal grows until a job is held in the middle of its work.
        self.part = {STUDY: size["whole"] // 10, GRIDS: size["whole_grids"] // 2}

    def folder(self, name, text=STUDY):
        folder = self.at / name
        folder.mkdir()
        (folder / "study.yaml").write_text(text)
        return folder

    def submit(self, name, script, *options, text=STUDY, cluster=None, held=True):
        folder = self.folder(name, text)
        env = {**launcher.over_loopback(), **(holding(folder, self.part[text]) if held else {})}
        return Job(cluster or self.virtual, folder, script, *options, env=env)

    def finish(self, job, script, *options):
        """Another job in the same folder, which nothing happens to."""
        Job(self.virtual, job.folder, script, *options, env=launcher.over_loopback()).completes(restarts=[0])

    def done(self, job):
        return json.loads(run("status", "study.yaml", "--json", cwd=job.folder, check=0).stdout)["done"]

    def time_limit(self):
        options = (f"--ntasks={CORES}", "--time=1", "--signal=USR1@15")
        job = self.submit("time_limit", filled("one-node.sbatch"), *options, cluster=self.bound)
        job.hold_in_the_middle()
        job.completes(restarts=range(1, 9))  # on a machine busy with other things one more limit may come
        return job.folder / "study.nc", job.log()

    def many_nodes(self):
        job = self.submit("many_nodes", filled("many-nodes.sbatch"), *ON_TWO, text=GRIDS)
        job.hold_in_the_middle()
        job.tell_to_stop()
        job.completes(restarts=[1])
        return job.folder / "study.nc", job.log()

    def requeued_and_cancelled(self):
        job = self.submit("requeued_and_cancelled", filled("one-node.sbatch"), *ON_ONE)
        job.hold_in_the_middle(again=True)
        before = self.done(job)
        job.control("scontrol", "requeue")
        job.wait_for_start(1)
        kept = self.done(job)
        job.hold_in_the_middle()
        job.control("scancel")
        job.end()
        time.sleep(12)  # more than it takes until a requeued job starts
        facts, log = job.facts(), job.log()
        self.finish(job, filled("one-node.sbatch"), *ON_ONE)
        return job.folder / "study.nc", before, kept, facts, log

    def most_restarts(self):
        job = self.submit("most_restarts", filled("one-node.sbatch", starting_again(1)), *ON_ONE)
        for restart in range(2):
            job.wait_for_start(restart)
            job.hold_in_the_middle(again=restart == 0)
            job.tell_to_stop()
        return job.end(), job.log()

    def no_progress(self):
        """The program can do nothing in the time that it is given."""
        job = self.submit(
            "no_progress", filled("one-node.sbatch", ("run_options=()", "run_options=(--time-left 0s)")), *ON_ONE, held=False
        )
        return job.end(), job.log(), self.done(job)

    def array(self):
        changes = (("(student-teacher california diabetes who)", "(narrow wide)"),)
        job = self.submit("array", filled("array.sbatch", *changes), "--array=0-1", *ON_ONE)
        elements = [job.element(i) for i in range(2)]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda element: element.hold_in_the_middle(again=True), elements))
        (job.folder / "hold").unlink()
        for element in elements:
            element.tell_to_stop()
        for element in elements:
            element.completes(restarts=[1])
        return job.folder, [element.log() for element in elements]

    def printed(self):
        folder = self.folder("printed")
        (folder / f"{HOSTILE}.yaml").write_text(STUDY.replace("repeats: 60", "repeats: 4"))
        script = run("plan", f"{HOSTILE}.yaml", "--sbatch", "--ranks", "2", cwd=folder, check=0).stdout
        job = Job(self.virtual, folder, script, env=launcher.over_loopback())
        job.completes(restarts=[0])
        return folder, script, job.facts()

    def dead_rank(self):
        job = self.submit("dead_rank", filled("many-nodes.sbatch"), *ON_TWO, text=GRIDS)
        job.hold_in_the_middle()
        os.kill(job.ranks()[-1], signal.SIGKILL)
        job.send_ranks(signal.SIGCONT)
        killed = time.monotonic()
        end = job.end()
        seconds = time.monotonic() - killed
        left_over, restarts, log = job.ranks(), job.facts()["Restarts"], job.log()
        self.finish(job, filled("many-nodes.sbatch"), *ON_TWO)
        return job.folder / "study.nc", end, seconds, left_over, restarts, log

    def plain(self, name, ranks, strike):
        """srun alone, as one types it, on two nodes. What strike(job, its processes by rank) does happens while all are held;
        then the living go on."""
        script = f"#!/bin/bash\n#SBATCH --output=%x-%j.log\nsrun --mpi=pmix {PROGRAM} run study.yaml --silence 3s\n"
        options = ("--nodes=2", f"--ntasks={ranks}", f"--ntasks-per-node={ranks // 2}")
        job = self.submit(name, script, *options)
        job.hold_in_the_middle()
        stopped = strike(job, job.numbered()) or ()
        for process in {*job.ranks()} - {*stopped}:
            send(process, signal.SIGCONT)
        began = time.monotonic()
        if stopped:
            wait_until(lambda: "not been heard of" in job.log(), job.log)
            job.control("scancel", "--signal=USR1")
        end = job.end()
        outcome = end, time.monotonic() - began, job.ranks(), job.log()
        self.finish(job, script, *options)
        return job.folder / "study.nc", *outcome

    def killed(self, name, ranks, *numbers):
        return self.plain(name, ranks, lambda job, pids: [send(pids[number], signal.SIGKILL) for number in numbers] and None)

    def dead_node(self):
        return self.killed("dead_node", 4, 2, 3)

    def dead_neighbour(self):
        return self.killed("dead_neighbour", 4, 3)

    def dead_first(self):
        return self.killed("dead_first", 2, 0)

    def silent_node(self):
        return self.plain("silent_node", 4, lambda job, pids: [pids[2], pids[3]])

    def silent_rank(self):
        return self.plain("silent_rank", 4, lambda job, pids: [pids[2]])

    def mpirun(self):
        changes = (
            ("#SBATCH --signal=USR1@300", "#SBATCH --signal=B:USR1@300"),
            ("\nlaunch=", "\n#launch="),
            ("\n#launch=(mpirun", "\nlaunch=(mpirun"),
        )
        job = self.submit("mpirun", filled("many-nodes.sbatch", *changes), "--nodes=1", "--ntasks=2", "--ntasks-per-node=2")
        job.hold_in_the_middle()
        job.tell_to_stop("--batch")
        job.completes(restarts=[1])
        return job.folder / "study.nc", job.log()

    def without_pmi(self):
        script = ["#!/bin/bash", "#SBATCH --output=%x-%j.log"]
        for start in ("srun --mpi=none --ntasks=2", "srun --mpi=none --ntasks=1", "", "mpirun -n 2"):
            script += [f"{start} {PROGRAM} run study.yaml -o {len(script)}.nc -q", f'echo "status $? of: {start}"']
        job = self.submit("without_pmi", "\n".join([*script, ""]), *ON_ONE, held=False)
        job.end()
        return sorted(path.name for path in job.folder.glob("*.nc")), job.log()

    def scaling(self):
        """Told to stop in the second of its runs, and done with all of them after the restart."""
        folder = self.folder("scaling")
        for name in ("jobs/scaling.sh", "jobs/scaling.sbatch", "jobs/scaling.yaml", "analysis"):
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).symlink_to(SOURCE / name)
        script = (SOURCE / "jobs" / "scaling.sbatch").read_text()
        for line in ("#SBATCH --exclusive\n", "#SBATCH --mem=0\n"):  # the others need the node too
            assert line in script
            script = script.replace(line, "")
        job = Job(
            self.virtual,
            folder,
            script,
            "--ntasks-per-node=2",
            arguments=("-n", "1 2", "-p", "80"),
            env={**launcher.over_loopback(), **holding(folder, 1, "/strong-2.part.nc.journal"), "RIDGELESS": PROGRAM},
        )
        job.hold_in_the_middle()
        job.tell_to_stop()
        job.completes(restarts=[1])
        return folder, job.log()


# What waits longest comes first.
NAMES = (
    *tier.of((), ("time_limit", "scaling", "dead_rank", "requeued_and_cancelled")),
    *tier.of((), ("dead_node", "dead_neighbour", "dead_first", "silent_node", "silent_rank")),
    "many_nodes",
    "most_restarts",
    "mpirun",
    "array",
    "no_progress",
    "printed",
    "without_pmi",
)


@unittest.skipIf(SKIP, SKIP)
class Slurm(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        at = pathlib.Path(folder.name)
        clusters = [cluster.Cluster(virtual) for virtual in (0, 2)]
        for one in clusters:
            cls.addClassCleanup(one.stop)
            one.start()
        cls.whole, cls.whole_grids = at / "whole.nc", at / "whole_grids.nc"
        for name, text, ranks in (("whole", STUDY, CORES), ("whole_grids", GRIDS, 2)):
            (at / f"{name}.yaml").write_text(text)
            run("run", f"{name}.yaml", "-q", ranks=ranks, cwd=at, check=0, timeout=PATIENCE)
        scenarios = Scenarios(at, *clusters)
        pool = concurrent.futures.ThreadPoolExecutor(6)
        cls.addClassCleanup(pool.shutdown)
        cls.results = {name: pool.submit(getattr(scenarios, name)) for name in NAMES}

    def outcome(self, name):
        return self.results[name].result()

    def same(self, results, whole=None):
        # A study's title is its file's name where it does not say one.
        self.assertEqual([name for name in differences(whole or self.whole, results) if name != "@title"], [])

    @tier.in_all_alone
    def test_a_time_limit_in_the_middle(self):
        results, log = self.outcome("time_limit")
        self.same(results)
        self.assertRegex(log, r"start 0: 9600 spectra to do, threads per rank: 1, time left (1:00|0:\d\d), on here")
        self.assertRegex(log, r"start 0: stopped with \d+ spectra to do: starts again")
        self.assertRegex(log, r"start 1: (?!9600 )\d+ spectra to do")
        self.assertRegex(log, r"start \d: ended with exit status 0")
        if CORES > 1:
            self.assertRegex(log, r"cpu.bind.*mask 0x1 set")
            self.assertRegex(log, r"cpu.bind.*mask 0x2 set")

    def test_process_grids_on_two_nodes(self):
        results, log = self.outcome("many_nodes")
        self.same(results, self.whole_grids)
        self.assertIn("on n[1-2]", log)

    @tier.in_all_alone
    def test_requeued_and_cancelled_from_outside(self):
        results, before, kept, facts, log = self.outcome("requeued_and_cancelled")
        self.same(results)
        self.assertGreaterEqual(kept, before, "finished curves were lost")
        self.assertEqual((facts["JobState"], facts["Restarts"]), ("CANCELLED", "1"), log)

    def test_no_more_restarts_than_allowed(self):
        end, log = self.outcome("most_restarts")
        self.assertEqual(end, ("FAILED", 75), log)
        self.assertRegex(log, r"start 1: stopped with \d+ spectra to do after 1 restarts, the most allowed")

    def test_no_restart_without_progress(self):
        end, log, done = self.outcome("no_progress")
        self.assertEqual((end, done), (("FAILED", 1), 0), log)
        self.assertIn("no spectrum was finished since the start (9600 are to do): not started again", log)

    def test_an_array_over_data_sets(self):
        folder, logs = self.outcome("array")
        whole = data_groups(self.whole)
        for name, log in zip(("narrow", "wide"), logs):
            part = data_groups(folder / f"study-{name}.nc")
            expected = {key: value for key, value in whole.items() if key.startswith(("@", f"{name}/"))}
            self.assertEqual(sorted(part), sorted(expected))
            self.assertEqual([key for key in part if part[key] != expected[key] and key != "@title"], [])
            self.assertEqual(log.count("start 1: ended with exit status 0"), 1)
        figures = subprocess.run(
            ["/usr/bin/python3", SOURCE / "analysis" / "figures.py", *sorted(folder.glob("study-*.nc"))],
            capture_output=True,
            text=True,
        )
        self.assertEqual(figures.returncode, 0, figures.stderr)
        self.assertIn(f"figures in {folder}/study-figures; open {folder}/study-figures/report.html", figures.stdout)
        self.assertTrue((folder / "study-figures" / "error.png").exists())

    def test_the_printed_script(self):
        folder, script, facts = self.outcome("printed")
        self.assertTrue((folder / f"{HOSTILE}.nc").exists())
        self.assertFalse((folder / "hacked").exists())
        self.assertEqual((facts["NumTasks"], facts["TimeLimit"]), ("2", "00:10:00"), script)

    @tier.in_all_alone
    def test_a_dead_rank_ends_the_step(self):
        results, (state, status), seconds, left_over, restarts, log = self.outcome("dead_rank")
        self.same(results, self.whole_grids)
        self.assertEqual(state, "FAILED")
        self.assertNotIn(status, (0, 75))
        self.assertLess(seconds, PATIENCE // 4, log)  # the others would wait for it for ever
        self.assertEqual((left_over, restarts), ([], "0"), log)
        self.assertEqual(len(re.findall(r"ridgeless: rank [01] died while ", log)), 1, log)

    @tier.in_all_alone
    def test_the_dead_of_another_node_end_all(self):
        for name, who in (
            ("dead_node", "ranks 2 to 3 died, the first"),
            ("dead_neighbour", "rank 3 died"),
            ("dead_first", "rank 0 died"),
        ):
            results, (state, status), seconds, left_over, log = self.outcome(name)
            with self.subTest(name):
                self.same(results)
                self.assertEqual((state, left_over), ("FAILED", []), log)
                self.assertNotIn(status, (0, 75))
                self.assertLess(seconds, PATIENCE // 4, log)  # they would wait for ever
                self.assertEqual((log.count(f"ridgeless: {who} while "), len(re.findall("ranks? .* died", log))), (1, 1), log)

    @tier.in_all_alone
    def test_usr1_does_not_wait_for_those_who_hang_on_another_node(self):
        for name, who in (
            ("silent_node", r"ranks 2 to 3 have not been heard of for \d+ s, the first while .* without them"),
            ("silent_rank", r"rank 2 has not been heard of for \d+ s while .* without it"),
        ):
            results, end, seconds, left_over, log = self.outcome(name)
            with self.subTest(name):
                self.same(results)
                self.assertEqual((end, left_over), (("FAILED", 75), []), log)
                self.assertEqual(len(re.findall(who, log)), 1, log)
                self.assertRegex(log, r"the run ends without ranks? 2")
                self.assertRegex(log, r"stopped by SIGUSR1: \d+ of \d+ curves are done")

    @tier.in_all_alone
    def test_the_scaling_study(self):
        folder, log = self.outcome("scaling")
        names = sorted(path.name for path in (folder / "scaling").glob("*.nc"))
        self.assertEqual(names, ["strong-1.nc", "strong-2.nc", "weak-1.nc", "weak-2.nc"], log)
        self.assertRegex(log, r"start 0: stopped with 1 runs done: starts again")
        self.assertIn("strong-1.nc is there already", log)
        self.assertIn("start 1: ended with exit status 0", log)
        self.assertTrue((folder / "scaling" / "scaling.png").exists(), log)

    def test_srun_without_pmi(self):
        """Several tasks are refused, in one line; one stands alone."""
        made, log = self.outcome("without_pmi")
        self.assertEqual(log.count("ridgeless: Slurm started 2 tasks, but MPI sees one: use srun --mpi=pmix, or mpirun"), 1, log)
        self.assertEqual(log.count("ridgeless: "), 1, log)
        self.assertRegex(log, r"status 2 of: srun --mpi=none --ntasks=2\n")
        for start in ("srun --mpi=none --ntasks=1", "", "mpirun -n 2"):
            self.assertIn(f"status 0 of: {start}\n", log)
        self.assertEqual(made, ["4.nc", "6.nc", "8.nc"], log)

    def test_by_mpirun(self):
        results, log = self.outcome("mpirun")
        self.same(results)
        self.assertIn("start 1: ended with exit status 0", log)


@unittest.skipIf(SKIP, SKIP)
class Cleanup(unittest.TestCase):
    def test_nothing_is_left_of_tests_that_are_killed(self):
        """The daemons, a job and its step, and the folder, after kill -9 of the process that started them."""
        lines = (
            f"import sys, time; sys.path.insert(0, {str(pathlib.Path(__file__).parent)!r}); import cluster\n"
            "one = cluster.Cluster(2).start()\n"
            "one.ask('sbatch', '--wrap', 'srun --mpi=none sleep 300', '--output=/dev/null')\n"
            "while 'RUNNING' not in one.ask('squeue', '-s', '-h', '-o', '%i RUNNING').stdout: time.sleep(0.1)\n"
            "print(one.folder, flush=True); time.sleep(300)\n"
        )
        with subprocess.Popen([sys.executable, "-c", lines], stdout=subprocess.PIPE, text=True) as process:
            folder = pathlib.Path(process.stdout.readline().strip())
            self.assertTrue(folder.is_dir())
            self.assertGreater(len(cluster.ours(folder / "slurm.conf")), 3)
            process.kill()
        wait_until(lambda: not folder.exists() and not cluster.ours(folder / "slurm.conf"), "everything is gone")


if __name__ == "__main__":
    unittest.main()
