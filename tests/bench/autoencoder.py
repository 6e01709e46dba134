#!/usr/bin/python3
"""A step of the autoencoder beside the same step as a practised NumPy user would write it, dense, in buffers that are allocated
once, on one core: in turn, round by round, so that what else the machine does meets both. Exits with 1 when the program is less
than 20 times as fast:
   tests/bench/autoencoder.py PROGRAM [ROUNDS [FEATURES [EXAMPLES [HIDDEN]]]]"""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402  (its threads are counted when it is loaded)

AT_LEAST = 20
NONZEROS = 10  # of an input, on average


class Dense:
    """One training, every zero multiplied."""

    def __init__(self, n, examples, hidden):
        chance = np.random.default_rng(1)
        self.x = chance.random((examples, n)) * (chance.random((examples, n)) < NONZEROS / n)
        length = np.linalg.norm(self.x, axis=1, keepdims=True)
        self.x /= np.where(length > 0, length, 1)
        self.w = chance.normal(0, np.sqrt(2 / (n + hidden)), (hidden, n))
        self.b = np.zeros(n)
        self.moments = [(np.zeros_like(p), np.zeros_like(p)) for p in (self.w, self.b)]
        self.z, self.g = np.empty_like(self.x), np.empty_like(self.x)
        self.steps = 0

    def step(self, rate=1e-3, decay=1e-2):
        h = self.x @ self.w.T
        np.matmul(h, self.w, out=self.z)
        self.z += self.b
        np.maximum(self.z, 0, out=self.g)
        self.g -= self.x
        loss = np.vdot(self.g, self.g) / len(self.x)
        self.g *= self.z > 0
        self.g *= 2 / len(self.x)
        gradients = h.T @ self.g + (self.g @ self.w.T).T @ self.x, self.g.sum(axis=0)
        self.steps += 1
        for p, g, (first, second) in zip((self.w, self.b), gradients, self.moments):
            first *= 0.9
            first += 0.1 * g
            second *= 0.999
            second += 0.001 * g**2
            p *= 1 - rate * decay
            p -= rate * (first / (1 - 0.9**self.steps)) / (np.sqrt(second / (1 - 0.999**self.steps)) + 1e-8)
        return loss


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    rounds, n, examples, hidden = (int(w) for w in [*sys.argv[2:6], *("5", "10000", "5000", "2")[len(sys.argv[2:6]) :]])
    dense, ours, theirs = Dense(n, examples, hidden), [], []
    dense.step()
    for _ in range(rounds):
        start = time.perf_counter()
        dense.step()
        theirs.append(time.perf_counter() - start)
        done = subprocess.run(
            [program, "bench", "autoencoder", f"{n}x{examples}x{hidden}", "-r", "3", "--json"],
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        )
        ours.append(json.loads(done.stdout)["seconds"])
    ratios = [t / o for t, o in zip(theirs, ours)]
    print(
        f"n = {n}, T = {examples}, m = {hidden}: {statistics.median(ours):.4f} s a step, dense NumPy "
        f"{statistics.median(theirs):.4f} s; NumPy takes {statistics.median(ratios):.1f} times as long "
        f"(from {min(ratios):.1f} to {max(ratios):.1f} in {rounds} rounds)"
    )
    return 0 if statistics.median(ratios) >= AT_LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
