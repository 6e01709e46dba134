"""What the training rows alone say of the test error: generalized cross-validation and leave-one-out."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from draw import layout, panels, style, views
from draw.layout import Band, Options
from draw.panels import Bands, Panel
from draw.row import Caption, Found, Row
from read import threshold
from read.results import Curve, Dataset, Notes

TITLE = "What the training rows alone can know"
MEASURES = (  # variable, name, colour and line
    ("gcv", "generalized cross-validation", style.TRAIN, {"linestyle": (0, (5, 1.5))}),
    ("loo", "leave-one-out", style.THEORY, {"linestyle": (0, (1, 1.2)), "linewidth": 2.0}),
)
BANDS: Bands = (Band(*style.INNER, 0.25),)
PART = 2.0  # times: from then on two curves part


def rows(found: Found) -> list[Row]:
    """What this file draws."""
    return [Row("cross_validation", cross_validation, _caption, told=False)]


def _caption(datasets: list[Dataset], options: Options) -> Caption:
    see = (
        "Both are made of the training rows alone, and are what one would know of the test error before any test. At the "
        "threshold generalized cross-validation does not diverge as the test error does. Leave-one-out is the error of fits to "
        f"N − 1 rows, so it peaks one row late.{_parts(datasets)}"
    )
    alt = f"Median test error and two estimates of it from the training rows, on log axes.{_parts(datasets)}"
    return Caption(TITLE, layout.directions(options) + see, alt)


def _parts(datasets: list[Dataset]) -> str:
    """Where they are furthest below the test error, at the threshold and with clearly more rows."""
    said = []
    for dataset in datasets:
        found = [text for text in (_at_threshold(dataset), _with_many_rows(dataset)) if text]
        if found:
            said.append(f"{layout.title_of(dataset)}: {', '.join(found)}")
    if not said:
        return ""
    why = (
        " Far from the threshold such a gap has another cause: test rows of large leverage, further out than any training row. "
        f"A cross-validation leaves out rows like those that it keeps, so it sees none of them.{_worst(datasets)}"
        if any(_with_many_rows(dataset) for dataset in datasets)
        else ""
    )
    return f" The test error over generalized cross-validation is: {'; '.join(said)}.{why}"


def _worst(datasets: list[Dataset]) -> str:
    """What share of the error a hundredth of the test rows carries, at the same N."""
    said = []
    for dataset in datasets:
        at, worst = _gap(dataset), dataset.curve("worst_share", dataset.unablated())
        if at is not None and worst is not None:
            said.append(f"{100 * worst.median[at]:.0f} % for {layout.title_of(dataset)} at N = {int(dataset.n_train[at])}")
    return f" Of the test error the worst hundredth of the test rows carries {'; '.join(said)}." if said else ""


def _ratio(dataset: Dataset) -> np.ndarray | None:
    test, gcv = (dataset.curve(name, dataset.unablated()) for name in ("test_mse", "gcv"))
    if test is None or gcv is None:
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        return test.median / gcv.median


def _at_threshold(dataset: Dataset) -> str:
    ratio, at = _ratio(dataset), threshold.place(dataset)
    known = ratio is not None and at is not None and np.isfinite(ratio[at]) and ratio[at] > 0
    return f"{style.ratio(ratio[at])} at {threshold.place_words(dataset)}" if known else ""


def _gap(dataset: Dataset) -> int | None:
    """The index of the N, twice the threshold or more, where the test error is the largest multiple; None: they do not part."""
    ratio = _ratio(dataset)
    if ratio is None:
        return None
    many = np.where((dataset.n_train >= 2 * dataset.threshold) & np.isfinite(ratio), ratio, -np.inf)
    return int(np.argmax(many)) if many.max() > PART else None


def _with_many_rows(dataset: Dataset) -> str:
    at, ratio = _gap(dataset), _ratio(dataset)
    if at is None or ratio is None:
        return ""
    return f"up to {style.ratio(ratio[at])} with twice as many rows or more (N = {int(dataset.n_train[at])})"


def cross_validation(datasets: list[Dataset], options: Options, notes: Notes) -> Figure | None:
    """Test error of the unablated fit, and what the training rows say of it."""
    shown = [d for d in datasets if d.unablated() and any(_measured(d, name) for name, *_ in MEASURES)]
    if not shown:
        return None
    page = layout.sheet(len(shown), TITLE, layout.x_label(options, shown), style.ERROR_LABEL)
    for axes, dataset in zip(page.panels, shown):
        _panel(Panel(axes, dataset, options))
    page.handles = [layout.line_handle(style.TEST, f"test error{panels.median(shown)}")]
    for name, words, colour, line in MEASURES:
        if any(_measured(d, name) for d in shown):
            page.handles.append(layout.line_handle(colour, f"{words}{panels.median(shown)}", **line))
    page.handles += panels.null_handles(shown)
    panels.close_legend(page, shown, options, BANDS, style.UNABLATED)
    return layout.finish(page)


def _measured(dataset: Dataset, name: str) -> Curve | None:
    return dataset.curve(name, dataset.unablated())


def _panel(panel: Panel) -> None:
    dataset = panel.dataset
    test = dataset.curve("test_mse", dataset.unablated())
    curves = [test, *(found for name, *_ in MEASURES if (found := _measured(dataset, name)) is not None)]
    view = views.around(*curves, outer=False)
    panel.draw_null_lines()
    panel.draw(test, style.TEST, BANDS)
    for name, _, colour, line in MEASURES:
        panel.draw(_measured(dataset, name), colour, BANDS, **line)
    panel.dress(view)
