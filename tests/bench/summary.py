#!/usr/bin/python3
"""Very many repeats with `keep: summary` (jobs/tails.yaml, a million by default): the whole run on two ranks by the
clock, memory of a rank, files; and what counting adds to computing on one core, beside the same repeats with their
cells kept and thrown away:
   tests/bench/summary.py PROGRAM [REPEATS [ROUNDS]]"""
import pathlib
import re
import subprocess
import sys
import tempfile
import time

from measure import ENVIRONMENT, SOURCE, machine, numbers, processor_seconds, show, show_ratio

FEW = 8  # repeats of the runs whose time counts as start-up
PART = 25  # of the repeats are computed to see what counting adds


def whole(program, folder, text):
    study, output = folder / "tails.yaml", folder / "tails.nc"
    study.write_text(text)
    start = time.monotonic()
    command = ["mpirun", "-n", "2", program, "run", study, "-o", output]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=ENVIRONMENT)
    seconds = time.monotonic() - start
    journal, results = (path.stat().st_size / 1e6 for path in (folder / "tails.nc.journal", output))
    print(
        f"{seconds:.0f} s on two ranks, start and results file included; journal {journal:.1f} MB, results file {results:.1f} MB"
    )
    print("; ".join(re.findall(r"rank \d+: .* of memory", done.stderr)), flush=True)


def main():
    program, (repeats, rounds) = str(pathlib.Path(sys.argv[1]).resolve()), numbers([1000000, 3])
    text = re.sub(r"^repeats: .*$", f"repeats: {repeats}", (SOURCE / "jobs" / "tails.yaml").read_text(), flags=re.M)
    seconds = {"counted": [], "cells": []}
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        whole(program, folder, text)
        (folder / "cells.yaml").write_text(text.replace("keep: summary", "keep: cells"))
        for _ in range(rounds):
            for side, study in (("counted", "tails.yaml"), ("cells", "cells.yaml")):
                bench = lambda n: processor_seconds(program, "bench", "study", folder / study, "--repeats", n, "-q")
                seconds[side].append((bench(repeats // PART) - bench(FEW)) / (2 * 39 * (repeats // PART - FEW)))
    for side, values in seconds.items():
        show(side, [1e6 * value for value in values], "us per spectrum")
    show_ratio("counted over cells", seconds["counted"], seconds["cells"])


if __name__ == "__main__":
    main()
