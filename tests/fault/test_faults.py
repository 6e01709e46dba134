"""Every call of the program that can fail, made to fail: nothing finished is lost, and running again ends in the same bits."""
import collections
import concurrent.futures
import dataclasses
import hashlib
import json
import multiprocessing
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import netCDF4
import numpy as np

import launcher
import tier
from program import PROGRAM, data_groups

INJECT = os.environ.get("RIDGELESS_INJECT", "")
TIME_LIMIT = 300  # seconds; a run takes less than one, and some on a busy machine
BEYOND = 10**9  # the number of a call that no run comes to
AT_ONCE = 4  # most of a run is waiting for disks and other processes

STUDY = """repeats: {repeats}
n_train: [1, 3, 5]
ablations: [none, cutoff: 0.1]
datasets: [{{source: student-teacher, rows: 12, features: 3, hidden_features: 3}}]
"""
GRID_STUDY = """repeats: {repeats}
block: 2
n_train: [2, 5]
ablations: [none]
datasets: [{{source: student-teacher, rows: 9, features: 3, hidden_features: 3, ranks_per_case: all}}]
"""
SUMMARY_STUDY = """repeats: {repeats}
keep: summary
n_train: [1, 3, 5]
ablations: [none, cutoff: 0.1]
datasets: [{{source: student-teacher, rows: 12, features: 3, hidden_features: 3}}]
"""
# Trainings of some pieces, with a state in the journal after each.
TRAINING_STUDY = """repeats: {repeats}
autoencoders: [{{n_features: 40, sparsity: 0.8, hidden: 2, n_train: 40, n_test: 40, steps: 12000, checkpoint_seconds: 0}}]
"""
# Tables of text and NetCDF, with rows that are left out; then fewer repeats, one more data set, one more parameter of an
# ablation, and another order: the first two curves of `text` can stay.
TEXT = """{source: csv, name: text, file: text.csv, target: y, skip: 1, delimiter: semicolon, comment: "%", decimal: comma,
     thousands: point, except: [id, 2], missing: [-9999], intercept: true}"""
COLUMNS = "{source: netcdf, name: columns, file: columns.nc, target: y, except: spare, missing: [-1]}"
TABLES_BEFORE = f"""title: tables
repeats: 3
n_train: [1, 3, 5]
ablations: [none, cutoff: 0.1]
datasets:
  - {TEXT}
  - {COLUMNS}
"""
TABLES_STUDY = f"""title: tables
repeats: 2
n_train: [1, 3, 5]
ablations: [none, cutoff: 0.1]
datasets:
  - &c {COLUMNS.replace('}', ', ablations: [cutoff: [0.2, 0.1], none]}')}
  - {{<<: *c, name: more, intercept: true}}
  - {TEXT}
"""
TEXT_TABLE = """of a station
id;note;a;b;c;y % units
"""
POINTS_AND_COMMAS = str.maketrans(",.", ".,")


@dataclasses.dataclass(frozen=True)
class Study:
    """What a study file says before and after it has changed, and how many curves or trainings it asks for then."""

    before: str
    text: str
    n_curves: int
    ranks: int = 1  # that run it again
    piped: bool = False  # where a fault strikes, it comes from standard input


def more_repeats(text, ranks=1):
    return Study(text.format(repeats=1), text.format(repeats=3), 3, ranks)


STUDIES = {
    "small": more_repeats(STUDY),
    "grid": more_repeats(GRID_STUDY, 2),
    "summary": more_repeats(SUMMARY_STUDY),
    "trainings": more_repeats(TRAINING_STUDY),
    "tables": Study(TABLES_BEFORE, TABLES_STUDY, 6, piped=True),
}
# A + stands for every later call too: a disk that stays full.
FILE_ACTIONS = {
    "open": ["die", "eio", "enospc+"],
    "read": ["die", "eio"],
    "write": ["die", "short", "torn", "eio", "enospc", "enospc+"],
    "put": ["die", "short", "eio", "enospc+"],
    "cut": ["eio"],
    "reserve": ["eio", "enospc"],
    "sync": ["die", "eio", "enospc+"],
    "truncate": ["die", "eio"],
    "close": ["die", "eio", "enospc+"],
    "rename": ["die", "eio", "enospc+"],
}
CHANGES = ("write", "put", "cut", "reserve", "sync", "truncate", "rename")
READER = concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("fork"))  # NetCDF is not for many threads
GROUPS = {}  # what is in a results file, by the digest of its bytes


