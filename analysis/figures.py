#!/usr/bin/python3
"""Draws the figures of a study from its results alone: one file, or one for each of its data sets.

    /usr/bin/python3 analysis/figures.py RESULTS.nc... [-o DIR] [--format png,pdf] [--x ratio|n_train] [--mean]

Prints the path of every figure it wrote on standard output, and what it could not draw on standard error.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Callable

import command

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from layout import Options
    from results import Dataset, Notes

    Draw = Callable[[list[Dataset], Options, Notes], Figure | None]

MEAN_WARNING = (
    "--mean: means do not exist at the threshold (N = P - 1, P, P + 1) for Gaussian designs; "
    "what is drawn there depends on the repeats at hand, the median does not"
)


def main(arguments: list[str] | None = None) -> int:
    """Draws everything that the file has; the exit status."""
    asked = _parse(arguments)
    folder = asked.output or _default_folder(asked.results)
    return command.carry_out(lambda: _draw_all(asked, folder), folder)


def _draw_all(asked: argparse.Namespace, folder: Path) -> None:
    import results

    datasets, notes = results.read_all(asked.results)

    import layout  # matplotlib takes its time: not before there is something to draw
    import style

    folder.mkdir(parents=True, exist_ok=True)
    if asked.mean:
        notes.append(MEAN_WARNING)
    notes += [line for line in (d.incomplete() for d in datasets) if line]
    command.tell(notes)
    style.apply()
    _write_all(datasets, layout.Options(asked.x, asked.mean), folder, asked.format)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=command.PROGRAM, description="Draws the figures of a study from its results alone."
    )
    parser.add_argument(
        "results",
        metavar="RESULTS.nc",
        type=Path,
        nargs="+",
        help="a results file that `ridgeless run` wrote; several, with a data set or more each, are drawn together",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="DIR",
        type=Path,
        help="folder for the figures (default: RESULTS-figures beside the first, by what the files' names begin with)",
    )
    command.add_format(parser)
    parser.add_argument(
        "--x", choices=("ratio", "n_train"), default="ratio", help="x axis: P/N, as in the paper (default), or N"
    )
    parser.add_argument("--mean", action="store_true", help="draw means too, dashed; the median is the figure")
    return parser.parse_args(arguments)


def _default_folder(paths: list[Path]) -> Path:
    """paper.nc: paper-figures; paper-who.nc and paper-diabetes.nc: paper-figures too."""
    common = os.path.commonprefix([path.name.removesuffix(".nc") for path in paths])
    stem = common if len(paths) == 1 else common.rstrip("-_.") or "study"
    return paths[0].with_name(f"{stem}-figures")


def _write_all(datasets: list[Dataset], options: Options, folder: Path, formats: list[str]) -> None:
    import sweeps

    absent, thinned = [], []
    shown = sweeps.against_rows(datasets, thinned)
    command.tell(thinned)
    if not shown:
        command.tell(["no figures against N: every data set has one N at each of its P"])
    for name, draw in _figures(datasets) if shown else []:
        notes: Notes = []
        figure = draw(shown, options, notes)
        command.tell(notes)
        if figure is None:
            absent.append(name)
        else:
            command.save(figure, folder / name, formats)
    for name, draw in _figures_of_special_studies():
        figure = draw(datasets, options, [])
        if figure is not None:  # most studies have nothing for them, and need not hear of it
            command.save(figure, folder / name, formats)
    if absent:
        command.tell([f"not drawn, as the file has nothing for it: {', '.join(absent)}"])


def _figures(datasets: list[Dataset]) -> list[tuple[str, Draw]]:
    """File names and what draws them; ablations that have no words of their own yet come last."""
    import factors
    import panels
    import style

    there = {v.ablation for d in datasets for v in d.variants} - {"none"}
    names = [*style.ABLATIONS, *sorted(there - set(style.ABLATIONS))]
    ablations = [(re.sub(r"\W", "_", name), partial(panels.ablation, name)) for name in names]
    n_paper = len(style.PAPER_ABLATIONS)
    return [
        ("error", panels.error),
        *ablations[:n_paper],
        ("sigma_min", panels.sigma_min),
        *ablations[n_paper:],
        ("factors", factors.factors),
    ]


def _figures_of_special_studies() -> list[tuple[str, Draw]]:
    """Sweeps over the number of features, and gradient descent step by step."""
    import descent
    import polynomial
    import random_features

    return [
        ("error_against_features", polynomial.error),
        ("ablations_against_features", polynomial.ablations),
        ("fitted_curves", polynomial.fitted_curves),
        ("surface", random_features.surface),
        ("descent", descent.descent),
    ]


if __name__ == "__main__":
    sys.exit(main())
