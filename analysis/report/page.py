"""One HTML file about a study, without a link to anything outside: what was found, every figure, and where it comes from."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Callable, Iterable

from draw import style
from figures import tails
from read import tail
from read.results import About, Dataset, Notes
from report import claims, pictures
from report.pictures import Picture

CSS = Path(__file__).with_name("page.css")
PAPER = (
    "Schaeffer et al. 2023, “Divergence at the Interpolation Threshold: Identifying, Interpreting & Ablating the Sources of a "
    "Deep Learning Puzzle” (arXiv:2303.14151)"
)
NOT_HERE = "What is not here"
VERDICTS = {True: ("holds", "✓ holds"), False: ("fails", "✗ does not hold"), None: ("unknown", "– cannot tell")}


def html(files: list[About], datasets: list[Dataset], tabled: list[Dataset], drawn: list[Picture], notes: Notes) -> str:
    """The whole document. Of the data sets those in `tabled` have several N, for the tables."""
    title = escape(" · ".join(dict.fromkeys(file.title for file in files)))
    sections = [
        ("glance", "At a glance", _unless_it_fails(_glance, tabled)),
        ("figures", "Figures", pictures.head(drawn, datasets) + pictures.contents(drawn) + pictures.figures(drawn, datasets)),
        ("claims", "The paper's claims, checked", _unless_it_fails(_claims, tabled)),
        ("tails", "Tails at the threshold", _unless_it_fails(_tails, tabled)),
        ("notes", NOT_HERE, _notes(notes)),
        ("study", "The study", "".join(_study(file, len(files)) for file in files)),
        ("provenance", "Where it comes from", "".join(_provenance(file) for file in files)),
    ]
    sections = [section for section in sections if section[2]]
    links = "".join(f'<li><a href="#{name}">{escape(heading)}</a></li>' for name, heading, _ in sections)
    body = "".join(f'<section id="{name}"><h2>{escape(heading)}</h2>{text}</section>\n' for name, heading, text in sections)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>
{CSS.read_text(encoding="utf-8")}</style>
</head>
<body>
<header>
<h1>{title}</h1>
{_lead(files, datasets)}
<nav aria-label="Sections"><ul>{links}</ul></nav>
</header>
<main>
{body}</main>
<footer>{escape(files[0].program or "ridgeless")}; after {escape(PAPER)}.</footer>
</body>
</html>
"""


def _unless_it_fails(section: Callable[[list[Dataset]], str], datasets: list[Dataset]) -> str:
    """A section that numbers as they are do not allow is a sentence; the page is there nevertheless."""
    try:
        return section(datasets)
    except Exception as error:
        return f'<p class="quiet">This section cannot be made of these numbers: {escape(str(error))}</p>'


def _lead(files: list[About], datasets: list[Dataset]) -> str:
    said = f'<p class="quiet">From {escape(", ".join(file.path.name for file in files))}.</p>'
    if not datasets:
        return said
    names = dict.fromkeys(style.dataset_title(d.group, d.source) for d in datasets)
    n_low, n_high = min(d.n_train.min() for d in datasets), max(d.n_train.max() for d in datasets)
    p_low, p_high = min(d.n_features for d in datasets), max(d.n_features for d in datasets)
    repeats = sorted({d.repeats for d in datasets})
    counts = f"{repeats[0]}" if len(repeats) == 1 else f"{repeats[0]} to {repeats[-1]}"
    return (
        "<p>Why does the test error of least squares diverge where there are as many training rows N as features P? Because "
        "three things come together there: a small singular value of the training features, test features along its mode, and "
        "residual errors along it. Taking any one of them away takes the divergence away.</p>"
        f'<p class="quiet">Data: {escape(", ".join(names))}. {_span("N", n_low, n_high)}, {_span("P", p_low, p_high)}, {counts} '
        f"repeat{'' if counts == '1' else 's'}.{_left_out(datasets)}</p>{said}"
    )


def _left_out(datasets: list[Dataset]) -> str:
    """The rows that studies do without, as `plan` and `run` tell them."""
    told = {d.group: f"{d.rows:,} rows ({d.rows_dropped:,} with missing values left out)" for d in datasets if d.rows_dropped > 0}
    return "".join(f" {escape(style.dataset_title(name))}: {rows}." for name, rows in told.items())


def _span(name: str, low: float, high: float) -> str:
    return f"{name} = {low:.0f}" if low == high else f"{name} from {low:.0f} to {high:.0f}"


# ---- tables -----------------------------------------------------------------------------------------------------------


def _row(cells: Iterable[str], tag: str = "td", numbers: bool = True) -> str:
    made = [f'<{tag}{" class=number" if numbers and i else ""}>{cell}</{tag}>' for i, cell in enumerate(cells)]
    return f"<tr>{''.join(made)}</tr>"


