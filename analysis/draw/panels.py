"""Panels of a quantity against P/N or N, one for each data set: curves with bands, notes where a curve is zero, one legend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes

from draw import layout, style, views
from draw.layout import Band, Options, Sheet
from read.results import Curve, Dataset, Notes

Bands = tuple[Band, ...]
BOTH_BANDS: Bands = (Band(*style.OUTER, 0.14), Band(*style.INNER, 0.3))


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

    def draw_null_lines(self) -> None:
        """What it costs to look at no feature at all: dotted."""
        for level, (_, line) in zip(views.null_levels(self.dataset), style.NULL_LINES):
            self.axes.axhline(level, color=style.NULL, zorder=1.6, **line)

    def dress(self, view: views.View) -> None:
        """Axes, threshold and title."""
        layout.y_axis(self.axes, view.low, view.high)
        layout.x_axis(self.axes, self.dataset, self.options)
        layout.title_above_ticks(self.axes, layout.describe(self.dataset))

    def note_zero(self, what: str, curves: list[Curve], view: views.View, colour: Any) -> None:
        """Says, where a curve has left through the bottom, that it is zero there."""
        where = views.zero_at(self.dataset, curves, view)
        if where is None:
            return
        left = layout.share_left_of_threshold(self.axes, self.dataset, self.options) > 0.5  # the side with more room
        few, many = views.sides(self.dataset)
        there = many if left == (self.options.x == "ratio") else few
        condition = "" if where == there else f" at {where}"  # needs no saying where the curve is seen to leave
        layout.bottom_note(self.axes, f"{what} zero to rounding{condition}".strip(), left, colour)


def having(datasets: list[Dataset], ablation_name: str, notes: Notes, variable: str = "test_mse") -> list[Dataset]:
    """The data sets that have an error of the ablation; who has none is noted."""
    shown = [d for d in datasets if any(d.curve(variable, v) is not None for v in d.of(ablation_name))]
    note_absent(ablation_name, [d for d in datasets if d not in shown], datasets, notes)
    return shown


def note_absent(what: str, absent: list[Dataset], datasets: list[Dataset], notes: Notes) -> None:
    """A line about datasets that lack what others have; what none has is the caller's to say."""
    if absent and len(absent) < len(datasets):
        notes.append(f"{what}: nothing to draw for {', '.join(d.group for d in absent)}")


def median(shown: list[Dataset]) -> str:
    """What a legend says of a line: one repeat has a value and no median."""
    return " (median)" if any(d.repeats != 1 for d in shown) else ""


def null_handles(shown: list[Dataset]) -> list[Any]:
    """Legend entries of the lines that draw_null_lines draws."""
    most = max((len(views.null_levels(d)) for d in shown), default=0)
    return [layout.line_handle(style.NULL, name, **line) for name, line in style.NULL_LINES[:most]]


def close_legend(page: Sheet, shown: list[Dataset], options: Options, bands: Bands, colour: Any) -> None:
    if options.mean:
        page.handles.append(layout.mean_handle())
    if any(d.repeats != 1 for d in shown):
        page.handles += layout.band_handles(colour, bands)
    if any(layout.threshold_in_view(d) for d in shown):
        page.handles.append(layout.threshold_handle())
    if any(d.scale_steps for d in shown):
        page.handles.append(layout.step_handle())
