"""The sections on the trials: learning curves, states and reasons, hyperparameter importances."""

from analysis.figures import plot_curves, plot_importances
from analysis.run import frames
from analysis.run.quantities import count
from analysis.run.run_folder import Run
from analysis.sections.headline import trial_counts
from analysis.sections.page import Section
from analysis.sections.report_folder import ReportFolder
from analysis.tables.findings import Findings
from analysis.tables.importance import importance_table, importances
from analysis.tables.table_files import Table

SHOWN = ("trial", "name", "state", "reason", "epochs", "epochs_planned", "best_epoch")
THEN = ("train_accuracy", "train_seconds", "parameters", "kernels", "dense")


def trials_section(found: Findings, report: ReportFolder) -> Section:
    """All trials, and the learning curves of the best."""
    info = plot_curves.best_curves_info(found.run)
    figures = []
    if info.curves:
        figures.append(
            report.add_figure(
                "learning_curves",
                "Learning curves of the best trials",
                f"Solid: accuracy on the {found.run.held_out} images; dashed: on a sample of the "
                f"training images, in inference mode{balanced_lines(found.run)}.",
                lambda: plot_curves.draw(info),
            )
        )
    return Section(
        anchor="trials",
        title="Trials",
        paragraphs=[trial_counts(found.run)],
        figures=figures,
        tables=[report.add_table(trials_table(found.run))],
    )


def balanced_lines(run: Run) -> str:
    """Caption of the dotted curves (balanced accuracy); empty where there are none."""
    if len(run.accuracies.columns) == 1:
        return ""
    return f"; dotted: balanced accuracy on the {run.held_out} images"


def trials_table(run: Run) -> Table:
    """Every trial with its state, and why it was stopped or failed."""
    trials, accuracies = frames.trials(run), run.accuracies
    return Table(
        name="trials",
        title="All trials",
        frame=trials,
        rule=(
            f"A trial's best point is the one with the best {accuracies.name} on the "
            f"{run.held_out} images, the earliest "
            "of equals; one that came to no end of its learning rate schedule has none. Its "
            "accuracies are those of this point, its seconds those of all epochs trained. Held "
            "seconds are training, evaluation, what was lost, and overhead."
        ),
        shown=trials[[*SHOWN, *accuracies.columns, *THEN]],
    )


def importance_section(found: Findings, report: ReportFolder) -> Section:
    """Hyperparameter importances: table and figure, or why there are none."""
    mattered = importances(found.run.folder / "study.log", found.run.state)
    table = report.add_table(importance_table(mattered))
    if not len(mattered.frame):
        return Section(
            anchor="importances",
            title="What mattered",
            paragraphs=[f"{mattered.reason[0].upper()}{mattered.reason[1:]}."],
        )
    info = plot_importances.importances_info(mattered)
    figure = report.add_figure(
        "importances",
        "Importance of the hyperparameters",
        f"From {count(mattered.trials, 'trial')}; the shares of each colour sum to 100 % over all "
        "parameters.",
        lambda: plot_importances.draw(info),
    )
    return Section(anchor="importances", title="What mattered", figures=[figure], tables=[table])
