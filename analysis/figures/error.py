"""The figure of test and train error through the threshold."""

from __future__ import annotations

from matplotlib.figure import Figure

from draw import layout, panels, style, views
from draw.layout import Options
from draw.panels import BOTH_BANDS, Panel
from draw.row import Caption, Found, Row
from read.results import Curve, Dataset, Notes

CAPTION = Caption(
    "Test and train error through the interpolation threshold",
    "From right to left the training set grows. The train error is zero to rounding while there are no more training rows "
    "than features, and rises after. The test error peaks where the two numbers are equal, and falls on either side: that "
    "is the divergence. Lines are medians over the repeats; the bands hold the middle half and the middle nine tenths of "
    "them. At the threshold the bands are widest: single repeats differ there by orders of magnitude.",
    "Median test and train error against features per training row on log axes; the test error peaks at the dashed line at "
    "P/N = 1.",
)


def rows(found: Found) -> list[Row]:
    """What this file draws."""
    return [Row("error", error, CAPTION)]


def error(datasets: list[Dataset], options: Options, notes: Notes) -> Figure | None:
    """Test and train error of the unablated fit through the threshold."""
    shown = panels.having(datasets, "none", notes)
    if not shown:
        return None
    title = "Error through the interpolation threshold"
    page = layout.sheet(len(shown), title, layout.x_label(options), style.ERROR_LABEL)
    for axes, dataset in zip(page.panels, shown):
        _error_panel(Panel(axes, dataset, options))
    page.handles = [
        layout.line_handle(style.TEST, f"test error{panels.median(shown)}"),
        layout.line_handle(style.TRAIN, f"train error{panels.median(shown)}"),
    ]
    if any(_population(d) is not None for d in shown):
        label = f"population error{panels.median(shown)}"
        page.handles.append(layout.line_handle(style.POPULATION, label, **style.POPULATION_LINE))
    panels.close_legend(page, shown, options, BOTH_BANDS, style.UNABLATED)
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
