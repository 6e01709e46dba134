"""Inputs that mean harm: study files, tables and results files that ask for all memory and time there is, or for files that
are not theirs. Each ends soon, in bounded memory, with one line that says what is wrong."""
import functools
import gzip
import os
import pathlib
import random
import resource
import subprocess
import tempfile
import time
import unittest

import tier
from program import PROGRAM, SOURCE

GOOD = """repeats: 2
n_train: [1, 2]
ablations: [none]
datasets:
  - {source: csv, name: mine, file: mine.csv, target: y}
"""
TABLE = b"a,b,y\n" + b"".join(b"%d,%d,%d\n" % (i, i * i % 7, i % 5) for i in range(20))
MEMORY = 3 << 30
CPU_SECONDS = 100  # not of a clock, which runs on while other programs have the processor


def drawn(how):
    return GOOD.replace("source: csv, name: mine, file: mine.csv, target: y", f"source: student-teacher, {how}")


LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefghijklmno", "bcdefghijklmnop")
)

# study text, words that the message must have
STUDIES = {
    "aliases of aliases": (LAUGHS + GOOD.replace("[none]", "*p"), ["study.yaml:1", "`a`", "not a key"]),
    "aliases of aliases as values": (
        GOOD.replace("[none]", "[&a [x, x], &b [*a, *a], &c [*b, *b], *c]"),
        ["study.yaml:3", "ablations"],
    ),
    "an alias in itself": (GOOD.replace("[1, 2]", "&n [1, *n]"), ["study.yaml:2", "n_train"]),
    "60000 anchors": (GOOD + "title: [" + ", ".join(f"&a{i} x" for i in range(60000)) + "]\n", ["study.yaml:6", "anchors"]),
    "100000 brackets": (GOOD + "title: " + "[" * 100000 + "]" * 100000, ["study.yaml:6", "nested"]),
    "100000 dashes": (GOOD + "title:\n" + "- " * 100000 + "x\n", ["study.yaml:6", "title"]),
    "2 MB": (GOOD + "#" * 2000000, ["study.yaml", "1048576"]),
    "2^31 repeats": (GOOD.replace("repeats: 2", "repeats: 2147483648"), ["study.yaml:1", "repeats", "100000000"]),
    "a curve each of 10^8 repeats": (GOOD.replace("repeats: 2", "repeats: 100000000"), ["study.yaml", "repeats", "10000000"]),
    "a range of 2^31": (GOOD.replace("[1, 2]", "{range: [1, 2147483647]}"), ["study.yaml:2", "range", "1000000"]),
    "10^9 parameters": (GOOD.replace("[none]", "[cutoff: {range: [0, 1, 1e-9]}]"), ["study.yaml:3", "range", "1000000"]),
    "rows x features": (
        drawn("rows: 1000000000, features: 1000000, hidden_features: 1000000"),
        ["study.yaml:5", "out of memory", "8000000000000000"],
    ),
    "10^9 rows": (drawn("rows: 1000000000, features: 1, hidden_features: 1"), ["study.yaml:5", "out of memory"]),
}


def one_row(columns):
    return b",".join(b"%d" % (i % 10) for i in range(columns)) + b"\n"


# what is in the file, words that the message must have
TABLES = {
    "one line of 80 MB": (b"1," * 40000000, ["mine.csv:1", "67108864 bytes"]),
    "a quote that is never closed": (b'a,b,y\n"' + b"1,2,3\n" * 12000000, ["mine.csv:2", "quote"]),
    "a gzip file of 300 MB in 300 kB": (gzip.compress(b"a" * 300000000, 1), ["mine.csv:1", "67108864 bytes"]),
    "gzip in gzip": (gzip.compress(gzip.compress(TABLE)), ["mine.csv", "gzip twice"]),
    "3 million columns": (one_row(3000000) * 3, ["study.yaml:5", "y", "mine.csv"]),
    "a gzip file cut short": (gzip.compress(TABLE)[:-9], ["mine.csv", "damaged gzip"]),
}


