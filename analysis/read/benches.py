"""Reads what `ridgeless bench spectrum --json` measured: one large spectrum by each producer."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from read.results import ResultsError

PHASES = ("generate", "reduce", "project", "diagonalize")
OTHER = "not told apart"


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
