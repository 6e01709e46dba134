"""The price of the first ablation: the train error of fits without small singular values."""

from __future__ import annotations

from matplotlib.figure import Figure

from draw import layout, views
from draw.layout import Options
from draw.row import Caption, Found, Row
from figures import ablation
from read.results import Dataset, Notes

TITLE = "What cutting off costs: the train error without small singular values"


def rows(found: Found) -> list[Row]:
    """What this file draws."""
    return [Row("cutoff_train", train, _caption, told=False)]


def _caption(datasets: list[Dataset], options: Options) -> Caption:
    see = (
        "The same fits as in the figure of the first ablation, and their errors on the training rows themselves: a mode that is "
        "left out is not fitted there either. Without a cutoff (thick grey line) the train error is zero to rounding while there "
        "are no more training rows than features. Only where lines lie on each other is a cutoff free."
    )
    alt = "Train error, one line per cutoff: larger cutoffs have larger train errors."
    return Caption(TITLE, layout.directions(options) + see, alt)


def train(datasets: list[Dataset], options: Options, notes: Notes) -> Figure | None:
    """Train error of every cutoff, with the unablated curve behind."""
    labels = TITLE, "train mean squared error (target units squared)"
    return ablation.variants_figure("cutoff", "train_mse", labels, views.of_train, datasets, options, [])
