#!/usr/bin/python3
"""Runs analysis/figures.py on small results files made here, as a user would: files, messages, exit status.

    /usr/bin/python3 tests/analysis/test_figures.py
"""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
import tempfile
import unittest
from dataclasses import dataclass, field
from pathlib import Path

from drawing import ANALYSIS, MISSING, DrawingTest, keep_font_cache, png_size, run_in_child, tier

if not MISSING:
    import netCDF4
    import numpy as np

QUANTILES = [0.05, 0.25, 0.5, 0.75, 0.95]
if not MISSING:
    BUCKETS = np.exp2(np.arange(-100 * 128, 40 * 128 + 1) / 128)  # edges, of a summary
PAPER = [
    ("none", None),
    ("cutoff", 0.01),
    ("cutoff", 0.1),
    ("leading_modes", 1),
    ("leading_modes", 3),
    ("no_residuals", None),
]
EXTRA = [("adversarial_test", 0), ("adversarial_test", -1), ("adversarial_train", 2), ("ridge", 0.1), ("ridge", 1)]
EXTRA += [("gradient_descent", 10), ("gradient_descent", 1000), ("gradient_descent_run", 10)]
SMALL = [("none", None), ("cutoff", 0.1)]  # where the number of figures does not matter
SMALL_FIGURES = ["error", "cutoff", "cutoff_train", "sigma_min"]
PAPER_FIGURES = ["error", "cutoff", "leading_modes", "no_residuals", "cutoff_train", "sigma_min"]
MODE_FIGURES = ["factors", "shares"]
EXTRA_FIGURES = ["adversarial_test", "adversarial_train", "ridge", "gradient_descent", "gradient_descent_run"]


@dataclass
class Group:
    """What a made-up dataset of a results file is like."""

    name: str = "diabetes"
    n_features: tuple[int, ...] = (4,)
    n_train: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 8, 12)
    repeats: int = 7
    variants: list[tuple[str, float | None]] = field(default_factory=lambda: list(PAPER))
    labels: list[str] | None = None
    cells: bool = True
    reduced: bool = True
    modes: bool = False
    population: bool = False
    train: bool = True
    bias: bool = False
    predicted: float | None = None  # predictions from second moments over what is measured
    null: tuple[float, float] | None = None  # errors of predicting 0, and the mean
    missing: tuple[int, ...] = ()  # indices along n_train
    failed: tuple[int, ...] = ()
    runaway: float = 1.0  # factor on the last variant's errors
    summary: bool = False  # counts in buckets in the place of each repeat's values
    exact: bool = False  # a target that the features explain: errors at rounding level from the threshold on

    def errors(self) -> tuple[np.ndarray, np.ndarray]:
        """test_mse, train_mse [variant, n_features, n_train, repeat]: a spike at N = P that ablations lower."""
        rng = np.random.default_rng(7)
        shape = (len(self.variants), len(self.n_features), len(self.n_train), self.repeats)
        n, p = np.array(self.n_train, float), np.array(self.n_features, float)[:, None]
        spike = 1 + 30 / (np.abs(n - p) + 0.3)
        test = spike[None, :, :, None] * rng.lognormal(0, 1, shape)
        train = np.where(n > p, 1 - p / n, 1e-28)[None, :, :, None] * rng.lognormal(0, 0.3, shape)
        for i, (ablation, _) in enumerate(self.variants):
            if ablation == "no_residuals" or self.exact:
                test[i] = np.where((n >= p)[:, :, None], 1e-27, test[i] / 10)
        test[-1] *= self.runaway
        for values in (test, train):
            values[:, :, list(self.missing + self.failed)] = np.nan
        return test, train


def write_results(path: Path, *groups: Group) -> Path:
    """A results file as `ridgeless run` lays it out."""
    with netCDF4.Dataset(path, "w") as root:
        root.title = "a study"
        for group in groups:
            write_group(root.createGroup(group.name), group)
        root.createGroup("provenance").host = "here"
    return path


def write_group(to: netCDF4.Group, group: Group) -> None:
    lengths = {"variant": len(group.variants), "n_features": len(group.n_features), "n_train": len(group.n_train)}
    lengths |= {"quantile": 5, "mode": max(group.n_features)}
    lengths |= {"bucket": BUCKETS.size - 1, "status": 5} if group.summary else {"repeat": group.repeats}
    for name, length in lengths.items():
        to.createDimension(name, length)
    to.threshold = to.n_features = np.int32(group.n_features[0])
    labels = group.labels or [a if p is None else f"{a}={p:g}" for a, p in group.variants]
    for name, texts in (("variant", labels), ("ablation", [a for a, _ in group.variants])):
        variable = to.createVariable(name, str, ("variant",))
        for i, text in enumerate(texts):
            variable[i] = text
    put(to, "parameter", ("variant",), np.array([np.nan if p is None else p for _, p in group.variants]))
    put(to, "n_features", ("n_features",), np.array(group.n_features))
    put(to, "n_train", ("n_train",), np.array(group.n_train))
    if group.summary:
        to.n_repeats = np.int32(group.repeats)
        put(to, "bucket_lower", ("bucket",), BUCKETS[:-1])
        put(to, "bucket_upper", ("bucket",), BUCKETS[1:])
    else:
        put(to, "repeat", ("repeat",), np.arange(group.repeats))
    put(to, "quantile", ("quantile",), np.array(QUANTILES))
    write_values(to, group)