@dataclasses.dataclass(frozen=True)
class Fault:
    kind: str
    n: int
    action: str
    rank: int = 0
    more: str = ""  # "+": every later call too

    def __str__(self):
        return f"{self.kind}:{self.n}{self.more}:{self.action}:rank={self.rank}"


@dataclasses.dataclass
class Run:
    status: int | None  # None: it hung
    said: str
    fired: bool = False
    calls: dict = dataclasses.field(default_factory=dict)  # how many of each kind there were


def launch(folder, ranks, *arguments, prefix=(), piped=False):
    """Runs the program in the folder, and ends what does not end by itself."""
    command = [*prefix, PROGRAM, "run", "-" if piped else "study.yaml", "-o", "s.nc", *arguments]
    command = launcher.on_ranks(ranks if ranks > 1 else None, command)
    with open(folder / "study.yaml" if piped else os.devnull) as standard_input:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=launcher.short_lived(folder.parent / "session"),
            text=True,
            stdin=standard_input,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    try:
        _, said = process.communicate(timeout=TIME_LIMIT)
    except subprocess.TimeoutExpired:
        process.terminate()  # mpirun ends its ranks
        time.sleep(1)
        process.kill()
        return Run(None, process.communicate()[1])
    said = said.replace("\0", "")  # Open MPI 5 ends messages of its own with one
    count = folder / "count"
    text = count.read_text() if count.exists() else ""
    count.unlink(missing_ok=True)
    return Run(process.returncode, said, text == "fired", {kind: int(n) for kind, n in re.findall(r"(\w+) (\d+)", text)})


def injecting(fault):
    """What goes before the program, so that the fault meets the ranks and not mpirun."""
    return ["env", f"LD_PRELOAD={INJECT}", f"RIDGELESS_FAULT={fault}", "RIDGELESS_FAULT_COUNT=count"]


def groups(path):
    """What data_groups says of the file: most files are copies of a few."""
    digest = hashlib.sha256(path.read_bytes()).digest()
    if digest not in GROUPS:
        GROUPS[digest] = READER.submit(data_groups, path).result()
    return GROUPS[digest]


def was_killed(run, ranks):
    """Whether it is what the caller sees of a rank that has killed itself. Where another rank notices before the launcher
    does, as happens on a busy machine, that one says so and ends."""
    if ranks == 1:
        return run.status == -signal.SIGKILL
    told = run.status == 1 and re.search(r"^ridgeless: rank \d+ died", run.said, re.MULTILINE)
    return bool(told) or run.status in launcher.of_a_rank_that_killed_itself()


def done_curves(folder):
    answer = subprocess.run(
        [PROGRAM, "status", "study.yaml", "--json", "-o", "s.nc"],
        cwd=folder,
        env=launcher.short_lived(),
        text=True,
        capture_output=True,
        timeout=TIME_LIMIT,
        check=True,
    )
    told = json.loads(answer.stdout)
    return told["done"] + sum(a["done"] for a in told["autoencoders"])


def make_tables(folder):
    """Twelve rows in text.csv and columns.nc, of which one is to be left out for each reason."""
    rows = [[f"s{i}", "x", *(i * k % 13 - 6 for k in (2, 3, 5)), 1000.5 + i * i % 17] for i in range(12)]
    rows[3][2], rows[5][4], rows[7][5] = "-9999", "", "NA"
    cells = [[f"{v:,.1f}".translate(POINTS_AND_COMMAS) if isinstance(v, float) else str(v) for v in row] for row in rows]
    lines = [";".join(row) for row in cells]
    (folder / "text.csv").write_text(TEXT_TABLE + "\n".join(lines) + "\n")
    with netCDF4.Dataset(folder / "columns.nc", "w", format="NETCDF3_CLASSIC") as file:
        file.createDimension("row", 12)
        for k, name in enumerate(("y", "a", "b", "c", "spare"), 2):
            values = np.ma.array([(i * i * k + i) % 11 + 0.5 for i in range(12)])
            if name == "a":
                values[4] = np.ma.masked
            if name == "b":
                values[9] = -1
            file.createVariable(name, "f8", ("row",), fill_value=-5.0)[:] = values


