#!/usr/bin/python3
"""The report of analysis/figures.py: all figures of a study that the program ran, the claims it checks, and the page as a
browser shows it.

    RIDGELESS_PROGRAM=build/src/cli/ridgeless /usr/bin/python3 tests/analysis/test_report.py
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import unittest
from html.parser import HTMLParser
from pathlib import Path

import browser
from drawing import MISSING, DrawingTest, keep_font_cache, tier
from test_figures import SMALL, Group, put, write_results

if not MISSING:
    import netCDF4
    import numpy as np

    import spike

PROGRAM = os.environ.get("RIDGELESS_PROGRAM", "")
STUDY = """
title: Made for the <report> & its tests
seed: 4
repeats: 60
n_train: {values: [1, 2, 3], range: [4, 24]}
keep: [cells, modes]
theory: table
ablations: [none, cutoff: [0.1, 1], leading_modes: [2, 4], no_residuals, adversarial_test: 1, adversarial_train: 1,
            ridge: {values: [0.001, 0.1], relative: true}, gradient_descent: [1, 10, 1000, 100000],
            gradient_descent_run: [1, 10, 100]]
datasets:
  - {source: student-teacher, name: fresh, draw: fresh, rows: 120, features: 8, hidden_features: 12, noise: 0.5}
  - source: gaussian
    name: geometry
    covariance: [23, 9, 4, 9, 6, 2, 4, 2, 5]
    n_train: [1, 2, 3, 4, 8, 100]
    keep: directions
    ablations: none
"""
ALL = """error cutoff leading_modes no_residuals cutoff_train sigma_min bias geometry span factors shares
adversarial_test adversarial_train ridge gradient_descent gradient_descent_run descent descent_error descent_run theory_error
theory_sigma_min prediction""".split()
VOID = {"meta", "link", "img", "br"}


def setUpModule() -> None:
    keep_font_cache()


def write_spikes(group: netCDF4.Group) -> None:
    """What `ridgeless run` works out of each repeat's errors; targets have a mean square of 100."""
    n_train, p = np.asarray(group["n_train"]), int(group["n_features"][0])
    places = [-1 if place is None else n_train[place] for place in spike.places(n_train, p)]
    group.createDimension("flank", 2)
    put(group, "threshold_n_train", ("n_features",), np.array([places[1]]))
    put(group, "flank_n_train", ("n_features", "flank"), np.array([[places[0], places[2]]]))
    put(group, "null_mse", ("n_features",), np.array([100.0]))
    put(group, "target_variance", ("n_features",), np.array([50.0]))
    errors = np.ma.filled(group["test_mse"][:, 0], np.nan)
    heights = np.array([spike.heights(one, n_train, p, 100) for one in errors])
    for i, end in enumerate(("", "_low", "_high")):
        put(group, f"spike_height{end}", ("variant", "n_features"), heights[:, [i]])


class Page(HTMLParser):
    """What a test asks of the HTML: pictures, addresses, and whether every element is closed."""

    def __init__(self, path: Path):
        super().__init__()
        self.pictures: list[dict[str, str | None]] = []
        self.addresses: list[str] = []
        self.ids: set[str] = set()
        self.open: list[str] = []
        self.text = path.read_text(encoding="utf-8")
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "img":
            self.pictures.append(found)
        self.addresses += [found[name] for name in ("src", "href") if found.get(name)]
        self.ids |= {found["id"]} if found.get("id") else set()
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()


