"""The blocks of commands of all READMEs and of the man page, in one copy of the tree, in order, as pasted; and who stands in
for what no test can do.

Each block is a shell of its own that begins in the top folder, with what the blocks before it have exported. What a machine
may lack, and what must not be done to it, is played by a few lines of shell that check what they are given. What takes
minutes runs smaller in the short tier, or draws fewer figures, and is as it is with --all."""
import os
import pathlib
import re
import shutil
import stat
import subprocess

import netCDF4

import manual
import tier
from launcher import MPIEXEC
from program import PROGRAM, SOURCE
from source_copy import SourceCopy

FIRST = ["README.md", "jobs/README.md"]  # the others use what these make
PAGE = "src/cli/ridgeless.1"
NO_COMMANDS = {"CHANGELOG.md"}
# Blocks that are a file to add, and no commands: cli/test_additions.py and analysis/test_new_figure.py build or draw with them.
FILES = [("analysis/README.md", "python"), ("src/data/README.md", "c"), ("src/fit/README.md", "c")]
STUDY = {"repeats": "2", "n_train": "[1, 2]", "ablations": "[none]", "datasets": "[diabetes]"}

# On the path before all else. Tested elsewhere: fetching by test_download.py, batch scripts by test_batch_scripts.py and the
# suite `slurm`, the recipes in jobs/site by the suite `style`; building is what made the program under test.
PLAYED = {
    "apt-get": "echo nothing is installed by a test",
    "apt-cache": "echo a package",
    "sudo": 'exec "$@"',
    "install": "cat >/dev/null",  # what install-packages.sh puts into /usr/sbin for a while
    "curl": "exit 7",
    "wget": "exit 7",
    "mpirun": f'exec "{MPIEXEC}" "$@"',
    "ninja": '[ "$1" = -C ] && [ -f "$2/build.ninja" ]',
    "meson": f"""
is_option() {{
  local built_in='^(werror|buildtype|optimization|c_args|b_lundef|b_sanitize)$'
  grep -q "^option('$1'" meson_options.txt || [[ $1 =~ $built_in ]]
}}
setup() {{
  local folder=$1 word
  shift
  for word in "$@"; do
    case $word in
      -D*=*) word=${{word#-D}} && is_option "${{word%%=*}}" || exit 2 ;;
      --prefix=/*) ;;
      *) exit 2 ;;
    esac
  done
  mkdir -p "$folder"/{{src/cli,meson-logs}}
  cp "$PLAYED/ridgeless" "$folder/src/cli/"
  cp "{pathlib.Path(PROGRAM).parents[2]}/mpiexec" "$folder/"
  touch "$folder/build.ninja"
}}
command=$1
shift
[ "$command" != setup ] || {{ setup "$@"; exit; }}
[ "$1" = -C ] && [ -f "$2/build.ninja" ] || exit 2
case $command in
  test) echo '<suite><testcase/></suite>' | tee "$2"/meson-logs/testlog-{{short,all}}.junit.xml >/dev/null ;;
  dist) mkdir -p "$2/meson-dist" ;;
  install) ;;
  *) exit 2 ;;
esac""",
    "sbatch": """
for script; do [[ $script == -* ]] || break; done
bash -n "$script" && grep -q '^#SBATCH --time=' "$script" && grep -q '^#SBATCH --ntasks' "$script" """,
    "spack": '[ "$1" != repo ] || [ -f "$3/repo.yaml" ]',
    "eb": '[ -f "$1" ] && [ -d "${2#--robot=}" ]',
    "module": "true",
    "srun": 'while [[ $1 == --* ]]; do shift; done; exec "$@"',
    "apptainer": """
case $1 in
  build) cp "$3" "$2" ;;
  exec) [ -f "$2" ] && shift 2 && exec "$@" ;;
  run) [ -f "$2" ] && shift 2 && exec ridgeless "$@" ;;
  *) exit 2 ;;
esac""",
    # Into every build folder. test_predictions.py calibrates.
    "ridgeless": f"""
[ "$1 $2" = "bench calibrate" ] || exec "{PROGRAM}" "$@"
while [ "$1" != -o ]; do shift; done
cp "{SOURCE}/tests/fuzz/corpus/rates/default.json" "$2" """,
}
# In place of scripts of the tree, which lie beside them as NAME.whole. Benchmarks are no tests, test_download.py and
# releases.sh need a network.
ALWAYS = {
    "jobs/download-data.sh": """#!/bin/bash
bash "$0.whole" "$@" || [ $? = 1 ] # some files could not be fetched""",
    "tests/releases.sh": """#!/bin/bash
bash -n "$0.whole" && for word; do [[ $word =~ ^(-a|both|root|user|bookworm|trixie)$ ]] || exit 2; done""",
    "tests/bench/run.py": """#!/usr/bin/python3
import pathlib, subprocess, sys
for script in pathlib.Path("tests/bench").glob("*.py*"):
    compile(script.read_text(), script, "exec")
subprocess.run([sys.argv[1], "--version"], check=True)
assert sys.argv[2:] == ["--quick"]""",
}
# test_scaling_script.py tries the options, test_scaling_run.py runs the study, and the suite `analysis` draws every figure.
SHORT = {
    "jobs/scaling.sh": """#!/bin/bash
[ $# -gt 0 ] || exec bash "$0.whole" -p 60
while getopts n:p:g:f:r:o: option; do [ "$option" != '?' ] || exit 2; done
[ "$OPTIND" -gt $# ]""",
}
SMALLER = {
    "jobs/labs/03-load-imbalance/farm.yaml": ("# quick: 4", "# quick: 1"),
    "jobs/polynomial.yaml": ("repeats: 30", "repeats: 3"),
}
# Behind analysis/figures/__init__.py: the short tier draws some of them.
SOME_FIGURES = """
_all_modules = _modules
_modules = lambda: [module for module in _all_modules() if module.__name__ in ("figures.error", "figures.geometry")]
"""


