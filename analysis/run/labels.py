"""Labels of trials in figures and sentences, shortened to fit."""

from rich.cells import cell_len


def shorten(name: str, most: int = 22) -> str:
    """`name` cut to at most `most` columns; a wide character such as an ideograph takes two."""
    if cell_len(name) <= most:
        return name
    while cell_len(name) > most - 1:
        name = name[:-1]
    return name + "…"


def trial_label(trial: int, name: str) -> str:
    """The label of a trial: "trial 3", or "cnn-3 (trial 3)" where its design has a name."""
    return f"{shorten(name)} (trial {trial})" if name else f"trial {trial}"
