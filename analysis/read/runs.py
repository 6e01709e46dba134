"""Reads from results files what runs took: the times of their tasks, their ranks, memory and load imbalance.

The group `provenance` has them, one number per task in lists of equal length.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from read.results import AUTOENCODER, NOT_DATASETS, ResultsError, one_line, open_file

if TYPE_CHECKING:
    import netCDF4

WHOLE = ("task_dataset", "task_n_features", "task_n_train", "task_sizes", "task_repeat", "task_ranks", "task_way")
LEAST = {"task_dataset": 0, "task_repeat": 0, "task_way": 0}  # of the others: 1
FULL_SPECTRA, NESTED, SIDE_BY_SIDE, UPDATED = (
    "full spectra",
    "nested curve",
    "full spectra side by side",
    "full spectra row by row",
)
# By task_way, and whether the ranks of a process grid work on it together.
WAYS = ((FULL_SPECTRA, False), (NESTED, False), (FULL_SPECTRA, True), (NESTED, True), (SIDE_BY_SIDE, False), (UPDATED, False))


@dataclass(frozen=True)
class Task:
    """A curve, or some of its training set sizes, computed at one go by one rank or by a process grid."""

    dataset: str
    n_features: int
    n_train: int  # the largest
    n_sizes: int
    repeat: int
    ranks: int
    seconds: float
    flops: float
    way: str
    on_grid: bool

    def work(self) -> float:
        """In the units of any factorization of the largest training set, whichever is used: N P min(N, P)."""
        return float(self.n_train) * self.n_features * min(self.n_train, self.n_features)


@dataclass(frozen=True)
class Run:
    """One results file."""

    path: Path
    title: str
    producer: str  # empty where the file does not say
    ranks: int
    seconds: float
    imbalance: float  # NaN where the file does not say
    processor_share: float  # processors that a rank had on average; NaN where the file does not say
    busy: np.ndarray  # seconds, a number per rank; empty where the file does not say
    memory: np.ndarray  # bytes, a number per rank; empty where the file does not say
    tasks: tuple[Task, ...]

    def share_of_training_set(self) -> float:
        """Bytes per rank of the largest training set that it had a part of."""
        return max(8.0 * task.n_train * task.n_features / task.ranks for task in self.tasks)


def read(path: Path) -> Run:
    """What the run that wrote the file took."""
    root = open_file(path)
    names = group_names(root)
    if "provenance" not in root.groups or not names:
        raise ResultsError(f"{path}: not a results file of ridgeless: expected data sets and a group `provenance`")
    try:
        return _read_run(path, root, names)
    except (OSError, RuntimeError, ValueError, TypeError) as error:
        raise ResultsError(f"{path}: group provenance cannot be read: {one_line(error)}") from error


def group_names(root: netCDF4.Dataset, autoencoders: bool = False) -> list[str]:
    """Of data sets, or of autoencoders, in the study's order, which task_dataset counts in: that of the settings. Groups of a
    file come in any order."""
    groups = [
        name
        for name, group in root.groups.items()
        if name not in NOT_DATASETS and (getattr(group, "kind", "") == AUTOENCODER) == autoencoders
    ]
    told = re.findall(r"^([^/\n]+)/source: ", str(getattr(root, "settings", "")), re.MULTILINE)
    names = [name for name in told if name in groups]
    return names if len(names) == len(groups) else groups


def _read_run(path: Path, root: netCDF4.Dataset, names: list[str]) -> Run:
    group = root["provenance"]
    imbalance, share = (numbers(group, name) for name in ("load_imbalance", "processor_share"))
    busy, memory = (numbers(group, name) for name in ("rank_busy_seconds", "peak_memory_bytes"))
    return Run(
        path,
        str(getattr(root, "title", "")) or path.stem,
        str(getattr(group, "producer", "")),
        int(_one(path, group, "ranks")),
        _one(path, group, "compute_seconds"),
        float(imbalance[0]) if imbalance is not None and imbalance.size == 1 else np.nan,
        float(share[0]) if share is not None and share.size == 1 else np.nan,
        busy if busy is not None else np.array([]),
        memory if memory is not None else np.array([]),
        _tasks(path, group, names),
    )


def _tasks(path: Path, group: netCDF4.Group, names: list[str]) -> tuple[Task, ...]:
    lists = {name: _list(path, group, name) for name in (*WHOLE, "task_seconds", "task_flops")}
    if len({values.size for values in lists.values()}) != 1:
        raise ResultsError(f"{path}: the lists task_... in its provenance are not of one length")
    for name, values in lists.items():
        least = LEAST.get(name, 1 if name in WHOLE else np.finfo(float).tiny)
        if not (np.isfinite(values) & (values >= least)).all():
            raise ResultsError(f"{path}: its provenance has a {name} that is no such number")
    if lists["task_dataset"].max() >= len(names) or lists["task_way"].max() >= len(WAYS):
        raise ResultsError(f"{path}: its provenance has a task_dataset or task_way that is none")
    return tuple(_task(names, row) for row in _rows(lists))


def _rows(lists: dict[str, np.ndarray]) -> list[dict[str, float]]:
    return [dict(zip(lists, values)) for values in zip(*(values.tolist() for values in lists.values()))]


def _task(names: list[str], row: dict[str, float]) -> Task:
    dataset, n_features, n_train, n_sizes, repeat, ranks, way = (int(row[name]) for name in WHOLE)
    kind, on_grid = WAYS[way]
    seconds, flops = row["task_seconds"], row["task_flops"]
    return Task(names[dataset], n_features, n_train, n_sizes, repeat, ranks, seconds, flops, kind, on_grid)


def _list(path: Path, group: netCDF4.Group, name: str) -> np.ndarray:
    values = numbers(group, name)
    if values is not None and values.size:
        return values
    computed = numbers(group, "curves_computed")
    if computed is not None and computed.size == 1 and computed[0] == 0:
        raise ResultsError(
            f"{path}: has no times: the run that wrote it found all curves in the journal; "
            f"remove {path} and {path}.journal, and run the study again"
        )
    raise ResultsError(f"{path}: has no times of a run: no {name} in its provenance; run the study again")


def _one(path: Path, group: netCDF4.Group, name: str) -> float:
    values = numbers(group, name)
    if values is None or values.size != 1 or not np.isfinite(values[0]) or values[0] <= 0:
        raise ResultsError(f"{path}: has no times of a run: no {name} in its provenance; run the study again")
    return float(values[0])


def numbers(group: netCDF4.Group, name: str) -> np.ndarray | None:
    """A list of numbers: an attribute, or, where it is too long for one, a variable."""
    if name in group.variables:
        return np.ma.filled(np.ma.asarray(group[name][...], dtype=float), np.nan).ravel()
    return np.atleast_1d(np.asarray(group.getncattr(name), dtype=float)) if name in group.ncattrs() else None