@unittest.skipIf(MISSING, MISSING)
@unittest.skipUnless(PROGRAM, "RIDGELESS_PROGRAM is not set")
class OfAStudy(DrawingTest):
    """One study, run and drawn once for all tests."""

    program = "figures.py"

    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory(prefix="ridgeless-report-")
        cls.addClassCleanup(folder.cleanup)
        cls.made = Path(folder.name)
        (cls.made / "study.yaml").write_text(STUDY)
        subprocess.run([PROGRAM, "run", "study.yaml", "-q"], cwd=cls.made, check=True, capture_output=True, timeout=600)
        drawing = cls("test_every_figure_is_drawn")
        drawing.folder = cls.made
        cls.formats = tier.of(("png",), ("png", "pdf"))
        cls.paths, cls.messages = drawing.run_figures(cls.made / "study.nc", "--format", ",".join(cls.formats))
        cls.report = cls.made / "study-figures" / "report.html"

    def test_every_figure_is_drawn(self) -> None:
        names = [path.name for path in self.paths]
        self.assertEqual(names, [f"{name}.{ending}" for name in ALL for ending in self.formats] + ["report.html"])
        self.assert_one_line(self.messages, "cost: not drawn, as the ranks worked for less than 1 s")
        self.assert_one_line(self.messages, "not drawn, as the file has nothing for it: tails")
        self.assertEqual(len(self.messages), 2)

    def test_page_is_whole_and_alone(self) -> None:
        page = Page(self.report)
        self.assertEqual(page.open, [])
        for address in page.addresses:
            self.assertTrue(address.startswith("data:") or (address[0] == "#" and address[1:] in page.ids), address[:80])
        self.assertEqual(len(page.pictures), len(ALL))
        for picture in page.pictures:
            self.assertGreater(len(picture["alt"] or ""), 40)
        self.assertLessEqual({*ALL, "glance", "claims", "figures", "study", "provenance"}, page.ids)
        self.assertIn("Made for the &lt;report&gt; &amp; its tests", page.text)
        self.assertIn("covariance: [23, 9, 4, 9, 6, 2, 4, 2, 5]", page.text)
        self.assertIn("OpenBLAS", page.text)

    def test_numbers_are_those_of_the_file(self) -> None:
        with netCDF4.Dataset(self.made / "study.nc") as root:
            group = root["fresh"]
            medians = np.median(np.asarray(group["test_mse"][0, 0]), axis=1)
            n = group["n_train"][:]
            self.assertEqual(group["variant"][0], "none")
        at = {size: medians[list(n).index(size)] for size in (4, 8, 16)}
        text = Page(self.report).text
        height = f"{at[8] / max(at[4], at[16]):.2g}"
        found = re.search(rf"spike height ({re.escape(height)} \([\d.]+ to [\d.]+\)) at N = 8<", text)
        self.assertIsNotNone(found)
        shown = subprocess.run([PROGRAM, "show", self.made / "study.nc"], check=True, capture_output=True, text=True).stdout
        self.assertRegex(shown, rf"(?m)^ +none .* {re.escape(found[1])} ")
        words = re.search(r"spike height: (the median .* confidence\.)", " ".join(shown.split()))
        self.assertIn(f"Spike height: {words[1]}", text.replace("\u00a0", " "))
        for nothing in ("predicting nothing", "predicting the mean"):  # with the same value in the table
            self.assertRegex(shown, rf"{nothing}: (the|[\d.]+)")
            self.assertIn(f"<th class=number>{nothing}</th>", text)
        self.assertRegex(text, r"<td class=number>[\d.]+ with (cutoff [\d.]+|\d modes?)</td>")
        self.assertIn(f"largest median at N = {n[np.argmax(medians)]}", text)

    def test_means_agree_with_theory_and_a_wrong_theory_is_seen(self) -> None:
        from report import claims
        from read import results

        dataset = next(d for d in results.read(self.made / "study.nc")[0] if d.group == "fresh")
        found = claims.agreement(dataset)
        self.assertLess(abs(found.worst), claims.HIGHEST_SCORE)
        self.assertTrue(0.3 < found.rms < 2, found)  # means of nested training sets move together
        right = dataset.reduced

        def doubled(name: str, *more: object) -> np.ndarray | None:
            values = right(name, *more)
            return 2 * values if name == "theory_test_mse" and values is not None else values

        dataset.reduced = doubled
        self.assertFalse(claims.findings(dataset)[-1].holds)

    def test_an_intercept_is_told_and_its_theory_holds(self) -> None:
        from draw import layout
        from report import claims
        from read import results

        source = "source: student-teacher, draw: fresh, rows: 120, features: 8, hidden_features: 12, noise: 0.5"
        (self.folder / "ones.yaml").write_text(
            "seed: 4\nrepeats: 60\nn_train: [3, 4, 9, 13, 18, 24]\nablations: [none, no_residuals]\n"
            f"datasets:\n  - {{name: ones, {source}, intercept: true}}\n"
        )
        subprocess.run([PROGRAM, "run", "ones.yaml", "-q"], cwd=self.folder, check=True, capture_output=True, timeout=600)
        (dataset,) = results.read(self.folder / "ones.nc")[0]
        self.assertIn("P = 9 with intercept, 60 repeats", layout.describe(dataset))
        self.assertLess(abs(claims.agreement(dataset).worst), claims.HIGHEST_SCORE)
        self.assertTrue(dataset.threshold_index() == 2 and not dataset.is_isotropic())
        paths, _ = self.run_figures(self.folder / "ones.nc", "--format", "png")
        self.assertEqual(Page(paths[-1]).text.count("9 (8 features and the intercept)"), 2)
        self.assertIn("theory_error.png", [path.name for path in paths])
        self.assertNotIn("theory_sigma_min.png", [path.name for path in paths])

    @tier.in_all_alone
    def test_figures_alone_and_the_same_bytes_again(self) -> None:
        again, _ = self.run_figures(self.made / "study.nc", "-o", self.folder / "again")
        for path, other in zip(self.paths, again):
            self.assertEqual(path.name, other.name)
            self.assertEqual(path.read_bytes(), other.read_bytes(), f"{path.name}: other bytes the second time")
        paths, _ = self.run_figures(self.made / "study.nc", "--no-report", "--format", "pdf", "-o", self.folder / "alone")
        self.assertEqual([path.name for path in paths], [f"{name}.pdf" for name in ALL])

    def test_figures_of_speed(self) -> None:
        bench = self.folder / "bench.json"
        entry = {f"{name}_seconds": 0.25 for name in ("generate", "reduce", "project", "diagonalize")}
        entry |= {"producer": "two-stage", "seconds": 1.0, "rounds": [1.0, 1.2], "gflops": 3.0}
        bench.write_text(json.dumps({"n_train": 9, "n_features": 9, "ranks": 2, "producers": [entry]}))
        few = write_results(self.folder / "few.nc", Group(variants=SMALL[:1]))
        arguments = (few, "--format", "png", "-o", self.folder / "speed")
        paths, _ = self.run_figures(*arguments, "--bench", bench, bench)
        self.assertEqual([path.name for path in paths[-2:]], ["producers.png", "report.html"])
        roofs = self.folder / "roofs.json"
        parts = {"reduce": {"seconds": 0.25, "flops": 1e9, "memory_bytes": 1e9, "message_bytes": 0}}
        rates = {f"{name}_per_second": 5e9 for name in ("flops", "memory_bytes", "cache_bytes")}
        printed = json.loads(bench.read_text()) | {"producers": [entry | {"parts": parts}]}
        roofs.write_text(json.dumps(printed | {"rates": "some", "roofs": rates}))
        paths, _ = self.run_figures(*arguments, "--bench", bench, roofs)
        self.assertEqual([path.name for path in paths[-3:]], ["producers.png", "roofline.png", "report.html"])
        self.assertIn("producers", Page(paths[-1]).ids)
        for wrong in ("[]", '{"producers": []}', '{"producers": [{"producer": "x"}]}', "\x89HDF"):
            bench.write_text(wrong)
            paths, messages = self.run_figures(*arguments, "--bench", bench, status=2)
            self.assertEqual(paths, [])
            self.assert_one_line(messages, "bench.json: expected what `ridgeless bench spectrum --json` prints")
        _, messages = self.run_figures(*arguments, "--bench", self.folder / "none.json", status=2)
        self.assert_one_line(messages, "none.json: cannot be read: No such file")
        study = self.made / "study.nc"
        _, messages = self.run_figures(study, "--scaling", study, "-o", self.folder / "speed", status=2)
        self.assert_one_line(messages, "on 1 rank alone; expected results files of it on two numbers of ranks")

    @unittest.skipUnless(browser.PROGRAM, "no Chromium")
    def test_in_a_browser(self) -> None:
        with browser.Browser() as window:
            for width in (1280, 390):
                for scheme in ("light", "dark"):
                    window.open(self.report, width, scheme=scheme)
                    self.assertEqual(window.complaints(), [], (width, scheme))
                    self.assertEqual(window.requests(), [self.report.resolve().as_uri()])
                    widths = window.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
                    self.assertLessEqual(widths[0], widths[1], f"scrolls sideways at {width} px")
                    loaded = "[...document.images].every(i => i.complete && i.naturalWidth > 300)"
                    self.assertTrue(window.evaluate(loaded), "a figure is no picture")
                    self.assertGreaterEqual(self.contrast(window, "body"), 7)
                    for kind in (".holds", ".quiet", "a"):
                        self.assertGreaterEqual(self.contrast(window, kind), 4.5, (kind, scheme))
            self.check_folding(window)
            window.open(self.report, 1000, media="print")
            heights = "[...document.querySelectorAll('figure img')].map(i => i.getBoundingClientRect().height)"
            self.assertGreater(min(window.evaluate(heights)), 50)  # unfolded, all of them
            self.assertEqual(window.evaluate("getComputedStyle(document.querySelector('nav')).display"), "none")

    def check_folding(self, window: browser.Browser) -> None:
        """The first figures are open; a folded one opens when it is gone to. Type is of one size in all."""
        window.open(self.report, 1280)
        is_open = "[...document.querySelectorAll('#figures > details')].map(d => d.open)"
        self.assertEqual(window.evaluate(is_open), [True] * 4 + [False] * (len(ALL) - 4))
        window.evaluate("location.hash = '#ridge'")
        self.assertTrue(window.evaluate("document.querySelector('#ridge').closest('details').open"))
        window.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        widths = "[...document.querySelectorAll('figure img')].map(i => i.getBoundingClientRect().width / i.naturalWidth)"
        scales = window.evaluate(widths)
        self.assertLess(max(scales) / min(scales), 1.1)

    def contrast(self, window: browser.Browser, selector: str) -> float:
        """WCAG 2.1's contrast ratio of the first such element with the page."""
        colours = [
            window.evaluate(f"getComputedStyle(document.querySelector('{name}')).{of}")
            for name, of in ((selector, "color"), ("body", "backgroundColor"))
        ]
        light = []
        for colour in colours:
            channels = [int(c) / 255 for c in re.findall(r"\d+", colour)[:3]]
            linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
            light.append(sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear)))
        return (max(light) + 0.05) / (min(light) + 0.05)


