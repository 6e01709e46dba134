#!/usr/bin/python3
"""Spectra a second of the program beside the NumPy peer, in turn in one run, one core each, medians and spread of the ratios:
   tests/bench/study.py PROGRAM [ROUNDS [REPEATS]]"""
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
DATA = HERE.parent.parent / "jobs" / "data"
ENVIRONMENT = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
SPECTRA_A_REPEAT = 2 * 39


def answer(*command):
    return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True, env=ENVIRONMENT).stdout


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def main():
    program, rounds, repeats = sys.argv[1], *(int(word) for word in (sys.argv[2:4] + ["5", "200"][len(sys.argv[2:4]):]))
    ours, two, peer = [], [], []
    for _ in range(rounds):
        bench = ("bench", "study", HERE / "study.yaml", "--repeats", repeats, "--json")
        ours.append(json.loads(answer(program, *bench))["spectra_per_second"])
        two.append(json.loads(answer("mpirun", "-n", "2", program, *bench))["spectra_per_second"])
        peer.append(SPECTRA_A_REPEAT * repeats / float(answer("/usr/bin/python3", HERE / "numpy_study.py", DATA, repeats)))
    print(f"{processor()}, {os.cpu_count()} cores; {rounds} rounds of {repeats} repeats, {SPECTRA_A_REPEAT * repeats} spectra")
    for name, values in (("ridgeless, 1 rank", ours), ("ridgeless, 2 ranks", two), ("NumPy, 1 thread", peer)):
        print(f"{name:20s} {statistics.median(values):10.0f} spectra/s  ({min(values):.0f} ... {max(values):.0f})")
    for name, left, right in (("1 rank over NumPy", ours, peer), ("2 ranks over 1", two, ours)):
        ratios = [a / b for a, b in zip(left, right)]
        print(f"{name:20s} {statistics.median(ratios):10.2f} times      ({min(ratios):.2f} ... {max(ratios):.2f})")


if __name__ == "__main__":
    main()
