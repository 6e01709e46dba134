"""Columns of a table against one of them: lines where that one has numbers, bars where it has texts."""

from __future__ import annotations

from dataclasses import dataclass

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator

from draw import style
from read.table import Table

SIZE = (6.4, 4.2)  # inches
DASHED = {"linestyle": (0, (4, 3)), "linewidth": 1.1, "color": style.QUIET_TEXT}
BEHIND_NUMBERS = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}  # no dashed line through them
MOST_TICKS = 10
FEW_DECADES = 1e3  # largest over smallest of a log axis whose ticks are plain numbers
MOST_LETTERS = 60  # that have room side by side below bars


@dataclass(frozen=True)
class Asked:
    """What is drawn of a table."""

    x: str
    y: tuple[str, ...]
    by: str = ""  # a line for each value of this column
    dashed: tuple[str, ...] = ()  # columns to compare with, without marks
    log: str = ""  # x, y or xy
    title: str = ""
    x_label: str = ""
    y_label: str = ""


@dataclass(frozen=True)
class Line:
    """One line or colour of bars."""

    label: str
    x: list[float] | list[str]
    y: list[float]


def chart(table: Table, asked: Asked) -> Figure:
    """The figure, with the names of lines in a legend where there are several."""
    figure, axes = plt.subplots(figsize=SIZE, layout="constrained")
    lines, dashed = _lines(table, asked.y, asked), _common(_lines(table, asked.dashed, asked), asked.dashed)
    texts = any(isinstance(value, str) for value in table.column(asked.x))
    (_bars if texts else _curves)(axes, lines)
    for line in dashed:
        axes.plot(range(len(line.x)) if texts else line.x, line.y, label=line.label, **DASHED)
    _scales(axes, asked, texts, lines)
    axes.set_xlabel(asked.x_label or asked.x)
    axes.set_ylabel(asked.y_label or ", ".join(asked.y))
    axes.set_title(asked.title, color=style.TEXT)
    if len(lines) + len(dashed) > 1:
        axes.legend()
    return figure


def _lines(table: Table, names: tuple[str, ...], asked: Asked) -> list[Line]:
    """Of each column, and of each value of `by`, sorted by x where that has numbers."""
    x = table.column(asked.x)
    groups = table.column(asked.by) if asked.by else [""] * len(x)
    found = []
    for name in names:
        y = table.numbers(name)
        for group in dict.fromkeys(groups):
            points = [(a, b) for a, b, g in zip(x, y, groups) if g == group]
            if not isinstance(x[0], str):
                points.sort(key=lambda point: point[0])
            found.append(
                Line(
                    _label(name, group, asked),
                    [a for a, _ in points],
                    [b for _, b in points],
                )
            )
    return found


def _label(name: str, group: float | str, asked: Asked) -> str:
    """The column where there are several, and the group with its name where that is a number."""
    words = [name if len(asked.y) > 1 or name in asked.dashed or not asked.by else ""]
    words.append("" if not asked.by else group if isinstance(group, str) else f"{asked.by} {group:g}")
    return ", ".join(word for word in words if word)


def _common(lines: list[Line], names: tuple[str, ...]) -> list[Line]:
    """What all groups agree about, once and by the name of its column."""
    points = {(x, y) for line in lines for x, y in zip(line.x, line.y)}
    if len(names) != 1 or len({x for x, _ in points}) < len(points):
        return lines
    x, y = zip(*sorted(points))
    return [Line(names[0], list(x), list(y))]


def _curves(axes: Axes, lines: list[Line]) -> None:
    for i, line in enumerate(lines):
        marker, colour = (
            style.MARKERS[i % len(style.MARKERS)],
            style.LINES[i % len(style.LINES)],
        )
        axes.plot(line.x, line.y, marker=marker, color=colour, markersize=5, label=line.label)


def _bars(axes: Axes, lines: list[Line]) -> None:
    names = list(dict.fromkeys(name for line in lines for name in line.x))
    width = 0.8 / len(lines)
    for i, line in enumerate(lines):
        places = [names.index(name) + (i - (len(lines) - 1) / 2) * width for name in line.x]
        drawn = axes.bar(
            places,
            line.y,
            width,
            color=style.LINES[i % len(style.LINES)],
            label=line.label,
        )
        axes.bar_label(
            drawn,
            [style.number(value) for value in line.y],
            padding=1,
            fontsize=8,
            color=style.TEXT,
            bbox=BEHIND_NUMBERS,
        )
    slanted = len(names) * max(map(len, names)) > MOST_LETTERS
    axes.set_xticks(
        range(len(names)),
        names,
        rotation=25 if slanted else 0,
        ha="right" if slanted else "center",
    )
    axes.margins(y=0.1)


def _scales(axes: Axes, asked: Asked, texts: bool, lines: list[Line]) -> None:
    axes.spines["top"].set_visible(False)
    if not texts:
        axes.set_xscale("log" if "x" in asked.log else "linear")
        there = sorted({float(value) for line in lines for value in line.x})
        if len(there) <= MOST_TICKS:
            axes.xaxis.set_major_locator(FixedLocator(there))
            axes.xaxis.set_major_formatter(FixedFormatter(style.tick_texts(there)))
            axes.xaxis.set_minor_locator(NullLocator())
    if "y" in asked.log:
        axes.set_yscale("log")
        _read_off(axes)
    elif min(values := [value for line in lines for value in line.y]) < max(values) / 2:
        axes.set_ylim(bottom=min(0, *values))


def _read_off(axes: Axes) -> None:
    """1, 2, 5, 10 on a log axis of few decades, where powers of ten alone would leave two ticks or one."""
    low, high = axes.get_ylim()
    if high / low < FEW_DECADES:
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: style.number(value)))
        axes.yaxis.set_minor_formatter(NullFormatter())
