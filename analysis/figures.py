#!/usr/bin/python3
"""Draws the figures of a study from its results file alone.

    /usr/bin/python3 analysis/figures.py RESULTS.nc [-o DIR] [--format png,pdf] [--x ratio|n_train] [--mean]

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

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from layout import Options
    from results import Dataset, Notes

    Draw = Callable[[list[Dataset], Options, Notes], Figure | None]

PROGRAM = "figures.py"
FORMATS = ("png", "pdf")
EXIT_DONE, EXIT_USAGE = 0, 2
MEAN_WARNING = (
    "--mean: means do not exist at the threshold (N = P - 1, P, P + 1) for Gaussian designs; "
    "what is drawn there depends on the repeats at hand, the median does not"
)


def main(arguments: list[str] | None = None) -> int:
    """Draws everything that the file has; the exit status."""
    asked = _parse(arguments)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy is loaded: its threads only cost time here
    try:
        return _draw_all(asked)
    except ImportError as error:
        return _fail(
            f"{error}, with {sys.executable}; on Debian: apt install python3-xarray python3-netcdf4 "
            "python3-matplotlib, then run it by /usr/bin/python3"
        )


def _draw_all(asked: argparse.Namespace) -> int:
    import results

    folder = asked.output or _default_folder(asked.results)
    try:
        datasets, notes = results.read(asked.results)

        import layout  # matplotlib takes its time: not before there is something to draw
        import style

        folder.mkdir(parents=True, exist_ok=True)
        if asked.mean:
            notes.append(MEAN_WARNING)
        notes += [line for line in (d.incomplete() for d in datasets) if line]
        _tell(notes)
        style.apply()
        _write_all(datasets, layout.Options(asked.x, asked.mean), folder, asked.format)
    except results.ResultsError as error:
        return _fail(str(error))
    except OSError as error:
        return _fail(f"{error.filename or folder}: cannot be written: {error.strerror or error}")
    return EXIT_DONE


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=PROGRAM, description="Draws the figures of a study from its results file alone."
    )
    parser.add_argument("results", metavar="RESULTS.nc", type=Path, help="a results file that `ridgeless run` wrote")
    parser.add_argument(
        "-o", "--output", metavar="DIR", type=Path, help="folder for the figures (default: RESULTS-figures beside it)"
    )
    parser.add_argument("--format", type=_formats, default=["png"], help="png, pdf or png,pdf (default: png)")
    parser.add_argument(
        "--x", choices=("ratio", "n_train"), default="ratio", help="x axis: P/N, as in the paper (default), or N"
    )
    parser.add_argument("--mean", action="store_true", help="draw means too, dashed; the median is the figure")
    return parser.parse_args(arguments)


def _formats(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    wrong = [name for name in names if name not in FORMATS]
    if wrong:
        raise argparse.ArgumentTypeError(f"`{wrong[0]}`: expected {' or '.join(FORMATS)}, or both with a comma")
    return list(dict.fromkeys(names))


def _default_folder(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(".nc") + "-figures")


def _write_all(datasets: list[Dataset], options: Options, folder: Path, formats: list[str]) -> None:
    absent = []
    for name, draw in _figures(datasets):
        notes: Notes = []
        figure = draw(datasets, options, notes)
        _tell(notes)
        if figure is None:
            absent.append(name)
        else:
            _save(figure, folder / name, formats)
    if absent:
        _tell([f"not drawn, as the file has nothing for it: {', '.join(absent)}"])


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


def _save(figure: Figure, stem: Path, formats: list[str]) -> None:
    import matplotlib.pyplot as plt

    import style

    for name in formats:
        path = stem.with_name(f"{stem.name}.{name}")
        # no dates inside: the same results give the same bytes
        metadata = {"CreationDate": None} if name == "pdf" else None
        figure.savefig(path, dpi=style.PNG_DPI, metadata=metadata)
        print(path)
    plt.close(figure)


def _tell(lines: Notes) -> None:
    for line in lines:
        print(f"{PROGRAM}: {line}", file=sys.stderr)


def _fail(message: str) -> int:
    _tell([message])
    return EXIT_USAGE


if __name__ == "__main__":
    sys.exit(main())
