"""A figure as the programs and the report know it, and what there is to draw figures from."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Callable, NamedTuple

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from draw.layout import Options
    from read.benches import Bench
    from read.results import Dataset, Notes
    from read.trainings import Autoencoder
    from speed.speedup import Study

    Draw = Callable[[list[Dataset], Options, Notes], Figure | None]
    Describe = Callable[[list[Dataset], Options], "Caption"]


@dataclass(frozen=True)
class Caption:
    """What the report says below a figure: `see` says what to look for, `alt` is for those who do not see it."""

    title: str
    see: str
    alt: str


class Row(NamedTuple):
    """A figure: its file's name, what draws it (None: there is nothing to draw), and its caption, or what makes it of the
    data sets that it is drawn from.

    `draw` is given the data sets that figures against N show; with `every`, all of them; with `own`, none, as it draws
    something else. Of a figure that is not `told` nobody hears when there is nothing to draw.
    """

    name: str
    draw: Draw
    caption: Caption | Describe
    every: bool = False
    own: bool = False
    told: bool = True

    def describe(self, datasets: list[Dataset], options: Options) -> Caption:
        """The caption for these data sets."""
        return self.caption if isinstance(self.caption, Caption) else self.caption(datasets, options)


@dataclass(frozen=True)
class Found:
    """What the files named on the command line hold. `against_rows`: the data sets that figures against N show."""

    paths: list[Path]
    datasets: list[Dataset]
    against_rows: list[Dataset]
    autoencoders: list[Autoencoder] = field(default_factory=list)
    studies: list[Study] = field(default_factory=list)
    benches: list[Bench] = field(default_factory=list)

    def given_to(self, row: Row) -> list[Dataset]:
        """The data sets that a figure is drawn from."""
        return [] if row.own else self.datasets if row.every else self.against_rows