class Case:
    """A study, and what any run of it must end in: on a process grid, any run on as many ranks."""

    def __init__(self, at, study, tables):
        self.at, self.study, self.tables, self.verified, self.counts = at, study, tables, set(), {}
        for name, text in (("old", study.before), ("new", study.text)):
            run = launch(self.make(at / name / "study", text), 2)
            assert run.status == 0, run.said
        # What the states are prepared from: a journal that has the records of before, too.
        shutil.copytree(at / "old", at / "grown")
        (at / "grown" / "study" / "study.yaml").write_text(study.text)
        run = launch(at / "grown" / "study", study.ranks)
        assert run.status == 0, run.said
        self.old, self.wanted = groups(at / "old" / "study" / "s.nc"), groups(at / "new" / "study" / "s.nc")
        assert groups(at / "grown" / "study" / "s.nc") == self.wanted
        self.counts_before = {state: self.count_before(state) for state in ("new", "torn", "extended", "computed", "finished")}

    def make(self, folder, text):
        """The folder of a study, with its tables."""
        shutil.copytree(self.tables, folder)
        (folder / "study.yaml").write_text(text)
        return folder

    def prepare(self, state, folder):
        """new: nothing yet; torn: a journal that ends within a record; extended: finished before the study changed; computed:
        the journal finished, the results still old; finished."""
        old, new = self.at / "old" / "study", self.at / "grown" / "study"
        self.make(folder, self.study.text)
        if state == "new":
            return
        shutil.copy((old if state == "extended" else new) / "s.nc.journal", folder)
        if state == "torn":
            os.truncate(folder / "s.nc.journal", (folder / "s.nc.journal").stat().st_size - 100)
        else:
            shutil.copy((new if state == "finished" else old) / "s.nc", folder)

    def count_before(self, state):
        folder = self.at / f"count-{state}" / "study"
        self.prepare(state, folder)
        return done_curves(folder)

    def complaints_of_run(self, run, deadly, folder, ranks):
        """What is wrong with how a run ended that met a fault, one that kills or not."""
        if run.status is None:
            return ["hangs"]
        lines = re.findall(r"^ridgeless: .*", run.said, re.MULTILINE)
        if run.status == 0:
            whole = (folder / "s.nc").exists() and groups(folder / "s.nc") == self.wanted
            return [] if whole and not lines else [f"exit 0 with the wrong results, or with {lines}"]
        if deadly:
            return [] if was_killed(run, ranks) else [f"exit {run.status} of a killed run: {run.said}"]
        if run.status not in (1, 2) or len(lines) != 1 or "Backtrace" in run.said:
            return [f"exit {run.status} with the errors {lines}: {run.said}"]
        return []

    def complaints_of_files(self, state, folder, status):
        """What is wrong with the files that it left, and with running again."""
        results = folder / "s.nc"
        found = groups(results) if results.exists() else None
        if found not in (None, self.old, self.wanted):
            return ["the results file is neither the old nor the new one"]
        if found is None and state in ("extended", "computed", "finished"):
            return ["the results file is gone"]
        journal = folder / "s.nc.journal"
        key = str(
            (
                state,
                status == 0,
                journal.read_bytes() if journal.exists() else None,
                found == self.old,
                sorted(re.sub(r"\d+$", "", path.name) for path in folder.iterdir()),
            )
        )
        if key in self.verified:  # the program makes the same of the same files
            return []
        self.verified.add(key)
        try:
            done = done_curves(folder)
        except subprocess.CalledProcessError as error:
            return [f"the journal cannot be used: {error.stderr}"]
        if done < self.counts_before[state]:
            return [f"{done} curves are left of {self.counts_before[state]}"]
        if status == 0 and done != self.study.n_curves:
            return [f"exit 0 with {done} curves in the journal"]
        return self.complaints_of_rerun(folder, done)

    def complaints_of_rerun(self, folder, done):
        again = launch(folder, self.study.ranks)
        kept = re.search(rf"(\d+) of {self.study.n_curves} (?:curves|trainings) are in the journal already", again.said)
        complaints = [] if again.status == 0 else [f"running again: exit {again.status}: {again.said}"]
        if int(kept.group(1) if kept else 0) != done:
            complaints.append(f"running again, not {done} curves are kept: {again.said}")
        if again.status == 0 and groups(folder / "s.nc") != self.wanted:
            complaints.append("running again ends in other results")
        if any(".tmp." in path.name for path in folder.iterdir()):
            complaints.append("a temporary is left")
        return complaints

    def endure(self, state, prefix, deadly, ranks=1):
        """Runs under what the prefix does, then without; (how the first run ended, what was wrong)."""
        with tempfile.TemporaryDirectory(dir=self.at) as name:
            folder = pathlib.Path(name) / "study"
            self.prepare(state, folder)
            run = launch(folder, ranks, "-q", prefix=prefix, piped=self.study.piped)
            complaints = self.complaints_of_run(run, deadly, folder, ranks)
            if run.status is not None:
                complaints += self.complaints_of_files(state, folder, run.status)
            return run, [f"{state}, {ranks} rank(s), {' '.join(prefix)}: {text}" for text in complaints]

    def calls(self, state, ranks, rank):
        """How many calls of each kind a run makes that nothing happens to."""
        if (state, ranks, rank) not in self.counts:
            with tempfile.TemporaryDirectory(dir=self.at) as name:
                folder = pathlib.Path(name) / "study"
                self.prepare(state, folder)
                prefix = injecting(Fault("open", BEYOND, "die", rank))
                run = launch(folder, ranks, "-q", prefix=prefix, piped=self.study.piped)
                assert run.status == 0, run.said
                self.counts[state, ranks, rank] = run.calls
        return self.counts[state, ranks, rank]


