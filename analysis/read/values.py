"""Numbers out of results files, a row per N: what a table of them needs, and no figure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Iterator

import numpy as np

from read.results import AUTOENCODER, NOT_DATASETS, ResultsError, open_file

if TYPE_CHECKING:
    import netCDF4

KEYS = ("file", "dataset", "variant", "n_features", "n_train")


@dataclass(frozen=True)
class Asked:
    """Which variables, of which variant and N; of all N where none is named."""

    variables: tuple[str, ...]
    variant: str = "none"
    n_train: tuple[int, ...] = ()


def rows(paths: list[Path], asked: Asked) -> Iterator[list[object]]:
    """KEYS and then the variables asked for, of each data set, P and N of each file."""
    for path in paths:
        root = open_file(path)
        names = [name for name in root.groups if name not in (*NOT_DATASETS, AUTOENCODER)]
        if not names:
            raise ResultsError(f"{path}: has no data set")
        for name in names:
            yield from _of_dataset(path, name, root.groups[name], asked)


def _of_dataset(path: Path, name: str, group: netCDF4.Group, asked: Asked) -> Iterator[list[object]]:
    found = [_values(path, name, group, variable, asked.variant) for variable in asked.variables]
    n_features, n_train = (group[key][:].tolist() for key in ("n_features", "n_train"))
    missing = [n for n in asked.n_train if n not in n_train]
    if missing:
        raise ResultsError(f"{path}: {name}: no N = {missing[0]}; there are {', '.join(map(str, n_train))}")
    for i, p in enumerate(n_features):
        for j, n in enumerate(n_train):
            if not asked.n_train or n in asked.n_train:
                yield [
                    path.stem,
                    name,
                    asked.variant,
                    p,
                    n,
                    *(float(values[i, j]) for values in found),
                ]


def _values(path: Path, name: str, group: netCDF4.Group, variable: str, variant: str) -> np.ndarray:
    """A number per P and N."""
    known = [key for key, one in group.variables.items() if one.dimensions[-2:] == ("n_features", "n_train")]
    if variable not in known:
        raise ResultsError(f"{path}: {name}: no `{variable}` with one number per N; there are {', '.join(sorted(known))}")
    values = np.ma.filled(group[variable][:], np.nan)
    if values.ndim == 2:
        return values
    variants = group["variant"][:].tolist()
    if variant not in variants:
        raise ResultsError(f"{path}: {name}: no variant `{variant}`; there are {', '.join(variants)}")
    return values[variants.index(variant)]
