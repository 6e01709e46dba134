#!/usr/bin/python3
"""Seconds and memory of eight shapes beside what is predicted, on one rank and on two: large spectra, square, tall and wide, by
three producers, and curves by three methods. The rates are calibrated in the same run, on as many ranks as there are cores.
Each is measured three times; the median counts. Exits with 1 when one is off by more than a factor of 1.3. The machine should
have nothing else to do; two minutes on two cores:
   tests/bench/spectra.py PROGRAM [RANKS ...]"""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

from measure import ENVIRONMENT, machine

WITHIN, ROUNDS = 1.3, 3
SPECTRA = (
    ("square", "2000", "two-stage"),
    ("square", "2000", "projected"),
    ("square", "1000", "pdgesvd"),
    ("tall", "4000x1000", "two-stage"),
    ("wide", "1000x4000", "projected"),
)
# title, study
CURVES = (
    (
        "side by side",
        """repeats: 3000
n_train: {range: [1, 40]}
ablations: [none, no_residuals, cutoff: {logspace: [-3, 0, 4]}, leading_modes: [1, 5]]
datasets: [{source: student-teacher, rows: 80, features: 20, hidden_features: 20}]
""",
    ),
    (
        "row by row",
        """repeats: 24
n_train: {range: [1, 200]}
ablations: [none, no_residuals, cutoff: {logspace: [-3, 0, 4]}, leading_modes: [1, 5]]
datasets: [{source: student-teacher, rows: 400, features: 100, hidden_features: 100, draw: fresh}]
""",
    ),
    (
        "nested, on grids",
        """repeats: 1
n_train: {range: [1300, 1700]}
ablations: [none, no_residuals]
datasets: [{source: student-teacher, rows: 2500, features: 1500, hidden_features: 1500, draw: fresh, producer: auto,
            ranks_per_case: all}]
""",
    ),
)


def call(ranks, *words):
    launcher = ["mpirun", "-n", str(ranks)] if ranks > 1 else []
    done = subprocess.run([*launcher, *map(str, words)], env=ENVIRONMENT, stdout=subprocess.PIPE, check=True, text=True)
    return done.stdout


def spectrum(program, rates, ranks, size, producer):
    """(seconds predicted, measured), and the same of memory."""
    words = ("bench", "spectrum", size, "-r", ROUNDS, "-p", producer, "--rates", rates, "--json")
    row = json.loads(call(ranks, program, *words))["producers"][0]
    predicted = row["predicted"]
    memory = predicted["memory_bytes"] + json.loads(rates.read_text())["process_bytes"]
    return (predicted["seconds"], row["seconds"]), (memory, row["peak_memory_bytes"])


def curve(program, rates, ranks, study, folder):
    file, output, found = folder / "study.yaml", folder / "study.nc", []
    file.write_text(study)
    for _ in range(ROUNDS):
        call(ranks, program, "run", file, "--fresh", "-q", "-o", output)
        lines = json.loads(call(1, program, "plan", file, "-q", "--rates", rates, "--compare", output, "--json"))["compared"]
        by_unit = {line["unit"]: (line["predicted"], line["measured"]) for line in lines}  # the last of each: of all
        found.append((by_unit["s"], by_unit["byte"]))
    return statistics.median_low(found)


def show(ranks, name, seconds, memory):
    """How far off the seconds are, as a factor above 1."""
    ratio = seconds[1] / seconds[0]
    print(
        f"{ranks:5d} {name:32s}{seconds[0]:10.3f}{seconds[1]:10.3f}{ratio:7.2f}"
        f"{memory[0] / 2**20:10.1f}{memory[1] / 2**20:10.1f}{memory[1] / memory[0]:7.2f}",
        flush=True,
    )
    return max(ratio, 1 / ratio)


def main():
    program, worst = pathlib.Path(sys.argv[1]).resolve(), 1
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        rates = folder / "rates.json"
        call(len(os.sched_getaffinity(0)), program, "bench", "calibrate", "--force", "-q", "-o", rates)
        print(f"{machine()}; seconds, then MiB per rank: predicted, measured, and their ratio")
        for ranks in map(int, sys.argv[2:] or ["1", "2"]):
            for shape, size, producer in SPECTRA:
                found = spectrum(program, rates, ranks, size, producer)
                worst = max(worst, show(ranks, f"{shape}, {size}, {producer}", *found))
            for title, study in CURVES:
                worst = max(worst, show(ranks, f"curves, {title}", *curve(program, rates, ranks, study, folder)))
    print(f"off by at most a factor of {worst:.2f}")
    return 0 if worst <= WITHIN else 1


if __name__ == "__main__":
    sys.exit(main())
