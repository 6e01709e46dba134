"""Aliases and merge keys in study files, held against PyYAML: a study that uses them is the study that PyYAML reads."""
import json
import pathlib
import random
import tempfile
import unittest

import yaml

from program import run

HEAD = "repeats: 2\nn_train: [3, 5]\nablations: [none]\n"
OPTIONS = {"rows": (30, 60), "features": (3, 6), "hidden_features": (7, 9), "noise": (0, 3), "n_train": (2, 9)}


def pairs_of(dice):
    """Some options of a data set, in any order."""
    keys = dice.sample(sorted(OPTIONS), dice.randint(0, len(OPTIONS)))
    return [f"{key}: {dice.randint(*OPTIONS[key])}" for key in keys]


def study_of(dice):
    """A study whose data sets take from mappings that are named before them, which take from one another."""
    lines, names = [HEAD], []
    for i in range(dice.randint(1, 4)):
        lines.append(f"x-{i}: &m{i} {{{', '.join(shuffled(dice, [*pairs_of(dice), *merges_of(dice, names)]))}}}\n")
        names.append(f"*m{i}")
    lines.append("datasets:\n")
    for i in range(dice.randint(1, 4)):
        own = ["source: student-teacher", f"name: d{i}", "features: 4", "hidden_features: 8", *merges_of(dice, names)]
        pairs = shuffled(dice, own)
        lines.append(f"  - {{{', '.join(pairs)}}}\n" if dice.random() < 0.5 else "  - " + "\n    ".join(pairs) + "\n")
    return "".join(lines)


def merges_of(dice, names):
    if not names or dice.random() < 0.2:
        return []
    chosen = dice.sample(names, dice.randint(1, len(names)))
    return [f"<<: {chosen[0]}" if len(chosen) == 1 else f"<<: [{', '.join(chosen)}]"]


def shuffled(dice, items):
    return dice.sample(items, len(items))


class Yaml(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.at = pathlib.Path(folder.name)

    def plan_of(self, text):
        (self.at / "study.yaml").write_text(text)
        return json.loads(run("plan", "study.yaml", "--json", cwd=self.at, check=0).stdout)

    def test_merge_keys(self):
        for seed in range(40):
            text = study_of(random.Random(seed))
            with self.subTest(text):
                read = yaml.safe_load(text)
                whole = {key: value for key, value in read.items() if not key.startswith("x-")}
                self.assertEqual(self.plan_of(text), self.plan_of(json.dumps(whole)))

    def test_errors_name_the_line_of_what_was_merged(self):
        text = HEAD + "datasets:\n  - &one {source: student-teacher,\n     rows: 4.5}\n  - {<<: *one, name: two, rows: 40}\n"
        (self.at / "study.yaml").write_text(text)
        self.assertIn("study.yaml:6: key `rows`: got `4.5`", run("plan", "study.yaml", cwd=self.at, check=2).stderr)

    def test_words_that_other_readers_take_for_something_else(self):
        """`no` and `on` are names here, and 1_000 and 0o10 are no numbers; each is said in one line."""
        dataset = "datasets: [{source: student-teacher, rows: 40, features: 4, hidden_features: 5, name: NAME}]\n"
        for name in ("no", "on", "y", "off", "0x1f", "1_0"):
            self.assertEqual(self.plan_of(HEAD + dataset.replace("NAME", name))["datasets"][0]["name"], name)
        wrong = {
            "rows: 40": ("rows: 1_000", "rows: 0o50", "rows: 4e1", "rows: 40.0", "rows: yes"),
            "name: NAME": ("name: ~", "name: null", "name: NULL", "name:", "name: !mine x"),
        }
        for right, others in wrong.items():
            for other in others:
                with self.subTest(other):
                    (self.at / "study.yaml").write_text(HEAD + dataset.replace(right, other).replace("NAME", "x"))
                    said = run("plan", "study.yaml", cwd=self.at, check=2).stderr
                    self.assertRegex(said, r"^ridgeless: study.yaml:4:[^\n]*\n$")

    def test_documents(self):
        study = HEAD + "datasets: [diabetes]\n"
        for text in (f"---\n{study}", f"%YAML 1.1\n---\n{study}...\n", f"\ufeff{study}", study.replace("\n", "\r\n")):
            self.assertEqual(self.plan_of(text)["datasets"][0]["name"], "diabetes")
        for text, line in ((f"{study}---\n{study}", 5), (f"{study}...\n{study}", 6), (f"--- {{}}\n---\n{study}", 2)):
            (self.at / "study.yaml").write_text(text)
            said = run("plan", "study.yaml", cwd=self.at, check=2).stderr
            self.assertRegex(said, rf"^ridgeless: study.yaml:{line}:[^\n]*\n$")


if __name__ == "__main__":
    unittest.main()
