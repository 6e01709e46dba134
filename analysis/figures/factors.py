"""The paper's three factors, mode by mode: the error of a prediction is the sum over modes r of their product,
(1 / sigma_r) (x_test . v_r) (u_r . E), and the spike needs all three to be large at once."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from draw import layout, style, views
from draw.layout import Options
from draw.row import Caption, Found, Row
from read import threshold
from read.results import MODE_VARIABLES, QUANTILES, Curve, Dataset, Notes

PRODUCT = "product"
MARKERS_UP_TO = 40  # modes; more of them need no marker each
BANDS = (layout.Band(*style.INNER, 0.18),)


def rows(found: Found) -> list[Row]:
    """What this file draws."""
    return [Row("factors", factors, _caption)]


def _caption(datasets: list[Dataset], options: Options) -> Caption:
    see = (
        "The error of a prediction is the sum over the modes of the product of three factors: one over the singular value, the "
        "test row's projection on the mode, and the residual errors' projection on it. Mode 1 has the largest singular value, "
        f"the last one the smallest.{last_modes(datasets, options)}"
    )
    alt = "Four columns against the mode number: one over the singular value, test and residual projection, and their product."
    return Caption("The three factors, mode by mode", see, alt)


def last_modes(datasets: list[Dataset], options: Options) -> str:
    """A sentence: the last mode's product over that of the first, where N is nearest to the threshold."""
    said = []
    for dataset in datasets:
        at = int(np.argmin(np.abs(dataset.n_train - dataset.threshold)))
        values = _factor(dataset, PRODUCT, at, options) if dataset.has_modes() else None
        there = values.median[np.isfinite(values.median)] if values is not None else np.array([])
        if there.size > 1 and there[0] > 0 and not threshold.is_zero(dataset, there.max() ** 2):
            title = layout.title_of(dataset)
            times = style.ratio(there[-1] / there[0])
            said.append(f"{times} times that of the first at N = {dataset.n_train[at]:.0f} of {title}")
    return f" The last mode's median product is {', '.join(said)}." if said else ""


@dataclass(frozen=True)
class Regime:
    """Where in N a line of the figure is taken."""

    label: str
    colour: str
    marker: str
    order: int = 0


FEW_ROWS = Regime("few training rows, N near half the threshold", style.FEW_ROWS, "^")
AT_THRESHOLD = Regime("N nearest to the threshold", style.AT_THRESHOLD, "o")
MANY_ROWS = Regime("many training rows, largest N", style.MANY_ROWS, "s")
ALL = (FEW_ROWS, AT_THRESHOLD, MANY_ROWS)


def factors(datasets: list[Dataset], options: Options, notes: Notes) -> Figure | None:
    """A row per dataset, a column per factor, a line per regime of N."""
    shown = [d for d in datasets if d.has_modes() and any(_factor(d, "sigma", i, options) for i in regimes(d, options))]
    if shown and len(shown) < len(datasets):
        notes.append(f"factors: no per-mode values kept for {', '.join(d.group for d in datasets if d not in shown)}")
    if not shown:
        return None
    page, grid = layout.table(
        len(shown), len(COLUMNS), "The three factors of the error, mode by mode" + of_repeats(options), "mode r"
    )
    there = list(dict.fromkeys(r for dataset in shown for r in regimes(dataset, options).values()))
    for row, dataset in zip(grid, shown):
        for axes, (title, factor) in zip(row, COLUMNS):
            _panel(axes, dataset, factor, options)
            if row is grid[0]:
                axes.set_title(title)
        sizes = ", ".join(f"{dataset.n_train[i]:.0f}" for i in sorted(regimes(dataset, options)))
        row[0].set_ylabel(f"{layout.describe(dataset, newline=True)}\nN = {sizes}")
    page.handles = handles(there)
    if len(options.repeats) != 1 and any(d.repeats != 1 for d in shown):
        page.handles += layout.band_handles(style.UNABLATED, BANDS)
    return layout.finish(page)


