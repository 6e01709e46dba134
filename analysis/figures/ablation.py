"""The figures of one ablation each: the paper's three. The others are in other_ablations.py."""

from __future__ import annotations

import re
from functools import partial
from typing import Any, Callable

import numpy as np
from matplotlib.figure import Figure

from draw import layout, panels, style, views
from draw.layout import Band, Options
from draw.panels import BOTH_BANDS, Bands, Panel
from draw.row import Caption, Found, Row
from read import threshold
from read.results import Curve, Dataset, Notes, Variant

BEHIND_BANDS: Bands = (Band(*style.INNER, 0.18),)
LINE_STYLES = ("-", (0, (5, 1.5)), (0, (1, 1.2)), (0, (5, 1.5, 1, 1.5)))
MOST_LISTED = 8  # variants that the legend names one by one; of more a colour bar says the parameter
MINUS = "\u2212"
SEE = {
    "cutoff": "The first factor. The thick grey line is the unablated fit; each other line leaves out the modes whose singular "
    "values are below its cutoff, which is in units of the features, or of the largest singular value where σ₁ is written. "
    "Too large a cutoff removes modes that the fit needs.",
    "leading_modes": "The second factor. The fit is as it was; the test rows are projected on the first k modes of the training "
    "rows, so that they have nothing along the smallest ones. Up to N = k nothing is taken away.",
    "no_residuals": "The third factor. Targets are replaced by what the best linear model of all rows says of them, so that "
    "nothing is left that a linear model cannot explain. Small singular values are still there, but there is nothing for them "
    "to amplify. With fewer rows than features the bias is left.",
}


def rows(found: Found) -> list[Row]:
    """One for each ablation of the paper."""
    return [row(name, SEE[name]) for name in style.PAPER_ABLATIONS]


def row(name: str, see: str) -> Row:
    """The figure of an ablation: what is to be seen in it, and at the threshold in numbers."""
    return Row(re.sub(r"\W", "_", name), partial(ablation, name), partial(_caption, name, see))


def _caption(name: str, see: str, datasets: list[Dataset], options: Options) -> Caption:
    title = style.words(name).title
    numbers = at_threshold(name, datasets)
    alt = f"Test error against {'P/N' if options.x == 'ratio' else 'N'}, one line per variant. {title}.{numbers}"
    return Caption(title, f"{layout.directions(options)}{see}{numbers}", alt)


def at_threshold(name: str, datasets: list[Dataset]) -> str:
    """A sentence: the lines over the grey one at the threshold."""
    said: dict[str, list[str]] = {}
    for dataset in datasets:
        found = [r for v in dataset.of(name) if (r := threshold.over_unablated(dataset, v)) is not None]
        if found:
            said.setdefault(_multiples(min(found), max(found)), []).append(layout.title_of(dataset))
    listed = "; ".join(f"{text} for {', '.join(titles)}" for text, titles in said.items())
    return f" At {threshold.words(datasets)} the test error divided by the unablated one is {listed}." if said else ""


def _multiples(low: float, high: float) -> str:
    if low >= views.ROUNDING:
        return style.span(low, high)
    return "zero to rounding" if high < views.ROUNDING else f"zero to rounding, up to {style.ratio(high)}"


class Looks:
    """How the variants of an ablation are told apart. A few have a colour each and stand in the legend. Of many the
    colour tells the parameter, the line what else their labels say: steps both ways share the colour of their size, as
    their errors nearly do, and the ones back are broken lines.
    """

    def __init__(self, variants: list[Variant], words: style.AblationWords):
        self.words = words
        values = [v.parameter for v in variants if np.isfinite(v.parameter)]
        self.both_ways = any(v < 0 for v in values) and any(v > 0 for v in values)
        self.kinds = sorted({self.kind(v) for v in variants})
        self.entries = sorted({_entry(v) for v in variants})
        self.listed = len(self.entries) <= MOST_LISTED
        places = [float(i) for i in range(len(self.entries))] if self.listed else [self.size(v) for v in values]
        self.scale = style.ParameterScale(places)

    def size(self, value: float) -> float:
        """What the colour says of a parameter."""
        return abs(value) if self.both_ways else value

    def kind(self, variant: Variant) -> str:
        """What the line says of a variant."""
        back = "negative" if self.both_ways and variant.parameter < 0 else ""
        return " ".join(part for part in (variant.options, back) if part)

    def colour(self, variant: Variant) -> Any:
        """Of its own, or by parameter; one colour for a lone variant."""
        if len(self.entries) == 1 or not (self.listed or np.isfinite(variant.parameter)):
            return style.TEST
        place = self._place(variant) if self.listed else self.size(variant.parameter)
        return self.scale.colour(place)

    def _place(self, variant: Variant) -> float:
        return float(self.entries.index(_entry(variant)))

    def line(self, kind: str) -> Any:
        """By the label's other options."""
        return LINE_STYLES[self.kinds.index(kind) % len(LINE_STYLES)]

    def handles(self, variants: list[Variant]) -> list[Any]:
        """The legend's: one each, or one a kind in a colour from the middle of the scale."""
        shown = {self._place(v) if self.listed else self.kind(v): v for v in variants}
        made = []
        for _, v in sorted(shown.items()):
            colour = self.colour(v) if self.listed else self.scale.colour(self.scale.middle())
            name = self.name(v) if self.listed else self._kind_name(self.kind(v))
            made.append(layout.line_handle(colour, name, linestyle=self.line(self.kind(v))))
        return made

    def name(self, variant: Variant) -> str:
        """cutoff 0.1 σ₁; step −1; steps: 10, rate=0.5."""
        if not np.isfinite(variant.parameter):
            return ", ".join([self.words.short, *variant.options.split()])
        shown = style.number(variant.parameter).replace("-", MINUS)
        if ":+" in self.words.one and variant.parameter > 0:
            shown = f"+{shown}"
        form = self.words.one.replace(":+", "") or f"{self.words.short} {{}}"
        others = variant.options.split()
        unit = self.words.unit if self.words.unit and "relative" in others else ""
        others = [word for word in others if word != "relative" or not unit]
        return ", ".join([form.format(shown) + unit, *others])

    def _kind_name(self, kind: str) -> str:
        return self.words.short if not kind or len(self.kinds) == 1 else f"{self.words.short}, {kind}"

    def bar_label(self) -> str:
        """Of the colour bar."""
        same = f" ({self.kinds[0]})" if len(self.kinds) == 1 and self.kinds[0] else ""
        return ("size of the " if self.both_ways else "") + self.words.parameter + same


