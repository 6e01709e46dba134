"""ridgeless-study(5) against the program: each key that the program knows has an entry, with the type, default and range
that the program says, and each example is a study."""
import json
import pathlib
import re
import tempfile
import unittest

import netCDF4

import manual
from program import run

PAGE = "ridgeless-study.5"
ENTRIES = list(manual.entries(PAGE))
FACTS = ["Type", "Default", "Unit", "Range"]
TOP = ("THE STUDY", "LARGE CASES")
STUDY = {
    "repeats": "repeats: 2",
    "n_train": "n_train: [1, 5, 10]",
    "ablations": "ablations: [none]",
    "datasets": "datasets: [diabetes]",
}
PUBLISHED = ("Source california", "Source who", "Source who-fixed")  # tables that may not be here
NUMBER = r"-?\d+\.?\d*(?:e[-+]?\d+)?"


def section(*titles):
    return [entry for entry in ENTRIES if entry.section in titles and entry.key]


def names(kind):
    """Of the sections `Source ...`, `Map ...` or `Ablation ...`."""
    return [entry[len(kind) + 1 :] for entry in dict.fromkeys(e.section for e in ENTRIES) if entry.startswith(kind + " ")]


def is_required(entry):
    return entry.facts["Default"].startswith("none, required")


def with_required(title, *others):
    """The examples of the keys that a mapping of the section must have, and others in place of them or behind them."""
    lines = {entry.key: entry.example for entry in section(title) if is_required(entry)}
    lines.update((line.split(":")[0], line) for line in others)
    return ", ".join(lines.values())


def study(title, line=None):
    """The smallest study that has this line of the section's: a list's entry, a key with its value, or nothing more."""
    kind, _, name = title.partition(" ")
    lines, own = dict(STUDY), [line] if line else []
    if kind == "Ablation":
        lines["ablations"] = f"ablations:\n  {line}"
    elif title == "AUTOENCODERS":
        lines["autoencoders"] = f"autoencoders:\n  - {{{with_required(title, *own)}}}"
    elif line is not None and line.startswith("- "):
        lines["datasets"] = f"datasets:\n  - {{source: diabetes, name: beside}}\n  {line}"
    elif kind == "Source":
        beside = "\n  - {source: diabetes, name: beside}" * (title in PUBLISHED)
        lines["datasets"] = f"datasets:\n  - {{{with_required(title, f'source: {name}', *own)}}}{beside}"
    elif title == "Every data set":
        lines["datasets"] = f"datasets:\n  - {{{with_required(title, *own)}}}"
    elif kind in ("Map", "MAPS"):
        made = line if line and line.startswith("map:") else f"map: {{name: {', '.join([name or 'identity', *own])}}}"
        lines["datasets"] = f"datasets:\n  - {{source: function, name: mapped, n_features: [1], {made}}}"
    elif line is not None:
        lines[line.split(":")[0]] = line
    return "\n".join(lines.values()) + "\n"


def without_value(entry):
    """The example with a word that no key takes for the entry's value."""
    return re.sub(rf"\b({entry.key}: )(\[.*?\]|\{{.*\}}|[^,}}]*)", r"\1zzz", entry.example)


def numbers_alike(text):
    return re.sub(NUMBER, lambda found: repr(float(found[0])), text)


