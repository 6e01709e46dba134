"""The figures of the ablations that are not the paper's: those that have words of their own, and then any others there are."""

from __future__ import annotations

from draw import style
from draw.row import Caption, Found, Row
from figures import ablation

CAPTIONS = {
    "adversarial_test": Caption(
        style.ABLATIONS["adversarial_test"].title,
        "What small singular values make possible: test rows moved along the smallest mode's direction v, by steps of the "
        "size that the colour says. The error grows with the step, and most where 1/σ of that mode is largest, at the "
        "threshold.",
        "Test error against P/N, one line per step size: larger steps have larger errors near the threshold.",
    ),
    "adversarial_train": Caption(
        style.ABLATIONS["adversarial_train"].title,
        "Training targets moved along the smallest mode's direction u: the fit amplifies the step by 1/σ of that mode. A step "
        "that hardly changes the targets changes the errors by orders of magnitude at the threshold.",
        "Test error against P/N, one line per step size: larger steps have larger errors near the threshold.",
    ),
    "ridge": Caption(
        "Ridge regression",
        "The usual cure: small singular values are damped rather than cut off. The peak shrinks as the penalty grows; too "
        "large a penalty costs error everywhere.",
        "Test error against P/N, one line per ridge penalty: larger penalties have lower peaks.",
    ),
    "gradient_descent": Caption(
        "Gradient descent from zero, stopped early",
        "Few steps leave small singular values unfitted and act as a cutoff does. With more steps the error approaches that "
        "of the minimum-norm solution, and the peak grows.",
        "Test error against P/N, one line per number of steps: more steps have higher peaks.",
    ),
}


def rows(found: Found) -> list[Row]:
    """One for each."""
    there = {v.ablation for d in found.against_rows for v in d.variants} - {"none"}
    names = [*style.ABLATIONS, *sorted(there - set(style.ABLATIONS))]
    return [ablation.row(name, CAPTIONS.get(name) or _caption(name)) for name in names if name not in style.PAPER_ABLATIONS]


def _caption(name: str) -> Caption:
    """What is true of every ablation."""
    title = style.words(name).title
    return Caption(title, "The thick grey line is the unablated fit.", f"Test error against P/N: {title}.")