def names():
    """All READMEs, and the man page, in the order in which they are followed."""
    found = {path.relative_to(SOURCE).as_posix() for path in SOURCE.glob("*.md")} - NO_COMMANDS
    for folder in ("jobs", "analysis", "tests", "src", ".github"):
        found.update(path.relative_to(SOURCE).as_posix() for path in (SOURCE / folder).rglob("*.md"))
    hand_outs = {name for name in found if re.match(r"jobs/labs/\d\d-", name)}  # labs/test_labs.py follows them
    return FIRST + sorted(found - {*FIRST} - hand_outs) + [PAGE]


def blocks(name):
    """Line, language and text of each block."""
    text = (SOURCE / name).read_text()
    if name == PAGE:
        yield from ((0, "sh", example) for example in manual.examples(pathlib.Path(name).name))
    for found in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S):
        yield text.count("\n", 0, found.start()) + 1, found[1], found[2]


def block(name, language, word):
    """The block of that language which has the word."""
    found = [text for _, spoken, text in blocks(name) if spoken == language and word in text]
    assert len(found) == 1, f"{len(found)} {language} blocks of {name} have `{word}`"
    return found[0]


def whole_study(text):
    """With the keys that a study needs and the text leaves out."""
    given = re.findall(r"^(\w+):", text, re.M)
    return text + "".join(f"{key}: {value}\n" for key, value in STUDY.items() if key not in given)


def write_tables(at):
    """The tables that the READMEs take for the reader's own."""
    wine = "acid,sugar,quality\n" + "".join(f"{i % 5},{i * i % 11},{i % 3}\n" for i in range(30))
    (at / "wine.csv").write_text(wine)
    houses = "".join(f"{i % 5},{i * i % 11},{'east' if i % 2 else 'west'},{i % 7 or ''}\n" for i in range(60))
    (at / "houses.csv").write_text("rooms,age,side,price\n" + houses)
    with netCDF4.Dataset(at / "spectra.nc", "w") as file:
        file.createDimension("sample", 30)
        file.createDimension("wavelength", 2)
        file.createVariable("absorbance", "f4", ("sample", "wavelength"))[:] = [[i % 5, i * i % 11] for i in range(30)]
        file.createVariable("moisture", "f8", ("sample",))[:] = [i % 3 for i in range(30)]


class Reader:
    """Someone who follows the READMEs below the folder `at`."""

    def __init__(self, at):
        self.at, self.top, self.exported = at, at / "tree", at / "exported"
        copy = SourceCopy(at)
        for path, text in {**ALWAYS, **tier.of(SHORT, {})}.items():
            shutil.move(self.top / path, f"{self.top / path}.whole")
            self.executable(self.top / path, text)
        for path, (old, new) in tier.of(SMALLER, {}).items():
            copy.replace(path, old, new)
        with open(self.top / "analysis" / "figures" / "__init__.py", "a") as file:
            file.write(tier.of(SOME_FIGURES, ""))
        played = at / "played"
        for folder in (played, at / "home"):
            folder.mkdir()
        for name, text in PLAYED.items():
            self.executable(played / name, f"#!/bin/bash\n{text.strip()}\n")
        self.exported.write_text(f"export PATH='{played}':$PATH PLAYED='{played}' HOME='{at}/home' MPLBACKEND=Agg TERM=dumb\n")
        write_tables(self.top)
        shutil.copy(self.top / "jobs" / "first-study.yaml", self.top / "STUDY.yaml")
        subprocess.run(["git", "init", "-q", self.top], check=True)

    @staticmethod
    def executable(path, text):
        path.write_text(text + "\n")
        path.chmod(stat.S_IRWXU)

    def begin_anew(self):
        """As one who has followed no README."""
        for path in self.top.glob("my-study*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def paste(self, language, text):
        """Does what a block of that language says; what is said, and the exit status."""
        if language == "python":
            (self.top / "block.py").write_text(text)
            text = "/usr/bin/python3 block.py"
        elif language == "yaml":
            (self.top / "block.yaml").write_text(whole_study(text))
            text = "ridgeless plan block.yaml"
        script = f"set -eo pipefail\n. '{self.exported}'\ncd '{self.top}'\n{text}\nexport -p >'{self.exported}'\n"
        return subprocess.run(
            ["bash", "-c", script],
            env={name: value for name, value in os.environ.items() if not name.startswith("SLURM_")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=1500,
        )
