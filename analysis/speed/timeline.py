"""The figure of who computed what when: a row per rank, a bar per task coloured by its data set; white is idle."""

from __future__ import annotations

from collections import defaultdict

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from draw import layout, style
from read.timelines import Task, Timeline

TITLE = "Who computed what when"
WIDTH, LEFT, RIGHT, TOP, GAP, BOTTOM = 7.6, 0.62, 0.2, 0.74, 0.52, 0.52  # inches
A_RANK, LEAST_PANEL, MOST_PANEL = 0.21, 0.75, 5.0  # inches; of many ranks rows become thin
BAR = 0.86  # of a row
OTHERS = "all others"
EDGE = 0.4  # points between bars, but of those that are thinner than
OUTLINED = 0.02  # inches
ORDERS = {"given": "as given", "costly-first": "costly first", "cheap-first": "cheap first"}
END_LINE = {"linewidth": 1.0}
BALANCED_LINE = {"linewidth": 1.2, "linestyle": (0, (4, 3))}

Key = tuple[str, str]  # a group, and its P or m; empty where it has but one


def timeline(runs: list[Timeline], by_clock: bool) -> Figure:
    """A panel per run, on one axis: each from its own beginning, or by the clock."""
    shifts = [run.began - min(other.began for other in runs) if by_clock else 0.0 for run in runs]
    looks = _looks(runs)
    end = max(shift + _end(run) for run, shift in zip(runs, shifts))
    page = _page(runs, "seconds since the first of these runs began" if by_clock else "seconds since the run began")
    for axes, run, shift in zip(page.panels, runs, shifts):
        _panel(axes, run, shift, looks, 1.01 * end)
        axes.set_xlim(0, 1.01 * end)
        axes.set_title(_says(run, runs), loc="left", fontsize=9)
    for axes in page.panels[:-1]:
        axes.tick_params(labelbottom=False)
    page.handles = [layout.patch_handle(colour, name) for name, colour in _legend(looks).items()]
    page.handles.append(layout.line_handle(style.TEXT, "T, when the last rank ended", **END_LINE))
    page.handles.append(layout.line_handle(style.TEXT, "T/imbalance, had all been equally busy", **BALANCED_LINE))
    return layout.finish(page)


def _end(run: Timeline) -> float:
    return max(run.seconds, max(task.end() for task in run.tasks))


def _says(run: Timeline, runs: list[Timeline]) -> str:
    """What the run was, and how well it was balanced; and of runs that were alike, the file."""
    alike = sum(other.title == run.title and _how(other) == _how(run) for other in runs) > 1
    ranks = f"{run.ranks} rank{'' if run.ranks == 1 else 's'}{', asleep' if run.slept else ''}"
    times = f"T = {run.seconds:.3g} s, imbalance {run.imbalance:.2f}, T/imbalance = {run.balanced():.3g} s"
    return f"{run.path.name}: {ranks}: {times}" if alike else f"{_how(run)}; {ranks}: {times}"


def _how(run: Timeline) -> str:
    words = [run.schedule, ORDERS.get(run.order, run.order), f"chunks of {run.chunk}" if run.chunk else ""]
    return ", ".join(filter(None, words))


# ---- panels -----------------------------------------------------------------------------------------------------


def _page(runs: list[Timeline], x_label: str) -> layout.Sheet:
    """Panels as high as they have ranks, one below the other."""
    heights = [min(max(A_RANK * run.ranks, LEAST_PANEL), MOST_PANEL) for run in runs]
    height = TOP + sum(heights) + GAP * (len(runs) - 1) + BOTTOM
    figure = plt.figure(figsize=(WIDTH, height))
    panels, top = [], height - TOP
    for panel in heights:
        box = (LEFT / WIDTH, (top - panel) / height, (WIDTH - LEFT - RIGHT) / WIDTH, panel / height)
        panels.append(figure.add_axes(box))
        top -= panel + GAP
    titles = list(dict.fromkeys(run.title for run in runs))
    layout.add_title(figure, f"{TITLE}: {titles[0]}" if len(titles) == 1 else TITLE)
    figure.text((LEFT + WIDTH - RIGHT) / 2 / WIDTH, 0.08 / height, x_label, ha="center", fontsize=style.LABEL_SIZE)
    return layout.Sheet(figure, panels)


def _panel(axes: Axes, run: Timeline, shift: float, looks: dict[Key, str], width: float) -> None:
    thin = width * OUTLINED / (WIDTH - LEFT - RIGHT)
    alike: dict[tuple[str, int, int, float], list[Task]] = defaultdict(list)
    for task in run.tasks:
        alike[looks[_key(task, looks)], task.rank, task.ranks, EDGE if task.seconds > thin else 0.0].append(task)
    for (colour, rank, ranks, edge), tasks in alike.items():
        spans = [(shift + task.start, task.seconds) for task in tasks]
        row = (rank - BAR / 2, ranks - 1 + BAR)
        axes.broken_barh(spans, row, facecolor=colour, edgecolor="white", linewidth=edge, rasterized=len(spans) > 500)
    axes.axvline(shift + run.seconds, color=style.TEXT, **END_LINE)
    axes.axvline(shift + run.balanced(), color=style.TEXT, **BALANCED_LINE)
    axes.set_ylim(run.ranks - 0.5, -0.5)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=16, steps=[1, 2, 4, 5, 8, 10], min_n_ticks=1))
    axes.grid(False)
    axes.spines["top"].set_visible(False)
    axes.set_ylabel("rank", labelpad=2)


# ---- colours ----------------------------------------------------------------------------------------------------


def _key(task: Task, looks: dict[Key, str]) -> Key:
    return (task.group, _size(task)) if (task.group, _size(task)) in looks else (task.group, "")


def _size(task: Task) -> str:
    return f"{'m' if task.trained else 'P'} = {task.n_features}"


def _looks(runs: list[Timeline]) -> dict[Key, str]:
    """A colour for each group, or, where one has several P or m, for each of these. Of more than there are colours, those that
    take least time are grey."""
    tasks = [task for run in runs for task in run.tasks]
    sizes: dict[str, set[int]] = defaultdict(set)
    for task in tasks:
        sizes[task.group].add(task.n_features)
    seconds: dict[Key, float] = defaultdict(float)
    for task in tasks:
        seconds[task.group, _size(task) if len(sizes[task.group]) > 1 else ""] += task.seconds * task.ranks
    longest = sorted(seconds, key=lambda key: -seconds[key])
    return {key: style.LINES[i] if i < len(style.LINES) else style.UNABLATED for i, key in enumerate(longest)}


def _legend(looks: dict[Key, str]) -> dict[str, str]:
    """Colours by names, the grey one last."""
    names = {_name(key): colour for key, colour in looks.items() if colour != style.UNABLATED}
    if len(names) < len(looks):
        names[OTHERS] = style.UNABLATED
    return names


def _name(key: Key) -> str:
    group, size = key
    return style.dataset_title(group) + (f", {size}" if size else "")
