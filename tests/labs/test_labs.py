"""Each lab of jobs/labs, small: every command of its hand-out in order, as a student types them, and its lab.sh, whose table
must show what the lab teaches. Nothing here compares seconds of a busy machine with a limit."""
import csv
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

from launcher import MPIEXEC
from program import PROGRAM, SOURCE

LABS = SOURCE / "jobs" / "labs"
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


class Labs(unittest.TestCase):
    """A method per lab below; `relation_NN` is what its table must show."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.at = pathlib.Path(folder.name)
        (self.at / "bin").mkdir()
        (self.at / "bin" / "mpirun").write_text(f'#!/bin/sh\nexec "{MPIEXEC}" "$@"\n')
        (self.at / "bin" / "mpirun").chmod(0o755)
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("SLURM_")} | {
            "PATH": f"{self.at}/bin:{os.environ['PATH']}",
            "HOME": str(self.at),
            "RIDGELESS": PROGRAM,
            "RIDGELESS_LABS": str(self.at / "labs"),
            "RIDGELESS_LABS_QUICK": "1",
            "MPLBACKEND": "Agg",
        }

    def shell(self, *command):
        done = subprocess.run(
            command,
            cwd=SOURCE,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
        )
        self.assertEqual(done.returncode, 0, done.stdout[-4000:])

    def do(self, folder):
        """The hand-out, then the script."""
        relation = getattr(self, f"relation_{folder.name[:2]}")
        self.shell("bash", "-c", typed(folder / "README.md"))
        self.shell(folder / "lab.sh", "-q", "-o", self.at / "out")
        for name in ("figure.png", "table.txt"):
            self.assertGreater((self.at / "out" / name).stat().st_size, 100, name)
        relation(rows(self.at / "out" / "table.csv"))

    def relation_03(self, table):
        found = {row["schedule"]: number(row, "imbalance") for row in table}
        self.assertGreater(found["static"], 1.7)
        self.assertLess(found["dynamic"], 1.2)

    def relation_06(self, table):
        for row in table:
            if row["comparison"].endswith(("ranks", "cyclic", "few by Haswell kernels")):
                self.assertEqual(row["bits"], "same", row)
            self.assertLess(number(row, "in_eps_condition"), 100, row)
        self.assertIn("differ", [row["bits"] for row in table])

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
        self.assertEqual(max(range(1, 25), key=lambda n: error["bikes", n]), 6)
        self.assertLess(error["intercept", 24], error["bikes", 24] / 10)


for one in folders():
    setattr(
        Labs,
        f"test_{one.name.replace('-', '_')}",
        lambda self, folder=one: self.do(folder),
    )


if __name__ == "__main__":
    unittest.main()
