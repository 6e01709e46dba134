#!/usr/bin/python3
"""Figures of anything that a file may hold, finite or not, end in no traceback: results files of every kind of figure, made by
the program, with their numbers replaced.

    RIDGELESS_PROGRAM=... /usr/bin/python3 tests/analysis/test_edges.py
"""

from __future__ import annotations

import os
import random
import subprocess
import tempfile
import unittest
from pathlib import Path

from drawing import ANALYSIS, MISSING, DrawingTest, keep_font_cache, png_size, run_in_child, tier

if not MISSING:
    import netCDF4
    import numpy as np

    from program import copy_group

# Studies that have every figure between them, as small as they go.
STUDIES = {
    "factors": """repeats: 6
seed: 1
keep: [cells, modes]
n_train: {range: [1, 12]}
ablations: [none, no_residuals, {cutoff: {values: [0.1, 0.3], relative: true}}, leading_modes: [1, 3], adversarial_test: [-1, 1],
  adversarial_train: 1, ridge: [0.01, 1], gradient_descent: [1, 10, 100], {gradient_descent_run: {values: [1, 10], start: 1}}]
datasets: [{source: student-teacher, name: a, rows: 40, features: 4, hidden_features: 6, noise: 1}]
""",
    "space": """repeats: 6
seed: 1
keep: [cells, directions]
n_train: [1, 2, 3, 4, 6, 12]
ablations: [none]
datasets: [{source: gaussian, name: a, rows: 60, covariance: [23, 9, 4, 9, 6, 2, 4, 2, 5], noise: 1}]
""",
    "tails": """repeats: 400
seed: 1
keep: summary
n_train: {range: [2, 12]}
ablations: [none]
datasets: [{source: student-teacher, name: a, draw: fresh, rows: 30, features: 4, hidden_features: 5, noise: 1}]
""",
    "theory": """repeats: 8
seed: 1
n_train: {range: [2, 12]}
ablations: [none, no_residuals, {cutoff: [0.5]}]
datasets: [{source: student-teacher, name: a, draw: fresh, rows: 30, features: 4, hidden_features: 5, noise: 1}]
""",
    "sweep": """repeats: 4
seed: 1
keep: [cells, predictions]
n_features: [2, 5, 10, 20]
n_train: [10]
ablations: [none]
datasets: [{source: function, name: a, rows: 10, test_points: 30, map: legendre}]
""",
    "trained": """repeats: 2
seed: 1
autoencoders: [{name: a, n_features: 6, hidden: 2, n_train: [2, 4, 8], steps: 30, n_test: 20, sparsity: 0.5}]
""",
}


def alternate(values: np.ndarray, *numbers: float) -> np.ndarray:
    return np.resize(np.array(numbers), values.shape)


# What becomes of each number of a file.
CHANGES = {
    "nan": lambda values: np.full_like(values, np.nan),
    "zero": np.zeros_like,
    "infinite": lambda values: np.full_like(values, np.inf),
    "apart": lambda values: alternate(values, 1e300, 1e-300, 1.0),
    "largest": lambda values: alternate(values, np.finfo(float).max, 5e-324),
    "mixed": lambda values: alternate(values, np.nan, 1.0, np.inf, 0.0, -1.0, 1e308),
    "one infinite": lambda values: np.where(np.arange(values.size).reshape(values.shape) == values.size // 2, np.inf, values),
    "constant": lambda values: np.full_like(values, 3.0),
}
NOT_LOGARITHMIC = {"geometry", "span", "a", "fitted_curves"}  # may have points that no place on a page is right for
COORDINATES = {"parameter", "quantile", "flank", "bucket_lower", "bucket_upper", "point"}


def change(path: Path, source: Path, how: str) -> None:
    """A copy in which every number but those of the axes is another."""

    def change_group(group: netCDF4.Group) -> None:
        for name, variable in group.variables.items():
            if name in COORDINATES or variable.dtype != np.float64:
                continue
            variable.set_auto_maskandscale(False)
            values = variable[...]
            variable[...] = CHANGES[how](values)
        for inner in group.groups.values():
            change_group(inner)

    with netCDF4.Dataset(source) as old, netCDF4.Dataset(path, "w") as new:
        copy_group(old, new)
        change_group(new)
        new.createGroup("provenance").host = "here"


@unittest.skipIf(MISSING, MISSING)
class Edges(DrawingTest):
    program = "figures.py"

    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.made = Path(folder.name)
        for name, study in STUDIES.items():
            (cls.made / f"{name}.yaml").write_text(study)
            command = [os.environ["RIDGELESS_PROGRAM"], "run", f"{name}.yaml", "-q"]
            done = subprocess.run(command, cwd=cls.made, text=True, capture_output=True)
            assert done.returncode == 0, done.stderr

    def draw(self, path: Path, *arguments: str) -> tuple[int, str, str]:
        """Exit status and output; no traceback, and a line for each figure that could not be drawn."""
        status, out, err = run_in_child(ANALYSIS / self.program, [str(path), "--format", "png", *arguments], self.folder, 600)
        self.assertNotIn("Traceback", out + err, path)
        self.assertNotIn("Warning", err, path)
        for line in err.splitlines():
            self.assertTrue(line.startswith("figures.py: "), err)
        return status, out, err

    def test_numbers_of_any_kind(self) -> None:
        """The first study with the worst numbers, and other pairs, drawn anew each time."""
        pairs = [(study, how) for study in STUDIES for how in CHANGES]
        seed = random.randrange(1 << 32)
        print(f"# seed {seed}")
        for study, how in [("factors", "mixed"), *random.Random(seed).sample(pairs, tier.of(1, 15))]:
            with self.subTest(study=study, change=how):
                path = self.folder / f"{study}-{how.replace(' ', '-')}.nc"
                change(path, self.made / f"{study}.nc", how)
                status, out, err = self.draw(path)
                lost = {line.split(":")[1].strip() for line in err.splitlines() if "cannot be drawn" in line}
                self.assertLessEqual(lost, NOT_LOGARITHMIC, err)
                self.assertEqual(status, int("no figure could be drawn" in err), err)
                self.assertTrue(lost or status == 0, err)
                folder = path.with_name(f"{path.stem}-figures")
                self.assertIn("</html>", (folder / "report.html").read_text())
                for picture in folder.glob("*.png"):
                    self.assertGreater(min(png_size(picture)), 200)


def setUpModule() -> None:
    keep_font_cache()


if __name__ == "__main__":
    unittest.main()
