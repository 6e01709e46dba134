"""The figures of one ablation each: the paper's three. The others are in other_ablations.py."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from draw import layout, panels, style, views
from draw.layout import Band, Options
from draw.panels import BOTH_BANDS, Bands, Panel
from draw.row import Caption, Found, Row
from read.results import Dataset, Notes, Variant

BEHIND_BANDS: Bands = (Band(*style.INNER, 0.18),)
LINE_STYLES = ("-", (0, (5, 1.5)), (0, (1, 1.2)), (0, (5, 1.5, 1, 1.5)))
CAPTIONS = {
    "cutoff": Caption(
        style.ABLATIONS["cutoff"].title,
        "The first factor. The thick grey line is the unablated fit; each coloured one leaves out the modes whose singular "
        "values are below its cutoff. The larger the cutoff, the lower the peak; too large a cutoff also removes modes that "
        "the fit needs, and the error rises elsewhere. The axis is the same in Figures 1 to 4 of a data set.",
        "Test error against P/N, one line per cutoff, coloured by it: larger cutoffs have lower peaks.",
    ),
    "leading_modes": Caption(
        style.ABLATIONS["leading_modes"].title,
        "The second factor. The fit is as it was; the test rows are projected on the first k modes of the training rows, so "
        "that they have nothing along the smallest ones. With few modes the peak is gone, with all of them it is back.",
        "Test error against P/N, one line per number of leading modes: fewer modes have no peak.",
    ),
    "no_residuals": Caption(
        style.ABLATIONS["no_residuals"].title,
        "The third factor. Targets are replaced by what the best linear model of all rows says of them, so that nothing is left "
        "that a linear model cannot explain. Small singular values are still there, but there is nothing for them to amplify: "
        "from the threshold on the error is zero to rounding, before it what is left is bias.",
        "Test error against P/N without residual errors: it falls to zero at the threshold, with no peak.",
    ),
}


def rows(found: Found) -> list[Row]:
    """One for each ablation of the paper."""
    return [row(name, CAPTIONS[name]) for name in style.PAPER_ABLATIONS]


def row(name: str, caption: Caption) -> Row:
    """The figure of an ablation."""
    return Row(re.sub(r"\W", "_", name), partial(ablation, name), caption)


class Looks:
    """How the variants of an ablation are told apart: colour by parameter, line by what else their labels say.

    Steps both ways share the colour of their size, as their errors nearly do: the ones back are broken lines.
    """

    def __init__(self, variants: list[Variant]):
        values = [v.parameter for v in variants if np.isfinite(v.parameter)]
        self.both_ways = any(v < 0 for v in values) and any(v > 0 for v in values)
        self.scale = style.ParameterScale([self.size(v) for v in values]) if values else None
        self.kinds = sorted({self.kind(v) for v in variants})

    def size(self, value: float) -> float:
        """What the colour says of a parameter."""
        return abs(value) if self.both_ways else value

    def kind(self, variant: Variant) -> str:
        """What the line says of a variant."""
        back = "negative" if self.both_ways and variant.parameter < 0 else ""
        return " ".join(part for part in (variant.options, back) if part)

    def colour(self, variant: Variant) -> Any:
        """By parameter; one colour for an ablation without."""
        known = self.scale is not None and np.isfinite(variant.parameter)
        return self.scale.colour(self.size(variant.parameter)) if known else style.TEST

    def sample(self) -> Any:
        """A colour from the middle of the scale, for the legend."""
        return style.TEST if self.scale is None else self.scale.colour(self.scale.middle())

    def needs_bar(self) -> bool:
        """A single parameter value is said in the legend."""
        return self.scale is not None and len(self.scale.values) > 1

    def name(self, words: style.AblationWords, kind: str) -> str:
        """What the legend calls the variants of a kind."""
        single = self.scale is not None and not self.needs_bar()
        name = f"{words.parameter}: {style.number(self.scale.values[0])}" if single else words.short
        said = not kind or (self.needs_bar() and len(self.kinds) == 1)  # the colour bar's label says it
        return name if said else f"{name}, {kind}"

    def line(self, kind: str) -> Any:
        """By the label's other options."""
        return LINE_STYLES[self.kinds.index(kind) % len(LINE_STYLES)]


def ablation(name: str, datasets: list[Dataset], options: Options, notes: Notes) -> Figure | None:
    """Test error of every variant of an ablation, with the unablated curve behind."""
    shown = panels.having(datasets, name, notes)
    if not shown:
        return None
    words = style.words(name)
    looks = Looks([v for dataset in shown for v in dataset.of(name)])
    bands = _bands(max(len(d.of(name)) for d in shown))
    y_label = f"test {style.ERROR_LABEL}"
    page = layout.sheet(len(shown), words.title, layout.x_label(options), y_label, looks.needs_bar())
    for axes, dataset in zip(page.panels, shown):
        _ablation_panel(Panel(axes, dataset, options), name, looks, bands)
    if looks.needs_bar():
        same = f" ({looks.kinds[0]})" if len(looks.kinds) == 1 and looks.kinds[0] else ""
        layout.colour_bar(page, looks.scale, ("size of the " if looks.both_ways else "") + words.parameter + same)
    if any(d.unablated() for d in shown):
        page.handles.append(layout.line_handle(style.UNABLATED, f"unablated{panels.median(shown)}", linewidth=3))
    for kind in looks.kinds:
        label = looks.name(words, kind) + panels.median(shown)
        page.handles.append(layout.line_handle(looks.sample(), label, linestyle=looks.line(kind)))
    swatches = bands if bands is BOTH_BANDS else (Band(*style.INNER, style.PILE_STRENGTH),)
    panels.close_legend(page, shown, options, swatches, looks.sample())
    return layout.finish(page)


def _bands(n_variants: int) -> Bands:
    """Both bands for one variant; of many the inner ones, as pale as keeps a pile of all of them pale."""
    if n_variants == 1:
        return BOTH_BANDS
    return (Band(*style.INNER, max(0.04, 1 - (1 - style.PILE_STRENGTH) ** (1 / n_variants))),)


def _ablation_panel(panel: Panel, name: str, looks: Looks, bands: Bands) -> None:
    dataset = panel.dataset
    view = views.comparable(dataset) if name in style.PAPER_ABLATIONS else views.beside_unablated(dataset, name)
    if dataset.unablated() is not None:
        behind = dataset.curve("test_mse", dataset.unablated())
        panel.draw(behind, style.UNABLATED, BEHIND_BANDS, linewidth=3, zorder=1.9)
    curves = [(variant, dataset.curve("test_mse", variant)) for variant in dataset.of(name)]
    for variant, values in curves:
        panel.draw(values, looks.colour(variant), bands, linestyle=looks.line(looks.kind(variant)))
    panel.dress(view)
    what, colour = ("", looks.colour(curves[0][0])) if len(curves) == 1 else ("some", style.TEXT)
    panel.note_zero(what, [values for _, values in curves], view, colour)
    if any((values.median > view.high).any() for _, values in curves):
        layout.top_note(panel.axes, "some errors are above this view")
