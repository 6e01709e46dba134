#!/usr/bin/python3
"""Draws the figures of a study from its results alone, one file or several, and one HTML report that holds them all.

    /usr/bin/python3 analysis/figures.py RESULTS.nc... [-o DIR] [--scaling RESULTS.nc...] [--x ratio|n_train] [--mean]

Prints the path of every file it wrote on standard output, and what it could not draw on standard error.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Callable, NamedTuple

import command

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from layout import Options
    from report import Picture
    from results import Dataset, Notes
    from speedup import Study
    from trainings import Autoencoder

    Draw = Callable[[list[Dataset], Options, Notes], Figure | None]


class Row(NamedTuple):
    """A figure: its file's name, what draws it, and what its caption is found by, where that is not the name."""

    name: str
    draw: Draw
    caption: str = ""


MEAN_WARNING = (
    "--mean: means do not exist at the threshold (N = P - 1, P, P + 1) for Gaussian designs; "
    "what is drawn there depends on the repeats at hand, the median does not"
)
REPORT = "report.html"
NO_REPEATS = "a summary, without single repeats: no intervals by resampling, and no figures by mode"
NO_N = "no figures against N: every data set has one N at each of its P"


def main(arguments: list[str] | None = None) -> int:
    """Draws everything that the file has; the exit status."""
    asked = _parse(arguments)
    asked.output = asked.output or _default_folder(asked.results)
    return command.carry_out(lambda: _draw_all(asked), asked.output)


def _draw_all(asked: argparse.Namespace) -> None:
    import results
    import trainings

    datasets, notes = results.read_all(asked.results)
    autoencoders = trainings.read_all(asked.results)
    measured = _measured(asked, notes)  # wrong files are found before anything is written

    import layout  # matplotlib takes its time: not before there is something to draw
    import report
    import style
    import sweeps

    asked.output.mkdir(parents=True, exist_ok=True)
    if asked.mean:
        notes.append(MEAN_WARNING)
    notes += [line for d in datasets for line in _not_there(d, asked)]
    notes += [f"{d.group}: {NO_REPEATS}" for d in datasets if d.is_summary()]
    notes += [line for line in (d.incomplete() for d in [*datasets, *autoencoders]) if line]
    command.tell(notes)
    style.apply()
    rows = [*(_figures(datasets, asked) if datasets else []), *_autoencoder_figures(autoencoders), *measured]
    options = layout.Options(asked.x, asked.mean, asked.n_train, asked.repeats)
    thinned: Notes = []
    against_rows = _beside_geometry(sweeps.against_rows(datasets, thinned))
    if datasets and not against_rows:
        thinned.append(NO_N)
    command.tell(thinned)
    notes += thinned
    pictures = _write_all(datasets, against_rows, rows, asked, options, notes)
    if asked.report:
        files = [results.about(path) for path in asked.results]
        path = asked.output / REPORT
        path.write_text(report.page(files, _beside_geometry(datasets), against_rows, pictures, notes), encoding="utf-8")
        print(path)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=command.PROGRAM, description="Draws the figures of a study from its results alone, and a report of them all."
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
    command.add_format(parser, list(command.FORMATS))
    parser.add_argument(
        "--x", choices=("ratio", "n_train"), default="ratio", help="x axis: P/N, as in the paper (default), or N"
    )
    parser.add_argument("--mean", action="store_true", help="draw means too, dashed; the median is the figure")
    parser.add_argument(
        "--n-train",
        metavar="N,...",
        type=_numbers,
        default=(),
        help="N of the figures by mode and of gradient descent (default: near P/2, P, and the largest)",
    )
    parser.add_argument(
        "--repeats", metavar="R,...", type=_numbers, default=(), help="draw these repeats alone in the figures by mode"
    )
    parser.add_argument(
        "--scaling",
        metavar="RESULTS.nc",
        type=Path,
        nargs="+",
        default=[],
        help="results files of a study on several numbers of ranks, as jobs/scaling.sh writes them: the scaling figure too",
    )
    parser.add_argument(
        "--bench",
        metavar="FILE.json",
        type=Path,
        nargs="+",
        default=[],
        help="what `ridgeless bench spectrum --json` printed: the figure of producers too",
    )
    parser.add_argument("--no-report", dest="report", action="store_false", help=f"the figures alone, without {REPORT}")
    return parser.parse_args(arguments)


def _numbers(text: str) -> tuple[int, ...]:
    try:
        numbers = tuple(int(word) for word in text.split(","))
    except ValueError:
        numbers = ()
    if not numbers or min(numbers) < 0:
        raise argparse.ArgumentTypeError(f"`{text}`: expected whole numbers with commas between them")
    return numbers


