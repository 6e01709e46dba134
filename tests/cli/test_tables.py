"""Tables of text as people have them, each kind taken from public reports: read with the key that fits, and told by the message
without it. What is read is counted by hand."""
import bz2
import gzip
import io
import json
import lzma
import pathlib
import re
import tempfile
import unittest
import zipfile

from program import run

ROWS = [f"{i}.5,{(7 * i) % 11},{i * i}" for i in range(1, 13)]
PLAIN = "a,b,y\n" + "\n".join(ROWS) + "\n"


class Tables(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.at = pathlib.Path(folder.name)

    def plan(self, table, keys="", command="plan", options=("--json",)):
        """`keys` go on with the entry of the data set."""
        (self.at / "t.csv").write_bytes(table if isinstance(table, bytes) else table.encode())
        entry = f"{{source: csv, name: t, file: t.csv, target: y{', ' + keys if keys else ''}}}"
        if "target:" in keys:
            entry = entry.replace(" target: y,", "", 1)
        text = f"repeats: 2\nn_train: [1, 2]\nablations: [none]\ndatasets:\n  - {entry}\n"
        (self.at / "s.yaml").write_text(text)
        return run(command, "s.yaml", *options, cwd=self.at)

    def shape(self, table, keys="", warning=None):
        """Rows, features, rows left out."""
        done = self.plan(table, keys)
        self.assertEqual(done.returncode, 0, done.stderr)
        if warning is None:
            self.assertEqual(done.stderr, "")
        else:
            self.assertIn(warning, done.stderr)
        (found,) = json.loads(done.stdout)["datasets"]
        return found["rows"], found["n_features"], found["rows_dropped"]

    def refused(self, table, message, keys=""):
        done = self.plan(table, keys)
        self.assertEqual(done.returncode, 2, done.stdout)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn(message, done.stderr)
        return done.stderr

    def test_text_columns(self):
        """A sample's name, categories."""
        table = "id," + PLAIN.replace("\n", "\nS,").rstrip("S,")
        self.refused(table, "t.csv:2: column `id`: `S` is not a number; `except: [id]` leaves the column out")
        self.assertEqual(self.shape(table, "except: [id]"), (12, 2, 0))
        self.assertEqual(self.shape(table, "features: numeric"), (12, 2, 0))
        self.assertEqual(self.shape(table, "features: 2-3"), (12, 2, 0))

    def test_constant_columns(self):
        """What is advised can be pasted: for long names, and for names with characters that YAML or a message quotes by."""
        for name in ("a" * 60, "height `in cm", "x: y", "it's"):
            table = f"{name},1,y\n" + "".join(f"7,{i * i}.5,{i}\n" for i in range(5))
            told = self.refused(table, " is 7 in every row and cannot be scaled", "standardize: z-score")
            advised = re.search(r"`(except: \[.*\])`$", told.strip())[1]
            self.assertEqual(self.shape(table, f"standardize: z-score, {advised}"), (5, 1, 0), advised)

    def test_very_wide_tables(self):
        """12,000 features and one text: the message has the key, and not the names."""
        names = ",".join(f"gene{j}" for j in range(12000))
        table = f"sample,{names},y\n" + "".join(f"S{i}," + ",".join(["1.5"] * 12000) + f",{i}\n" for i in range(3))
        told = self.refused(table, "`except: [sample]` leaves the column out")
        self.assertLess(len(told), 300)
        self.assertLess(len(self.refused(table, "12002 columns", "except: [nobody]")), 1000)

    def test_very_many_names(self):
        """Half of 60,000 columns by name, or all but that half; the others by number, as they are all called the same."""
        n = 30000
        names = [f"gene{j}" for j in range(n)]
        rows = "".join(",".join(f"{i * 7 % 5 + j % 3}.5" for j in range(2 * n)) + f",{i}\n" for i in range(4))
        table = ",".join(names + ["same"] * n) + ",y\n" + rows
        self.assertEqual(self.shape(table, f"features: [{', '.join(names)}]")[:2], (4, n))
        self.assertEqual(self.shape(table, f"except: [{', '.join(names)}]")[:2], (4, n))
        self.assertEqual(self.shape(table, f"features: [{n + 1}-{2 * n}, gene{n - 1}]")[:2], (4, n + 1))
        told = self.refused(table, "columns 30001 and 30002 are both called `same`", "features: [same]")
        self.assertLess(len(told), 300)
        self.assertLess(len(self.refused(table, "did you mean `gene29999`?", "features: [gene29999x]")), 1000)

    def test_very_many_columns_without_a_name(self):
        """The first are warned of, and the others counted."""
        n = 3000
        table = "," * n + "y\n" + "".join(",".join(f"{i * 7 % 5 + j}.5" for j in range(n)) + f",{i}\n" for i in range(4))
        told = self.plan(table).stderr
        self.assertIn("2992 more columns have no name and are features", told)
        self.assertEqual(told.count("leaves it out"), 8)
        self.assertLess(len(told), 3000)

    def test_missing_words(self):
        for word in ["NA", "NULL", "NaN", "N/A", "None", "#N/A", "<NA>", "null", "", "?"]:
            self.assertEqual(self.shape(PLAIN.replace("4.5,", f"{word},")), (11, 2, 1), word)
        table = PLAIN.replace("4.5,", "-9999.0,").replace("5.5,", "gone,")
        self.assertEqual(self.shape(table, "missing: [-9999, gone]"), (10, 2, 2))
        self.refused(table, "`gone` is not a number", "missing: -9999")

    def test_decimal_commas(self):
        table = "a;b;y\n0,346;0,822;1,5\n0,905;0,446;2,5\n0,365;0,294;3\n"
        self.refused(table, "`0,346` is not a number; `decimal: comma` reads it as 0.346", "delimiter: semicolon")
        self.assertEqual(self.shape(table, "delimiter: semicolon, decimal: comma"), (3, 2, 0))
        self.refused(table, "`delimiter: semicolon`")

    def test_thousands(self):
        table = PLAIN.replace("4.5,", '"1,234.5",')
        self.refused(table, "`1,234.5` is not a number; `thousands: comma` reads it as 1234.5")
        self.assertEqual(self.shape(table, "thousands: comma"), (12, 2, 0))
        for mark, word in (("'", "apostrophe"), ("_", "underscore"), (" ", "space"), ("\u00a0", "space"), ("\u202f", "space")):
            marked = PLAIN.replace("4.5,", f"1{mark}234.5,")
            self.refused(marked, f"`thousands: {word}` reads it as 1234.5")
            self.assertEqual(self.shape(marked, f"thousands: {word}"), (12, 2, 0))
        both = self.refused(
            PLAIN.replace(".5,", ";").replace(",", ";").replace("4;", "1,234;"), "thousands: comma", "delimiter: semicolon"
        )
        self.assertIn("`decimal: comma` reads it as 1.234", both)
        self.refused(PLAIN, "`point` has another meaning", "thousands: point")

    def test_lines_that_are_no_rows(self):
        """Comments of an instrument, a title, units below the header, blank lines."""
        commented = "# made by instrument 3\n# 2024\n" + PLAIN
        self.refused(commented, '`comment: "#"` leaves such lines out')
        self.assertEqual(self.shape(commented.replace("16\n", "16 # so\n"), "comment: '#'"), (12, 2, 0))
        titled = "My table\n\n" + PLAIN
        self.refused(titled, "`skip: 2` leaves them out")
        self.assertEqual(self.shape(titled, "skip: 2"), (12, 2, 0))
        units = PLAIN.replace("y\n", "y\nmm,kg,s\n", 1)
        self.refused(units, "`skip_lines: [2]` leaves it out")
        self.assertEqual(self.shape(units, "skip_lines: [2]"), (12, 2, 0))
        self.assertEqual(self.shape(units + "total,3,4\n", "skip_lines: [2, 15-16]"), (12, 2, 0))
        self.refused(PLAIN, "expected numbers of lines from 1", "skip_lines: [2-1]")

    def test_numpy_savetxt(self):
        """Its header begins with `# `."""
        table = "# " + PLAIN.replace(",", " ")
        self.refused(table, '`comment: "#"`', "delimiter: space")
        self.refused(table, "`header: false`", "delimiter: space, comment: '#'")
        self.assertEqual(self.shape(table, "delimiter: space, comment: '#', header: false, target: 3"), (12, 2, 0))

    def test_names_with_blanks(self):
        header = ' a ,"b\u00a0 \n c",Life  expectancy \n'
        table = header + "\n".join(ROWS) + "\n"
        for name in ("'Life expectancy '", "' Life\u2009expectancy'", '"Life\\texpectancy"'):
            self.assertEqual(self.shape(table, f"target: {name}, features: ['b c']"), (12, 1, 0))
        self.refused(table, "did you mean `Life expectancy`?", "target: life expectency")

    def test_lookalikes(self):
        """U+2212 for a minus sign, full-width digits, a Cyrillic letter."""
        self.refused(PLAIN.replace("4.5,", "\u22124.5,"), "it has U+2212 (minus sign)")
        self.refused(PLAIN.replace("4.5,", "\uff14.5,"), "it has U+FF14 (full-width digit)")
        self.refused(PLAIN.replace("4.5,", "4\u066b5,"), "it has U+066B (Arabic decimal separator)")
        self.refused(PLAIN.replace("a,", "\u0430,", 1), "which differs in U+0430?", "features: [a, b]")

    def test_columns_without_names(self):
        """A delimiter at each line's end; a saved index; row names as R writes them."""
        self.assertEqual(self.shape(PLAIN.replace("\n", ",\n")), (12, 2, 0))
        self.assertEqual(self.shape("a,b,y\n" + ",\n".join(ROWS) + ",\n"), (12, 2, 0))
        self.assertEqual(self.shape("a,b,y,\n" + "\n".join(ROWS) + "\n"), (12, 2, 0))
        indexed = ",a,b,y\n" + "".join(f"{i},{row}\n" for i, row in enumerate(ROWS))
        told = "column 1 has no name and is feature 1: it counts the rows, as a saved index does; `except: [1]` leaves it out"
        self.assertEqual(self.shape(indexed, warning=told), (12, 3, 0))
        self.assertEqual(self.shape(indexed, "except: [1]"), (12, 2, 0))
        self.assertEqual(self.shape("Unnamed: 0" + indexed, warning=told), (12, 3, 0))
        named = "a,b,y\n" + "".join(f"r{i},{row}\n" for i, row in enumerate(ROWS))
        self.assertEqual(self.shape(named, warning="no name for column 1: it is taken for the names of the rows"), (12, 2, 0))

    def test_no_header(self):
        """The first row of data would be lost."""
        self.refused("\n".join(ROWS), "`header: false` takes it for data", "target: 3")
        self.assertEqual(self.shape("\n".join(ROWS), "target: 3, header: false"), (12, 2, 0))
        self.assertEqual(self.shape("\n".join(ROWS), "target: 3, header: true"), (11, 2, 0))

    def test_quotes(self):
        """5" pipe."""
        table = "id," + PLAIN.replace("\n", "\nx,").rstrip("x,").replace("x,4.5", '5" pipe,4.5')
        self.assertEqual(self.shape(table, "features: [a, b]"), (12, 2, 0))
        self.refused(PLAIN.replace("4.5,", '"4"5,'), '`4"5` is not a number')

    def follow(self, table, message, key, keys="", shape=(12, 2, 0)):
        """The key that the message tells, taken as it is written there, reads the table."""
        told = self.refused(table, message, keys)
        self.assertIn(f"`{key}`", told)
        self.assertEqual(self.shape(table, ", ".join(k for k in (keys, key) if k)), shape)

    def test_words_for_missing_of_ones_own(self):
        """SAS's point, dashes, errors of a spreadsheet, infinite numbers: told with what the study has already."""
        for word, key in ((".", "'.'"), ("-", "'-'"), ("\u2014", "'\u2014'"), ("#DIV/0!", "'#DIV/0!'"), ("inf", "inf")):
            table = PLAIN.replace("4.5,", f"{word},").replace("9.5,", f"{word},")
            self.follow(table, f"column `a`: `{word}` is not", f"missing: [{key}]", shape=(10, 2, 2))
        self.refused(PLAIN.replace("4.5,", "n.a.,"), "`missing: ['-9999', n.a.]` takes it", "missing: -9999")
        self.refused(PLAIN.replace("4.5,", "n.a.,").replace("6.5,", "?,").replace("7.5,", "low,"), "`missing: [n.a., low]`")
        self.assertNotIn("missing:", self.refused(PLAIN.replace(".5,", "x,"), "`except: [a]`"))

    def test_text_target(self):
        self.refused("a,y\n1,cat\n2,dog\n", "`target` names a column of numbers")

    def test_lines_between_and_below(self):
        """A comment among the rows, a note and a sum below them, a row that is cut short."""
        rows = PLAIN.splitlines(True)
        amid = "".join([*rows[:6], "# a pause\n", *rows[6:]])
        self.follow(amid, "t.csv:7: a row of 1 cell, expected 3 as in line 1", 'comment: "#"')
        for line in ("Source: us, 2024\n", "1.5,2\n", "Total: 12\n"):
            self.follow(PLAIN + line, "is line 14 not of the data?", "skip_lines: [14]")
        self.refused(PLAIN + "1,2\n", "`skip_lines: [2, 4-6, 14]`", "skip_lines: [2, 4-6]")

    def test_names_in_a_later_line(self):
        """A title with as many cells, two lines of names, the first line that Excel takes."""
        for title in ("Title,,\n", "A,A,B\n", "Mine, of 2024, x\n", "\ufeffsep=,,\n"):
            self.follow(title + PLAIN, "no column `y`", "skip: 1")
        self.refused("sep=;\n" + PLAIN.replace(",", ";"), "line 2 has it: `skip: 1`", "delimiter: semicolon")
        self.assertNotIn("skip:", self.refused(PLAIN, "no column `z`", "target: z"))

    def test_comments_begin_with_no_part_of_a_number(self):
        """1.5 would be read as 1, and -3 as missing."""
        for mark in (".", "-", "+", "1", "e", "//", ";"):
            self.refused(PLAIN, "expected one character of ASCII that stands in no number", f"comment: '{mark}'")
        self.assertEqual(self.shape(PLAIN.replace("16\n", "16 !so\n"), "comment: '!'"), (12, 2, 0))

    def test_tabs_are_not_blanks(self):
        table = PLAIN.replace(",", "\t").replace("a\t", "a b\t", 1)
        self.follow(table, "has one column", "delimiter: tab")

    def test_marks_that_replace_others(self):
        """The study has marks already, and others read the column."""
        table = "a;b;y\n1.500;2;3\n2.500;1;4\n1.300;4;5\n"
        keys = "delimiter: semicolon, decimal: comma"
        self.refused(table, "`decimal: point` reads it as 1.5, `thousands: point` reads it as 1500", keys)
        self.assertEqual(self.shape(table, keys + ", thousands: point"), (3, 2, 0))
        table = "a;b;y\n1,5;2;3\n2,50;1;4\n"
        told = self.refused(table, "`1,5` is not", "delimiter: semicolon, thousands: comma")
        self.assertIn("`decimal: comma` and `thousands: none` read it as 1.5", told)
        told = self.refused(PLAIN.replace("4.5,", "1_000,").replace(".5,", ","), "`thousands: underscore` reads it as 1000")
        self.assertNotIn("decimal", told)

    def test_numbers_that_are_names(self):
        """A saved index beside a column that is called 1: the advice means the column without a name."""
        table = ",1,y\n" + "".join(f"{i},{i * i},{i % 5}\n" for i in range(12))
        self.assertEqual(self.shape(table, warning="`except: [1-1]` leaves it out"), (12, 2, 0))
        self.assertEqual(self.shape(table, "except: [1-1]"), (12, 1, 0))
        self.assertEqual(self.shape(table, "except: [1]", warning="`except: [1-1]`"), (12, 1, 0))
        self.refused(table, "no column `1-2`", "target: 1-2")

    def test_files_of_other_kinds(self):
        """Whatever is called .csv: what it is, and what makes a table of it."""
        plain, packed = PLAIN.encode(), io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("t.csv", plain)
        for table, told in (
            (bz2.compress(plain), "is compressed by bzip2, expected a table of text, plain or gzip; `bunzip2` unpacks it"),
            (lzma.compress(plain), "is compressed by xz"),
            (packed.getvalue(), "is a ZIP archive or an Excel workbook"),
            (gzip.compress(gzip.compress(plain)), "is compressed by gzip twice"),
            (b"\x89HDF\r\n\x1a\n" + bytes(60), "`source: netcdf` reads it"),
            (b"CDF\1" + bytes(60), "`source: netcdf` reads it"),
            (b"PAR1" + bytes(60), "is a Parquet file"),
            (PLAIN.encode("utf-32"), "`iconv -f utf-32 -t utf-8` converts it"),
        ):
            self.refused(table, told)
        self.assertEqual(self.shape(gzip.compress(plain)), (12, 2, 0))

    def test_encodings(self):
        latin = PLAIN.replace("a,", "l\u00e4nge,", 1)
        self.assertEqual(self.shape(latin, "features: ['l\u00e4nge']"), (12, 1, 0))
        told = self.refused(latin.encode("latin-1"), "t.csv: line 1", "features: ['l\u00e4nge']")
        self.assertIn("line 1 is not UTF-8: byte 0xe4", told)
        self.assertIn("iconv -f latin1 -t utf-8", told)
        self.refused(PLAIN.replace("4.5,", "4\u00b5,").encode("latin-1"), "line 5 is not UTF-8: byte 0xb5")
        self.refused(PLAIN.encode("utf-16"), "is UTF-16, expected UTF-8; `iconv -f utf-16 -t utf-8` converts it")
        self.refused(PLAIN.encode("utf-16-le"), "`iconv -f utf-16le -t utf-8` converts it")
        self.refused(PLAIN.encode("utf-16-be"), "`iconv -f utf-16be -t utf-8` converts it")
        self.refused(PLAIN.replace("4.5,", "4\0,"), "t.csv:5: byte 0x00 is not text")
        self.assertEqual(self.shape(PLAIN.encode("utf-8-sig").replace(b"\n", b"\r")), (12, 2, 0))

    def test_rows_left_out_are_told(self):
        table = "a,b,y\n" + "\n".join(ROWS[:4] + [",1,2"] * 36) + "\n"
        said = "4 rows (36 with missing values left out)"
        self.assertIn(said, self.plan(table, options=()).stdout)
        done = self.plan(table, command="run", options=())
        self.assertIn(said, done.stderr)
        self.assertIn(said, run("show", "s.nc", cwd=self.at).stdout)
        (shown,) = json.loads(run("show", "s.nc", "--json", cwd=self.at).stdout)["datasets"]
        self.assertEqual((shown["rows"], shown["rows_dropped"]), (4, 36))
        self.refused("a,b,y\n" + ",1,2\n" * 3 + "1,2,3\n", "1 row (3 with missing values left out), expected at least 2")
        self.refused("a,b,y\n" + ",1,2\n" * 3 + "1,,3\n", "column `a` lacks 3, column `b` lacks 1; `except: [...]`")


if __name__ == "__main__":
    unittest.main()
