"""Inputs under attack: each fuzz target for some seconds on from its corpus, and every input that was ever a finding.

The targets are built by clang with libFuzzer and sanitizers in a build folder of their own beside this one: not optimized, for
building takes most of the time; the short tier draws three of them. $RIDGELESS_FUZZ_SECONDS lengthens the fuzzing of each
target (default 1, and 6 with --all), $RIDGELESS_TEST_SEED repeats a run. What is found is kept in the build folder's
`findings`: it goes to crashes/TARGET once it is mended."""
import concurrent.futures
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import tier

SOURCE = pathlib.Path(os.environ["RIDGELESS_SOURCE_ROOT"])
HERE = SOURCE / "tests" / "fuzz"
BUILD = pathlib.Path(os.environ["RIDGELESS_FUZZ_BUILD"])
SECONDS = int(os.environ.get("RIDGELESS_FUZZ_SECONDS", tier.of(1, 6)))
SEED = int(os.environ.get("RIDGELESS_TEST_SEED", time.time_ns() % 1000000)) + 1  # 0 would be a seed of libFuzzer's own
WHOLE = sorted(path.stem.removeprefix("fuzz_") for path in HERE.glob("fuzz_*.c"))
TARGETS = sorted(random.Random(SEED).sample(WHOLE, tier.of(3, len(WHOLE))))
PAST = {target: cases for target in TARGETS if (cases := sorted((HERE / "crashes" / target).glob("*")))}
# Not the leak check after every input, which takes longer than the input where libraries keep memory for the next: what
# they never give back is found at the end. The time limit of one input is five times too long on a quiet machine.
COMMON = ["-max_len=4096", "-timeout=100", "-rss_limit_mb=2048", "-malloc_limit_mb=1024", "-detect_leaks=0"]
OPTIONS = {"study": [f"-dict={HERE / 'study.dict'}"], "journal": ["-max_len=8192"]}
UNREACHED = HERE / "unreached.txt"
C_ARGS = [
    "-fsanitize=fuzzer-no-link",
    f"-fsanitize-ignorelist={UNREACHED}",
    f"-fsanitize-coverage-ignorelist={UNREACHED}",
    "-gline-tables-only",
]
SETUP = [
    "-Dfuzz=true",
    "-Db_sanitize=address,undefined",
    "-Db_lundef=false",
    "-Doptimization=0",
    f"-Dc_args={C_ARGS}",
]
HANG = 600  # seconds beyond those that a target is given: more than any busy machine takes
ENVIRONMENT = {**os.environ, "ASAN_OPTIONS": "allocator_may_return_null=1", "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}


def has_libfuzzer():
    with tempfile.TemporaryDirectory() as folder:
        program = pathlib.Path(folder) / "x.c"
        program.write_text("int LLVMFuzzerTestOneInput(const char *x, long n) { return 0 * (n && x); }\n")
        command = ["clang", "-fsanitize=fuzzer,address,undefined", program, "-o", program.with_suffix("")]
        return shutil.which("clang") is not None and subprocess.run(command, capture_output=True).returncode == 0


def build():
    """Like any build: what has not changed is not compiled again."""
    if not (BUILD / "build.ninja").exists():
        shutil.rmtree(BUILD, ignore_errors=True)
        subprocess.run(
            ["meson", "setup", BUILD, SOURCE, *SETUP], env={**os.environ, "CC": "clang"}, check=True, stdout=sys.stderr
        )
    subprocess.run(["ninja", "-C", BUILD, *(f"tests/fuzz/fuzz_{target}" for target in TARGETS)], check=True, stdout=sys.stderr)


def start(target, *arguments, timeout):
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as folder:
        findings = BUILD / "findings" / target
        findings.mkdir(parents=True, exist_ok=True)
        command = [
            BUILD / "tests" / "fuzz" / f"fuzz_{target}",
            *COMMON,
            *OPTIONS.get(target, []),
            f"-artifact_prefix={findings}/",
        ]
        return subprocess.run(
            [*command, *arguments],
            env={**ENVIRONMENT, "TMPDIR": folder},
            cwd=folder,
            text=True,
            errors="replace",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=timeout,
        )


def fuzz(target):
    """Inputs that reach new code are thrown away: what is worth keeping is put into the corpus by hand."""
    with tempfile.TemporaryDirectory() as fresh:
        return start(
            target,
            f"-max_total_time={SECONDS}",
            f"-seed={SEED}",
            "-print_final_stats=1",
            fresh,
            HERE / "corpus" / target,
            timeout=SECONDS + HANG,
        )


def replay(target):
    return start(target, "-runs=1", *PAST[target], timeout=HANG)


@unittest.skipUnless(has_libfuzzer(), "no clang with libFuzzer (libclang-rt-dev)")
class Fuzz(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        build()
        print(f"# RIDGELESS_TEST_SEED={SEED - 1}, {SECONDS} s a target")
        with concurrent.futures.ThreadPoolExecutor(2) as pool:  # the machine's cores
            done, past = pool.map(fuzz, TARGETS), pool.map(replay, PAST)
            cls.done, cls.past = dict(zip(TARGETS, done)), dict(zip(PAST, past))

    def check(self, target, done):
        self.assertEqual(done.returncode, 0, f"{target}, seed {SEED - 1}:\n{done.stderr[-6000:]}")

    def test_findings_of_the_past(self):
        for target, done in self.past.items():
            with self.subTest(target):
                self.check(target, done)


def fuzzed(target):
    def test(self):
        done = self.done[target]
        self.check(target, done)
        stats = dict(line[6:].split(":") for line in done.stderr.splitlines() if line.startswith("stat::"))
        runs = int(stats["number_of_executed_units"])
        print(f"# {target}: {runs} inputs")
        self.assertGreater(runs, len(list((HERE / "corpus" / target).iterdir())))

    return test


for name in TARGETS:
    setattr(Fuzz, f"test_{name}", fuzzed(name))

if __name__ == "__main__":
    unittest.main()
