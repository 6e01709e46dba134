"""Which mode makes the spike: a map of each mode's share of the squared error, over N and r."""

from __future__ import annotations

import math
import warnings

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator

from draw import layout, style
from draw.layout import Options
from draw.row import Caption, Found, Row
from figures import factors
from read import threshold
from read.results import Dataset, Notes

MOST_TICKS = 9


def rows(found: Found) -> list[Row]:
    """What this file draws."""
    return [Row("shares", shares, _caption)]


def _caption(datasets: list[Dataset], options: Options) -> Caption:
    found = [(d, table) for d in datasets if d.has_modes() and (table := _table(d, options)) is not None]
    nearest = threshold.words([d for d, _ in found]).removeprefix("N = ")
    said = [f"{layout.title_of(d)}: {_at_threshold(d, table)}" for d, table in found]
    see = (
        "Colour is a mode's share of the sum of the squared products of the three factors, in the median repeat; grey: there is "
        "no such mode, as with N rows there are N modes at most. A column for each N of the study; a white line where N leaps. "
        f"At the N nearest to {nearest}, {'; '.join(said)}."
    )
    alt = f"A map of training rows against modes. At the N nearest to {nearest}, {'; '.join(said)}."
    return Caption("Which mode makes the spike", see, alt)


def _at_threshold(dataset: Dataset, table: np.ndarray) -> str:
    """The mode with the largest share, and that share."""
    row = table[int(np.argmin(np.abs(dataset.n_train - dataset.threshold)))]
    if not np.isfinite(row).any():
        return "nothing was computed"
    return f"mode {np.nanargmax(row) + 1} of {np.isfinite(row).sum()} has {100 * np.nanmax(row):.0f} %"


def shares(datasets: list[Dataset], options: Options, notes: Notes) -> Figure | None:
    """A panel per dataset: N against r, and as colour the median over the repeats of the mode's share."""
    found = [(d, table) for d in datasets if d.has_modes() and (table := _table(d, options)) is not None]
    if not found:
        return None
    title = "Each mode's share of the squared error" + factors.of_repeats(options)
    page = layout.sheet(len(found), title, style.N_LABEL, "mode r (1: the largest singular value)", True)
    for axes, (dataset, table) in zip(page.panels, found):
        _panel(axes, dataset, table)
    mappable = ScalarMappable(norm=Normalize(0, 1), cmap=style.SHARES)
    layout.colour_bar_of(page, mappable, "share (median over repeats)")
    page.handles = [layout.threshold_handle(style.THRESHOLD_ON_MAP)]
    return layout.finish(page)


def _table(dataset: Dataset, options: Options) -> np.ndarray | None:
    """[n_train, mode]: of the sum over modes of the squared products of the three factors, in the median repeat."""
    rows = []
    for i in range(len(dataset.n_train)):
        products = factors.products(dataset, i)
        products = factors.chosen_repeats(products, options) if products is not None else np.array([])
        zero = products.size and threshold.is_zero(dataset, float(np.median(np.nansum(products**2, axis=1))))
        rows.append(_median_share(products) if products.size and not zero else None)  # shares of rounding mean nothing
    if all(row is None for row in rows):
        return None
    width = max(len(row) for row in rows if row is not None)
    return np.array([row if row is not None else np.full(width, np.nan) for row in rows])


def _median_share(products: np.ndarray) -> np.ndarray:
    squares = products**2
    with warnings.catch_warnings(), np.errstate(invalid="ignore", divide="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)  # modes that no repeat has
        return np.nanmedian(squares / np.nansum(squares, axis=1, keepdims=True), axis=0)


def _ticks(n_train: np.ndarray, threshold: int) -> list[int]:
    """Indices: the threshold's first, the ends, and what else has room between them."""
    apart = max(1, math.ceil(len(n_train) / MOST_TICKS))
    wanted = [int(np.argmin(np.abs(n_train - threshold))), 0, len(n_train) - 1, *range(0, len(n_train), apart)]
    chosen: list[int] = []
    for i in wanted:
        if all(abs(i - j) >= apart for j in chosen):
            chosen.append(i)
    return sorted(chosen)


def _leaps(n_train: np.ndarray) -> np.ndarray:
    """Between which columns N goes on by more than one, in a study that has neighbours at all."""
    steps = np.diff(n_train)
    return np.flatnonzero(steps > 1) + 0.5 if (steps == 1).any() else np.array([])


def _panel(axes: Axes, dataset: Dataset, table: np.ndarray) -> None:
    """Every N as wide as the others: they need not be evenly spaced."""
    n, modes = dataset.n_train, table.shape[1]
    columns = np.arange(len(n) + 1) - 0.5
    axes.pcolormesh(columns, np.arange(modes + 1) + 0.5, table.T, cmap=style.SHARES, vmin=0, vmax=1, rasterized=True)
    axes.vlines(_leaps(n), 0.5, modes + 0.5, color="white", linewidth=0.8)
    axes.grid(False)
    axes.set_facecolor(style.NOTHING)
    if n.min() <= dataset.threshold <= n.max():
        place = float(np.interp(dataset.threshold, n, np.arange(len(n))))
        axes.axvline(place, color=style.THRESHOLD_ON_MAP, linestyle=layout.THRESHOLD_DASHES, linewidth=1.0)
    ticks = _ticks(n, dataset.threshold)
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_major_formatter(FixedFormatter([f"{n[i]:.0f}" for i in ticks]))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=8, min_n_ticks=1))
    axes.invert_yaxis()
    axes.set_title(layout.describe(dataset))