@unittest.skipIf(MISSING, MISSING)
class Claims(DrawingTest):
    """Results made here, of which it is known what they bear out."""

    program = "figures.py"

    def findings(self, group: Group, change=lambda g: None) -> dict[str, object]:
        from report import claims

        found = claims.findings(self.read(group, change))
        return {finding.claim: finding for finding in found}

    def read(self, group: Group, change=lambda g: None, spikes: bool = True) -> object:
        """The data set of a file that is changed first, with its spikes worked out from what it then holds."""
        from read import results

        path = write_results(self.folder / f"study{len(list(self.folder.iterdir()))}.nc", group)
        with netCDF4.Dataset(path, "a") as root:
            change(root[group.name])
            if spikes:
                write_spikes(root[group.name])
        return results.read(path)[0][0]

    def test_all_hold(self) -> None:
        found = self.findings(Group(reduced=False, repeats=30), self.lower_ablations)
        self.assertEqual([f.holds for f in found.values()], [True] * 6, found)

    def lower_ablations(self, group: netCDF4.Group) -> None:
        values = group["test_mse"][:]
        for variant in range(1, values.shape[0]):
            values[variant] = np.where(np.isfinite(values[variant]), 1.0, np.nan)
        group["test_mse"][:] = values

    def test_predictions_are_held_against_what_was_measured(self) -> None:
        variants: list[tuple[str, float | None]] = [("none", None), ("ridge", 0.1)]
        for factor, holds in ((1.5, True), (3.0, False)):
            found = self.findings(Group(variants=variants, predicted=factor, reduced=False), lambda group: None)
            for claim, what in (("the median error", "median"), ("the mean error of ridge regression", "mean")):
                finding = found[f"second moments predict {claim} within a factor of 2"]
                self.assertEqual(finding.holds, holds)
                self.assertIn(f"predicted over measured {what}: {factor:.2g} to {factor:.2g}", finding.number)

    def test_a_spike_elsewhere(self) -> None:
        def move(group: netCDF4.Group) -> None:
            group["test_mse"][0, :, 0] *= 1e6
            group["sigma_min"][:, 2] *= 1e-6

        found = self.findings(Group(reduced=False, repeats=30), move)
        self.assertTrue(found["the test error spikes at N = P"].holds)
        self.assertFalse(found["the test error is largest at N = P"].holds)
        self.assertIn("largest median at N = 1; between P/2 and 2 P at N = 4", found["the test error is largest at N = P"].number)
        self.assertFalse(found["the smallest non-zero singular value is smallest at N = P"].holds)

    def test_an_ablation_that_leaves_the_spike(self) -> None:
        def keep(group: netCDF4.Group) -> None:
            values = group["test_mse"][:]
            values[1:3] = values[0] * 0.9
            group["test_mse"][:] = values

        found = self.findings(Group(reduced=False, repeats=30), keep)
        self.assertFalse(found["cutting off small singular values removes the spike"].holds)

    def test_no_spike(self) -> None:
        def flatten(group: netCDF4.Group) -> None:
            group["test_mse"][:] = 1

        found = self.findings(Group(reduced=False), flatten)
        self.assertFalse(found["the test error spikes at N = P"].holds)
        self.assertIsNone(found["cutting off small singular values removes the spike"].holds)

    def test_a_spike_by_hand(self) -> None:
        """Of seven errors the interval of the median is from the least to the largest: 2 / 2^7 is the largest below 1 / 30."""
        from report import claims

        def fill(group: netCDF4.Group) -> None:
            group["test_mse"][0, 0, 1] = [2, 3, 3, 3, 3, 3, 8]  # N = 2
            group["test_mse"][0, 0, 3] = [12, 30, 30, 30, 31, 40, 48]  # N = 4
            group["test_mse"][0, 0, 6] = [4, 5, 5, 5, 5, 6, 6]  # N = 8

        dataset = self.read(Group(reduced=False), fill)
        self.assertEqual(claims.spike_text(claims.spike(dataset)), "6 (1.5 to 12)")  # 30 / 5, 12 / 8, 48 / 4
        self.assertTrue(claims.findings(dataset)[0].holds)

    def test_a_spike_that_few_repeats_cannot_tell(self) -> None:
        def blur(group: netCDF4.Group) -> None:
            group["test_mse"][0, 0, 3, 0] = 1e-9

        found = self.findings(Group(reduced=False), blur)
        spikes, removed = found["the test error spikes at N = P"], found["cutting off small singular values removes the spike"]
        self.assertIsNone(spikes.holds)
        self.assertIn("too few repeats to tell it from 1", spikes.number)
        self.assertIsNone(removed.holds)
        self.assertIn("no sure spike to remove: spike height ", removed.number)

    def test_numbers_are_written_as_the_program_writes_them(self) -> None:
        from draw import style

        for value, text in ((0, "0"), (5.8083, "5.8"), (0.0976, "0.098"), (0.001, "0.001"), (3e-32, "3.0e-32"), (98.7, "99")):
            self.assertEqual(style.ratio(value), text)
        for value, text in ((99.6, "100"), (5292.4, "5292"), (1.14e7, "1.1e7"), (float("inf"), "inf")):
            self.assertEqual(style.ratio(value), text)
        self.assertEqual((style.rounded(29074.5), style.rounded(5.6)), ("2.9e4", "5.6"))
        for low, high, text in ((0.098, 12.2, "0.098 to 12"), (53000, 1.3e6, "5.3e4 to 1.3e6"), (5.01, 5.02, "5")):
            self.assertEqual(style.span(low, high), text)

    def test_one_mode_and_one_step(self) -> None:
        from read.results import Variant
        from report import claims

        modes = (("leading_modes", 1, "with 1 mode"), ("leading_modes", 2, "with 2 modes"))
        for name, value, text in (*modes, ("gradient_descent", 1, "after 1 step"), ("cutoff", 1, "with cutoff 1")):
            self.assertEqual(claims.setting(Variant(0, f"{name}={value}", name, value, "")), text)

    def test_an_ablation_that_keeps_nothing_does_not_count(self) -> None:
        from report import claims

        def keep(first: float, second: float) -> object:
            def change(group: netCDF4.Group) -> None:
                self.lower_ablations(group)
                kept = np.full((len(group.dimensions["variant"]), 1, 8), np.nan)
                kept[1:3] = [[[first]], [[second]]]
                put(group, "modes_kept_median", ("variant", "n_features", "n_train"), kept)

            return self.read(Group(reduced=False, repeats=30), change)

        claim = "cutting off small singular values removes the spike"
        found = {f.claim: f for f in claims.findings(keep(0, 0))}[claim]
        self.assertEqual((found.holds, found.number[:23]), (False, "modes kept: 0 of 4 with"))
        dataset = keep(3, 0)
        found = {f.claim: f for f in claims.findings(dataset)}[claim]
        self.assertTrue(found.holds)
        self.assertIn("with cutoff 0.01; modes kept: 3 of 4", found.number)
        self.assertEqual(claims.left_by(dataset, "cutoff").variant.parameter, 0.01)

    def test_attacks_are_told_from_the_numbers(self) -> None:
        from report import claims

        def step(times: float) -> object:
            def change(group: netCDF4.Group) -> None:
                group["test_mse"][1:] = np.asarray(group["test_mse"][0]) * times

            return self.read(Group(reduced=False, variants=[("none", None), ("adversarial_train", 1)]), change)

        claim = "moving training targets along the smallest mode raises the test error at N = P"
        for times, holds, said in ((1.01, None, "1 times"), (500, True, "500 times")):
            found = {f.claim: f for f in claims.findings(step(times))}
            self.assertEqual(found[claim].holds, holds)
            self.assertIn(
                f"{said} the unablated one with a step of 1 (0.1 times a target's root mean square)", found[claim].number
            )
            self.assertFalse([claim for claim in found if "moving test features" in claim])

    def test_a_file_of_an_older_program(self) -> None:
        from report import claims, page

        dataset = self.read(Group(reduced=False), spikes=False)
        found = claims.findings(dataset)
        self.assertEqual({f.number for f in found[:-1]}, {claims.OLDER})
        self.assertIn("<td class=number>–</td>", page._glance([dataset]))

    def test_what_cannot_be_told(self) -> None:
        for group in (Group(n_train=(4,)), Group(n_train=(1, 2, 3)), Group(missing=tuple(range(8)))):
            self.assertEqual({f.holds for f in self.findings(group).values()}, {None})

    def test_report_of_a_sweep_over_p(self) -> None:
        path = write_results(self.folder / "sweep.nc", Group(n_features=(2, 3, 4, 6, 8), n_train=(4,), variants=[("none", None)]))
        paths, messages = self.run_figures(path, "--format", "png")
        self.assert_one_line(messages, "no figures against N")
        text = Page(paths[-1]).text
        self.assertIn("N = 4, P from 2 to 8, 7 repeats", text)
        self.assertNotIn('id="claims"', text)
        self.assertIn("Figure 1", text)

    def test_reports_of_little(self) -> None:
        groups = [Group(missing=tuple(range(8))), Group(variants=[("early dropout", 0.5)]), Group(repeats=1, modes=True)]
        groups += [Group(n_train=(4,)), Group(missing=(0, 3), failed=(5,)), Group(cells=False)]
        for i, group in enumerate(groups[: tier.of(2, 6)]):
            path = write_results(self.folder / f"study{i}.nc", group)
            paths, _ = self.run_figures(path, "--format", "png")
            self.assertEqual(paths[-1].name, "report.html")
            self.assertEqual(Page(paths[-1]).open, [])