def write_values(to: netCDF4.Group, group: Group) -> None:
    spectrum = ("n_features", "n_train", "repeat")
    test, train = group.errors()
    put_field(to, group, "test_mse", ("variant", *spectrum), test)
    if group.train:
        put_field(to, group, "train_mse", ("variant", *spectrum), train)
    if group.population:
        put_field(to, group, "population_mse", ("variant", *spectrum), test * 1.1)
    if group.predicted:
        with np.errstate(all="ignore"):
            for name, measured in (("", np.nanmean(test, -1)), ("_median", np.nanmedian(test, -1))):
                put(to, f"theory_table_test_mse{name}", ("variant", *spectrum[:-1]), group.predicted * measured)
    if group.null:
        for name, value in zip(("null_mse", "target_variance"), group.null):
            put(to, name, ("n_features",), np.full(len(group.n_features), value))
    if group.bias:
        n, p = np.array(group.n_train)[:, None], np.array(group.n_features)[:, None, None]
        put(to, "test_bias_mse", spectrum, np.where(n < p, test[0] / 10, 1e-28))
    sigma_min = 1 / test[0]
    put_field(to, group, "sigma_min", spectrum, sigma_min)
    status = np.zeros(sigma_min.shape, "i1")
    status[:, list(group.missing)] = 1
    status[:, list(group.failed)] = 2
    if group.summary:
        counts = np.stack([(status == flag).sum(axis=-1) for flag in range(5)], axis=-1)
        put(to, "status_count", (*spectrum[:-1], "status"), counts)
    else:
        put(to, "status", spectrum, status)
    if group.modes:
        rng = np.random.default_rng(3)
        values = rng.lognormal(0, 1, (*sigma_min.shape, max(group.n_features)))
        for i, n in enumerate(group.n_train):
            values[:, i, :, n:] = np.nan
        for name in ("sigma", "test_projection_rms", "residual_projection"):
            put(to, name, (*spectrum, "mode"), values)


def put_field(to: netCDF4.Group, group: Group, name: str, dims: tuple[str, ...], values: np.ndarray) -> None:
    """The values of every repeat, the reduced ones, or both; of a summary counts in their place."""
    if group.summary:
        flat = values.reshape(-1, values.shape[-1])
        counts = [np.histogram(row[np.isfinite(row)], BUCKETS)[0] for row in flat]
        put(to, f"{name}_bucket_count", (*dims[:-1], "bucket"), np.reshape(counts, (*values.shape[:-1], -1)))
        put(to, f"{name}_maximum", dims[:-1], values.max(axis=-1))
    elif group.cells:
        put(to, name, dims, values)
    if group.reduced:
        put(to, f"{name}_median", dims[:-1], np.median(values, axis=-1))
        put(to, f"{name}_mean", dims[:-1], np.mean(values, axis=-1))
        with np.errstate(invalid="ignore"):  # between two infinite values
            table = np.moveaxis(np.quantile(values, QUANTILES, axis=-1), 0, -1)
        put(to, f"{name}_quantile", (*dims[:-1], "quantile"), table)


def put(to: netCDF4.Group, name: str, dims: tuple[str, ...], values: np.ndarray) -> None:
    fill = np.nan if values.dtype.kind == "f" else None
    to.createVariable(name, values.dtype, dims, fill_value=fill)[:] = values


def setUpModule() -> None:
    keep_font_cache()


@unittest.skipIf(MISSING, MISSING)
class FiguresTest(DrawingTest):
    program = "figures.py"

    def setUp(self) -> None:
        super().setUp()
        self.results = self.folder / "study.nc"

    def run_figures(self, *arguments: object, status: int = 0) -> tuple[list[Path], list[str]]:
        """One kind of file and no report, where nothing else is asked for: the report has tests of its own."""
        less = () if "--format" in arguments else ("--format", "png")
        return super().run_figures(*arguments, *less, "--no-report", status=status)

    def draw(self, *groups: Group, arguments: tuple[str, ...] = ()) -> tuple[dict[str, tuple[int, int]], list[str]]:
        """Sizes of the PNGs by name, checked to be in the default folder, and the lines on standard error."""
        write_results(self.results, *groups)
        paths, messages = self.run_figures(self.results, *arguments)
        self.assertEqual({path.parent for path in paths}, {self.folder / "study-figures"})
        for path in paths:
            self.assertGreater(path.stat().st_size, 5000, path)
        return {path.stem: png_size(path) for path in paths if path.suffix == ".png"}, messages


