#!/usr/bin/python3
"""Draws what a study is predicted to take on 1, 2, 4, ... ranks, and what bounds it there.

    ridgeless plan STUDY --scaling --json > study.json
    /usr/bin/python3 analysis/predicted.py study.json ... [-o DIR] [--format png,pdf]

Prints the path of the figure on standard output. A row per file.
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
        "FILE.json",
        "what `ridgeless plan --scaling --json` printed",
        "Draws what a study is predicted to take on 1, 2, 4, ... ranks, and what bounds it there.",
    ).parse_args(arguments)


def _draw(asked: argparse.Namespace) -> None:
    from read import predictions

    studies = [predictions.read(path) for path in asked.files]

    from draw import style  # matplotlib takes its time: not before there is something to draw
    from speed import predicted

    asked.output.mkdir(parents=True, exist_ok=True)
    style.apply()
    command.answer(*command.save(predicted.predicted(studies), asked.output / "predicted", asked.format))


if __name__ == "__main__":
    sys.exit(command.run(main))
