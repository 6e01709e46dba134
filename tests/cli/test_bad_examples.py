"""bench reduce and bench random, which are bad on purpose in part: numbers and sums against NumPy, Python's fsum and Philox
written once more, and what changes with the number of ranks."""
import json
import math
import unittest

import numpy as np

import tier
from program import run

COUNT = 60_000
REDUCE = ["MPI reduction", "fixed order", "sorted", "compensated", "integers"]
RANDOM = ["one seed for all", "a stream per rank", "counters"]
NOISE, INPUTS = 4, 10  # numbers of streams
RANKS = tier.of((1, 3), (1, 2, 3, 4))


def uniforms(key, stream, rows, column):
    """Philox4x32-10 (Salmon et al. 2011) of the counters (column, row, stream, 0), as ridgeless/random.h has them."""
    low, bits = np.uint64(0xFFFFFFFF), np.uint64(32)
    a, b = np.full_like(rows, column), rows.copy()
    c, d = np.full_like(rows, stream), np.zeros_like(rows)
    k = [int(key[8:], 16), int(key[:8], 16)]
    for turn in range(10):
        keys = [np.uint64((k[0] + turn * 0x9E3779B9) % 2**32), np.uint64((k[1] + turn * 0xBB67AE85) % 2**32)]
        first, second = a * np.uint64(0xD2511F53), c * np.uint64(0xCD9E8D57)
        a, b, c, d = (second >> bits) ^ b ^ keys[0], second & low, (first >> bits) ^ d ^ keys[1], first & low
    return ((b << bits | a) >> np.uint64(12)).astype(float) * 2.0**-52 + 2.0**-53


def answers(what, count=COUNT):
    return {n: json.loads(run("bench", what, count, "-r", "1", "--json", ranks=n, check=0).stdout) for n in RANKS}


def by_way(answer):
    return {way["way"]: way for way in answer["ways"]}


class BadExamples(unittest.TestCase):
    def test_sums(self):
        found = answers("reduce")
        values = 1 / uniforms(found[1]["key"], NOISE, np.arange(COUNT, dtype=np.uint64), 0) ** 2
        exact = math.fsum(values)
        ulp = math.ulp(exact)
        for n in RANKS:
            ways = by_way(found[n])
            self.assertEqual(list(ways), REDUCE)
            for name, way in ways.items():
                self.assertEqual(way["ulps"], round((way["sum"] - exact) / ulp), name)
                self.assertLess(abs(way["sum"] / exact - 1), 1e-16 * 10 ** (17 - min(16, way["digits"])), name)
                self.assertEqual(way["mean"], way["sum"] / COUNT)
            self.assertEqual(ways["integers"]["sum"], exact)
            self.assertLessEqual(abs(ways["compensated"]["ulps"]), 2)
            self.assertEqual(ways["sorted"]["sum"], float(np.add.accumulate(np.sort(values))[-1]))
            for name in ("fixed order", "sorted", "integers"):
                self.assertEqual(ways[name]["sum"], by_way(found[1])[name]["sum"], name)
        naive = [by_way(found[n])["MPI reduction"]["sum"] for n in RANKS]
        self.assertEqual(naive[0], float(np.add.accumulate(values)[-1]))
        self.assertGreater(len(set(naive)), 1)

    @tier.in_all_alone
    def test_few_numbers(self):
        """Some ranks have none."""
        for count in (1, 1024, 1025):
            found = answers("reduce", count)
            self.assertEqual(len({by_way(found[n])["fixed order"]["sum"] for n in RANKS}), 1)
            self.assertEqual(len({by_way(found[n])["integers"]["sum"] for n in RANKS}), 1)

    def test_random_numbers(self):
        found = answers("random")
        points = [uniforms(found[1]["key"], INPUTS, np.arange(COUNT, dtype=np.uint64), j) for j in (0, 1)]
        for n in RANKS:
            ways = by_way(found[n])
            self.assertEqual(list(ways), RANDOM)
            shares = [COUNT * (rank + 1) // n - COUNT * rank // n for rank in range(n)]
            for name, seeds in (("one seed for all", [0] * n), ("a stream per rank", range(n))):
                hits = 0
                for seed, share in zip(seeds, shares):
                    hits += np.count_nonzero((np.random.RandomState(seed).random_sample((share, 2)) ** 2).sum(1) < 1)
                self.assertEqual(ways[name]["hits"], hits, name)
            self.assertEqual(ways["counters"]["hits"], np.count_nonzero(points[0] ** 2 + points[1] ** 2 < 1))
            self.assertEqual([way["different_points"] for way in ways.values()], [max(shares), COUNT, COUNT])
            for way in ways.values():
                self.assertEqual(way["pi"], 4 * way["hits"] / COUNT)
        for name, different in zip(RANDOM, (len(RANKS), len(RANKS), 1)):
            self.assertEqual(len({by_way(found[n])[name]["fingerprint"] for n in RANKS}), different, name)

    def test_words(self):
        for what, names in (("reduce", REDUCE), ("random", RANDOM)):
            said = run("bench", what, COUNT, check=0).stdout
            self.assertIn("bad on purpose", said)
            for name in names:
                self.assertIn(f"\n{name} ", said)


if __name__ == "__main__":
    unittest.main()
