#!/usr/bin/python3
"""Draws how the time of a study falls with the number of ranks, from results files of runs on several numbers.

    /usr/bin/python3 analysis/scaling.py RESULTS.nc... [-o DIR] [--format png,pdf]

Prints the path of the figure and of a table of its numbers on standard output, and what it could not draw on standard
error. Files of one title belong together: with the same P in all of them they show strong scaling, with a P that grows
with the ranks weak scaling.
"""

from __future__ import annotations

import argparse
import sys

from draw import command


def main(arguments: list[str] | None = None) -> int:
    """Draws what the files have; the exit status."""
    asked = _parse(arguments)
    return command.carry_out(lambda: _draw(asked), asked.output)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    return command.parser_of_files(
        "RESULTS.nc",
        "results files that `ridgeless run` wrote",
        "Draws how the time of a study falls with the number of ranks, from results files of several runs.",
    ).parse_args(arguments)


def _draw(asked: argparse.Namespace) -> None:
    from read import runs
    from speed import speedup

    notes: list[str] = []
    studies = speedup.studies([runs.read(path) for path in asked.files], notes)

    from draw import style  # matplotlib takes its time: not before there is something to draw
    from speed import scaling, table

    asked.output.mkdir(parents=True, exist_ok=True)
    command.tell(notes)
    style.apply()
    figures = command.save(scaling.scaling(studies), asked.output / "scaling", asked.format)
    path = asked.output / "scaling.txt"
    path.write_text(table.text(studies))
    command.answer(*figures, path)


if __name__ == "__main__":
    sys.exit(command.run(main))
