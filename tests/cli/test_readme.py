"""What the READMEs show is done as it stands there: every block of commands, the shortest study, one's own tables. Code is
added by test_additions.py."""
import pathlib
import tempfile
import unittest

import netCDF4

import readme
from program import run


class Commands(unittest.TestCase):
    """Each block of each README, in order, as pasted; stand-ins are in tests/readme.py."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.reader = readme.Reader(pathlib.Path(folder.name))

    def test_each_block_does_what_it_says(self):
        files, done = [], 0
        for name in readme.names():
            if name == readme.PAGE:
                self.reader.begin_anew()
            for line, language, text in readme.blocks(name):
                if language == "c" or text.startswith('"""'):
                    files.append((name, language))
                    continue
                with self.subTest(f"{name}:{line}"):
                    self.assertIn(language, ("sh", "yaml", "python"))
                    said = self.reader.paste(language, text)
                    self.assertEqual(said.returncode, 0, f"{text}\n{said.stdout}")
                done += 1
        self.assertEqual(files, readme.FILES)
        self.assertGreater(done, 20)


class Studies(unittest.TestCase):
    """Those of the first page, which are planned above, are run here."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.at = pathlib.Path(folder.name)

    def groups(self, text):
        (self.at / "s.yaml").write_text(text)
        run("run", "s.yaml", "-q", cwd=self.at, check=0)
        with netCDF4.Dataset(self.at / "s.nc") as file:
            return sorted(file.groups)

    def test_shortest_study(self):
        self.assertEqual(self.groups(readme.block("README.md", "yaml", "datasets: [diabetes]")), ["diabetes", "provenance"])

    def test_tables_of_ones_own(self):
        readme.write_tables(self.at)
        text = readme.whole_study(readme.block("README.md", "yaml", "wine"))
        self.assertEqual(self.groups(text), ["provenance", "spectra", "wine"])


if __name__ == "__main__":
    unittest.main()
