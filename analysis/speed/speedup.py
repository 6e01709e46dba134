"""Puts runs of a study on several numbers of ranks together: strong or weak scaling, and one line per task.

Runs belong together by the study's title. Where all of them did the same the scaling is strong; where P, or the number of
repeats, grows with the ranks it is weak.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Hashable, Iterable

import numpy as np

from read import runs
from read.results import Notes, ResultsError
from read.runs import Run, Task

STRONG, WEAK = "strong", "weak"
WHOLE_RUN = "whole run"
MOST_LINES = 6  # a panel; there are no more colours than that which are told apart


@dataclass(frozen=True, eq=False)
class Point:
    """The same work, once or a few times, on one number of ranks."""

    ranks: int
    n_features: int  # 0: of several
    n_train: int
    work: float
    seconds: np.ndarray  # as often as it was done
    flops: np.ndarray
    on_grid: bool

    def median(self) -> float:
        """Seconds."""
        return float(np.median(self.seconds))

    def rate(self) -> float:
        """Flops per second, all ranks together."""
        return float(np.median(self.flops / self.seconds))


@dataclass(frozen=True, eq=False)
class Line:
    """One kind of task, or the whole run, against the number of ranks."""

    title: str
    dataset: str
    producer: str
    name: str
    points: tuple[Point, ...]
    runs: tuple[Run, ...] = ()  # of a whole run's line

    def ranks(self) -> list[int]:
        """Ascending."""
        return [p.ranks for p in self.points]

    def ideal(self) -> np.ndarray:
        """Seconds on each number of ranks, had all of them worked as the smallest number did."""
        first = self.points[0]
        return np.array([first.median() * first.ranks * p.work / (first.work * p.ranks) for p in self.points])

    def efficiency(self) -> np.ndarray:
        """Work per rank and second, over that of the smallest number of ranks."""
        return self.ideal() / np.array([p.median() for p in self.points])

    def features(self) -> list[int]:
        """The P of its points, each once, ascending; none for a whole run of several."""
        return sorted({p.n_features for p in self.points} - {0})


@dataclass(frozen=True, eq=False)
class Study:
    """All runs of one title."""

    title: str
    kind: str
    runs: tuple[Run, ...]  # by ranks
    lines: tuple[Line, ...]  # of tasks
    wholes: tuple[Line, ...]  # of whole runs


def studies(found: Iterable[Run], notes: Notes) -> list[Study]:
    """One for each title, strong ones first."""
    by_title: dict[str, list[Run]] = defaultdict(list)
    for run in found:
        by_title[run.title].append(run)
    made = [_study(title, sorted(some, key=lambda r: r.ranks), notes) for title, some in by_title.items()]
    return sorted(made, key=lambda s: s.kind == WEAK)


def _study(title: str, found: list[Run], notes: Notes) -> Study:
    if len({run.ranks for run in found}) < 2:
        raise ResultsError(
            f"{found[0].path}: the study `{title}` on {_count(found[0].ranks, 'rank')} alone; "
            "expected results files of it on two numbers of ranks or more"
        )
    kind = _kind(title, found)
    if not _repeats_grow(found):
        _note_resumed(found, notes)
    groups = _by_producer(found)
    lines = [line for group in groups for line in _task_lines(title, group, kind)]
    wholes = [line for line in (_whole_line(title, group) for group in groups) if len(line.points) > 1]
    if not wholes:
        first = found[0]
        raise ResultsError(
            f"{first.path}: the study `{title}` by {first.producer} on {_count(first.ranks, 'rank')} alone, and by no "
            "other producer on two numbers of ranks; expected results files of one on two or more"
        )
    if not lines:
        notes.append(f"`{title}`: no kind of task was done by two numbers of ranks; the whole run alone is drawn")
    return Study(title, kind, tuple(found), tuple(_largest(title, lines, notes)), tuple(wholes))


def _count(n: int, what: str) -> str:
    return f"{n} {what}" + ("" if n == 1 else "s")


# ---- strong or weak ---------------------------------------------------------------------------------------------


def _kind(title: str, found: list[Run]) -> str:
    """Strong where all runs did the same, weak where P grows with the ranks; else they are not runs of one study."""
    first = found[0]
    shapes = [_shapes(run) for run in found]
    for run, shape in zip(found, shapes):
        if shape.keys() != shapes[0].keys():
            raise ResultsError(
                f"{run.path}: of the study `{title}` as {first.path} is, but with other data sets "
                f"({', '.join(shape)}, not {', '.join(shapes[0])}); expected runs that differ in ranks and P alone"
            )
    if all(shape == shapes[0] for shape in shapes):
        return WEAK if _repeats_grow(found) else STRONG
    for dataset in shapes[0]:
        _check_growth(title, dataset, found, [shape[dataset] for shape in shapes])
    return WEAK


def _shapes(run: Run) -> dict[str, list[tuple[int, int]]]:
    """By data set, P and the largest N."""
    largest: dict[str, dict[int, int]] = defaultdict(dict)
    for task in run.tasks:
        sizes = largest[task.dataset]
        sizes[task.n_features] = max(task.n_train, sizes.get(task.n_features, 0))
    return {dataset: sorted(sizes.items()) for dataset, sizes in sorted(largest.items())}


def _check_growth(title: str, dataset: str, found: list[Run], shapes: list[list[tuple[int, int]]]) -> None:
    for i in range(1, len(found)):
        before, here = shapes[i - 1], shapes[i]
        more_ranks = found[i].ranks > found[i - 1].ranks
        grows = len(before) == len(here) == 1 and here[0][0] > before[0][0]
        if here != before and not (more_ranks and grows):
            raise ResultsError(
                f"{found[i].path}: {dataset} has {_shape_text(here)} on {_count(found[i].ranks, 'rank')}, and "
                f"{_shape_text(before)} on {found[i - 1].ranks} in {found[i - 1].path}, of the same study `{title}`; "
                "expected the same P in all runs, or one that grows with the ranks"
            )


def _shape_text(shape: list[tuple[int, int]]) -> str:
    return " and ".join(f"P = {p}, N = {n}" for p, n in shape)


def _curves(found: list[Run]) -> list[int]:
    return [len({(task.dataset, task.n_features, task.repeat) for task in run.tasks}) for run in found]


def _repeats_grow(found: list[Run]) -> bool:
    """As many curves per rank in all runs, on several numbers of ranks, from the first repeat on: none was resumed."""
    counts, repeats = _curves(found), [{task.repeat for task in run.tasks} for run in found]
    if any(some != set(range(len(some))) for some in repeats):
        return False
    return len(set(counts)) > 1 and all(n * found[0].ranks == counts[0] * run.ranks for n, run in zip(counts, found))


def _note_resumed(found: list[Run], notes: Notes) -> None:
    counts = _curves(found)
    for run, count in zip(found, counts):
        if count < max(counts):
            notes.append(
                f"{run.path}: has times of {count} curves where other runs have {max(counts)}; "
                "the others were in the journal, and are not in its whole time"
            )


# ---- lines ------------------------------------------------------------------------------------------------------


def _by_producer(found: list[Run]) -> list[list[Run]]:
    """Apart where two producers were measured on one number of ranks; else together, whatever each run came to use."""
    producers: dict[int, set[str]] = defaultdict(set)
    for run in found:
        producers[run.ranks].add(run.producer)
    if all(len(names) == 1 for names in producers.values()):
        return [found]
    return [[run for run in found if run.producer == name] for name in sorted({run.producer for run in found})]


def _task_lines(title: str, found: list[Run], kind: str) -> list[Line]:
    """By data set, sizes and, where it is to stay the same, P. Tasks of two repeats are the same work."""

    def same(task: Task) -> Hashable:
        ratio = round(task.n_train / task.n_features, 2)
        return task.dataset, task.n_sizes, ratio, task.n_features if kind == STRONG else 0

    groups: dict[Hashable, list[Task]] = defaultdict(list)
    for run in found:
        for task in run.tasks:
            groups[same(task)].append(task)
    lines = []
    for tasks in groups.values():
        points = _points(tasks)
        if len(points) > 1:
            lines.append(Line(title, tasks[0].dataset, _producer(found), _task_name(tasks[-1]), points))
    return lines


def _producer(found: list[Run]) -> str:
    return ", ".join(sorted({run.producer for run in found} - {""}))


def _points(tasks: list[Task]) -> tuple[Point, ...]:
    """By the ranks that worked on a task, which are not always all ranks of its run."""
    by_ranks: dict[int, list[Task]] = defaultdict(list)
    for task in tasks:
        by_ranks[task.ranks].append(task)
    return tuple(
        Point(
            ranks,
            same[0].n_features,
            same[0].n_train,
            same[0].work(),
            np.array([task.seconds for task in same]),
            np.array([task.flops for task in same]),
            all(task.on_grid for task in same),
        )
        for ranks, same in sorted(by_ranks.items())
    )


def _task_name(task: Task) -> str:
    ratio = task.n_train / task.n_features
    size = "P" if abs(ratio - 1) < 0.005 else f"{ratio:.2g} P"
    what = "full spectrum" if (task.way, task.n_sizes) == (runs.FULL_SPECTRA, 1) else task.way
    return f"{what}, N {'=' if task.n_sizes == 1 else 'up to'} {size}"


def _whole_line(title: str, found: list[Run]) -> Line:
    by_ranks: dict[int, list[Run]] = defaultdict(list)
    for run in found:
        by_ranks[run.ranks].append(run)
    points = []
    for ranks, same in sorted(by_ranks.items()):
        features = {task.n_features for task in same[0].tasks}
        flops = np.array([sum(task.flops for task in run.tasks) for run in same])
        seconds = np.array([run.seconds for run in same])
        p = features.pop() if len(features) == 1 else 0
        n_train = max(task.n_train for task in same[0].tasks)
        points.append(Point(ranks, p, n_train, _whole_work(same[0]), seconds, flops, True))
    return Line(title, "", _producer(found), WHOLE_RUN, tuple(points), tuple(found))


def _whole_work(run: Run) -> float:
    """Of each curve the largest task's: however many tasks a curve was cut into, it is the same work."""
    largest: dict[Hashable, float] = defaultdict(float)
    for task in run.tasks:
        curve = (task.dataset, task.n_features, task.repeat)
        largest[curve] = max(largest[curve], task.work())
    return sum(largest.values())


