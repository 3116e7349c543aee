"""Tables of made-up learning curves that cross: what leads at first does not at the end."""

import numpy as np

from search.replay.curve_table import CurveTable


def crossing(correlation: float, seed: int = 0, count: int = 400, epochs: int = 30) -> CurveTable:
    """Curves of `count` designs whose accuracies at the first epoch and at the last have this
    correlation (-1..1), in the order of a smooth function of four hyperparameters each."""
    random = np.random.default_rng(seed)
    points = random.random((count, 4))
    end, other = (_smooth(points, random) for _ in range(2))
    other = _standard(other - (other @ end) / (end @ end) * end)
    begin = correlation * end + np.sqrt(1 - correlation**2) * other
    times = np.log(np.arange(1, epochs + 1)) / np.log(epochs)
    shift = np.clip((times - 0.3) / 0.7, 0, 1) ** 2  # from the first order to the last, late
    score = (1 - shift) * begin[:, None] + shift * end[:, None]
    noise = random.normal(0, 0.002, (count, epochs))
    accuracies = np.clip(0.3 + 0.35 * times + 0.06 * score + noise, 0, 1)
    seconds = np.repeat(10 * np.exp(random.normal(0, 0.3, (count, 1))), epochs, axis=1)
    name = f"crossing-{correlation:g}-{seed}"
    return CurveTable(name, ("a", "b", "c", "d"), points, accuracies, seconds)


def _smooth(points: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Standard scores (n,) of a smooth random function: cosines of random waves."""
    waves = random.normal(0, 3, (points.shape[1], 8))
    phases, heights = random.uniform(0, 2 * np.pi, 8), random.normal(0, 1, 8)
    return _standard(np.cos(points @ waves + phases) @ heights)


def _standard(values: np.ndarray) -> np.ndarray:
    return (values - values.mean()) / values.std()
