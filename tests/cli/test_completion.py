"""Completion in bash: what is offered for each word is what the program's help lists, and files of the right kind."""
import pathlib
import re
import subprocess
import tempfile
import unittest

from program import PROGRAM, SOURCE, commands, run

SCRIPT = SOURCE / "src" / "cli" / "completion.bash"
# bash gives a function the command, the word and the one before it; the words stand in an array.
ASK = """source "$1"; program=$2; shift 2
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_ridgeless "$program" "${@: -1}" "${@: -2:1}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


class Completion(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.at = pathlib.Path(folder.name)
        study = "repeats: 1\nn_train: [5]\nablations: none\ndatasets: [diabetes, {source: sphere, name: round}]\n"
        (cls.at / "study.yaml").write_text(study)
        for name in ("two words.yml", "results.nc", "table.csv"):
            (cls.at / name).write_text("")
        (cls.at / "folder").mkdir()

    def offered(self, *words):
        """What is offered for the last word."""
        command = ["bash", "-c", ASK, "bash", SCRIPT, PROGRAM, "ridgeless", *words]
        done = subprocess.run(command, cwd=self.at, capture_output=True, text=True, check=True)
        self.assertEqual(done.stderr, "")
        return set(done.stdout.splitlines()) - {""}

    def test_commands(self):
        names = set(commands())
        self.assertLessEqual({"init", "run", "plan", "status", "show", "ablations"}, names)
        self.assertEqual(self.offered(""), names | {"--help", "--version"})
        self.assertEqual(self.offered("pla"), {"plan"})
        for name in names:
            options = set(re.findall(r"^  -\w, (--[\w-]+)", run(name, "--help", check=0).stdout, re.M))
            self.assertIn("--help", options)
            self.assertEqual(self.offered(name, "--"), options)

    def test_arguments(self):
        self.assertEqual(self.offered("run", ""), {"study.yaml", "two words.yml", "folder"})
        self.assertEqual(self.offered("plan", "--quiet", "s"), {"study.yaml"})
        self.assertEqual(self.offered("plan", "two\\ w"), {"two words.yml"})  # as bash has it where it completed a part
        self.assertEqual(self.offered("show", ""), {"results.nc", "folder"})
        self.assertEqual(
            self.offered("bench", ""), {"study", "spectrum", "layout", "autoencoder", "calibrate", "reduce", "random"}
        )
        self.assertEqual(self.offered("bench", "study", ""), {"study.yaml", "two words.yml", "folder"})
        self.assertEqual(self.offered("bench", "calibrate", ""), set())
        self.assertEqual(self.offered("datasets", ""), set())
        self.assertEqual(self.offered("nonsense", ""), set())

    def test_values(self):
        self.assertEqual(self.offered("run", "--schedule", ""), {"dynamic", "static", "cyclic"})
        self.assertEqual(self.offered("run", "--schedule", "="), {"dynamic", "static", "cyclic"})
        self.assertEqual(self.offered("run", "--schedule", "=", "s"), {"static"})
        self.assertEqual(self.offered("run", "--order", ""), {"given", "costly-first", "cheap-first"})
        self.assertEqual(self.offered("bench", "spectrum", "9", "--producer", "p"), {"pdgesvd", "projected"})
        self.assertEqual(self.offered("run", "study.yaml", "--dataset", ""), {"diabetes", "round"})
        self.assertEqual(self.offered("run", "--data", ""), {"folder"})
        self.assertEqual(self.offered("init", "--csv", "t"), {"table.csv", "two words.yml"})


if __name__ == "__main__":
    unittest.main()
