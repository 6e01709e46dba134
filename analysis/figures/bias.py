"""The bias of the minimum-norm solution: what the training rows do not span, the fit cannot see."""

from __future__ import annotations

from matplotlib.figure import Figure

from draw import layout, panels, style, views
from draw.layout import Options
from draw.panels import BOTH_BANDS, Panel
from draw.row import Caption, Found, Row
from read.results import Curve, Dataset, Notes

TITLE = "The bias of the minimum-norm solution"


def rows(found: Found) -> list[Row]:
    """What this file draws."""
    return [Row("bias", bias, _caption, told=False)]


def _caption(datasets: list[Dataset], options: Options) -> Caption:
    see = (
        "While there are fewer training rows than features, the rows span a part of the space alone, and the shortest solution "
        "is zero outside it: what the best linear model would say of a test row's part outside is missing. Its mean square over "
        "the test rows is the orange line. From the threshold on the rows span the whole space, and the bias is zero: it "
        "cannot make a peak of the test error (grey) there."
    )
    alt = "Mean squared bias and test error: the bias falls to zero at the threshold."
    return Caption(TITLE, layout.directions(options) + see, alt)


def bias(datasets: list[Dataset], options: Options, notes: Notes) -> Figure | None:
    """Mean squared bias over the test rows, with the unablated test error behind."""
    shown = [(d, curve) for d in datasets if (curve := d.curve("test_bias_mse")) is not None and (curve.median > 0).any()]
    if not shown:
        return None
    page = layout.sheet(len(shown), TITLE, layout.x_label(options, [d for d, _ in shown]), style.ERROR_LABEL)
    for axes, (dataset, curve) in zip(page.panels, shown):
        _panel(Panel(axes, dataset, options), curve)
    there = [d for d, _ in shown]
    page.handles = [layout.line_handle(style.BIAS, f"mean squared bias{panels.median(there)}")]
    if any(d.unablated() for d in there):
        page.handles.append(layout.line_handle(style.UNABLATED, f"test error{panels.median(there)}", linewidth=3))
    panels.close_legend(page, there, options, BOTH_BANDS, style.BIAS)
    return layout.finish(page)


def _panel(panel: Panel, curve: Curve) -> None:
    dataset = panel.dataset
    test = dataset.curve("test_mse", dataset.unablated()) if dataset.unablated() else None
    panel.draw(test, style.UNABLATED, (), linewidth=3, zorder=1.9)
    panel.draw(curve, style.BIAS, BOTH_BANDS)
    view = views.of_bias(dataset, curve, test)
    panel.dress(view)
    panel.note_zero("bias", [curve], view, style.BIAS)
