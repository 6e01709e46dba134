"""The spike, and what cures that choose their own parameter leave of it, together."""

from __future__ import annotations

from matplotlib.figure import Figure

from draw import layout, panels, style, views
from draw.layout import Band, Options
from draw.panels import Bands, Panel
from draw.row import Caption, Found, Row
from read import threshold
from read.results import Dataset, Notes, Variant

TITLE = "The spike, and what each cure leaves of it"
LINE_STYLES = ("-", (0, (5, 1.5)), (0, (1, 1.2)), (0, (5, 1.5, 1, 1.5)))
BANDS: Bands = (Band(*style.INNER, 0.2),)


def rows(found: Found) -> list[Row]:
    """What this file draws."""
    return [Row("cures", cures, _caption, told=False)]


def _caption(datasets: list[Dataset], options: Options) -> Caption:
    shown = [d for d in datasets if _variants(d)]
    see = (
        "The grey line is the unablated fit. Ridge and gradient descent marked “best” know the test error and choose by it: "
        "nobody can, but no choice does better. Ridge by generalized cross-validation or leave-one-out chooses by the training "
        "rows alone. Bagging is the mean of many fits to fewer rows, so few that each is left of its own threshold; with all "
        f"subsets it is ridge in the limit.{_left(shown)}"
    )
    alt = f"Median test error of the unablated fit and of each cure on log axes: the spike is gone.{_left(shown)}"
    return Caption(TITLE, layout.directions(options) + see, alt)


def _left(datasets: list[Dataset]) -> str:
    """Of each data set, what the cures leave at the threshold."""
    said = []
    for dataset in datasets:
        found = [(v, r) for v in _variants(dataset) if (r := threshold.over_unablated(dataset, v)) is not None and r > 0]
        if found:
            listed = ", ".join(f"{style.ratio(1 / r)} ({_name(v)})" for v, r in found)
            said.append(f"{layout.title_of(dataset)} {listed}")
    return f" At {threshold.words(datasets)} errors are lower by these factors: {'; '.join(said)}." if said else ""


def _variants(dataset: Dataset) -> list[Variant]:
    return [v for name in style.CURES for v in dataset.of(name)]


def _name(variant: Variant) -> str:
    words = style.words(variant.ablation)
    return words.one.format(style.number(variant.parameter)) if words.one else words.short


def cures(datasets: list[Dataset], options: Options, notes: Notes) -> Figure | None:
    """Test error of the unablated fit and of all cures that choose."""
    shown = [d for d in datasets if _variants(d)]
    if not shown:
        return None
    names = [name for name in style.CURES if any(d.of(name) for d in shown)]
    page = layout.sheet(len(shown), TITLE, layout.x_label(options, shown), f"test {style.ERROR_LABEL}")
    for axes, dataset in zip(page.panels, shown):
        _panel(Panel(axes, dataset, options), names)
    if any(d.unablated() for d in shown):
        page.handles.append(layout.line_handle(style.UNABLATED, f"unablated{panels.median(shown)}", linewidth=3))
    page.handles += [layout.line_handle(_colour(name, names), style.words(name).short) for name in names]
    page.handles += panels.null_handles(shown)
    panels.close_legend(page, shown, options, BANDS, style.UNABLATED)
    return layout.finish(page)


def _colour(name: str, names: list[str]) -> str:
    return style.LINES[names.index(name) % len(style.LINES)]


def _panel(panel: Panel, names: list[str]) -> None:
    dataset = panel.dataset
    curves = []
    panel.draw_null_lines()
    if dataset.unablated() is not None:
        curves.append(dataset.curve("test_mse", dataset.unablated()))
        panel.draw(curves[0], style.UNABLATED, BANDS, linewidth=3, zorder=1.9)
    for name in names:
        for variant, line in zip(dataset.of(name), LINE_STYLES):
            curves.append(dataset.curve("test_mse", variant))
            panel.draw(curves[-1], _colour(name, names), (), linestyle=line)
    panel.dress(views.around(*curves, outer=False))
