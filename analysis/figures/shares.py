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
from read.results import Dataset, Notes

MOST_TICKS = 9

CAPTION = Caption(
    "Which mode makes the spike",
    "Colour is a mode's share of the sum of the squared products of the three factors, in the median repeat; grey: there is "
    "no such mode. Along the diagonal, N up to P, the last mode that there is has the largest part. The threshold is where "
    "that mode is the smallest of all.",
    "A map of training rows against modes; the brightest cells are the last mode's near N = P.",
)


def rows(found: Found) -> list[Row]:
    """What this file draws."""
    return [Row("shares", shares, CAPTION)]


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
    layout.colour_bar_of(page, mappable, "share of the mode (median over repeats)")
    page.handles = [layout.threshold_handle(style.THRESHOLD_ON_MAP)]
    return layout.finish(page)


def _table(dataset: Dataset, options: Options) -> np.ndarray | None:
    """[n_train, mode]: of the sum over modes of the squared products of the three factors, in the median repeat."""
    rows = []
    for i in range(len(dataset.n_train)):
        products = factors.products(dataset, i)
        products = factors.chosen_repeats(products, options) if products is not None else np.array([])
        rows.append(_median_share(products) if products.size else None)
    if all(row is None for row in rows):
        return None
    width = max(len(row) for row in rows if row is not None)
    return np.array([row if row is not None else np.full(width, np.nan) for row in rows])


def _median_share(products: np.ndarray) -> np.ndarray:
    squares = products**2
    with warnings.catch_warnings(), np.errstate(invalid="ignore", divide="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)  # modes that no repeat has
        return np.nanmedian(squares / np.nansum(squares, axis=1, keepdims=True), axis=0)


def _ticks(n_train: np.ndarray) -> list[int]:
    """Indices of round numbers, as far as they are there, and of the first."""
    if len(n_train) <= MOST_TICKS:
        return list(range(len(n_train)))
    round_ones = set(MaxNLocator(MOST_TICKS, integer=True).tick_values(n_train.min(), n_train.max()))
    found = [i for i, n in enumerate(n_train) if n in round_ones or i == 0]
    return found if len(found) >= 3 else list(range(0, len(n_train), math.ceil(len(n_train) / MOST_TICKS)))


def _panel(axes: Axes, dataset: Dataset, table: np.ndarray) -> None:
    """Every N as wide as the others: they need not be evenly spaced."""
    n, modes = dataset.n_train, table.shape[1]
    columns = np.arange(len(n) + 1) - 0.5
    axes.pcolormesh(columns, np.arange(modes + 1) + 0.5, table.T, cmap=style.SHARES, vmin=0, vmax=1, rasterized=True)
    axes.grid(False)
    axes.set_facecolor(style.NOTHING)
    if n.min() <= dataset.n_features <= n.max():
        place = float(np.interp(dataset.n_features, n, np.arange(len(n))))
        axes.axvline(place, color=style.THRESHOLD_ON_MAP, linestyle=layout.THRESHOLD_DASHES, linewidth=1.0)
    ticks = _ticks(n)
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_major_formatter(FixedFormatter([f"{n[i]:.0f}" for i in ticks]))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=8, min_n_ticks=1))
    axes.invert_yaxis()
    axes.set_title(layout.describe(dataset))
