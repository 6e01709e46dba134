"""The project's own rules that a compiler does not know: layering, checked calls, format, shell scripts."""
import collections
import re
import shutil
import subprocess
import unittest

from program import PROGRAM, SOURCE

ROOMS = re.findall(r"^subdir\('(\w+)'\)", (SOURCE / "src" / "meson.build").read_text(), re.M)  # lowest first
HEADERS = re.findall(r"^  '(\w+)',$", (SOURCE / "include" / "meson.build").read_text(), re.M)
FORMATTER = "14"
# What a room of src/ may include beside itself and core. Only parallel, core's context and the commands know MPI.
BELOW_TASK = {"random", "data", "spectrum", "fit", "autoencoder", "study", "distributed"}
MAY_SEE = {
    "core": {"context"},
    "random": set(),
    "data": {"random"},
    "spectrum": set(),
    "fit": {"random", "spectrum"},
    "autoencoder": {"random"},
    "study": {"random", "data", "spectrum", "fit", "autoencoder"},
    "distributed": {"context", "random", "data", "spectrum"},
    "task": BELOW_TASK,
    "plan": {"task", *BELOW_TASK},
    "journal": {"task", "plan", *BELOW_TASK},
    "parallel": {"context", "task", "plan", *BELOW_TASK},
    "results": {"task", "plan", "journal", *BELOW_TASK},
    "cli": {"context", "task", "plan", "journal", "parallel", "results", *BELOW_TASK},
}


def sources(room):
    return sorted((SOURCE / "src" / room).rglob("*.[ch]"))


def public_headers():
    return [SOURCE / "include" / "ridgeless" / f"{name}.h" for name in HEADERS]


def functions_of(room):
    """Names that the room defines for others."""
    definition = re.compile(r"^(?!static|#| )[\w *]*?\b(rl_\w+)\([^;{]*?\) \{", re.M)
    return {name for path in sources(room) if path.suffix == ".c" for name in definition.findall(path.read_text())}


def rooms_of_headers():
    """Of each public header the room that defines what it declares; None for a header that declares no function."""
    defined = {name: room for room in ROOMS for name in functions_of(room)}
    rooms = {}
    for path in public_headers():
        code = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
        found = collections.Counter(defined[name] for name in re.findall(r"\b(rl_\w+)\(", code) if name in defined)
        rooms[path.stem] = path.stem if path.stem in ROOMS else max(found, key=found.get, default=None)
    return rooms


def included(path):
    """The project's own files that a file includes; what the build makes is not among them."""
    folders = [*path.parents[: len(path.relative_to(SOURCE).parts) - 1], SOURCE / "include"]
    names = re.findall(r'^#include "([^"]+)"', path.read_text(), re.M)
    found = (next(((folder / name).resolve() for folder in folders if (folder / name).exists()), None) for name in names)
    return [there for there in found if there]


def circle(includes):
    """Nodes of one circle in a graph, or none: what is left when nodes that include nothing more are taken away."""
    left = {node: set(others) - {node} for node, others in includes.items()}
    while done := {node for node, others in left.items() if not others & left.keys()}:
        left = {node: others for node, others in left.items() if node not in done}
    return sorted(map(str, left))