class WhatIsDrawn(FiguresTest):
    def test_summaries_beside_cells(self) -> None:
        groups = (
            Group("diabetes", variants=SMALL, summary=True, repeats=1500),
            Group("who", variants=SMALL, repeats=30),
            Group("cut", variants=SMALL, summary=True, missing=(3,)),
        )
        sizes, messages = self.draw(*groups)
        self.assertEqual(list(sizes), [*SMALL_FIGURES, "tails"])
        self.assert_one_line(messages, "cut: of 56 spectra 7 are missing and 0 failed")
        self.assert_one_line(messages, "not drawn", *MODE_FIGURES)
        self.assertEqual(sum("without single repeats" in line for line in messages), 2)

    @tier.in_all_alone
    def test_paper_study(self) -> None:
        names = ("student-teacher", "california", "diabetes", "who")
        sizes, messages = self.draw(*[Group(name) for name in names])
        self.assertEqual(list(sizes), PAPER_FIGURES)
        for name, (width, height) in sizes.items():
            self.assertTrue(1000 < width < 3000 and 800 < height < 2500, f"{name}: {width} x {height}")
        self.assertEqual(len(messages), 1)
        self.assert_one_line(messages, "not drawn", ", ".join(EXTRA_FIGURES), *MODE_FIGURES)

    def test_everything(self) -> None:
        group = Group(variants=PAPER + EXTRA, modes=True, population=True)
        sizes, messages = self.draw(group)
        self.assertEqual(list(sizes), PAPER_FIGURES + MODE_FIGURES + EXTRA_FIGURES + ["descent_error"])
        self.assertEqual(len(messages), 1)
        self.assert_one_line(messages, "not drawn", "geometry, descent, theory_error, theory_sigma_min, tails")

    def test_bias_and_null_lines(self) -> None:
        sizes, _ = self.draw(Group(variants=SMALL, bias=True, null=(20.0, 3.0)))
        self.assertEqual(list(sizes), [*SMALL_FIGURES, "bias"])
        with_lines = (self.folder / "study-figures" / "cutoff.png").read_bytes()
        self.draw(Group(variants=SMALL, bias=True))
        self.assertNotEqual(with_lines, (self.folder / "study-figures" / "cutoff.png").read_bytes())

    def test_predictions_from_second_moments(self) -> None:
        sizes, _ = self.draw(Group(variants=[("none", None), ("ridge", 0.1), ("ridge", 1.0)], predicted=1.5))
        self.assertEqual(list(sizes), ["error", "sigma_min", "ridge", "prediction"])

    @tier.in_all_alone
    def test_summary_only(self) -> None:
        sizes, _ = self.draw(Group(cells=False))
        self.assertEqual(list(sizes), PAPER_FIGURES)

    @tier.in_all_alone
    def test_cells_only(self) -> None:
        sizes, _ = self.draw(Group(reduced=False), arguments=("--mean",))
        self.assertEqual(list(sizes), PAPER_FIGURES)

    def test_summary_and_cells_look_the_same(self) -> None:
        pictures = []
        for group in (Group(cells=False), Group(reduced=False)):
            group.variants = SMALL
            self.draw(group)
            pictures.append((self.folder / "study-figures" / "cutoff.png").read_bytes())
        self.assertEqual(pictures[0], pictures[1])

    @tier.in_all_alone
    def test_panels_are_laid_out(self) -> None:
        sizes = {}
        for n in (1, 2, 3, 4, 5, 7):
            groups = [Group(f"set{i}", variants=SMALL[:1]) for i in range(n)]
            sizes[n] = self.draw(*groups)[0]["error"]
        self.assertLess(sizes[1][0], sizes[2][0])
        self.assertLess(sizes[2][0], sizes[3][0])
        self.assertEqual(sizes[4][0], sizes[2][0])  # 2 + 2
        self.assertEqual(sizes[5][0], sizes[3][0])  # 3 + 2
        self.assertLess(sizes[5][0], sizes[7][0])  # 4 + 3
        for n, (width, height) in sizes.items():
            self.assertLess(width / height, 4, f"{n} panels")

    def test_several_feature_counts(self) -> None:
        sizes, _ = self.draw(Group(n_features=(2, 4), variants=SMALL[:1]))
        two_datasets, _ = self.draw(Group("a", variants=SMALL[:1]), Group("b", variants=SMALL[:1]))
        self.assertEqual(sizes["error"], two_datasets["error"])

    def test_one_repeat(self) -> None:
        sizes, messages = self.draw(Group(repeats=1, variants=SMALL, modes=True), arguments=("--mean",))
        self.assertEqual(list(sizes), SMALL_FIGURES + MODE_FIGURES)

    def test_one_n(self) -> None:
        for n in tier.of((4,), (1, 4, 400)):
            sizes, _ = self.draw(Group(n_train=(n,), variants=SMALL, modes=True))
            self.assertEqual(list(sizes), SMALL_FIGURES + MODE_FIGURES)

    def test_missing_and_failed_spectra(self) -> None:
        sizes, messages = self.draw(Group(variants=SMALL, missing=(0, 3), failed=(5,)))
        self.assertEqual(list(sizes), SMALL_FIGURES)
        self.assert_one_line(messages, "diabetes", "of 56 spectra 14 are missing and 7 failed")  # 8 N x 7 repeats

    def test_dataset_without_any_value(self) -> None:
        sizes, messages = self.draw(Group("empty", missing=tuple(range(8))), Group(variants=SMALL))
        self.assertEqual(list(sizes), SMALL_FIGURES)
        self.assert_one_line(messages, "empty", "56 are missing")
        self.assert_one_line(messages, "cutoff: nothing to draw for empty")

    def test_nothing_computed_yet(self) -> None:
        write_results(self.results, Group(missing=tuple(range(8))))
        paths, messages = self.run_figures(self.results)
        self.assertEqual(paths, [])
        self.assert_one_line(messages, "not drawn", "error", "sigma_min")

    def test_success_is_one_line(self) -> None:
        write_results(self.results, Group(variants=SMALL[:1]))
        into = self.results.with_name("study-figures")
        drawn = f"2 figures in {into}; "
        where = f"open {into}/report.html (its section `What is not here` says what is not drawn, and why)\n"
        for arguments, end in (((), where), (("--no-report",), "--verbose says what is not drawn, and why\n")):
            done = run_in_child(ANALYSIS / self.program, [str(self.results), "--format", "png", *arguments], self.folder, 600)
            self.assertEqual(done, (0, drawn + end, ""))
        self.assertIn('<section id="notes"><h2>What is not here</h2>', (into / "report.html").read_text(encoding="utf-8"))

    def test_no_figure_says_why(self) -> None:
        write_results(self.results, Group(missing=tuple(range(8))))
        status, out, err = run_in_child(ANALYSIS / self.program, [str(self.results), "--no-report"], self.folder, 600)
        self.assertEqual((status, out[:13]), (0, "0 figures in "))
        self.assert_one_line(err.splitlines(), "not drawn", "error")

    def test_control_c_ends_it_without_a_word(self) -> None:
        text = "import os, signal, pathlib\nfrom draw import command\n"
        text += "command.carry_out(lambda: os.kill(os.getpid(), signal.SIGINT), pathlib.Path())\n"
        (self.folder / "stopped.py").write_text(text)
        self.assertEqual(run_in_child(self.folder / "stopped.py", [], self.folder, 600), (-signal.SIGINT, "", ""))

    def told(self, *words: str, shell: str) -> tuple[int, list[str]]:
        """The exit status of a line of a shell, and what it printed as errors."""
        line = " ".join(shlex.quote(word) for word in (sys.executable, *words))
        done = subprocess.run(["bash", "-c", f"{line} {shell}"], cwd=self.folder, stderr=subprocess.PIPE, text=True)
        return done.returncode, done.stderr.splitlines()

    def test_an_answer_that_cannot_be_written_is_an_error(self) -> None:
        write_results(self.results, Group(variants=SMALL[:1]))
        program = str(ANALYSIS / self.program)
        full = f"{self.program}: standard output: cannot be written: No space left on device"
        drawn = [program, str(self.results), "--no-report", "--format", "png"]
        self.assertEqual(self.told(program, "--help", shell=">/dev/full"), (1, [full]))
        self.assertEqual(self.told(*drawn, shell=">/dev/full"), (1, [full]))
        if tier.ALL:
            closed = f"{self.program}: standard output: cannot be written: it is closed"
            self.assertEqual(self.told(*drawn, shell=">&-"), (1, [closed]))
            self.assertEqual(self.told(*drawn, shell=">/dev/null 2>/dev/full")[0], 0)

    def test_some_ablations(self) -> None:
        sizes, messages = self.draw(Group(variants=[("none", None), ("ridge", 1.0)]))
        self.assertEqual(list(sizes), ["error", "sigma_min", "ridge"])
        self.assert_one_line(messages, "not drawn", "cutoff, leading_modes, no_residuals", "adversarial_test")

    def test_no_unablated_fit(self) -> None:
        sizes, messages = self.draw(Group(variants=[("cutoff", 0.1)]))
        self.assertEqual(list(sizes), ["cutoff", "cutoff_train", "sigma_min"])
        self.assert_one_line(messages, "not drawn", "error")

    def test_ablation_of_one_dataset_only(self) -> None:
        sizes, messages = self.draw(Group("who", variants=SMALL), Group(variants=SMALL[:1]))
        self.assertEqual(list(sizes), SMALL_FIGURES)
        self.assertLess(sizes["cutoff"][0], sizes["error"][0])
        self.assert_one_line(messages, "cutoff: nothing to draw for diabetes")

    def test_unknown_ablation(self) -> None:
        sizes, _ = self.draw(Group(variants=[("none", None), ("early dropout", 0.5)]))
        self.assertIn("early_dropout", sizes)

    def test_labels_with_options(self) -> None:
        variants = [("none", None), ("cutoff", 0.1), ("cutoff", 0.1)]
        sizes, _ = self.draw(Group(variants=variants, labels=["none", "cutoff=0.1", "cutoff=0.1 relative"]))
        self.assertIn("cutoff", sizes)

    def test_no_train_error(self) -> None:
        sizes, _ = self.draw(Group(train=False, variants=SMALL))
        self.assertIn("error", sizes)

    @tier.in_all_alone
    def test_errors_at_rounding(self) -> None:
        sizes, _ = self.draw(Group(exact=True))
        self.assertEqual(list(sizes), PAPER_FIGURES)

    def test_fit_that_diverges(self) -> None:
        for runaway in tier.of((np.inf,), (1e305, np.inf, 1e-305)):
            variants = [("none", None), ("gradient_descent", 10), ("gradient_descent", 1000)]
            sizes, _ = self.draw(Group(variants=variants, runaway=runaway))
            against_steps = ["descent_error"] if np.isfinite(runaway) else []
            self.assertEqual(list(sizes), ["error", "sigma_min", "gradient_descent", *against_steps])


