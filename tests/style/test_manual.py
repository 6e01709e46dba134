"""The man pages: no warnings, the sections that a stranger looks for, and every command, option and variable of the environment.
Study files and results files are held by cli/test_study_page.py and cli/test_results_file.py."""
import os
import re
import subprocess
import unittest

import manual
from program import SOURCE, commands

PAGES = ("ridgeless.1", "ridgeless-study.5", "ridgeless-results.5")
SECTIONS = ["NAME", "SYNOPSIS", "DESCRIPTION", "WORDS", "COMMANDS", "OPTIONS", "EXIT STATUS", "FILES", "ENVIRONMENT", "EXAMPLES"]
WORDS = {"cell", "curve", "spectrum", "variant", "repeat", "threshold", "rank", "journal"}


def section(title):
    return re.search(rf"^\.SH {title}\n(.*?)(?=^\.SH|\Z)", manual.source("ridgeless.1"), re.M | re.S)[1]


class Manual(unittest.TestCase):
    def test_pages_have_no_warnings(self):
        for page in PAGES:
            command = ["man", "--warnings", "-l", SOURCE / "src" / "cli" / page]
            done = subprocess.run(command, env={**os.environ, "MANWIDTH": "100"}, capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn(page.partition(".")[0].upper(), done.stdout)

    def test_sections_are_those_that_a_stranger_looks_for(self):
        found = re.findall(r"^\.SH (.*)", manual.source("ridgeless.1"), re.M)
        self.assertEqual(found[: len(SECTIONS)], SECTIONS)
        self.assertEqual(found[-1], "SEE ALSO")

    def test_words_are_explained(self):
        self.assertLessEqual(WORDS, set(re.findall(r"^\.TP\n\.B (\w+)", section("WORDS"), re.M)))

    def test_each_command_has_a_paragraph(self):
        self.assertGreaterEqual(len(commands()), 8)
        paragraphs = [manual.plain(line) for line in re.findall(r"^\.TP\n(.*)", section("COMMANDS"), re.M)]
        self.assertEqual(set(commands()), {line.split()[0] for line in paragraphs})

    def test_options_are_those_of_the_program(self):
        table = (SOURCE / "src" / "cli" / "options.c").read_text()
        options = set(re.findall(r"\{'\w', \"([\w-]+)\"", table))
        tags = " ".join(re.findall(r"^\.TP\n(.*)", section("OPTIONS"), re.M))
        self.assertEqual(set(re.findall(r"--([\w-]+)", tags)), options)

    def test_each_variable_of_the_environment_is_in_the_page(self):
        names = {name for path in (SOURCE / "src").rglob("*.c") for name in re.findall(r'"(RIDGELESS_\w+)"', path.read_text())}
        self.assertEqual(names, set(re.findall(r"RIDGELESS_\w+", section("ENVIRONMENT"))))


if __name__ == "__main__":
    unittest.main()
