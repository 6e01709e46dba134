"""Least squares by other solvers and in single precision: their `distance` from the solution by singular values in double
grows with the condition number or its square, as it does of the same by NumPy."""
import pathlib
import tempfile
import unittest

import netCDF4
import numpy as np

from program import run

N_TRAIN, P, ROWS, REPEATS = [10, 20, 40], 20, 100, 60
STUDY = f"""repeats: {REPEATS}
n_train: {N_TRAIN}
keep: [cells, directions]
ablations: [none, svd, {{svd: {{precision: double}}}}, normal_equations, {{normal_equations: {{precision: float}}}}]
datasets: [{{source: csv, name: table, file: table.csv, target: y}}]
"""
SOLVERS = {  # how NumPy's own go, in which precision, and the power of the condition
    "svd": (lambda x, y: by_gram_schmidt(x, y), np.float32, 1),
    "svd precision=double": (lambda x, y: by_gram_schmidt(x, y), np.float64, 1),
    "normal_equations": (lambda x, y: by_cholesky(x, y), np.float64, 2),
    "normal_equations precision=float": (lambda x, y: by_cholesky(x, y), np.float32, 2),
}


def by_gram_schmidt(x, y):
    """QR by modified Gram-Schmidt, off by eps kappa as an SVD is; numpy.linalg itself computes in double always."""
    wide = len(x) < x.shape[1]
    a = np.array(x.T if wide else x)
    k = a.shape[1]
    b, r, q = y.copy(), np.zeros((k, k), a.dtype), np.zeros_like(a)
    for j in range(k):
        r[j, j] = np.linalg.norm(a[:, j])
        q[:, j] = a[:, j] / r[j, j]
        r[j, j + 1 :] = q[:, j] @ a[:, j + 1 :]
        a[:, j + 1 :] -= np.outer(q[:, j], r[j, j + 1 :])
    if wide:  # R^T w = y forwards, beta = Q w
        w = np.zeros_like(b)
        for j in range(k):
            w[j] = (b[j] - r[:j, j] @ w[:j]) / r[j, j]
        return q @ w
    beta = np.zeros(k, a.dtype)
    c = np.zeros(k, a.dtype)
    for j in range(k):
        c[j] = q[:, j] @ b
        b = b - c[j] * q[:, j]
    for j in reversed(range(k)):
        beta[j] = (c[j] - r[j, j + 1 :] @ beta[j + 1 :]) / r[j, j]
    return beta


def by_cholesky(x, y):
    """The Gram matrix in the given precision, which is what squares the condition; the rest in double."""
    wide = len(x) < x.shape[1]
    gram = np.linalg.cholesky(x @ x.T if wide else x.T @ x)
    solved = np.linalg.solve(gram.T, np.linalg.solve(gram, y if wide else x.T @ y))
    return x.T @ solved if wide else solved


def apart(solution, expected):
    return np.linalg.norm(solution - expected) / np.linalg.norm(expected)


class Solvers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        at = pathlib.Path(folder.name)
        rng = np.random.default_rng(3)
        cls.x = rng.normal(size=(ROWS, P)).round(3)
        cls.y = (cls.x.sum(1) + rng.normal(size=ROWS)).round(3)
        lines = [",".join(map(str, [*row, target])) for row, target in zip(cls.x, cls.y)]
        (at / "table.csv").write_text("\n".join([",".join([*(f"x{j}" for j in range(P)), "y"]), *lines]) + "\n")
        (at / "study.yaml").write_text(STUDY)
        run("run", "study.yaml", "-q", cwd=at, check=0)
        with netCDF4.Dataset(at / "study.nc") as file:
            group = file["table"]
            cls.variants = list(group["variant"][:])
            cls.distance = np.ma.filled(group["distance"][:, 0], np.nan)
            cls.kappa = np.ma.filled(group["sigma_max"][0] / group["sigma_min"][0], np.nan)
            rows = np.ma.filled(group["training_row"][:], np.nan)
            cls.rows = np.abs(rows[:, :, None] - cls.x).sum(-1).argmin(-1)  # (repeat, row): which of the table
            cls.roles = list(group["role"][:])

    def by_numpy(self, name, i, repeat):
        """The distance of NumPy's solution of the same rows from the one in double by singular values."""
        solve, precision, _ = SOLVERS[name]
        rows = self.rows[repeat][: N_TRAIN[i]]
        x, y = self.x[rows], self.y[rows]
        return apart(solve(x.astype(precision), y.astype(precision)), np.linalg.lstsq(x, y, rcond=None)[0])

    def test_distances_are_those_of_numpys_solvers(self):
        """They are rounding, so no two implementations have the same; their medians over the repeats have one size."""
        for name in SOLVERS:
            ours = self.distance[self.variants.index(name)]
            for i in range(len(N_TRAIN)):
                theirs = [self.by_numpy(name, i, repeat) for repeat in range(REPEATS)]
                ratio = np.median(ours[i]) / np.median(theirs)
                self.assertTrue(0.1 < ratio < 10, f"{name} at N = {N_TRAIN[i]}: {ratio}")

    def test_distances_keep_within_the_condition(self):
        for name, (_, precision, power) in SOLVERS.items():
            eps = np.finfo(precision).eps
            distance, wide = self.distance[self.variants.index(name)], np.array(N_TRAIN) <= P
            self.assertTrue((distance[wide] <= 40 * eps * self.kappa[wide] ** power).all(), name)
            self.assertTrue((distance <= 40 * eps * self.kappa**2).all(), name)  # many rows leave residuals

    def test_the_condition_is_squared_at_the_threshold(self):
        threshold = N_TRAIN.index(P)
        for precision, eps in (("float", np.finfo(np.float32).eps), ("double", np.finfo(np.float64).eps)):
            names = {"float": ("normal_equations precision=float", "svd"), "double": ("normal_equations", "svd precision=double")}
            normal, svd = (self.distance[self.variants.index(name)] for name in names[precision])
            self.assertGreater(np.median(normal[threshold]), 5 * np.median(svd[threshold]))
            self.assertGreater(np.median(normal[threshold]), eps * np.median(self.kappa[threshold]))
            self.assertLess(np.median(normal[0]), 5 * np.median(svd[0]))

    def test_they_are_solvers(self):
        self.assertEqual(self.roles, ["fit"] + ["solver"] * 4)


if __name__ == "__main__":
    unittest.main()
