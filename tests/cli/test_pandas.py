"""Random messy tables of text: the numbers that the program reads are those of pandas.read_csv with the same options, bit for
bit, or it refuses in one line that names file and row or column. Never others.

$RIDGELESS_TEST_SEED takes other tables."""
import io
import os
import pathlib
import random
import re
import subprocess
import tempfile
import unittest

import numpy as np
import pandas as pd
import yaml

import tier

N_TABLES = tier.of(200, 2000)
SEED = int(os.environ.get("RIDGELESS_TEST_SEED", 0))
DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|", "space": " "}
THOUSANDS = {"none": None, "comma": ",", "point": ".", "apostrophe": "'", "underscore": "_"}
MISSING = ["", "NA", "NaN", "null", "N/A", "#N/A", "<NA>", "n/a", "nan", "-nan", "NULL", "-1.#IND"]
OWN = [["-9999"], ["unknown", "-"], ["-9999", "gone"], ["999.5"], ["#miss"]]
BLANKS = [" ", "\u00a0", "  ", "\t", "\u2009", "\n"]


class Table:
    """One table: its text, the study's keys, and what pandas is told."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.keys = {}
        self.has_word = False
        self.pandas = {"float_precision": "round_trip", "skipinitialspace": True, "encoding": "utf-8", "index_col": False}
        self.choose_format()
        self.names = self.choose_names(self.chance.randint(2, 6))
        self.text = self.write()

    def maybe(self, share):
        return self.chance.random() < share

    def choose_format(self):
        of = self.chance
        self.delimiter = of.choice(list(DELIMITERS))
        self.decimal = "comma" if self.maybe(0.25) else "point"
        same = {"comma": "comma", "point": "point"}[self.decimal]
        self.thousands = of.choice([t for t in THOUSANDS if t != same]) if self.maybe(0.25) else "none"
        self.comment = of.choice("#%") if self.maybe(0.2) else None
        self.own = of.choice(OWN) if self.maybe(0.3) else []
        if self.comment and any(self.comment in word for word in self.own):
            self.comment = None
        self.header = self.maybe(0.85)
        self.end = of.choice(["\n", "\n", "\r\n", "\r"])
        self.skip = of.randint(1, 3) if self.maybe(0.15) else 0
        self.trailing = self.delimiter != "space" and self.maybe(0.1)
        self.index = self.maybe(0.15)
        self.texts = self.maybe(0.3)
        for key, value, usual in (
            ("delimiter", self.delimiter, "comma"),
            ("decimal", self.decimal, "point"),
            ("thousands", self.thousands, "none"),
            ("comment", self.comment, None),
            ("missing", self.own, []),
            ("header", self.header, True),
            ("skip", self.skip, 0),
        ):
            if value != usual:
                self.keys[key] = value
        if self.delimiter == "space":
            self.pandas["delim_whitespace"] = True
            del self.pandas["skipinitialspace"]
        else:
            self.pandas["sep"] = DELIMITERS[self.delimiter]
        self.pandas.update(
            decimal="," if self.decimal == "comma" else ".",
            thousands=THOUSANDS[self.thousands],
            comment=self.comment,
            na_values=[*self.own, "?", "None"],
            header=0 if self.header else None,
            skiprows=self.skip,
        )

    def choose_names(self, n):
        """Of the features and the target, and perhaps of others between them."""
        of = self.chance
        names = [of.choice(["x", "länge", "Adult Mort", "a.b", "%s", "x y"]) + str(j) for j in range(n)]
        self.target = "y"
        if self.maybe(0.1) and n > 2:
            names[0] = names[1]  # twice
        names.insert(of.randint(0, n), "y")
        if self.texts:
            names.insert(of.randint(0, n), "note")
        if self.index:
            names.insert(0, "")
        return names

    def number(self):
        of = self.chance
        kind = of.randint(0, 5)
        if kind == 0:
            return of.choice(["0", "-0", "1e3", "1E-3", "+7", "5e-324", "1.7976931348623157e308", "0.1", "1.", ".5", "-.25"])
        if kind == 1:
            return str(of.randint(-(10**9), 10**9))
        if kind == 2:
            return repr(of.uniform(-1, 1) * 10 ** of.randint(-300, 300))
        if kind == 3:  # pandas takes 2^63 and more for text where marks are not the usual ones
            plain = self.decimal == "point" and self.thousands == "none"
            return self.digits(of.randint(1, 40 if plain else 18)) + "." + self.digits(of.randint(0, 40))
        return f"{of.uniform(-2000000, 2000000):.{of.randint(0, 12)}f}"

    def digits(self, n):
        return "".join(self.chance.choice("0123456789") for _ in range(n))

    def marked(self, text):
        """The number with the table's marks."""
        if self.thousands != "none" and self.maybe(0.5):
            found = re.fullmatch(r"([-+]?)([1-9]\d{3,14})(\.\d*)?", text)
            if found:
                text = found[1] + f"{int(found[2]):,}".replace(",", "\0") + (found[3] or "")
        text = text.replace(".", "," if self.decimal == "comma" else ".")
        return text.replace("\0", THOUSANDS[self.thousands] or "")

    def cell(self):
        """A text in a row without missing values alone: in another one it is read by pandas, but not by the program."""
        self.has_word = self.maybe(0.06)
        if self.has_word:
            self.has_missing = True
            words = [*MISSING, *self.own, "?", "None"]
            if self.comment:
                words = [word for word in words if self.comment not in word]
            word = self.chance.choice(words)
            if word == "-9999" and self.maybe(0.5):
                word = self.marked("-9999.0")
            return word
        if self.maybe(0.004):
            self.has_text = True
            return self.chance.choice(["x", "\u22121.5", "1,2,3", "1.2.3", "0x10", "1;5", "--1", "12 kg", "\uff11", "1e"])
        return self.marked(self.number())

    def quoted(self, text):
        """As the table needs it, or for nothing."""
        special = (DELIMITERS[self.delimiter], '"', "\n", "\r", " ", "\t", self.comment or "\n")
        if any(s in text for s in special) or (text == "" and self.delimiter == "space") or self.maybe(0.05):
            return '"' + text.replace('"', '""') + '"'
        return text

    def padded(self, text):
        if self.delimiter in ("space", "tab") or not self.maybe(0.1):
            return text
        return "  " + text if self.has_word else " " + text + " "  # as before comments

    def note(self):
        of = self.chance
        word = of.choice(["pipe", "a, b", 'say "hi"', "zwei\nZeilen", "é", "", "NA", "it's", "2; 3", "# 5"])
        return '5" pipe' if word == "pipe" and self.delimiter != "space" else word

    def line(self, cells):
        sep = DELIMITERS[self.delimiter]
        if self.delimiter == "space":
            sep = self.chance.choice([" ", "  ", "\t", " \t"])
        text = sep.join(cells) + (sep if self.trailing else "")
        if self.comment and not self.has_word and self.maybe(0.1):  # pandas knows no missing value before a blank
            text += f" {self.comment} of note"
        return text + self.end

    def row(self, i):
        self.has_missing = self.has_text = False
        for name in self.names:
            if name == "note":
                note = self.note()
                yield note if note == '5" pipe' else self.quoted(note)
            elif name == "":
                yield str(i)
            else:
                yield self.padded(self.quoted(self.cell()))

    def rows(self, n):
        for i in range(n):
            cells = list(self.row(i))
            while self.has_missing and self.has_text:
                cells = list(self.row(i))
            yield cells

    def write(self):
        of, lines = self.chance, []
        lines += [of.choice(["A table", "made by us, 2024", '5" pipes', ""]) + self.end for _ in range(self.skip)]
        if self.comment and self.maybe(0.5):
            lines.append(f"{self.comment} made, by; us{self.end}")
        if self.header:
            lines.append(self.line([self.quoted(self.blanked(name)) for name in self.names]))
        for cells in self.rows(of.randint(3, 30)):
            lines.append(self.line(cells))
            if self.maybe(0.05):
                lines.append(of.choice(["", "   "]) + self.end)
            if self.comment and self.maybe(0.05):
                lines.append(f"{self.comment} 1{self.end}")
        text = "".join(lines)
        if self.maybe(0.05) and text.count(self.end) > 6:  # a row that is cut short or has too much
            text = text.rstrip(self.end) + of.choice([DELIMITERS[self.delimiter] + "1", ""]) + self.end
        if self.maybe(0.3):
            text = text[: len(text) - len(self.end)]
        return ("\ufeff" if self.maybe(0.15) and not self.skip else "") + text

    def blanked(self, name):
        """White space of another kind in a name."""
        if self.delimiter == "space" or not self.maybe(0.3):
            return name
        return name.replace(" ", self.chance.choice(BLANKS))

    def columns(self):
        """The numbers of the features and of the target, from 0."""
        target = self.names.index("y")
        left_out = {target} | {j for j, name in enumerate(self.names) if name == "note"}
        if self.index:
            left_out.add(0)
        return [j for j in range(len(self.names)) if j not in left_out], target

    def study(self, file):
        features, target = self.columns()
        others = [j for j in range(len(self.names)) if j not in features and j != target]
        keys = {"source": "csv", "name": "t", "file": file, "target": "y" if self.header else target + 1, **self.keys}
        if others and self.maybe(0.5):
            keys["except"] = [str(j + 1) for j in others]
        elif others or self.maybe(0.3):
            keys["features"] = [str(j + 1) for j in features]
            spans = [f"{features[0] + 1}-{features[-1] + 1}"]
            if features[-1] - features[0] == len(features) - 1 and self.maybe(0.5):
                keys["features"] = spans
        study = {"repeats": 1, "n_train": [1], "ablations": ["none"], "datasets": [keys]}
        return yaml.safe_dump(study, allow_unicode=True)

    def expected(self):
        """[rows, features and target] as pandas has them; None where it does not read the table, or reads text."""
        text = self.text.replace("\r\n", "\n").replace("\r", "\n").encode()  # pandas fails at some of \r alone
        try:
            read = pd.read_csv(io.BytesIO(text), **self.pandas)
        except (ValueError, pd.errors.ParserError):
            return None
        features, target = self.columns()
        chosen = read.iloc[:, [*features, target]].dropna()
        try:
            return chosen.to_numpy(dtype=float)
        except ValueError:
            return None