@unittest.skipIf(MISSING or not PROGRAM, MISSING or "no RIDGELESS_PROGRAM")
class LowRank(DrawingTest):
    """Dummy variables: P = 11, and numpy.linalg.matrix_rank says 9. Everything that looks at N = P looks at N = 9."""

    program = "figures.py"
    TEXT = """repeats: 40
n_train: {range: [2, 30]}
keep: [cells, modes]
ablations: [none, no_residuals, leading_modes: 3, adversarial_test: 1, adversarial_train: 1]
datasets: [{source: csv, name: made, file: made.csv, target: y%s}]
"""

    def run_study(self, more: str = "") -> Path:
        generator = np.random.default_rng(3)
        x = generator.standard_normal((200, 2))
        for levels in (3, 3, 3):
            x = np.hstack([x, np.eye(levels)[generator.integers(0, levels, 200)]])
        self.x = x
        self.assertEqual((x.shape[1], np.linalg.matrix_rank(x)), (11, 9))
        y = x @ generator.standard_normal(11) + generator.standard_normal(200)
        head = ",".join([*"abcdefghijk", "y"])
        np.savetxt(self.folder / "made.csv", np.c_[x, y], delimiter=",", header=head, comments="", fmt="%.17g")
        (self.folder / "rank.yaml").write_text(self.TEXT % more)
        subprocess.run([PROGRAM, "run", "rank.yaml", "-q", "--fresh"], cwd=self.folder, check=True, capture_output=True)
        return self.folder / "rank.nc"

    def marked(self, dataset: object, options: object) -> list[float]:
        """Where a figure draws its upright line."""
        from figures import error

        drawn = error.error([dataset], options, [])
        lines = [np.unique(line.get_xdata()) for line in drawn.axes[0].lines]
        return [float(x[0]) for x in lines if x.size == 1]

    def test_claims_and_captions_stand_at_the_rank(self) -> None:
        paths, _ = self.run_figures(self.run_study(), "--format", "png")
        text = Page(paths[-1]).text
        for said in (
            "made (csv), P = 11 of rank 9",
            "the test error spikes at N = 9, the rank",
            "moving test features along the smallest mode raises the test error at N = 9, the rank",
            "the threshold is at the rank, and so are its flanks",
            "as are left without those that the others make up: 9 of the 11 features of made (csv)",
            "At the N nearest to the rank, made (csv): mode 9 of 9 has",
            "Up to the rank each further row",
        ):
            self.assertIn(said, text)
        self.assertNotIn("N = P", text.replace("with the threshold N = P", ""))

    def test_findings_and_lines_are_at_the_rank(self) -> None:
        from draw.layout import Options
        from read import results, threshold
        from report import claims

        (dataset,), _ = results.read(self.run_study())
        self.assertEqual((dataset.n_features, dataset.threshold, threshold.place(dataset)), (11, 9, 7))
        found = {f.claim: f for f in claims.findings(dataset)}
        for claim in ("the test error spikes", "the test error is largest", "the smallest non-zero singular value is smallest"):
            self.assertTrue(found[f"{claim} at N = 9, the rank"].holds, found)
        self.assertEqual(claims.left_by(dataset, "leading_modes").modes, 9)
        self.assertEqual(self.marked(dataset, Options(x="n_train")), [9])
        self.assertEqual(self.marked(dataset, Options(x="ratio")), [1])

    def test_modes_that_are_zero_are_none(self) -> None:
        """With 20 rows there are 11 modes, of which 9 are not zero but for rounding."""
        from read import results

        (dataset,), _ = results.read(self.run_study())
        for name in results.MODE_VARIABLES:
            self.assertEqual(np.isfinite(dataset.modes(name, 18)).sum(axis=1).tolist(), [9] * 40)

    def test_units_far_apart_are_told(self) -> None:
        from read import results
        from report import page

        (dataset,), _ = results.read(self.run_study())
        said = "The columns of made (csv) are in units so far apart"
        self.assertNotIn(said, page._glance([dataset]))
        dataset._data.attrs["scales_apart"] = 1
        self.assertIn(said, page._glance([dataset]))

    def test_a_sweep_has_its_threshold_where_the_rank_is(self) -> None:
        """N = 7 are as many rows as the first 8 columns have independent ones; no P has 10."""
        from read import results, sweeps

        datasets, _ = results.read(self.run_study(", n_features: [2, 5, 8, 10, 11]"))
        self.assertEqual([d.threshold for d in datasets], [np.linalg.matrix_rank(self.x[:, :p]) for p in (2, 5, 8, 10, 11)])
        (sweep,) = sweeps.sweeps(datasets)
        self.assertEqual([sweep.threshold(n) for n in (4, 7, 9, 10)], [4, 8, 10, None])


