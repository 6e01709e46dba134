"""The habits of the house that hold for files of every kind: opening lines, length of functions, lists of sources, the format
of Python, documents that name all files, and words that are explained."""
import ast
import io
import re
import subprocess
import tokenize
import unittest

from program import SOURCE

BLACK, FLAKE8 = "23", "5"  # the versions by which the Python here is formatted and checked
LONGEST_FUNCTION = 60
MARKDOWN_COLUMNS = 120
FIRST_PAGE_LINES, FIRST_PAGE_COLUMNS = 150, 100
C_FOLDERS = ("src", "include", "tests")
PYTHON_FOLDERS = ("analysis", "tests")
ANALYSIS = ("read", "draw", "speed", "figures", "report")  # lowest first
# Words of public names that mean here what they mean to every programmer or statistician.
PLAIN_WORDS = set(
    """adamw autoencoder bits buckets buffers context cost costs count dataset done errors expectation function histogram
    key kind layout log map message mt19937 need option options path population problem range rates request rows schedule
    settings source sparse stop store stream status table text visitor work""".split()
)
# What is counted, the word "a", and what it is counted by: there the house says "per".
COUNTED = "bytes|flops|[GM]i?B|memory|numbers?|ranks?|rows?|threads?|spectra|curves?|lines?|bars?|records?|seconds|work"
COUNTED_BY = "rank|case|repeat|curve|node|second|line|bar|task|spectrum|data ?set|training|core"
DISTRIBUTIVE = re.compile(rf"(?<!of )\b({COUNTED}) an? ({COUNTED_BY})\b(?! (was|were|is|has|can|may)\b)")


def files(pattern, *folders):
    return sorted(path for folder in folders for path in (SOURCE / folder).rglob(pattern) if "crashes" not in path.parts)


def c_files():
    return files("*.[ch]", *C_FOLDERS)


def python_files():
    return files("*.py", *PYTHON_FOLDERS)


def documents():
    return sorted({*SOURCE.glob("*.md"), *files("*.md", "src", "jobs", "analysis", "tests", ".github")})


def rows_of(path, heading):
    """The cells of the first table below a heading, without the rule."""
    section = (SOURCE / path).read_text().split(f"{heading}\n")[1].split("\n## ")[0]
    return [re.split(r"(?<!\\) \| ", line.strip("| ")) for line in section.splitlines() if line.startswith("| ")]


def place(path, line):
    return f"{path.relative_to(SOURCE)}:{line}"


def c_functions(text):
    """First line and number of lines of each function that a formatted C file defines."""
    definition = re.compile(r"^[a-zA-Z_](?:(?!;|\{$|^\}).)*?\) \{\n.*?^\}", re.M | re.S)
    for found in definition.finditer(text):
        yield text.count("\n", 0, found.start()) + 1, found[0].count("\n") + 1


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.lineno, node.end_lineno - node.lineno + 1


def remarks(path):
    """Line and text of each comment, docstring or document, the lines of a comment put together."""
    text = path.read_text(errors="replace")
    if path.suffix in (".c", ".h"):
        found = [(text.count("\n", 0, m.start()) + 1, m[0]) for m in re.finditer(r"/\*.*?\*/", text, re.S)]
    elif path.suffix == ".py":
        tokens = tokenize.generate_tokens(io.StringIO(text).readline)
        found = [
            (t.start[0], t.string)
            for t in tokens
            if t.type == tokenize.COMMENT or t.type == tokenize.STRING and t.string.startswith('"""')
        ]
    elif path.suffix == ".md":
        found = [(1, text)]
    else:
        found = [(i, line) for i, line in enumerate(text.splitlines(), 1) if re.match(r"\s*#", line)]
    return [(line, re.sub(r"\s*\n[\s*#]*", " ", words)) for line, words in found]


class Files(unittest.TestCase):
    maxDiff = None

    def test_files_open_with_a_line_that_says_what_they_are(self):
        opening = {
            "*.[ch]": r"/\* ?[^\s-]",
            "*.py": r'(#!.*\n)?(#.*\n)*"""\S',
            "*.sh": r"#!.*\n# ?\S",
            "*.sbatch": r"#!.*\n# ?\S",
        }
        wrong = [
            place(path, 1)
            for pattern, start in opening.items()
            for path in files(pattern, *C_FOLDERS, "analysis", "jobs")
            if path.name != "package.py" and not re.match(start, path.read_text())
        ]
        self.assertEqual(wrong, [])

    def test_functions_fit_on_a_page(self):
        long = [
            place(path, line) for path in c_files() for line, length in c_functions(path.read_text()) if length > LONGEST_FUNCTION
        ]
        long += [
            place(path, line)
            for path in python_files()
            for line, length in python_functions(path.read_text())
            if length > LONGEST_FUNCTION
        ]
        self.assertEqual(long, [])

    def test_sources_stand_one_per_line_and_sorted(self):
        for path in files("meson.build", "src", "include", "tests"):
            text = path.read_text()
            self.assertEqual(re.findall(r".*\.c', *'.*\.c'.*", text), [], path)
            for run in re.findall(r"(?:^\s*'[\w/]+\.c',\n)+", text, re.M):
                names = re.findall(r"'(.*)'", run)
                self.assertEqual(names, sorted(names), path)

    def test_what_things_are_counted_by_is_said_with_per(self):
        paths = [*c_files(), *python_files(), *documents(), *files("*.sh", "jobs", "tests"), *files("*.sbatch", "jobs")]
        found = [
            f"{place(path, line)}: {match[0]}"
            for path in paths
            for line, words in remarks(path)
            for match in DISTRIBUTIVE.finditer(words)
        ]
        self.assertEqual(found, [])