def _glance(datasets: list[Dataset]) -> str:
    if not datasets:
        return ""
    heads = ["data set", "P", "repeats", "predicting nothing", "predicting the mean", "spike height"]
    there = [name for name in style.PAPER_ABLATIONS if any(d.of(name) for d in datasets)]
    heads += [f"left: {style.words(name).short}" for name in there]
    agreements = [claims.agreement(d) for d in datasets]
    rows = [_glance_cells(d, there) for d in datasets]
    if any(agreements):
        heads.append("largest deviation from theory (standard errors)")
        rows = [[*row, f"{abs(a.worst):.1f} of {a.n_means} means" if a else "–"] for row, a in zip(rows, agreements)]
    text = (
        "Spike height: the median test error at the threshold divided by the larger of the errors near P/2 and 2P. In brackets: "
        "an interval that holds the ratio of the true medians with at least 90\u00a0% confidence. Left: the same ratio, for the "
        "variant with the smallest spike that still keeps some modes; σ₁ is the largest singular value. Predicting nothing: "
        "the mean squared error of saying 0 for each row. Predicting the mean: the mean squared error of saying the mean of the "
        "targets for each row."
    )
    if any(d.has_low_rank() for d in datasets):
        text += (
            " Of features of a lower rank than P, as dummy variables have, the threshold is at the rank, and so are its flanks: "
            "some features are sums of others, so that fewer rows determine all that a fit can be."
        )
    text += "".join(f" {escape(note)}" for note in map(claims.scales_note, datasets) if note)
    head = f"<thead>{_row((escape(h) for h in heads), 'th')}</thead>"
    table = f"<table>{head}<tbody>{''.join(map(_row, rows))}</tbody></table>"
    return f'<p class="quiet">{text}</p><div class="wide" tabindex="0" role="region" aria-label="Headline numbers">{table}</div>'


def _glance_cells(dataset: Dataset, ablations: list[str]) -> list[str]:
    spike = claims.spike(dataset)
    cells = [
        escape(style.dataset_title(dataset.group, dataset.source)),
        dataset.size(in_full=True).removeprefix("P = "),
        f"{dataset.repeats:,}",
    ]
    cells += [style.rounded(value) if value is not None else "–" for value in (dataset.null_mse, dataset.target_variance)]
    cells.append(escape(claims.spike_text(spike)) if spike else "–")
    return cells + [escape(_left_cell(claims.left_by(dataset, name))) for name in ablations]


def _left_cell(left: claims.Left | None) -> str:
    if left is None:
        return "–"
    if not left.keeps_something():
        return f"modes kept: 0 of {left.modes}"
    return f"{style.ratio(left.spike.height)} {claims.setting(left.variant)}".rstrip()


def _tails(datasets: list[Dataset]) -> str:
    found = tails.numbers(datasets)
    if not found:
        return ""
    heads = ("data set", "N", "slope of P(error > t)", "fitted over", "law of normal features")
    text = (
        "P(error > t), the share of repeats whose test error is above t, falls as a power of t. Slopes by maximum likelihood "
        f"of a power law over the upper {100 * tail.FAR:g} % of the repeats ({100 * tail.NEAR:g} % where those are fewer than "
        f"{tail.ENOUGH}; of a tail that bends, from the upper {100 * tail.NEAR:g} % to the bend), with {tails.SURE} standard "
        "errors. A table of finitely many rows bends away where all local slopes, each over half a decade, differ by more "
        f"than {tail.LEFT_BY:g} from there on, as far as {tail.LEAST_BEYOND} repeats are beyond."
    )
    head = f"<thead>{_row((escape(h) for h in heads), 'th', numbers=False)}</thead>"
    body = "".join(_row((escape(cell) for cell in row), numbers=False) for row in found)
    table = f"<table>{head}<tbody>{body}</tbody></table>"
    return f'<p class="quiet">{text}</p><div class="wide" tabindex="0" role="region" aria-label="Tails">{table}</div>'


def _claims(datasets: list[Dataset]) -> str:
    rules = (
        f"A spike counts as removed when at most {100 * claims.LEFT_AT_MOST:g}\u00a0% of its height above its flanks is left. "
        f"An error counts as raised when it is at least {claims.RAISED_AT_LEAST:g} times as large."
    )
    if any(map(claims.agreement, datasets)):
        rules += f" Means count as exact when none is more than {claims.HIGHEST_SCORE:g} standard errors off."
    return f'<p class="quiet">{rules}</p>' + "".join(map(_claims_of, datasets)) if datasets else ""


def _claims_of(dataset: Dataset) -> str:
    rows = []
    for finding in claims.findings(dataset):
        kind, word = VERDICTS[finding.holds]
        verdict = f'<span class="{kind}">{word}</span>'
        rows.append(_row((escape(finding.claim), escape(finding.number), verdict), numbers=False))
    head = f"<thead>{_row(('claim', 'number', 'verdict'), 'th', numbers=False)}</thead>"
    name = f"{escape(style.dataset_title(dataset.group, dataset.source))}, {dataset.size(in_full=True)}"
    return f'<h3>{name}</h3><table class="stack claims">{head}<tbody>{"".join(rows)}</tbody></table>'


# ---- the rest ---------------------------------------------------------------------------------------------------------


def _notes(notes: Notes) -> str:
    items = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return f'<ul class="notes">{items}</ul>' if items else ""


def _study(file: About, n_files: int) -> str:
    if not file.study:
        return ""
    is_open = " open" if n_files == 1 else ""
    text = f"<summary>The study file of {escape(file.path.name)}, in full</summary><pre tabindex=0>{escape(file.study)}</pre>"
    return f"<details{is_open}>{text}</details>"


def _provenance(file: About) -> str:
    rows = [
        f"<tr><td>{escape(name.replace('_', ' '))}</td><td>{escape(value)}</td></tr>" for name, value in file.provenance.items()
    ]
    if not rows:
        return ""
    return f'<h3>{escape(file.path.name)}</h3><table class="provenance stack"><tbody>{"".join(rows)}</tbody></table>'
