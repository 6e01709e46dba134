#!/usr/bin/python3
"""Every claim of speed in the README, measured beside its peer in one run on this machine, one after the other; medians
with the spread of rounds. Best on a machine that has nothing else to do; some 20 minutes on two cores, --quick: a
minute or two, smaller and with fewer rounds:
   tests/bench/run.py PROGRAM [--quick]"""
import pathlib
import subprocess
import sys
import time

from measure import ENVIRONMENT, HERE, machine

# title; command; arguments; arguments of --quick
BENCHES = [
    ("Many repeats of the published study, beside NumPy and LAPACK", "study.py", [5, 4000], [1, 1000]),
    ("A whole run with its results file, beside NumPy", "whole.py", [3, 2000], [1, 300]),
    ("Curves, P = 500, every N = 1 ... 1000, beside one dgesdd an N", "curve.py", [500, 3], [200, 1]),
    ("A million repeats in buckets, on two ranks", "summary.py", [1000000, 3], [20000, 1]),
    ("Starting, reading and writing, beside MPI alone", "start.py", [7], [2]),
    ("The journal, beside computing alone", "journal.py", [12, 100], [6, 50]),
    ("A training step of an autoencoder, beside dense NumPy", "autoencoder.py", [5], [1, 1000, 500]),
    ("Theory of a table of 2,000 features, beside NumPy's decomposition", "theory.py", [2000, 8000], [300, 2000]),
    ("Predicted beside measured seconds of eight shapes", "spectra.py", [], [2]),
    ("Predicted beside measured seconds of studies", "predictions.py", [], ["quickstart", "theory"]),
]
# One large spectrum by every producer, beside dgesdd on as many threads.
SPECTRUM, QUICK_SPECTRUM = 4000, 400


def main():
    program, quick = str(pathlib.Path(sys.argv[1]).resolve()), "--quick" in sys.argv[2:]
    version = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout.splitlines()[0]
    print(f"{version} on {machine()}, {time.strftime('%Y-%m-%d')}", flush=True)
    failed = []
    commands = [(title, [HERE / script, program, *(few if quick else many)]) for title, script, many, few in BENCHES]
    size = QUICK_SPECTRUM if quick else SPECTRUM
    commands.append(
        (
            f"One spectrum, N = P = {size}, on two ranks by every producer, beside dgesdd on two threads",
            ["mpirun", "-n", 2, program, "bench", "spectrum", size, "-r", 1 if quick else 3],
        )
    )
    gram = pathlib.Path(program).parents[2] / "tests" / "bench" / "elpa_gram"
    if gram.exists():
        words = ["mpirun", "-n", 2, gram, size, 1 if quick else 3]
        commands.append((f"Eigenvectors of the Gram matrix by ELPA, N = P = {size}, beside one spectrum", words))
    else:
        print(f"left out: ELPA on a Gram matrix ({gram} is not built: it wants libelpa-dev)")
    for title, command in commands:
        print(f"\n== {title}", flush=True)
        words = [str(word) for word in command]
        if subprocess.run(["/usr/bin/python3", *words] if words[0].endswith(".py") else words, env=ENVIRONMENT).returncode != 0:
            failed.append(title)
    print("\nbelow what is claimed: " + "; ".join(failed) if failed else "\nall at least what is claimed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
