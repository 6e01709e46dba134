"""The figures of the report: each folded under its title, the first few open, and the list of them all."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from draw import layout
from draw.row import Caption
from read.results import Dataset

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OPEN = 4  # figures that are shown at once: the error, and the three factors taken away; of more the titles stand there
MEDIANS = (
    "Lines are medians over the repeats where nothing else is said; the paper draws means. For normal features no mean exists at "
    "the threshold: an average over repeats hangs on the few worst of them, a median does not."
)


@dataclass(frozen=True)
class Picture:
    """A figure as it goes into the page."""

    name: str
    caption: Caption
    svg: bytes
    inches: float  # its width


def picture(name: str, figure: Figure, caption: Caption) -> Picture:
    """Vectors, so that they are sharp on any screen and in print; without a date, as all figures are."""
    stream = io.BytesIO()
    figure.savefig(stream, format="svg", metadata={"Date": None})
    return Picture(name, caption, stream.getvalue(), float(figure.get_size_inches()[0]))


def contents(pictures: list[Picture]) -> str:
    """Links to all of them; one that is folded opens when it is gone to."""
    links = "".join(f'<li><a href="#{p.name}">{escape(p.caption.title)}</a></li>' for p in pictures)
    return f'<nav class="contents" aria-label="Figures"><ol>{links}</ol></nav>' if len(pictures) > OPEN else ""


def head(pictures: list[Picture], datasets: list[Dataset]) -> str:
    """What holds for all of them; of single repeats there is nothing to say."""
    return f'<p class="quiet">{escape(MEDIANS)}</p>' if pictures and any(d.repeats != 1 for d in datasets) else ""


def figures(pictures: list[Picture], datasets: list[Dataset]) -> str:
    """All of them, numbered."""
    names = ", ".join(dict.fromkeys(layout.title_of(d) for d in datasets))
    return "".join(_figure(i, p, names or p.name) for i, p in enumerate(pictures, 1))


def _figure(number: int, drawn: Picture, names: str) -> str:
    """As wide as its inches, so that type is of one size in all of them."""
    text = drawn.caption
    source = f"data:image/svg+xml;base64,{base64.b64encode(drawn.svg).decode('ascii')}"
    alt = escape(f"{text.alt} Data: {names}.", quote=True)
    image = f'<img src="{source}" alt="{alt}" style="--inches: {drawn.inches:.2f}">'
    is_open = " open" if number <= OPEN else ""
    return (
        f"<details{is_open}><summary>Figure {number}. {escape(text.title)}</summary>"
        f'<figure id="{drawn.name}"><div class="wide" tabindex="0" role="region" aria-label="Figure {number}">{image}</div>'
        f"<figcaption>{escape(text.see)}</figcaption></figure></details>\n"
    )
