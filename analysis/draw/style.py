"""How every figure looks: colours, words, sizes, ticks. The one place to change them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.colors import BoundaryNorm, ListedColormap, to_rgb
from matplotlib.ticker import MaxNLocator

matplotlib.use("Agg")  # no display is needed, and none is looked for

# Okabe and Ito's palette: told apart under the common kinds of colour blindness.
TEST = "#0072B2"
TRAIN = "#D55E00"
POPULATION = "#CC79A7"
NULL = "#444444"
THEORY = "#009E73"
THEORY_LINE = {"linestyle": (0, (5, 1.5)), "linewidth": 1.6}
NULL_LINES = (  # dotted: what it costs to look at no feature
    ("predicting nothing", {"linestyle": (0, (1, 1.8)), "linewidth": 1.3}),
    ("predicting the mean", {"linestyle": (0, (1, 4)), "linewidth": 1.3}),
)
POPULATION_LINE = {"linestyle": (0, (1, 1.4)), "linewidth": 2.2}
SIGMA = "#0072B2"
BIAS = "#D55E00"
UNABLATED = "#8C8C8C"
THRESHOLD = "#222222"
TEXT = "#333333"
QUIET_TEXT = "#555555"
SHARES = "magma"
NOTHING = "#D9D9D9"  # of a map, where there is no mode
THRESHOLD_ON_MAP = "#56B4E9"
AXES = ("#0072B2", "#009E73", "#D55E00")  # of three dimensions, the longest first
PLANE = "#56B4E9"
FEW_ROWS, AT_THRESHOLD, MANY_ROWS = "#009E73", "#D55E00", "#0072B2"
LINES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")  # of things that have no colour of their own
MARKERS = ("o", "s", "^", "D", "v", "P")

INNER = (0.25, 0.75)
OUTER = (0.05, 0.95)
PILE_STRENGTH = 0.4  # opacity where the bands of all variants of a panel lie on each other

PANEL = (3.75, 2.6)  # inches
SINGLE_PANEL = (5.6, 3.8)
TABLE_PANEL = (2.9, 2.2)
EXTREMES = (1e-300, 1e300)  # of what log axes are given: beyond are the ends of the numbers themselves
LINEAR = 1e150  # the largest on other axes: places on them are found by products
PNG_DPI = 160
TITLE_SIZE, LABEL_SIZE = 13, 10.5

RATIO_LABEL = "many rows  ←  features per training row, P/N  →  few rows"
RANK_RATIO_LABEL = "many rows  ←  rank of the features per training row, rank/N  →  few rows"
N_LABEL = "training rows, N"
P_LABEL = "features, P"
ERROR_LABEL = "mean squared error (target units squared)"
SIGMA_LABEL = "$\\sigma_{\\min}$ (units of the features)"
THRESHOLD_LABEL = "interpolation threshold"

LONGEST_NAME = 28
DATASET_TITLES = {
    "california": "California housing",
    "diabetes": "Diabetes",
    "student-teacher": "Student-teacher",
    "who": "WHO life expectancy",
    "who-fixed": "WHO life expectancy, repaired",
}


@dataclass(frozen=True)
class AblationWords:
    """What figures call an ablation, and its parameter with the unit."""

    title: str
    short: str
    parameter: str
    claim: str = ""  # what is said to remove the spike
    one: str = ""  # a variant in a legend, with its parameter
    unit: str = ""  # of a relative parameter


ABLATIONS = {
    "cutoff": AblationWords(
        "Ablation 1: small singular values removed",
        "without small singular values",
        "smallest singular value kept",
        "cutting off small singular values",
        "cutoff {}",
        " σ₁",
    ),
    "leading_modes": AblationWords(
        "Ablation 2: test features in the span of the leading modes",
        "leading modes only",
        "leading modes kept",
        "keeping test features to the leading modes",
        "leading modes: {}",
    ),
    "no_residuals": AblationWords(
        "Ablation 3: no residual errors of the best linear model",
        "without residual errors",
        "",
        "taking away the residual errors",
    ),
    "adversarial_test": AblationWords(
        "Adversarial test data: test features moved along the smallest mode",
        "moved test features",
        "step (units of the features)",
        one="step {:+}",
        unit=" × a feature's size",
    ),
    "adversarial_train": AblationWords(
        "Adversarial training data: targets moved along the smallest mode",
        "moved training targets",
        "step (units of the target)",
        one="step {:+}",
        unit=" × a target's size",
    ),
    "ridge": AblationWords("Ridge regression", "ridge", "penalty λ", one="λ = {}", unit=" σ₁²"),
    "gradient_descent": AblationWords("Gradient descent from zero, stopped early", "gradient descent", "steps", one="steps: {}"),
    "ridge_best": AblationWords("Ridge regression, the best λ", "ridge, best λ", ""),
    "ridge_gcv": AblationWords("Ridge regression, λ by generalized cross-validation", "ridge, λ by GCV", ""),
    "ridge_loo": AblationWords("Ridge regression, λ by leave-one-out", "ridge, λ by leave-one-out", ""),
    "gradient_descent_best": AblationWords("Gradient descent stopped at the best step", "gradient descent, best step", ""),
    "bagging": AblationWords("Bagging", "bagging", "rows of a subset", one="bagging of {} rows"),
    "bagging_limit": AblationWords(
        "Bagging with all subsets, in the limit", "bagging, limit", "rows of a subset", one="bagging of {} rows, limit"
    ),
    "gradient_descent_run": AblationWords(
        "Gradient descent run on the training rows",
        "gradient descent, run",
        "steps",
        one="steps: {}",
    ),
}
# Those that choose their own parameter, or need none: one figure has them all.
CURES = ("ridge_best", "ridge_gcv", "ridge_loo", "gradient_descent_best", "bagging", "bagging_limit")
SPIKE_ABLATIONS = ("cutoff", "leading_modes")
PAPER_ABLATIONS = (*SPIKE_ABLATIONS, "no_residuals")


def words(ablation: str) -> AblationWords:
    """Those of the table; a new ablation goes by its own name until it has a row there."""
    plain = ablation.replace("_", " ")
    return ABLATIONS.get(ablation, AblationWords(plain.capitalize(), plain, "parameter"))


def dataset_title(name: str, source: str = "") -> str:
    """The proper name of a dataset; an unknown one keeps its own, with its source where a panel has the room."""
    if name in DATASET_TITLES:
        return DATASET_TITLES[name]
    with_source = f"{name} ({source})"
    if source not in ("", name) and len(with_source) <= LONGEST_NAME:
        return with_source
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


def apply() -> None:
    """Sets matplotlib's defaults for all figures."""
    matplotlib.rcParams.update(
        {
            "font.size": 9.5,
            "axes.titlesize": 10.5,
            "axes.titley": 1.0,  # where it is told matplotlib need not measure all ticks for it
            "axes.labelsize": 10,
            "legend.fontsize": 9,
            "legend.frameon": False,
            "legend.handlelength": 1.8,
            "legend.columnspacing": 1.4,
            "axes.spines.right": False,
            "axes.linewidth": 0.8,
            "axes.grid": True,
            "axes.axisbelow": True,
            "grid.color": "#E6E6E6",
            "grid.linewidth": 0.6,
            "lines.linewidth": 1.7,
            "lines.solid_capstyle": "round",
            "xtick.minor.visible": False,
            "mathtext.fontset": "dejavusans",
            "pdf.fonttype": 42,  # text stays text
            "svg.hashsalt": "ridgeless",
        }
    )


