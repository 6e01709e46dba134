"""A table with commas (CSV) and a line of names: numbers where a column has nothing else, else texts."""

from __future__ import annotations

import csv
from pathlib import Path

from read.results import ResultsError


class Table:
    """Columns by name, all of one length."""

    def __init__(self, path: Path, columns: dict[str, list[float] | list[str]]):
        self.path, self.columns = path, columns

    def column(self, name: str) -> list[float] | list[str]:
        """One of them; a name that is none is an error that lists all."""
        if name not in self.columns:
            raise ResultsError(f"{self.path}: no column `{name}`; there are {', '.join(self.columns)}")
        return self.columns[name]

    def numbers(self, name: str) -> list[float]:
        """One that has numbers alone."""
        found = self.column(name)
        for line, value in enumerate(found, 2):
            if isinstance(value, str):
                raise ResultsError(f"{self.path}: line {line}: got `{value}` in the column `{name}`, expected a number")
        return [float(value) for value in found]


def read(path: Path) -> Table:
    """The file's table."""
    try:
        with open(path, newline="") as file:
            lines = [row for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ResultsError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(lines) < 2:
        raise ResultsError(f"{path}: expected a line of names and below it at least one of values")
    names, *rows = lines
    for i, row in enumerate(rows, 2):
        if len(row) != len(names):
            raise ResultsError(f"{path}: line {i}: {len(row)} values, expected {len(names)}")
    return Table(path, {name: _column([row[i] for row in rows]) for i, name in enumerate(names)})


def _column(texts: list[str]) -> list[float] | list[str]:
    try:
        return [float(text) for text in texts]
    except ValueError:
        return texts
