"""Where the smallest singular value comes from (the paper's Fig. 6): a few points in space, the directions in which the
distribution is long or short, and the ones that the points show."""

from __future__ import annotations

import math
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from draw import layout, style
from draw.layout import Options
from draw.row import Caption, Found, Row
from read.results import Dataset, Notes

SPACE = 3  # dimensions that can be drawn in perspective
MOST_PANELS = 9
REPEAT = 0
PANEL_INCHES = (3.9, 2.9)
HEAD_INCHES, FOOT_INCHES = 0.45, 0.5
REACH = 2.0  # root mean squares of a feature that are in view; what is further off stands outside the box
CAMERA = np.array([0.3, 0.5, 0.8])  # along the principal axes: none of them points at it
VIEW = {"elev": 25, "azim": 100}  # where they are not known
ZOOM = 1.25

CAPTION = Caption(
    "Why it is smallest at N = P: three dimensions",
    "The distribution (blue axes, as long as its standard deviations) is long in one direction. The first rows spread along it; "
    "with as many rows as dimensions the last direction is covered by one row alone, and hardly: the points lie near a plane, "
    "and the standard deviation that they show across it is far too small. More rows fill it in until both sets of axes agree.",
    "Points in three dimensions for growing numbers of rows, with the true and the found directions.",
)


def rows(found: Found) -> list[Row]:
    """What this file draws."""
    return [Row("geometry", geometry, CAPTION, every=True)]


def geometry(datasets: list[Dataset], options: Options, notes: Notes) -> Figure | None:
    """The points of one repeat for every N, with both sets of directions, each as long as its standard deviation."""
    kept = [d for d in datasets if d.has_directions()]
    shown = [d for d in kept if d.n_features == SPACE]
    for dataset in kept:
        if dataset not in shown or dataset is not shown[0]:
            why = "one data set is drawn" if dataset in shown else f"P = {dataset.n_features}; drawn is P = {SPACE}"
            notes.append(f"geometry: {dataset.group} is not drawn ({why})")
    return _draw(shown[0], notes) if shown else None


def _draw(dataset: Dataset, notes: Notes) -> Figure | None:
    rows = dataset.array("training_row", "repeat", "row", "feature")
    chosen = [i for i in range(len(dataset.n_train)) if _found(dataset, i) is not None]
    if rows is None or not chosen:
        return None
    if len(chosen) > MOST_PANELS:
        notes.append(f"geometry: {len(chosen)} numbers of training rows; the first {MOST_PANELS} are drawn")
    figure, panels = _page(len(chosen[:MOST_PANELS]), dataset)
    box, population = REACH * np.sqrt(np.mean(rows**2, axis=(0, 1))), _population(dataset)
    view = VIEW if population is None else _view(population[1])
    for axes, index in zip(panels, chosen):
        _frame(axes, np.maximum(box, box.max() / 10), view)
        _panel(axes, dataset, index, rows[REPEAT, : int(dataset.n_train[index])])
    return figure


def _found(dataset: Dataset, index: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Standard deviations of the points along their directions, sigma / sqrt(N), and the directions."""
    sigma, directions = dataset.modes("sigma", index), dataset.directions(index, REPEAT)
    if sigma is None or directions is None or not np.isfinite(sigma[REPEAT]).any():
        return None
    there = np.isfinite(sigma[REPEAT])
    return sigma[REPEAT][there] / math.sqrt(dataset.n_train[index]), directions[there]


def _population(dataset: Dataset) -> tuple[np.ndarray, np.ndarray] | None:
    deviations = dataset.array("population_deviation", "axis")
    directions = dataset.array("population_direction", "axis", "feature")
    return None if deviations is None or directions is None else (deviations, directions)


def _page(n_panels: int, dataset: Dataset) -> tuple[Figure, list[Any]]:
    columns = min(n_panels, 3)
    n_rows = math.ceil(n_panels / columns)
    width, height = columns * PANEL_INCHES[0], n_rows * PANEL_INCHES[1] + HEAD_INCHES + FOOT_INCHES
    figure = plt.figure(figsize=(width, height))
    title = f"Why the smallest non-zero singular value is smallest at N = P = {dataset.n_features}"
    figure.text(0.5, 1 - 0.12 / height, title, ha="center", va="top", fontsize=style.TITLE_SIZE)
    panels = []
    for i in range(n_panels):
        bottom = FOOT_INCHES + (n_rows - 1 - i // columns) * PANEL_INCHES[1]
        box = (i % columns / columns, bottom / height, 0.93 / columns, (PANEL_INCHES[1] - 0.25) / height)
        panels.append(figure.add_axes(box, projection="3d", computed_zorder=False))
    handles = [
        Line2D([], [], color=style.UNABLATED, marker="o", linestyle="", markersize=5, label="training rows"),
        layout.line_handle(style.POPULATION_AXES, "principal axes of the distribution", linewidth=4.5),
        layout.line_handle(style.AT_THRESHOLD, "directions of the training rows' modes", linewidth=1.8),
    ]
    figure.legend(handles=handles, loc="lower center", ncol=3)
    return figure, panels


def _view(axes_of_population: np.ndarray) -> dict[str, float]:
    camera = CAMERA @ axes_of_population
    return {"elev": np.degrees(np.arcsin(camera[2] / np.linalg.norm(camera))), "azim": np.degrees(np.arctan2(*camera[1::-1]))}


def _frame(axes: Any, box: np.ndarray, view: dict[str, float]) -> None:
    """The same box for all panels, its sides as long as the points reach, so that no angle is distorted."""
    axes.set(xlim=(-box[0], box[0]), ylim=(-box[1], box[1]), zlim=(-box[2], box[2]))
    axes.set_box_aspect(tuple(box), zoom=ZOOM)
    axes.view_init(**view)
    step = 10 ** np.floor(np.log10(box.max() / 2))
    step *= max(m for m in (1, 2, 5) if m * step <= box.max() / 2)
    for name, axis in zip("123", (axes.xaxis, axes.yaxis, axes.zaxis)):
        axis.set_major_locator(plt.MultipleLocator(step))
        axis.set_tick_params(labelsize=7, pad=-2)
        axis.label.set_size(8)
        axis.labelpad = -6
        axis.set_label_text(f"feature {name}")


def _panel(axes: Any, dataset: Dataset, index: int, points: np.ndarray) -> None:
    lengths, directions = _found(dataset, index)
    population = _population(dataset)
    axes.scatter(*points.T, s=18 if len(points) < 30 else 6, color=style.UNABLATED, alpha=0.8, depthshade=False, zorder=1)
    if population is not None:
        _arrows(axes, *population, style.POPULATION_AXES, 4.5, 2)
        signs = np.sign([direction @ axis for direction, axis in zip(directions, population[1])])
        directions = directions * np.where(signs == 0, 1, signs)[:, None]  # a direction is one up to its sign
    _arrows(axes, lengths, directions, style.AT_THRESHOLD, 1.8, 3)
    n = int(dataset.n_train[index])
    name = f"N = P = {n}" if n == dataset.n_features else f"N = {n}"
    axes.set_title(f"{name}:  $\\sigma_{{\\min}}$ = {lengths[-1] * math.sqrt(n):.3g}", fontsize=10.5, y=0.98)


def _arrows(axes: Any, lengths: np.ndarray, directions: np.ndarray, colour: str, width: float, layer: int) -> None:
    for length, direction in zip(lengths, directions):
        axes.quiver(0, 0, 0, *(length * direction), color=colour, linewidth=width, arrow_length_ratio=0, zorder=layer)