@dataclasses.dataclass
class Blow:
    """Faults of one kind under way: what they are, and what becomes of each."""

    about: str
    tried: list

    def complaints(self):
        tried = [one.result() for one in self.tried]
        struck = collections.Counter(run.status for run, _ in tried if run.fired)
        print(f"# {self.about}; exit status of those that struck: {dict(struck)}", flush=True)
        return [line for _, lines in tried for line in lines]


@unittest.skipUnless(INJECT, "a sanitizer must come first among the libraries, and faults cannot precede it")
class Faults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        at = pathlib.Path(cls.folder.name)
        READER.submit(int).result()  # forks, as it should before there are threads
        cls.pool = concurrent.futures.ThreadPoolExecutor(AT_ONCE)
        tables = at / "data"
        tables.mkdir()
        READER.submit(make_tables, tables).result()
        cases = {name: cls.pool.submit(Case, at / name, study, tables) for name, study in STUDIES.items()}
        cls.cases = {name: case.result() for name, case in cases.items()}
        cls.seed = int(os.environ.get("RIDGELESS_TEST_SEED", time.time_ns() % 1000000))
        cls.chance = random.Random(cls.seed)
        print(f"# RIDGELESS_TEST_SEED={cls.seed}", flush=True)

    @classmethod
    def tearDownClass(cls):
        cls.pool.shutdown(cancel_futures=True)
        cls.folder.cleanup()

    def strike(self, case, state, kind, actions, ranks=1, rank=0, sample=None):
        """Starts each action at each call of the kind, or at a sample of them."""
        calls = self.cases[case].calls(state, ranks, rank)[kind]
        each = calls if sample is None else min(calls, sample)
        faults = [
            Fault(kind, n, action.rstrip("+"), rank, "+" * action.endswith("+"))
            for action in actions
            for n in sorted(self.chance.sample(range(1, calls + 1), each))
        ]
        tried = [
            self.pool.submit(self.cases[case].endure, state, injecting(fault), fault.action in ("die", "torn"), ranks)
            for fault in faults
        ]
        return Blow(
            f"{case} study, {state}, {ranks} rank(s), {kind} on rank {rank}: {each} of {calls} calls, " f"{len(faults)} faults",
            tried,
        )

    def check(self, blows):
        wrong = [line for blow in blows for line in blow.complaints()]
        self.assertEqual(wrong, [], "\n".join(wrong[:20]))

    def strike_files(self, state, ranks=1, kinds=tuple(FILE_ACTIONS), case="small", sample=None):
        """The short tier draws the actions, too."""
        samples = {"put": 4}  # of hundreds; test_each_write_of_results tries them all
        most = tier.of(2 if case == "small" else 1, len(FILE_ACTIONS))
        return [
            self.strike(
                case, state, kind, self.some(FILE_ACTIONS[kind], most), ranks, sample=tier.of(1, samples.get(kind, sample))
            )
            for kind in kinds
        ]

    def some(self, all_of_them, most):
        return self.chance.sample(all_of_them, min(most, len(all_of_them)))

    def strike_files_of_all_states(self, case):
        self.check(
            [
                blow
                for state, kinds in (("new", FILE_ACTIONS), ("torn", CHANGES), ("extended", CHANGES))
                for blow in self.strike_files(state, kinds=kinds, case=case, sample=2)
            ]
        )

    def test_files_of_a_new_study(self):
        self.check(self.strike_files("new"))

    def test_files_of_a_study_with_a_torn_journal(self):
        self.check(self.strike_files("torn", kinds=CHANGES))

    def test_files_of_a_study_that_grows(self):
        self.check(self.strike_files("extended", kinds=CHANGES))

    def test_each_write_of_results(self):
        self.check([self.strike("small", "computed", "put", ["eio"], sample=tier.of(3, None))])

    def test_files_of_results_to_be_assembled(self):
        self.check(self.strike_files("computed"))

    def test_files_of_a_finished_study(self):
        self.check(self.strike_files("finished"))

    def test_files_on_two_ranks(self):
        self.check(self.strike_files("new", 2, ("write", "rename")))

    def test_files_of_summaries(self):
        self.strike_files_of_all_states("summary")

    def test_files_of_trainings(self):
        self.strike_files_of_all_states("trainings")

    def test_files_of_tables(self):
        self.strike_files_of_all_states("tables")

    def test_tables_that_libraries_read(self):
        self.check([self.strike("tables", state, "load", ["die", "eio"], sample=tier.of(2, 25)) for state in ("new", "extended")])

    def test_memory_of_tables(self):
        self.check(
            [
                self.strike("tables", state, "alloc", [action], sample=tier.of(3, sample))
                for state, action, sample in (("new", "enomem", 80), ("extended", "enomem", 80), ("extended", "enomem+", 20))
            ]
        )

    def test_memory_on_one_rank(self):
        self.check([self.strike("small", "new", "alloc", ["enomem"], sample=tier.of(20, 160))])

    def test_memory_that_stays_away(self):
        self.check([self.strike("small", "new", "alloc", ["enomem+"], sample=tier.of(10, 40))])

    def test_memory_of_results_to_be_assembled(self):
        self.check([self.strike("small", "computed", "alloc", ["enomem"], sample=tier.of(10, 40))])

    def test_memory_on_two_ranks(self):
        self.check(
            [
                self.strike(case, "new", "alloc", ["enomem"], 2, rank, sample=tier.of(1, 6))
                for case in self.some(sorted(self.cases), tier.of(2, len(self.cases)))
                for rank in (0, 1)
            ]
        )

    def test_memory_of_summaries(self):
        self.check(
            [
                self.strike("summary", state, "alloc", [action], sample=tier.of(5, 40))
                for state, action in (("new", "enomem"), ("new", "enomem+"), ("computed", "enomem"))
            ]
        )

    def test_memory_of_trainings(self):
        self.check([self.strike("trainings", "new", "alloc", ["enomem", "enomem+"], sample=tier.of(4, 25))])

    def test_messages_of_trainings(self):
        self.check([self.strike("trainings", "new", "mpi", ["die", "error"], 2, rank, sample=tier.of(1, 8)) for rank in (0, 1)])

    def test_messages_of_ranks_alone(self):
        """At all calls one or the other; and a few of the rest."""
        self.check(
            [
                self.strike("small", "new", "mpi", [action], 2, rank, sample)
                for rank, action, sample in (
                    (0, "error", tier.of(3, None)),
                    (1, "die", tier.of(3, None)),
                    (0, "die", tier.of(1, 6)),
                    (1, "error", tier.of(1, 6)),
                )
            ]
        )

    def test_messages_of_a_process_grid(self):
        self.check([self.strike("grid", "new", "mpi", ["die", "error"], 2, rank, sample=tier.of(1, 8)) for rank in (0, 1)])


