"""Each lab of jobs/labs, small: every command of its hand-out in order, as a student types them, and its lab.sh, whose table
must show what the lab teaches. Nothing here compares seconds of a busy machine with a limit."""
import concurrent.futures
import csv
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from launcher import MPIEXEC, version
from program import PROGRAM, SOURCE

LABS = SOURCE / "jobs" / "labs"
SEARCHED = os.environ["PATH"] + ":/usr/sbin:/sbin"
PATIENCE = 600  # seconds, that a lab may take on the busiest machine


def folders():
    return sorted(path for path in LABS.glob("[0-9][0-9]-*") if path.is_dir())


def blocks(path):
    """Line and text of each block of commands."""
    text = path.read_text()
    for found in re.finditer(r"^```sh\n(.*?)^```$", text, re.M | re.S):
        yield text.count("\n", 0, found.start()) + 1, found[1]


def typed(path):
    """All blocks in one shell, which stops at the first command that fails and names its block."""
    parts = [
        "set -eE -o pipefail",
        "trap 'echo \"the block in line $block failed\" >&2' ERR",
    ]
    for line, text in blocks(path):
        parts += [f"block={line}", text]
    return "\n".join(parts)


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def number(row, column):
    return float(row[column])


class Lab:
    """One of them, done in a folder of its own; `skip` says why not."""

    def __init__(self, folder, at):
        self.folder, self.at, self.out = folder, at, at / "labs" / folder.name
        text = (folder / "README.md").read_text()
        self.skip, self.sleeps = "", "--work sleep" in text
        if "slurm-on-a-laptop" in text and shutil.which("slurmd", path=SEARCHED) is None:
            self.skip = "Slurm is not installed"
        if "OMPI_MCA" in text and version()[0] != "openmpi":
            self.skip = "its knobs are those of Open MPI"

    def shell(self, *command):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SLURM_")} | {
            "PATH": f"{self.at}/bin:{os.environ['PATH']}",
            "HOME": str(self.at),
            "RIDGELESS": PROGRAM,
            "RIDGELESS_LABS": str(self.at / "labs"),
            "RIDGELESS_LABS_QUICK": "1",
            "MPLBACKEND": "Agg",
        }
        done = subprocess.run(
            command,
            cwd=SOURCE,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
        )
        if done.returncode != 0:
            raise AssertionError(f"{self.folder.name}: exit status {done.returncode}\n{done.stdout[-4000:]}")

    def do(self):
        """The hand-out, then the script in the same folder, where it finds rates that were measured already: its table."""
        (self.at / "bin").mkdir(parents=True)
        (self.at / "bin" / "mpirun").write_text(f'#!/bin/sh\nexec "{MPIEXEC}" "$@"\n')
        (self.at / "bin" / "mpirun").chmod(0o755)
        try:
            self.shell("bash", "-c", typed(self.folder / "README.md"))
            self.shell(self.folder / "lab.sh", "-q", "-o", self.out)
        finally:
            self.end_slurm()
        return rows(self.out / "table.csv")

    def end_slurm(self):
        """One that a hand-out has started, had it no time to end it."""
        for configuration in self.at.glob("labs/*/slurm/slurm.conf"):
            subprocess.run([LABS / "slurm-on-a-laptop.sh", "stop", configuration.parent], timeout=PATIENCE)


