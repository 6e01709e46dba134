"""What few training rows cannot see, as a sketch of real rows: the plane that they span, a test row, its projection, and the
piece that is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from draw import layout, space, style
from draw.layout import Options
from draw.row import Caption, Found, Row
from figures import geometry
from read.results import Dataset, Notes

TITLE = "Fewer rows than features: what the fit cannot see"
PANEL_INCHES = (6.6, 3.0)
SPANNED = 2  # training rows: they span a plane
ROOM = 1.12

CAPTION = Caption(
    TITLE,
    "A sketch of real rows. Two training rows (black) in three dimensions span a plane, and the shortest solution lies in it. A "
    "test row (blue) is seen by the fit as its projection on the plane (green) alone. What is missing (orange, at a right angle "
    "to the plane) makes the bias: what the best linear model says of that piece. As many rows as features leave nothing out. "
    "The test row is that of the further rows whose two parts are both long.",
    "Two training rows span a plane in space; a test row, its projection on the plane, and the piece between the two.",
)


def rows(found: Found) -> list[Row]:
    """What this file draws."""
    return [Row("span", span, CAPTION, every=True, told=False)]


@dataclass(frozen=True)
class Sketch:
    """Rows [row, feature] along axes of which the first two span the plane, and the test row with its projection on it."""

    training: np.ndarray
    test: np.ndarray
    seen: np.ndarray


def span(datasets: list[Dataset], options: Options, notes: Notes) -> Figure | None:
    """Of the first data set in three dimensions that has two training rows, and rows beside them."""
    sketch = next((s for d in geometry.drawable(datasets) if (s := _sketch(d)) is not None), None)
    if sketch is None:
        return None
    page = space.page(1, TITLE, PANEL_INCHES)
    _panel(page.panels[0], sketch)
    page.handles = [
        layout.line_handle(style.THRESHOLD, "training rows", linewidth=2.4),
        layout.patch_handle(style.tint(style.PLANE, 0.3), "the plane that they span"),
        layout.line_handle(style.TEST, "test row", linewidth=2.4),
        layout.line_handle(style.FEW_ROWS, "what the fit sees of it", linewidth=2.4),
        layout.line_handle(style.BIAS, "what it misses: the bias", linewidth=2.4),
    ]
    return layout.finish(page)


def _sketch(dataset: Dataset) -> Sketch | None:
    """The plane's directions are those of the training rows' modes."""
    rows = dataset.array("training_row", "repeat", "row", "feature")
    place = np.flatnonzero(dataset.n_train == SPANNED)
    directions = dataset.directions(int(place[0]), geometry.REPEAT) if place.size else None
    if rows is None or directions is None or not np.isfinite(directions[:SPANNED]).all():
        return None
    plane = directions[:SPANNED]
    normal = np.cross(*plane)
    along = rows[geometry.REPEAT] @ np.array([*plane, normal]).T
    parts = np.array([np.linalg.norm(along[SPANNED:, :SPANNED], axis=1), np.abs(along[SPANNED:, -1])])
    if not np.isfinite(parts).any():
        return None
    test = along[SPANNED + int(np.nanargmax(parts.min(axis=0)))]
    test = test * (1 if test[-1] >= 0 else -1)  # above the plane: a row and its opposite say the same
    return Sketch(along[:SPANNED], test, test * np.array([1, 1, 0]))


def _panel(axes: Any, sketch: Sketch) -> None:
    half = ROOM * style.reach(sketch.training, sketch.test)
    space.frame(axes, half)
    space.plane(axes, np.eye(3)[:2], half)
    middle = np.zeros(3)
    for row in sketch.training:
        space.arrow(axes, middle, row, style.THRESHOLD, 2.0)
    space.arrow(axes, middle, sketch.seen, style.FEW_ROWS, 2.4)
    space.arrow(axes, sketch.seen, sketch.test, style.BIAS, 2.4)
    space.arrow(axes, middle, sketch.test, style.TEST, 2.4)
    space.number_at(axes, sketch.test, "x", style.TEST)
