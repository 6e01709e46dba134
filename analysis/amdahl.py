#!/usr/bin/python3
"""Fits Amdahl's law to runs of a study on several numbers of ranks, and draws it.

    ridgeless run STUDY --json > one.json; mpirun -n 2 ridgeless run STUDY --fresh --json > two.json; ...
    /usr/bin/python3 analysis/amdahl.py one.json two.json ... [-o DIR] [--time total|compute] [--format png,pdf]

Prints the path of the figure and of a table of its numbers on standard output, and what to know of it on standard error.
Files of one title, and of one schedule, belong together.
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
    parser = command.parser_of_files(
        "FILE.json",
        "what `ridgeless run --json` printed",
        "Fits Amdahl's law, T = s + p/n, to runs of a study on several numbers of ranks, and draws it.",
    )
    words = "seconds of the whole run (default), or while ranks shared the work, without start and results file"
    parser.add_argument("--time", choices=("total", "compute"), default="total", help=words)
    return parser.parse_args(arguments)


def _draw(asked: argparse.Namespace) -> None:
    from read import reports
    from speed import serial

    notes: list[str] = []
    studies = serial.studies([reports.read(path) for path in asked.files], asked.time, notes)

    from draw import style  # matplotlib takes its time: not before there is something to draw
    from speed import amdahl

    asked.output.mkdir(parents=True, exist_ok=True)
    command.tell(notes)
    style.apply()
    figures = command.save(amdahl.amdahl(studies, asked.time), asked.output / "amdahl", asked.format)
    path = asked.output / "amdahl.txt"
    path.write_text(serial.text(studies, asked.time))
    command.answer(*figures, path)


if __name__ == "__main__":
    sys.exit(command.run(main))
