#!/usr/bin/python3
"""The figure of autoencoders, drawn by analysis/figures.py from small results files made here.

    /usr/bin/python3 tests/analysis/test_autoencoder_figure.py
"""

from __future__ import annotations

import unittest
from pathlib import Path

from drawing import MISSING, DrawingTest, keep_font_cache, png_size

if not MISSING:
    import netCDF4
    import numpy as np

    from test_figures import SMALL, SMALL_FIGURES, Group, write_results

DONE, ABSENT, DIVERGED = 0, 1, 2
N_TRAIN = (5, 10, 40, 100, 300, 1000)
INFINITE, BATCH = 2147483647, 64
LOSS = (1.0, 1.01, 1.2, 2.3, 0.99, 0.97)


def write_autoencoder(path: Path, hidden=(2,), n_train=N_TRAIN, repeats=3, name="autoencoder", status=None) -> Path:
    """A group as `ridgeless run` lays it out; status[i_hidden, i_n_train, repeat] (default: all done)."""
    rng = np.random.default_rng(3)
    shape = (len(hidden), len(n_train), repeats)
    status = np.full(shape, DONE) if status is None else status
    drawn = np.array([BATCH if t == INFINITE else t for t in n_train])
    most = drawn.max()
    n, lengths = 30, {"n_hidden": len(hidden), "n_train": len(n_train), "repeat": repeats, "step": 3, "component": 2}
    with netCDF4.Dataset(path, "a" if path.exists() else "w") as root:
        to = root.createGroup(name)
        to.kind = "autoencoder"
        for dimension, length in (lengths | {"feature": n, "example": most}).items():
            to.createDimension(dimension, length)

        def put(variable: str, dimensions: tuple[str, ...], values: np.ndarray) -> None:
            if variable.endswith(("loss", "dimension", "embedding")):
                values = values.copy()
                values[status != DONE] = np.nan
            kind = "i1" if variable == "status" else "i4" if values.dtype.kind == "i" else "f8"
            to.createVariable(variable, kind, dimensions)[:] = values

        sets = ("n_hidden", "n_train", "repeat")
        put("n_hidden", ("n_hidden",), np.array(hidden))
        put("n_train", ("n_train",), np.array(n_train))
        put("status", sets, status)
        loss = np.resize(LOSS, len(n_train))[None, :, None, None] * rng.lognormal(0, 0.01, (*shape, 3))
        put("test_relative_loss", (*sets, "step"), loss)
        put("train_relative_loss", (*sets, "step"), 0.9 * np.minimum(loss, 1))
        put("feature_dimension", (*sets, "feature"), rng.random((*shape, n)))
        examples = np.broadcast_to(np.arange(most) < drawn[None, :, None, None], (*shape, most))
        put("example_dimension", (*sets, "example"), np.where(examples, 0.3, np.nan))
        if 2 in hidden:
            put("feature_embedding", (*sets, "component", "feature"), rng.normal(size=(*shape, 2, n)))
            vectors = rng.normal(size=(*shape, 2, most))
            put("example_embedding", (*sets, "component", "example"), np.where(examples[..., None, :], vectors, np.nan))
    return path