@unittest.skipIf(MISSING, MISSING)
class Exact(DrawingTest):
    """A target that its features explain: an error that is zero but for rounding is compared with nothing."""

    program = "figures.py"

    def test_nothing_is_divided_by_rounding(self) -> None:
        from read import results, threshold
        from report import claims

        path = write_results(self.folder / "s.nc", Group(reduced=False, variants=[("none", None), ("adversarial_train", 1)]))
        with netCDF4.Dataset(path, "a") as file:
            group = next(g for name, g in file.groups.items() if name != "provenance")
            group["test_mse"][0] = 1e-29
            write_spikes(group)
        (dataset,), _ = results.read(path)
        self.assertIsNone(threshold.over_unablated(dataset, dataset.variants[1]))
        claim = "moving training targets along the smallest mode raises the test error at N = P"
        found = {f.claim: f for f in claims.findings(dataset)}[claim]
        self.assertEqual((found.holds, found.number[:48]), (None, "the unablated error is zero but for rounding: no"))


@unittest.skipIf(MISSING, MISSING)
class Laws(unittest.TestCase):
    """Against numbers drawn here, and a published one."""

    def test_smallest_singular_value(self) -> None:
        from read import laws

        draws, probabilities = 4000, np.array([0.05, 0.25, 0.5, 0.75, 0.95])
        rng = np.random.default_rng(5)
        for n, p, slack in ((20, 20, 0.02), (19, 20, 0), (21, 20, 0)):  # the first is a limit
            sigma = np.linalg.svd(rng.standard_normal((draws, n, p)), compute_uv=False)[:, -1]
            below = np.mean(sigma[:, None] <= laws.sigma_min_quantiles(n, p, probabilities), axis=0)
            error = np.sqrt(probabilities * (1 - probabilities) / draws)
            self.assertTrue((np.abs(below - probabilities) <= 4.5 * error + slack).all(), (n, p, below))
        self.assertIsNone(laws.sigma_min_quantiles(10, 20, probabilities))

    def test_median_at_the_threshold(self) -> None:
        from read import laws

        # the root of x / 2 + sqrt(x) = ln 2, Edelman (1988), Corollary 3.1
        median = float(laws.sigma_min_quantiles(100, 100, np.array([0.5]))[0] ** 2 * 100)
        self.assertAlmostEqual(median / 2 + np.sqrt(median), np.log(2), delta=1e-14)

    def test_tails(self) -> None:
        from read import laws

        self.assertEqual([laws.tail_exponent(n, 20) for n in (19, 20, 21, 25)], [1, 0.5, 1, 3])
        self.assertEqual(list(laws.has_mean(np.array([18, 19, 20, 22]), 20)), [True, False, False, True])
        self.assertEqual(list(laws.has_variance(np.array([16, 17, 23, 24]), 20)), [True, False, False, True])


