"""The test loss of a shallow autoencoder as a map over training examples T and hidden dimensions m."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from draw import layout, style
from draw.layout import Options
from draw.row import Caption, Found, Row
from read.results import Dataset, Notes
from read.trainings import Autoencoder

FEW = 3  # of T and of m: fewer make no map
REACH = 0.02  # of the colours beside 1, at least

CAPTION = Caption(
    "Double descent of an autoencoder over examples and hidden dimensions",
    "Each cell is the median test loss of one number of training examples T and one of hidden dimensions m, over that of "
    "predicting nothing. White is as good as nothing, red worse, blue better; a dot marks the largest loss of each m. "
    "Where that moves with m, so does the place where the network goes over from examples to features.",
    "Heat map of the median test loss over T and m, with a dot at the largest one of each m.",
)


def rows(found: Found) -> list[Row]:
    """One for each autoencoder with several numbers of hidden dimensions."""
    names = list(dict.fromkeys(a.group for a in found.autoencoders))
    groups = [[a for a in found.autoencoders if a.group == name] for name in names]
    return [
        Row(f"{shown[0].group}_map", partial(loss_map, shown), partial(_caption, shown), own=True)
        for shown in groups
        if len(shown) >= FEW and len(shown[0].n_train) >= FEW
    ]


def _caption(shown: list[Autoencoder], _datasets: list[Dataset], _options: Options) -> Caption:
    return replace(CAPTION, see=f"{CAPTION.see} For each m: {shown[0].what_was_run()}")


def loss_map(shown: list[Autoencoder], _datasets: list[Dataset], _options: Options, _notes: Notes) -> Figure | None:
    """Median test losses at the end, [m, T]."""
    losses = np.array([a.loss("test").median for a in shown])
    if not np.isfinite(losses).any():
        return None
    first = shown[0]
    repeats = f"{first.repeats} repeat" + ("" if first.repeats == 1 else "s")
    name = "Autoencoder" if first.group == "autoencoder" else f"Autoencoder {style.dataset_title(first.group)}"
    title = f"{name}: {first.n_features} sparse features, {repeats}"
    page = layout.sheet(1, title, "training examples, T", "hidden dimensions, m", True)
    _panel(page, page.panels[0], shown, losses)
    return layout.finish(page)


def _norm(losses: np.ndarray) -> Normalize:
    """As far above 1 as below, so that the middle colour is that of predicting nothing."""
    finite = losses[np.isfinite(losses)]
    reach = max(REACH, float(np.abs(finite - 1).max()))
    return Normalize(1 - reach, 1 + reach)


def _panel(page: layout.Sheet, axes: Axes, shown: list[Autoencoder], losses: np.ndarray) -> None:
    """Cells of one size: both axes name what was trained."""
    n_rows, n_columns = losses.shape
    cells = axes.pcolormesh(np.arange(n_columns), np.arange(n_rows), losses, norm=_norm(losses), cmap="RdBu_r")
    for i, row in enumerate(losses):
        if np.isfinite(row).any():
            axes.plot(int(np.nanargmax(row)), i, "o", color="black", markersize=4)
    ticks = range(0, n_columns, -(-n_columns // 7))
    axes.set_xticks(ticks, [shown[0].examples_text(i) for i in ticks])
    axes.set_yticks(range(n_rows), [str(a.n_hidden) for a in shown])
    axes.tick_params(which="minor", length=0)
    axes.grid(False)
    layout.colour_bar_of(page, cells, "test loss over that of predicting nothing")