def _default_folder(paths: list[Path]) -> Path:
    """paper.nc: paper-figures; paper-who.nc and paper-diabetes.nc: paper-figures too."""
    common = os.path.commonprefix([path.name.removesuffix(".nc") for path in paths])
    stem = common if len(paths) == 1 else common.rstrip("-_.") or "study"
    return paths[0].with_name(f"{stem}-figures")


def _not_there(dataset: Dataset, asked: argparse.Namespace) -> Notes:
    """Of the N and repeats asked for."""
    sizes = [n for n in asked.n_train if n not in dataset.n_train]
    repeats = [r for r in asked.repeats if r >= dataset.repeats]
    named = [f"{name} {', '.join(map(str, some))}" for name, some in (("N =", sizes), ("repeat", repeats)) if some]
    return [f"{dataset.group}: has no {' and no '.join(named)}"] if named else []


def _write_all(
    datasets: list[Dataset],
    against_rows: list[Dataset],
    rows: list[Row],
    asked: argparse.Namespace,
    options: Options,
    notes: Notes,
) -> list[Picture]:
    """Saves the figures one by one; their pictures for the report. What is not drawn is told, and noted."""
    import report

    sweep_names = {row.name for row in _sweeps()}
    given = dict.fromkeys({"geometry", *sweep_names}, datasets)
    absent, pictures = [], []
    for row in rows:
        more: Notes = []
        figure = row.draw(given.get(row.name, against_rows), options, more)
        command.tell(more)
        notes += more
        if figure is None:
            absent += [row.name] if row.caption or (row.name not in sweep_names and against_rows) else []  # most are no sweep
            continue
        if asked.report:
            pictures.append(report.picture(row.name, figure, row.caption or row.name))
        command.save(figure, asked.output / row.name, asked.format)
    if absent:
        notes.append(f"not drawn, as the file has nothing for it: {', '.join(absent)}")
        command.tell(notes[-1:])
    return pictures


def _beside_geometry(datasets: list[Dataset]) -> list[Dataset]:
    """Data sets of a few points in space are there for the geometry; other figures show them only if there is nothing
    else."""
    others = [d for d in datasets if not d.has_directions()]
    return others or datasets


def _figures(datasets: list[Dataset], asked: argparse.Namespace) -> list[Row]:
    """File names and what draws them; ablations that have no words of their own yet come after those that have."""
    import cost
    import descent
    import factors
    import geometry
    import panels
    import shares
    import style
    import tails
    import theory

    there = {v.ablation for d in datasets for v in d.variants} - {"none"}
    names = [*style.ABLATIONS, *sorted(there - set(style.ABLATIONS))]
    ablations = [Row(re.sub(r"\W", "_", name), partial(panels.ablation, name)) for name in names]
    n_paper = len(style.PAPER_ABLATIONS)
    return [
        Row("error", panels.error),
        *ablations[:n_paper],
        Row("sigma_min", panels.sigma_min),
        Row("geometry", geometry.geometry),
        Row("factors", factors.factors),
        Row("shares", shares.shares),
        *ablations[n_paper:],
        Row("descent", descent.descent),
        *_sweeps(),
        Row("theory_error", theory.risk),
        Row("theory_sigma_min", theory.smallest),
        Row("tails", tails.tails),
        Row("cost", lambda *_: cost.cost(asked.results)),
    ]


def _autoencoder_figures(autoencoders: list[Autoencoder]) -> list[Row]:
    """One for each number of hidden dimensions of each autoencoder."""
    import autoencoder

    names = [a.group if a.alone else f"{a.group}-{a.n_hidden}" for a in autoencoders]
    return [Row(name, partial(autoencoder.autoencoder, a), "autoencoder") for name, a in zip(names, autoencoders)]


def _sweeps() -> list[Row]:
    """Figures of sweeps over the number of features, and of gradient descent step by step."""
    import descent_run
    import polynomial
    import random_features

    return [
        Row("error_against_features", polynomial.error),
        Row("ablations_against_features", polynomial.ablations),
        Row("fitted_curves", polynomial.fitted_curves),
        Row("surface", random_features.surface),
        Row("descent_run", descent_run.descent),
    ]


def _scaling(studies: list[Study]) -> Figure:
    import speedup_panels

    return speedup_panels.scaling(studies)


def _measured(asked: argparse.Namespace, notes: Notes) -> list[Row]:
    """The figures of files that are no results to be drawn: of speed."""
    found: list[Row] = []
    if asked.scaling:
        import runs
        import speedup

        studies = speedup.studies([runs.read(path) for path in asked.scaling], notes)
        found.append(Row("scaling", lambda *_: _scaling(studies)))
    if asked.bench:
        import producers

        benches = [producers.read(path) for path in asked.bench]
        found.append(Row("producers", lambda *_: producers.producers(benches)))
    return found


if __name__ == "__main__":
    sys.exit(main())
