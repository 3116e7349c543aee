"""The sections on the winner: its structure, what it learned, its scores on the test images."""

import dataclasses

from analysis.figures import (
    plot_class_scores,
    plot_confusion,
    plot_curves,
    plot_kernels,
    plot_structure,
)
from analysis.figures.class_labels import labels_of
from analysis.run.quantities import count, percent
from analysis.sections.page import Section
from analysis.sections.report_folder import FigureBlock, ReportFolder
from analysis.sections.section_trials import balanced_lines
from analysis.tables.findings import Findings
from analysis.tables.network_layers import network_layers
from analysis.tables.prediction_quality import (
    Metrics,
    balanced_accuracy,
    class_names,
    class_table,
    confused_pairs_table,
    confusion_table,
)
from models.design import Design, to_row
from models.network import Shape


def winner_section(found: Findings, report: ReportFolder) -> Section:
    """The winner, or the trial that leads so far: structure, curves, kernels, design."""
    if found.best is None:
        return Section("winner", "The winner", ["No design has a result yet."])
    design = found.best.design
    figures = [*_structure(found, design, report), _curves(found, report)]
    kernels = _kernels(found, report)
    if kernels is not None:
        figures.append(kernels)
    role = "was chosen" if found.winner else "leads so far"
    return Section(
        anchor="winner",
        title="The winner" if found.winner else "The leading design",
        paragraphs=[
            f"This is {found.best_title}, which {role} after {count(found.epoch or 0, 'epoch')}. "
            "Its design:"
        ],
        figures=figures,
        facts=[(name, str(value)) for name, value in design_fields(design)],
    )


def scores_section(found: Findings, report: ReportFolder) -> Section:
    """The winner's scores on the test images, class by class."""
    metrics = found.winner.metrics if found.winner else {}
    if not metrics:
        text = "The winner is scored on the test images once, at the end of a search: not yet."
        return Section("scores", "Test scores", [text])
    tables = (confused_pairs_table(metrics), class_table(metrics), confusion_table(metrics))
    return Section(
        anchor="scores",
        title="Test scores",
        paragraphs=[
            f"{percent(metrics['accuracy'], 2)} of {metrics['images']:,} test images are right; "
            f"balanced accuracy, the mean of the classes' recalls, is "
            f"{percent(balanced_accuracy(metrics), 2)}; macro F1 is "
            f"{percent(metrics['macro']['f1'], 2)}."
        ],
        figures=_score_figures(metrics, report),
        tables=[report.add_table(table) for table in tables],
    )


def design_fields(design: Design) -> list[tuple[str, object]]:
    """The design's fields in their order, as people read them; design.json has all digits."""
    rates = tuple(float(f"{rate:.4g}") for rate in design.block_dropout)
    row = to_row(dataclasses.replace(design, block_dropout=rates))
    return [(field.name, _plain(row[field.name])) for field in dataclasses.fields(design)]


def _plain(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    return "none" if value == "" else value


def _score_figures(metrics: Metrics, report: ReportFolder) -> list[FigureBlock]:
    confusion = plot_confusion.confusion_info(metrics)
    classes = plot_class_scores.class_scores_info(metrics)
    legend = labels_of(class_names(metrics)).legend
    numbers = f" {legend}" if legend else ""
    left_out = f" The {len(classes.classes)} with the lowest F1." if classes.left_out else ""
    return [
        report.add_figure(
            "confusion",
            "Confusion matrix",
            "A row an actual class, a column a predicted one; darker is a larger share of the row."
            f"{numbers}",
            lambda: plot_confusion.draw(confusion),
        ),
        report.add_figure(
            "class_scores",
            "Precision, recall and F1 of each class",
            f"On the test images.{left_out}{numbers}",
            lambda: plot_class_scores.draw(classes),
        ),
    ]


def _structure(found: Findings, design: Design, report: ReportFolder) -> list[FigureBlock]:
    known = _images(found)
    if known is None:
        return []
    info = plot_structure.structure_info(network_layers(design, *known))
    return [
        report.add_figure(
            "structure",
            "Structure of the network",
            "From the image to the classes: each layer's output and parameters, "
            f"{info.parameters:,} in all. Squares are maps, their side to scale; bars are "
            "features.",
            lambda: plot_structure.draw(info),
        )
    ]


def _images(found: Findings) -> tuple[Shape, int] | None:
    """Shape of an image and number of classes, if either the winner or the run tells."""
    if found.winner is not None:
        return found.winner.shape, len(found.winner.classes)
    dataset = found.run.record["dataset"]
    if not dataset.get("shape") or not dataset.get("classes"):
        return None
    channels, height, width = dataset["shape"]
    return (channels, height, width), len(dataset["classes"])


def _curves(found: Findings, report: ReportFolder) -> FigureBlock:
    assert found.best is not None
    info = plot_curves.curves_info(found.run, [found.best.trial])
    return report.add_figure(
        "winner_curves",
        "Learning curves of the winner" if found.winner else "Learning curves of the leader",
        f"Solid: accuracy on the {found.run.held_out} images; dashed: on training images"
        f"{balanced_lines(found.run)}.",
        lambda: plot_curves.draw(info),
    )


def _kernels(found: Findings, report: ReportFolder) -> FigureBlock | None:
    if found.winner is None or found.winner.network is None:
        return None
    info = plot_kernels.kernels_info(found.winner.network, found.winner.shape)
    colours = (
        "Red, green and blue are the three channels, each picture from its smallest weight to its "
        "largest."
        if info.pictures.ndim == 4
        else "Orange is negative, violet positive, white no weight; each picture to its own scale."
    )
    return report.add_figure(
        "first_layer",
        f"What the first layer learned: {info.of}",
        f"{len(info.pictures)} of {info.total} {info.of}. {colours}",
        lambda: plot_kernels.draw(info),
    )