@unittest.skipIf(MISSING, MISSING)
class AutoencoderFigure(DrawingTest):
    program = "figures.py"

    def run_figures(self, *arguments: object, status: int = 0) -> tuple[list[Path], list[str]]:
        """One kind of file and no report: both have tests of their own."""
        less = () if "--format" in arguments else ("--format", "png")
        return super().run_figures(*arguments, *less, "--no-report", status=status)

    @classmethod
    def setUpClass(cls) -> None:
        keep_font_cache()

    def setUp(self) -> None:
        super().setUp()
        self.results = self.folder / "study.nc"

    def drawn(self, messages: int = 0, *arguments: object) -> dict[str, tuple[int, int]]:
        """Name and size in pixels of every figure."""
        paths, lines = self.run_figures(self.results, *arguments)
        self.assertEqual(len(lines), messages, lines)
        self.lines = lines
        return {path.stem: png_size(path) for path in paths}

    def test_losses_dimensions_and_planes(self) -> None:
        write_autoencoder(self.results)
        ((name, (width, height)),) = self.drawn().items()
        self.assertEqual(name, "autoencoder")
        self.assertGreater(height, 0.6 * width)  # with the planes below

    def test_planes_need_two_dimensions(self) -> None:
        write_autoencoder(self.results, hidden=(3,))
        ((_, (width, height)),) = self.drawn().items()
        self.assertLess(height, 0.5 * width)

    def test_the_infinite_training_set_is_to_the_right(self) -> None:
        from read import trainings

        write_autoencoder(self.results, n_train=(*N_TRAIN[:5], INFINITE))
        self.assertEqual(list(self.drawn()), ["autoencoder"])
        (shown,) = trainings.read_all([self.results])
        self.assertEqual(shown.places().tolist(), [*N_TRAIN[:5], 5 * N_TRAIN[4]])
        self.assertEqual([shown.examples_text(i) for i in (4, 5)], ["300", "∞"])
        self.assertEqual(shown.embedding("example", 5).shape, (2, BATCH))

    def test_captions_say_what_was_run(self) -> None:
        from figures import autoencoder
        from read import trainings

        status = np.full((1, 6, 3), DONE)
        status[0, 5] = ABSENT
        write_autoencoder(self.results, n_train=(*N_TRAIN[:5], INFINITE), status=status)
        with netCDF4.Dataset(self.results, "a") as root:
            root["autoencoder"].steps, root["autoencoder"].sparsity = 50000.0, 0.999
        (shown,) = trainings.read_all([self.results])
        expected = "Run: 30 features with a sparsity of 0.999, T = 5 to ∞ (6 values), 15 of 18 trainings, 50,000 steps each."
        self.assertTrue(autoencoder._caption(shown, [], None).see.endswith(expected))

    def test_a_map_of_several_numbers_of_hidden_dimensions(self) -> None:
        from figures import autoencoder_map
        from read import trainings

        write_autoencoder(self.results, hidden=(2, 3, 5), name="toy")
        self.assertEqual(list(self.drawn()), ["toy-2", "toy-3", "toy-5", "toy_map"])
        norm = autoencoder_map._norm(np.array([trainings.read_all([self.results])[0].loss("test").median]))
        self.assertAlmostEqual((norm.vmin + norm.vmax) / 2, 1)
        self.assertGreater(norm.vmax, 2.2)

    def test_the_published_axis_where_losses_are_close_to_one(self) -> None:
        from figures import autoencoder
        from read.results import Curve

        def limits(*test: float) -> tuple[float, float]:
            return autoencoder._limits(Curve(np.array(test), {}, np.array(test)))

        self.assertEqual(limits(1.005, np.nan, 1.015, 0.999), (0.998, 1.022))
        low, high = limits(1.005, 1.074, 0.99)
        self.assertTrue(0.98 < low < 0.99 and 1.074 < high < 1.08)
        self.assertLess(limits(1, 2.3, 0.9)[0], 0)

    def test_a_figure_for_each_number_of_hidden_dimensions(self) -> None:
        write_autoencoder(self.results, hidden=(1, 2), name="toy")
        write_autoencoder(self.results, name="other")
        self.assertEqual(list(self.drawn()), ["toy-1", "toy-2", "other"])

    def test_beside_data_sets(self) -> None:
        write_results(self.results, Group(variants=SMALL))
        write_autoencoder(self.results)
        paths, _ = self.run_figures(self.results)
        self.assertEqual([path.stem for path in paths], [*SMALL_FIGURES, "autoencoder"])

    def test_little_of_it(self) -> None:
        write_autoencoder(self.results, n_train=(40,), repeats=1)
        self.assertEqual(list(self.drawn(1, "--mean")), ["autoencoder"])

    def test_what_is_missing_is_told(self) -> None:
        status = np.full((1, 6, 3), DONE)
        status[0, 3], status[0, 0, :2], status[0, 5, 0] = ABSENT, ABSENT, DIVERGED
        write_autoencoder(self.results, status=status)
        self.assertEqual(list(self.drawn(1)), ["autoencoder"])
        self.assert_one_line(self.lines, "of 18 trainings 5 are missing and 1 diverged")

    def test_nothing_is_there(self) -> None:
        write_autoencoder(self.results, status=np.full((1, 6, 3), ABSENT))
        self.assertEqual(self.drawn(2), {})
        self.assert_one_line(self.lines, "not drawn", "autoencoder")

    def test_a_group_that_lacks_something_is_refused(self) -> None:
        write_autoencoder(self.results)
        with netCDF4.Dataset(self.results, "a") as root:
            root["autoencoder"].renameVariable("test_relative_loss", "loss")
        paths, messages = self.run_figures(self.results, status=2)
        self.assertEqual(paths, [])
        self.assert_one_line(messages, "group autoencoder has no test_relative_loss")

    def test_planes_are_under_at_and_over_the_peak(self) -> None:
        from figures import autoencoder

        def chosen(*test: float) -> list[int]:
            return [index for index, _ in autoencoder._chosen(np.array(test))]

        self.assertEqual(chosen(*LOSS), [0, 1, 3, 4, 5])
        self.assertEqual(chosen(1, 1, np.nan, 3, 1.5, 1.2, 0.9, 0.8), [0, 1, 3, 6, 7])
        self.assertEqual(chosen(2, 1), [0, 1])
        self.assertEqual(chosen(np.nan, 1), [1])

    def test_curves_are_medians_over_repeats(self) -> None:
        from read import trainings

        write_autoencoder(self.results, repeats=5)
        (shown,) = trainings.read_all([self.results])
        with netCDF4.Dataset(self.results) as root:
            losses = np.ma.filled(root["autoencoder"]["test_relative_loss"][0, :, :, -1], np.nan)
            dimensions = np.ma.filled(root["autoencoder"]["feature_dimension"][0], np.nan)
        np.testing.assert_array_equal(shown.loss("test").median, np.median(losses, axis=1))
        np.testing.assert_array_equal(shown.largest_dimension("feature").median, np.median(dimensions.max(axis=2), axis=1))
        self.assertEqual(shown.embedding("example", 1).shape, (2, 10))


if __name__ == "__main__":
    unittest.main()
