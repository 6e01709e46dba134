"""One large spectrum by each producer, as `ridgeless bench spectrum --json` measured it: seconds by phase, and GFlop/s."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import layout
import style
from results import ResultsError

PHASES = ("generate", "reduce", "project", "diagonalize")
OTHER = "not told apart"
FRAME = layout.Frame(left=1.15, right=1.35, top=0.9, gap_x=2.6, gap_y=0.95)


@dataclass(frozen=True)
class Producer:
    """What was measured of one: the median of its rounds by phase, each round's seconds, and the rate of the median."""

    name: str
    seconds: float
    rounds: np.ndarray
    phases: dict[str, float]
    gflops: float


@dataclass(frozen=True)
class Bench:
    """One file."""

    title: str
    producers: tuple[Producer, ...]


def read(path: Path) -> Bench:
    """What the file says; a file of anything else is a ResultsError."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        made = tuple(_producer(entry) for entry in data["producers"])
        title = f"N = {data['n_train']}, P = {data['n_features']}, {data['ranks']} rank{'s' * (data['ranks'] != 1)}"
        if not made:
            raise ValueError("no producer")
    except OSError as error:
        raise ResultsError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ResultsError(f"{path}: expected what `ridgeless bench spectrum --json` prints") from error
    return Bench(title, made)


def _producer(entry: dict) -> Producer:
    seconds = float(entry["seconds"])
    phases = {name: float(entry[f"{name}_seconds"]) for name in PHASES}
    phases[OTHER] = max(seconds - sum(phases.values()), 0.0)
    if not (math.isfinite(seconds) and seconds > 0):
        raise ValueError(f"{seconds} seconds")
    return Producer(entry["producer"], seconds, np.array(entry["rounds"], float), phases, float(entry["gflops"]))


def producers(benches: list[Bench]) -> Figure:
    """A panel a file: a bar a producer, in parts a phase, dots its rounds."""
    columns = min(len(benches), 2)
    rows = math.ceil(len(benches) / columns)
    page, grid = layout.table(rows, columns, "One large spectrum by each producer", "seconds", FRAME)
    panels = [axes for row in grid for axes in row]
    for axes in panels[len(benches) :]:
        axes.remove()
    for axes, bench in zip(panels, benches):
        _panel(axes, bench)
    colours = dict(zip((*PHASES, OTHER), COLOURS))
    drawn = [name for name in colours if any(p.phases[name] > 0 for b in benches for p in b.producers)]
    page.handles = [layout.patch_handle(colours[name], name) for name in drawn]
    page.handles.append(layout.line_handle(style.TEXT, "each round", linestyle="", marker="o", markersize=3.5))
    return layout.finish(page)


COLOURS = (style.LINES[5], style.LINES[0], style.LINES[2], style.LINES[4], style.UNABLATED)


def _panel(axes: Axes, bench: Bench) -> None:
    longest = max(max(p.seconds, p.rounds.max(initial=0)) for p in bench.producers)
    for place, producer in enumerate(bench.producers):
        left = 0.0
        for colour, seconds in zip(COLOURS, producer.phases.values()):
            axes.barh(place, seconds, left=left, color=colour, height=0.62)
            left += seconds
        axes.plot(producer.rounds, np.full(producer.rounds.size, place), "o", color=style.TEXT, markersize=3.5)
        text = f"{producer.seconds:.3g} s, {producer.gflops:.3g} GFlop/s"
        end = (max(left, producer.rounds.max(initial=0)), place)
        axes.annotate(text, end, xytext=(6, 0), textcoords="offset points", va="center", fontsize=8.5)
    axes.set_yticks(range(len(bench.producers)), [p.name for p in bench.producers])
    axes.invert_yaxis()
    axes.grid(False, axis="y")
    axes.set_xlim(0, longest * 1.05)
    axes.set_title(bench.title)