def _entry(variant: Variant) -> tuple[str, float]:
    """What a variant goes by in all data sets; NaN, of an ablation without a parameter, would equal nothing."""
    return variant.options, float(np.nan_to_num(variant.parameter))


def ablation(name: str, datasets: list[Dataset], options: Options, notes: Notes) -> Figure | None:
    """Test error of every variant of an ablation, with the unablated curve behind."""
    y_label = f"test {style.ERROR_LABEL}"
    return variants_figure(name, "test_mse", (style.words(name).title, y_label), _test_view, datasets, options, notes)


def _test_view(dataset: Dataset, name: str) -> views.View:
    if name in style.SPIKE_ABLATIONS:
        return views.spike(dataset)
    return views.comparable(dataset) if name in style.PAPER_ABLATIONS else views.beside_unablated(dataset, name)


def variants_figure(
    name: str,
    variable: str,
    labels: tuple[str, str],  # title and y axis
    view_of: Callable[[Dataset, str], views.View],
    datasets: list[Dataset],
    options: Options,
    notes: Notes,
) -> Figure | None:
    """An error of every variant of an ablation, with the unablated curve behind."""
    shown = panels.having(datasets, name, notes, variable)
    if not shown:
        return None
    variants = [v for dataset in shown for v in dataset.of(name)]
    looks = Looks(variants, style.words(name))
    bands = _bands(max(len(d.of(name)) for d in shown))
    page = layout.sheet(len(shown), labels[0], layout.x_label(options, shown), labels[1], not looks.listed)
    for axes, dataset in zip(page.panels, shown):
        _panel(Panel(axes, dataset, options), name, variable, looks, bands, view_of(dataset, name))
    if not looks.listed:
        layout.colour_bar(page, looks.scale, looks.bar_label())
    if any(d.unablated() for d in shown):
        page.handles.append(layout.line_handle(style.UNABLATED, f"unablated{panels.median(shown)}", linewidth=3))
    page.handles += looks.handles(variants)
    if variable == "test_mse":
        page.handles += panels.null_handles(shown)
    swatches = bands if bands is BOTH_BANDS else (Band(*style.INNER, style.PILE_STRENGTH),)
    panels.close_legend(page, shown, options, swatches, style.TEST if len(variants) == 1 else style.UNABLATED)
    return layout.finish(page)


def _bands(n_variants: int) -> Bands:
    """Both bands for one variant; of many the inner ones, as pale as keeps a pile of all of them pale."""
    if n_variants == 1:
        return BOTH_BANDS
    return (Band(*style.INNER, max(0.04, 1 - (1 - style.PILE_STRENGTH) ** (1 / n_variants))),)


def _panel(panel: Panel, name: str, variable: str, looks: Looks, bands: Bands, view: views.View) -> None:
    dataset = panel.dataset
    if dataset.unablated() is not None:
        behind = dataset.curve(variable, dataset.unablated())
        panel.draw(behind, style.UNABLATED, BEHIND_BANDS, linewidth=3, zorder=1.9)
    if variable == "test_mse":
        panel.draw_null_lines()
    curves = [(v, values) for v in dataset.of(name) if (values := dataset.curve(variable, v)) is not None]
    for variant, values in curves:
        panel.draw(values, looks.colour(variant), bands, linestyle=looks.line(looks.kind(variant)))
    panel.dress(view)
    _note_what_is_out_of_view(panel, looks, curves, view)


def _note_what_is_out_of_view(panel: Panel, looks: Looks, curves: list[tuple[Variant, Curve]], view: views.View) -> None:
    what, colour = ("", looks.colour(curves[0][0])) if len(curves) == 1 else ("some", style.TEXT)
    panel.note_zero(what, [values for _, values in curves], view, colour)
    if any((values.median > view.high).any() for _, values in curves):
        layout.top_note(panel.axes, "some errors are above this view")
