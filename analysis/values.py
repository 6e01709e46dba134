#!/usr/bin/python3
"""Prints numbers out of results files as a table with commas (CSV), a row per data set, P and N.

    /usr/bin/python3 analysis/values.py RESULTS.nc... -v test_mse_median,test_mse_mean [--n-train N,...]
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
from pathlib import Path

from draw import command


def main(arguments: list[str] | None = None) -> int:
    """Prints what the files have; the exit status."""
    asked = _parse(arguments)
    return command.carry_out(lambda: _print(asked), Path("."))


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=command.PROGRAM, description="Prints numbers out of results files as CSV.")
    parser.add_argument(
        "results",
        metavar="RESULTS.nc",
        nargs="+",
        type=Path,
        help="results files that `ridgeless run` wrote",
    )
    parser.add_argument(
        "-v",
        "--variables",
        metavar="NAME,...",
        required=True,
        help="such as test_mse_median; a wrong name lists all",
    )
    parser.add_argument(
        "--variant",
        metavar="NAME",
        default="none",
        help="a variant of the study (default: none)",
    )
    parser.add_argument("--n-train", metavar="N,...", type=_numbers, default=(), help="these N alone")
    return parser.parse_args(arguments)


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(word) for word in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"`{text}`: expected whole numbers with commas between them") from None


def _print(asked: argparse.Namespace) -> None:
    from read import values

    wanted = values.Asked(tuple(asked.variables.split(",")), asked.variant, asked.n_train)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*values.KEYS, *wanted.variables])
    for row in values.rows(asked.results, wanted):
        writer.writerow([f"{value:.6g}" if isinstance(value, float) else value for value in row])
    command.answer(text.getvalue().rstrip("\n"))


if __name__ == "__main__":
    sys.exit(command.run(main))
