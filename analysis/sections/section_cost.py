"""The sections on cost: the Pareto front and its knee, further epochs, further search, the bill."""

from analysis.figures import plot_accuracy_cost
from analysis.run.quantities import count, duration
from analysis.sections.headline import price_of
from analysis.sections.page import Section
from analysis.sections.report_folder import FigureBlock, ReportFolder
from analysis.tables.accuracy_cost import accuracy_cost_table
from analysis.tables.cost_kinds import cost_table, search_cost
from analysis.tables.epoch_gain import epoch_gain_table
from analysis.tables.findings import Findings
from analysis.tables.knee import RULE
from analysis.tables.node_table import node_table
from analysis.tables.stop_prices import stop_sentence, stop_table


def front_section(found: Findings, report: ReportFolder) -> Section:
    """Accuracy versus cost, with the Pareto front and the knee."""
    table = report.add_table(
        accuracy_cost_table(found.points, found.run.held_out, found.run.accuracies)
    )
    knee = found.knee
    where = f"There is no knee here: {knee.reason}."
    if knee.row is not None:
        where = (
            f"Here it is {found.run.state.trials[int(knee.row['trial'])].title} after "
            f"{count(knee.row['epochs'], 'epoch')}, {price_of(knee.row)}."
        )
    return Section(
        anchor="front",
        title="Accuracy versus cost",
        paragraphs=[f"{RULE} {where}"],
        figures=_front_figures(found, report),
        tables=[table],
    )


def epochs_section(found: Findings, report: ReportFolder) -> Section:
    """The gain of further epochs: table, and a sentence on the best trial."""
    table = epoch_gain_table(found.points, found.run.held_out, found.run.accuracies)
    frame, text = table.frame, "No trial has results after different numbers of epochs."
    if found.best is not None and len(frame):
        own = frame[frame["trial"] == found.best.trial]
        if len(own):
            last = own.iloc[-1]
            text = (
                f"From {last['from_epochs']} to {last['to_epochs']} epochs {found.best_name} "
                f"gained {last['gained_points']:+.1f} points for "
                f"{duration(last['further_seconds'])} of further training."
            )
        else:
            text = (
                f"{found.best_name} is a result after its last epoch only: what further epochs "
                "would give it was not measured."
            )
    return Section(
        anchor="epochs",
        title="What further epochs buy",
        paragraphs=[text],
        tables=[report.add_table(table)],
    )


def search_section(found: Findings, report: ReportFolder) -> Section:
    """The expected gain of further search, and when the search would have ended at other prices."""
    table = report.add_table(stop_table(found.run))
    if not found.run.state.gain_records:
        text = (
            "Nothing was forecast in this run: that is done by --searcher curves with "
            "--scheduler promote, once there are results to learn from."
        )
        return Section(anchor="search", title="What further search buys", paragraphs=[text])
    sentence = stop_sentence(found.run)
    return Section(
        anchor="search",
        title="What further search buys",
        paragraphs=[sentence] if sentence else [],
        tables=[table],
    )


def bill_section(found: Findings, report: ReportFolder) -> Section:
    """The costs of search, training and prediction; and the nodes, on a cluster."""
    metrics = found.winner.metrics if found.winner else {}
    prediction = metrics.get("prediction_seconds_per_image")
    spent = search_cost(found.run)["seconds"]
    training = found.best.train_seconds(found.epoch) if found.best else None
    batch = metrics.get("prediction_batch")
    nodes = node_table(found.run)
    one = duration(prediction)
    if prediction is not None and batch is not None:
        device = metrics.get("prediction_device") or "an unknown device"
        one += f" an image, in batches of {batch} ({device})"
    return Section(
        anchor="costs",
        title="What it cost",
        paragraphs=[
            f"Search: workers were held for {duration(spent)}. Training {found.best_name} once: "
            f"{duration(training)}. One prediction: {one}."
        ],
        tables=[
            report.add_table(cost_table(found.run, found.best, found.epoch, prediction)),
            *([report.add_table(nodes)] if nodes else []),
        ],
    )


def _front_figures(found: Findings, report: ReportFolder) -> list[FigureBlock]:
    if not len(found.points):
        return []
    run, points = found.run, found.points
    time = plot_accuracy_cost.time_info(points, found.knee, run.held_out, run.accuracies)
    parameters = plot_accuracy_cost.parameters_info(points, run.held_out, run.accuracies)
    scale = " The cost axis is logarithmic." if time.log else ""
    return [
        report.add_figure(
            "accuracy_vs_cost",
            "Accuracy versus training time",
            "Each dot is a design trained for just so many epochs; squares and steps are the "
            f"front, the star is its knee.{scale}{_hidden(time)}",
            lambda: plot_accuracy_cost.draw(time),
        ),
        report.add_figure(
            "accuracy_vs_parameters",
            "Accuracy versus parameters",
            "Each dot is the best point of one trial; squares and steps are the front."
            f"{_hidden(parameters)}",
            lambda: plot_accuracy_cost.draw(parameters),
        ),
    ]


def _hidden(info: plot_accuracy_cost.AccuracyCostInfo) -> str:
    if not info.hidden:
        return ""
    return f" Left out: {count(info.hidden, 'point')} below {info.floor:.0f} %."
