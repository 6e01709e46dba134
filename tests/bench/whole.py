#!/usr/bin/python3
"""A whole run, from the study file to the results file with every error kept: study.yaml at so many repeats on one rank and
on two, beside a practised NumPy user (numpy_whole.py), in turn, by the clock, start-up included. NumPy and one rank have one
core, the same; two ranks have two; each begins where none of its files is there:
   tests/bench/whole.py PROGRAM [ROUNDS [REPEATS [philox|numpy]]]
Orders of rows are drawn by that generator on all sides. First both compute some repeats with NumPy's own orders, and must
agree. All four data sets where $RIDGELESS_DATA has them, else the two that ship."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import netCDF4
import numpy as np

from measure import ENVIRONMENT, HERE, SOURCE, machine, show, show_ratio

FEW = 20  # repeats that both must agree on
FILE = ("collect", "reduce", "write", "verify")  # what of a run is the results file
CLOSE = 1e-6  # of nine in ten errors: Gram matrices lose half the digits
DATA = os.environ.get("RIDGELESS_DATA", SOURCE / "jobs" / "data")


def study(folder, repeats, generator):
    text = (HERE / "study.yaml").read_text()
    path = folder / f"{generator}.yaml"
    path.write_text(text.replace("repeats: 50", f"repeats: {repeats}").replace("random: numpy", f"random: {generator}"))
    return path


def bound(*command):
    """On one core, the first of those that there are."""
    return "taskset", "-c", min(os.sched_getaffinity(0)), *command


def clock(*command):
    """Seconds, and what the command prints."""
    start = time.monotonic()
    done = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True, env=ENVIRONMENT)
    return time.monotonic() - start, done.stdout


def compare(program, folder):
    """The largest of the data sets' differences that nine in ten errors are within."""
    ours, theirs = folder / "ours.nc", folder / "theirs.nc"
    clock(program, "run", study(folder, FEW, "numpy"), "-k", "-q", "-o", ours)
    clock("/usr/bin/python3", HERE / "numpy_whole.py", DATA, FEW, "numpy", theirs)
    worst = 0
    with netCDF4.Dataset(ours) as a, netCDF4.Dataset(theirs) as b:
        a.set_auto_mask(False)
        b.set_auto_mask(False)
        for name, group in b.groups.items():
            fits = slice(0, -1)  # the last is `no_residuals`, whose errors are rounding beyond the threshold
            left, right = (np.squeeze(file[name]["test_mse"][:])[fits] for file in (a, b))
            worst = max(worst, np.quantile(np.abs(right / left - 1), 0.9))
    if worst > CLOSE:
        raise SystemExit(f"the two sides differ by {worst:.2g}")
    return worst


def main():
    program = str(pathlib.Path(sys.argv[1]).resolve())
    rounds, repeats = (int(word) for word in (sys.argv[2:4] + ["3", "2000"][len(sys.argv[2:4]) :]))
    generator = sys.argv[4] if len(sys.argv) > 4 else "philox"
    sides = {"NumPy on one core": [], "one rank on that core": [], "two ranks": []}
    answers, sizes = {name: [] for name in sides}, {}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        worst = compare(program, folder)
        numpy, one, two = sides
        run = program, "run", study(folder, repeats, generator), "-k", "-q", "--json", "-o", folder / "run.nc"
        peer = "/usr/bin/python3", HERE / "numpy_whole.py", DATA, repeats, generator, folder / "numpy.nc"
        for _ in range(rounds):
            for side, command in zip(sides, (bound(*peer), bound(*run), ("mpirun", "-n", 2, *run))):
                for file in folder.glob("*.nc*"):
                    file.unlink()
                seconds, answer = clock(*command)
                sides[side].append(seconds)
                sizes[side] = next(folder.glob("*.nc")).stat().st_size / 1e6
                answers[side] += [json.loads(answer)] if answer else []
    print(
        f"{machine()}\n{rounds} rounds of {repeats} repeats, {generator}; files of {sizes[one]:.0f} and {sizes[numpy]:.0f} MB",
        end="",
    )
    print(f"; nine in ten errors within {worst:.1g} of each other")
    for side, seconds in sides.items():
        show(side, seconds, "s")
    show_ratio("NumPy over one rank", sides[numpy], sides[one])
    show_ratio("NumPy over two ranks", sides[numpy], sides[two])
    show_ratio("one rank over two", sides[one], sides[two])
    for side in (one, two):
        parts = [answer["seconds"] for answer in answers[side]]
        of_file = [sum(part[phase]["rank_0"] for phase in FILE) for part in parts]
        show(f"{side}: results file", [100 * s / part["total"] for s, part in zip(of_file, parts)], "% of the run")
        show(f"{side}: largest memory", [answer["peak_memory_bytes"]["max"] / 1e6 for answer in answers[side]], "MB")


if __name__ == "__main__":
    main()
