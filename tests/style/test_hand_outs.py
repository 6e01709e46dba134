"""The form of the labs' hand-outs in jobs/labs: short, a question, goals and minutes, a number to write down before anything is
measured, few commands before something is seen, and answers that are folded and say where their numbers came out."""
import re
import unittest

from program import SOURCE

LABS = SOURCE / "jobs" / "labs"
HEADINGS = [
    "Goals",
    "Predict first",
    "Measure",
    "Tasks",
    "What can go wrong",
    "Go further",
]
TWO_PAGES = {"lines": 150, "words": 1000}  # as a browser prints them
FIRST_COMMANDS = 3
MACHINE = "Intel Xeon, 2 cores"  # where the answers' numbers came out
FILES = {"README.md", "lab.sh", "expected.png", "expected.txt"}


def labs():
    return sorted(path for path in LABS.glob("[0-9][0-9]-*") if path.is_dir())


def parts(text):
    """The text below each heading of the second level."""
    pieces = re.split(r"(?m)^## (.+)\n", text)[1:]
    return dict(zip(pieces[::2], pieces[1::2]))


def of_each_lab(check):
    """A test that does `check` with each lab's folder, its hand-out, and that by headings."""

    def test(self):
        for lab in labs():
            with self.subTest(lab.name):
                text = (lab / "README.md").read_text()
                check(self, lab, text, parts(text))

    return test


class HandOuts(unittest.TestCase):
    def test_there_are_labs(self):
        numbers = [int(lab.name[:2]) for lab in labs()]
        self.assertEqual(numbers, sorted({*numbers}))
        self.assertGreater(len(numbers), 0)

    @of_each_lab
    def test_files(self, lab, text, found):
        self.assertLessEqual(FILES, {path.name for path in lab.iterdir()})

    @of_each_lab
    def test_two_pages(self, lab, text, found):
        self.assertLessEqual(len(text.splitlines()), TWO_PAGES["lines"])
        self.assertLessEqual(len(text.split()), TWO_PAGES["words"])

    @of_each_lab
    def test_head(self, lab, text, found):
        self.assertRegex(text, rf"^# Lab {int(lab.name[:2])}: \w")
        self.assertRegex(text, r"(?m)^\*\*Question\.\*\* .*\?$")
        self.assertRegex(text, r"(?m)^\*\*Minutes\.\*\* \d+\. \*\*Cores\.\*\* .*\*\*Skills\.\*\* ")
        self.assertEqual(list(found), HEADINGS)
        self.assertGreaterEqual(found["Goals"].count("\n- "), 2)

    @of_each_lab
    def test_a_prediction_is_written_down(self, lab, text, found):
        box = "\n".join(line for line in found["Predict first"].splitlines() if line.startswith("> "))
        self.assertIn("?", box)
        self.assertRegex(box, r"[Ww]rite ")

    @of_each_lab
    def test_something_is_seen_after_few_commands(self, lab, text, found):
        commands = re.search(r"```sh\n(.*?)```", found["Measure"], re.S)[1].strip().splitlines()
        self.assertLessEqual(len(commands), FIRST_COMMANDS)
        self.assertRegex(commands[0], r"^\. jobs/labs/env\.sh && lab \d+")

    @of_each_lab
    def test_a_table_to_fill_in(self, lab, text, found):
        """Below the rule one full row and then at least two with empty cells."""
        table = [line for line in found["Measure"].splitlines() if line.startswith("|")]
        cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
        self.assertTrue(all(cells[2]), "the first row is filled in")
        self.assertGreaterEqual(sum("" in row for row in cells[3:]), 2)

    @of_each_lab
    def test_each_task_has_a_folded_answer_that_was_measured(self, lab, text, found):
        tasks = re.split(r"(?m)^### \d+\. ", found["Tasks"])[1:]
        self.assertGreaterEqual(len(tasks), 3)
        for task in tasks:
            answers = re.findall(r"<details><summary>.+?</summary>\n\n(.+?)\n</details>", task, re.S)
            self.assertEqual(len(answers), 1, task)
            self.assertIn(MACHINE, answers[0])
            self.assertRegex(answers[0], r"\d", task)

    @of_each_lab
    def test_the_page_of_all_labs_names_each(self, lab, text, found):
        self.assertIn(f"]({lab.name}/README.md)", (LABS / "README.md").read_text())


if __name__ == "__main__":
    unittest.main()
