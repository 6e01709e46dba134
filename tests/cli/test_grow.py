"""Studies that are changed after they were run: what is there is kept, what is new computed, and the results file has the bits
of that of a run of its own. The runs of their own are the source of every expected number; how many curves must be computed
follows from the rule in src/journal/README.md, worked out here a second time from what was computed before, by which method."""
import copy
import json
import pathlib
import random
import tempfile
import time
import unittest

import journal
import tier
from program import differences, run, start

# Each with the method that `plan` is to name for most of its ablations; the ablations of one are never all of the others' kind.
POOL = "source: student-teacher, rows: 90, features: {p}, hidden_features: {h}"
SOURCES = {
    "few": POOL.format(p=6, h=7),
    "fresh": POOL.format(p=5, h=5) + ", draw: fresh",
    "modes": POOL.format(p=6, h=7) + ", producer: lapack",
    "wide": POOL.format(p=40, h=44) + ", n_train: [20, 40, 41, 60]",
    "dense": POOL.format(p=36, h=40) + ", n_train: {range: [18, 60]}",
    "nested": POOL.format(p=70, h=75).replace("90", "150") + ", n_train: {range: [40, 100]}",
}
ABLATIONS = ["none", "no_residuals", "leading_modes: 2", "adversarial_test: 1", "gradient_descent_run: {values: 7, rate: 0.5}"]
ABLATIONS += [f"cutoff: {c}" for c in (0.1, 0.25, 0.5)] + [f"ridge: {r}" for r in (0.01, 0.5, 2)]
KEEPS = ["cells", "modes", "summary"]
FIRST_SPAN = 8  # repeats that are counted together at most, of the first hundred (RL_SHORTEST_SPAN)


class Study:
    """What a study file asks for, and its text."""

    def __init__(self, names, ablations, repeats=6, keep="cells"):
        self.names, self.ablations, self.repeats, self.keep, self.net = list(names), list(ablations), repeats, keep, False

    def text(self):
        lines = [f"repeats: {self.repeats}", f"keep: [{self.keep}]", "n_train: [3, 5, 6, 8, 20]"]
        lines += [f"ablations: [{', '.join(self.listed())}]", "datasets:"]
        lines += [f"  - {{name: {name}, {SOURCES[name]}}}" for name in self.names]
        if self.net:
            lines += ["autoencoders: [{name: net, n_features: 6, sparsity: 0.9, hidden: [1, 2], n_train: [5, 8], steps: 20}]"]
        return "\n".join(lines) + "\n"

    def listed(self):
        return [a if ":" not in a else "{" + a + "}" for a in self.ablations]

    def series(self, methods):
        """What a curve of each data set must have been computed with for it to be of use."""
        return {name: (frozenset(self.ablations), self.keep, methods[name]) for name in self.names}


