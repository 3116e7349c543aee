"""The section with the activation maps of every layer for one image of each class."""

from analysis.figures import plot_activations
from analysis.figures.class_labels import labels_of
from analysis.figures.plot_activations import activations_info
from analysis.run.winner_folder import Winner
from analysis.sections.page import Gallery, Section
from analysis.sections.report_folder import FigureBlock, ReportFolder
from analysis.tables.findings import Findings

MOST_ON_PAGE = 12
"""Classes on the page; the page is to stay small enough for a phone."""
MOST_DRAWN = 20
"""Classes with a figure at all; a report is to be ready in half a minute."""
FIRST = "cat"
"""The class that the transcript looks at."""


def activations_section(found: Findings, report: ReportFolder) -> Section | None:
    """None if there is no network with convolutions, or no image to show it."""
    winner = found.winner
    if winner is None or winner.network is None or winner.samples is None:
        return None
    if not winner.design.kernels:
        return None
    order = shown_first(winner)
    first = order[0]
    drawn = sorted(order[:MOST_DRAWN])
    blocks = {sample: _figure(winner, sample, report) for sample in drawn}
    on_page = sorted(order[:MOST_ON_PAGE])
    return Section(
        anchor="activations",
        title="Activation maps",
        paragraphs=[
            "What the winner makes of one validation image of each class: up to eight maps of "
            "every convolution (after its activation) and every pooling layer, the strongest "
            "first. Each map is scaled from its least activation (dark) to its greatest (bright); "
            "a blank map found nothing of its kind in the image.",
            *_left_out(len(order), len(drawn), len(on_page)),
        ],
        galleries=[
            Gallery(_class(winner, sample), [blocks[sample]], is_open=sample == first)
            for sample in on_page
        ],
    )


def shown_first(winner: Winner) -> list[int]:
    """The samples in order of importance: the cat, if there is one, then as they come."""
    assert winner.samples is not None
    samples = range(len(winner.samples))
    return sorted(samples, key=lambda sample: (_class(winner, sample) != FIRST, sample))


def figure_name(sample: int, name: str) -> str:
    """A file name for the class that any file system takes: activations_03_cat."""
    plain = "".join(sign if sign.isascii() and sign.isalnum() else "_" for sign in name)
    return f"activations_{sample:02d}_{plain[:40]}"


def _figure(winner: Winner, sample: int, report: ReportFolder) -> FigureBlock:
    info = activations_info(winner, sample)
    name = _class(winner, sample)
    return report.add_figure(
        figure_name(sample, name),
        f"Activation maps: {name}",
        "The image, then a strip for each layer." + _numbered(winner, sample),
        lambda: plot_activations.draw(info),
        raster=True,
    )


def _class(winner: Winner, sample: int) -> str:
    assert winner.sample_labels is not None
    return winner.classes[int(winner.sample_labels[sample])]


def _numbered(winner: Winner, sample: int) -> str:
    assert winner.sample_labels is not None
    number = int(winner.sample_labels[sample])
    return f" In the figure the class is #{number}." * (
        number in labels_of(winner.classes).numbered
    )


def _left_out(classes: int, drawn: int, on_page: int) -> list[str]:
    if on_page == classes:
        return []
    return [f"{on_page} of {classes} classes here; {drawn} of them are in figures/."]
