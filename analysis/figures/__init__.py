"""All figures. A module of this folder or of speed/ that has a function `rows` is drawn: no list has to name it."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

import speed
from draw.row import Found, Row

# The order in the report; any other figure comes after these.
ORDER = (
    "error",
    "ablation",
    "cutoff_train",
    "sigma_min",
    "bias",
    "geometry",
    "span",
    "factors",
    "shares",
    "other_ablations",
    "cross_validation",
    "test_rows",
    "cures",
    "descent",
    "solvers",
    "polynomial",
    "random_features",
    "descent_run",
    "theory",
    "prediction",
    "tails",
    "autoencoder",
    "scaling",
    "producers",
    "roofline",
    "cost",
)


def all_rows(found: Found) -> list[Row]:
    """Every figure there can be of what was found."""
    return [row for module in _modules() for row in module.rows(found)]


def _modules() -> list[ModuleType]:
    folders = (("figures", __path__), ("speed", speed.__path__))
    names = [f"{folder}.{module.name}" for folder, path in folders for module in pkgutil.iter_modules(path)]
    modules = [importlib.import_module(name) for name in sorted(names, key=_place)]
    return [module for module in modules if hasattr(module, "rows")]


def _place(name: str) -> tuple[int, str]:
    last = name.split(".")[-1]
    return ORDER.index(last) if last in ORDER else len(ORDER), last