class Labs(unittest.TestCase):
    """Labs whose ranks sleep are done beside those whose ranks compute, one of each at a time. A method per lab looks at one
    outcome; `relation_NN` is what its table must show."""

    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        pools = {sleeps: concurrent.futures.ThreadPoolExecutor(1) for sleeps in (False, True)}
        for pool in pools.values():
            cls.addClassCleanup(pool.shutdown, cancel_futures=True)
        cls.labs = {folder: Lab(folder, pathlib.Path(scratch.name) / folder.name) for folder in folders()}
        cls.tables = {folder: pools[lab.sleeps].submit(lab.do) for folder, lab in cls.labs.items() if not lab.skip}

    def look(self, folder):
        lab = self.labs[folder]
        if lab.skip:
            self.skipTest(lab.skip)
        table = self.tables[folder].result()
        for name in ("figure.png", "table.txt"):
            self.assertGreater((lab.out / name).stat().st_size, 100, name)
        getattr(self, f"relation_{folder.name[:2]}")(table)

    def relation_01(self, table):
        """Ranks that sleep scale on any machine, busy or not; a file that one rank writes does not."""
        seconds = {(row["study"], int(row["ranks"])): row for row in table}
        alone, many = (number(seconds["farm", ranks], "compute") for ranks in (1, 16))
        self.assertGreater(alone / many, 2)  # 15 on a quiet machine
        self.assertGreater(number(seconds["write", 1], "total"), 1.2 * number(seconds["write", 1], "compute"))

    def relation_02(self, table):
        found = {(row["what"], int(row["ranks"])): number(row, "efficiency") for row in table}
        self.assertGreater(found["shared work", 16], 0.2)  # 0.9 on a quiet machine
        self.assertGreater(found["shared work", 16], found["whole run", 16])

    def relation_03(self, table):
        found = {row["schedule"]: number(row, "imbalance") for row in table}
        self.assertGreater(found["static"], 1.7)
        self.assertLess(found["dynamic"], 1.2)

    def relation_04(self, table):
        """On one rank, where no other rank's turn on a core matters."""
        seconds = {int(row["block"]): number(row, "seconds") for row in table if row["grid"] == "1x1"}
        self.assertGreater(seconds[1], 1.3 * min(seconds.values()))

    def relation_05(self, table):
        """Who waits without yielding keeps the other rank from its only core."""
        seconds = {row["waiting"]: number(row, "seconds") for row in table}
        self.assertGreater(seconds["spins"], 2 * seconds["yields"])

    def relation_06(self, table):
        for row in table:
            if row["comparison"].endswith(("ranks", "cyclic", "few by Haswell kernels")):
                self.assertEqual(row["bits"], "same", row)
            self.assertLess(number(row, "in_eps_condition"), 100, row)
        self.assertIn("differ", [row["bits"] for row in table])

    def relation_07(self, table):
        """Whatever happened, nothing that was finished is lost but the torn record, and the bits are the same."""
        self.assertIn(len(table), (2, 3))  # the third wants Slurm
        for row in table:
            self.assertEqual(row["bits"], "same", row)
        kept = {row["event"]: int(row["kept"]) for row in table}
        self.assertGreater(kept["a rank is killed"], 0)
        self.assertEqual(kept["journal cut off"], int(table[0]["asked"]) - 1)

    def relation_08(self, table):
        """At the threshold normal equations lie between eps kappa and eps kappa^2, and an SVD at eps kappa."""
        for row in (row for row in table if row["n_train"] == "40"):
            units = number(row, "in_eps_condition")
            if row["solver"] == "SVD float":
                self.assertLess(units, 2)
            else:
                self.assertGreater(units, 2)
                self.assertLess(units, number(row, "condition"))

    def relation_09(self, table):
        for row in table:
            if row["repeats"] == "1000":
                self.assertGreater(number(row, "ratio"), 10, row)

    def relation_10(self, table):
        for row in table:
            self.assertGreater(number(row, "predicted"), 0)
            self.assertLess(number(row, "score"), 20)

    def relation_11(self, table):
        error = {(row["study"], int(row["n_train"])): number(row, "median") for row in table}
        self.assertEqual(max(range(1, 25), key=lambda n: error["z-score", n]), 6)
        self.assertLess(error["z-score and intercept", 24], error["z-score", 24] / 10)

    def relation_12(self, table):
        fingerprints, different = {}, {}
        for row in table:
            fingerprints.setdefault(row["way"], []).append(row["fingerprint"])
            different.setdefault(row["way"], []).append(int(row["different"]))
        self.assertEqual(len({*fingerprints["a stream per rank"]}), 4)
        self.assertEqual(len({*fingerprints["counters"]}), 1)
        self.assertEqual(different["one seed for all"], [100000, 50000, 33334, 25000])
        self.assertEqual(different["counters"], [100000] * 4)


for one in folders():
    setattr(
        Labs,
        f"test_{one.name.replace('-', '_')}",
        lambda self, folder=one: self.look(folder),
    )


if __name__ == "__main__":
    unittest.main()