class Grow(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.at = pathlib.Path(folder.name)
        self.there = []  # of every curve computed: data set, repeat, ablations, keep, method

    def methods(self, path):
        return {d["name"]: d["way"] for d in json.loads(self.run_it("plan", path, "--json").stdout)["datasets"]}

    def run_it(self, *arguments, **options):
        return run(*arguments, cwd=self.at, check=options.pop("check", 0), **options)

    def covered(self, name, repeats, ablations, keep, method):
        """The repeats for which records hold all that is asked for, by the same method; of summaries in whole spans, of which
        none counts twice."""
        found = set()
        for n, span, a, k, m in self.there:
            useful = (n, m) == (name, method) and ablations <= a and (k == keep or (k, keep) == ("modes", "cells"))
            if useful and span.stop <= repeats and not (keep == "summary" and found & set(span)):
                found |= set(span)
        return found

    def missing(self, study, methods):
        """The spans of repeats that are to be computed."""
        found = []
        for name, (ablations, keep, method) in study.series(methods).items():
            covered, first = self.covered(name, study.repeats, ablations, keep, method), None
            for repeat in range(study.repeats + 1):
                lacks = repeat < study.repeats and repeat not in covered
                ends = first is not None and (not lacks or keep != "summary" or repeat % FIRST_SPAN == 0)
                if ends:
                    found.append((name, range(first, repeat), ablations, keep, method))
                    first = None
                if lacks and first is None:
                    first = repeat
        return found

    def grow(self, study, ranks=None):
        """Goes on with grown.nc; returns how many curves were computed."""
        (self.at / "study.yaml").write_text(study.text())
        methods = self.methods("study.yaml")
        expected = self.missing(study, methods)
        done = self.run_it("run", "study.yaml", "-o", "grown.nc", "--json", ranks=ranks)
        now = json.loads(done.stdout)["work"]["curves"]["now"]
        self.assertEqual(now, sum(len(span) for _, span, *_ in expected), f"{study.text()}\n{done.stderr}")
        self.there += expected
        self.run_it("run", "study.yaml", "-q", "--fresh", "-o", "alone.nc", ranks=1 if ranks == 2 else None)
        self.assertEqual(differences(self.at / "grown.nc", self.at / "alone.nc"), [], study.text())
        return now

    def edit(self, draw, study):
        """The study, changed in one way."""
        new = copy.deepcopy(study)
        what = draw.choice(["add", "remove", "order", "ablation", "ablation", "less", "less", "mix", "repeats", "keep", "net"])
        if what == "add" and len(new.names) < len(SOURCES):
            new.names.insert(draw.randrange(len(new.names) + 1), draw.choice(sorted(SOURCES.keys() - set(new.names))))
        elif what == "remove" and len(new.names) > 1:
            new.names.remove(draw.choice(new.names))
        elif what == "order":
            draw.shuffle(new.names)
        elif what == "ablation":
            new.ablations.insert(draw.randrange(len(new.ablations) + 1), draw.choice(ABLATIONS))
            new.ablations = list(dict.fromkeys(new.ablations))
        elif what == "less" and len(new.ablations) > 1:
            new.ablations.remove(draw.choice(new.ablations))
        elif what == "mix":
            draw.shuffle(new.ablations)
        elif what == "repeats":
            new.repeats = draw.randrange(1, 12)
        elif what == "keep":
            new.keep = draw.choice(KEEPS)
        else:
            new.net = not new.net
        return new

    def go_through(self, seed, n, ranks):
        draw = random.Random(seed)
        study = Study(draw.sample(sorted(SOURCES), 2), draw.sample(ABLATIONS, 3))
        self.grow(study)
        for step in range(n):
            study = self.edit(draw, study)
            with self.subTest(seed=seed, step=step):
                self.grow(study, ranks[step % len(ranks)])

    def test_random_edits(self):
        for seed in range(tier.of(1, 6)):
            self.there = []
            for path in self.at.glob("*.nc*"):
                path.unlink()
            self.go_through(seed, tier.of(5, 10), (None, 2))


POOLS = "  - {name: a, %s}\n  - {name: b, %s}\n" % (SOURCES["few"], SOURCES["fresh"])
BOTH = "repeats: 5\nn_train: [3, 5, 6, 8, 20]\nablations: [none, cutoff: [0.1, 0.25], ridge: 0.5]\ndatasets:\n" + POOLS
# What makes the plan compute a curve in this way, one that does not change with any of these ablations; and ranks.
WAYS = {
    "full spectra": ("producer: lapack\n", None),
    "full spectra, repeats side by side": ("", None),
    "nested factorization": ("full_spectra: [5, 6]\n", None),
    "full spectra on process grids": ("producer: two-stage\n", 2),
    "nested factorization on process grids": ("ranks_per_case: all\nsingular_values: [5]\nfull_spectra: [6]\n", 2),
}


class Scenes(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.at = pathlib.Path(folder.name)

    def run_on(self, text, *more, output="grown.nc", check=0, ranks=None):
        """Runs a study; returns how many curves were computed, and what was said."""
        (self.at / "study.yaml").write_text(text)
        done = run("run", "study.yaml", "-o", output, "--json", *more, cwd=self.at, check=check, ranks=ranks)
        return json.loads(done.stdout)["work"]["curves"]["now"] if check == 0 else None, done.stderr

    def assert_alone(self, text, ranks=None):
        """grown.nc has the same bits as a run of its own."""
        self.run_on(text, "--fresh", output="alone.nc", ranks=ranks)
        self.assertEqual(differences(self.at / "grown.nc", self.at / "alone.nc"), [])

    def test_each_way(self):
        orders = [
            "none, cutoff: [0.1, 0.25], ridge: 0.5",
            "ridge: 0.5, cutoff: 0.25, none",
            "cutoff: [0.25, 0.1], none",
            "ridge: 0.5",
        ][: tier.of(2, 4)]
        for way, (keys, ranks) in WAYS.items():
            with self.subTest(way=way):
                studies = [keys + BOTH.replace("none, cutoff: [0.1, 0.25], ridge: 0.5", order) for order in orders]
                first, _ = self.run_on(studies[0], "--fresh", ranks=ranks)
                said = run("plan", "study.yaml", cwd=self.at, check=0).stdout
                self.assertEqual(said.count(f"; {way}\n"), 2, said)
                self.assertGreater(first, 0)
                for text in [*studies[1:], studies[0]]:
                    self.assertEqual(self.run_on(text, ranks=ranks)[0], 0)
                    self.assert_alone(text, ranks)

    def test_another_method_computes_anew(self):
        """Least squares alone comes by a nested factorization, whose last digits are others."""
        text = "repeats: 2\nablations: [none, ridge: 1]\ndatasets: [{name: n, %s}]\n" % SOURCES["nested"]
        alone = text.replace(", ridge: 1", "")
        self.run_on(text)
        now, said = self.run_on(alone)
        self.assertEqual(now, 2)
        self.assertIn("`n`: curves in the journal came by another method", said)
        self.assert_alone(alone)
        for each in (text, alone):
            self.assertEqual(self.run_on(each)[0], 0)  # both are there
            self.assert_alone(each)

    def test_a_data_set_goes_and_comes_back(self):
        self.run_on(BOTH)
        lone = BOTH.replace(POOLS.splitlines(True)[1], "")
        now, said = self.run_on(lone)
        self.assertEqual(now, 0)
        self.assertIn("the journal also has `b`, which the study does not ask for: it stays there", said)
        self.assert_alone(lone)
        size = (self.at / "grown.nc.journal").stat().st_size
        self.assertEqual(self.run_on(BOTH)[0], 0)
        self.assert_alone(BOTH)
        self.assertEqual((self.at / "grown.nc.journal").stat().st_size, size)

    def test_fewer_repeats_are_said(self):
        self.run_on(BOTH)
        for n, first in ((3, "the first 3 are written"), (1, "the first one is written")):
            now, said = self.run_on(BOTH.replace("repeats: 5", f"repeats: {n}"))
            self.assertEqual(now, 0)
            self.assertIn(f"the journal holds 5 repeats, the study asks for {n}: {first}", said)
            self.assert_alone(BOTH.replace("repeats: 5", f"repeats: {n}"))
        self.assertNotIn("repeats, the", self.run_on(BOTH)[1])

    def test_more_n_and_more_ablations(self):
        """New N alone agree with a run of its own to rounding (test_extend.py)."""
        self.run_on(BOTH)
        wider = BOTH.replace("8, 20", "8, 13, 20").replace("ridge: 0.5", "ridge: [0.5, 3]")
        self.assertEqual(self.run_on(wider)[0], 10)
        self.assert_alone(wider)  # all curves were computed again, by the new list
        self.assertEqual(self.run_on(BOTH)[0], 0)

    def test_what_makes_other_numbers_is_refused_with_its_line(self):
        self.run_on(BOTH)
        before = (self.at / "grown.nc").read_bytes(), (self.at / "grown.nc.journal").read_bytes()
        for old, new, message in (
            ("repeats: 5", "repeats: 5\nseed: 7", "seed: 0 there, 7 here (study.yaml:2); choose"),
            (
                " features: 5,",
                " features: 4,",
                "b/features: 5 there, 4 here (study.yaml:6); give what differs another name, choose",
            ),
            (", draw: fresh", "", 'b/draw: "fresh" there, "pool" here (study.yaml:6)'),
            (
                "name: b, ",
                "name: b, map: {name: random-relu}, n_features: 4, ",
                "b/map: nothing there, random-relu here (study.yaml:6)",
            ),
            (
                "repeats: 5",
                "repeats: 5\nproducer: two-stage",
                "a/producer: auto there, two-stage here (study.yaml:2); b/producer: auto",
            ),
        ):
            with self.subTest(new=new):
                text = BOTH.replace(old, new)
                self.assertNotEqual(text, BOTH)
                _, said = self.run_on(text, check=2)
                self.assertIn(f"grown.nc.journal: belongs to another study: {message}", said)
                after = (self.at / "grown.nc").read_bytes(), (self.at / "grown.nc.journal").read_bytes()
                self.assertTrue(before == after)
        alone = BOTH.replace(POOLS.splitlines(True)[1], "")
        _, said = self.run_on("random: numpy\n" + alone, check=2)
        self.assertIn("belongs to another study: random: philox there, numpy here (study.yaml:1); choose", said)
        for old, new in (("repeats: 5", "repeats: 5\nblock: 32"), ("repeats: 5", "repeats: 5\nsingular_values: [5]")):
            self.assertEqual(self.run_on(BOTH.replace(old, new))[0], 0)  # no number depends on it here

    def test_under_another_name_it_is_another_data_set(self):
        self.run_on(BOTH)
        text = BOTH + "  - {name: c, %s}\n" % SOURCES["few"].replace("features: 6", "features: 4")
        self.assertEqual(self.run_on(text)[0], 5)
        self.assert_alone(text)

    def test_draws_in_a_row_are_another_study(self):
        """NumPy's generator draws the inputs of all repeats one after the other."""
        text = "random: numpy\nrepeats: 3\nn_train: [2, 3]\nn_features: 3\nablations: [none]\n"
        text += "datasets: [{source: function, name: f, map: legendre}]\n"
        self.run_on(text)
        _, said = self.run_on(text.replace("repeats: 3", "repeats: 4"), check=2)
        self.assertIn("f/repeats: 3 there, 4 here", said)

    def test_a_study_that_grew_is_known_to_other_commands(self):
        self.run_on(BOTH)
        text = BOTH.replace("ridge: 0.5", "ridge: [0.5, 3]") + "  - {name: c, %s}\n" % SOURCES["few"]
        (self.at / "study.yaml").write_text(text)
        kept = run("status", "study.yaml", "-o", "grown.nc", "--json", cwd=self.at, check=0).stdout
        self.assertEqual([json.loads(kept)[key] for key in ("curves", "done")], [15, 0])
        fewer = text.replace("ridge: [0.5, 3]", "ridge: 0.5")
        (self.at / "study.yaml").write_text(fewer)
        plan = json.loads(run("plan", "study.yaml", "-o", "grown.nc", "--json", cwd=self.at, check=0).stdout)
        self.assertEqual((plan["curves"], plan["curves_done"]), (15, 10))
        said = run("assemble", "study.yaml", "-o", "grown.nc", cwd=self.at, check=75).stderr
        self.assertIn("25 of 75 spectra are missing", said)
        self.assertEqual(self.run_on(fewer)[0], 5)
        self.assert_alone(fewer)

    def test_a_growing_run_is_killed(self):
        """kill -9 in its middle: the study as it was has all, and the one that grew goes on."""
        small = BOTH.replace("repeats: 5", "repeats: 300")
        self.run_on(small)
        text = small.replace("none, cutoff", "none, gradient_descent_run: {values: 3000, rate: 0.5}, cutoff")
        (self.at / "study.yaml").write_text(text)
        before = (self.at / "grown.nc.journal").stat().st_size
        process = start(self, "run", "study.yaml", "-o", "grown.nc", cwd=self.at)
        while process.poll() is None and (self.at / "grown.nc.journal").stat().st_size < before + 20000:
            time.sleep(0.005)
        process.kill()
        process.wait()
        self.assertEqual(self.run_on(small)[0], 0)
        self.assert_alone(small)
        now, said = self.run_on(text, ranks=2)
        self.assertTrue(0 < now < 600, said)
        self.assert_alone(text)

    def test_lost_settings_cost_what_they_were_for(self):
        """Records that refer to settings which are damaged are left alone."""
        self.run_on(BOTH)
        text = BOTH.replace("ridge: 0.5", "ridge: [0.5, 3]")
        self.run_on(text)
        _, records = journal.read(self.at / "grown.nc.journal")
        settings = [record for record in records if record.name == ""]
        self.assertEqual(len(settings), 1)
        journal.damage(self.at / "grown.nc.journal", settings[0].begin + len(settings[0].data) // 2, 8)
        self.assertEqual(self.run_on(BOTH)[0], 0)
        now, said = self.run_on(text)
        self.assertEqual(now, 10)
        self.assertIn("damaged bytes in 1 place", said)
        self.assert_alone(text)
        self.assertEqual(self.run_on(text)[0], 0)

    def test_an_option_that_older_programs_did_not_have(self):
        """It is no difference while it has its default: a header without the line."""
        self.run_on(BOTH)
        path = self.at / "grown.nc.journal"
        content = path.read_bytes()
        length = journal.HEADER.unpack_from(content)[4]
        settings = content[journal.HEADER.size :][: length - 1].decode()
        older = "".join(line for line in settings.splitlines(True) if "/noise:" not in line)
        self.assertEqual(settings.count("\n") - older.count("\n"), 2)
        path.write_bytes(journal.header(older) + b"".join(record.data for record in journal.read(path)[1]))
        self.assertEqual(self.run_on(BOTH)[0], 0)
        self.assertIn("a/noise", self.run_on(BOTH.replace("name: a, ", "name: a, noise: 0.25, "), check=2)[1])


if __name__ == "__main__":
    unittest.main()
