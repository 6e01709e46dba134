"""The figure of how often errors are large next to the threshold, and what the report says of it in numbers."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from draw import layout, style
from draw.layout import Options
from draw.row import Caption, Found, Row
from read import tail
from read.results import Dataset, Notes
from read.tail import Fit, Tail

LINES = ((-1, style.FEW_ROWS, "N = P − 1"), (0, style.AT_THRESHOLD, "N = P"), (1, style.MANY_ROWS, "N = P + 1"))
BEND_DASHES = (0, (1, 1.5))
SURE = 2  # standard errors that are given

CAPTION = Caption(
    "How often errors are large",
    "The share of repeats whose error is larger than a value. A straight line on these axes is a power law: so slow a fall "
    "that no mean exists when it is −1 or slower. For normal features the slope is −1/2 at N = P and −1 next to it, whatever "
    "P: dashed, from where the tail begins; other features need not follow it. Slopes in a panel are fitted to the tail, with "
    "two standard errors. A dotted line is where a table of finitely many rows leaves the law for good.",
    "Share of repeats with larger errors against the error on log axes, for N = P − 1, P and P + 1.",
)


def rows(found: Found) -> list[Row]:
    """What this file draws."""
    return [Row("tails", tails, CAPTION)]


def tails(datasets: list[Dataset], options: Options, notes: Notes) -> Figure | None:
    """The share of repeats whose error is larger, against the error, with the slope that it must end in."""
    shown = [(d, found) for d in datasets if (found := tail.tails(d))]
    if not shown:
        return None
    title = "How often errors are large, next to the threshold"
    page = layout.sheet(len(shown), title, "error / its median", "share of repeats with a larger error")
    for axes, (dataset, found) in zip(page.panels, shown):
        _panel(axes, dataset, found)
    page.handles = [layout.line_handle(colour, name) for _, colour, name in LINES]
    dashes = {"linestyle": layout.MEAN_DASHES, "linewidth": 1.0}
    page.handles.append(layout.line_handle(style.TEXT, "slopes of normal features: −1/2 at N = P, −1 beside", **dashes))
    if any(t.bend for _, found in shown for t in found.values()):
        page.handles.append(layout.line_handle(style.TEXT, "leaves that slope for good", linestyle=BEND_DASHES))
    return layout.finish(page)


def _panel(axes: Axes, dataset: Dataset, found: dict[int, Tail]) -> None:
    highest, lowest = 10.0, 0.5
    for offset, colour, name in LINES:
        if offset not in found:
            continue
        t = found[offset]
        s = t.survival
        axes.plot([*s.edge, s.largest], [*s.share(), s.share()[-1]], color=colour, drawstyle="steps-post", linewidth=1.5)
        highest, lowest = max(highest, s.largest), min(lowest, s.share()[-1])
        _slope(axes, t, colour)
        if t.bend:
            axes.axvline(t.bend, color=colour, linestyle=BEND_DASHES, linewidth=1.2, zorder=1.5)
    axes.set_xscale("log")
    axes.set_xlim(0.1, min(highest * 2, style.EXTREMES[1]))
    layout.log_ticks(axes.xaxis, *axes.get_xlim())
    layout.y_axis(axes, lowest / 1.5, 1.15)
    fitted = [f"{name}: {slope_text(found[o].fit)}" for o, _, name in LINES if o in found and found[o].fit]
    if fitted:
        layout.top_note(axes, "\n".join(["fitted slopes", *fitted]), at_left=False)
    axes.set_title(layout.describe(dataset))


def _slope(axes: Axes, t: Tail, colour: Any) -> None:
    """A power law of the exponent, from where the tail begins."""
    s = t.survival
    first = tail.start(s)
    low, share = s.edge[first], s.share()[first]
    if s.largest <= low:
        return
    high = s.largest * 2
    axes.plot(
        [low, high], [share, share * (high / low) ** -t.law], color=colour, linestyle=layout.MEAN_DASHES, linewidth=1.0, zorder=4
    )


# ---- in numbers -------------------------------------------------------------------------------------------------------


def slope_text(fit: Fit) -> str:
    """−0.499 ± 0.010: as large an uncertainty as `SURE` standard errors."""
    return f"−{fit.exponent:.3f} ± {SURE * fit.error:.3f}"


def numbers(datasets: list[Dataset]) -> list[tuple[str, str, str, str, str]]:
    """Data set, N, fitted slope, range of the fit, and what is said of the law, of each tail that a slope was fitted to."""
    found = []
    for dataset in datasets:
        for t in tail.tails(dataset).values():
            if t.fit is not None:
                name = style.dataset_title(dataset.group)
                found.append((name, str(t.n_train), slope_text(t.fit), _range_text(t.fit), _law_text(dataset, t)))
    return found


def _range_text(fit: Fit) -> str:
    return f"{fit.low:.3g} to {fit.high:.3g} medians, {fit.repeats} repeats"


def _law_text(dataset: Dataset, t: Tail) -> str:
    law = f"−{t.law:g}"
    if dataset.is_isotropic():
        return f"{law}, {abs(t.fit.exponent - t.law) / t.fit.error:.1f} standard errors away"
    if t.followed is None:
        return f"never within {tail.LEFT_BY:g} of {law}"
    if t.bend is None:
        return f"within {tail.LEFT_BY:g} of {law} as far as slopes can be told, {t.followed[1]:.3g} medians"
    return f"within {tail.LEFT_BY:g} of {law} up to {t.followed[1]:.3g} medians; bends away at {t.bend:.3g} medians"
