#!/usr/bin/python3
"""One curve, every N = 1 ... 2 P of one repeat, variants none and no_residuals with the extreme singular values: the program's nested
factorization beside one SVD with vectors an N, by LAPACK's dgesdd through NumPy and by the program's own full spectra. SVDs
are timed at a sample of N on either side of the threshold, and their sum over all N is interpolated. One thread each, in one run, processor time (other
work on the machine disturbs it less than the clock), medians and spread of the ratios:
   tests/bench/curve.py PROGRAM [P [ROUNDS]]"""
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile

ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
os.environ.update(ENVIRONMENT)  # before NumPy loads its BLAS

import numpy as np  # noqa: E402

SAMPLES = 11  # of N, evenly over the curve


def study(features, n_train, ablations):
    return f"""repeats: 1
n_train: {n_train}
ablations: {ablations}
datasets:
  - {{source: student-teacher, rows: {2 * features + 200}, features: {features}, hidden_features: {features + 50}, noise: 0.1, draw: fresh}}
"""


def processor_seconds(who):
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


class Program:
    def __init__(self, path, folder):
        self.path, self.folder = path, folder

    def __call__(self, *arguments):
        return subprocess.run([self.path, *map(str, arguments)], check=True, capture_output=True, text=True, cwd=self.folder).stdout

    def seconds(self, text):
        """Of the whole command that computes the study: start, data and results file included."""
        file = self.folder / "curve.yaml"
        file.write_text(text)
        for old in self.folder.glob("curve.nc*"):
            old.unlink()
        start = processor_seconds(resource.RUSAGE_CHILDREN)
        self("run", file, "-o", "curve.nc")
        return processor_seconds(resource.RUSAGE_CHILDREN) - start

    def way(self, text):
        file = self.folder / "way.yaml"
        file.write_text(text)
        return json.loads(self("plan", file, "--json"))["datasets"][0]["way"]


def whole_curve(sizes, seconds):
    """The sum over every N of what was measured at some."""
    every = np.arange(1, sizes[-1] + 1)
    return float(np.interp(every, sizes, seconds).sum())


def numpy_seconds(x):
    start = processor_seconds(resource.RUSAGE_SELF)
    np.linalg.svd(x, full_matrices=False)
    return processor_seconds(resource.RUSAGE_SELF) - start


def one_round(program, features):
    sizes = np.unique(np.linspace(1, 2 * features, SAMPLES).round().astype(int))
    x = np.random.default_rng(0).standard_normal((2 * features, features))
    fits = "[none, no_residuals]"
    nested = program.seconds(study(features, f"{{range: [1, {2 * features}]}}", fits))
    samples = [numpy_seconds(x[:n]) for n in sizes]
    peer = whole_curve(sizes, samples)
    # leading_modes wants spectra; the program's start and data, about those of a study of one row, are not theirs
    spectra = program.seconds(study(features, list(map(int, sizes)), "[none, no_residuals, leading_modes: [1]]"))
    start = program.seconds(study(features, "[1]", "[none, no_residuals, leading_modes: [1]]"))
    return nested, peer, (spectra - start) * peer / sum(samples), start


def main():
    path, features, rounds = str(pathlib.Path(sys.argv[1]).resolve()), *map(int, (sys.argv[2:4] + ["500", "3"][len(sys.argv[2:4]):]))
    with tempfile.TemporaryDirectory() as folder:
        program = Program(path, pathlib.Path(folder))
        way = program.way(study(features, f"{{range: [1, {2 * features}]}}", "[none, no_residuals]"))
        seconds = list(zip(*(one_round(program, features) for _ in range(rounds))))
    print(f"P = {features}, every N = 1 ... {2 * features}, one repeat; {rounds} rounds; the plan says: {way}")
    names = ("ridgeless run, all of it", "numpy.linalg.svd an N", "full spectra an N", "start, and data, of a run")
    for name, values in zip(names, seconds):
        print(f"{name:26s} {statistics.median(values):8.2f} s      ({min(values):.2f} ... {max(values):.2f})")
    for name, values in zip(names[1:3], seconds[1:3]):
        ratios = [theirs / ours for theirs, ours in zip(values, seconds[0])]
        print(f"over {name:21s} {statistics.median(ratios):8.1f} times  ({min(ratios):.1f} ... {max(ratios):.1f})")


if __name__ == "__main__":
    main()
