#!/usr/bin/python3
"""One curve, every N = 1 ... 2 P of one repeat, in two studies: the variants none and no_residuals with the extreme
singular values, by nested factorization, and these with 7 cutoffs and 10 leading_modes, by spectra updated row by row.
Both beside one SVD with vectors an N, by LAPACK's dgesdd through NumPy and by the program's own full spectra of all
these variants. SVDs are timed at a sample of N on either side of the threshold, and their sum over all N is
interpolated. One thread each, in one run, processor time (other work on the machine disturbs it less than the clock),
medians and spread of the ratios:
   tests/bench/curve.py PROGRAM [P [ROUNDS]]"""
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile

from measure import ENVIRONMENT

os.environ.update(ENVIRONMENT)  # before NumPy loads its BLAS

import numpy as np  # noqa: E402

SAMPLES = 11  # of N, evenly over the curve


def study(features, n_train, ablations):
    return f"""repeats: 1
n_train: {n_train}
ablations: {ablations}
datasets:
  - {{source: student-teacher, rows: {2 * features + 200}, features: {features}, hidden_features: {features + 50},
      noise: 0.1, draw: fresh}}
"""


def processor_seconds(who):
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


class Program:
    def __init__(self, path, folder):
        self.path, self.folder = path, folder

    def __call__(self, *arguments):
        return subprocess.run(
            [self.path, *map(str, arguments)], check=True, capture_output=True, text=True, cwd=self.folder
        ).stdout

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


def studies(features):
    """Cutoffs through the spectrum of the largest training set, and leading modes through all there are."""
    edge = float(np.sqrt(features))
    cutoffs = [round(share * edge, 3) for share in (0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 1)]
    leading = sorted({max(1, round(share * features)) for share in (0.002, 0.004, 0.01, 0.02, 0.04, 0.1, 0.2, 0.4, 0.6, 0.8)})
    return {
        "none, no_residuals": "[none, no_residuals]",
        "cutoffs, leading modes": f"[none, no_residuals, cutoff: {cutoffs}, leading_modes: {leading}]",
    }


def one_round(program, features):
    sizes = np.unique(np.linspace(1, 2 * features, SAMPLES).round().astype(int))
    x = np.random.default_rng(0).standard_normal((2 * features, features))
    ours = [program.seconds(study(features, f"{{range: [1, {2 * features}]}}", which)) for which in studies(features).values()]
    samples = [numpy_seconds(x[:n]) for n in sizes]
    peer = whole_curve(sizes, samples)
    # the program's start and data, about those of a study of one row, are not the spectra's
    every = "producer: lapack\n" + study(features, list(map(int, sizes)), list(studies(features).values())[-1])
    one = study(features, "[1]", "[none]")
    start = program.seconds(one)
    return *ours, peer, (program.seconds(every) - start) * peer / sum(samples), start


def main():
    path, features, rounds = str(pathlib.Path(sys.argv[1]).resolve()), *map(
        int, (sys.argv[2:4] + ["500", "3"][len(sys.argv[2:4]) :])
    )
    with tempfile.TemporaryDirectory() as folder:
        program = Program(path, pathlib.Path(folder))
        ways = [program.way(study(features, f"{{range: [1, {2 * features}]}}", which)) for which in studies(features).values()]
        seconds = list(zip(*(one_round(program, features) for _ in range(rounds))))
    print(f"P = {features}, every N = 1 ... {2 * features}, one repeat; {rounds} rounds")
    peers = ("numpy.linalg.svd an N", "full spectra an N")
    for name, values in zip((*studies(features), *peers, "start, and data, of a run"), seconds):
        print(f"{name:26s} {statistics.median(values):8.2f} s      ({min(values):.2f} ... {max(values):.2f})")
    for name, way, ours in zip(studies(features), ways, seconds):
        print(f"{name}; the plan says: {way}")
        for peer, values in zip(peers, seconds[2:4]):
            ratios = [theirs / own for theirs, own in zip(values, ours)]
            print(f"over {peer:21s} {statistics.median(ratios):8.1f} times  ({min(ratios):.1f} ... {max(ratios):.1f})")


if __name__ == "__main__":
    main()
