"""The numbers of the scaling figure, and the load imbalance of each run, as a table to read."""

from __future__ import annotations

import numpy as np

from speed import speedup
from speed.scaling import KINDS, MEBIBYTE
from speed.speedup import Line, Study

LINE_HEAD = "ranks       P       N  times    seconds     smallest      largest  efficiency   GFlop/s  per rank"
RUN_HEAD = "ranks    seconds  load imbalance  processor share  memory of a rank, MiB: most     least  file"


def text(studies: list[Study]) -> str:
    """A paragraph per line of the figure, and one for the runs."""
    labels = speedup.labels(studies)
    parts = [part for study in studies for part in _study(study, labels)]
    return "\n\n".join(parts) + "\n"


def _study(study: Study, labels: dict[Line, str]) -> list[str]:
    lines = [f"{labels[line]}\n{LINE_HEAD}\n" + _points(line) for line in (*study.lines, *study.wholes)]
    kind = KINDS[study.kind]
    heading = study.title if study.title.startswith(kind) else f"{kind}: {study.title}"
    return [heading, *lines, f"runs\n{RUN_HEAD}\n" + _runs(study)]


def _points(line: Line) -> str:
    return "\n".join(
        f"{p.ranks:5d} {p.n_features or '':>7} {p.n_train:7d} {p.seconds.size:6d} {p.median():10.4g} "
        f"{p.seconds.min():12.4g} {p.seconds.max():12.4g} {efficiency:11.2f} {p.rate() / 1e9:9.3g} "
        f"{p.rate() / 1e9 / p.ranks:9.3g}"
        for p, efficiency in zip(line.points, line.efficiency())
    )


def _runs(study: Study) -> str:
    rows = []
    for run in study.runs:
        most, least = (run.memory.max(), run.memory.min()) if run.memory.size else (np.nan, np.nan)
        rows.append(
            f"{run.ranks:5d} {run.seconds:10.4g} {run.imbalance:15.2f} {run.processor_share:16.2f} {most / MEBIBYTE:28.0f} "
            f"{least / MEBIBYTE:9.0f}  {run.path}"
        )
    return "\n".join(rows)
