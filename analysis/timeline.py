#!/usr/bin/python3
"""Draws who computed what when: a row per rank, a bar per task, and white where a rank was idle.

    /usr/bin/python3 analysis/timeline.py FILE... [-o DIR] [--clock] [--format png,pdf]

A FILE is a results file, or what `ridgeless run --timeline` wrote. Several stand below each other, on one axis. Prints the
path of the figure on standard output, and what it could not draw on standard error.
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
        "FILE",
        "results files, or what `ridgeless run --timeline` wrote",
        "Draws who computed what when: a row per rank, and a bar per task.",
    )
    words = "put the files on one clock, as of runs that went on with one another (default: each from its own beginning)"
    parser.add_argument("--clock", action="store_true", help=words)
    return parser.parse_args(arguments)


def _draw(asked: argparse.Namespace) -> None:
    from read import timelines

    runs = [timelines.read(path) for path in asked.files]

    from draw import style  # matplotlib takes its time: not before there is something to draw
    from speed import timeline

    asked.output.mkdir(parents=True, exist_ok=True)
    style.apply()
    command.answer(*command.save(timeline.timeline(runs, asked.clock), asked.output / "timeline", asked.format))


if __name__ == "__main__":
    sys.exit(command.run(main))
