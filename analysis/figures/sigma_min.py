"""The figure of the smallest non-zero singular value, which dips at the threshold."""

from __future__ import annotations

from matplotlib.figure import Figure

from draw import layout, panels, style, views
from draw.layout import Options
from draw.panels import BOTH_BANDS, Panel
from draw.row import Caption, Found, Row
from read import threshold
from read.results import Dataset, Notes

TITLE = "Smallest non-zero singular value of the training features"


def rows(found: Found) -> list[Row]:
    """What this file draws."""
    return [Row("sigma_min", sigma_min, _caption)]


def _caption(datasets: list[Dataset], options: Options) -> Caption:
    said = [(d, n) for d in datasets if (n := threshold.smallest(d, "sigma_min")) is not None]
    where = "; ".join(f"N = {n} of {layout.title_of(d)}, {d.size()}" for d, n in said)
    see = (
        f"Up to {threshold.words(datasets)} each further row adds a mode that is smaller than those before it; from there on no "
        f"mode is added, and each row can only lengthen the smallest. The median is smallest at {where}."
    )
    alt = f"Smallest non-zero singular value on log axes; smallest median at {where}."
    return Caption(TITLE, layout.directions(options) + see, alt)


def sigma_min(datasets: list[Dataset], options: Options, notes: Notes) -> Figure | None:
    """The smallest non-zero singular value of the training features, which dips at the threshold."""
    curves = [(d, d.curve("sigma_min")) for d in datasets]
    shown = [(d, c) for d, c in curves if c is not None]
    panels.note_absent("sigma_min", [d for d, c in curves if c is None], datasets, notes)
    if not shown:
        return None
    page = layout.sheet(len(shown), TITLE, layout.x_label(options, [d for d, _ in shown]), style.SIGMA_LABEL)
    for axes, (dataset, values) in zip(page.panels, shown):
        panel = Panel(axes, dataset, options)
        panel.draw(values, style.SIGMA, BOTH_BANDS)
        panel.dress(views.around(values))
    page.handles = [layout.line_handle(style.SIGMA, f"smallest singular value{panels.median([d for d, _ in shown])}")]
    panels.close_legend(page, [d for d, _ in shown], options, BOTH_BANDS, style.SIGMA)
    return layout.finish(page)
