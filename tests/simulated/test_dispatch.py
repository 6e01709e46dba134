"""One rank 0 and up to 1,024 simulated ranks: it is no limit to as many as README.md says, and nothing is lost. Simulated time
has no noise: what is measured is the protocol."""
import os
import unittest

import tier
from simulate import simulate

DISPATCH = os.environ.get("RIDGELESS_SIMULATED")
# As measured by take_records: a curve of the published study, P = 20, with 19 variants, and counts of a thousand of them.
CURVE = {"repeats": 1, "seconds": 254e-6, "together": 8, "size": 7376, "taking": 3.0e-6}
SPAN = {"repeats": 1000, "seconds": 268e-6, "together": 0, "size": 99496, "taking": 37e-6}


@unittest.skipUnless(DISPATCH, "SimGrid is missing: libsimgrid-dev 3.32 to 3.36 (smpicc, smpirun)")
class Dispatch(unittest.TestCase):
    def run_on(self, ranks, tasks, case):
        found = simulate(DISPATCH, ranks, tasks, **case)
        self.assertEqual((found["ranks"], found["records"]), (ranks, tasks))
        return found

    def test_curves_with_every_error_kept(self):
        for ranks in tier.of((64,), (16, 64)):
            found = self.run_on(ranks, 800 * ranks, CURVE)
            self.assertLess(found["idle_of_workers"], 0.1)
            self.assertGreater(found["computing_of_rank_0"], 0.05)  # it has time to spare

    def test_batches_grow_with_the_number_of_ranks(self):
        per_message = [ranks * 1000 / self.run_on(ranks, 1000 * ranks, CURVE)["messages"] for ranks in (2, 64)]
        self.assertLess(per_message[0], 20)  # eight curves are computed side by side, and half of all by rank 0
        self.assertGreater(per_message[1], 40)

    def test_summaries(self):
        for ranks in tier.of((128,), (256, 1024)):
            found = self.run_on(ranks, 10 * ranks, SPAN)
            self.assertLess(found["idle_of_workers"], 0.12)
            self.assertLess(found["taking_of_rank_0"], 0.25)

    def test_beyond_its_limit_rank_0_takes_records_all_the_time(self):
        found = self.run_on(128, 500 * 128, CURVE)
        self.assertGreater(found["taking_of_rank_0"], 0.6)
        self.assertGreater(found["records_per_second"], 0.6 / CURVE["taking"])

    def test_few_tasks_for_many_ranks(self):
        for tasks in (1, 5, 63, 64, 65):
            self.run_on(64, tasks, CURVE)


if __name__ == "__main__":
    unittest.main()