class StudyPage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.at = pathlib.Path(folder.name)
        rows = "".join(f"{i * i % 11},{i % 4},{i % 7}\n" for i in range(60))
        (cls.at / "my-table.csv").write_text("area,rooms,price\n" + rows)
        with netCDF4.Dataset(cls.at / "spectra.nc", "w") as file:
            file.createDimension("sample", 30)
            file.createDimension("wavelength", 3)
            file.createVariable("absorbance", "f8", ("sample", "wavelength"))[:] = [[i % 5, i * i % 11, i % 7] for i in range(30)]
            file.createVariable("moisture", "f8", ("sample",))[:] = [i % 3 for i in range(30)]
            file.createVariable("sample", "i4", ("sample",))[:] = range(30)

    def answer(self, text, *options, command="plan"):
        (self.at / f"{command}.yaml").write_text(text)
        return run(command, f"{command}.yaml", *options, cwd=self.at)

    def refusal(self, text):
        done = self.answer(text)
        self.assertEqual(done.returncode, 2, text)
        return done.stderr

    def expected(self, text):
        return re.search(r"expected (.*)$", self.refusal(text), re.M)[1]

    def keys(self, text):
        """Of a mapping of the program's, by its answer to the key zzz; none where it takes no mapping."""
        found = re.search(r"key `zzz`: not a key here; .*?expected one of (.*)$", self.refusal(text), re.M)
        return set(found[1].split(", ")) if found else set()

    def test_each_entry_states_all_facts_in_order(self):
        self.assertGreater(len(ENTRIES), 90)
        for entry in ENTRIES:
            self.assertIsNotNone(entry.example, entry)
            if entry.key is not None:
                self.assertEqual(list(entry.facts), FACTS, entry)
        self.assertEqual(len({(entry.section, entry.key) for entry in ENTRIES}), len(ENTRIES))

    def test_each_example_is_accepted(self):
        for entry in ENTRIES:
            done = self.answer(study(entry.section, entry.example), *["-k"] * (entry.section in PUBLISHED))
            self.assertEqual(done.returncode, 0, f"{entry.section}: {entry.example}: {done.stderr}")

    def test_merge_keys_are_accepted(self):
        shared, _ = manual.examples(PAGE)
        done = self.answer("repeats: 2\nn_train: [5]\nablations: [none]\n" + shared.replace("\\-", "-"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("many", done.stdout)

    def test_whole_example_is_accepted(self):
        _, whole = manual.examples(PAGE)
        done = self.answer(whole)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("mine", done.stdout)

    def test_keys_are_those_of_the_program(self):
        every = {entry.key for entry in section(*TOP) if "May stand in a data set" in entry.text}
        every |= {entry.key for entry in section("Every data set")}
        lists = self.keys(study(TOP[0], "n_train: {zzz: 1}")) | self.keys(study(TOP[0], "n_features: {zzz: 1}"))
        expected = {TOP: self.keys(study(TOP[0], "zzz: 1")), ("LISTS OF NUMBERS",): lists}
        expected["AUTOENCODERS",] = self.keys(study("AUTOENCODERS", "zzz: 1"))
        for name in names("Source"):
            found = self.keys(study(f"Source {name}", "zzz: 1"))
            self.assertLessEqual(every, found)
            expected[f"Source {name}",] = found - every
        for name in names("Map"):
            expected[f"Map {name}",] = self.keys(study(f"Map {name}", "zzz: 1")) - {"name"}
        for name in names("Ablation"):
            expected[f"Ablation {name}",] = {name} | self.keys(study("Ablation", f"- {name}: {{zzz: 1}}")) - lists
        for titles, keys in expected.items():
            self.assertEqual({entry.key for entry in section(*titles)}, keys, titles)

    def test_sources_maps_and_ablations_are_those_of_the_program(self):
        for kind, text in (("Source", study("Every data set", "source: zzz")), ("Map", study("MAPS", "map: zzz"))):
            self.assertEqual(sorted(names(kind)), sorted(self.expected(text).removeprefix("one of ").split(", ")))
        known = json.loads(run("ablations", "--json", check=0).stdout)["ablations"]
        self.assertEqual(sorted(names("Ablation")), sorted(row["name"] for row in known))

    def test_types_and_ranges_are_those_of_the_program(self):
        held = 0
        for entry in ENTRIES:
            if entry.key is None or not re.match("integer|number|word|flag", entry.facts["Type"]):
                continue
            if entry.facts["Range"].startswith("that of"):
                continue
            expected = self.expected(study(entry.section, without_value(entry)))
            kind, limits = self.type_and_range(expected)
            self.assertTrue(entry.facts["Type"].startswith(kind), f"{entry}: {expected}")
            told = numbers_alike(entry.facts["Range"].split(";")[0])
            self.assertEqual(sorted(told.split(", ")), sorted(numbers_alike(limits).split(", ")), f"{entry}: {expected}")
            held += 1
        self.assertGreater(held, 60)

    @staticmethod
    def type_and_range(expected):
        """As the page has them, of what the program says that it expected."""
        if expected == "true or false":
            return "flag", "true, false"
        if expected.startswith("one of "):
            return "word", expected.removeprefix("one of ")
        kind, limits = re.match(r"an? (integer|number)([^(,]*)", expected).groups()
        for words, plain in ((" from ", ""), (" >= ", "at least "), (" > ", "more than "), (" and <= ", ", at most ")):
            limits = limits.replace(words, plain)
        return kind, limits.strip() or "any"

    def test_what_is_required_is_missed(self):
        missed = 0
        for entry in ENTRIES:
            if entry.key is None or not is_required(entry) or entry.section.startswith("Ablation"):
                continue
            text = study(entry.section, "map: {bias: 0.5}" if entry.section == "MAPS" else None)
            left = re.sub(rf"^{entry.key}: .*\n|(?<=[{{ ]){entry.key}: (\[[^]]*\]|\w*)[^,}}]*(, )?", "", text, flags=re.M)
            self.assertRegex(self.refusal(left), f"`{entry.key}`: missing")
            missed += 1
        self.assertGreater(missed, 12)

    def test_defaults_are_those_of_the_program(self):
        """The results file's settings name all options with their values; required ones are given here alone."""
        sources = [name for name in names("Source") if section(f"Source {name}") or name == "diabetes"]
        data = [f"{{{with_required(f'Source {name}', f'source: {name}')}}}" for name in sources]
        data += [f"{{source: function, name: {name}, n_features: [1], map: {name}}}" for name in names("Map")]
        entries = {name: section(f"Ablation {name}") for name in names("Ablation")}
        alone = {name for name, [first, *_] in entries.items() if first.facts["Type"] == "name alone"}
        optional = [name if name in alone else f"{name}: 1" for name, found in entries.items() if len(found) > 1]
        lines = STUDY | {"repeats": "repeats: 1", "n_train": "n_train: [5]"}
        lines["ablations"] = f"ablations: [{', '.join(optional)}]"
        lines["datasets"] = "datasets:\n" + "".join(f"  - {entry}\n" for entry in data)
        lines["autoencoders"] = f"autoencoders:\n  - {{{with_required('AUTOENCODERS', 'n_train: 2', 'steps: 5')}}}"
        done = self.answer("\n".join(lines.values()), "-q", "--skip-missing", command="run")
        self.assertEqual(done.returncode, 0, done.stderr)
        with netCDF4.Dataset(self.at / "run.nc") as file:
            settings = self.settings(file.settings)
        in_words, held = [], 0
        for entry in ENTRIES:
            if entry.key is None or is_required(entry) or not re.match("integer|number|word|flag", entry.facts["Type"]):
                continue
            kind, _, name = entry.section.partition(" ")
            prefix = {"Source": name + "/", "Map": f"{name}/map/", "AUTOENCODERS": "autoencoder/", "Ablation": f"{name} "}
            default = entry.facts["Default"]
            for place in (prefix.get(kind, "") + entry.key, "diabetes/" * (entry.section in TOP) + entry.key):
                if place not in settings:
                    continue
                if entry.facts["Type"].startswith(("integer", "number")) and not re.fullmatch(NUMBER, default):
                    in_words.append(entry.key)
                else:
                    self.assertEqual(numbers_alike(default), numbers_alike(settings[place]), entry)
                    held += 1
                break
        self.assertEqual(in_words, ["singular_values", "full_spectra", "record_every"])
        self.assertGreater(held, 40)

    @staticmethod
    def settings(text):
        """Values by key; of an ablation's option by `ablation option`."""
        found = {}
        for line in text.splitlines():
            key, _, value = line.partition(": ")
            if key.endswith("/variant"):
                name, *words = value.split(" ")
                options = (word.split("=") for word in words if "=" in word)
                found.update((f"{name} {option}", given.strip('"')) for option, given in options)
            else:
                found[key] = value.strip('"')
        return found


if __name__ == "__main__":
    unittest.main()