class Options(FiguresTest):
    def test_formats_folder_and_bytes(self) -> None:
        write_results(self.results, Group(variants=SMALL[:1]))
        paths, _ = self.run_figures(self.results, "-o", "a/new/folder", "--format", "png,pdf")
        names = [f"{name}.{ending}" for name in ("error", "sigma_min") for ending in ("png", "pdf")]
        self.assertEqual([str(path) for path in paths], [f"a/new/folder/{name}" for name in names])
        again, _ = self.run_figures(self.results, "-o", "b", "--format", "png,pdf")
        for path, other in zip(paths, again):
            content = (self.folder / path).read_bytes()
            self.assertEqual(content[:4], b"%PDF" if path.suffix == ".pdf" else b"\x89PNG")
            self.assertEqual(content, (self.folder / other).read_bytes(), f"{path}: other bytes the second time")

    @tier.in_all_alone
    def test_several_files_are_drawn_as_one(self) -> None:
        groups = [Group(name=name, variants=SMALL, n_features=(p,)) for name, p in (("diabetes", 4), ("who", 6))]
        whole = write_results(self.folder / "whole.nc", *groups)
        parts = [write_results(self.folder / f"paper-{group.name}.nc", group) for group in groups]
        paths, messages = self.run_figures(*parts)
        self.assert_one_line(messages, "not drawn")
        self.assertEqual(paths, [self.folder / "paper-figures" / f"{name}.png" for name in SMALL_FIGURES])
        for path, other in zip(paths, self.run_figures(whole)[0]):
            self.assertEqual(path.read_bytes(), other.read_bytes(), path)
        first, second = (self.folder / name for name in ("a.nc", "b.nc"))  # nothing in common
        parts[0].rename(first), parts[1].rename(second)
        self.assertEqual(self.run_figures(first, second)[0][0], self.folder / "study-figures" / "error.png")

    def test_a_dataset_twice_is_refused(self) -> None:
        one, two = (write_results(self.folder / f"{name}.nc", Group(variants=SMALL)) for name in ("one", "two"))
        _, messages = self.run_figures(one, two, status=2)
        self.assert_one_line(messages, "two.nc: holds the dataset diabetes, as", "one.nc does")

    def test_x_axis(self) -> None:
        """N for one data set, P/N for two, unless asked otherwise."""
        for groups, same in ((["who"], "n_train"), (["who", "diabetes"], "ratio"))[: tier.of(1, 2)]:
            write_results(self.results, *[Group(name, variants=SMALL[:1]) for name in groups])
            pictures = {}
            for x in ("ratio", "n_train", ""):
                self.run_figures(self.results, "-o", f"x{x}", *(("--x", x) if x else ()))
                pictures[x] = (self.folder / f"x{x}" / "error.png").read_bytes()
            self.assertNotEqual(pictures["ratio"], pictures["n_train"])
            self.assertEqual(pictures[""], pictures[same])

    @tier.in_all_alone
    def test_chosen_n_and_repeats(self) -> None:
        write_results(self.results, Group(variants=SMALL, modes=True))
        pictures = []
        for i, arguments in enumerate(((), ("--n-train", "2,4,8"), ("--repeats", "3"), ("--repeats", "3,1"))):
            _, messages = self.run_figures(self.results, "-o", str(i), *arguments)
            self.assertEqual(len(messages), 1)
            pictures.append((self.folder / str(i) / "factors.png").read_bytes())
        self.assertEqual(len(set(pictures)), 4)
        _, messages = self.run_figures(self.results, "--n-train", "4,7", "--repeats", "0,9")
        self.assert_one_line(messages, "diabetes: has no N = 7 and no repeat 9")
        paths, _ = self.run_figures(self.results, "--repeats", "9")
        self.assertIn("error.png", [path.name for path in paths])

    def test_mean_warns(self) -> None:
        _, messages = self.draw(Group(variants=SMALL[:1]), arguments=("--mean",))
        self.assert_one_line(messages, "--mean", "means do not exist at the threshold", "Gaussian")

    def test_bad_arguments(self) -> None:
        write_results(self.results, Group())
        for arguments in (("--format", "gif"), ("--x", "P"), ("--means",), ("--repeats", "one"), ("--n-train", "-1")):
            paths, messages = self.run_figures(self.results, *arguments, status=2)
            self.assertEqual(paths, [])
            self.assertIn("error:", messages[-1])

    def test_help_needs_no_results(self) -> None:
        command = [sys.executable, str(ANALYSIS / self.program), "--help"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
        self.assertEqual(done.returncode, 0)
        self.assertIn("--format", done.stdout)


class BadFiles(FiguresTest):
    def assert_refused(self, path: Path, *parts: str) -> None:
        paths, messages = self.run_figures(path, status=2)
        self.assertEqual(paths, [])
        self.assertEqual(len(messages), 1, messages)
        self.assert_one_line(messages, str(path), *parts)
        self.assertFalse(path.with_name(path.name + "-figures").exists())

    def test_missing(self) -> None:
        self.assert_refused(self.folder / "none.nc", "no such file")

    def test_folder(self) -> None:
        self.assert_refused(self.folder, "a folder")

    def test_not_netcdf(self) -> None:
        self.results.write_text("datasets:\n  - diabetes\n")
        self.assert_refused(self.results, "cannot be read as NetCDF")

    def test_a_study_file_instead_of_its_results(self) -> None:
        write_results(self.results, Group())
        study = self.results.with_suffix(".yaml")
        study.write_text("datasets:\n  - diabetes\n")
        self.assert_refused(study, "cannot be read as NetCDF (Unknown file format)", f"did you mean {self.results}?")
        self.assert_refused(self.results.with_suffix(""), "no such file", f"did you mean {self.results}?")

    def test_empty_file(self) -> None:
        self.results.touch()
        self.assert_refused(self.results, "cannot be read as NetCDF")

    def test_truncated(self) -> None:
        write_results(self.results, Group())
        content = self.results.read_bytes()
        self.results.write_bytes(content[: len(content) // 2])
        self.assert_refused(self.results, "cannot be read")

    def test_another_netcdf(self) -> None:
        with netCDF4.Dataset(self.results, "w") as root:
            root.createDimension("time", 3)
            root.createVariable("temperature", "f8", ("time",))[:] = 1
        self.assert_refused(self.results, "not a results file")

    def test_group_that_is_no_dataset(self) -> None:
        write_results(self.results, Group(variants=SMALL))
        with netCDF4.Dataset(self.results, "a") as root:
            root.createGroup("weather").createDimension("n_train", 2)
        paths, messages = self.run_figures(self.results)
        self.assertEqual([path.stem for path in paths], SMALL_FIGURES)
        self.assert_one_line(messages, "group weather", "left out")

    def test_group_without_numbers(self) -> None:
        write_results(self.results, Group())
        with netCDF4.Dataset(self.results, "a") as root:
            root["diabetes"]["n_train"][:] = 0
        paths, messages = self.run_figures(self.results, status=2)
        self.assert_one_line(messages, "not a results file")

    def test_output_that_cannot_be(self) -> None:
        write_results(self.results, Group())
        (self.folder / "taken").write_text("a file")
        paths, messages = self.run_figures(self.results, "-o", "taken", status=2)
        self.assert_one_line(messages, "taken", "cannot be written")


@unittest.skipIf(MISSING, MISSING)
class OfOneDataset(unittest.TestCase):
    """Asked of the modules themselves."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="ridgeless-figures-")
        self.addCleanup(folder.cleanup)
        self.folder, self.made = Path(folder.name), 0

    def dataset(self, group: Group):
        from read import results

        self.made += 1  # a file that is being read cannot be written over
        path = self.folder / f"study{self.made}.nc"
        datasets, notes = results.read(write_results(path, group))
        self.assertEqual((len(datasets), notes), (1, []))
        return datasets[0]


class Views(OfOneDataset):
    """The part of the error axis that panels show."""

    def test_rounding_does_not_stretch(self) -> None:
        from draw import views

        dataset = self.dataset(Group())
        view, test = views.comparable(dataset), dataset.curve("test_mse", dataset.unablated())
        self.assertGreater(view.low, 1e-4)  # the train error is 1e-28 for N <= P
        self.assertGreater(view.high, test.quantiles[0.95].max())
        train = dataset.curve("train_mse", dataset.unablated())
        no_residuals = dataset.curve("test_mse", dataset.of("no_residuals")[0])
        self.assertEqual(views.zero_at(dataset, [train], view), "N ≤ P")
        self.assertEqual(views.zero_at(dataset, [no_residuals], view), "N ≥ P")
        self.assertIsNone(views.zero_at(dataset, [test], view))

    def test_a_spike_has_a_view_of_its_own(self) -> None:
        from draw import views

        dataset = self.dataset(Group())
        spike, whole = views.spike(dataset), views.comparable(dataset)
        self.assertGreater(spike.low, 3 * whole.low)  # which goes down to the bias and the train error
        self.assertLess(spike.high, whole.high)
        lines = self.dataset(Group(null=(400.0, spike.low / 10)))
        self.assertEqual(views.null_levels(lines), [400.0, spike.low / 10])
        self.assertLess(views.spike(lines).low, spike.low / 10)
        self.assertEqual(views.null_levels(self.dataset(Group(null=(400.0, 399.0)))), [400.0])
        self.assertEqual(views.null_levels(dataset), [])

    def test_divergence_does_not_stretch(self) -> None:
        from draw import views

        variants = [("none", None), ("gradient_descent", 1000)]
        dataset = self.dataset(Group(variants=variants, runaway=1e200))
        self.assertLess(views.beside_unablated(dataset, "gradient_descent").high, 1e18)

    def test_missing_is_not_zero(self) -> None:
        from draw import views

        dataset = self.dataset(Group(missing=(0, 1, 6)))
        view, train = views.comparable(dataset), dataset.curve("train_mse", dataset.unablated())
        self.assertEqual(views.zero_at(dataset, [train], view), "N ≤ P")

    def test_reduction_is_the_writers(self) -> None:
        kept = self.dataset(Group(cells=False))
        expected = kept.curve("test_mse", kept.unablated())
        made = self.dataset(Group(reduced=False))
        actual = made.curve("test_mse", made.unablated())
        np.testing.assert_allclose(actual.median, expected.median, rtol=1e-14)
        np.testing.assert_allclose(actual.mean, expected.mean, rtol=1e-14)
        for q in QUANTILES:
            np.testing.assert_allclose(actual.quantiles[q], expected.quantiles[q], rtol=1e-14)


@unittest.skipIf(MISSING, MISSING)
class Words(unittest.TestCase):
    """Ticks and numbers as people write them."""

    def test_ticks(self) -> None:
        from draw import style

        self.assertEqual(style.decade_ticks(0.25, 11), [0.3, 0.5, 1, 2, 3, 5, 10])
        self.assertEqual(style.tick_texts([0.3, 5, 2000]), ["0.3", "5", "2000"])
        self.assertEqual(style.tick_texts([10.0, 1e6]), ["$10^{1}$", "$10^{6}$"])
        for low, high in ((1, 1.01), (0.9, 1.1), (1e-9, 1e12), (3, 40), (1e-300, 1e300)):
            ticks = style.decade_ticks(low, high)
            self.assertTrue(2 <= len(ticks) <= 8 and all(low <= t <= high for t in ticks), (low, high, ticks))

    def test_numbers(self) -> None:
        from draw import style

        values = (0.001, 0.0316227766, 0, -1, 10000, 1e7, 1e-8)
        self.assertEqual([style.number(v) for v in values], ["0.001", "0.0316", "0", "-1", "10000", "1e7", "1e-8"])

    def test_names(self) -> None:
        from draw import style

        names = ("california", "who", "my-own", "a" * 40)
        titles = ["California housing", "WHO life expectancy", "my-own", "a" * 27 + "…"]
        self.assertEqual([style.dataset_title(n) for n in names], titles)


@unittest.skipIf(MISSING, MISSING)
class Captions(OfOneDataset):
    """Made of the numbers at hand."""

    def test_numbers_at_the_threshold(self) -> None:
        from figures import ablation

        dataset = self.dataset(Group(variants=[("none", None), ("ridge", 1.0), ("ridge", 2.0)], runaway=0.001))
        none, *ridges = dataset.variants
        at = list(dataset.n_train).index(4)
        medians = [dataset.curve("test_mse", v).median[at] for v in (none, *ridges)]
        low, high = sorted(float(f"{m / medians[0]:.2g}") for m in medians[1:])
        self.assertIn(f"unablated one is {low:g} to {high:g} for Diabetes.", ablation.at_threshold("ridge", [dataset]))
        exact = self.dataset(Group(variants=[("none", None), ("no_residuals", None)]))
        self.assertIn("one is zero to rounding for Diabetes.", ablation.at_threshold("no_residuals", [exact]))
        self.assertEqual(ablation.at_threshold("ridge", [self.dataset(Group(n_train=(1, 2)))]), "")

    def test_a_peak_is_said_where_it_is(self) -> None:
        from draw.layout import Options
        from figures import error, sigma_min

        dataset = self.dataset(Group(n_features=(5,)))
        (row,) = error.rows(None)
        near = [n for n in dataset.n_train if 2.5 <= n <= 10]
        medians = dict(zip(dataset.n_train, dataset.curve("test_mse", dataset.unablated()).median))
        caption = row.describe([dataset], Options())
        self.assertIn(f"largest at N = {max(near, key=medians.get):.0f} of Diabetes, P = 5, half", caption.see)
        self.assertTrue(caption.see.startswith("Left: many training rows; right: few. "))
        self.assertTrue(row.describe([dataset], Options(x="n_train")).see.startswith("Left: few training rows; right: many. "))
        self.assertNotIn("Dotted", caption.see)
        self.assertIn("Dotted", row.describe([self.dataset(Group(null=(9.0, 8.0)))], Options()).see)
        smallest = dataset.n_train[np.argmin(dataset.curve("sigma_min").median)]
        (row,) = sigma_min.rows(None)
        self.assertIn(f"N = {smallest:.0f} of Diabetes, P = 5.", row.describe([dataset], Options()).see)

    def test_variants_in_a_legend(self) -> None:
        from draw import style
        from figures.ablation import MOST_LISTED, Looks
        from read.results import Variant

        def names(ablation: str, *variants: tuple[float, str]) -> list[str]:
            made = [Variant(i, "", ablation, parameter, options) for i, (parameter, options) in enumerate(variants)]
            return [handle.get_label() for handle in Looks(made, style.words(ablation)).handles(made)]

        self.assertEqual(names("cutoff", (0.1, ""), (0.1, "relative")), ["cutoff 0.1", "cutoff 0.1 σ₁"])
        self.assertEqual(names("adversarial_train", (-1, ""), (3, "")), ["step −1", "step +3"])
        self.assertEqual(names("adversarial_test", (3, "relative")), ["step +3 × a feature's size"])
        self.assertEqual(names("gradient_descent", (10, "rate=0.5")), ["steps: 10, rate=0.5"])
        self.assertEqual(names("no_residuals", (np.nan, "")), ["without residual errors"])
        self.assertEqual(names("early dropout", (0.5, "")), ["early dropout 0.5"])
        many = [(float(i), "") for i in range(MOST_LISTED + 1)]
        self.assertEqual(names("ridge", *many), ["ridge"])

    def test_p_is_among_the_ticks_of_a_map(self) -> None:
        from figures import shares

        for n_train in (np.arange(1, 40), np.array([1, 2, 5, 8, 13, 50])):
            for p in n_train[1:-1]:
                self.assertIn(p, n_train[shares._ticks(n_train, int(p))])


@unittest.skipIf(MISSING, MISSING)
class Cost(unittest.TestCase):
    def test_short_runs_say_nothing(self) -> None:
        from speed import cost

        with tempfile.TemporaryDirectory(prefix="ridgeless-figures-") as folder:
            for seconds in (0.2, 2.0):
                path = write_results(Path(folder) / f"{seconds}.nc", Group(variants=SMALL))
                with netCDF4.Dataset(path, "a") as root:
                    self.add_times(root["provenance"], seconds)
                notes: list[str] = []
                figure = cost.cost([path], notes)
                self.assertEqual(figure is None, seconds < 1)
                self.assertEqual(len(notes), int(seconds < 1))
            left = figure.axes[0]
            self.assertEqual([bar.get_height() for bar in left.containers[0]], [2.0, 1.0])
            self.assertEqual([bar.get_height() for bar in left.containers[1]], [0.5, 1.5])  # idle

    def add_times(self, group: netCDF4.Group, seconds: float) -> None:
        group.ranks, group.compute_seconds, group.load_imbalance = 2, 1.25 * seconds, 4 / 3
        group.rank_busy_seconds = np.array([seconds, seconds / 2])
        for name in ("dataset", "n_features", "n_train", "sizes", "repeat", "ranks", "way", "seconds", "flops"):
            group.setncattr(f"task_{name}", np.array([0.0, 0.0] if name in ("dataset", "repeat", "way") else [1.0, 2.0]))


if __name__ == "__main__":
    unittest.main()
