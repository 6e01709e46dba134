#!/usr/bin/python3
"""Draws how close each phase of a large spectrum comes to what the machine can do: its roofline.

    ridgeless bench spectrum 1000 --json > spectrum.json
    /usr/bin/python3 analysis/roofline.py spectrum.json ... [-o DIR] [--format png,pdf]

Prints the path of the figure and of a table of its numbers on standard output. A panel per file.
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
        "what `ridgeless bench spectrum --json` printed",
        "Draws how close each phase of a large spectrum comes to what the machine can do.",
    ).parse_args(arguments)


def _draw(asked: argparse.Namespace) -> None:
    from read import benches

    measured = [benches.read_with_roofs(path) for path in asked.files]

    from draw import style  # matplotlib takes its time: not before there is something to draw
    from speed import roofline

    asked.output.mkdir(parents=True, exist_ok=True)
    style.apply()
    figures = command.save(roofline.roofline(measured), asked.output / "roofline", asked.format)
    path = asked.output / "roofline.txt"
    path.write_text(roofline.text(measured), encoding="utf-8")
    command.answer(*figures, path)


if __name__ == "__main__":
    sys.exit(command.run(main))
