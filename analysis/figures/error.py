"""The figure of test and train error through the threshold."""

from __future__ import annotations

from matplotlib.figure import Figure

from draw import layout, panels, style, views
from draw.layout import Options
from draw.panels import BOTH_BANDS, Panel
from draw.row import Caption, Found, Row
from read import threshold
from read.results import Curve, Dataset, Notes

TITLE = "Test and train error through the interpolation threshold"


def rows(found: Found) -> list[Row]:
    """What this file draws."""
    return [Row("error", error, _caption)]


def _caption(datasets: list[Dataset], options: Options) -> Caption:
    see = (
        f"The dashed line is the threshold, as many training rows N as {_counted(datasets)}. Up to there a fit goes through its "
        "training rows, and the train error is zero to rounding."
        f"{_peaks(datasets)} Bands hold the middle half and the middle nine tenths of the repeats."
    )
    if panels.null_handles(datasets):
        see += " Dotted: what it costs to look at no feature at all."
    alt = f"Median test and train error on log axes, with the threshold {threshold.words(datasets)} marked.{_peaks(datasets)}"
    return Caption(TITLE, layout.directions(options) + see, alt)


def _counted(datasets: list[Dataset]) -> str:
    low = [d for d in datasets if d.has_low_rank()]
    less = "; ".join(f"{d.threshold} of the {d.n_features} features of {layout.title_of(d)}" for d in low)
    return "features P" + (f", or as many as are left without those that the others make up: {less}" if low else "")


def _peaks(datasets: list[Dataset]) -> str:
    """Where the test error is largest near the threshold, and how far the repeats are apart there."""
    said = []
    for dataset in datasets:
        found = threshold.peak(dataset)
        if found is not None:
            spread = f", half of the repeats from {style.span(found.low, found.high)}" if found.low < found.high else ""
            said.append(f"N = {found.n_train} of {layout.title_of(dataset)}, {dataset.size()}{spread}")
    low = any(d.has_low_rank() for d in datasets)
    between = "half of the threshold and twice it" if low else "P/2 and 2 P"
    return f" Between {between} the test error is largest at {'; '.join(said)}." if said else ""


def error(datasets: list[Dataset], options: Options, notes: Notes) -> Figure | None:
    """Test and train error of the unablated fit through the threshold."""
    shown = panels.having(datasets, "none", notes)
    if not shown:
        return None
    title = "Error through the interpolation threshold"
    page = layout.sheet(len(shown), title, layout.x_label(options, shown), style.ERROR_LABEL)
    for axes, dataset in zip(page.panels, shown):
        _error_panel(Panel(axes, dataset, options))
    page.handles = [
        layout.line_handle(style.TEST, f"test error{panels.median(shown)}"),
        layout.line_handle(style.TRAIN, f"train error{panels.median(shown)}"),
    ]
    if any(_population(d) is not None for d in shown):
        label = f"population error{panels.median(shown)}"
        page.handles.append(layout.line_handle(style.POPULATION, label, **style.POPULATION_LINE))
    page.handles += panels.null_handles(shown)
    panels.close_legend(page, shown, options, BOTH_BANDS, style.UNABLATED)
    return layout.finish(page)


def _error_panel(panel: Panel) -> None:
    dataset, view = panel.dataset, views.comparable(panel.dataset)
    test = dataset.curve("test_mse", dataset.unablated())
    train = dataset.curve("train_mse", dataset.unablated())
    panel.draw_null_lines()
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
