"""The figures of errors and singular values against P/N, one function each.

A figure takes the datasets and gives a matplotlib figure, or None when the study has nothing for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import layout
import style
import views
from layout import Band, Options, Sheet
from results import Curve, Dataset, Notes, Variant

Bands = tuple[Band, ...]
BOTH_BANDS: Bands = (Band(*style.OUTER, 0.14), Band(*style.INNER, 0.3))
BEHIND_BANDS: Bands = (Band(*style.INNER, 0.18),)
LINE_STYLES = ("-", (0, (5, 1.5)), (0, (1, 1.2)), (0, (5, 1.5, 1, 1.5)))


@dataclass(frozen=True)
class Panel:
    """One dataset on one pair of axes."""

    axes: Axes
    dataset: Dataset
    options: Options

    def draw(self, values: Curve | None, colour: Any, bands: Bands, **line: Any) -> None:
        """A curve with its bands; one repeat has no spread to show."""
        if values is None:
            return
        x = layout.x_values(self.dataset, self.options)
        layout.curve(self.axes, x, values, colour, bands if self.dataset.repeats != 1 else (), **line)
        if self.options.mean:
            layout.mean_line(self.axes, x, values, colour)

    def dress(self, view: views.View) -> None:
        """Axes, threshold and title."""
        layout.y_axis(self.axes, view.low, view.high)
        layout.x_axis(self.axes, self.dataset, self.options)
        self.axes.set_title(layout.describe(self.dataset))

    def note_zero(self, what: str, curves: list[Curve], view: views.View, colour: Any) -> None:
        """Says, where a curve has left through the bottom, that it is zero there."""
        where = views.zero_at(self.dataset, curves, view)
        if where is None:
            return
        left = layout.share_left_of_threshold(self.axes, self.dataset, self.options) > 0.5  # the side with more room
        there = views.TALL if left == (self.options.x == "ratio") else views.WIDE
        condition = "" if where == there else f" at {where}"  # needs no saying where the curve is seen to leave
        layout.bottom_note(self.axes, f"{what} zero to rounding{condition}".strip(), left, colour)


# ---- test and train error ---------------------------------------------------------------------------------------


def error(datasets: list[Dataset], options: Options, notes: Notes) -> Figure | None:
    """Test and train error of the unablated fit through the threshold."""
    shown = _having(datasets, "none", notes)
    if not shown:
        return None
    title = "Error through the interpolation threshold"
    page = layout.sheet(len(shown), title, layout.x_label(options), style.ERROR_LABEL)
    for axes, dataset in zip(page.panels, shown):
        _error_panel(Panel(axes, dataset, options))
    page.handles = [
        layout.line_handle(style.TEST, f"test error{_median(shown)}"),
        layout.line_handle(style.TRAIN, f"train error{_median(shown)}"),
    ]
    if any(_population(d) is not None for d in shown):
        label = f"population error{_median(shown)}"
        page.handles.append(layout.line_handle(style.POPULATION, label, **style.POPULATION_LINE))
    _close_legend(page, shown, options, BOTH_BANDS, style.UNABLATED)
    return layout.finish(page)


def _error_panel(panel: Panel) -> None:
    dataset, view = panel.dataset, views.comparable(panel.dataset)
    test = dataset.curve("test_mse", dataset.unablated())
    train = dataset.curve("train_mse", dataset.unablated())
    panel.draw(train, style.TRAIN, BOTH_BANDS)
    panel.draw(test, style.TEST, BOTH_BANDS)
    panel.draw(_population(dataset), style.POPULATION, (), zorder=3, **style.POPULATION_LINE)
    panel.dress(view)
    trains = [train] if train is not None else []
    zero_test, zero_train = views.zero_at(dataset, [test], view), views.zero_at(dataset, trains, view)
    if zero_test and zero_train:  # a target that the features explain: one note, not two on each other
        text = f"zero to rounding: test at {zero_test}, train at {zero_train}"
        layout.bottom_note(panel.axes, text, True, style.TEXT)
    else:
        panel.note_zero("test error", [test], view, style.TEST)
        panel.note_zero("train error", trains, view, style.TRAIN)


def _population(dataset: Dataset) -> Curve | None:
    return dataset.curve("population_mse", dataset.unablated())


# ---- one ablation -----------------------------------------------------------------------------------------------


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
    shown = _having(datasets, name, notes)
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
        page.handles.append(layout.line_handle(style.UNABLATED, f"unablated{_median(shown)}", linewidth=3))
    for kind in looks.kinds:
        label = looks.name(words, kind) + _median(shown)
        page.handles.append(layout.line_handle(looks.sample(), label, linestyle=looks.line(kind)))
    swatches = bands if bands is BOTH_BANDS else (Band(*style.INNER, style.PILE_STRENGTH),)
    _close_legend(page, shown, options, swatches, looks.sample())
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


# ---- the smallest singular value --------------------------------------------------------------------------------


def sigma_min(datasets: list[Dataset], options: Options, notes: Notes) -> Figure | None:
    """The smallest non-zero singular value of the training features, which dips at the threshold."""
    curves = [(d, d.curve("sigma_min")) for d in datasets]
    shown = [(d, c) for d, c in curves if c is not None]
    _note_absent("sigma_min", [d for d, c in curves if c is None], datasets, notes)
    if not shown:
        return None
    title = "Smallest non-zero singular value of the training features"
    page = layout.sheet(len(shown), title, layout.x_label(options), style.SIGMA_LABEL)
    for axes, (dataset, values) in zip(page.panels, shown):
        panel = Panel(axes, dataset, options)
        panel.draw(values, style.SIGMA, BOTH_BANDS)
        panel.dress(views.around(values))
    page.handles = [layout.line_handle(style.SIGMA, f"smallest singular value{_median([d for d, _ in shown])}")]
    _close_legend(page, [d for d, _ in shown], options, BOTH_BANDS, style.SIGMA)
    return layout.finish(page)


# ---- what the figures share -------------------------------------------------------------------------------------


def _having(datasets: list[Dataset], ablation_name: str, notes: Notes) -> list[Dataset]:
    shown = [d for d in datasets if d.of(ablation_name)]
    _note_absent(ablation_name, [d for d in datasets if d not in shown], datasets, notes)
    return shown


def _note_absent(what: str, absent: list[Dataset], datasets: list[Dataset], notes: Notes) -> None:
    """A line about datasets that lack what others have; what none has is the caller's to say."""
    if absent and len(absent) < len(datasets):
        notes.append(f"{what}: nothing to draw for {', '.join(d.group for d in absent)}")


def _median(shown: list[Dataset]) -> str:
    """What a legend says of a line: one repeat has a value and no median."""
    return " (median)" if any(d.repeats != 1 for d in shown) else ""


def _close_legend(page: Sheet, shown: list[Dataset], options: Options, bands: Bands, colour: Any) -> None:
    if options.mean:
        page.handles.append(layout.mean_handle())
    if any(d.repeats != 1 for d in shown):
        page.handles += layout.band_handles(colour, bands)
    if any(layout.threshold_in_view(d) for d in shown):
        page.handles.append(layout.threshold_handle())
