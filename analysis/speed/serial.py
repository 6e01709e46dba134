"""Amdahl's law fitted to runs of a study on several numbers of ranks.

The law says T(n) = s + p / n of n ranks: s is the serial part, p the parallel one, f = s / (s + p) the serial fraction, and no
number of ranks is more than 1 / f times as fast as one (Amdahl 1967, doi:10.1145/1465482.1465560). Karp and Flatt measure f
from one speedup S on n ranks: e = (1/S - 1/n) / (1 - 1/n) (1990, doi:10.1145/78607.78614). Where e grows with n something
grows that the law does not have: messages, imbalance, or processors that were not there.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from read.reports import Report
from read.results import Notes, ResultsError

TOTAL, COMPUTE = "total", "compute"
QUIET_SHARE = 0.8  # of a processor that a rank should have had
FAR_OFF = 0.2  # of the seconds: the law says something else


@dataclass(frozen=True)
class Study:
    """The runs of a title and schedule; of several on one number of ranks the quickest counts."""

    name: str
    runs: tuple[Report, ...]  # by ranks
    ranks: np.ndarray  # each number once, ascending
    seconds: np.ndarray  # the quickest run's on so many
    shares: np.ndarray  # of a processor, in that run; NaN where the ranks slept
    serial: float  # s, seconds
    parallel: float  # p, seconds

    def one(self) -> float:
        """Seconds on one rank: measured, or else by the law."""
        return float(self.seconds[0]) if self.ranks[0] == 1 else self.serial + self.parallel

    def fraction(self) -> float:
        """f of the fit."""
        return self.serial / (self.serial + self.parallel)

    def limit(self) -> float:
        """1 / f: infinite without a serial part."""
        return 1 / self.fraction() if self.serial > 0 else np.inf

    def two_points(self) -> float:
        """f by the least and the most ranks alone."""
        (a, b), (first, last) = self.ranks[[0, -1]], self.seconds[[0, -1]]
        parallel = (first - last) / (1 / a - 1 / b)
        return float((first - parallel / a) / (first - parallel / a + parallel))

    def speedup(self) -> np.ndarray:
        """Over one rank."""
        return self.one() / self.seconds

    def karp_flatt(self) -> np.ndarray:
        """e on each number of ranks; NaN on one."""
        n = self.ranks.astype(float)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(n > 1, (1 / self.speedup() - 1 / n) / (1 - 1 / n), np.nan)

    def predicted(self, ranks: np.ndarray) -> np.ndarray:
        """Seconds by the law."""
        return self.serial + self.parallel / ranks

    def busy_machine(self) -> np.ndarray:
        """Where ranks had less than their share of a processor."""
        return self.shares < QUIET_SHARE


def seconds_of(run: Report, time: str) -> float:
    """Of the whole run, or of the work that ranks shared."""
    return run.total if time == TOTAL else run.shared


def studies(found: list[Report], time: str, notes: Notes) -> list[Study]:
    """One per title and schedule, in the order of the files."""
    several = {title for title in {run.title for run in found} if len({r.schedule for r in found if r.title == title}) > 1}
    by_name: dict[str, list[Report]] = defaultdict(list)
    for run in found:
        by_name[f"{run.title}, {run.schedule}" if run.title in several else run.title].append(run)
    made = [_study(name, sorted(runs, key=lambda run: run.ranks), time) for name, runs in by_name.items()]
    for study in made:
        _note_busy(study, notes)
        _note_other_laws(study, notes)
    return made


def _study(name: str, runs: list[Report], time: str) -> Study:
    ranks = sorted({run.ranks for run in runs})
    if len(ranks) < 2:
        raise ResultsError(
            f"{runs[0].path}: `{name}` on {_ranks(ranks[0])} alone; expected runs of it on two " "numbers of ranks or more"
        )
    best = [min((run for run in runs if run.ranks == n), key=lambda run: seconds_of(run, time)) for n in ranks]
    seconds = np.array([seconds_of(run, time) for run in best])
    shares = np.array([np.nan if run.slept else run.processor_share for run in best])
    return Study(name, tuple(runs), np.array(ranks), seconds, shares, *_fit(np.array(ranks, float), seconds))


def _fit(ranks: np.ndarray, seconds: np.ndarray) -> tuple[float, float]:
    """s and p, none below 0, with the least squares of relative differences, as times vary by their size."""
    design = np.column_stack([1 / seconds, 1 / (ranks * seconds)])
    (serial, parallel), *_ = np.linalg.lstsq(design, np.ones(ranks.size), rcond=None)
    if serial < 0:  # faster than the law allows: all is parallel
        return 0.0, float(design[:, 1].sum() / (design[:, 1] ** 2).sum())
    if parallel < 0:  # more ranks are slower: all is serial
        return float(design[:, 0].sum() / (design[:, 0] ** 2).sum()), 0.0
    return float(serial), float(parallel)


def _ranks(n: int) -> str:
    return f"{n} rank" if n == 1 else f"{n} ranks"


def _note_busy(study: Study, notes: Notes) -> None:
    where = [f"{100 * share:.0f} % on {_ranks(n)}" for n, share in zip(study.ranks, study.shares) if share < QUIET_SHARE]
    if where:
        notes.append(
            f"`{study.name}`: a rank had little of a processor ({', '.join(where)}): the machine was busy, or there were more "
            "ranks than processors, and the fit says that, too; repeat it later, or with fewer ranks"
        )


def _note_other_laws(study: Study, notes: Notes) -> None:
    off = study.predicted(study.ranks) / study.seconds - 1
    worst = int(np.argmax(np.abs(off)))
    if abs(off[worst]) > FAR_OFF:
        notes.append(
            f"`{study.name}`: Amdahl's law does not hold: on {_ranks(study.ranks[worst])} it is "
            f"{100 * abs(off[worst]):.0f} % {'above' if off[worst] > 0 else 'below'} what was measured; something else grows "
            "or falls with the ranks, like imbalance or the start of MPI"
        )


def text(made: list[Study], time: str) -> str:
    """The numbers, as a table to read."""
    head = "ranks    seconds    by the law  speedup  efficiency  Karp-Flatt  processor share"
    parts = [f"Seconds of {'whole runs' if time == TOTAL else 'the work that ranks shared'}\n"]
    for s in made:
        rows = zip(s.ranks, s.seconds, s.predicted(s.ranks), s.speedup(), s.speedup() / s.ranks, s.karp_flatt(), s.shares)
        lines = [f"{r:5d} {t:10.4g} {law:13.4g} {x:8.3g} {e:11.2f} {k:11.4f} {share:16.2f}" for r, t, law, x, e, k, share in rows]
        parts.append("\n".join([s.name, _says(s), head, *lines]) + "\n")
    return "\n".join(parts)


def _says(s: Study) -> str:
    limit = f"{s.limit():.3g}" if np.isfinite(s.limit()) else "none"
    return (
        f"T = {s.serial:.4g} s + {s.parallel:.4g} s / n; serial fraction {s.fraction():.4f} by the fit, {s.two_points():.4f} by "
        f"{s.ranks[0]} and {s.ranks[-1]} ranks; limit of the speedup {limit}"
    )
