"""Reads what `ridgeless plan --scaling --json` printed: what a study is predicted to take on 1, 2, 4, ... ranks."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

from read.results import ResultsError

EXPECTED = "expected what `ridgeless plan --scaling --json` prints"


@dataclass(frozen=True)
class Point:
    """So many ranks, which hold the study."""

    ranks: int
    seconds: float
    efficiency: float
    memory: float  # bytes of a rank
    bound: str  # what most of the time goes into
    shares: dict[str, float]  # seconds, by what they go into


@dataclass(frozen=True)
class Prediction:
    """A study."""

    path: Path
    title: str
    rates: str
    cores: int  # of a node
    too_few: list[int]  # ranks that cannot hold it
    points: list[Point]
    pays: int  # ranks up to which more of them pay


def read(path: Path) -> Prediction:
    """What the file says; a file of anything else, or of a study that no number of ranks holds, is a ResultsError."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        every = [(int(point["ranks"]), point) for point in data["scaling"]]
        points = [_point(ranks, point) for ranks, point in every if point["holds"]]
        too_few = [ranks for ranks, point in every if not point["holds"]]
        words = str(data["title"]), str(data["rates"]), int(data["cores_per_node"])
        pays = int(data["pays_up_to_ranks"]) if points else 0
    except OSError as error:
        raise ResultsError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ResultsError(f"{path}: {EXPECTED}") from error
    if not points:
        raise ResultsError(f"{path}: no number of ranks holds the study; expected nodes with more memory")
    if not all(math.isfinite(p.seconds) and p.seconds > 0 and p.memory > 0 and p.efficiency > 0 for p in points):
        raise ResultsError(f"{path}: {EXPECTED}, with seconds, efficiency and memory of each number of ranks")
    return Prediction(path, *words, too_few, points, pays)


def _point(ranks: int, point: dict) -> Point:
    numbers = float(point["seconds"]), float(point["efficiency"]), float(point["memory_per_rank_bytes"])
    shares = {str(bound): float(seconds) for bound, seconds in point["seconds_by_bound"].items()}
    return Point(ranks, *numbers, str(point["bound_by"]), shares)
