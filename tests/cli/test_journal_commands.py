"""retry, run --fresh, assemble and status on journals that are half done, failed in part, damaged or another study's."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import journal
import netCDF4
import numpy as np
import tier
from program import PROGRAM, SOURCE, differences, run

STUDY = """repeats: 6
n_train: [4, 10, 11, 30]
ablations: [none, cutoff: 0.1, leading_modes: 2, no_residuals]
datasets:
  - diabetes
  - {source: student-teacher, rows: 100, features: 8, hidden_features: 10, draw: fresh, n_train: [4, 8, 16]}
"""
NO_CONVERGENCE, ZERO_MATRIX = 2, 3


class JournalCommands(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.at = pathlib.Path(cls.folder.name)
        (cls.at / "study.yaml").write_text(STUDY)
        (cls.at / "other.yaml").write_text("seed: 5\n" + STUDY.replace("features: 8", "features: 9"))
        run("run", "study.yaml", "-q", "-o", "whole.nc", ranks=2, cwd=cls.at, check=0)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def answer(self, *arguments):
        return json.loads(run(*arguments, "--json", cwd=self.at, check=0).stdout)

    def half_done(self, name, wanted):
        """A journal of those records of the whole study for which wanted(record) holds."""
        kept, of = journal.keep(self.at / "whole.nc.journal", self.at / f"{name}.journal", wanted)
        self.assertTrue(0 < kept < of)

    def copy(self, name):
        for ending in ("", ".journal"):
            (self.at / (name + ending)).write_bytes((self.at / ("whole.nc" + ending)).read_bytes())

    def fail_cells(self, name, *cells):
        subprocess.run([os.environ["RIDGELESS_FAIL_CELLS"], "study.yaml", name, *map(str, cells)], cwd=self.at, check=True)

    # ---- failed cells

    def test_retry(self):
        for ranks in (1, 2, 3):
            name = f"retry-{ranks}.nc"
            self.copy(name)
            self.fail_cells(name, 2, 1, NO_CONVERGENCE, 3, 0, NO_CONVERGENCE, 3, 3, NO_CONVERGENCE, 7, 2, NO_CONVERGENCE)
            done = run("run", "study.yaml", "-o", name, cwd=self.at, ranks=ranks, check=1)
            self.assertIn(f"{name}: 4 of 42 spectra could not be computed", done.stderr)
            self.assertEqual(self.answer("status", "study.yaml", "-o", name)["spectra_failed"], 4)
            self.assertIn("; 4 of 42 spectra failed", run("status", "study.yaml", "-o", name, cwd=self.at, check=0).stdout)
            done = run("retry", "study.yaml", "-o", name, cwd=self.at, ranks=ranks, check=0)
            self.assertIn("4 failed spectra are done again", done.stderr)
            self.assertIn(" errors of 4 training sets in ", done.stderr)
            self.assertEqual(differences(self.at / "whole.nc", self.at / name), [])
            self.assertEqual(self.answer("status", "study.yaml", "-o", name)["spectra_failed"], 0)

    def test_retry_does_what_failed_in_older_versions_and_what_is_missing(self):
        self.half_done("zero.nc", lambda record: record.repeat != 4)
        self.fail_cells("zero.nc", 0, 0, ZERO_MATRIX, 0, 1, NO_CONVERGENCE)
        done = run("retry", "study.yaml", "-o", "zero.nc", cwd=self.at, ranks=2, check=0)
        self.assertIn("2 failed spectra are done again", done.stderr)
        self.assertIn(" errors of 9 training sets in ", done.stderr)
        self.assertEqual(differences(self.at / "whole.nc", self.at / "zero.nc"), [])

    # ---- another study

    def test_another_study_is_refused_with_all_that_differs(self):
        self.copy("mine.nc")
        for command in ("run", "retry", "status", "assemble", "plan"):
            done = run(command, "other.yaml", "-o", "mine.nc", cwd=self.at, check=2)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            for part in (
                "mine.nc.journal: belongs to another study: seed: 0 there, 5 here (other.yaml:1); ",
                "student-teacher/features: 8 there, 9 here (other.yaml:7); ",
                "choose another -o, or --fresh to start over",
            ):
                self.assertIn(part, done.stderr)
            self.assertEqual(done.stderr.count(" there, "), 2)
        self.assertEqual(differences(self.at / "whole.nc", self.at / "mine.nc"), [])

    def test_results_without_a_journal_are_those_of_one_study(self):
        """Nothing else has their numbers: they are not replaced by those of a study with other settings."""
        self.copy("mine.nc")
        (self.at / "mine.nc.journal").unlink()
        text = STUDY.replace("  - diabetes\n", "  - {name: mine, source: diabetes}\n")
        text += "autoencoders: [{name: net, n_features: 10, sparsity: 0.9, hidden: 2, n_train: [10], steps: 5}]\n"
        (self.at / "renamed.yaml").write_text(text)
        said = run("run", "renamed.yaml", "-o", "mine.nc", cwd=self.at, check=2).stderr
        self.assertIn(
            "belongs to another study: it has the data set diabetes, this study has not; "
            "this study has the data set mine, it has not; this study has the autoencoder net, it has not; choose",
            said,
        )

    def test_results_that_wait_in_the_journal(self):
        self.copy("waits.nc")
        (self.at / "waits.nc").unlink()
        said = run("show", "waits.nc", cwd=self.at, check=2).stderr
        self.assertIn("waits.nc: is not there, but its journal is; `ridgeless assemble STUDY -o waits.nc` writes it", said)
        (self.at / "waits.nc.journal").unlink()
        self.assertIn("waits.nc: cannot be read", run("show", "waits.nc", cwd=self.at, check=2).stderr)

    def test_fresh_starts_over(self):
        self.copy("fresh.nc")
        done = run("run", "other.yaml", "--fresh", "-o", "fresh.nc", cwd=self.at, ranks=2, check=0)
        self.assertRegex(
            done.stderr,
            r"fresh.nc.journal: discarded 12 finished curves of diabetes, student-teacher, "
            r"last written on \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n",
        )
        self.assertIn("fresh.nc: discarded the results file", done.stderr)
        self.assertNotIn("already", done.stderr)
        run("run", "other.yaml", "-q", "-o", "other.nc", cwd=self.at, check=0)
        self.assertEqual(differences(self.at / "other.nc", self.at / "fresh.nc"), [])

    def test_fresh_where_the_journal_is_damaged_or_none_is_there(self):
        self.copy("damaged.nc")
        journal.damage(self.at / "damaged.nc.journal", 40)
        done = run("run", "study.yaml", "-o", "damaged.nc", cwd=self.at, check=2)
        self.assertIn("damaged.nc.journal: its header is damaged; choose another -o, or --fresh to start over", done.stderr)
        done = run("run", "study.yaml", "--fresh", "-o", "damaged.nc", cwd=self.at, check=0)
        self.assertIn("discarded 12 finished curves of a study that cannot be read any more", done.stderr)
        self.assertEqual(differences(self.at / "whole.nc", self.at / "damaged.nc"), [])
        journal.keep(self.at / "whole.nc.journal", self.at / "empty.nc.journal", lambda record: False)
        done = run("run", "study.yaml", "--fresh", "-o", "empty.nc", cwd=self.at, check=0)
        self.assertIn("discarded a journal without finished work of diabetes, student-teacher, last", done.stderr)
        run("run", "study.yaml", "--fresh", "-q", "-o", "new.nc", cwd=self.at, check=0)
        self.assertEqual(differences(self.at / "whole.nc", self.at / "new.nc"), [])

    def test_fresh_leaves_strangers_alone(self):
        self.copy("kept.nc")
        before = (self.at / "kept.nc.journal").read_bytes()
        (self.at / "kept.nc").write_text("my notes")
        done = run("run", "study.yaml", "--fresh", "-o", "kept.nc", cwd=self.at, check=2)
        self.assertIn("kept.nc: is not NetCDF-4", done.stderr)
        self.assertEqual((self.at / "kept.nc").read_text(), "my notes")
        self.assertEqual((self.at / "kept.nc.journal").read_bytes(), before)
        (self.at / "notes.nc.journal").write_text("my notes on ridges")
        done = run("run", "study.yaml", "--fresh", "-o", "notes.nc", cwd=self.at, check=2)
        self.assertIn("notes.nc.journal: is not a journal of ridgeless; it is left alone", done.stderr)
        self.assertEqual((self.at / "notes.nc.journal").read_text(), "my notes on ridges")

    # ---- what there is

    def test_assemble_half(self):
        for ranks in (None, 2):
            name = f"half-{ranks}.nc"
            self.half_done(name, lambda record: record.repeat < 3)
            done = run("assemble", "study.yaml", "-o", name, cwd=self.at, ranks=ranks, check=75)
            self.assertEqual(done.stdout, f"{name}\n")
            self.assertIn(f"{name}: 21 of 42 spectra are missing; `ridgeless run` computes them", done.stderr)
            with netCDF4.Dataset(self.at / name) as file, netCDF4.Dataset(self.at / "whole.nc") as whole:
                for dataset in ("diabetes", "student-teacher"):
                    status = np.asarray(file[dataset]["status"][:])
                    self.assertEqual((status[..., :3].max(), status[..., 3:].min()), (0, 1))
                    errors = np.ma.filled(file[dataset]["test_mse"][:], np.nan)
                    expected = np.asarray(whole[dataset]["test_mse"][:])
                    self.assertEqual(errors[..., :3].tobytes(), expected[..., :3].tobytes())
                    self.assertTrue(np.isnan(errors[..., 3:]).all())
            shown = self.answer("show", name)["datasets"]
            self.assertEqual([(d["spectra_done"], d["spectra_missing"]) for d in shown], [(12, 12), (9, 9)])
            size = (self.at / f"{name}.journal").stat().st_size
            run("run", "study.yaml", "-q", "-o", name, cwd=self.at, ranks=ranks, check=0)
            self.assertGreater((self.at / f"{name}.journal").stat().st_size, size)
            self.assertEqual(differences(self.at / "whole.nc", self.at / name), [])
            run("assemble", "study.yaml", "-q", "-o", name, cwd=self.at, check=0)

    def test_assemble_again_what_was_lost(self):
        self.copy("again.nc")
        (self.at / "again.nc").unlink()
        run("assemble", "study.yaml", "-q", "-o", "again.nc", cwd=self.at, check=0)
        self.assertEqual(differences(self.at / "whole.nc", self.at / "again.nc"), [])
        self.fail_cells("again.nc", 0, 0, ZERO_MATRIX)
        done = run("assemble", "study.yaml", "-o", "again.nc", cwd=self.at, check=1)
        self.assertIn("again.nc: 1 of 42 spectra could not be computed", done.stderr)

    def test_assemble_without_a_journal(self):
        done = run("assemble", "study.yaml", "-o", "nothing.nc", cwd=self.at, check=2)
        self.assertIn("nothing.nc.journal: is not there", done.stderr)
        self.assertEqual([p for p in os.listdir(self.at) if p.startswith("nothing")], [])

    def test_status_of_parts(self):
        self.half_done("part.nc", lambda record: record.name == "diabetes" and record.repeat < 2)
        (self.at / "more.yaml").write_text(STUDY.replace("[4, 10, 11, 30]", "[4, 10, 20]"))
        answer = self.answer("status", "more.yaml", "-o", "part.nc")
        self.assertEqual(
            {
                key: answer[key]
                for key in ("curves", "done", "in_part", "spectra", "spectra_done", "spectra_missing", "spectra_failed")
            },
            {"curves": 12, "done": 0, "in_part": 2, "spectra": 36, "spectra_done": 4, "spectra_missing": 32, "spectra_failed": 0},
        )
        self.assertEqual([d["in_part"] for d in answer["datasets"]], [2, 0])
        text = run("status", "more.yaml", "-o", "part.nc", cwd=self.at, check=0).stdout
        self.assertIn("part.nc: 0 of 12 curves done, 10 missing, 2 partly done\n", text)

    def test_damage_in_the_middle_costs_what_it_hit(self):
        self.copy("hit.nc")
        _, records = journal.read(self.at / "hit.nc.journal")
        journal.damage(self.at / "hit.nc.journal", records[5].begin + len(records[5].data) // 2, 16)
        done = run("run", "study.yaml", "-o", "hit.nc", cwd=self.at, ranks=2, check=0)
        self.assertIn(f"hit.nc.journal: passed over {len(records[5].data)} damaged bytes in 1 place", done.stderr)
        self.assertIn("11 of 12 curves are in the journal already", done.stderr)
        self.assertEqual(differences(self.at / "whole.nc", self.at / "hit.nc"), [])

    # ---- pictures of what there is

    def draw(self, name):
        if "sanitize" in PROGRAM:
            self.skipTest("the same picture as the plain build's")
        try:
            import matplotlib  # noqa: F401
            import xarray  # noqa: F401
        except ImportError as error:
            self.skipTest(str(error))
        done = subprocess.run(
            [sys.executable, SOURCE / "analysis" / "figures.py", name, "-o", f"{name}-figures", "--format", "png", "--verbose"],
            cwd=self.at,
            text=True,
            capture_output=True,
            timeout=600,
            env={**os.environ, "MPLCONFIGDIR": str(self.at / "matplotlib")},
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("Traceback", done.stderr)
        self.assertNotIn("Warning", done.stderr)
        *paths, said = done.stdout.splitlines()
        self.assertRegex(said, rf"^\d+ figures in {name}-figures; open {name}-figures/report.html")
        for path in paths:
            self.assertGreater((self.at / path).stat().st_size, 1000)
        return done.stderr

    @tier.in_all_alone
    def test_figures_of_half_a_study(self):
        self.half_done("pictured.nc", lambda record: record.repeat in (0, 5))
        run("assemble", "study.yaml", "-q", "-o", "pictured.nc", cwd=self.at, check=75)
        said = self.draw("pictured.nc")
        self.assertIn("diabetes: of 24 spectra 16 are missing and 0 failed", said)

    def test_figures_where_a_whole_data_set_is_missing(self):
        self.half_done("one.nc", lambda record: record.name == "diabetes")
        run("assemble", "study.yaml", "-q", "-o", "one.nc", cwd=self.at, check=75)
        self.assertIn("student-teacher: of 18 spectra 18 are missing", self.draw("one.nc"))
        text = run("show", "one.nc", cwd=self.at, check=0).stdout
        self.assertIn("student-teacher: P = 8, 6 repeats, 0 spectra done, 18 missing", text)

    @tier.in_all_alone
    def test_figures_where_the_threshold_is_missing(self):
        (self.at / "before.yaml").write_text(STUDY.replace("[4, 10, 11, 30]", "[4, 11, 30]").replace("[4, 8, 16]", "[4, 16]"))
        run("run", "before.yaml", "-q", "-o", "gap.nc", cwd=self.at, check=0)
        run("assemble", "study.yaml", "-q", "-o", "gap.nc", cwd=self.at, check=75)
        self.assertIn("diabetes: of 24 spectra 6 are missing", self.draw("gap.nc"))
        rows = self.answer("show", "gap.nc")["datasets"][0]["variants"]
        self.assertEqual({row["median_at_threshold"] for row in rows}, {None})
        self.assertIn("N = 10", run("show", "gap.nc", cwd=self.at, check=0).stdout)

    @tier.in_all_alone
    def test_figures_of_nothing(self):
        header, _ = journal.read(self.at / "whole.nc.journal")
        (self.at / "empty.nc.journal").write_bytes(header)
        run("assemble", "study.yaml", "-q", "-o", "empty.nc", cwd=self.at, check=75)
        done = subprocess.run(
            [sys.executable, SOURCE / "analysis" / "figures.py", "empty.nc"],
            cwd=self.at,
            text=True,
            capture_output=True,
            timeout=600,
        )
        self.assertNotIn("Traceback", done.stderr)
        run("show", "empty.nc", cwd=self.at, check=0)


if __name__ == "__main__":
    unittest.main()