class Style(unittest.TestCase):
    def matches(self, pattern, paths):
        return [
            f"{path.relative_to(SOURCE)}: {line.strip()}"
            for path in paths
            for line in path.read_text().splitlines()
            if re.search(pattern, line)
        ]

    def test_rooms_and_headers_are_those_of_meson(self):
        self.assertEqual(MAY_SEE.keys() - {"context"}, set(ROOMS))
        self.assertEqual(sorted(public_headers()), sorted((SOURCE / "include" / "ridgeless").glob("*.h")))
        self.assertEqual([name for name, room in rooms_of_headers().items() if room is None and name != "context"], [])

    def test_lower_rooms_never_include_higher_ones(self):
        room_of = rooms_of_headers()
        files = [(path, room) for room in ROOMS for path in sources(room)]
        files += [(path, room_of[path.stem]) for path in public_headers() if path.stem != "context"]
        for path, room in files:
            names = re.findall(r'#include "ridgeless/(\w+)\.h"', path.read_text())
            seen = {"context" if name == "context" else room_of[name] for name in names}
            self.assertLessEqual(seen, MAY_SEE[room] | {room, "core"}, path)

    def test_no_header_includes_itself_by_others(self):
        headers = [*public_headers(), *(SOURCE / "src").rglob("*.h")]
        self.assertEqual(circle({path: included(path) for path in headers}), [])

    def test_no_circle_of_rooms(self):
        public = rooms_of_headers() | {"context": "core"}
        rooms = {room: set() for room in ROOMS}
        for room, path in [(room, path) for room in ROOMS for path in sources(room)]:
            for other in included(path):
                rooms[room].add(
                    public[other.stem] if other.parent.name == "ridgeless" else other.relative_to(SOURCE / "src").parts[0]
                )
        self.assertEqual(circle(rooms), [])

    def test_only_context_distributed_and_parallel_call_mpi(self):
        others = [
            path
            for room in ROOMS
            if room not in ("distributed", "parallel")
            for path in sources(room)
            if path.name not in ("context.c", "launcher.c", "libraries.c", "processors.c")
        ]
        self.assertEqual(self.matches(r"\bMPI_[A-Z]", others), [])

    def test_the_world_is_named_in_context_alone(self):
        paths = [path for room in ROOMS for path in sources(room) if path.name != "context.c"]
        self.assertEqual(self.matches(r"\bMPI_COMM_WORLD", paths), [])

    def test_only_commands_and_the_log_print(self):
        paths = [path for room in ROOMS if room != "cli" for path in sources(room) if path.name not in ("log.c", "context.c")]
        self.assertEqual(self.matches(r"(?<![a-z_n])(printf|fprintf|puts) ?\(", paths), [])

    def test_memory_comes_from_core(self):
        paths = [path for room in ROOMS if room != "core" for path in sources(room)]
        self.assertEqual(self.matches(r"(?<![\w.])(malloc|calloc|realloc) ?\(", paths), [])

    def test_format(self):
        version = re.search(
            r"version (\d+)", subprocess.run(["clang-format", "--version"], check=True, capture_output=True, text=True).stdout
        )[1]
        if version != FORMATTER:
            self.skipTest(
                f"clang-format {version} breaks some lines elsewhere than version {FORMATTER}, by which the sources are "
                "formatted"
            )
        paths = [*public_headers(), *SOURCE.glob("src/**/*.[ch]"), *SOURCE.glob("tests/**/*.[ch]")]
        done = subprocess.run(["clang-format", "--dry-run", "-Werror", *paths], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])

    def test_exported_symbols_carry_the_prefix(self):
        table = subprocess.run(["nm", "--defined-only", "-g", PROGRAM], check=True, capture_output=True, text=True).stdout
        names = [line.split()[-1] for line in table.splitlines() if line.split()[1] == "T"]
        in_sanitizer_builds = {"dlclose"}  # tests/keep_loaded.c
        self.assertEqual(
            [name for name in names if not name.startswith(("rl_", "_", "main")) and name not in in_sanitizer_builds], []
        )

    def scripts(self):
        found = [*SOURCE.glob("jobs/**/*.sh"), *SOURCE.glob("jobs/*.sbatch"), *SOURCE.glob("tests/*.sh"), SOURCE / ".ci" / "run"]
        found += [SOURCE / ".github" / "hooks" / "pre-commit", SOURCE / "src" / "cli" / "completion.bash"]
        self.assertGreaterEqual(len(found), 10)
        return found

    def test_scripts_have_no_syntax_errors(self):
        for script in self.scripts():
            subprocess.run(["bash", "-n", script], check=True)

    @unittest.skipUnless(shutil.which("shellcheck"), "shellcheck is not installed")
    def test_scripts_are_sound(self):
        done = subprocess.run(["shellcheck", "-x", "-P", "SCRIPTDIR", *self.scripts()], capture_output=True, text=True)
        self.assertEqual(done.stdout, "")


if __name__ == "__main__":
    unittest.main()
