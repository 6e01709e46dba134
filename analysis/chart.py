#!/usr/bin/python3
"""Draws columns of a table with commas (CSV) against one of them.

    /usr/bin/python3 analysis/chart.py TABLE.csv -x ranks -y seconds --by schedule --log x -o chart.png

A column of numbers on the x axis gives lines, one of texts gives bars. Prints the path of the picture.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from draw import command


def main(arguments: list[str] | None = None) -> int:
    """Draws the table; the exit status."""
    asked = _parse(arguments)
    return command.carry_out(lambda: _draw(asked), asked.output.parent)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=command.PROGRAM,
        description="Draws columns of a table with commas (CSV) against one of them.",
    )
    parser.add_argument(
        "table",
        metavar="TABLE.csv",
        type=Path,
        help="a line of names, and lines of values",
    )
    parser.add_argument(
        "-x",
        required=True,
        metavar="COLUMN",
        help="numbers give lines, texts give bars",
    )
    parser.add_argument("-y", required=True, metavar="COLUMN,...", type=_names, help="what is drawn")
    parser.add_argument(
        "--by",
        default="",
        metavar="COLUMN",
        help="a line for each value of this column",
    )
    parser.add_argument(
        "--dashed",
        default=(),
        metavar="COLUMN,...",
        type=_names,
        help="columns to compare with",
    )
    parser.add_argument("--log", default="", choices=("x", "y", "xy"), help="log axes")
    parser.add_argument("--title", default="", metavar="TEXT", help="above the picture")
    parser.add_argument(
        "--x-label",
        default="",
        metavar="TEXT",
        help="below the x axis (default: the column)",
    )
    parser.add_argument(
        "--y-label",
        default="",
        metavar="TEXT",
        help="beside the y axis (default: the columns)",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        type=_picture,
        default=Path("chart.png"),
        help="PNG or PDF (default: chart.png)",
    )
    return parser.parse_args(arguments)


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


def _picture(text: str) -> Path:
    if Path(text).suffix[1:] not in command.FORMATS:
        raise argparse.ArgumentTypeError(f"`{text}`: expected a name that ends in .png or .pdf")
    return Path(text)


def _draw(asked: argparse.Namespace) -> None:
    from read import table

    found = table.read(asked.table)

    from draw import (
        chart,
        style,
    )  # matplotlib takes its time: not before there is something to draw

    style.apply()
    wanted = chart.Asked(
        asked.x,
        asked.y,
        asked.by,
        asked.dashed,
        asked.log,
        asked.title,
        asked.x_label,
        asked.y_label,
    )
    figure = chart.chart(found, wanted)
    command.answer(*command.save(figure, asked.output.with_suffix(""), [asked.output.suffix[1:]]))


if __name__ == "__main__":
    sys.exit(command.run(main))