def of_repeats(options: Options) -> str:
    """What a title says of the repeats, when not all are drawn."""
    if not options.repeats:
        return ""
    return f": repeat{'s' * (len(options.repeats) > 1)} {', '.join(map(str, options.repeats))}"


def handles(there: list[Regime]) -> list[Any]:
    """Legend entries, in the order of N where it has one."""
    order = [r for r in ALL if r in there] or sorted(there, key=lambda r: r.order)
    return [layout.line_handle(r.colour, r.label, marker=r.marker, markersize=4) for r in order]


def _panel(axes: Axes, dataset: Dataset, factor: str, options: Options) -> None:
    drawn = []
    for index, regime in regimes(dataset, options).items():
        values = _factor(dataset, factor, index, options)
        if values is None:
            continue
        drawn.append(values)
        modes = np.arange(1, len(values.median) + 1)
        marker = regime.marker if len(modes) <= MARKERS_UP_TO else ""
        bands = BANDS if dataset.repeats != 1 and len(options.repeats) != 1 else ()
        layout.curve(axes, modes, values, regime.colour, bands, marker=marker, markersize=3.5, linewidth=1.3)
    if drawn:
        view = views.around(*drawn, outer=False)
        layout.y_axis(axes, view.low, view.high)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8, min_n_ticks=1))


def regimes(dataset: Dataset, options: Options) -> dict[int, Regime]:
    """Index along n_train -> regime; the ones away from the threshold only where the study goes away from it."""
    n, t = dataset.n_train, dataset.threshold
    if options.sizes:
        return {int(i): _chosen(options, int(n[i])) for i in np.flatnonzero(np.isin(n, options.sizes))}
    chosen = {int(np.argmin(np.abs(n - t))): AT_THRESHOLD}
    few, many = int(np.argmin(np.abs(n - t / 2))), int(np.argmax(n))
    if n[few] <= 0.75 * t:
        chosen.setdefault(few, FEW_ROWS)
    if n[many] >= 1.5 * t:
        chosen.setdefault(many, MANY_ROWS)
    return chosen


def _chosen(options: Options, n_train: int) -> Regime:
    place = sorted(options.sizes).index(n_train)
    return Regime(f"N = {n_train}", style.LINES[place % len(style.LINES)], style.MARKERS[place % len(style.MARKERS)], n_train)


def _factor(dataset: Dataset, factor: str, index: int, options: Options) -> Curve | None:
    """Reduced over the repeats, mode by mode."""
    values = products(dataset, index) if factor == PRODUCT else dataset.modes(factor, index)
    values = chosen_repeats(values, options) if values is not None else np.array([])
    if values.size == 0:
        return None
    with warnings.catch_warnings(), np.errstate(divide="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)  # modes that no repeat has
        values = 1 / np.where(values > 0, values, np.nan) if factor == "sigma" else np.abs(values)
        table = np.nanquantile(values, QUANTILES, axis=0)
    return Curve(table[2], dict(zip(QUANTILES, table)), None)


def chosen_repeats(values: np.ndarray, options: Options) -> np.ndarray:
    """[repeat, ...] of the repeats asked for that there are."""
    return values[[r for r in options.repeats if r < len(values)]] if options.repeats else values


def products(dataset: Dataset, index: int) -> np.ndarray | None:
    """The size of each mode's part in the error at one N, rms over the test rows, [repeat, mode]."""
    sigma, test, residual = (dataset.modes(name, index) for name in MODE_VARIABLES)
    if sigma is None or test is None or residual is None:
        return None
    return test * np.abs(residual) / np.where(sigma > 0, sigma, np.nan)


COLUMNS = (
    (r"$1/\sigma_r$", "sigma"),
    (r"test projection, rms of $x \cdot v_r$", "test_projection_rms"),
    (r"residual projection, $|u_r \cdot E|$", "residual_projection"),
    ("product of the three", PRODUCT),
)