class Python(unittest.TestCase):
    maxDiff = None

    def test_folders_of_analysis_use_those_below_alone(self):
        for i, folder in enumerate(ANALYSIS):
            for path in files("*.py", f"analysis/{folder}"):
                text = re.sub(r"^if TYPE_CHECKING:\n(?:(?: .*)?\n)*", "", path.read_text(), flags=re.M)
                used = set(re.findall(r"^ *(?:from|import) (\w+)", text, re.M)) & {*ANALYSIS}
                self.assertLessEqual(used, {*ANALYSIS[: i + 1]}, path)

    def tool(self, name, version):
        """The command, where that version is installed."""
        command = ["/usr/bin/python3", "-m", name]
        said = subprocess.run([*command, "--version"], capture_output=True, text=True).stdout
        found = re.search(r"\d+", said)
        if found is None or found[0] != version:
            self.skipTest(f"{name} {version} is not installed: by it the Python here is checked")
        return command

    def test_format(self):
        black = self.tool("black", BLACK)
        for folder in PYTHON_FOLDERS:  # one by one: each has its pyproject.toml
            done = subprocess.run([*black, "--check", folder], cwd=SOURCE, capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_lint(self):
        done = subprocess.run([*self.tool("flake8", FLAKE8), *PYTHON_FOLDERS], cwd=SOURCE, capture_output=True, text=True)
        self.assertEqual(done.stdout + done.stderr, "")


class Documents(unittest.TestCase):
    maxDiff = None

    def test_lines_are_short(self):
        """But for tables, pictures and links."""
        long = [
            place(path, i)
            for path in documents()
            for i, line in enumerate(path.read_text().splitlines(), 1)
            if len(line) > MARKDOWN_COLUMNS and not line.startswith("|") and "](" not in line and "://" not in line
        ]
        self.assertEqual(long, [])

    def test_first_page_is_short(self):
        lines = (SOURCE / "README.md").read_text().splitlines()
        self.assertLessEqual(len(lines), FIRST_PAGE_LINES)
        long = [line for line in lines if len(line) > FIRST_PAGE_COLUMNS and not line.startswith("|") and "](" not in line]
        self.assertEqual(long, [])

    def test_first_page_has_one_sentence_per_line(self):
        """In text: not in headings, tables and blocks of commands."""
        text = re.sub(r"^```.*?^```$", "", (SOURCE / "README.md").read_text(), flags=re.M | re.S)
        lines = [line for line in text.splitlines() if line and line[0] not in "#|"]
        self.assertGreater(len(lines), 40)
        self.assertEqual([line for line in lines if re.search(r"[.?!][*)\"]* +[*(\"\[`]*[A-Z]", line)], [])

    def test_each_promise_names_its_tests(self):
        """The table of what is kept, row by row."""
        promised, held = (rows_of(path, "## Nothing finished is lost") for path in ("src/journal/README.md", "tests/README.md"))
        self.assertEqual([row[0] for row in held], [row[0] for row in promised])
        for event, tests in held[1:]:
            self.assertRegex(tests, r"`\w+/test_\w+\.py`: `test_", event)
            for part in tests.split("; "):
                path, names = part.split(": ")
                source = (SOURCE / "tests" / path.strip("`")).read_text()
                for name in names.split(", "):
                    self.assertIn(f"def {name.strip('`')}(", source, event)

    def test_each_room_tells_of_all_its_files(self):
        rooms = [path for path in (SOURCE / "src").iterdir() if path.is_dir()]
        unnamed = []
        for room in sorted([*rooms, SOURCE / "analysis"]):
            readme = room / "README.md"
            text = readme.read_text() if readme.exists() else ""
            there = [path.relative_to(room) for path in sorted(room.rglob("*")) if path.is_file() and self.is_told_of(path)]
            unnamed += [f"{readme.relative_to(SOURCE)}: {path}" for path in there if not self.is_named(path, text)]
        self.assertEqual(unnamed, [])

    @staticmethod
    def is_told_of(path):
        return not {"__pycache__", "gallery"} & {*path.parts} and path.name not in ("README.md", "meson.build")

    @staticmethod
    def is_named(path, text):
        """As panel.c, or panel.{c,h}, or with all of a folder: help/*.txt."""
        names = {*re.findall(r"[\w.-]+\.\w+", text)}
        pairs = {f"{stem}.{end}" for stem, ends in re.findall(r"([\w-]+)\.\{([\w,]+)\}", text) for end in ends.split(",")}
        return path.name in names | pairs or any(map(path.match, re.findall(r"[\w-]+/\*\.\w+", text)))

    def test_words_of_public_types_are_explained(self):
        """A type `rl_training_case` is explained by `training case`, `training` or `case` in the glossary of src/README.md."""
        path = SOURCE / "src" / "README.md"
        section = re.search(r"^## Words\n(.*?)(?=^## |\Z)", path.read_text() if path.exists() else "", re.M | re.S)
        self.assertIsNotNone(section, "src/README.md has no section `## Words`")
        explained = {
            word.strip(" *`").removeprefix("rl_").replace("_", " ")
            for line in section[1].splitlines()
            if line.startswith("|")
            for word in line.split("|")[1].split(",")
        }
        types = {
            name
            for path in files("*.h", "include")
            for name in re.findall(r"^(?:\} |typedef .*\b)rl_(\w+);", path.read_text(), re.M)
        }
        self.assertGreater(len(types), 20)
        unknown = [name for name in sorted(types) if not self.parts(name) & (explained | PLAIN_WORDS)]
        self.assertEqual(unknown, [])

    @staticmethod
    def parts(name):
        """The words of a name, and all runs of them."""
        words = name.split("_")
        return {" ".join(words[i:j]) for i in range(len(words)) for j in range(i + 1, len(words) + 1)}


if __name__ == "__main__":
    unittest.main()
