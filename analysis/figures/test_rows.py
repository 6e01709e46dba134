"""What single test rows say: how many are classified wrongly, and what share of the error a few of them carry."""

from __future__ import annotations

from functools import partial

import numpy as np
from matplotlib.figure import Figure

from draw import layout, panels, style, views
from draw.layout import Options
from draw.panels import BOTH_BANDS, Panel
from draw.row import Caption, Found, Row
from read import threshold
from read.results import Curve, Dataset, Notes

LABELS = {"zero_one": "share of test rows classified wrongly", "worst_share": "share of the squared test error"}
TITLES = {
    "zero_one": "The least-squares classifier through the threshold",
    "worst_share": "How much of the error the worst hundredth of the test rows carries",
}
SEE = {
    "zero_one": "Targets have two values, and a prediction belongs to the nearer one. Errors are bounded here, and still they "
    "peak at the threshold: the peaking phenomenon of the pseudo-Fisher classifier (Raudys and Duin 1998).",
    "worst_share": "The squared errors of the worst hundredth of the test rows over those of all. With normal errors of one size "
    "it is about 0.08. Where it is near 1, the mean squared error is that of a few rows far outside of the training rows.",
}


def rows(found: Found) -> list[Row]:
    """A figure for each measure."""
    return [Row(name, partial(_figure, name), partial(_caption, name), told=False) for name in TITLES]


def _measured(dataset: Dataset, name: str) -> Curve | None:
    return dataset.curve(name, dataset.unablated()) if dataset.unablated() else None


def _caption(name: str, datasets: list[Dataset], options: Options) -> Caption:
    said = []
    for dataset in datasets:
        curve, at = _measured(dataset, name), threshold.place(dataset)
        if curve is None or at is None or not np.isfinite(curve.median[[at, -1]]).all():
            continue
        first = f"{curve.median[at]:.2g} at {threshold.place_words(dataset)}"
        said.append(f"{layout.title_of(dataset)} {first}, {curve.median[-1]:.2g} at N = {int(dataset.n_train[-1])}")
    numbers = f" Medians: {'; '.join(said)}." if said else ""
    return Caption(TITLES[name], f"{layout.directions(options)}{SEE[name]}{numbers}", f"{TITLES[name]}.{numbers}")


def _figure(name: str, datasets: list[Dataset], options: Options, notes: Notes) -> Figure | None:
    shown = [(d, curve) for d in datasets if (curve := _measured(d, name)) is not None]
    if not shown:
        return None
    there = [d for d, _ in shown]
    page = layout.sheet(len(shown), TITLES[name], layout.x_label(options, there), LABELS[name])
    for axes, (dataset, curve) in zip(page.panels, shown):
        panel = Panel(axes, dataset, options)
        panel.draw(curve, style.TEST, BOTH_BANDS)
        panel.dress(views.around(curve))
    page.handles = [layout.line_handle(style.TEST, f"no ablation{panels.median(there)}")]
    panels.close_legend(page, there, options, BOTH_BANDS, style.TEST)
    return layout.finish(page)
