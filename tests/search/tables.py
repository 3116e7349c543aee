"""Tables of learning curves made by hand."""

from pathlib import Path

import numpy as np

from search.replay.curve_table import CurveTable


def smooth(configurations: int = 40, epochs: int = 9, seed: int = 0) -> CurveTable:
    """Curves that rise to an accuracy that a smooth function of two hyperparameters gives; the
    third column is of no use. An epoch costs more where `width` is larger."""
    random = np.random.default_rng(seed)
    rate = 10 ** random.uniform(-4, -1, configurations)
    width = random.uniform(10, 100, configurations)
    final = 0.9 - 0.1 * (np.log10(rate) + 2.5) ** 2 - 0.2 * (width / 100 - 0.7) ** 2
    after = 1 - np.exp(-np.arange(1, epochs + 1) / 3)
    accuracies = np.clip(final[:, None] * after + random.normal(0, 0.002, (1, epochs)), 0, 1)
    return CurveTable(
        name="smooth",
        columns=("rate", "width", "useless"),
        points=np.stack([rate, width, random.uniform(0.5, 1, configurations)], axis=1),
        accuracies=accuracies,
        seconds=np.repeat(width[:, None] / 10, epochs, axis=1),
    )


def write(table: CurveTable, path: Path) -> Path:
    """The table as a file."""
    lines = [",".join(["config_id", "epoch", *table.columns, "val_accuracy", "seconds"])]
    for number in range(len(table)):
        for epoch in range(table.epochs):
            values = [*table.points[number], table.accuracies[number, epoch]]
            row = [number, epoch + 1, *values, table.seconds[number, epoch]]
            lines.append(",".join(map(str, row)))
    path.write_text("\n".join(lines) + "\n")
    return path
