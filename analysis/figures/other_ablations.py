"""The figures of the ablations that are not the paper's: those that have words of their own, and then any others there are."""

from __future__ import annotations

from draw import style
from draw.row import Found, Row
from figures import ablation

SIZE = "the root mean square over the training rows"
SEE = {
    "adversarial_test": "An attack: every test row is moved along the smallest mode's direction v. The prediction changes by the "
    "step times the fit's component along v, which holds 1/σ of that mode. A feature's size, where steps are in units of it, is "
    f"{SIZE}.",
    "adversarial_train": "An attack: the training targets are moved along the smallest mode's direction u, by the step in all, "
    "not in each row. The fit amplifies the step by 1/σ of that mode. A target's size, where steps are in units of it, is "
    f"{SIZE}.",
    "ridge": "A cure: small singular values are damped rather than cut off, the more the larger the penalty λ is; σ₁ is the "
    "largest singular value.",
    "gradient_descent": "A cure: few steps leave small singular values unfitted and act as a cutoff does. With more steps the "
    "fit approaches the minimum-norm solution.",
}
EVERY = "The thick grey line is the unablated fit."


def rows(found: Found) -> list[Row]:
    """One for each."""
    there = {v.ablation for d in found.against_rows for v in d.variants} - {"none", *style.CURES}
    names = [*style.ABLATIONS, *sorted(there - set(style.ABLATIONS))]
    elsewhere = (*style.PAPER_ABLATIONS, *style.CURES)
    return [ablation.row(name, f"{EVERY} {SEE.get(name, '')}".strip()) for name in names if name not in elsewhere]
