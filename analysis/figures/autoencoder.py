"""The figure of a shallow autoencoder, from memorized examples to learned features: losses and fractional dimensions against
the number of training examples T, and, in the plane, what the features and the examples look like at some T."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from draw import layout, style
from draw.layout import Band, Options
from draw.row import Caption, Found, Row
from read.results import Curve, Dataset, Notes
from read.trainings import Autoencoder

FEATURES, EXAMPLES = "#009E73", "#E69F00"
BANDS = (Band(*style.OUTER, 0.14), Band(*style.INNER, 0.3))
GUIDE = {"color": style.THRESHOLD, "linewidth": 1.0, "zorder": 1.5}
NOTHING_DASHES, EVEN_DASHES = (0, (4, 3)), (0, (1, 1.6))

# inches
LEFT, RIGHT, TOP, BOTTOM = 1.0, 0.25, 0.55, 0.55
CURVES_HEIGHT, PLANE, GAP, BETWEEN = 2.9, 2.0, 0.32, 1.05
COLUMNS = 5

PUBLISHED = (0.998, 1.022)  # the axis of the published figure
NARROW = (0.95, 1.1)  # medians that lie within these have that axis, or one as little larger as holds them

CAPTION = Caption(
    "A shallow autoencoder, from memorized examples to learned features",
    "With few training examples T the network stores the examples: their fractional dimensions are large, those of the "
    "features small. With many it stores features. The test loss peaks in between, where it does neither well. In the plane "
    "(m = 2): columns of W, and hidden vectors of the examples, at T under, at and over the peak.",
    "Test and train loss and fractional dimensions against the number of training examples, and scatter plots of features and "
    "hidden vectors.",
)


def rows(found: Found) -> list[Row]:
    """One for each number of hidden dimensions of each autoencoder."""
    return [Row(_name(a), partial(autoencoder, a), partial(_caption, a), own=True) for a in found.autoencoders]


def _caption(shown: Autoencoder, _datasets: list[Dataset], _options: Options) -> Caption:
    return replace(CAPTION, see=f"{CAPTION.see} {shown.what_was_run()}")


def _name(shown: Autoencoder) -> str:
    return shown.group if shown.alone else f"{shown.group}-{shown.n_hidden}"


def autoencoder(shown: Autoencoder, _datasets: list[Dataset], options: Options, _notes: Notes) -> Figure | None:
    """Losses and dimensions against T; below, for m = 2, embeddings at T under, at and over the peak of the test loss."""
    test = shown.loss("test")
    if not np.isfinite(test.median).any():
        return None
    chosen = _chosen(test.median) if shown.has_embeddings() else []
    figure, losses, dimensions, planes = _axes(len(chosen))
    _losses(losses, shown, options, [index for index, _ in chosen])
    _dimensions(dimensions, shown)
    for column, (index, word) in enumerate(chosen):
        title = f"T = {shown.examples_text(index)}" + (f", {word}" if word else "")
        planes[0][column].set_title(title)
        _plane(planes[0][column], shown.embedding("feature", index), FEATURES)
        _plane(planes[1][column], shown.embedding("example", index), EXAMPLES)
    if chosen:
        planes[0][0].set_ylabel("features: columns of W")
        planes[1][0].set_ylabel("examples: hidden vectors W x")
    _title(figure, shown, bool(chosen))
    page = layout.Sheet(figure, [losses, dimensions])
    page.handles = _handles(shown, options)
    return layout.finish(page)


# ---- places -----------------------------------------------------------------------------------------------------


def _axes(n_planes: int) -> tuple[Figure, Axes, Axes, list[list[Axes]]]:
    """The two wide panels on top, and two rows of square ones as wide as those together."""
    inner = COLUMNS * PLANE + (COLUMNS - 1) * GAP
    rows = 2 * PLANE + GAP + BETWEEN if n_planes else 0.0
    width, height = LEFT + inner + RIGHT, TOP + CURVES_HEIGHT + rows + BOTTOM
    figure = plt.figure(figsize=(width, height))

    def place(x: float, y: float, w: float, h: float) -> Axes:
        return figure.add_axes((x / width, y / height, w / width, h / height))

    wide = (inner - LEFT) / 2
    curves = height - TOP - CURVES_HEIGHT
    losses = place(LEFT, curves, wide, CURVES_HEIGHT)
    dimensions = place(LEFT + wide + LEFT, curves, wide, CURVES_HEIGHT)
    step = (inner - PLANE) / max(n_planes - 1, 1)
    planes = [[place(LEFT + i * step, BOTTOM - 0.3 + y, PLANE, PLANE) for i in range(n_planes)] for y in (PLANE + GAP, 0)]
    return figure, losses, dimensions, planes


def _title(figure: Figure, shown: Autoencoder, has_planes: bool) -> None:
    repeats = f", {shown.repeats} repeat" + ("" if shown.repeats == 1 else "s")
    name = "Autoencoder" if shown.group == "autoencoder" else f"Autoencoder {style.dataset_title(shown.group)}"
    title = f"{name}: {shown.n_features} sparse features in {shown.n_hidden} hidden dimensions{repeats}"
    height = figure.get_size_inches()[1]
    figure.text(0.5, 1 - 0.12 / height, title, ha="center", va="top", fontsize=style.TITLE_SIZE)
    if has_planes:
        y = (BOTTOM - 0.3 + 2 * PLANE + GAP + 0.38) / height
        text = "the plane of hidden dimensions at the T with a circle above, first repeat; each panel has its own scale"
        figure.text(0.5, y, text, ha="center", va="center", fontsize=9, color=style.QUIET_TEXT)


# ---- against T --------------------------------------------------------------------------------------------------


def _t_axis(axes: Axes, shown: Autoencoder) -> None:
    places = shown.places()
    low, high = places.min() / 1.12, places.max() * 1.12
    finite = places[~shown.infinite].max(initial=low)
    ticks = [t for t in style.decade_ticks(low, 1.12 * finite) if abs(t - round(t)) < 1e-9 * t]
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.xaxis.set_major_locator(FixedLocator([*ticks, *places[shown.infinite]]))
    axes.xaxis.set_major_formatter(FixedFormatter([*style.tick_texts(ticks), *("∞" for _ in places[shown.infinite])]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("training examples, T")
    axes.spines["top"].set_visible(False)


def _bands(shown: Autoencoder) -> tuple[Band, ...]:
    return BANDS if shown.repeats != 1 else ()


def _losses(axes: Axes, shown: Autoencoder, options: Options, chosen: list[int]) -> None:
    axes.axhline(1, linestyle=NOTHING_DASHES, **GUIDE)
    for which, colour in (("train", style.TRAIN), ("test", style.TEST)):
        values = shown.loss(which)
        layout.curve(axes, shown.places(), values, colour, _bands(shown))
        if options.mean:
            layout.mean_line(axes, shown.places(), values, colour)
    test = shown.loss("test").median
    axes.plot(shown.places()[chosen], test[chosen], "o", color=style.TEST, markersize=4.5)
    axes.set_ylim(*_limits(shown.loss("test")))
    axes.set_ylabel("loss over that of predicting nothing")
    _t_axis(axes, shown)


def _limits(test: Curve) -> tuple[float, float]:
    """Of the loss: from zero on, or the published axis where the medians lie close to 1; train losses may leave that."""
    known = test.median[np.isfinite(test.median)]
    if NARROW[0] <= known.min() and known.max() <= NARROW[1]:
        margin = 0.05 * (known.max() - known.min())
        return min(PUBLISHED[0], known.min() - margin), max(PUBLISHED[1], known.max() + margin)
    highest = style.reach(_edge(test, style.OUTER[1]))
    return -0.03 * highest, 1.06 * highest


def _where_train_loss_is(shown: Autoencoder) -> str:
    """For the legend: nobody looks for a line that the axis leaves out."""
    train = shown.loss("train").median
    return ", below the axis" if np.nanmax(train) < _limits(shown.loss("test"))[0] else ""


def _edge(values: Curve, quantile: float) -> np.ndarray:
    return values.quantiles.get(quantile, values.median)


def _dimensions(axes: Axes, shown: Autoencoder) -> None:
    """The largest ones as curves; on a log scale, as all together add up to no more than m or so."""
    t = shown.places()
    known = t[~shown.infinite]
    axes.plot(known, shown.n_hidden / known, linestyle=EVEN_DASHES, **GUIDE)
    axes.axhline(shown.n_hidden / shown.n_features, linestyle=EVEN_DASHES, **GUIDE)
    for kind, colour in (("example", EXAMPLES), ("feature", FEATURES)):
        layout.curve(axes, t, shown.largest_dimension(kind), colour, _bands(shown))
    lowest = shown.n_hidden / max(t.max(), shown.n_features)
    layout.y_axis(axes, lowest / 1.5, 1.1)
    axes.set_ylabel("largest fractional dimension")
    _t_axis(axes, shown)
    words = {"fontsize": 8.5, "color": style.QUIET_TEXT}
    axes.annotate(
        "m/n",
        (t.max(), shown.n_hidden / shown.n_features),
        xytext=(-2, 3),
        textcoords="offset points",
        ha="right",
        va="bottom",
        **words,
    )
    early = t[len(t) // 4]  # before the two lines cross
    axes.annotate(
        "m/T", (early, shown.n_hidden / early), xytext=(-3, -3), textcoords="offset points", ha="right", va="top", **words
    )


# ---- in the plane -----------------------------------------------------------------------------------------------


def _chosen(test: np.ndarray) -> list[tuple[int, str]]:
    """Indices of T: the first, one on the way up, the peak, the first beyond it that is better than nothing, the last."""
    known = np.flatnonzero(np.isfinite(test))
    peak = int(known[np.argmax(test[known])])
    under = [i for i in known if i < peak]
    over = [i for i in known if i > peak]
    better = [i for i in over if test[i] < 1] or over
    picked = {int(known[0]): "", peak: "the peak", int(known[-1]): ""}
    if under:
        picked.setdefault(int(under[len(under) // 2]), "")
    if better:
        picked.setdefault(int(better[0]), "")
    return sorted(picked.items())


def _plane(axes: Axes, points: np.ndarray, colour: str) -> None:
    """Vectors from the origin; few of them with their lines."""
    many = 60
    reach = 1.12 * style.reach(points)
    if points.shape[1] <= many:
        lines = np.zeros((points.shape[1], 2, 2))
        lines[:, 1] = points.T
        for line in lines:
            axes.plot(line[:, 0], line[:, 1], color=style.tint(colour, 0.55), linewidth=0.9)
    size = 14 if points.shape[1] <= many else 7
    axes.scatter(points[0], points[1], s=size, color=colour, alpha=0.75, linewidths=0, zorder=2)
    axes.axhline(0, color="#DDDDDD", linewidth=0.6, zorder=0)
    axes.axvline(0, color="#DDDDDD", linewidth=0.6, zorder=0)
    axes.set_xlim(-reach, reach)
    axes.set_ylim(-reach, reach)
    axes.set_aspect("equal")
    axes.grid(False)
    axes.set_xticks([])
    axes.set_yticks([])
    for side in ("top", "right"):
        axes.spines[side].set_visible(True)
    for spine in axes.spines.values():
        spine.set_color("#BBBBBB")


def _handles(shown: Autoencoder, options: Options) -> list[object]:
    median = " (median)" if shown.repeats != 1 else ""
    handles = [
        layout.line_handle(style.TEST, f"test loss{median}"),
        layout.line_handle(style.TRAIN, f"train loss{median}{_where_train_loss_is(shown)}"),
        layout.line_handle(FEATURES, f"features{median}"),
        layout.line_handle(EXAMPLES, f"training examples{median}"),
        layout.line_handle(style.THRESHOLD, "predicting nothing (exact)", linestyle=NOTHING_DASHES, linewidth=1.0),
        layout.line_handle(style.THRESHOLD, "shared evenly by all (exact)", linestyle=EVEN_DASHES, linewidth=1.0),
    ]
    if options.mean:
        handles.append(layout.mean_handle())
    if shown.repeats != 1:
        handles += layout.band_handles(style.UNABLATED, BANDS)
    return handles
