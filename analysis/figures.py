#!/usr/bin/python3
"""Draws the figures of a study from its results alone, one file or several, and one HTML report that holds them all.

    /usr/bin/python3 analysis/figures.py RESULTS.nc... [-o DIR] [--scaling RESULTS.nc...] [--x ratio|n_train] [--mean]

Prints one line: how many figures it drew, and where the report is. With --verbose it also prints the path of every file,
and on standard error what it did not draw, and why. The report says that too.

A figure that cannot be drawn, of numbers that no axis takes, is a line on standard error and in the report; the others are
drawn nevertheless. The exit status is 0 where a figure was drawn or there was none to draw, and 1 where none of them could be.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Iterable

from draw import command

if TYPE_CHECKING:
    from draw.layout import Options
    from draw.row import Found, Row
    from read.benches import Bench
    from read.results import Dataset, Notes
    from report.pictures import Picture
    from speed.speedup import Study

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
    from read import results, sweeps, trainings

    datasets, notes = results.read_all(asked.results)
    autoencoders = trainings.read_all(asked.results)
    studies, benches = _studies(asked, notes), _benches(asked)  # wrong files are found before anything is written

    from draw import layout, style  # matplotlib takes its time: not before there is something to draw
    from draw.row import Found

    asked.output.mkdir(parents=True, exist_ok=True)
    if asked.mean:
        notes.append(MEAN_WARNING)
    notes += [line for d in datasets for line in _not_there(d, asked)]
    notes += [line for line in (d.incomplete() for d in [*datasets, *autoencoders]) if line]
    command.tell(notes)
    style.apply()
    absent = [f"{d.group}: {NO_REPEATS}" for d in datasets if d.is_summary()]
    against_rows = _beside_geometry(sweeps.against_rows(datasets, absent))
    if datasets and not against_rows:
        absent.append(NO_N)
    asked.x = asked.x or ("n_train" if len(against_rows) == 1 else "ratio")
    found = Found(asked.results, datasets, against_rows, autoencoders, studies, benches)
    options = layout.Options(asked.x, asked.mean, asked.n_train, asked.repeats)
    n_figures, pictures, failed = _write_all(found, asked, options, absent)
    command.tell(failed)
    if asked.report:
        _write_report(found, asked, pictures, notes + failed + absent)
    if failed and n_figures == 0:
        raise command.DrawingError("no figure could be drawn")
    if asked.verbose or n_figures == 0:
        command.tell(absent)
    command.answer(_summary(asked, n_figures, bool(notes + failed + absent), bool(absent)))


def _summary(asked: argparse.Namespace, n_figures: int, is_noted: bool, is_absent: bool) -> str:
    """The one line of success: what was drawn, where to look, and where it is said what is not drawn."""
    drawn = f"{n_figures} figure{'' if n_figures == 1 else 's'} in {asked.output}"
    if asked.report:
        from report import page

        more = f" (its section `{page.NOT_HERE}` says what is not drawn, and why)" if is_noted else ""
        return f"{drawn}; open {asked.output / REPORT}{more}"
    return f"{drawn}; --verbose says what is not drawn, and why" if is_absent and not asked.verbose else drawn


def _studies(asked: argparse.Namespace, notes: Notes) -> list[Study]:
    from read import runs
    from speed import speedup

    return speedup.studies([runs.read(path) for path in asked.scaling], notes) if asked.scaling else []


def _benches(asked: argparse.Namespace) -> list[Bench]:
    from read import benches

    return [benches.read(path) for path in asked.bench]


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
    words = "x axis: P/N, which puts the thresholds of several data sets in line, or N (default for one data set)"
    parser.add_argument("--x", choices=("ratio", "n_train"), help=words)
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
        help="what `ridgeless bench spectrum --json` printed: the figures of producers and of the roofline too",
    )
    parser.add_argument("--no-report", dest="report", action="store_false", help=f"the figures alone, without {REPORT}")
    parser.add_argument("--verbose", action="store_true", help="print the path of each file too, and what is not drawn, and why")
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


def _write_all(found: Found, asked: argparse.Namespace, options: Options, absent: Notes) -> tuple[int, list[Picture], Notes]:
    """Saves the figures one by one; how many, their pictures for the report, and which could not be drawn. That there is
    nothing to draw is noted as absent."""
    import figures

    n_figures, missed, pictures, failed = 0, [], [], []
    for row in figures.all_rows(found):
        with command.guarded(row.name, failed):
            is_drawn = _write_row(row, found, asked, options, absent, pictures)
            n_figures += is_drawn
            missed += [row.name] if not is_drawn and _is_missed(row, found) else []
    if missed:
        absent.append(f"not drawn, as the file has nothing for it: {', '.join(missed)}")
    return n_figures, pictures, failed


def _write_row(row: Row, found: Found, asked: argparse.Namespace, options: Options, absent: Notes, into: list[Picture]) -> bool:
    """Saves one figure; False: there is nothing to draw."""
    from report import pictures

    figure = row.draw(found.given_to(row), options, absent)
    if figure is None:
        return False
    caption = row.describe(found.given_to(row), options)
    picture = pictures.picture(row.name, figure, caption) if asked.report else None
    _list(asked, command.save(figure, asked.output / row.name, asked.format))
    into += [picture] if picture else []
    return True


def _list(asked: argparse.Namespace, paths: Iterable[Path]) -> None:
    if asked.verbose:
        command.answer(*paths)


def _is_missed(row: Row, found: Found) -> bool:
    """Whether it is worth a word that there is nothing to draw: most studies are no sweep, and some have no N to go along."""
    return row.told and (row.own or bool(found.against_rows))


def _write_report(found: Found, asked: argparse.Namespace, pictures: list[Picture], notes: Notes) -> None:
    from read import results
    from report import page

    files = [results.about(path) for path in asked.results]
    text = page.html(files, _beside_geometry(found.datasets), found.against_rows, pictures, notes)
    path = asked.output / REPORT
    path.write_text(text, encoding="utf-8")
    _list(asked, [path])


def _beside_geometry(datasets: list[Dataset]) -> list[Dataset]:
    """Data sets of a few points in space are there for the geometry; other figures show them only if there is nothing
    else."""
    others = [d for d in datasets if not d.has_directions()]
    return others or datasets


if __name__ == "__main__":
    sys.exit(command.run(main))
