"""Reads what `ridgeless bench spectrum --json` measured: one large spectrum by each producer."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from read.results import ResultsError

PHASES = ("generate", "reduce", "project", "diagonalize")
COMPUTED = PHASES[1:]  # which make up the seconds of a producer
OTHER = "not told apart"


@dataclass(frozen=True)
class Work:
    """A phase of the fastest round: its seconds, and what the program's model counts of all ranks together."""

    seconds: float
    flops: float
    bytes: float  # that go through memory

    def intensity(self) -> float:
        """Flops per byte."""
        return self.flops / self.bytes

    def rate(self) -> float:
        """Flops per second."""
        return self.flops / self.seconds


@dataclass(frozen=True)
class Roofs:
    """What all ranks together can do per second: flops of products of matrices, and bytes read from memory and cache."""

    flops: float
    memory: float
    cache: float
    source: str  # of these rates


@dataclass(frozen=True)
class Producer:
    """What was measured of one: the median of its rounds by phase, each round's seconds, and the rate of the median.

    The seconds are those of a matrix that lies in its place: dgesdd gets it made, so generating it is no phase of them.
    """

    name: str
    seconds: float
    rounds: np.ndarray
    phases: dict[str, float]
    gflops: float
    work: dict[str, Work]  # by phase; empty where nothing is counted


@dataclass(frozen=True)
class Bench:
    """One file."""

    title: str
    producers: tuple[Producer, ...]
    roofs: Roofs | None = None  # older files have none


def read(path: Path) -> Bench:
    """What the file says; a file of anything else is a ResultsError."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        made = tuple(_producer(entry) for entry in data["producers"])
        title = f"N = {data['n_train']}, P = {data['n_features']}, {data['ranks']} rank{'s' * (data['ranks'] != 1)}"
        roofs = _roofs(data["roofs"], Path(data["rates"]).name) if "roofs" in data else None
        if not made:
            raise ValueError("no producer")
    except OSError as error:
        raise ResultsError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ResultsError(f"{path}: expected what `ridgeless bench spectrum --json` prints") from error
    return Bench(title, made, roofs)


def read_with_roofs(path: Path) -> Bench:
    """The same of a file that says what the machine can do, and counts work of some producer."""
    bench = read(path)
    if bench.roofs is None:
        raise ResultsError(f"{path}: says nothing of the machine: expected what a newer `ridgeless bench spectrum --json` prints")
    if not any(work.flops > 0 and work.bytes > 0 for producer in bench.producers for work in producer.work.values()):
        raise ResultsError(f"{path}: counts no work; expected a producer other than dgesdd")
    return bench


def _roofs(entry: dict, source: str) -> Roofs:
    rates = [float(entry[f"{name}_per_second"]) for name in ("flops", "memory_bytes", "cache_bytes")]
    roofs = Roofs(*rates, source)
    if not all(math.isfinite(rate) and rate > 0 for rate in (roofs.flops, roofs.memory, roofs.cache)):
        raise ValueError(f"{roofs}")
    return roofs


def _work(entry: dict) -> Work:
    return Work(float(entry["seconds"]), float(entry["flops"]), float(entry["memory_bytes"]))


def _producer(entry: dict) -> Producer:
    seconds = float(entry["seconds"])
    phases = {name: float(entry[f"{name}_seconds"]) for name in COMPUTED}
    phases[OTHER] = max(seconds - sum(phases.values()), 0.0)
    if not (math.isfinite(seconds) and seconds > 0):
        raise ValueError(f"{seconds} seconds")
    work = {name: _work(part) for name, part in entry.get("parts", {}).items() if name in PHASES}
    rounds = np.array(entry["rounds"], float)
    return Producer(entry["producer"], seconds, rounds, phases, float(entry["gflops"]), work)
