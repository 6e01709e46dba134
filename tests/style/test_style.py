"""The project's own rules that a compiler does not know: layering, checked calls, format, documented commands."""
import pathlib
import re
import shutil
import subprocess
import unittest

from program import PROGRAM, SOURCE

MODULES = ["core", "random", "data", "spectrum", "fit", "autoencoder", "study", "distributed", "plan", "task", "parallel", "results", "cli"]
FORMATTER = "14"
PART_OF = {"arena": "core", "histogram": "core", "summary": "task", "feature_map": "data", "nested": "spectrum", "bulk": "spectrum", "updated": "spectrum", "rates": "plan", "case_cost": "plan", "case_needs": "distributed", "grid_curve": "distributed"}  # further headers
# What a module may include beside itself and core. Only parallel, core's context and the commands know MPI.
MAY_SEE = {
    "core": {"context"},
    "random": set(),
    "data": {"random"},
    "spectrum": set(),
    "fit": {"spectrum"},
    "autoencoder": {"random"},
    "study": {"random", "data", "spectrum", "fit", "autoencoder"},
    "distributed": {"context", "random", "data", "spectrum"},
    "plan": {"random", "data", "spectrum", "fit", "autoencoder", "study", "distributed"},
    "task": {"random", "data", "spectrum", "fit", "autoencoder", "study", "distributed", "plan"},
    "parallel": {"context", "random", "data", "spectrum", "fit", "autoencoder", "study", "distributed", "plan", "task"},
    "results": {"random", "data", "spectrum", "fit", "autoencoder", "study", "plan", "task"},
    "cli": {"context", "random", "data", "spectrum", "fit", "autoencoder", "study", "distributed", "plan", "task", "parallel", "results"},
}


def sources(module):
    return sorted((SOURCE / "src" / module).rglob("*.[ch]"))


def public_headers():
    return sorted((SOURCE / "include" / "ridgeless").glob("*.h"))


class Style(unittest.TestCase):
    def matches(self, pattern, paths):
        return [f"{path.relative_to(SOURCE)}: {line.strip()}" for path in paths for line in path.read_text().splitlines()
                if re.search(pattern, line)]

    def test_lower_modules_never_include_higher_ones(self):
        for module in MODULES:
            for path in [*sources(module), SOURCE / "include" / "ridgeless" / f"{module}.h"]:
                if not path.exists():
                    continue
                seen = set(re.findall(r'#include "ridgeless/(\w+)\.h"', path.read_text()))
                seen = {PART_OF.get(name, name) for name in seen}
                self.assertLessEqual(seen, MAY_SEE[module] | {module, "core"}, path)

    def test_only_context_distributed_and_parallel_call_mpi(self):
        others = [path for module in MODULES if module not in ("distributed", "parallel") for path in sources(module)
                  if path.name not in ("context.c", "launcher.c")]
        self.assertEqual(self.matches(r"\bMPI_[A-Z]", others), [])

    def test_the_world_is_named_in_context_alone(self):
        paths = [path for module in MODULES for path in sources(module) if path.name != "context.c"]
        self.assertEqual(self.matches(r"\bMPI_COMM_WORLD", paths), [])

    def test_only_commands_and_the_log_print(self):
        paths = [path for module in MODULES if module != "cli" for path in sources(module)
                 if path.name not in ("log.c", "context.c")]
        self.assertEqual(self.matches(r"(?<![a-z_n])(printf|fprintf|puts) ?\(", paths), [])

    def test_memory_comes_from_core(self):
        paths = [path for module in MODULES if module != "core" for path in sources(module)]
        self.assertEqual(self.matches(r"(?<![\w.])(malloc|calloc|realloc) ?\(", paths), [])

    def test_format(self):
        version = re.search(r"version (\d+)", subprocess.run(["clang-format", "--version"], check=True, capture_output=True,
                                                            text=True).stdout)[1]
        if version != FORMATTER:
            self.skipTest(f"clang-format {version} breaks some lines elsewhere than version {FORMATTER}, by which the sources are "
                          "formatted")
        paths = [*public_headers(), *SOURCE.glob("src/**/*.[ch]"), *SOURCE.glob("tests/**/*.[ch]")]
        done = subprocess.run(["clang-format", "--dry-run", "-Werror", *paths], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])

    def test_exported_symbols_carry_the_prefix(self):
        table = subprocess.run(["nm", "--defined-only", "-g", PROGRAM], check=True, capture_output=True, text=True).stdout
        names = [line.split()[-1] for line in table.splitlines() if line.split()[1] == "T"]
        in_sanitizer_builds = {"dlclose"}  # tests/keep_loaded.c
        self.assertEqual([name for name in names if not name.startswith(("rl_", "_", "main"))
                          and name not in in_sanitizer_builds], [])

    def test_every_option_is_in_the_man_page(self):
        page = (SOURCE / "src" / "cli" / "ridgeless.1").read_text()
        table = (SOURCE / "src" / "cli" / "options.c").read_text()
        names = re.findall(r"\{'\w', \"([\w-]+)\"", table)
        self.assertGreaterEqual(len(names), 21)
        for name in names:
            self.assertIn(name.replace("-", "\\-"), page)

    def test_every_key_of_a_study_is_in_its_man_page(self):
        words = set(re.findall(r"[\w-]+", (SOURCE / "src" / "cli" / "ridgeless-study.5").read_text()))
        found = [re.findall(rf'\.{word} = "([\w-]+)"', path.read_text()) for module, word in
                 (("study", "key"), ("data", "key"), ("data", "name"), ("fit", "key"), ("fit", "name"))
                 for path in (SOURCE / "src" / module).rglob("*.[ch]")]
        names = set(sum(found, []))
        self.assertGreaterEqual(len(names), 70)
        self.assertEqual(names - words, set())

    def scripts(self):
        found = [*SOURCE.glob("jobs/*.sh"), *SOURCE.glob("jobs/*.sbatch"), *SOURCE.glob("tests/*.sh"), SOURCE / ".ci" / "run"]
        self.assertGreaterEqual(len(found), 10)
        return found

    def test_scripts_have_no_syntax_errors(self):
        for script in self.scripts():
            subprocess.run(["bash", "-n", script], check=True)

    @unittest.skipUnless(shutil.which("shellcheck"), "shellcheck is not installed")
    def test_scripts_are_sound(self):
        done = subprocess.run(["shellcheck", *self.scripts()], capture_output=True, text=True)
        self.assertEqual(done.stdout, "")


if __name__ == "__main__":
    unittest.main()
