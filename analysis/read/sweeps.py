"""A data set at several numbers of features: curves against P, and which of its P the figures against N show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from read.results import Curve, Dataset, Notes, Variant

FEW_P = 3  # numbers of features that make a sweep
MOST_PANELS = 4  # of one data set in a figure against N


@dataclass(frozen=True)
class Sweep:
    """The datasets of one group, P ascending."""

    group: str
    datasets: list[Dataset]

    @property
    def n_features(self) -> np.ndarray:
        """P of each."""
        return np.array([d.n_features for d in self.datasets], dtype=float)

    def sizes(self) -> list[int]:
        """The N that enough of its P have to draw a curve against P."""
        counts: dict[int, int] = {}
        for dataset in self.datasets:
            for n in dataset.n_train:
                counts[int(n)] = counts.get(int(n), 0) + 1
        return sorted(n for n, count in counts.items() if count >= FEW_P)

    def middle_size(self) -> int | None:
        """The N whose threshold lies most in the middle of the P, where the study has one."""
        p = self.n_features
        return min(self.sizes(), key=lambda n: abs(np.log(n / np.sqrt(p[0] * p[-1]))), default=None)

    def has_low_rank(self) -> bool:
        """Whether the features of some P depend on each other."""
        return any(d.has_low_rank() for d in self.datasets)

    def threshold(self, n_train: int) -> float | None:
        """The P whose threshold is at N: N, or the first P of a rank that large; None where no P has one."""
        first = next((d for d in self.datasets if d.threshold >= n_train), None)
        if first is None:
            return None if self.has_low_rank() else n_train
        return first.n_features if first.has_low_rank() else n_train

    def curve(self, variable: str, ablation: str, n_train: int) -> Curve | None:
        """A quantity against P at one N, of the first variant of an ablation."""
        return self._curve(variable, [first_variant(d, ablation) for d in self.datasets], n_train)

    def labelled(self, variable: str, label: str, n_train: int) -> Curve | None:
        """The same of the variant with this label."""
        return self._curve(variable, [next(v for v in d.variants if v.label == label) for d in self.datasets], n_train)

    def _curve(self, variable: str, variants: list[Variant | None], n: int) -> Curve | None:
        found = [_at(d, variable, v, n) for d, v in zip(self.datasets, variants)]
        if all(point is None for point in found):
            return None
        quantiles = set.intersection(*(set(point[1]) for point in found if point))
        median = np.array([point[0] if point else np.nan for point in found])
        bands = {q: np.array([point[1][q] if point else np.nan for point in found]) for q in quantiles}
        return Curve(median, bands, None)

    def plain(self, variable: str, ablation: str, n_train: int) -> np.ndarray | None:
        """A theory's values against P at one N."""
        values = []
        for dataset in self.datasets:
            variant, index = first_variant(dataset, ablation), index_of(dataset, n_train)
            here = dataset.reduced(variable, variant) if variant else None
            values.append(np.nan if here is None or index is None else here[index])
        return np.array(values) if np.isfinite(values).any() else None


def _at(dataset: Dataset, variable: str, variant: Variant | None, n: int) -> tuple[float, dict[float, float]] | None:
    index = index_of(dataset, n)
    curve = dataset.curve(variable, variant) if variant else None
    if curve is None or index is None:
        return None
    return float(curve.median[index]), {q: float(values[index]) for q, values in curve.quantiles.items()}


def first_variant(dataset: Dataset, ablation: str) -> Variant | None:
    """An ablation's first variant that has values."""
    return next(iter(dataset.of(ablation)), None)


def index_of(dataset: Dataset, n_train: int) -> int | None:
    """Where an N stands, when the dataset has it."""
    found = np.flatnonzero(dataset.n_train == n_train)
    return int(found[0]) if found.size else None


def sweeps(datasets: list[Dataset]) -> list[Sweep]:
    """The groups that have enough numbers of features, in the file's order."""
    groups: dict[str, list[Dataset]] = {}
    for dataset in datasets:
        groups.setdefault(dataset.group, []).append(dataset)
    found = [Sweep(name, sorted(members, key=lambda d: d.n_features)) for name, members in groups.items()]
    return [sweep for sweep in found if len(sweep.datasets) >= FEW_P]


def against_rows(datasets: list[Dataset], notes: Notes) -> list[Dataset]:
    """What the figures against N show: of a sweep at one N nothing, of one at many P some of them."""
    left_out: set[int] = set()
    for sweep in sweeps(datasets):
        several = [d for d in sweep.datasets if len(d.n_train) > 1]
        kept = [several[i] for i in _spread(len(several))]
        left_out |= {id(d) for d in sweep.datasets} - {id(d) for d in kept}
        if 0 < len(kept) < len(sweep.datasets):
            shown = ", ".join(str(d.n_features) for d in kept)
            notes.append(f"{sweep.group}: figures against N show P = {shown} of {len(sweep.datasets)} values")
    return [d for d in datasets if id(d) not in left_out]


def _spread(n: int) -> list[int]:
    return sorted({round(i) for i in np.linspace(0, n - 1, min(n, MOST_PANELS))}) if n else []
