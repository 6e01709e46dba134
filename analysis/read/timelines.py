"""Reads who computed what when: from results files, or from what `ridgeless run --timeline` wrote."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from read.results import ResultsError, one_line, open_file
from read.runs import group_names, numbers

if TYPE_CHECKING:
    import netCDF4

# Lists of a results file, by what a task of a timeline calls them; all are named behind a prefix.
PREFIXES = {"task_": "task_dataset", "training_task_": "training_task_autoencoder"}
FEATURES = {"task_": "n_features", "training_task_": "n_hidden"}
EXPECTED = "expected a results file, or what `ridgeless run --timeline` wrote"


@dataclass(frozen=True)
class Task:
    """A curve, or a part of one, or a training. Ranks `rank` to `rank + ranks - 1` worked on it."""

    group: str  # data set or autoencoder
    trained: bool  # a training of an autoencoder
    n_features: int  # P, or m of a training
    rank: int
    ranks: int
    start: float  # seconds since ranks began to share the work
    seconds: float

    def end(self) -> float:
        """Seconds."""
        return self.start + self.seconds


@dataclass(frozen=True)
class Timeline:
    """One run."""

    path: Path
    title: str
    schedule: str
    order: str  # empty where the file does not say
    chunk: int  # 0: automatic
    slept: bool
    ranks: int
    began: float  # seconds since 1970-01-01 00:00 UTC
    seconds: float  # by the clock
    imbalance: float
    tasks: tuple[Task, ...]

    def balanced(self) -> float:
        """Seconds that the run would take if all ranks had been busy for the same time."""
        return self.seconds / self.imbalance


def read(path: Path) -> Timeline:
    """What the file says; a file of anything else is a ResultsError."""
    made = _of_json(path) if _is_json(path) else _of_results(path)
    for task in made.tasks:
        known = np.isfinite([task.start, task.seconds, made.seconds]).all() and task.seconds >= 0
        if not known or task.rank < 0 or task.ranks < 1 or task.rank + task.ranks > made.ranks:
            raise ResultsError(f"{path}: has a task whose ranks or times are none")
    if not made.tasks:
        raise ResultsError(f"{path}: has no tasks: the run found all of its work in the journal, or kept no times")
    if not (made.seconds > 0 and made.imbalance >= 1 and np.isfinite(made.imbalance)):
        raise ResultsError(f"{path}: does not say how long the run took and how uneven ranks were busy")
    return made


def _is_json(path: Path) -> bool:
    """By its first character, as results files do not begin so; one that cannot be read is left to the other reader."""
    try:
        with path.open("rb") as file:
            return file.read(1) == b"{"
    except OSError:
        return False


def _of_json(path: Path) -> Timeline:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        tasks = tuple(_task(entry) for entry in data["tasks"])
        words = (str(data[name]) for name in ("title", "schedule", "order"))
        times = (float(data[name]) for name in ("began", "seconds", "imbalance"))
        return Timeline(path, *words, int(data["chunk"]), bool(data["slept"]), int(data["ranks"]), *times, tasks)
    except OSError as error:
        raise ResultsError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ResultsError(f"{path}: {EXPECTED}") from error


def _task(entry: dict[str, Any]) -> Task:
    whole = (int(entry[name]) for name in ("n_features", "rank", "ranks"))
    return Task(str(entry["group"]), entry["kind"] == "training", *whole, float(entry["start"]), float(entry["seconds"]))


def _of_results(path: Path) -> Timeline:
    root = open_file(path)
    if "provenance" not in root.groups:
        raise ResultsError(f"{path}: {EXPECTED}")
    try:
        return _of_provenance(path, root, root["provenance"])
    except (OSError, RuntimeError, ValueError, TypeError, IndexError) as error:
        raise ResultsError(f"{path}: group provenance cannot be read: {one_line(error)}") from error


def _of_provenance(path: Path, root: netCDF4.Dataset, group: netCDF4.Group) -> Timeline:
    def one(name: str, without: float = np.nan) -> float:
        values = numbers(group, name)
        return float(values[0]) if values is not None and values.size == 1 else without

    title = str(getattr(root, "title", "")) or path.stem
    words = (str(getattr(group, name, "")) for name in ("schedule", "order"))
    times = (one(name) for name in ("compute_began", "compute_seconds", "load_imbalance"))
    tasks = tuple(task for prefix in PREFIXES for task in _tasks(path, root, group, prefix))
    return Timeline(path, title, *words, int(one("chunk", 0)), False, int(one("ranks", 0)), *times, tasks)


def _tasks(path: Path, root: netCDF4.Dataset, group: netCDF4.Group, prefix: str) -> list[Task]:
    of_group = numbers(group, PREFIXES[prefix])
    if of_group is None or of_group.size == 0:
        return []
    names = group_names(root, autoencoders=prefix != "task_")
    lists = [numbers(group, prefix + name) for name in (FEATURES[prefix], "rank", "ranks", "start", "seconds")]
    if any(values is None or values.size != of_group.size for values in lists):
        raise ResultsError(f"{path}: does not say which rank computed what and when, as it is of an older program; run again")
    return [
        Task(names[int(i)], prefix != "task_", int(features), int(rank), int(ranks), start, seconds)
        for i, features, rank, ranks, start, seconds in zip(of_group, *(values.tolist() for values in lists))
    ]
