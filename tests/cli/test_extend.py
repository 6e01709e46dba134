"""More N and more repeats go on with what is there: old values keep their bits, new ones are those of a run of its own."""
import pathlib
import tempfile
import unittest

import netCDF4
import numpy as np
from program import differences, run

POOL = "{source: student-teacher, name: pool, rows: 200, features: 12, hidden_features: 15}"
FRESH = "{source: student-teacher, name: fresh, rows: 90, features: 12, hidden_features: 15, draw: fresh}"
# What makes the plan compute a curve in this way, and the ranks to go through.
WAYS = {
    "full spectra": (
        "producer: lapack\nkeep: [cells, modes]\nablations: [none, cutoff: 0.5, leading_modes: 3, no_residuals]\n",
        (1, 2, 3),
    ),
    "full spectra, repeats side by side": (
        "keep: [cells, modes]\nablations: [none, cutoff: 0.5, leading_modes: 3, no_residuals]\n",
        (1, 2, 3),
    ),
    "nested factorization": ("full_spectra: [12]\nablations: [none, cutoff: 0.5, no_residuals]\n", (1, 2, 3)),
    "full spectra on process grids": ("producer: two-stage\nablations: [none, cutoff: 0.5, no_residuals]\n", (2, 2, 2)),
    "nested factorization on process grids": (
        "ranks_per_case: all\nsingular_values: [12, 20]\nfull_spectra: [12]\nablations: [none, cutoff: 0.5]\n",
        (3, 3, 3),
    ),
}
FEW, MORE = [3, 12, 20], [1, 3, 8, 12, 13, 20, 31]
ERRORS = ("test_mse", "train_mse", "population_mse")


def study(way, sizes, repeats):
    return f"repeats: {repeats}\nn_train: {sizes}\n{WAYS[way][0]}datasets:\n  - {POOL}\n  - {FRESH}\n"


def of_sizes(path, name, sizes, repeats):
    """Every value of each repeat of a data set, at these N: as they are stored."""
    with netCDF4.Dataset(path) as file:
        group = file[name]
        n_train = group["n_train"][:].tolist()
        found = {}
        for key, variable in group.variables.items():
            variable.set_auto_mask(False)
            if "repeat" in variable.dimensions and "n_train" in variable.dimensions:
                values = np.take(variable[...], [n_train.index(n) for n in sizes], variable.dimensions.index("n_train"))
                found[key] = np.take(values, range(repeats), variable.dimensions.index("repeat"))
        return found


class Extend(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.at = pathlib.Path(folder.name)

    def compute(self, text, output, **options):
        (self.at / "study.yaml").write_text(text)
        return run("run", "study.yaml", "-o", output, cwd=self.at, check=0, **options).stderr

    def assert_extended(self, few, more, alone):
        for name in ("pool", "fresh"):
            old, kept = of_sizes(few, name, FEW, 2), of_sizes(more, name, FEW, 2)
            self.assertEqual(old.keys(), kept.keys())
            for key in old:
                modes = old[key].shape[-1] if key in ("sigma", "test_projection_rms", "residual_projection") else None
                self.assertEqual(old[key].tobytes(), kept[key][..., :modes].tobytes(), f"{name}/{key}")
            ours, theirs = of_sizes(more, name, MORE, 3), of_sizes(alone, name, MORE, 3)
            np.testing.assert_array_equal(ours["status"], theirs["status"])
            for key in ERRORS:
                if key in ours:
                    np.testing.assert_allclose(ours[key], theirs[key], rtol=1e-8, atol=1e-20, err_msg=f"{name}/{key}")
            np.testing.assert_allclose(ours["sigma_min"], theirs["sigma_min"], rtol=1e-11)

    def go_through(self, way):
        ranks = WAYS[way][1]
        few, more, alone = self.at / "few.nc", self.at / "more.nc", self.at / "alone.nc"
        self.compute(study(way, FEW, 2), "few.nc", ranks=ranks[0])
        plan = run("plan", "study.yaml", cwd=self.at, check=0).stdout
        self.assertEqual(plan.count(f"; {way}\n"), 2, plan)
        more.write_bytes(few.read_bytes())
        (self.at / "more.nc.journal").write_bytes((self.at / "few.nc.journal").read_bytes())
        said = self.compute(study(way, MORE, 3), "more.nc", ranks=ranks[1])
        self.assertIn(f" errors of {2 * (3 * len(MORE) - 2 * len(FEW)):,} training sets ", said)
        self.compute(study(way, MORE, 3), "alone.nc", ranks=ranks[2])
        self.assert_extended(few, more, alone)
        # What was asked for first is still there, and nothing of it is computed again.
        before = (self.at / "more.nc.journal").stat().st_size
        said = self.compute(study(way, FEW, 2), "more.nc", ranks=ranks[1])
        self.assertNotIn("computed", said)
        self.assertEqual((self.at / "more.nc.journal").stat().st_size, before)
        self.assertEqual(differences(few, more), [])

    def test_full_spectra(self):
        self.go_through("full spectra")

    def test_side_by_side(self):
        self.go_through("full spectra, repeats side by side")

    def test_nested(self):
        self.go_through("nested factorization")

    def test_full_spectra_on_process_grids(self):
        self.go_through("full spectra on process grids")

    def test_nested_on_process_grids(self):
        self.go_through("nested factorization on process grids")

    def test_from_one_way_to_another(self):
        """So many N that the plan factors curves as a whole: values agree to rounding, whoever made them."""

        def text(sizes):
            return (
                f"repeats: 3\nn_train: {sizes}\nablations: [none, no_residuals]\ndatasets: [{{source: student-teacher,"
                " rows: 500, features: 100, hidden_features: 110}]\n"
            )

        def way():
            return run("plan", "study.yaml", cwd=self.at, check=0).stdout.splitlines()[1].rsplit("; ", 1)[1]

        self.compute(text([60, 99, 140]), "both.nc", ranks=2)
        self.assertEqual(way(), "full spectra")
        few = of_sizes(self.at / "both.nc", "student-teacher", [60, 99, 140], 3)
        said = self.compute(text("{range: [50, 150]}"), "both.nc", ranks=2)
        self.assertEqual(way(), "nested factorization")
        self.assertIn(f" errors of {3 * 98} training sets in ", said)
        kept = of_sizes(self.at / "both.nc", "student-teacher", [60, 99, 140], 3)
        self.compute(text("{range: [50, 150]}"), "alone.nc")
        alone = of_sizes(self.at / "alone.nc", "student-teacher", [60, 99, 140], 3)
        for key in few:
            self.assertEqual(few[key].tobytes(), kept[key].tobytes(), key)
            np.testing.assert_allclose(few[key], alone[key], rtol=1e-7, atol=1e-20, err_msg=key)


if __name__ == "__main__":
    unittest.main()
