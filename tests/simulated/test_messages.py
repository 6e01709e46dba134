"""What messages of a spectrum on a process grid are predicted to take, against SimGrid on 16, 64 and 256 simulated ranks: the
spectrum is computed as ever, but only its messages take time."""
import os
import unittest

import tier
from simulate import simulate_spectrum

SPECTRUM = os.environ.get("RIDGELESS_SIMULATED_SPECTRUM")
FACTOR = 1.5


@unittest.skipUnless(SPECTRUM, "SimGrid is missing: libsimgrid-dev 3.32 to 3.36 (smpicc, smpirun), or OpenBLAS")
class Messages(unittest.TestCase):
    def hold(self, ranks, n, block):
        found = simulate_spectrum(SPECTRUM, ranks, n, 250, block)
        simulated, predicted = found["simulated"], found["predicted"]
        self.assertEqual(found["ranks"], ranks)
        self.assertLess(found["error"], n)  # it is this matrix's spectrum
        self.assertAlmostEqual(found["message_seconds"], 3.5e-6, delta=1e-7)  # two links, and a process at each end
        ratios = {part: predicted[part] / simulated[part] for part in ("reduce", "diagonalize")}  # 95 % of it
        ratios["all"] = sum(predicted.values()) / found["seconds"]
        for part, ratio in ratios.items():
            self.assertLess(max(ratio, 1 / ratio), FACTOR, f"{part} of {n} in blocks of {block} on {ranks} ranks")

    def test_16_ranks(self):
        for n, block in tier.of([(512, 32)], [(512, 32), (1024, 64), (2048, 32)]):
            self.hold(16, n, block)

    @tier.in_all_alone
    def test_64_ranks(self):
        for n, block in ((512, 16), (1024, 64)):
            self.hold(64, n, block)

    @tier.in_all_alone
    def test_256_ranks(self):
        self.hold(256, 512, 16)


if __name__ == "__main__":
    unittest.main()