def answers(program, folder, tables):
    for i, table in enumerate(tables):
        (folder / f"{i}.csv").write_bytes(table.text.encode())
        (folder / f"{i}.yaml").write_text(table.study(f"{i}.csv"))
    asked = "".join(f"{i}.yaml\n" for i in range(len(tables)))
    done = subprocess.run([program], input=asked, cwd=folder, capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return done.stdout.splitlines()


def numbers_of(answer):
    rows, features, dropped, *numbers = answer.split(" ")
    values = np.array([float.fromhex(n) for n in numbers]).reshape(int(rows), int(features) + 1)
    return values, int(dropped)


class AsPandas(unittest.TestCase):
    def test_random_tables(self):
        tables = [Table(1000000 * SEED + i) for i in range(N_TABLES)]
        read = refused = 0
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            told = answers(os.environ["RIDGELESS_ANSWER_TABLES"], folder, tables)
            self.assertEqual(len(told), len(tables))
            for i, (table, answer) in enumerate(zip(tables, told)):
                with self.subTest(seed=1000000 * SEED + i):
                    same = self.check(table, answer)
                    read += same
                    refused += not same
        print(f"# {read} tables read as by pandas, {refused} refused")
        self.assertGreater(read, 0.6 * len(tables))
        self.assertGreater(refused, 0.02 * len(tables))

    def check(self, table, answer):
        """True: the same numbers; False: refused in one line that says where."""
        shown = f"{answer[:300]}\n{table.keys}\n{table.text!r}"
        expected = table.expected()
        if not re.match(r"\d+ \d+ \d+ ", answer):
            self.assertRegex(answer, r"\.csv(:\d+)?: |key `", shown)
            return False
        self.assertIsNotNone(expected, shown)
        values, _ = numbers_of(answer)
        self.assertEqual(values.shape, expected.shape, shown)
        self.assertEqual((values + 0.0).tobytes(), (expected + 0.0).tobytes(), shown)
        return True


if __name__ == "__main__":
    unittest.main()