def tint(colour: object, strength: float) -> tuple[float, ...]:
    """The colour mixed with white, as it looks at that opacity on paper."""
    return tuple(1 - strength * (1 - channel) for channel in to_rgb(colour))


class ParameterScale:
    """Colours of parameter values, by their order: evenly spaced steps of a perceptually uniform scale.

    By order rather than by value, so that 0, negative values and many decades can all be told apart.
    """

    def __init__(self, values: list[float]):
        self.values = sorted(set(values))
        steps = np.linspace(0.0, 0.9, len(self.values)) if len(self.values) > 1 else [0.35]  # no pale yellow lines
        self.map = ListedColormap(matplotlib.colormaps["viridis"](steps))
        self.norm = BoundaryNorm(np.arange(len(self.values) + 1) - 0.5, len(self.values))

    def colour(self, value: float) -> tuple[float, ...]:
        """The colour of one of the values."""
        return tuple(self.map(self.values.index(value)))

    def middle(self) -> float:
        """A value that stands for all in a legend."""
        return self.values[(len(self.values) - 1) // 2]

    def ticks(self, at_most: int = 14) -> tuple[list[int], list[str]]:
        """Positions and labels for the colour bar, thinned to a readable number."""
        stride = max(1, math.ceil(len(self.values) / at_most))
        positions = list(range(0, len(self.values), stride))
        return positions, [number(self.values[i]) for i in positions]


def number(value: float) -> str:
    """A parameter as a person would write it: three digits, no exponent where it reads well."""
    rounded = float(f"{value:.3g}")
    if abs(rounded) < 1e6 and rounded == int(rounded):
        return f"{int(rounded)}"
    return f"{rounded:g}".replace("e-0", "e-").replace("e+0", "e")


def ratio(value: float) -> str:
    """7.9, 0.06, 5290, 1.6e5, 1.0e-28: how many times, as `ridgeless show` writes it."""
    if value != 0 and not 1e-3 <= value < 99999.5:
        return _short(f"{value:.1e}")
    return f"{value:.2g}" if value < 99.5 else f"{value:.0f}"


def span(low: float, high: float) -> str:
    """140 to 1700, 5.3e4 to 1.3e6: from one to the other, both written alike; one number where they come to the same."""
    texts = [ratio(low), ratio(high)]
    if any("e" in text for text in texts):
        texts = [_short(f"{value:.1e}") if value else "0" for value in (low, high)]
    return " to ".join(dict.fromkeys(texts))


def rounded(value: float) -> str:
    """2.9e4: two digits, as `ridgeless show` writes what no fit costs."""
    return _short(f"{value:.2g}")


def _short(text: str) -> str:
    """e+05 becomes e5."""
    mantissa, e, exponent = text.partition("e")
    return f"{mantissa}e{int(exponent)}" if e else text


PLAIN = (1e-4, 1e5)  # ticks in this range are written out
LADDERS = ((1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8), (1, 1.5, 2, 3, 5, 7), (1, 2, 3, 5), (1, 2, 5), (1, 3), (1,))


def log_limits(low: float, high: float) -> tuple[float, float]:
    """Limits that a log axis takes, whatever they come from: positive, finite, and one below the other."""
    known = [min(max(limit, EXTREMES[0]), EXTREMES[1]) for limit in (low, high) if not math.isnan(limit)]
    low, high = min(known, default=1.0), max(known, default=1.0)
    return (low, high) if low < high else (low / 3, high * 3)


def reach(*arrays: np.ndarray) -> float:
    """The largest magnitude that an axis which is not logarithmic can show; of nothing, 1."""
    sizes = np.abs(np.concatenate([np.ravel(array) for array in arrays]))
    shown = sizes[sizes <= LINEAR]  # NaN and what is beyond are not
    return float(shown.max(initial=0.0)) or 1.0


def decades(low: float, high: float) -> float:
    """How many there are between two numbers, whose ratio may be none."""
    return math.log10(high) - math.log10(low)


def decade_ticks(low: float, high: float, at_most: int = 8) -> list[float]:
    """Round numbers for a log axis from low to high: the finest of the usual ladders that stays readable."""
    whole = [float(f"1e{e}") for e in range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)]
    if 3 <= len(whole) <= at_most and not (low >= PLAIN[0] and high < PLAIN[1]):
        return whole  # 3 x 10^7 between 10^7 and 10^8 would only be hard to read
    for ladder in LADDERS:
        first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
        ticks = [float(f"{m}e{e}") for e in range(first, last + 1) for m in ladder]  # 0.3, not 0.30000000000000004
        ticks = [t for t in ticks if low <= t * (1 + 1e-9) and t * (1 - 1e-9) <= high]
        if len(ticks) < 2 and ladder is LADDERS[0]:  # so narrow that the axis is as good as linear
            return [float(t) for t in MaxNLocator(5, steps=[1, 2, 5, 10]).tick_values(low, high) if low <= t <= high]
        if len(ticks) <= at_most:
            return ticks
    return ticks[:: math.ceil(len(ticks) / at_most)]


def tick_texts(values: list[float]) -> list[str]:
    """0.3, 5, 2000; all of them as powers of ten where some would be long otherwise."""
    if not values or (min(values) >= PLAIN[0] and max(values) < PLAIN[1]):
        return [f"{value:g}" for value in values]
    return [_power(value) for value in values]


def _power(value: float) -> str:
    exponent = math.floor(math.log10(value) + 1e-9)
    mantissa = value / 10.0**exponent
    power = f"10^{{{exponent}}}"
    return f"${power}$" if abs(mantissa - 1) < 1e-6 else f"${mantissa:.0f}\\times{power}$"
