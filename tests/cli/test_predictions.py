"""bench calibrate, the rates it writes, and what is predicted from them beside what bench spectrum measures."""
import json
import os
import pathlib
import tempfile
import unittest

import tier
from program import run

NO_HOME = {"RIDGELESS_RATES": "", "XDG_CONFIG_HOME": "", "HOME": ""}


class Predictions(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.at = pathlib.Path(folder.name)
        self.home = {**NO_HOME, "XDG_CONFIG_HOME": str(self.at / "config")}

    def refused(self, done, *words):
        lines = [line for line in done.stderr.splitlines() if line.startswith("ridgeless: ")]
        self.assertEqual((done.returncode, len(lines)), (2, 1), done.stderr)
        for word in words:
            self.assertIn(word, lines[0])

    def assert_rates(self, rates, ranks):
        self.assertEqual(rates["cores"], ranks)
        self.assertIn("OpenBLAS", rates["blas"])
        self.assertRegex(rates["date"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        for key, value in rates.items():
            if isinstance(value, list):
                self.assertEqual([size for size, _ in value], sorted({size for size, _ in value}), key)
            numbers = [rate for _, rate in value] if isinstance(value, list) else [] if isinstance(value, str) else [value]
            for number in numbers:
                self.assertTrue(0 < number < 1e15, f"{key} {number}")
        self.assertEqual([order for order, _ in rates["dense_flops_per_second"]], [8, 32, 128, 512])

    @tier.in_all_alone  # ten seconds of measuring; a busy machine begins it, too
    def test_calibrate_on_one_rank_and_predict_from_it(self):
        done = run("bench", "calibrate", "--force", env=self.home, check=0)
        place = self.at / "config" / "ridgeless" / "rates.json"
        self.assertIn(f"written to {place}", done.stderr)
        self.assertIn("one rank sends no messages", done.stderr)
        self.assertRegex(done.stderr, r"^ridgeless: measuring takes about \d+ s; ")
        for word in ("dgemm", "dgemv", "normal numbers", "bidiagonal QR", "features"):
            self.assertIn(word, done.stdout)
        self.assert_rates(json.loads(place.read_text()), 1)
        answer = json.loads(run("bench", "spectrum", "50", "-p", "projected", "--json", env=self.home, check=0).stdout)
        self.assertEqual(answer["rates"], str(place))
        self.assertGreater(answer["producers"][0]["predicted"]["seconds"], 0)

    @tier.in_all_alone
    def test_calibrate_on_two_ranks_into_a_file(self):
        file = self.at / "new" / "folder" / "my.json"
        warned = run("bench", "calibrate", "--force", "--json", "-o", file, ranks=2, env=NO_HOME, check=0)
        self.assertEqual(warned.stderr.count("written to"), 1)
        self.assertEqual(json.loads(warned.stdout), json.loads(file.read_text()))
        self.assert_rates(json.loads(warned.stdout), 2)

    def test_a_busy_machine_is_noticed(self):
        """Two ranks on one processor get half of it each, whatever else there is. A launcher may give ranks other processors
        than its own, so each rank takes its processor itself."""
        one = str(min(os.sched_getaffinity(0)))
        file = self.at / "busy.json"
        done = run("bench", "calibrate", "-o", file, ranks=2, each=["taskset", "-c", one], env=NO_HOME)
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, r"bench calibrate: this machine is busy: ranks got \d+ % of a core; .* --force")
        self.assertFalse(file.exists())

    def test_no_place_to_keep_rates(self):
        self.refused(run("bench", "calibrate", env=NO_HOME), "HOME", "name a file")
        for words in (["calibrate", "more"], ["study"], ["spectrum"], ["walk"]):
            self.refused(run("bench", *words), "bench calibrate")

    def test_rates_are_looked_for_where_the_command_line_says(self):
        self.refused(run("bench", "spectrum", "9", "--rates", self.at / "no.json", ranks=2), "no.json")
        bad = self.at / "bad.json"
        bad.write_text('{"cores": "two"}')
        self.refused(run("bench", "spectrum", "9", env={"RIDGELESS_RATES": str(bad)}), "bad.json", "`host`", "missing")
        answer = json.loads(run("bench", "spectrum", "9", "-p", "projected", "--json", env=self.home, check=0).stdout)
        self.assertEqual(answer["rates"], "shipped default")

    def test_memory_is_a_size(self):
        (self.at / "study.yaml").write_text("repeats: 1\nn_train: [3]\nablations: [none]\ndatasets: [diabetes]\n")
        run("plan", "study.yaml", "--memory", "1.5GiB", "--json", cwd=self.at, check=0)
        for size in ("much", "-1G", "0", "4 GG", "1e30"):
            self.refused(run("plan", "study.yaml", "--memory", size, cwd=self.at), "--memory", size, "4GiB")

    def peak(self, size, rows, producer, ranks):
        answer = json.loads(
            run("bench", "spectrum", size, "-t", rows, "-p", producer, "--json", ranks=ranks, env=self.home, check=0).stdout
        )
        (row,) = answer["producers"]
        return row["peak_memory_bytes"], row["predicted"]["memory_bytes"]

    def test_memory_is_as_predicted(self):
        """What a rank takes beyond a tiny case: never more than predicted, and the prediction at most 1.6 times it."""
        if "sanitize" in str(pathlib.Path.cwd()):
            self.skipTest("sanitizers take memory of their own")
        for ranks, producer in ((2, "two-stage"), (1, "projected"), (2, "projected"), (2, "pdgesvd"))[: tier.of(1, 4)]:
            before, _ = self.peak("8", 1, producer, ranks)
            for size, rows in (("600x1600", 900), ("800", 1200))[: tier.of(1, 2)]:
                with self.subTest(ranks=ranks, producer=producer, size=size):
                    after, predicted = self.peak(size, rows, producer, ranks)
                    self.assertGreater(predicted, after - before)
                    self.assertLess(predicted, 1.6 * (after - before))


if __name__ == "__main__":
    unittest.main()
