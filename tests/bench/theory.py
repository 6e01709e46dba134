#!/usr/bin/python3
"""What `theory: table` takes of a large table: a results file written with it and without, one core, beside NumPy's singular
value decomposition of the same table alone:
   tests/bench/theory.py PROGRAM [FEATURES [ROWS]]"""
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np

from measure import ENVIRONMENT

LIMIT = 10.0  # seconds, at 2,000 features


def seconds_of(command, folder):
    start = time.monotonic()
    subprocess.run(command, check=True, cwd=folder, env=ENVIRONMENT | {"OPENBLAS_NUM_THREADS": "1"})
    return time.monotonic() - start


def main():
    program, numbers = str(pathlib.Path(sys.argv[1]).resolve()), [int(word) for word in sys.argv[2:]]
    features, rows = (numbers + [2000, 8000][len(numbers) :])[:2]
    study = "repeats: 1\nn_train: [{0}]\nablations: [none, no_residuals]\ndatasets:\n  - {{source: student-teacher, rows: {1},\n"
    study += "     features: {2}, hidden_features: {2}, noise: 1, design: power-law, exponent: 0.5}}\n"
    sizes = ", ".join(str(features * part // 10) for part in range(1, 21))
    with tempfile.TemporaryDirectory() as folder:
        at = pathlib.Path(folder)
        seconds = {}
        for theory in ("none", "table"):
            (at / "study.yaml").write_text(f"theory: {theory}\n" + study.format(sizes, rows, features))
            command = [program, "run" if theory == "none" else "assemble", "study.yaml", "-q", "-o", "study.nc"]
            seconds_of(command, at)
            (at / "study.yaml").write_text(f"title: again\ntheory: {theory}\n" + study.format(sizes, rows, features))
            seconds[theory] = seconds_of([program, "assemble", "study.yaml", "-q", "-o", "study.nc"], at)
    took = seconds["table"] - seconds["none"]
    x = np.random.default_rng(1).standard_normal((rows, features))
    start = time.monotonic()
    np.linalg.svd(np.linalg.qr(x, mode="r"))
    peer = time.monotonic() - start
    print(
        f"P = {features}, {rows} rows, 20 N: {took:.2f} s; QR and SVD of the table by NumPy {peer:.2f} s, {peer / took:.2f} times"
    )
    return 1 if features == 2000 and took > LIMIT else 0


if __name__ == "__main__":
    sys.exit(main())
