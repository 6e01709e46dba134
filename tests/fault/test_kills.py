"""Ranks and mpirun killed at random times lose nothing that was finished, and running again ends in the same bits."""
import collections
import concurrent.futures
import json
import multiprocessing
import os
import pathlib
import random
import re
import signal
import subprocess
import tempfile
import time
import unittest

import launcher
import tier
from program import PROGRAM, data_groups

KILLS = int(os.environ.get("RIDGELESS_TEST_KILLS", tier.of(6, 60)))
IN_A_ROW = 5  # on the same journal
AT_ONCE = 2
TIME_LIMIT = 600  # seconds; a run takes one or two, and some ten on a busy machine
GONE_LIMIT = 120  # likewise; ranks without their launcher notice within two

# One rank per curve with LAPACK, or all ranks with ScaLAPACK on one: there the same number of ranks makes the same bits.
UNCHANGED = {
    "small": """repeats: 120
n_train: {range: [1, 60]}
ablations: [none, no_residuals, cutoff: [0.01, 0.1]]
datasets: [{source: student-teacher, rows: 400, features: 40, hidden_features: 50}]
""",
    "grid": """repeats: 8
block: 16
n_train: [60, 90, 120]
ablations: [none, cutoff: 0.1]
datasets: [{source: student-teacher, rows: 300, features: 90, hidden_features: 90, ranks_per_case: all}]
""",
    "summary": """repeats: 20000
keep: summary
n_train: {range: [1, 39]}
ablations: [none, cutoff: [0.01, 0.1]]
datasets: [{source: student-teacher, rows: 200, features: 10, hidden_features: 12}]
""",
}
# What a person makes of a study while its journal grows: each run has one of these texts.
FIRST, FIRST_AND_MORE = (
    f"\n  - {{name: first, source: student-teacher, rows: 400, features: 40, hidden_features: 50, intercept: true{more}}}"
    for more in ("", ", ablations: [cutoff: [0.2, 0.1], none]")
)
SECOND = "\n  - {name: second, source: student-teacher, rows: 300, features: 30, hidden_features: 30}"
CHANGED = [
    f"""repeats: {repeats}
n_train: {{range: [1, 60]}}
ablations: [none, cutoff: 0.1]
datasets:{"".join(datasets)}
"""
    for repeats, datasets in ((90, [FIRST]), (60, [SECOND, FIRST_AND_MORE]), (70, [FIRST, SECOND]))
]
STUDIES = {**{kind: [text] for kind, text in UNCHANGED.items()}, "changed": CHANGED}
N_KILLS = {"small": KILLS // 2, "grid": KILLS // 2, "summary": KILLS // 5, "changed": KILLS // 5}
RANKS = {**dict.fromkeys(STUDIES, (2, 3)), "grid": (2,)}
VICTIMS = ("a rank", "rank 0", "launcher")
SHARED = {}  # the references, for the processes of the pool


def command(ranks, which, output="s.nc"):
    return launcher.on_ranks(ranks, [PROGRAM, "run", f"study{which}.yaml", "-o", output])


def environment(folder):
    return launcher.short_lived(folder.parent / "session")


def write_texts(folder, kind):
    folder.mkdir(parents=True)
    for i, text in enumerate(STUDIES[kind]):
        (folder / f"study{i}.yaml").write_text(text)


def done_curves(folder, which):
    answer = subprocess.run(
        [PROGRAM, "status", f"study{which}.yaml", "--json", "-o", "s.nc"],
        cwd=folder,
        text=True,
        capture_output=True,
        timeout=TIME_LIMIT,
        check=True,
    )
    return json.loads(answer.stdout)["done"]


def wait_until_gone(folder):
    """Those still there after the limit; they are ended."""
    deadline = time.monotonic() + GONE_LIMIT
    while (left := launcher.ranks_in(folder)) and time.monotonic() < deadline:
        time.sleep(0.05)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    return left


class Chain:
    """Kills in a row on the same journal, then the run that finishes."""

    def __init__(self, kind, chance, folder):
        self.kind, self.chance, self.folder = kind, chance, folder
        self.wanted, self.seconds = SHARED[kind]
        self.done, self.tally, self.complaints = [0] * len(self.wanted), collections.Counter(), []
        write_texts(folder, kind)

    def kill_once(self):
        """Whether the run was still going on when it was killed."""
        ranks, victim = self.chance.choice(RANKS[self.kind]), self.chance.choice(VICTIMS)
        process = subprocess.Popen(
            command(ranks, self.chance.randrange(len(self.wanted))),
            cwd=self.folder,
            env=environment(self.folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(self.chance.uniform(0.1, 1.1) * self.seconds)
        pids = launcher.ranks_in(self.folder)
        self.strike(process, pids, ranks, victim)
        status = process.wait(timeout=TIME_LIMIT)
        left = wait_until_gone(self.folder)
        if left:
            self.complain(f"after the kill of {victim} {len(left)} of {ranks} ranks run on")
        self.check_kept()
        self.tally[victim] += status != 0
        # The machine may be busier now, or less so, than when the reference was timed.
        self.seconds *= 0.8 if status == 0 else 1 if pids else 1.25
        return status != 0

    def strike(self, process, pids, ranks, victim):
        """Where not all ranks are there, still starting or already leaving, it meets the launcher."""
        aim = {"a rank": self.chance.choice(pids), "rank 0": pids[0]}.get(victim) if len(pids) == ranks else None
        if aim is None:
            process.kill()
            return
        try:
            os.kill(aim, signal.SIGKILL)
        except ProcessLookupError:
            pass  # it has just ended

    def complain(self, text):
        self.complaints.append(f"{self.kind} study: {text}")

    def check_kept(self):
        done = [done_curves(self.folder, which) for which in range(len(self.wanted))]
        if any(now < before for now, before in zip(done, self.done)):
            self.complain(f"of {self.done} finished curves {done} are left")
        self.done = done

    def finish(self):
        for which in range(len(self.wanted)):
            self.finish_text(which)
            self.check_kept()

    def finish_text(self, which):
        ranks = self.chance.choice(RANKS[self.kind])
        again = subprocess.run(
            command(ranks, which),
            cwd=self.folder,
            env=environment(self.folder),
            text=True,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIME_LIMIT,
            check=False,
        )
        if again.returncode != 0:
            return self.complain(f"running again: exit {again.returncode}: {again.stderr}")
        kept = re.search(r"([\d,]+) of [\d,]+ curves are in the journal already", again.stderr)
        if int(kept.group(1).replace(",", "") if kept else 0) != self.done[which]:
            self.complain(f"{self.done[which]} curves were finished, but: {again.stderr}")
        if data_groups(self.folder / "s.nc") != self.wanted[which]:
            self.complain("running again ends in other results")
        if any(".tmp." in path.name for path in self.folder.iterdir()):
            self.complain("a temporary is left")
        return None

    def start_over(self):
        for path in self.folder.glob("s.nc*"):
            path.unlink()
        self.done = [0] * len(self.wanted)


def run_chain(kind, seed, kills):
    """(kills by victim, curves found in journals at the end, complaints)"""
    with tempfile.TemporaryDirectory() as name:
        chain = Chain(kind, random.Random(seed), pathlib.Path(name) / "study")
        struck = 0
        while struck < kills and not chain.complaints:
            if chain.kill_once():
                struck += 1
            else:  # it had ended before
                chain.finish()
                chain.start_over()
        kept = chain.done
        chain.finish()
        return chain.tally, kept, chain.complaints


class Kills(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        at = tempfile.TemporaryDirectory()
        cls.addClassCleanup(at.cleanup)
        for kind, texts in STUDIES.items():
            folder = pathlib.Path(at.name) / kind / "study"
            write_texts(folder, kind)
            start = time.monotonic()
            for which in range(len(texts)):
                subprocess.run(
                    command(2, which, f"{which}.nc"),
                    cwd=folder,
                    env=environment(folder),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    timeout=TIME_LIMIT,
                    check=True,
                )
            seconds = (time.monotonic() - start) / len(texts)
            SHARED[kind] = [data_groups(folder / f"{which}.nc") for which in range(len(texts))], seconds
        cls.seed = int(os.environ.get("RIDGELESS_TEST_SEED", time.time_ns() % 1000000))
        print(f"# RIDGELESS_TEST_SEED={cls.seed}", flush=True)
        pool = concurrent.futures.ProcessPoolExecutor(AT_ONCE, multiprocessing.get_context("fork"))
        cls.addClassCleanup(pool.shutdown, cancel_futures=True)
        cls.chains = {
            kind: [
                pool.submit(run_chain, kind, f"{cls.seed} {kind} {i}", min(IN_A_ROW, kills - first))
                for i, first in enumerate(range(0, kills, IN_A_ROW))
            ]
            for kind, kills in N_KILLS.items()
        }

    def kill(self, kind):
        chains = [chain.result() for chain in self.chains[kind]]
        tally = sum((chain[0] for chain in chains), collections.Counter())
        print(f"# {kind} study: {sum(tally.values())} kills, {dict(tally)}; curves kept: {[chain[1] for chain in chains]}")
        self.assertEqual([line for chain in chains for line in chain[2]], [])
        self.assertEqual(sum(tally.values()), N_KILLS[kind])

    def test_ranks_that_work_alone(self):
        self.kill("small")

    def test_ranks_on_a_process_grid(self):
        self.kill("grid")

    def test_summaries(self):
        self.kill("summary")

    def test_studies_that_change(self):
        self.kill("changed")


if __name__ == "__main__":
    unittest.main()