class TailSlopes(unittest.TestCase):
    """Against samples of a power law, whole and cut off at a largest value."""

    N = 200_000

    def survival(self, values: np.ndarray, in_buckets: bool) -> object:
        from read import tail

        values = np.sort(values)
        if not in_buckets:
            return tail._of_values(values)
        edges = np.exp2(np.arange(-10 * 128, 60 * 128) / 128)
        count = np.histogram(values, edges)[0]
        there, median = count > 0, np.median(values)
        lower, upper = edges[:-1][there] / median, edges[1:][there] / median
        return tail._make(lower, np.sqrt(lower * upper), count[there], median, values[-1] / median)

    def uniform(self) -> np.ndarray:
        return np.random.default_rng(4).random(self.N)

    def test_whole_power_law(self) -> None:
        from read import tail

        for exponent in (0.5, 1.0):
            for in_buckets in (False, True):
                s = self.survival(self.uniform() ** (-1 / exponent), in_buckets)
                fit = tail._fit(s, None)
                self.assertAlmostEqual(fit.error, exponent / np.sqrt(fit.repeats), delta=0.05 * fit.error)
                self.assertLess(abs(fit.exponent - exponent), 4 * fit.error)
                self.assertTrue(self.N // 105 < fit.repeats <= self.N // 100)
                _, slopes = tail.local_slopes(s)
                self.assertLess(np.abs(slopes - exponent).max(), 0.1)
                self.assertIsNone(tail._bend(s, exponent)[0])

    def test_cut_off(self) -> None:
        """P(error > t) = (t^-1/2 - T^-1/2) / (1 - T^-1/2): its local exponent is 0.6 where t / T is (1 - 5/6)^2."""
        from read import tail

        top, cut = 1e4, 1e-2
        for in_buckets in (False, True):
            s = self.survival((self.uniform() * (1 - cut) + cut) ** -2, in_buckets)
            bend, followed = tail._bend(s, 0.5)
            expected = top / 36 / s.median
            self.assertLess(abs(np.log10(bend / expected)), tail.WINDOW)
            self.assertLess(followed[1], bend)
            fit = tail._fit(s, bend)
            self.assertLess(abs(fit.exponent - 0.5), 4 * fit.error)
            self.assertEqual(fit.high, bend)

    def test_another_law_is_never_followed(self) -> None:
        from read import tail

        s = self.survival(self.uniform() ** -1.0, True)
        self.assertEqual(tail._bend(s, 0.5), (None, None))

    def test_shares_are_exact_at_edges(self) -> None:
        values = self.uniform() ** -2
        s = self.survival(values, True)
        scaled = values / s.median
        for i in range(0, s.edge.size, 97):
            self.assertEqual(s.above[i], (scaled >= s.edge[i] * (1 - 1e-12)).sum())


if __name__ == "__main__":
    unittest.main()
