"""Where the smallest singular value comes from (the paper's Fig. 6): a few points in space, the directions in which the
distribution is long or short, and the ones that the points show."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from draw import layout, space, style
from draw.layout import Options
from draw.row import Caption, Found, Row
from read.results import Dataset, Notes

SPACE = 3  # dimensions that can be drawn in perspective
MOST_PANELS = 9
REPEAT = 0
CLOUD = 500  # points that stand for the distribution
REACH = 1.25  # of the longest standard deviation: half the side of the box

TITLE = "Why the smallest singular value is smallest at N = P: three dimensions"


def rows(found: Found) -> list[Row]:
    """What this file draws."""
    return [Row("geometry", geometry, _caption, every=True)]


def _caption(datasets: list[Dataset], options: Options) -> Caption:
    shown = next(iter(drawable(datasets)), None)
    numbers = _numbers(shown) if shown else ""
    see = (
        "First the distribution: its principal axes, each as long both ways as its standard deviation, and a cloud of its rows. "
        "Then the first N rows of one repeat, with the directions of their modes as long as the standard deviation that the rows "
        "show along them, σ/√N; the number is that of the last one. Each panel is turned so that its modes 1 and 2 lie in the "
        "light plane and mode 3 stands upright; units are of one length in all directions and panels. The smaller "
        "the number at its tip, the nearer all rows lie to the plane."
        f"{numbers}"
    )
    alt = f"Points in three dimensions for growing numbers of rows, with the true and the found directions.{numbers}"
    return Caption(TITLE, see, alt)


def _numbers(dataset: Dataset) -> str:
    said = [f"{f.lengths[-1] * math.sqrt(f.n_train):.2g} at N = {f.n_train}" for f in _all_found(dataset)]
    return f" Smallest non-zero singular value: {', '.join(said)}." if said else ""


@dataclass(frozen=True)
class Modes:
    """What the first rows show: standard deviations along their directions, sigma / sqrt(N), and the directions."""

    n_train: int
    lengths: np.ndarray
    directions: np.ndarray


def drawable(datasets: list[Dataset]) -> list[Dataset]:
    """Those with the modes' directions in three dimensions."""
    return [d for d in datasets if d.has_directions() and d.threshold == d.n_features == SPACE]


def geometry(datasets: list[Dataset], options: Options, notes: Notes) -> Figure | None:
    """The points of one repeat for every N, with both sets of directions, each as long as its standard deviation."""
    shown = drawable(datasets)
    for dataset in datasets:
        if dataset.has_directions() and dataset not in shown[:1]:
            why = "one data set is drawn" if dataset in shown else f"P = {dataset.n_features}; drawn is P = {SPACE}"
            notes.append(f"geometry: {dataset.group} is not drawn ({why})")
    return _draw(shown[0], notes) if shown else None


def _draw(dataset: Dataset, notes: Notes) -> Figure | None:
    rows, found = dataset.array("training_row", "repeat", "row", "feature"), _all_found(dataset)
    if rows is None or not found:
        return None
    if len(found) >= MOST_PANELS:
        notes.append(f"geometry: {len(found)} numbers of training rows; the first {MOST_PANELS - 1} are drawn")
    found = found[: MOST_PANELS - 1]
    deviations, axes_of_it = principal_axes(dataset, rows)
    half = REACH * style.reach(deviations[:1])
    page = space.page(1 + len(found), TITLE)
    _cloud_panel(page.panels[0], rows.reshape(-1, SPACE) @ axes_of_it.T, deviations, half)
    for panel, modes in zip(page.panels[1:], found):
        basis = _completed(modes.directions, axes_of_it)
        points = rows[REPEAT, : modes.n_train] @ basis.T
        _panel(panel, modes, points, deviations[:, None] * (axes_of_it @ basis.T), half)
    page.handles = [layout.line_handle(style.UNABLATED, "rows", marker="o", linestyle="", markersize=5)]
    page.handles += [layout.line_handle(c, f"mode {i}", linewidth=3) for i, c in enumerate(style.AXES, 1)]
    page.handles.append(layout.line_handle(style.QUIET_TEXT, "axes of the distribution", linewidth=1.2))
    page.handles.append(layout.patch_handle(style.tint(style.PLANE, 0.5), "plane of modes 1 and 2"))
    return layout.finish(page)