ROOM_STUDY = """repeats: 200
n_train: {range: [1, 60]}
ablations: [none, cutoff: {logspace: [-1, 1, 5]}]
datasets: [{source: student-teacher, rows: 90, features: 10, hidden_features: 10}]
"""


class NoRoom(unittest.TestCase):
    """Real limits in place of injected faults."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.at = pathlib.Path(cls.folder.name)
        reference = cls.make("reference")
        assert launch(reference, 2).status == 0
        cls.wanted = data_groups(reference / "s.nc")
        cls.journal = (reference / "s.nc.journal").stat().st_size

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @classmethod
    def make(cls, name):
        folder = cls.at / name / "study"
        folder.mkdir(parents=True)
        (folder / "study.yaml").write_text(ROOM_STUDY)
        return folder

    def run_out(self, folder, ranks, least, prefix=()):
        """The study does not fit, but `least` curves do, and those that were there stay; says how many are there now."""
        before = done_curves(folder)
        run = launch(folder, ranks, "-q", prefix=prefix)
        lines = re.findall(r"^ridgeless: .*", run.said, re.MULTILINE)
        self.assertIn(run.status, (1, 2), run.said)
        self.assertRegex("\n".join(lines), r"^ridgeless: s\.nc.*(No space left on device|File too large|quota is full)$")
        done = done_curves(folder)
        self.assertGreaterEqual(done, max(before, least))
        self.assertEqual([path.name for path in folder.iterdir() if ".tmp." in path.name], [])
        return done

    def go_on(self, folder, ranks, done):
        again = launch(folder, ranks)
        self.assertEqual(again.status, 0, again.said)
        self.assertTrue(done == 0 or f"{done} of 200 curves are in the journal already" in again.said, again.said)
        self.assertEqual(data_groups(folder / "s.nc"), self.wanted)

    def on_a_disk(self, size, least):
        folder = self.make(f"disk-{size}")

        def mount(*options):
            return subprocess.run(
                ["mount", "-t", "tmpfs", "-o", ",".join(options), "none", folder], capture_output=True, text=True, check=False
            )

        done = mount(f"size={size}")
        if done.returncode != 0:
            self.skipTest(f"a small disk cannot be mounted: {done.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", folder], check=True)
        (folder / "study.yaml").write_text(ROOM_STUDY)
        self.run_out(folder, 2, least)
        kept = self.run_out(folder, 1, least)
        self.assertEqual(mount("size=64m", "remount").returncode, 0)
        self.go_on(folder, 2, kept)

    def test_a_disk_too_small_for_the_journal(self):
        self.on_a_disk(self.journal // 2, 50)

    def test_a_disk_too_small_for_the_results(self):
        self.on_a_disk(self.journal + 16384, 200)

    @unittest.skipIf(launcher.version()[0] == "mpich", "MPICH does not start where its own files may not grow")
    def test_files_that_may_not_grow(self):
        for i in range(8):
            with self.subTest(i):
                folder = self.make(f"limit-{i}")
                limit = [f"--fsize={self.journal * i // 8 + 7 * i}", "env", "--ignore-signal=XFSZ"]
                done = self.run_out(folder, 1, 200 * (i - 1) // 8, ["prlimit", *limit])
                self.go_on(folder, 1, done)


if __name__ == "__main__":
    unittest.main()