def limit(memory):
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    if memory:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def call(*arguments, cwd, limited=True):
    """The program in bounded memory and time. A sanitizer needs more addresses than any limit leaves it."""
    limited = limited and b"__asan_init" not in pathlib.Path(PROGRAM).read_bytes()
    return subprocess.run(
        [PROGRAM, *arguments],
        cwd=cwd,
        text=True,
        errors="replace",
        capture_output=True,
        timeout=1200,
        stdin=subprocess.DEVNULL,
        preexec_fn=functools.partial(limit, limited),
    )


def files_below(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


class Attack(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top = pathlib.Path(folder.name)
        self.at = self.top / "work"
        self.at.mkdir()
        self.write(GOOD, TABLE)

    def write(self, study, table=TABLE):
        (self.at / "study.yaml").write_text(study)
        (self.at / "mine.csv").write_bytes(table)

    def refused(self, done, words, statuses=(2,)):
        self.assertIn(done.returncode, statuses, done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertLess(len(done.stderr), 1100)
        for word in words:
            self.assertIn(word, done.stderr)

    def test_study_files(self):
        for what, (study, words) in STUDIES.items():
            with self.subTest(what):
                self.write(study)
                self.refused(call("run", "study.yaml", cwd=self.at), words, (1,) if "out of memory" in words else (2,))
                self.assertEqual(files_below(self.top), ["work", "work/mine.csv", "work/study.yaml"])

    def test_tables(self):
        for what, (table, words) in TABLES.items():
            with self.subTest(what):
                self.write(GOOD, table)
                self.refused(call("run", "study.yaml", cwd=self.at), words)
                self.assertEqual(files_below(self.top), ["work", "work/mine.csv", "work/study.yaml"])

    def test_sizes_that_two_keys_name_are_compared_in_time(self):
        self.write(
            drawn("rows: 2000000, features: 1, hidden_features: 1, draw: fresh").replace("[1, 2]", "{range: [1, 1000000]}")
            + "singular_values: {range: [1, 1000000]}\n"
        )
        self.assertEqual(call("plan", "study.yaml", cwd=self.at).returncode, 0)

    def test_nothing_is_written_beside_the_output(self):
        """Whatever the study's texts say: only -o, its journal, and for a moment its temporary file."""
        (self.top / "elsewhere").mkdir()
        (self.top / "elsewhere" / "other.csv").write_bytes(TABLE)
        (self.at / "linked.csv").symlink_to("../elsewhere/other.csv")
        self.write(
            "title: ../../evil\n"
            + GOOD.replace("mine.csv", "../elsewhere/other.csv")
            + "  - {source: csv, name: linked, file: linked.csv, target: y}\n"
            + f"  - {{source: csv, name: absolute, file: {self.at}/mine.csv, target: y}}\n"
        )
        before = files_below(self.top)
        self.assertEqual(call("run", "study.yaml", "-o", "out.nc", cwd=self.at, limited=False).returncode, 0)
        self.assertEqual(sorted(set(files_below(self.top)) - set(before)), ["work/out.nc", "work/out.nc.journal"])
        self.assertEqual((self.top / "elsewhere" / "other.csv").read_bytes(), TABLE)
        for name in ("../evil", "/tmp/evil", "a/b", "..", ".hidden"):
            self.write(GOOD.replace("name: mine", f"name: '{name}'"))
            self.refused(call("run", "study.yaml", cwd=self.at), ["study.yaml:5", "name", "letters"])

    def test_no_command_is_run(self):
        for name in ("|touch evil", "$(touch evil)", "`touch evil`", "a; touch evil", "http://localhost/evil"):
            self.write(GOOD.replace("mine.csv", f"'{name}'"))
            self.refused(call("run", "study.yaml", cwd=self.at), ["study.yaml:5", name.split()[0]])
        self.write(GOOD.replace("repeats: 2", "repeats: !!python/object/apply:os.system ['touch evil']"))
        self.refused(call("run", "study.yaml", cwd=self.at), ["study.yaml:1", "tag"])
        self.assertEqual(files_below(self.top), ["work", "work/mine.csv", "work/study.yaml"])

    def test_an_output_that_is_a_link_is_followed_to_results_alone(self):
        self.assertEqual(call("run", "study.yaml", "-o", "first.nc", cwd=self.at, limited=False).returncode, 0)
        (self.at / "link.nc").symlink_to("first.nc")
        self.assertEqual(call("run", "study.yaml", "-o", "link.nc", cwd=self.at, limited=False).returncode, 0)
        self.assertTrue((self.at / "link.nc").is_symlink())
        self.assertFalse((self.at / "first.nc").is_symlink())
        (self.at / "diary").write_text("my notes")
        (self.at / "trap.nc").symlink_to("diary")
        self.refused(call("run", "study.yaml", "-o", "trap.nc", cwd=self.at), ["trap.nc"])
        self.assertEqual((self.at / "diary").read_text(), "my notes")


class DamagedResults(unittest.TestCase):
    """No library sees a results file whose seal is broken; one without a seal is shown by a child process first."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.at = pathlib.Path(folder.name)
        (cls.at / "study.yaml").write_text(GOOD)
        (cls.at / "mine.csv").write_bytes(TABLE)
        done = call("run", "study.yaml", "-o", "out.nc", cwd=cls.at, limited=False)
        assert done.returncode == 0, done.stderr
        cls.whole = (cls.at / "out.nc").read_bytes()
        seed = int(os.environ.get("RIDGELESS_TEST_SEED", time.time_ns() % 1000000))
        print(f"# RIDGELESS_TEST_SEED={seed}")
        cls.chance = random.Random(seed)

    def damage(self, content):
        damaged = bytearray(content)
        kind = self.chance.choice(["bit", "cut", "zeros", "noise"])
        at = self.chance.randrange(8, len(content))
        length = self.chance.choice([1, 8, 512, 4096])
        if kind == "bit":
            damaged[at] ^= 1 << self.chance.randrange(8)
        elif kind == "cut":
            del damaged[at:]
        else:
            old = damaged[at : at + length]
            damaged[at : at + length] = bytes(len(old)) if kind == "zeros" else self.chance.randbytes(len(old))
        return bytes(damaged)

    def test_show_and_run(self):
        for _ in range(tier.of(10, 25)):
            damaged = self.damage(self.whole)
            if damaged == self.whole:  # zeros where zeros were
                continue
            (self.at / "out.nc").write_bytes(damaged)
            done = call("run", "study.yaml", "-o", "out.nc", cwd=self.at, limited=False)
            self.assertEqual((done.returncode, len(done.stderr.splitlines())), (2, 1), done.stderr)
            self.assertIn("out.nc: ", done.stderr)
            self.assertIn("it is left alone: remove it (the journal has what is done)", done.stderr)
            self.assertEqual((self.at / "out.nc").read_bytes(), damaged)
            done = call("show", "out.nc", cwd=self.at, limited=False)
            if b"ridgeless seal " in damaged[-32:-16]:
                self.assertEqual((done.returncode, len(done.stderr.splitlines())), (2, 1), done.stderr)
                self.assertIn("out.nc: is damaged", done.stderr)
            else:  # cut short, or of a seal that is none any more: shown, or refused
                self.assertIn((done.returncode, len(done.stderr.splitlines())), ((0, 0), (2, 1)), done.stderr)
        (self.at / "out.nc").unlink()
        done = call("run", "study.yaml", "-o", "out.nc", cwd=self.at, limited=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("2 of 2 curves are in the journal already", done.stderr)

    def test_show_of_damaged_files_without_a_seal(self):
        for _ in range(8):
            (self.at / "plain.nc").write_bytes(self.damage(self.whole[:-32]))
            done = call("show", "plain.nc", cwd=self.at, limited=False)
            self.assertIn((done.returncode, len(done.stderr.splitlines())), ((0, 0), (2, 1)), done.stderr)

    def test_a_file_that_hdf5_reads_for_ever(self):
        (self.at / "hang.nc").write_bytes(gzip.decompress((SOURCE / "tests/fuzz/crashes/show/hang.nc.gz").read_bytes()))
        done = call("show", "hang.nc", cwd=self.at, limited=False)
        self.assertEqual((done.returncode, len(done.stderr.splitlines())), (2, 1), done.stderr)
        self.assertIn("hang.nc: is damaged", done.stderr)


if __name__ == "__main__":
    unittest.main()