def _largest(title: str, lines: list[Line], notes: Notes) -> list[Line]:
    """As many as can be told apart, those that took longest."""
    if len(lines) <= MOST_LINES:
        return lines
    notes.append(f"`{title}`: {len(lines)} kinds of tasks; the {MOST_LINES} that took longest are drawn")
    longest = sorted(lines, key=lambda line: -line.points[0].median())[:MOST_LINES]
    return [line for line in lines if line in longest]


def labels(all_studies: list[Study]) -> dict[Line, str]:
    """What the legend calls each line: what it needs to be told apart from the others of its panel, and its P."""
    by_kind = [[s for s in all_studies if s.kind == kind] for kind in (STRONG, WEAK)]
    columns = [[line for s in some for line in (*s.lines, *s.wholes)] for some in by_kind]
    names = {line: line.name for column in columns for line in column}
    if len({p for line in columns[0] for p in line.features()}) > 1:
        names |= {line: f"{line.name}, P = {line.features()[0]}" for line in columns[0] if line.features()}
    for part in (_by, lambda line: line.dataset, lambda line: line.title):
        longer = {line: ", ".join(filter(None, (name, part(line)))) for line, name in names.items()}
        if _told_apart(longer, columns) > _told_apart(names, columns):
            names = longer
    return names


def _by(line: Line) -> str:
    return f"by {line.producer}" if line.producer else ""


def _told_apart(names: dict[Line, str], columns: list[list[Line]]) -> int:
    return sum(len({names[line] for line in column}) for column in columns)
