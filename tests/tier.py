"""Two tiers of tests: what tests/run.sh runs, and what `tests/run.sh --all` runs beside it."""
import os

ALL = os.environ.get("RIDGELESS_TESTS") == "all"


def in_all_alone(test):
    """Marks a test, or a class of them, that tests/run.sh leaves to `--all`. tap.py heeds the mark."""
    test.in_all_alone = True
    return test


def of(short, whole):
    """How many, how long, or which: in the short tier, and with `--all`."""
    return whole if ALL else short
