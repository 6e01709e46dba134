"""Reads what `ridgeless run --json` printed: one run, with its seconds by the clock."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

from read.results import ResultsError

EXPECTED = "expected what `ridgeless run --json` prints"


@dataclass(frozen=True)
class Report:
    """One run."""

    path: Path
    title: str
    schedule: str
    ranks: int
    total: float  # seconds of the whole run, its start and its results file included
    shared: float  # seconds while ranks shared the work
    processor_share: float  # processors that a rank had on average meanwhile
    slept: bool  # so that it needed none


def read(path: Path) -> Report:
    """What the file says; a file of anything else, or of a run that did not do all of its work, is a ResultsError."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        words = str(data["title"]), str(data["schedule"]), int(data["ranks"])
        times = float(data["seconds"]["total"]), float(data["compute_seconds"]), float(data["processor_share"])
        made = Report(path, *words, *times, bool(data["slept"]))
        before = sum(int(work["before"]) for work in data["work"].values())
        status = str(data["status"])
    except OSError as error:
        raise ResultsError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ResultsError(f"{path}: {EXPECTED}") from error
    if made.ranks < 1 or not all(math.isfinite(seconds) and seconds > 0 for seconds in (made.total, made.shared)):
        raise ResultsError(f"{path}: {EXPECTED}, with a number of ranks and seconds")
    if status != "done" or before > 0:
        why = f"ended as `{status}`" if status != "done" else "found some of its work in the journal"
        raise ResultsError(f"{path}: the run {why}; expected one that did all of it: run with --fresh")
    return made
