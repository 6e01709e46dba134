"""Random ReLU features on the sphere: the mean test error over fresh features, rows and noise, against the limit of Mei
and Montanari (2022, arXiv:1908.05355) away from the threshold. At finite sizes the two differ by a part of the order of
1 / inputs."""
import math
import pathlib
import tempfile
import unittest

import netCDF4
import numpy as np

from program import run

REPEATS = 60
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
        cls.difference, cls.error = {}, {}
        for inputs in INPUTS:
            (at / "study.yaml").write_text(study(inputs, cls.more))
            run("run", "study.yaml", "-q", "-o", f"{inputs}.nc", ranks=2, cwd=at, check=0)
            with netCDF4.Dataset(at / f"{inputs}.nc") as file:
                groups = [file[f"case{i}"] for i in range(len(RATIOS))]
                limit, mean, error = (
                    np.array([float(g[name][...].squeeze()) for g in groups])
                    for name in ("theory_asymptotic_test_mse", "test_mse_mean", "test_mse_standard_error")
                )
            cls.difference[inputs], cls.error[inputs] = mean / limit - 1, error / limit

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


class RandomFeaturesWithAnIntercept(RandomFeatures):
    """One more direction changes nothing in the limit; P counts it, so that the limit diverges where the error does."""

    more = ", intercept: true"


if __name__ == "__main__":
    unittest.main()
