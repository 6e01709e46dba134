"""What the programs of this folder share on the command line: formats, messages, saving, and how a failure ends."""

from __future__ import annotations

import argparse
import contextlib
import errno
import logging
import os
import signal
import sys
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Callable, Iterable, Iterator

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PROGRAM = Path(sys.argv[0]).name
FORMATS = ("png", "pdf")
EXIT_DONE, EXIT_FAILED, EXIT_USAGE = 0, 1, 2


class DrawingError(Exception):
    """Nothing could be drawn of what there is."""


def run(main: Callable[[], int]) -> int:
    """The exit status of a program that does `main` and prints what it has to say on standard output. A reader of that who has
    gone ends it by SIGPIPE, as it ends any program; where it cannot be written, as on a full disk, that is an error."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        status = _status_of(main)
        if status == EXIT_DONE or sys.stdout is not None:
            answer()
    except (UnwritableError, OSError) as error:
        return _fail_unwritable(error.__cause__ or error)
    return status


def _status_of(main: Callable[[], int]) -> int:
    """argparse ends a program having printed what is wrong, or help; whether that could be written, it may not say."""
    try:
        return main()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else EXIT_DONE


def answer(*lines: object) -> None:
    """Lines on standard output, at once."""
    if sys.stdout is None:
        raise UnwritableError from OSError(errno.EBADF, "it is closed")
    try:
        print(*lines, sep="\n", end="\n" if lines else "", flush=True)
    except OSError as error:
        raise UnwritableError from error


class UnwritableError(Exception):
    """Standard output cannot be written."""


def _fail_unwritable(error: BaseException) -> int:
    if sys.stdout is not None:  # Python's own attempt at the end then succeeds, and says nothing
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return _fail(f"standard output: cannot be written: {getattr(error, 'strerror', error)}", EXIT_FAILED)


def carry_out(draw: Callable[[], None], folder: Path) -> int:
    """Draws into the folder; the exit status. What a person can mend is one line, not a traceback."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Control-C ends it at once, as it ends any program, and not with a traceback
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy is loaded: its threads only cost time here
    for category in (RuntimeWarning, UserWarning):  # of numbers that are not finite: a person sees where there are none
        warnings.simplefilter("ignore", category)
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    try:
        return _unless_results_are_wrong(draw)
    except ImportError as error:
        return _fail(
            f"{error}, with {sys.executable}; on Debian: apt install python3-xarray python3-netcdf4 "
            "python3-matplotlib, then run it by /usr/bin/python3"
        )
    except OSError as error:
        return _fail(f"{error.filename or folder}: cannot be written: {error.strerror or error}")


def _unless_results_are_wrong(draw: Callable[[], None]) -> int:
    from read import results

    try:
        draw()
    except results.ResultsError as error:
        return _fail(str(error))
    except DrawingError as error:
        tell([str(error)])
        return EXIT_FAILED
    return EXIT_DONE


def parser_of_files(metavar: str, files: str, description: str) -> argparse.ArgumentParser:
    """Of a program that draws one figure of some files, which `files` describes: their paths, --output and --format."""
    parser = argparse.ArgumentParser(prog=PROGRAM, description=description)
    parser.add_argument("files", metavar=metavar, nargs="+", type=Path, help=files)
    parser.add_argument(
        "-o", "--output", metavar="DIR", type=Path, default=Path("."), help="folder for the figure (default: this one)"
    )
    add_format(parser, ["png"])
    return parser


def add_format(parser: argparse.ArgumentParser, default: list[str]) -> None:
    """The option that says what kinds of files to write."""
    words = f"png, pdf or png,pdf (default: {','.join(default)})"
    parser.add_argument("--format", type=_formats, default=default, help=words)


def _formats(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    wrong = [name for name in names if name not in FORMATS]
    if wrong:
        raise argparse.ArgumentTypeError(f"`{wrong[0]}`: expected {' or '.join(FORMATS)}, or both with a comma")
    return list(dict.fromkeys(names))


def save(figure: Figure, stem: Path, formats: Iterable[str]) -> list[Path]:
    """Writes the figure in each format, and closes it; the paths."""
    import matplotlib.pyplot as plt

    from draw import style

    paths = [stem.with_name(f"{stem.name}.{name}") for name in formats]
    for path in paths:
        # no dates inside: the same results give the same bytes
        metadata = {"CreationDate": None} if path.suffix == ".pdf" else None
        figure.savefig(path, dpi=style.PNG_DPI, metadata=metadata)
    plt.close(figure)
    return paths


@contextmanager
def guarded(name: str, failed: list[str]) -> Iterator[None]:
    """What goes wrong within, as limits that no axis takes, is one line in `failed`, and ends nothing else. What a person can
    mend goes on: a disk that is full, a library that is missing, a file that is none of ours."""
    import matplotlib.pyplot as plt

    from read import results

    try:
        yield
    except (OSError, ImportError, results.ResultsError):
        raise
    except Exception as error:
        plt.close("all")
        reason = " ".join(f"{error}".split()) or "no reason given"
        failed.append(f"{name}: cannot be drawn: {reason} ({type(error).__name__})")


def tell(lines: Iterable[str]) -> None:
    """Messages for a person, on standard error. Where it cannot be written, the exit status still tells."""
    with contextlib.suppress(OSError):
        for line in lines if sys.stderr is not None else ():
            print(f"{PROGRAM}: {line}", file=sys.stderr)


def _fail(message: str, status: int = EXIT_USAGE) -> int:
    tell([message])
    return status
