"""What trials are called in figures and sentences, in the room that there is."""

from rich.cells import cell_len


def shorten(name: str, most: int = 22) -> str:
    """`name` in the room of at most so many letters; an ideograph takes that of two."""
    if cell_len(name) <= most:
        return name
    while cell_len(name) > most - 1:
        name = name[:-1]
    return name + "…"


def trial_label(trial: int, name: str) -> str:
    """What a trial is called in a figure: "trial 3", or "cnn-3 (trial 3)"."""
    return f"{shorten(name)} (trial {trial})" if name else f"trial {trial}"
