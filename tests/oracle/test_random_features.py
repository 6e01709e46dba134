"""Random ReLU features on the sphere: the mean test error over fresh features, rows and noise, against the limit of Mei
and Montanari (2022, arXiv:1908.05355) away from the threshold. At finite sizes the two differ by a part of the order of
1 / inputs. The theory at this number of inputs, from the eigenvalues of the kernel (Simon and others 2023,
arXiv:2311.14646), is near at any."""
import math
import pathlib
import tempfile
import unittest

import netCDF4
import numpy as np

import tier
from program import run

REPEATS = tier.of(30, 60)
# n_features / inputs and n_train / inputs: on both sides of the threshold, and of inputs.
RATIOS = [(0.4, 2), (1, 2), (4, 2), (6, 1.5), (2, 0.8), (3, 6)]
INPUTS = (25, 100)


def study(inputs, more):
    datasets = "".join(
        f"  - {{source: sphere, name: case{i}, inputs: {inputs}, rows: {round(n * inputs) + 400}, noise: 0.5, map: random-relu,\n"
        f"     n_features: {round(p * inputs)}, n_train: {round(n * inputs)}{more}}}\n"
        for i, (p, n) in enumerate(RATIOS)
    )
    return f"repeats: {REPEATS}\nseed: 5\nablations: [none]\ndatasets:\n{datasets}"


class RandomFeatures(unittest.TestCase):
    more = ""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        at = pathlib.Path(cls.folder.name)
        cls.difference, cls.error, cls.finite = {}, {}, {}
        for inputs in INPUTS:
            (at / "study.yaml").write_text(study(inputs, cls.more))
            run("run", "study.yaml", "-q", "-o", f"{inputs}.nc", ranks=2, cwd=at, check=0)
            with netCDF4.Dataset(at / f"{inputs}.nc") as file:
                groups = [file[f"case{i}"] for i in range(len(RATIOS))]
                limit, mean, error = (
                    np.array([float(g[name][...].squeeze()) for g in groups])
                    for name in ("theory_asymptotic_test_mse", "test_mse_mean", "test_mse_standard_error")
                )
                cls.finite[inputs] = np.array([cls.finite_of(g) for g in groups]) / limit
            cls.difference[inputs], cls.error[inputs] = mean / limit - 1, error / limit

    @staticmethod
    def finite_of(group):
        """The theory at this number of inputs."""
        return float(group["theory_features_test_mse"][...].squeeze())

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_every_case_is_near_its_limit(self):
        for inputs in INPUTS:
            for i, ratios in enumerate(RATIOS):
                allowed = 4 / inputs + 4.5 * self.error[inputs][i]
                self.assertLess(abs(self.difference[inputs][i]), allowed, f"{inputs} inputs, {ratios}")

    def test_the_distance_falls_with_the_number_of_inputs(self):
        small, large = (np.abs(self.difference[inputs]).mean() for inputs in INPUTS)
        noise = max(math.sqrt((self.error[inputs] ** 2).mean()) for inputs in INPUTS)
        self.assertLess(large, small / 2 + 2 * noise)
        self.assertLess(noise, 0.04)  # else this would say nothing
        self.assertLess(large, 0.05)

    def test_theory_at_this_number_of_inputs(self):
        for inputs in INPUTS:
            off = np.abs((1 + self.difference[inputs]) / self.finite[inputs] - 1)
            for i, ratios in enumerate(RATIOS):
                self.assertLess(off[i], 0.025 + 3 * self.error[inputs][i], f"{inputs} inputs, {ratios}")
        from_limit = [np.abs(self.finite[inputs] - 1).mean() for inputs in INPUTS]  # which has no sampling error
        self.assertLess(from_limit[1], from_limit[0] / 3)


class FewInputs(unittest.TestCase):
    """30 inputs, 120 rows, noise 0.5: numbers of an implementation of its own in NumPy and SciPy (quadrature by Jacobi
    polynomials, eval_gegenbauer, brentq), times (m - 1) (m - n) / (m (m - n - 1)), where n and m are the smaller and the
    larger of P and N."""

    EXPECTED = {10: 1.1331, 50: 0.8933, 100: 2.183, 150: 1.741, 200: 0.8931, 300: 0.6105, 400: 0.5297, 600: 0.4691}

    def test_numbers(self):
        with tempfile.TemporaryDirectory() as folder:
            at = pathlib.Path(folder)
            (at / "study.yaml").write_text(
                "repeats: 1\nablations: [none, ridge: 1.0e9]\ndatasets:\n"
                "  - {source: sphere, inputs: 30, rows: 130, noise: 0.5, map: random-relu,\n"
                f"     n_features: {list(self.EXPECTED)}, n_train: 120}}\n"
            )
            run("run", "study.yaml", "-q", "-o", "study.nc", cwd=at, check=0)
            with netCDF4.Dataset(at / "study.nc") as file:
                none, nothing = file["sphere"]["theory_features_test_mse"][:, :, 0]
        for (p, expected), got in zip(self.EXPECTED.items(), none):
            n, m = sorted((p, 120))
            self.assertAlmostEqual(got / (expected * (m - 1) * (m - n) / (m * (m - n - 1))), 1, delta=2e-3)
        for got in nothing:  # predicting nothing: the teacher's 1, and the noise
            self.assertAlmostEqual(got, 1.25, delta=1e-3)


@tier.in_all_alone
class RandomFeaturesWithAnIntercept(RandomFeatures):
    """One more direction changes nothing in the limit; P counts it, so that the limit diverges where the error does."""

    more = ", intercept: true"
    test_theory_at_this_number_of_inputs = None  # it has none with an intercept

    @staticmethod
    def finite_of(group):
        return float("nan")


if __name__ == "__main__":
    unittest.main()
