"""The published polynomial regression, all 900 rows: a transcription in NumPy of the procedure (Schaeffer et al. 2023,
section 3) beside jobs/polynomial.yaml. Test errors within 1e-12 + 100 eps kappa, relative; train errors to the same of
the mean square target."""
import pathlib
import tempfile
import unittest

import netCDF4
import numpy as np
from numpy.polynomial.legendre import legvander

from program import SOURCE, run

EPS = np.finfo(float).eps
P = [*range(1, 26), 30, 40, 50, 100, 200]
REPEATS, N = 30, 15


def target(x):
    return 2 * x + np.cos(25 * x)


def procedure(solve):
    """(P, repeat): test error, train error, condition, by draws from one generator in a row."""
    generator = np.random.RandomState(0)
    test_x = np.linspace(-1, 1, 1000)
    rows = np.empty((len(P), REPEATS, 3))
    for i, degree in enumerate(P):
        test = legvander(test_x, degree)[:, 1:]
        for repeat in range(REPEATS):
            x = generator.uniform(-1, 1, N)
            features = legvander(x, degree)[:, 1:]
            beta = solve(features, target(x))
            sigma = np.linalg.svd(features, compute_uv=False)
            rows[i, repeat] = (
                np.mean((test @ beta - target(test_x)) ** 2),
                np.mean((features @ beta - target(x)) ** 2),
                sigma[0] / sigma[-1],
            )
    return rows


class Polynomial(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        path = pathlib.Path(cls.folder.name) / "polynomial.nc"
        run("run", SOURCE / "jobs" / "polynomial.yaml", "-q", "-o", path, ranks=2, check=0)
        cls.file = netCDF4.Dataset(path)
        cls.group = cls.file["polynomial"]

    @classmethod
    def tearDownClass(cls):
        cls.file.close()
        cls.folder.cleanup()

    def ours(self, name):
        values = self.group[name][:]
        return np.asarray(values[0, :, 0] if values.ndim == 4 else values[:, 0])

    def compare(self, solve):
        self.assertEqual(self.group["n_features"][:].tolist(), P)
        self.assertEqual(self.group["n_train"][:].tolist(), [N])
        test, train, kappa = np.moveaxis(procedure(solve), 2, 0)
        allowed = 1e-12 + 100 * EPS * kappa
        self.assertLessEqual((abs(self.ours("sigma_max") / self.ours("sigma_min") / kappa - 1) / allowed).max(), 1)
        self.assertLessEqual((abs(self.ours("test_mse") - test) / test / allowed).max(), 1)
        self.assertLessEqual((abs(self.ours("train_mse") - train) / allowed).max(), 1)
        self.assertEqual(test.size, 900)

    def test_by_the_pseudoinverse(self):
        self.compare(lambda x, y: np.linalg.pinv(x) @ y)

    def test_by_lstsq(self):
        self.compare(lambda x, y: np.linalg.lstsq(x, y, rcond=None)[0])

    def test_the_peak_is_where_it_was_published(self):
        medians = np.median(self.ours("test_mse"), axis=1)
        self.assertEqual(P[int(medians.argmax())], N)
        self.assertGreater(medians.max(), 1e5 * medians[P.index(5)])
        self.assertGreater(medians.max(), 1e5 * medians[P.index(30)])


if __name__ == "__main__":
    unittest.main()