def _all_found(dataset: Dataset) -> list[Modes]:
    found = (_found(dataset, i) for i in range(len(dataset.n_train)))
    return [modes for modes in found if modes is not None]


def _found(dataset: Dataset, index: int) -> Modes | None:
    sigma, directions = dataset.modes("sigma", index), dataset.directions(index, REPEAT)
    if sigma is None or directions is None or not np.isfinite(sigma[REPEAT]).any():
        return None
    there, n = np.isfinite(sigma[REPEAT]), int(dataset.n_train[index])
    return Modes(n, sigma[REPEAT][there] / math.sqrt(n), directions[there])


def principal_axes(dataset: Dataset, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Standard deviations and directions of the distribution, the longest first; of all rows where it is not known."""
    deviations = dataset.array("population_deviation", "axis")
    directions = dataset.array("population_direction", "axis", "feature")
    if deviations is not None and directions is not None:
        return deviations, directions
    flat = rows.reshape(-1, rows.shape[-1])
    _, sigma, directions = np.linalg.svd(flat[np.isfinite(flat).all(axis=1)], full_matrices=False)
    return sigma / math.sqrt(len(flat)), directions


def _title(axes: Any, text: str) -> None:
    """On white, as a row may lie behind it."""
    on_white = {"facecolor": "white", "edgecolor": "none", "pad": 1}
    axes.set_title(text, fontsize=10.5, y=space.TITLE_HEIGHT, bbox=on_white)


def _cloud_panel(axes: Any, points: np.ndarray, deviations: np.ndarray, half: float) -> None:
    points = points[np.isfinite(points).all(axis=1)]
    space.frame(axes, half)
    space.points(axes, points[:: max(1, len(points) // CLOUD)], 4, half)
    space.plane(axes, np.eye(SPACE)[:2], half)
    for i, (length, colour) in enumerate(zip(deviations, style.AXES)):
        space.arrow_both_ways(axes, length * np.eye(SPACE)[i], colour, 2.4)
    space.number_at(axes, deviations[-1] * np.eye(SPACE)[-1], f"{deviations[-1]:.2g}", style.AXES[SPACE - 1])
    _title(axes, "the distribution")


def _completed(directions: np.ndarray, axes_of_it: np.ndarray) -> np.ndarray:
    """An orthonormal basis that begins with the modes' directions, each pointing as the distribution's axis does."""
    basis = np.linalg.qr(np.vstack([directions, axes_of_it]).T)[0].T
    signs = np.sign(np.sum(basis * axes_of_it, axis=1))
    return basis * np.where(signs == 0, 1, signs)[:, None]


def _panel(axes: Any, modes: Modes, points: np.ndarray, true_axes: np.ndarray, half: float) -> None:
    """In coordinates along the modes, so that the last one stands upright."""
    space.frame(axes, half)
    if modes.n_train > 1:
        space.plane(axes, np.eye(SPACE)[:2], half)
    for tip in true_axes:
        space.arrow_both_ways(axes, tip, style.QUIET_TEXT, 0.9)
    space.points(axes, points, 20 if len(points) < 30 else 5, half)
    for i, (length, colour) in enumerate(zip(modes.lengths, style.AXES)):
        space.arrow_both_ways(axes, length * np.eye(SPACE)[i], colour, 2.2)
    last = len(modes.lengths) - 1
    space.number_at(axes, modes.lengths[-1] * np.eye(SPACE)[last], f"{modes.lengths[-1]:.2g}", style.AXES[last])
    name = f"N = P = {modes.n_train}" if modes.n_train == SPACE else f"N = {modes.n_train}"
    smallest = modes.lengths[-1] * math.sqrt(modes.n_train)
    _title(axes, f"{name}:  $\\sigma_{{\\min}}$ = {smallest:.2g}")
