"""Panels in three dimensions: points, arrows and planes in a box with equal sides."""

from __future__ import annotations

import math
from typing import Any, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import FancyArrowPatch
from mpl_toolkits.mplot3d import proj3d
from mpl_toolkits.mplot3d.art3d import Poly3DCollection

from draw import layout, style
from draw.layout import Sheet

PANEL_INCHES = (2.75, 2.1)
HEAD_INCHES, FOOT_INCHES = 0.68, 0.06
TITLE_HEIGHT = 0.97  # of a panel's title, over the panel's height
VIEW = {"elev": 18, "azim": -62}  # along the plane of the first two axes, nearly: the third is seen in its length
ZOOM = 2.1
FLAT = 0.62  # the box's height over its other sides; units are as long along all three
HEAD = 7  # points, of an arrow
DISC = 0.9  # its radius, over half the side of the box
EDGE = 48  # corners of the disc that stands for a plane
NUMBER_SHIFT = 0.12  # of the box, from the tip of an arrow to its number


def page(n_panels: int, title: str, panel: tuple[float, float] = PANEL_INCHES) -> Sheet:
    """Panels in rows as even as they get, at most four in a row."""
    columns = n_panels if n_panels <= 3 else math.ceil(n_panels / math.ceil(n_panels / 4))
    n_rows = math.ceil(n_panels / columns)
    width, height = columns * panel[0], n_rows * panel[1] + HEAD_INCHES + FOOT_INCHES
    figure = plt.figure(figsize=(width, height))
    layout.add_title(figure, title)
    panels = []
    for i in range(n_panels):
        bottom = FOOT_INCHES + (n_rows - 1 - i // columns) * panel[1]
        box = (i % columns / columns, bottom / height, 1 / columns, (panel[1] - 0.15) / height)
        panels.append(figure.add_axes(box, projection="3d", computed_zorder=False))
    return Sheet(figure, panels)


def frame(axes: Any, half: float) -> None:
    """The same for all panels: units of one length, so that no angle is distorted; sides as long as twice `half`."""
    axes.set(xlim=(-half, half), ylim=(-half, half), zlim=(-FLAT * half, FLAT * half))
    axes.set_box_aspect((1, 1, FLAT), zoom=ZOOM)
    axes.view_init(**VIEW)
    axes.set_axis_off()


def points(axes: Any, at: np.ndarray, size: float, half: float) -> None:
    """Those in the box: others would lie over other panels."""
    inside = (np.abs(at) <= half * np.array([0.9, 0.9, 0.9 * FLAT])).all(axis=1)
    look = {"color": style.UNABLATED, "alpha": 0.75, "linewidths": 0, "depthshade": False, "zorder": 2, "clip_on": False}
    axes.scatter(*at[inside].T, s=size, **look)


def plane(axes: Any, directions: np.ndarray, half: float) -> None:
    """A disc in the plane of two orthonormal directions."""
    turn = np.linspace(0, 2 * np.pi, EDGE, endpoint=False)
    corners = DISC * half * (np.outer(np.cos(turn), directions[0]) + np.outer(np.sin(turn), directions[1]))
    look = {"facecolor": style.PLANE, "edgecolor": style.PLANE, "alpha": 0.22, "zorder": 1, "clip_on": False}
    axes.add_collection3d(Poly3DCollection([corners], **look))


def arrow_both_ways(axes: Any, tip: np.ndarray, colour: Any, width: float) -> None:
    """Through the middle, to the tip and as far the other way."""
    axes.add_artist(_Arrow(-tip, tip, "<|-|>", colour, width))


def arrow(axes: Any, begin: np.ndarray, end: np.ndarray, colour: Any, width: float) -> None:
    """With a head at its end."""
    axes.add_artist(_Arrow(begin, end, "-|>", colour, width))


class _Arrow(FancyArrowPatch):
    """Flat heads, whichever way it points."""

    def __init__(self, begin: np.ndarray, end: np.ndarray, kind: str, colour: Any, width: float):
        look = {"arrowstyle": kind, "mutation_scale": HEAD, "shrinkA": 0, "shrinkB": 0, "zorder": 3}
        super().__init__((0, 0), (0, 0), color=colour, linewidth=width, clip_on=False, **look)
        self._ends = np.array([begin, end])

    def do_3d_projection(self, renderer: Any = None) -> float:
        """What matplotlib asks for before it draws: where the ends are on the page, and how far away."""
        x, y, z = proj3d.proj_transform(*self._ends.T, self.axes.M)
        self.set_positions((x[0], y[0]), (x[1], y[1]))
        return float(np.min(z))


def number_at(axes: Any, tip: np.ndarray, text: str, colour: Any, side: Sequence[float] = (0, 0, 1)) -> None:
    """Beyond the tip of an arrow."""
    half = axes.get_xlim()[1]
    words = {"color": colour, "fontsize": 9, "fontweight": "bold", "ha": "center", "va": "center", "zorder": 5}
    words["bbox"] = {"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.75}
    axes.text(*(tip + NUMBER_SHIFT * half * np.asarray(side)), text, **words)
